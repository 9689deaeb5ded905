"""What is printed runs alone, whatever its inputs are called, and a file contains the helpers that its lines use and no others."""

import builtins
import keyword
import math

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends import kernels
from lensgrad.backends import numpy as backend
from lensgrad.backends.engine import BACKENDS, Native, NumPy, installed
from lensgrad.backends.engine import backend as engine
from lensgrad.backends.helpers import Helpers, functions_of, with_callees
from lensgrad.backends.source import identifiers
from lensgrad.backends.table import Hole, Meanings
from lensgrad.cat.names import Param
from lensgrad.cat.para import parametric
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, NoRule
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Int, Real
from lensgrad.theories.smooth.pointwise import Pointwise

TAKEN = sorted({*functions_of(kernels), *keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "step", "f"})
STRANGE = [
    "C0",
    "C3",
    "v1",
    "a0",
    "given_0",
    "step_of_scan_2",
    "recompute_2",
    "ﬁ",
    "ｎｐ",
    "x²",
    "größe",
    "",
    "1",
    "a b",
    "a/b",
    '"""',
    "\\",
]


def written_with_many_helpers():
    """An arrow whose lines use kernels, constants, NumPy and a builtin."""

    def fn(x, y, i):
        far = ops.select(x > 0.0, ops.log_softmax(x), float("-inf"))
        return ops.erf(y) * ops.sigmoid(x), far, ops.one_hot(i, 3) + ops.softmax(y), ops.cast(y, "int32")

    return trace(fn, Real(3), Real(3), Int())


F = written_with_many_helpers()
XS = [np.array([1.0, -2.0, 0.5], np.float32), np.array([0.25, 3.0, -1.5], np.float32), np.int32(1)]


def alone(text, name, xs):
    """A file run with NumPy alone."""
    space = {"__name__": "alone"}
    exec(compile(text, "<file>", "exec"), space)
    return space[name](*xs)


@pytest.mark.parametrize("at", range(3))
def test_no_input_shadows_what_its_file_uses(at):
    wanted = backend.function(F)(*XS)
    for name in [*TAKEN, *STRANGE]:
        names = ["x", "y", "i"]
        names[at] = name
        for a, b in zip(alone(backend.source(F, "step", names), "step", XS), wanted, strict=True):
            assert np.array_equal(a, b), name


def test_inputs_that_python_reads_as_one_name_stay_apart():
    for names in (["ﬁ", "fi", "f_i"], ["a/b", "a_b", "a b"], ["ｘ", "x", "𝐱"], ["class", "class_", "class__"]):
        assert len(set(identifiers(names))) == 3
        assert alone(backend.source(F, "step", names), "step", XS)[0].shape == (3,)


def test_a_function_is_called_by_an_identifier_that_is_free():
    for name in ("log_softmax", "class", "np", "a b", "", "x\ny"):
        with pytest.raises(BadValue, match=r"^a function must be called by a Python identifier that nothing else has, got"):
            backend.source(F, name)


def test_a_file_contains_what_its_lines_use_and_what_that_calls():
    image = Real(1, 5, 5, 1)
    f = trace(lambda x, k: ops.convolve(x, k), image, Real(3, 3, 1, 2))
    text = backend.source(f, "f", ["window", "take"])
    assert [line for line in text.splitlines() if line.startswith("def ")] == [
        "def windows(x, stride, dilation, padding, size, fill):",
        "def grouped(x, groups):",
        "def convolve(x, k, stride, dilation, padding, groups):",
        "def f(window, take_):",
    ]


def test_every_kernel_can_be_copied_with_what_it_calls():
    for name in functions_of(kernels):
        used = Helpers()
        used.use(getattr(kernels, name))
        space = {"np": np}
        exec("\n\n".join(used.texts()), space)
        assert {f.__name__ for f in with_callees(getattr(kernels, name))} <= space.keys()


def test_texts_beside_code_end_where_they_should():
    """A file whose function, header and inputs are described by text that would end a string or a comment elsewhere."""
    evil = '"""\nraise SystemExit\n"""\\'
    text = backend.source(F, "step", [evil, "\nraise SystemExit\n", "#"], doc=evil, header=evil)
    assert alone(text, "step", XS)[0].shape == (3,)
    space = {}
    exec(text, space)
    assert space["step"].__doc__ == evil and space["__doc__"] == evil


# -- a user's own generators -------------------------------------------------------------------------------------------


def cube_root(x):
    """∛x, by a function of one's own."""
    return np.cbrt(sign_of(x) * np.abs(x))


def sign_of(x):
    return np.sign(x)


UNIT = 1.0


def scaled(x):
    return x * UNIT


@generator
class Root(Pointwise):
    """∛x : A → A."""

    def reverse(self, x, dy):
        return dy / (3.0 * self(x) * self(x))


def rooted(line):
    return f"{line.use(cube_root)}({line.args[0]})"


