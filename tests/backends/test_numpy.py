"""NumPy, the reference: every generator has its line, and what is written runs alone and means what it says."""

import math

import numpy as np
import pytest

from lensgrad.backends import kernels
from lensgrad.backends import numpy as backend
from lensgrad.backends.source import identifiers
from lensgrad.backends.table import Hole
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import NoRule
from lensgrad.core.op import generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.theories.poly.circuit import Add, Vector
from lensgrad.theories.poly.semiring import Semiring
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Real, full
from lensgrad.theories.smooth.linear import Cast

ROW = Ty((Array((3,), "float64"),))
MEANT = [c for c in generators() if c is not Definition]  # a definition is unfolded before anything runs


@pytest.mark.parametrize("cls", MEANT, ids=named)
def test_every_generator_has_a_line_or_a_declared_hole(cls):
    assert cls in backend.NUMPY


@pytest.mark.parametrize("cls", generators(), ids=named)
def test_what_is_written_runs_in_a_clean_namespace_with_numpy_alone(cls):
    for facts in map(Facts, cases_of(cls)):
        text = backend.source(facts.f, "f")
        assert [line for line in text.splitlines() if line.startswith(("import", "from"))] == ["import numpy as np"]
        assert "lensgrad" not in text
        space = {"__builtins__": __builtins__}
        exec(text, space)
        with np.errstate(all="ignore"):
            found = space["f"](*facts.xs)
            wanted = backend.function(facts.f)(*facts.xs)
        assert type(found) is tuple and len(found) == len(facts.f.cod)
        for a, b in zip(found, wanted, strict=True):
            assert np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")


def test_a_line_of_source_for_each_node_with_its_type_and_the_layer_it_came_from():
    layer = trace(lambda x: ops.tanh(x) * 2.0, ROW).define("hidden")
    f = trace(lambda x: layer(x) + 1.0, ROW)
    assert backend.source(f, "step", ["x/in"], "One step.") == (
        "import numpy as np\n\n\n"
        "def step(x_in):\n"
        '    """One step."""\n'
        "    # hidden\n"
        "    v1 = np.tanh(x_in)  # f64[3]\n"
        "    v3 = v1 * 2.0  # f64[3]\n"
        "    v5 = v3 + 1.0  # f64[3]\n"
        "    return (v5,)\n"
    )


def test_a_constant_that_is_returned_is_named_once_at_the_top():
    f = trace(lambda x: (full(0.5, x.atom), full(0.5, x.atom), x), ROW)
    assert backend.source(f) == (
        "import numpy as np\n\n\nC0 = np.full((3,), 0.5, np.float64)  # f64[3]\n\n\ndef f(x0):\n    return (C0, C0, x0)\n"
    )


@pytest.mark.parametrize("value", [math.inf, -math.inf, -1.5, 0.0, -0.0, 1e-300])
def test_every_number_can_be_written(value):
    constant, clamped = trace(lambda x: (full(value, x.atom), x * full(value, x.atom)), ROW), Diagram.of(p.Clamp(value, value), ROW)
    x = np.array([1.0, 2.0, 4.0])
    kept, scaled = backend.function(constant)(x)
    assert np.array_equal(kept, np.full(3, value)) and np.array_equal(np.signbit(kept), np.signbit(np.full(3, value)))
    assert np.array_equal(scaled, x * value)
    assert np.array_equal(backend.function(clamped)(x)[0], np.full(3, value))


def test_names_become_identifiers_that_stay_distinct():
    assert identifiers(["hidden/weight", "hidden_weight", "1", "class", "v3", "np", ""]) == [
        "hidden_weight", "hidden_weight_", "_1", "class_", "v3_", "np_", "_",
    ]  # fmt: skip


def test_a_generator_without_a_line_is_an_error_and_a_hole_says_why():
    @generator
    class Unknown(p.Exp):
        """eˣ : A → A."""

    with pytest.raises(NoRule) as missing:
        backend.function(Diagram.of(Unknown(), ROW))
    assert str(missing.value) == "Unknown has no meaning in the NumPy backend"
    with pytest.raises(NoRule) as hole:
        backend.function(Diagram.of(Unknown(), ROW), table=backend.NUMPY.extended({Unknown: Hole("it needs a larger machine")}))
    assert str(hole.value) == "Unknown has no meaning in the NumPy backend: it needs a larger machine"


def test_a_semiring_that_machine_words_do_not_carry_is_an_error():
    tropical = Semiring("MIN/PLUS", 4, min, lambda a, b: min(a + b, 3), 3, 0)
    with pytest.raises(NoRule) as error:
        backend.function(Diagram.of(Add(), Ty((Vector(tropical, 2),) * 2)))
    told = "MIN/PLUS has no meaning in the NumPy backend: its products are more than 64 bits, or it was made without `semiring`"
    assert str(error.value) == told


