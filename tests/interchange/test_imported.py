"""Formulas with weights and constants as parametric arrows with values."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.interchange.dtypes import carried
from lensgrad.interchange.imported import imported, of_one
from lensgrad.interchange.shapes import alike, spread_to
from lensgrad.learn.model import Model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array

W, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1.0, 2.0], np.float32)


def affine(site, xs):
    (x,) = xs
    w, b = site.weight("net/w", W), site.constant("net/b", B)
    one = site.weight("net/w", W)[0, 1]
    return [ops.matmul(w, x) + b + spread_to(one, (2,)), site.constant("seven", np.full(2, 7, np.int64))]


def test_a_formula_becomes_a_model_and_its_values():
    model, values = imported(lg.Real(3), affine)
    assert type(model) is Model and model.names == ("net/w", "net/b") == tuple(values)
    assert [p.role for p in model.params] == [Role.WEIGHT, Role.STATE]
    x = np.array([1.0, 0.0, 2.0], np.float32)
    found, seven = lg.evaluate(model, x, values=values)
    assert found.tolist() == (W @ x + B + 1).tolist() and seven.tolist() == [7, 7] and seven.dtype == np.int32


def test_small_whole_numbers_and_one_number_everywhere_are_in_the_program():
    def formula(site, xs):
        table = site.constant("table", np.array([[3, 1], [2, 0]]))
        return [table, site.constant("half", np.full((2, 2), 0.5)), site.constant("yes", np.array([True, True])), xs[0]]

    model, values = imported(lg.Real(), formula)
    assert model.names == () and values == {}
    assert [np.asarray(v).tolist() for v in lg.evaluate(model, np.float32(1))[:3]] == [[[3, 1], [2, 0]], [[0.5, 0.5]] * 2, [True, True]]


def test_one_example_has_no_axis_of_examples():
    dom, single = of_one("the network", Ty((Array((1, 3)),)), lambda site, xs: [ops.sum_over(xs[0], 1)])
    model, _ = imported(dom, single)
    assert (model.dom, model.cod) == (lg.Real(3), lg.Real())
    with pytest.raises(TypeMismatch, match=r"^the network has an input f32\[3\] without a first axis of size 1"):
        of_one("the network", lg.Real(3), single)
    with pytest.raises(TypeMismatch, match=r"^the network has an output f32\[\] without a first axis of size 1"):
        imported(*of_one("the network", lg.Real(1, 3), lambda site, xs: [ops.sum_over(xs[0])]))


def test_dtypes_of_others_are_carried_or_refused():
    assert carried("x", np.array([3], np.int64)).dtype == np.int32
    with pytest.raises(BadValue, match=r"^x has whole numbers beyond int32, from 0 to 2147483648: they have no meaning here$"):
        carried("x", np.array([0, 2**31]))
    with pytest.raises(BadValue, match=r"^x is of dtype complex64, which has no meaning here; arrays are float32"):
        carried("x", np.zeros(2, np.complex64))
    with pytest.raises(BadValue, match=r"^'w' is asked for with two values$"):
        imported(lg.Real(3), lambda site, xs: [site.weight("w", W), site.weight("w", W + 1)])


@pytest.mark.parametrize(
    ("own", "wide"), [((), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 1), (1, 3)), ((1, 3), (4, 1, 3)), ((2, 3), (2, 3))]
)
def test_shapes_are_spread_as_numpy_does(own, wide):
    x = np.arange(int(np.prod(own)), dtype=np.float32).reshape(own)
    wanted = np.broadcast_to(x, wide).tolist()
    assert lg.evaluate(lambda w: spread_to(w, wide), x).tolist() == wanted
    pair = lg.evaluate(lambda a, b: tuple(alike(a, b)), x, np.zeros(wide, np.float32))
    assert pair[0].tolist() == wanted


def test_shapes_that_cannot_be_spread_are_told():
    with pytest.raises(TypeMismatch, match=r"^f32\[2\] cannot be spread to the shape \[3\]$"):
        lg.evaluate(lambda w: spread_to(w, (3,)), np.zeros(2, np.float32))
    with pytest.raises(TypeMismatch, match=r"^f32\[2\] and f32\[3\] cannot be spread to one shape$"):
        lg.evaluate(lambda a, b: tuple(alike(a, b)), np.zeros(2, np.float32), np.zeros(3, np.float32))
