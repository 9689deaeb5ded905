"""Every generator in ONNX: each case of the shared check, written as a file and run by onnxruntime, against NumPy."""

import numpy as np
import pytest

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.kernels import bf16
from lensgrad.backends.table import Hole, Meanings
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import NoRule
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.testing.meaning import dtypes, tolerance
from lensgrad.testing.report import close
from lensgrad.theories.smooth import array, ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.conv import Window, WindowArgMax
from lensgrad.theories.smooth.random import RandomBits
from lensgrad.theories.smooth.reduce import ArgMax, ArgSort
from lensgrad.theories.smooth.special import Erfc

onnx = pytest.importorskip("onnx")
evaluator = pytest.importorskip("onnx.reference")
onnxruntime = pytest.importorskip("onnxruntime")

from lensgrad.interchange.onnx.writing.proto import message  # noqa: E402
from lensgrad.interchange.onnx.writing.sheet import Sheet, Value  # noqa: E402
from lensgrad.interchange.onnx.writing.words import ONNX, whole  # noqa: E402
from lensgrad.interchange.onnx.writing.write import as_program, net  # noqa: E402

MEANT = [c for c in generators() if c is not Definition]
WRITTEN = [c for c in generators() if not isinstance(ONNX.get(c), Hole)]
REFUSED = [c for c in MEANT if isinstance(ONNX[c], Hole)]


def session(f):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(message(net(as_program(f), {}), "f"), options, providers=["CPUExecutionProvider"])


def run(f, *xs):
    made = session(f)
    return made.run(None, {i.name: np.asarray(x) for i, x in zip(made.get_inputs(), xs, strict=True)})


def carried(f):
    """An arrow whose bfloat16 is given and taken in float32, since NumPy has no such dtype."""

    def through(*xs):
        found = f(*(ops.cast(x, a.dtype) if is_half(a) else x for x, a in zip(xs, f.dom, strict=True)))
        return [ops.cast(y, "float32") if is_half(y.atom) else y for y in (found if isinstance(found, tuple) else (found,))]

    return trace(through, *(Ty((a.with_dtype("float32"),)) if is_half(a) else Ty((a,)) for a in f.dom))


def is_half(atom):
    return getattr(atom, "dtype", "") == "bfloat16"


def test_the_table_has_a_line_for_every_generator_and_says_why_where_one_is_refused():
    assert isinstance(ONNX, Meanings) and ONNX.backend == "ONNX"
    assert [named(c) for c in MEANT if c not in ONNX] == []
    assert {named(c).split(".")[0] for c in REFUSED} == {"poly", "bridges"} and all(ONNX[c].reason for c in REFUSED)


@pytest.mark.parametrize("cls", WRITTEN, ids=named)
def test_every_case_of_a_generator_is_in_onnxruntime_what_it_is_in_numpy(cls):
    for case in cases_of(cls):
        facts = Facts(case)
        for dtype, f, xs in dtypes(facts):
            arrow = carried(f)
            xs = [bf16(x) if is_half(a) else x for x, a in zip(xs, f.dom, strict=True)]
            ys, found = facts.runs(f)(*xs), run(arrow, *xs)
            assert [(y.shape, y.dtype) for y in found] == [numpy_backend.host(a) for a in arrow.cod], (case.name, dtype)
            close(f"{case.name} in {dtype}: NumPy against onnxruntime", ys, found, tolerance(f))


@pytest.mark.parametrize("cls", REFUSED, ids=named)
def test_what_has_no_meaning_is_refused_by_its_name(cls):
    case = cases_of(cls)[0]
    with pytest.raises(NoRule) as error:
        net(as_program(Diagram.of(case.op, Ty(case.dom))), {})
    told = "circuits of gates have formats of their own: write .aig, .blif, .v or .c with lensgrad.circuits.write"
    assert str(error.value) == f"{case.op.name} has no meaning in the ONNX backend: {told}"


@pytest.mark.parametrize("cls", WRITTEN, ids=named)
def test_the_evaluator_of_onnx_itself_finds_the_same(cls):
    """The first two cases of each generator, in its own dtype."""
    for facts in map(Facts, cases_of(cls)[:2]):
        made = evaluator.ReferenceEvaluator(onnx.load_from_string(message(net(as_program(facts.f), {}), "f")))
        with np.errstate(all="ignore"):
            found = made.run(None, {name: np.asarray(x) for name, x in zip(made.input_names, facts.xs, strict=True)})
        close(facts.case.name, facts.run(*facts.xs), found, tolerance(facts.f))


