"""What a generator refuses, in full: a sentence that names the types, and the fix where there is one."""

import pytest

from lensgrad.core.errors import BadValue, NoChange, TypeMismatch, WireError
from lensgrad.core.op import Table
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import LOGIC, Z2
from lensgrad.theories.smooth import conv, index, linear, ops, random, reduce
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Full, Int, Key, Real, full
from lensgrad.theories.smooth.scan import Scan, scan


def f(*shape):
    return Array(shape, "float32")


def i(*shape, dtype="int32"):
    return Array(shape, dtype)


WINDOW = conv.Window((1, 1), (1, 1), ((0, 0), (0, 0)), 2)
CONV = conv.Convolve("y", WINDOW, (4, 4), (3, 3))
STEP = trace(lambda c, x: (c + x, c), Real(), Real())
BITS = z.Vector(Z2, 3)

REFUSED = [
    # pointwise
    (p.Add(), (f(3), f(4)), "Add expects equal types, got f32[3] and f32[4]: spread or reshape one of them; nothing is broadcast silently"),
    (p.Mul(), (f(3), Array((3,), "float64")), "Mul expects equal types, got f32[3] and f64[3]: cast one of them"),
    (p.Add(), (f(3),), "Add expects 2 inputs, got f32[3]"),
    (p.Exp(), (), "Exp expects 1 input, got I"),
    (p.Exp(), (i(3),), "Exp expects floats, got i32[3]; cast it first"),
    (p.Neg(), (i(3, dtype="bool"),), "Neg expects numbers, got bool[3]; cast it first"),
    (p.Sub(), (Key(), Key()), "Sub expects numbers, got key; cast it first"),
    (
        p.Compare("<"),
        (f(2), f(3)),
        "'<' expects equal types, got f32[2] and f32[3]: spread or reshape one of them; nothing is broadcast silently",
    ),
    (p.Compare("<"), (f(2),), "a comparison expects 2 inputs, got f32[2]"),
    (p.And(), (f(2), f(2)), "And expects truth values, got f32[2] and f32[2]"),
    (p.Not(), (i(2, dtype="bool"),) * 2, "Not expects 1 input, got bool[2] × bool[2]"),
    (p.ShiftRight(8), (i(2),), "ShiftRight expects 32-bit unsigned integers, got i32[2]"),
    (p.Select(), (f(2), f(2), f(2)), "select expects truth values and two arrays, got f32[2] × f32[2] × f32[2]"),
    (
        p.Select(),
        (i(3, dtype="bool"), f(2), f(2)),
        "select expects equal types, got f32[3] and f32[2]: spread or reshape one of them; nothing is broadcast silently",
    ),
    # linear
    (linear.Spread((2, 3), (0,)), (f(3),), "spread cannot put f32[3] at axes (0,) of shape (2, 3)"),
    (linear.Sum((2,)), (f(2, 3),), "sum over axes (2,) does not fit f32[2,3]: axes are increasing numbers from 0 to 1"),
    (linear.Sum((1, 0)), (f(2, 3),), "sum over axes (1, 0) does not fit f32[2,3]: axes are increasing numbers from 0 to 1"),
    (linear.Transpose((0, 0)), (f(2, 3),), "transpose by (0, 0) does not fit f32[2,3]"),
    (linear.Reshape((4, 2)), (f(2, 3),), "reshape cannot make (4, 2) (8 entries) of f32[2,3] (6 entries)"),
    (linear.Slice((0,), (4,), (1,)), (f(3),), "slice (0,):(4,):(1,) does not fit f32[3]"),
    (linear.Pad((-1,), (0,), (0,)), (f(3),), "pad low=(-1,) high=(0,) interior=(0,) does not fit f32[3]"),
    (
        linear.Concatenate(0),
        (f(2, 3), f(2, 4)),
        "concatenate along axis 0 expects arrays that differ in that axis only, got f32[2,3] × f32[2,4]",
    ),
    (linear.Flip((1,)), (f(3),), "flip over axes (1,) does not fit f32[3]: axes are increasing numbers from 0 to 0"),
    (linear.CumulativeSum(1), (f(3),), "cumulative sum over axes (1,) does not fit f32[3]: axes are increasing numbers from 0 to 0"),
    (linear.AxisMean(), (i(3),), "axis mean expects floats, got i32[3]"),
    (linear.Einsum("ij,jk->ik"), (f(2, 3), f(4, 5)), "einsum ij,jk->ik: axis 'j' is 3 and 4 in f32[2,3] × f32[4,5]"),
    (linear.Einsum("ij,jk->ik"), (f(2, 3),), "einsum ij,jk->ik does not fit f32[2,3]"),
    (linear.Einsum("ii->i"), (f(2, 2),), "einsum ii->i expects one dtype and no letter twice in an argument, got f32[2,2]"),
    (linear.Einsum("i->ij"), (f(2),), "einsum i->ij: the output has a letter that no argument has"),
    (Full(1.0, f(2)), (f(2),), "a constant expects 0 inputs, got f32[2]"),
    # reductions, indices, randomness
    (reduce.AMax((0,)), (Key((2,)),), "amax expects an array, got key[2]"),
    (reduce.LogSumExp((0,)), (i(2),), "logsumexp expects floats, got i32[2]; cast it first"),
    (reduce.ArgMax(1), (f(2),), "argmax over axes (1,) does not fit f32[2]: axes are increasing numbers from 0 to 0"),
    (reduce.ArgSort(), (f(),), "argsort over axes (-1,) does not fit f32[]: axes are increasing numbers from 0 to -1"),
    (index.Take(0), (f(4), f(2)), "take expects whole-number indices, got f32[2]"),
    (index.Take(1), (f(4, 3), i(5)), "take cannot read f32[4,3] at i32[5] with 1 leading axes in common"),
    (index.Take(0), (f(4),), "take expects 2 inputs, got f32[4]"),
    (index.ScatterAdd(4), (i(5), f(6)), "scatter-add cannot write f32[6] at i32[5] with 0 leading axes in common"),
    (index.OneHot(3), (i(2, dtype="bool"),), "one-hot expects whole-number indices, got bool[2]"),
    (index.Iota(3), (f(),), "iota expects 0 inputs, got f32[]"),
    (random.FoldIn(), (f(), i()), "fold-in expects a random key, got f32[]"),
    (random.FoldIn(), (Key((3,)), i(2)), "fold-in cannot pair key[3] with i32[2]"),
    (random.KeySpread(2, 1), (Key(),), "key spread along axis 1 does not fit key"),
    (random.KeyTranspose((1, 0)), (Key((2,)),), "key transpose by (1, 0) does not fit key[2]"),
    (random.RandomBits((2,)), (), "a draw expects 1 input, got I"),
    # windows and loops
    (
        CONV,
        (f(1, 5, 5, 4), f(3, 3, 2, 4)),
        "a convolution of images (4, 4) with kernels (3, 3) does not fit x = f32[1,5,5,4] and k = f32[3,3,2,4]",
    ),
    (CONV, (f(1, 4, 4, 4), f(3, 3, 4, 4)), "the channels do not fit in a convolution with 2 groups: x = f32[1,4,4,4] and k = f32[3,3,4,4]"),
    (
        conv.Convolve("y", WINDOW, (2, 2), (3, 3)),
        (f(1, 2, 2, 4), f(3, 3, 2, 4)),
        "a kernel of (3, 3) (dilation (1, 1)) does not fit into an image of (2, 2) padded by ((0, 0), (0, 0))",
    ),
    (conv.WindowArgMax(WINDOW, (2, 2)), (f(1, 4, 2),), "max-pool by (2, 2) expects (N, 2 space axes, C), got f32[1,4,2]"),
    (
        conv.WindowArgMax(conv.Window((1,), (1,), ((2, 0),)), (2,)),
        (f(1, 4, 1),),
        "max-pool by (2,) cannot be padded by ((2, 0),): a window would be all padding",
    ),
    (Scan(STEP, 3, 1, 0), (f(), f(4)), "scan of 3 steps expects f32[] × f32[3], got f32[] × f32[4]"),
    (Scan(trace(lambda c: ops.cast(c, "float64"), Real()), 3, 1, 0), (f(),), "scan: the body takes the carries f32[] and gives back f64[]"),
    # circuits
    (z.Add(), (BITS, z.Vector(Z2, 2)), "+ expects equal types, got Z2[3], Z2[2]"),
    (z.Mul(), (BITS, z.Vector(LOGIC, 3)), "× expects equal types, got Z2[3], OR/AND[3]"),
    (z.Add(), (BITS,), "+ expects two vectors, got Z2[3]"),
    (z.Gather(Table([3])), (BITS,), "gather reads entries 0..2 of Z2[3], got [3]"),
    (z.Scatter(Table([0]), 2), (BITS,), "scatter expects one place in 0..1 for each entry of Z2[3], got [0]"),
    (z.Constant(Z2, Table([2])), (), "a constant of Z2 has entries in 0..1, got [2]"),
    (z.Constant(Z2, Table([1])), (BITS,), "a constant expects 0 inputs, got Z2[3]"),
]