def test_a_table_is_extended_and_never_changed():
    more = backend.NUMPY.extended({Root: rooted})
    assert Root in more and Root not in backend.NUMPY and len(more) == len(backend.NUMPY) + 1
    assert more == backend.NUMPY.extended({Root: rooted}) and hash(more) == hash(backend.NUMPY.extended({Root: rooted}))
    assert more != backend.NUMPY
    for table in (backend.NUMPY, more):
        with pytest.raises(TypeError):
            table[Root] = "{0}"
        with pytest.raises(TypeError):
            table.lines[Root] = "{0}"
    for lines, told in (
        ({"Root": "{0}"}, "a table must have a line for each class marked @generator, got 'Root'"),
        ({Op: "{0}"}, "a table must have a line for each class marked @generator, got <class 'lensgrad.core.op.Op'>"),
        ({Root: 3}, "the meaning of Root must be a text, a function or a Hole, got 3"),
    ):
        with pytest.raises(BadValue) as error:
            backend.NUMPY.extended(lines)
        assert str(error.value) == told


def test_a_users_function_is_copied_into_the_file():
    table = backend.NUMPY.extended({Root: rooted})
    x = np.array([8.0, -27.0])
    f = Diagram.of(Root(), Ty((Array((2,), "float64"),)))
    for name in ("x", "cube_root", "sign_of"):
        text = backend.source(f, "f", [name], table=table)
        assert "def cube_root(x):" in text and "def sign_of(x):" in text
        assert np.allclose(alone(text, "f", [x])[0], [2, -3])


def test_a_helper_that_a_file_cannot_contain_is_refused():
    f = Diagram.of(Root(), Real(2))

    def told(line):
        with pytest.raises(BadValue) as error:
            backend.source(f, table=backend.NUMPY.extended({Root: line}))
        return str(error.value)

    def inside(x):
        return x

    assert told(lambda s: s.use(np.cbrt)) == "a helper must be a function of a module, written with def, got <ufunc 'cbrt'>"
    assert told(lambda s: s.use(inside)) == "the helper 'inside' cannot be copied into a file: write it with def at the top of a module"
    why = "the helper 'scaled' uses 'UNIT' of its module, which a file would lack: give it as an argument"
    assert told(lambda s: s.use(scaled)) == why


def test_a_users_generator_is_rounded_in_half_precision_as_the_librarys_own_are():
    table = backend.NUMPY.extended({Root: rooted})
    x = np.array([0.1, 3.0, 700.0], np.float32)
    for dtype, given, rounded in (("float16", x.astype(np.float16), np.float16), ("bfloat16", kernels.bf16(x), kernels.bf16)):
        (y,) = backend.function(Diagram.of(Root(), Real(3, dtype=dtype)), table=table)(given)
        assert np.array_equal(y, rounded(np.cbrt(given.astype(np.float32))))


def test_a_learner_with_a_users_generator_trains_prints_and_is_guarded_on_an_extended_backend():
    own = engine("numpy").extended({Root: rooted})
    ob = lg.Real(2, 3)
    model = parametric([Param("w", ob, init=lg.glorot(ob))], lg.Real(3), lambda w, x: Root()(w @ x))
    learner = lg.supervised(model, lg.mse, lg.sgd(0.01))
    x, y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    run = learner.fit((x, y), epochs=3, progress=False, backend=own)
    assert math.isfinite(run.history[-1]["loss"]) and run.predict(x).shape == (4, 2)
    step = learner.step(4, own)
    text = step.source("step")
    given = {p.name: learner.initial().get(p.name, {"x": x, "y": y}.get(p.name)) for p in step.inputs}
    for a, b in zip(alone(text, "step", list(given.values())), step(given).values(), strict=True):
        assert np.array_equal(a, b)
    with pytest.raises(BadValue, match=r"Div : f32\[4,2\] gave an infinite number from finite numbers"):
        learner.fit((0 * x, y), progress=False, backend=own)
    with pytest.raises(NoRule) as error:
        learner.fit((x, y), progress=False)
    assert str(error.value) == "Root has no meaning in the NumPy backend"


# -- backends ----------------------------------------------------------------------------------------------------------


def test_backends_are_registered_in_one_place_and_unknown_ones_are_refused():
    assert list(BACKENDS) == ["auto", "jax", "native", "numpy"] and engine("numpy") == NumPy() and engine("native") == Native() != NumPy()
    with pytest.raises(TypeError):
        BACKENDS["mine"] = NumPy()
    own = NumPy().extended({Root: Hole("none")})
    assert engine(own) is own and own != NumPy() and own.reference() == own
    assert installed()[0] == NumPy()
    for name, told in (
        ("numpi", "'numpi' is no backend here; use one of auto, jax, native, numpy: did you mean 'numpy'?"),
        (3, "'3' is no backend here; use one of auto, jax, native, numpy"),
        (NumPy, "'<class 'lensgrad.backends.engine.NumPy'>' is no backend here; use one of auto, jax, native, numpy"),
        ("a\nb", r"'a\nb' is no backend here; use one of auto, jax, native, numpy"),
    ):
        with pytest.raises(BadValue) as error:
            engine(name)
        assert str(error.value) == told


def test_a_hole_is_said_with_the_name_of_the_backend():
    table = Meanings("toy", {Root: Hole("it has no roots")})
    with pytest.raises(NoRule) as error:
        table.line(Root())
    assert str(error.value) == "Root has no meaning in the toy backend: it has no roots"