def test_a_window_that_padding_could_fill_is_refused():
    op = WindowArgMax(Window((1,), (2,), ((2, 0),)), (2,))
    with pytest.raises(NoRule) as error:
        run(Diagram.of(op, Real(1, 5, 1)))
    told = "WindowArgMax has no meaning in the ONNX backend where padding ((2, 0),) is as wide as the window (2,)"
    assert str(error.value) == told


UNUSUAL = [0.0, -0.0, 1e-300, -1e-12, 0.3, -0.7, 0.999, 1.001, -2.5, 5.9, -6.1, 9.0, 26.0, 300.0, -300.0, np.inf, -np.inf]


@pytest.mark.parametrize("op", [p.Erf(), Erfc(), p.Log1p(), p.Expm1(), p.Asinh(), p.Atan()], ids=str)
def test_formulas_hold_far_out_and_near_zero_to_all_digits(op):
    """Relative to each number, not to the largest: what is small must be right too."""
    x = np.array([v for v in UNUSUAL if not isinstance(op, p.Log1p) or v > -1])
    f = Diagram.of(op, Real(len(x), dtype="float64"))
    with np.errstate(all="ignore"):
        ours = numpy_backend.function(f)(x)[0]
    (found,) = run(f, x)
    both = np.isfinite(ours)
    np.testing.assert_array_equal(found[~both], ours[~both])
    np.testing.assert_allclose(found[both], ours[both], rtol=2e-13, atol=1e-320)


def test_angles_of_points_on_the_axes_are_those_of_numpy():
    y, x = np.array([0.0, -0.0, 0.0, -0.0, 1, -1, 1, -1, 2.0]), np.array([1.0, 1, -1, -1, 0, 0, 1, -1, -3])
    (found,) = run(Diagram.of(p.Atan2(), Real(9, dtype="float64"), Real(9, dtype="float64")), y, x)
    np.testing.assert_allclose(found, np.arctan2(y, x), rtol=1e-15)


def test_words_are_the_same_to_the_bit_for_many_keys():
    keys = np.random.default_rng(3).integers(0, 2**32, (500, 2), np.uint64).astype(np.uint32)
    f = Diagram.of(RandomBits((7,)), Ty((array.Key((500,)),)))
    np.testing.assert_array_equal(run(f, keys)[0], numpy_backend.function(f)(keys)[0])


def test_whole_numbers_wrap_around_and_floats_are_cut_at_the_ends_as_in_numpy():
    u8, i32 = Array((3,), "uint8"), Array((3,), "int32")
    a, b = np.array([250, 3, 0], np.uint8), np.array([10, 5, 1], np.uint8)
    f = trace(lambda x, y: (x + y, x * y, p.Sub()(x, y), ops.cast(x, "int32") * -1), Ty((u8,)), Ty((u8,)))
    assert [v.tolist() for v in run(f, a, b)] == [[4, 8, 1], [196, 15, 0], [240, 254, 255], [-250, -3, 0]]
    assert [v.dtype.name for v in run(f, a, b)] == ["uint8"] * 3 + ["int32"]
    x = np.array([-1.9, np.nan, 1e20], np.float32)
    g = trace(lambda v: tuple(ops.cast(v, d) for d in ("uint8", "int32", "uint32")), Real(3))
    assert [v.tolist() for v in run(g, x)] == [[0, 0, 255], [-1, 0, 2**31 - 1], [0, 0, 2**32 - 1]]
    h = trace(lambda v: ops.cast(v, "uint8"), Ty((i32,)))
    assert run(h, np.array([-1, 256, 7], np.int32))[0].tolist() == [255, 0, 7]


def test_equal_entries_are_found_in_their_order():
    x = np.array([[2.0, 1, 2, 1], [0, 0, 0, 0]], np.float32)
    f = trace(lambda v: (ArgSort()(v), ArgMax(1)(v)), Real(2, 4))
    assert [v.tolist() for v in run(f, x)] == [[[1, 3, 0, 2], [0, 1, 2, 3]], [0, 0]]


def test_an_array_that_is_spread_is_not_repeated_where_an_operator_spreads_it():
    f = trace(lambda x, b: x + ops.spread(b, (5, 3), (1,)) * 2.0, Real(5, 3), Real(3))
    assert [n.kind for n in net(as_program(f), {}).nodes] == ["Mul", "Add", "Identity"]


def test_equal_nodes_and_equal_constants_are_written_once():
    sheet = Sheet(["x"])
    x = Value(sheet, "x", "float32", (2,))
    assert (x + 1.0) == (x + 1.0) and len(sheet.scopes[0].nodes) == 1 and list(sheet.constants.values()) == [1.0]
    assert whole(trace(lambda v: v, Real(2)), [x]) == [x]
