"""Whatever a learner is made of is plain data and comes back equal, and data that describes nothing is refused in a sentence."""

import math
import re
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.lens import Lens, delta, two
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, lens, parametric
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import BadCheckpoint, TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.core.op import Op, Table, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.files.names import library
from lensgrad.files.read import LARGEST
from lensgrad.files.write import decode, digest, encode, parsed, text
from lensgrad.recipes import iris_learner
from lensgrad.testing.cases import cases_of, generators
from lensgrad.testing.strategies import THEORIES, WORLDS, instances
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import LOGIC, Z2, Semiring, Z, modulo
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Key, Real, full
from lensgrad.theories.smooth.scan import Scan

PUBLISHED = re.findall(
    r"\S+",
    """
core.Definition core.Recompute poly.Add poly.Collect poly.Constant poly.Gather poly.Mul poly.Repeat poly.Scatter
smooth.AMax smooth.Abs smooth.Add
smooth.And smooth.ArgMax smooth.ArgSort smooth.Asinh smooth.Atan smooth.Atan2 smooth.AxisMean smooth.Cast smooth.Clamp
smooth.Compare smooth.Concatenate
smooth.Convolve smooth.Cos smooth.CumulativeSum smooth.Div smooth.Einsum smooth.Erf smooth.Erfc smooth.Exp smooth.Expm1 smooth.Flip
smooth.Floor smooth.FoldIn smooth.Full smooth.IntegerPower smooth.Iota smooth.KeySpread smooth.KeyTranspose smooth.Log
smooth.Log1p smooth.LogSoftmax smooth.LogSumExp smooth.Round smooth.Logistic
smooth.Maximum smooth.Minimum smooth.Mul smooth.Neg smooth.Not smooth.Numbers
smooth.OneHot
smooth.Or smooth.Pad smooth.Power smooth.RandomBits
smooth.Reshape smooth.Rsqrt smooth.Scan smooth.ScatterAdd smooth.Select
smooth.ShiftRight smooth.Sign smooth.Sin smooth.Slice smooth.Spread smooth.Sqrt smooth.StopGradient smooth.Sub smooth.Sum
smooth.Take smooth.Tanh smooth.Transpose smooth.WindowArgMax Array Delta Key Pair Vector Window
""",
)


def again(value, own=None):
    """Through the text of a file and back."""
    return decode(parsed(text(encode(value, own))), own)


def returns(value):
    """Check that a value comes back equal, and as the same bytes."""
    found = again(value)
    assert isinstance(found, type(value)) and found == value  # what comes from a file is a model
    assert text(encode(found)) == text(encode(value))
    assert digest(found) == digest(value)


# -- what comes back ---------------------------------------------------------------------------------------------------


def test_every_generator_has_a_name_of_its_own_and_published_names_stay():
    assert {cls for cls in library().values() if issubclass(cls, Op)} == set(generators())
    assert set(PUBLISHED) <= set(library())


@pytest.mark.parametrize("cls", generators(), ids=lambda cls: cls.__name__)
def test_every_case_of_every_generator_comes_back(cls):
    assert cases_of(cls)
    for case in cases_of(cls):
        f = Diagram.of(case.op, Ty(tuple(case.dom)))
        returns(f)
        assert again(case.op) == case.op


@pytest.mark.parametrize("theory", THEORIES, ids=lambda t: t.name)
@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_random_arrows_of_every_category_come_back(world, theory):
    @hypothesis.settings(max_examples=60, derandomize=True, database=None, deadline=None)
    @hypothesis.given(instances(world, theory, ("P×A→B",)))
    def law(arrows):
        returns(arrows[0])

    law()


@pytest.mark.parametrize("theory", THEORIES[:2], ids=lambda t: t.name)
def test_random_reverse_derivatives_come_back(theory):
    @hypothesis.settings(max_examples=40, derandomize=True, database=None, deadline=None)
    @hypothesis.given(instances(WORLDS[0], theory, ("A→B",)))
    def law(arrows):
        returns(R(arrows[0]))
        returns(Lens.of(arrows[0]))

    law()


def test_objects_come_back():
    atoms = Array((2, 0), "bfloat16"), Array((), "float16"), Key((3,)), Vector(Z2, 5), Vector(LOGIC, 0), Array(())
    atoms = *atoms, Vector(modulo(7), 2, 3), Vector(Z, 1)
    returns(I)
    returns(Ty(atoms))
    returns(delta(Ty(atoms[2:])) @ two(Ty(atoms)))


