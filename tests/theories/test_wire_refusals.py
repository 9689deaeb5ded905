# ruff: noqa: E501  a table of sentences
"""What each operation on wires says where an argument is wrong: its name, the argument, what was given, and what to do."""

import math

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch, WireError
from lensgrad.lens import Ty, trace
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.pointwise import Tanh

ops = lg.ops
PLANE, LINE, IMAGE, PLACES, TRUTHS = lg.Real(3, 4), lg.Real(4), lg.Real(1, 6, 6, 2), lg.Int(2), lg.Bool(3, 4)
KEY, BITS, NUMBER = Ty((lg.Key(),)), lg.Bits(3), lg.Real()
FIX = "make it an argument or a parameter, or ask lg.evaluate(…) for numbers"
DTYPES = "float32, float64, bfloat16, float16, int32, uint8, uint32, bool"
AXIS = "an axis must be a whole number from -2 to 1"
AXES = "axes must be whole numbers from -2 to 1, each once, or None for all"
SHAPE = "must be whole numbers ≥ 0 in a list"


def on_wires(op, got, argument=""):
    return f"{op} must be applied to wires of a traced function, got {got}{argument and f' as {argument}'}: {FIX}"


NO_WIRES = {
    "reshape": (lambda x: ops.reshape("x", 4, 3), on_wires("reshape", "str 'x'")),
    "sum_over": (lambda x: ops.sum_over([x]), on_wires("sum_over", "list [<wire 0: f32[3,4]>]")),
    "take": (lambda x: ops.take(x, np.array([0, 1])), on_wires("take", "ndarray array([0, 1])", "index")),
    "take_along": (lambda x: ops.take_along(x, 0), on_wires("take_along", "int 0", "index")),
    "scatter_add": (lambda x: ops.scatter_add(3, ops.argmax(x), 1.0), on_wires("scatter_add", "float 1.0", "values")),
    "convolve": (lambda x: ops.convolve(x, 3), on_wires("convolve", "int 3", "kernel")),
    "select": (lambda x: ops.select(True, x, 0.0), on_wires("select", "bool True", "condition")),
    "maximum": (lambda x: ops.maximum(x, "0"), on_wires("maximum", "str '0'", "y")),
    "equal": (lambda x: ops.equal(None, x), on_wires("equal", "NoneType None", "x")),
    "outer": (lambda x: ops.outer(x[0], 2), on_wires("outer", "int 2", "y")),
    "fold_in": (lambda x: ops.fold_in(3, 1), on_wires("fold_in", "int 3")),
    "split": (lambda x: ops.split(3), on_wires("split", "int 3")),
    "+": (lambda x: x + "1", on_wires("'+'", "str '1'")),
    "r+": (lambda x: [1.0] + x, on_wires("'+'", "list [1.0]")),  # noqa: RUF005
    "==": (lambda x: x == None, on_wires("'=='", "NoneType None")),  # noqa: E711
    "<": (lambda x: x < np.zeros(2), on_wires("'<'", "ndarray array([0., 0.])")),
    "**": (lambda x: x ** "2", on_wires("'**'", "str '2'", "y")),
    "@": (lambda x: x @ 2.0, on_wires("'@'", "float 2.0")),
    "r@": (lambda x: 2.0 @ x, on_wires("'@'", "float 2.0")),
    "family": (lambda x: ops.exp(None), on_wires("exp", "NoneType None")),
    "family of nothing": (lambda x: ops.relu([]), on_wires("relu", "list []")),
    "family of a list": (lambda x: ops.relu([[1, 2], [3]]), on_wires("relu", "list [[1, 2], [3]]")),
}  # fmt: skip


@pytest.mark.parametrize(("fn", "text"), NO_WIRES.values(), ids=NO_WIRES)
def test_what_is_no_wire_is_told_by_the_operation_and_the_argument(fn, text):
    assert told(WireError, lambda: trace(fn, PLANE)) == text