@pytest.mark.parametrize("op, atoms, text", REFUSED, ids=[f"{n}-{op.name}" for n, (op, _, _) in enumerate(REFUSED)])
def test_a_generator_refuses_in_a_sentence(op, atoms, text):
    with pytest.raises(TypeMismatch) as error:
        op.type(*atoms)
    assert str(error.value) == text


BAD = [
    (lambda: p.Compare("=").type(f(), f()), "'=' is no comparison; use <, <=, ==, !=, >= or >"),
    (
        lambda: linear.Cast("half").type(f()),
        "'half' is no dtype here; use one of float32, float64, bfloat16, float16, int32, uint8, uint32, bool",
    ),
    (lambda: Array((2, -1)), "a shape must be made of whole numbers ≥ 0, got (2, -1)"),
    (lambda: CONV.at("z").type(f(), f()), "a convolution has slots x, k and y and two inputs, got slot z and 2 inputs"),
    (
        lambda: Scan(STEP, 0, 1, 0).type(f(), f(0)),
        "scan runs at least one step of a body that takes its carries and shared inputs, "
        "got n = 0, 1 carries and 0 shared inputs for a body on f32[] × f32[]",
    ),
    (
        lambda: Scan(STEP, 2, 1, 5).type(f(), f(2)),
        "scan runs at least one step of a body that takes its carries and shared inputs, "
        "got n = 2, 1 carries and 5 shared inputs for a body on f32[] × f32[]",
    ),
]