def test_plain_values_come_back_with_their_types():
    values = (None, True, False, 1, 1.0, 0.0, -0.0, 10**30, 5e-324, 0.1, math.inf, -math.inf, "é\ud800'\"", (), [], {})
    found = again(values)
    assert [repr(v) for v in found] == [repr(v) for v in values]
    assert math.isnan(again(math.nan))
    nested = {"a": [1, (2.5, None)], ("b", 1): {Role.WEIGHT: Table([1, -2])}, 3: Z2}
    assert again(nested) == nested and list(again(nested)) == list(nested)


def test_floats_keep_their_bits():
    f, g = (trace(lambda x, c=c: x * c, Real(2)) for c in (0.1 + 0.2, 0.3))
    assert again(f) == f != g
    zero, minus = (trace(lambda c=c: full(c, Array(()))) for c in (0.0, -0.0))
    assert again(minus) == minus != again(zero) == zero
    assert len({digest(f), digest(g), digest(zero), digest(minus)}) == 4


def test_what_equality_does_not_see_comes_back_too():
    inner = trace(ops.tanh, Real(2)).define("inner")
    f = unfold((inner >> inner).define("outer"))
    assert [n.origin for n in again(f).nodes] == [n.origin for n in f.nodes] == [("outer", "inner")] * 2
    model = lg.dense(2, 3)
    assert [p.init for p in again(model).params] == [p.init for p in model.params]
    assert all(p.init is not None for p in model.params)


def test_errors_name_the_pieces_of_what_comes_back():
    model = lg.dense(2, 20, name="encoder")
    with pytest.raises(TypeMismatch) as error:
        again(model) >> lg.dense(19, 3, name="head")
    assert str(error.value).splitlines()[:3] == [
        "cannot compose  encoder >> head",
        "  encoder/out  gives  f32[20]",
        "  head/in      wants  f32[19]",
    ]
    assert str(error.value).endswith("or dense(…, 19) in encoder")
    assert Path(__file__).name not in text(encode(model))


def test_an_image_of_r_stays_one_and_is_not_computed_for_the_file():
    image = Lens.of(trace(ops.tanh, Real(2)))
    assert "image" in encode(image)["root"] and image._put is None
    assert again(image).is_reverse and again(image).primal == image.primal


def test_a_lens_that_gives_no_change_back_comes_back():
    f = lens(lg.dense(2, 3))
    assert again(f) == f and again(f).arrow.put == f.arrow.put


# -- canonical and small -----------------------------------------------------------------------------------------------


def test_equal_values_have_equal_digests_however_they_were_made():
    f, g, h = (trace(fn, Real(2)) for fn in (ops.tanh, ops.exp, ops.sin))
    assert digest((f >> g) >> h) == digest(f >> (g >> h)) == digest(trace(lambda x: ops.sin(ops.exp(ops.tanh(x))), Real(2)))
    boxed = unfold(f.define("box"))
    assert boxed == f and digest(boxed) == digest(f) and text(encode(boxed)) != text(encode(f))
    image, plain = Lens.of(f), Lens(two(f.dom), two(f.cod), f, R(f))
    assert image == plain and digest(image) == digest(plain)
    started, bare = (Para.make([Param("w", Real(2), init=init)], f) for init in (lg.zeros(Real(2)), None))
    assert started == bare and digest(started) == digest(bare)


def test_different_values_have_different_digests():
    one, two_ = (Para.make([Param(label, Real(2))], trace(ops.tanh, Real(2))) for label in "ab")
    assert digest(one) != digest(two_) != digest(one.scope("x"))
    assert digest(True) != digest(1) != digest(1.0)


def test_digests_are_those_of_another_process():
    code = "from lensgrad.recipes import iris_learner; from lensgrad.files.write import digest; print(digest(iris_learner().task))"
    found = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert found == [digest(iris_learner().task)] * 2


def test_a_body_is_written_once():
    f = trace(ops.tanh, Real(2))
    for level in range(12):
        box = f.define(f"level {level}")
        f = trace(lambda x, box=box: box(x) + box(x * 2.0), Real(2))
    data = encode(f)
    assert len(data["bodies"]) == 13 and len(text(data)) < 10_000
    assert again(f) == f


def test_equal_bodies_that_are_two_objects_are_written_once():
    boxes = [trace(ops.tanh, Real(2)).define("box") for _ in range(2)]
    assert len(encode(boxes[0] >> boxes[1])["bodies"]) == 2