def test_float16_is_computed_in_float32_and_rounded_once():
    rng = np.random.default_rng(0)
    w, x = (rng.standard_normal(n).astype(np.float16) for n in ((30, 50), (50,)))
    f = trace(lambda w, x: ops.log_softmax(w @ x) * 0.1, Real(30, 50, dtype="float16"), Real(50, dtype="float16"))
    (y,) = backend.function(f)(w, x)
    assert y.dtype == np.float16
    product = (w.astype(np.float32) @ x.astype(np.float32)).astype(np.float16).astype(np.float64)
    soft = (product - np.log(np.sum(np.exp(product)))).astype(np.float16)
    assert np.array_equal(y, (soft.astype(np.float32) * np.float32(np.float16(0.1))).astype(np.float16))


def test_float16_rounds_to_nearest_even_and_overflows_to_infinity():
    x = np.array([2049.0, 2051.0, 65519.0, 65520.0, 2**-25, 3 * 2**-26, -0.0, np.nan], np.float32)
    with np.errstate(over="ignore"):
        (y,) = backend.function(Diagram.of(Cast("float16"), Real(len(x))))(x)
    assert np.array_equal(y, np.array([2048, 2052, 65504, np.inf, 0, 2**-24, -0.0, np.nan], np.float16), equal_nan=True)


def test_bfloat16_is_rounded_to_nearest_even_and_kept_in_float32():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.standard_normal(2000) * 10.0 ** rng.integers(-30, 30, 2000), [0.0, -0.0, np.inf, -np.inf, np.nan]])
    x = np.concatenate([x.astype(np.float32), np.array([0x3F808000, 0x3F818000, 0x3F808001], np.uint32).view(np.float32)])
    assert np.array_equal(kernels.bf16(x), x.astype(ml_dtypes.bfloat16).astype(np.float32), equal_nan=True)
    (y,) = backend.function(Diagram.of(Cast("bfloat16"), Real(len(x))))(x)
    assert y.dtype == np.float32 and np.array_equal(y, kernels.bf16(x), equal_nan=True)


def test_erf_is_right_to_a_few_units_in_the_last_place():
    x = np.concatenate([np.linspace(-6, 6, 4001), [0.0, -0.0, 1e-300, 2.0, -2.0, 30.0, -30.0]])
    wanted = np.array([math.erf(v) for v in x])
    assert np.all(np.abs(kernels.erf(x) - wanted) <= 6 * np.spacing(np.abs(wanted)))


def test_the_sigmoid_never_overflows():
    with np.errstate(all="raise", under="ignore"):
        found = kernels.logistic(np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0]))
    assert found[0] == 0.0 and found[2] == 0.5 and found[4] == 1.0
    assert found[1] == pytest.approx(math.exp(-40), rel=1e-15)


def test_threefry_gives_the_published_words():
    """The known answers of Random123 for Threefry-2x32 with 20 rounds."""
    known = [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ]
    for key, counter, words in known:
        found = kernels.threefry(np.array(key, np.uint32), *np.array(counter, np.uint32)[:, None])
        assert tuple(int(w[0]) for w in found) == words


def test_log_sum_exp_of_infinities_is_exact():
    x = np.array([[-np.inf, -np.inf], [np.inf, 0.0], [-np.inf, 2.0]])
    with np.errstate(divide="ignore"):
        assert np.array_equal(kernels.logsumexp(x, (1,)), [-np.inf, np.inf, 2.0])


def test_a_choice_between_two_numbers_keeps_their_kind():
    f = trace(lambda x: ops.select(x > 0.0, full(0.1, x.atom), full(0.2, x.atom)), Real(3))
    (y,) = backend.function(f)(np.array([1.0, -1.0, 0.0], np.float32))
    assert y.dtype == np.float32 and y.tolist() == [np.float32(0.1), np.float32(0.2), np.float32(0.2)]


def test_many_rows_added_by_number_are_added_in_order():
    index = np.random.default_rng(0).integers(-2, 9, (40, 50)).astype(np.int32)  # outside is clipped
    y = np.random.default_rng(1).standard_normal((40, 50, 8)).astype(np.float32)
    y[0, 0] = np.inf
    wanted = np.zeros((8, 8), np.float32)
    np.add.at(wanted, np.clip(index, 0, 7), y)
    assert y.size > 1000 * 8
    assert np.array_equal(kernels.scatter_add(index, y, 8, 0), wanted)