WRONG = {
    "axis": (TypeMismatch, PLANE, lambda x: ops.cumsum(x, 2), f"cumsum with axis=2 does not fit f32[3,4]: {AXIS}"),
    "axis of none": (TypeMismatch, NUMBER, lambda x: ops.argmax(x), "argmax with axis=-1 does not fit f32[]: it has no axes"),
    "axis alone": (TypeMismatch, PLANE, lambda x: ops.argmax(x, (0, 1)), f"argmax with axis=(0, 1) does not fit f32[3,4]: {AXIS}"),
    "no axis": (TypeMismatch, PLANE, lambda x: ops.log_softmax(x, None), f"log_softmax with axis=None does not fit f32[3,4]: {AXIS}"),
    "axes": (TypeMismatch, PLANE, lambda x: x.sum("0"), f"sum_over with axes='0' does not fit f32[3,4]: {AXES}"),
    "axes twice": (TypeMismatch, PLANE, lambda x: ops.mean_over(x, [1, -1]), f"mean_over with axes=[1, -1] does not fit f32[3,4]: {AXES}"),
    "axes of no list": (TypeMismatch, PLANE, lambda x: ops.amin(x, 0.5), f"amin with axes=0.5 does not fit f32[3,4]: {AXES}"),
    "axes of a model": (TypeMismatch, PLANE, lambda x: ops.std(x, lg.relu), f"std with axes=relu does not fit f32[3,4]: {AXES}"),
    "over": (TypeMismatch, PLANE, lambda x: ops.over(x, 9), f"over with axes=9 does not fit f32[3,4]: {AXES}"),
    "correction": (BadValue, PLANE, lambda x: ops.variance(x, 0, 0.5), "the correction of a variance must be a whole number ≥ 0, got 0.5"),
    "shape": (TypeMismatch, PLANE, lambda x: ops.reshape(x, 4, "3"), "reshape must be to whole numbers ≥ 0, with -1 at most once for what is left, got (4, '3')"),
    "shape twice": (TypeMismatch, PLANE, lambda x: x.reshape(-1, -1), "reshape must be to whole numbers ≥ 0, with -1 at most once for what is left, got (-1, -1)"),
    "order": (TypeMismatch, PLANE, lambda x: ops.transpose(x, 1, 1), "transpose by (1, 1) does not fit f32[3,4]: give an order of its axes, such as (1, 0)"),
    "order of words": (TypeMismatch, PLANE, lambda x: ops.transpose(x, "ij"), "transpose by ('ij',) does not fit f32[3,4]: give an order of its axes, such as (1, 0)"),
    "index": (WireError, PLANE, lambda x: x[0.5], "a wire of type f32[3,4] must be indexed by whole numbers and slices, got 0.5; use take for indices on wires"),
    "slice": (WireError, PLANE, lambda x: x["a":], "a wire of type f32[3,4] must be indexed by whole numbers and slices, got slice('a', None, None); use take for indices on wires"),
    "slice of step 0": (WireError, PLANE, lambda x: x[::0], "a slice of a wire goes forward; use flip to reverse an axis"),
    "notation": (TypeMismatch, PLANE, lambda x: ops.einsum(3, x), "the notation of einsum must be text, such as 'ij,j->i', got 3"),
    "letters": (TypeMismatch, PLANE, lambda x: ops.einsum("éj->j", x), "einsum 'éj->j' names axes by the letters a to z and A to Z, and axes in common by ..."),
    "dots": (TypeMismatch, PLANE, lambda x: ops.einsum("i.j->ij", x), "einsum 'i.j->ij' names axes by the letters a to z and A to Z, and axes in common by ..."),
    "low": (BadValue, PLANE, lambda x: ops.clamp(x, "0", 1), "the low end of clamp must be a number, got '0'"),
    "high": (BadValue, PLANE, lambda x: ops.clamp(x, 0, math.nan), "the high end of clamp must be a number, got nan"),
    "ends": (BadValue, PLANE, lambda x: ops.clamp(x, 1, 0), "clamp must have its low end first, got 1 and 0"),
    "dtype": (BadValue, PLANE, lambda x: ops.cast(x, np.float32), f"the dtype of cast must be one of {DTYPES}, got <class 'numpy.float32'>"),
    "near dtype": (BadValue, PLANE, lambda x: ops.cast(x, "float46"), f"the dtype of cast must be one of {DTYPES}, got 'float46': did you mean 'float64'?"),
    "nothing joined": (BadValue, PLANE, lambda x: ops.concatenate([]), "concatenate joins at least one array, got []"),
    "a number joined": (BadValue, PLANE, lambda x: ops.stack(3), "what stack joins must be a list of wires, got 3"),
    "joined along": (TypeMismatch, PLANE, lambda x: ops.concatenate([x, x], 2), f"concatenate with axis=2 does not fit f32[3,4]: {AXIS}"),
    "stacked along": (TypeMismatch, PLANE, lambda x: ops.stack([x], 3), "stack with axis=3 does not fit the results of f32[3,4]: an axis must be a whole number from -3 to 2"),
    "stacked types": (TypeMismatch, PLANE, lambda x: ops.stack([x, x[0]]), "stack expects arrays of one type, got f32[3,4] and f32[4]"),
    "pad": (BadValue, PLANE, lambda x: ops.pad(x, 1, (0, 0)), "the low side of pad must be a list of 2 whole numbers ≥ 0, got 1"),
    "pad of another length": (BadValue, PLANE, lambda x: ops.pad(x, (0, 0), (1,)), "the high side of pad must be a list of 2 whole numbers ≥ 0, got (1,)"),
    "classes": (BadValue, PLACES, lambda x: ops.one_hot(x, 2.5), "the number of classes of one_hot must be a whole number ≥ 0, got 2.5"),
    "rows": (BadValue, PLACES, lambda x: ops.scatter_add("3", x, x), "the rows of scatter_add must be a whole number ≥ 0, got '3'"),
    "spread to": (BadValue, LINE, lambda x: ops.spread(x, 3), f"the shape of spread {SHAPE}, got 3"),
    "spread at": (TypeMismatch, LINE, lambda x: ops.spread(x, (3, 4), (2,)), f"spread with axis=2 does not fit (3, 4): {AXIS}"),
    "index of floats": (TypeMismatch, PLANE, lambda x: ops.take(x, x[0]), "take expects whole-number indices, got f32[4]"),
    "index of few axes": (TypeMismatch, PLANE, lambda x: ops.take_along(x, ops.argmax(x)), "take_along expects an index of as many axes as f32[3,4], got i32[3]: reshape it, or use take"),
    "power": (BadValue, PLANE, lambda x: x ** 10**30, "a fixed power of a wire must be a whole number from -2147483647 to 2^31 - 1, got 1000000000000000000000000000000"),
    "nan": (BadValue, PLANE, lambda x: x + math.nan, "nan meets a wire of type f32[3,4], and is no number: give another, or make it data"),
    "large": (BadValue, PLANE, lambda x: x * 10**400, f"a constant of f32[3,4] must be a float, got 1{'0' * 58}…"),
    "half": (TypeMismatch, PLACES, lambda x: x + 0.5, "0.5 meets a wire of whole numbers (i32[2]), which cannot hold it: cast the wire to floats first"),
    "beyond words": (BadValue, PLACES, lambda x: x + 2**31, "a constant of i32[2] must be from -2147483648 to 2147483647, got 2147483648: cast the wire to floats first"),
    "no truth": (BadValue, TRUTHS, lambda x: x & 2, "a constant of bool[3,4] must be from 0 to 1, got 2: cast the wire to floats first"),
    "half a truth": (TypeMismatch, TRUTHS, lambda x: x | 0.5, "0.5 meets a wire of truth values (bool[3,4]), which cannot hold it: cast the wire to floats first"),
    "//": (WireError, PLANE, lambda x: x // 2, "a wire of type f32[3,4] has no operation 'floordiv': write lg.ops.floor(x / y)"),
    "%": (WireError, PLANE, lambda x: x % 2, "a wire of type f32[3,4] has no operation 'mod': write lg.ops.remainder(x, y)"),
    "bits": (TypeMismatch, BITS, lambda x: ops.reshape(x, 3), "reshape expects an array, got Z2[3]"),
    "bits beside a number": (TypeMismatch, BITS, lambda x: ops.maximum(x, 0.0), "maximum expects an array, got Z2[3]"),
    "key for array": (TypeMismatch, KEY, lambda k: ops.flip(k), "flip expects an array, got key"),
    "array for key": (TypeMismatch, PLANE, lambda x: ops.uniform(x, ()), "a draw expects a random key, got f32[3,4]"),
    "number folded in": (BadValue, KEY, lambda k: ops.fold_in(k, 0.5), "the number of fold_in must be a whole number from -2^31 to 2^31 - 1, got 0.5"),
    "shape drawn": (BadValue, KEY, lambda k: ops.normal(k, 3), f"the shape of normal {SHAPE}, got 3"),
    "dtype drawn": (TypeMismatch, KEY, lambda k: ops.uniform(k, (), ["float32"]), "random numbers must be floats, got the dtype ['float32']: draw floats, or give first values of another kind"),
    "two wires": (TypeMismatch, PLANE, lambda x: ops.relu(x, x), "relu takes 1 wire, got f32[3,4] × f32[3,4]"),
    "kernel": (TypeMismatch, IMAGE, lambda x: ops.convolve(x, x[0]), "convolve expects an image (N, *space, C) and a kernel (*size, C/groups, O) of as many axes, at least 3, got f32[1,6,6,2] and f32[6,6,2]"),
    "stride": (BadValue, IMAGE, lambda x: ops.max_pool(x, 2, stride=0), "the stride of max_pool expects a whole number ≥ 1, or 2 of them, got 0"),
    "padding": (BadValue, IMAGE, lambda x: ops.average_pool(x, 2, padding="some"), "average_pool expects padding 'same', 'valid', whole numbers ≥ 0 or pairs (before, after), got 'some': did you mean 'same'?"),
    "pooled": (TypeMismatch, PLANE, lambda x: ops.max_pool(x, 2), "max_pool expects images (N, *space, C) with at least one space axis, got f32[3,4]"),
    "ceil": (BadValue, IMAGE, lambda x: ops.max_pool(x, 2, ceil_mode=1), "ceil_mode must be True or False, got 1"),
    "channels": (TypeMismatch, LINE, lambda x: ops.channel_rows(x), "channel_rows expects images (N, *space, C), got f32[4]"),
    "window": (TypeMismatch, IMAGE, lambda x: ops.window_sums(x, 2, (2, 2), 1.0), "the window of window_sums must be made by lg.ops.window(…), got 2"),
    "window of another rank": (TypeMismatch, PLANE, lambda x: ops.window_sums(x, ops.window(2, 2), 2, 1.0), "window_sums by (2, 2) expects (N, 2 space axes, C), got f32[3,4]"),
    "scale": (BadValue, IMAGE, lambda x: ops.window_sums(x, ops.window(2, 2), 2, "1"), "the scale of window_sums must be a finite number, got '1'"),
    "narrow": (TypeMismatch, IMAGE, lambda x: ops.counts(x, (6, 6), ops.window(2, 2, padding=1), ops.window(2, 2), 2, True), "counts expects a window that is padded by ((1, 1), (1, 1)) or more, got ((0, 0), (0, 0))"),
    "parts": (BadValue, KEY, lambda k: ops.split(k, 2**21), "the parts of split must be a whole number from 0 to 1048576, got 2097152"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "ob", "fn", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_told_in_a_sentence(kind, ob, fn, text):
    assert told(kind, lambda: trace(fn, ob)) == text


PLAIN = {
    "shape": (BadValue, lambda: lg.Real(2**63), "a shape must be made of whole numbers below 2^63, got (9223372036854775808,)"),
    "entries": (BadValue, lambda: lg.Real(2**30, 0, 2**30), "an array must have fewer than 2^60 entries, got the shape (1073741824, 0, 1073741824)"),
    "key": (BadValue, lambda: lg.Key(3), "a shape must be made of whole numbers ≥ 0, got 3"),
    "bits": (BadValue, lambda: lg.Bits(2**31), "a vector must have a whole number of elements below 2^31, got 2147483648"),
    "object": (TypeMismatch, lambda: Ty([1]), "an object must be made of a tuple of atoms, got [1]"),
    "window": (BadValue, lambda: ops.window(2, 3, dilation=(1, 2, 3)), "the dilation of a window expects a whole number ≥ 1, or 2 of them, got (1, 2, 3)"),
    "groups": (BadValue, lambda: ops.window(2, 3, groups=0), "the groups of a window must be a whole number ≥ 1, got 0"),
    "family": (TypeMismatch, lambda: ops.family("f", Tanh), "the generator of 'f' must be an object of a class marked @generator, got <class 'lensgrad.theories.smooth.pointwise.Tanh'>"),
    "written": (TypeMismatch, lambda: ops.written("f", 3), "what 'f' is made of must be a function on wires, got 3"),
    "doc": (TypeMismatch, lambda: ops.traced("f", abs, 3), "what is said about 'f' must be text, got 3"),
    "type of constants": (TypeMismatch, lambda: ops.lifted(3, []), "the type of constants must be an array's, such as a wire's .atom, got 3"),
    "constants": (BadValue, lambda: ops.lifted(Array((3,)), 3), "what becomes constants must be a list of numbers and wires, got 3"),
    "no wire": (WireError, lambda: ops.common(1, 2), "at least one argument must be a wire; compute with plain numbers in Python"),
    "through a model": (TypeMismatch, lambda: list(lg.relu), "layers and arrows are no lists, so nothing goes through their parts: .params and .nodes are tuples"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "call", "text"), PLAIN.values(), ids=PLAIN)
def test_what_wires_are_made_of_is_told_too(kind, call, text):
    assert told(kind, call) == text


def test_numpy_has_no_numbers_of_a_wire():
    none = "and this wire (f32[3,4]) has none yet: use lg.ops instead"
    assert told(WireError, lambda: trace(lambda x: np.sum(x), PLANE)) == f"NumPy's sum works on numbers, {none}"
    assert told(WireError, lambda: trace(lambda x: np.tanh(x), PLANE)) == f"NumPy's tanh works on numbers, {none}"
    text = "this wire (f32[3,4]) is no array of NumPy while the function is traced: use lg.ops in place of NumPy"
    assert told(WireError, lambda: trace(lambda x: np.asarray(x), PLANE)) == text


def test_shapes_and_orders_may_be_lists_and_axes_count_from_the_end():
    x = np.arange(12.0).reshape(3, 4)

    def both(one, other):
        np.testing.assert_array_equal(lg.evaluate(one, x), lg.evaluate(other, x))

    both(lambda v: v.reshape((4, 3)), lambda v: v.reshape(4, 3))
    both(lambda v: ops.transpose(v, (1, 0)), lambda v: v.T)
    both(lambda v: ops.transpose(v, -1, 0), lambda v: v.T)
    both(lambda v: ops.concatenate([v, v], -1), lambda v: ops.concatenate([v, v], 1))
    both(lambda v: ops.stack([v, v], -1), lambda v: ops.stack([v, v], 2))
    both(lambda v: v[np.int64(1)], lambda v: v[1])
    both(lambda v: v[:: np.int64(2)], lambda v: v[::2])
    both(lambda v: ops.spread(v, (2, 3, 4), (-2, -1)), lambda v: ops.spread(v, (2, 3, 4)))
    both(lambda v: True + v * False, lambda v: 1.0 + v * 0.0)
    both(lambda v: ops.clamp(v, 3, math.inf), lambda v: ops.maximum(v, 3.0))


def test_padding_mixes_numbers_and_pairs():
    assert ops.window(2, 3, padding=(1, (0, 2))).padding == ((1, 1), (0, 2))
    assert ops.window(2, 3, padding="valid") == ops.window(2, (3, 3))