def test_long_arrows_come_back():
    step = trace(lambda x: x * 0.5, Real())
    f = step.then(*[step] * 3000)
    assert again(f) == f and len(f.nodes) == 3002


def test_endless_programs_are_refused():
    f = trace(ops.tanh, Real())
    for _ in range(24):
        box = f.define("box")
        f = trace(lambda x, box=box: box(x) + box(x * 2.0), Real())
    with pytest.raises(BadCheckpoint, match=f"^an arrow of 3[0-9,]+ nodes, 1[0-9] definitions deep, is refused: {LARGEST:,} nodes and 50 "):
        again(f)


def test_loops_without_end_are_refused():
    body = trace(lambda c, x: (c * 0.5 + x, c), Real(), Real())

    def loop(n):
        return Diagram.of(Scan(body, n, 1, 0), Ty((*Real().atoms, *Real(n).atoms)))

    assert again(loop(100_000)) == loop(100_000)
    with pytest.raises(BadCheckpoint) as error:
        again(loop(10**9))
    told = "an arrow that runs 3,000,000,001 nodes, with those of each step of its loops"
    assert str(error.value) == f"{told}, is refused: 50,000,000 are the limit"


def test_definitions_without_end_are_refused():
    f = trace(ops.tanh, Real())
    for _ in range(50):
        f = f.define("box")
    with pytest.raises(BadCheckpoint) as error:
        again(f)
    assert str(error.value) == "an arrow of 51 nodes, 51 definitions deep, is refused: 200,000 nodes and 50 definitions are the limits"
    inner = f.nodes[0].op.body
    assert again(inner) == inner


# -- generators of one's own -------------------------------------------------------------------------------------------


@generator
class Cube(Op):
    """x³ + offset : A → A."""

    offset: float

    def type(self, *dom):
        return Ty(dom)


def test_a_generator_of_ones_own_is_refused_when_writing():
    with pytest.raises(BadCheckpoint) as error:
        encode(Diagram.of(Cube(1.0), Real(2)))
    assert str(error.value) == (
        "the generator Cube is not one of lensgrad's, and a file holds no code: give generators={'a name': Cube} when saving, "
        "and again when loading"
    )


def test_a_generator_of_ones_own_is_named_by_the_user():
    f = Diagram.of(Cube(1.0), Real(2))
    own = {"my.Cube": Cube}
    assert again(f, own) == f
    with pytest.raises(BadCheckpoint) as error:
        decode(encode(f, own))
    assert str(error.value) == (
        "'my.Cube' is unknown here: upgrade lensgrad if a newer one wrote this, or give the class as generators={'my.Cube': …}"
    )


def test_names_of_the_library_cannot_be_taken():
    for own in ({"smooth.Tanh": Cube}, {"mine": int}):
        with pytest.raises(BadCheckpoint, match=r"must give a new name to a class marked @generator, got "):
            encode(1, own)


def test_functions_and_strange_values_are_refused_when_writing():
    for value, told in ((math.sin, "builtin_function_or_method"), (np.float32(1), "float32"), (b"raw", "bytes"), (lg.relu, "Function")):
        with pytest.raises(BadCheckpoint, match=rf"arrows and plain values, and cannot hold .*, which is of type {told}$"):
            encode({"a": (value,)})


def test_a_semiring_of_ones_own_is_refused_when_writing():
    own = Semiring("F3", 3, lambda a, b: (a + b) % 3, lambda a, b: a * b % 3)
    with pytest.raises(BadCheckpoint) as error:
        encode(Ty((Vector(own, 2),)))
    assert str(error.value) == "the semiring F3 is no part of lensgrad, so a file cannot name it"


def test_states_and_keys_keep_their_roles():
    params = [Param("key", Ty((Key(),)), Role.KEY), Param("count", Real(), Role.STATE), Param("x", Real(2), Role.DATA), Param("w", Real(2))]
    f = parametric(params, I, lambda key, count, x, w: x * w)
    returns(f)
    assert [p.role for p in again(f).params] == [Role.KEY, Role.STATE, Role.DATA, Role.WEIGHT]


def test_a_definition_keeps_what_it_is_when_predicting():
    body, other = trace(ops.tanh, Real(2)), Diagram.id(Real(2))
    f = Diagram.of(Definition("dropout", body, other), Real(2))
    assert again(f).nodes[0].op.predict == other