@pytest.mark.parametrize("build, text", BAD, ids=range(len(BAD)))
def test_a_bad_attribute_is_refused_in_a_sentence(build, text):
    with pytest.raises(BadValue) as error:
        build()
    assert str(error.value) == text


WRITTEN = [
    (
        lambda: trace(lambda x: x @ x, Real(2, 2, 2)),
        TypeMismatch,
        "'@' expects vectors or matrices, got f32[2,2,2] and f32[2,2,2]: write einsum for more axes",
    ),
    (lambda: trace(lambda x: x[5], Real(3)), WireError, "index 5 is outside an axis of 3 in f32[3]"),
    (lambda: trace(lambda x: x[::-1], Real(3)), WireError, "a slice of a wire goes forward; use flip to reverse an axis"),
    (
        lambda: trace(lambda x, n: x[n], Real(3), Int()),
        WireError,
        "a wire of type f32[3] must be indexed by whole numbers and slices, got <wire 1: i32[]>; use take for indices on wires",
    ),
    (
        lambda: trace(lambda x: x.atom.one(), Real(3)),
        TypeMismatch,
        "a gradient starts from a scalar, and this is f32[3]: sum or average it first",
    ),
    (
        lambda: trace(lambda c: scan(lambda c, x: (c, x), c, ()), Real()),
        TypeMismatch,
        "scan needs at least one stacked input, whose first axis gives the number of steps",
    ),
    (
        lambda: trace(lambda x: -x, z.Bits(2, LOGIC)),
        NoChange,
        "OR/AND has no negatives, so nothing can be subtracted in OR/AND[2]: there is no descent here, use `ascent`",
    ),
    (lambda: trace(lambda x: x / x, z.Bits(2)), WireError, "a wire of type Z2[2] has no operation 'div'"),
]


@pytest.mark.parametrize("build, kind, text", WRITTEN, ids=range(len(WRITTEN)))
def test_what_is_written_on_wires_is_refused_in_a_sentence(build, kind, text):
    with pytest.raises(kind) as error:
        build()
    assert str(error.value) == text


def test_types_are_written_short():
    atoms = (f(2, 3), f(), i(4, dtype="uint8"), Array((1,), "bfloat16"), Key(), Key((2,)), BITS)
    assert str(Ty(atoms)) == "f32[2,3] × f32[] × u8[4] × bf16[1] × key × key[2] × Z2[3]"


BIG = "1" + "0" * 58 + "…"  # 10 to the 400, as it is shown
CAST = ": cast the wire to floats first"
CONSTANTS = [
    (10**400, f(2), f"a constant of f32[2] must be a float, got {BIG}"),
    (10**400, i(2), f"a constant of i32[2] must be from -2147483648 to 2147483647, got {BIG}{CAST}"),
    (2**31, i(), f"a constant of i32[] must be from -2147483648 to 2147483647, got 2147483648{CAST}"),
    (-1, i(2, dtype="uint8"), f"a constant of u8[2] must be from 0 to 255, got -1{CAST}"),
    (2**32, i(2, dtype="uint32"), f"a constant of u32[2] must be from 0 to 4294967295, got 4294967296{CAST}"),
    (2, i(2, dtype="bool"), f"a constant of bool[2] must be from 0 to 1, got 2{CAST}"),
]


@pytest.mark.parametrize(("value", "atom", "told"), CONSTANTS, ids=range(len(CONSTANTS)))
def test_a_constant_is_a_number_that_its_array_holds(value, atom, told):
    for make in (lambda: Full(value, atom)(), lambda: full(value, atom)):
        with pytest.raises(BadValue) as error:
            trace(make)
        assert str(error.value) == told


def test_constants_at_the_ends_are_taken():
    for value, atom in ((2**31 - 1, i(2)), (255, i(2, dtype="uint8")), (10**30, f(2)), (True, i(2, dtype="bool")), (float("-inf"), f())):
        assert trace(lambda value=value, atom=atom: full(value, atom)).cod == Ty((atom,))
