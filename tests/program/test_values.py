"""Values by name at the door of a program: shapes and dtypes are checked, nothing is broadcast or rounded."""

import numpy as np
import pytest
from numerics import evaluate

import lensgrad as lg
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.program.compile import program
from lensgrad.program.values import array, checked, fold_in, key, size
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key


def message(kind, ob, value):
    with pytest.raises(kind) as error:
        checked("v", ob, {"v": value})
    return str(error.value)


def test_a_value_of_the_right_shape_and_dtype_is_taken_as_it_is():
    value = np.zeros((2, 3), np.float32)
    assert checked("v", lg.Real(2, 3), {"v": value}) is value


@pytest.mark.parametrize(
    ("ob", "value", "dtype"),
    [
        (lg.Real(2), [1, 2], "float32"),
        (lg.Real(2), np.array([1.0, 2.0]), "float32"),
        (lg.Real(2, dtype="float64"), np.array([1, 2], np.float32), "float64"),
        (lg.Real(2, dtype="bfloat16"), [1.0, 2.0], "float32"),
        (lg.Int(2), [1.0, 2.0], "int32"),
        (lg.Int(2), [True, False], "int32"),
        (lg.Bool(2), [1, 0], "bool"),
        (lg.Bits(2), [1.0, 0.0], "uint8"),
        (lg.Real(), 3, "float32"),
    ],
    ids=str,
)
def test_numbers_are_cast_where_nothing_is_lost(ob, value, dtype):
    found = checked("v", ob, {"v": value})
    assert found.dtype == dtype and (found == np.asarray(value)).all()


def test_groups_are_tuples_of_arrays():
    ob = lg.Real(2) @ lg.Int()
    a, b = checked("v", ob, {"v": ([1, 2], 3)})
    assert (a.dtype, b.dtype) == (np.float32, np.int32)
    assert message(TypeMismatch, ob, [1, 2, 3]) == "'v' : f32[2] × i32[] expects 2 arrays, got list"
    assert message(TypeMismatch, ob, ([1], 3)) == "'v.0' expects f32[2], got an array of shape (1,): give it in the shape (2,)"


@pytest.mark.parametrize(("given", "wanted"), [((5, 1), (5,)), ((5,), (5, 1)), ((1, 5), (5,)), ((1,), ())], ids=str)
def test_axes_of_length_one_are_not_guessed(given, wanted):
    ob, told = lg.Real(*wanted), f"they differ in axes of length 1, and nothing is broadcast silently; reshape it to {wanted}"
    assert message(TypeMismatch, ob, np.zeros(given)) == f"'v' expects {ob}, got an array of shape {given}: {told}"


def test_another_shape_is_refused():
    told = "'v' expects f32[2,3], got an array of shape (3, 2): give it in the shape (2, 3)"
    assert message(TypeMismatch, lg.Real(2, 3), np.zeros((3, 2))) == told
    assert message(TypeMismatch, lg.Real(2), 1.0) == "'v' expects f32[2], got an array of shape (): give it in the shape (2,)"


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf")])
def test_floats_are_never_rounded_to_integers(value):
    if value == float("inf"):
        value = np.nextafter(1.0, 2.0)
    assert message(BadValue, lg.Int(), value) == "'v' needs i32[], and some of the numbers given are not whole"


@pytest.mark.parametrize(("value", "name"), [("a", "str32"), (None, "object"), (b"a", "bytes8")])
def test_what_is_no_number_is_refused(value, name):
    assert message(BadValue, lg.Real(), value) == f"'v' expects f32[], got {name} data"


@pytest.mark.parametrize("value", [[0, 2], [-1, 0], [0.0, 3.0]], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float64])
def test_bits_are_bits_in_any_dtype(value, dtype):
    if dtype is np.uint8 and min(value) < 0:
        value = [255, 0]
    value = np.array(value, dtype)
    assert message(BadValue, lg.Bits(2), value) == f"'v' expects elements 0..1 of Z2, got {value.min()} to {value.max()}"


def test_a_missing_value_names_the_given_ones():
    with pytest.raises(UnknownParameter) as error:
        checked("w", lg.Real(2), {"x": 1, "y": 2})
    assert str(error.value) == "no value for 'w' : f32[2]; values are given for x, y"


def test_keys_fold_on_the_host_as_on_wires():
    folded = trace(lambda k: ops.fold_in(k, 5), Ty((Key(),)))
    np.testing.assert_array_equal(evaluate(folded, key(9)), fold_in(key(9), 5))
    assert fold_in(key(9), 5).tolist() != fold_in(key(9), 6).tolist()


def test_size_counts_numbers():
    assert size(lg.Real(2, 3) @ lg.Int() @ lg.Bits(4)) == 6 + 1 + 4
    assert array("v", lg.Real(0)[0], []).shape == (0,)


# -- programs take arrays at their door ----------------------------------------------------------------------------------


def double(ob):
    """The program x ↦ x, x on an object, on NumPy, as it takes its input."""
    return program(Para.lift(Diagram.copy(ob)), "numpy", "x")


def test_an_array_that_fits_goes_in_as_it_is_and_others_as_arrays_of_the_type():
    given = np.ones(3, np.float32)
    [taken] = double(lg.Real(3)).taken({"x": given})
    assert taken is given
    for other in (np.ones(3), [1, 1, 1], np.ones(3, ">f4"), np.ma.array(given), np.ones(3, np.int64)):
        [found] = double(lg.Real(3)).taken({"x": other})
        assert type(found) is np.ndarray and found.dtype == np.dtype("float32") and found.tolist() == [1, 1, 1]


def test_elements_are_looked_at_though_shape_and_dtype_fit():
    bits = double(lg.Bits(3))
    [taken] = bits.taken({"x": np.array([0, 1, 1])})
    with pytest.raises(BadValue) as error:
        bits({"x": np.full(3, 7, taken.dtype)})
    assert str(error.value) == "'x' expects elements 0..1 of Z2, got 7 to 7"


def test_a_missing_input_of_a_program_is_named():
    with pytest.raises(UnknownParameter) as error:
        double(lg.Real(3))({"y": np.ones(3)})
    assert str(error.value) == "no value for 'x' : f32[3]; values are given for y"


def test_several_examples_where_one_is_taken_are_told_to_be_a_batch():
    from lensgrad.lens import batch

    model = lg.dense(4, 3)
    values = {"weight": np.ones((3, 4), np.float32), "bias": np.zeros(3, np.float32)}
    with pytest.raises(TypeMismatch) as error:
        lg.evaluate(model, np.ones((8, 4)), values=values)
    fix = "from lensgrad.lens import batch, and lg.evaluate(batch(arrow, 8), …) takes them"
    assert str(error.value) == f"this arrow is of one example, f32[4], and 8 at once are given, (8, 4): {fix}"
    assert np.asarray(lg.evaluate(batch(model, 8), np.ones((8, 4)), values=values)).shape == (8, 3)
