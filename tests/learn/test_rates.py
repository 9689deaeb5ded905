"""Learning rates: lenses that answer a loss with a change of it, and do not add up."""

import math

import numpy as np
import pytest
from numerics import evaluate, reals

from lensgrad.cat.lens import two
from lensgrad.cat.names import weights
from lensgrad.cat.para import corner, lens
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I
from lensgrad.learn.layers.basic import linear
from lensgrad.learn.losses import half_squared_error, loss, squares
from lensgrad.learn.optimizers import ascent, descent
from lensgrad.learn.rates import cap, echo, rate, scaled_rate
from lensgrad.program.compile import compile
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.smooth.array import Int, Real, full

L = Real(dtype="float64")


def answer(made, value, ob=L):
    return evaluate(made.at(two(ob)).arrow.put, value)


@pytest.mark.parametrize("value", [0.0, -3.0, 1e9, 7])
def test_a_constant_rate_does_not_read_the_loss(value):
    assert answer(rate(0.25), value) == 0.25
    assert rate(0.25).at(two(L)).arrow.put == trace(lambda x: full(0.25, L[0]), L)


def test_a_scaled_rate_and_echo_read_it():
    assert answer(scaled_rate(0.5), 3.0) == 1.5 and answer(echo, 3.0) == 3.0
    assert echo.at(two(Bits(2))).arrow.put == Diagram.id(Bits(2))


def test_a_rate_ends_a_lens():
    made = rate(1.0).at(two(L)).arrow
    assert (made.dom, made.cod, made.get) == (two(L), I, Diagram.discard(L)) and not made.is_reverse


def test_a_rate_answers_every_number_of_a_loss():
    np.testing.assert_array_equal(answer(rate(2.0), [1.0, 2.0], Real(2, dtype="float64")), [2.0, 2.0])


def closed(how, optimizer, offset=0.0):
    task = corner(Real(3, dtype="float64"), "x") >> linear(3, 2, "float64")
    shifted = loss("shifted", "y", lambda t, p: squares(p - t) * 0.5 + offset)
    return compile((lens(task >> shifted) >> how).reparam({weights: optimizer}))


X, W, Y = reals(0, (3,), (2, 3), (2,))


def moved(how, optimizer, offset=0.0):
    return closed(how, optimizer, offset)({"x": X, "weight": W, "y": Y})["weight"]


def test_adding_a_constant_to_the_loss_changes_nothing_under_a_constant_rate():
    np.testing.assert_array_equal(moved(rate(0.1), descent), moved(rate(0.1), descent, offset=100.0))
    assert not np.allclose(moved(scaled_rate(0.1), descent), moved(scaled_rate(0.1), descent, offset=100.0))


def test_the_step_is_the_rate_times_the_gradient():
    gradient = np.outer(W @ X - Y, X)
    np.testing.assert_allclose(moved(rate(0.1), descent), W - 0.1 * gradient, rtol=1e-14)
    value = ((W @ X - Y) ** 2).sum() / 2
    np.testing.assert_allclose(moved(scaled_rate(0.1), descent), W - 0.1 * value * gradient, rtol=1e-13)
    np.testing.assert_allclose(moved(echo, descent), W - value * gradient, rtol=1e-13)


def test_a_negative_cap_with_ascent_is_a_positive_one_with_descent():
    negative = cap("negative", lambda value: full(-0.1, value.atom))
    np.testing.assert_array_equal(moved(negative, ascent), moved(rate(0.1), descent))


@pytest.mark.parametrize("size", [0, -0.1, math.inf, math.nan, "0.1", None], ids=str)
def test_a_rate_is_a_positive_number(size):
    told = f"a rate must be a positive number, got {size!r}: give one such as 0.01; lg.ascent and lg.maximize(…) go up"
    for how in (rate, scaled_rate):
        with pytest.raises(BadValue) as error:
            how(size)
        assert str(error.value) == told


def test_a_rate_may_be_a_numpy_number():
    assert answer(rate(np.float32(0.25)), 1.0) == 0.25


@pytest.mark.parametrize(
    ("how", "ob", "hint"),
    [
        (rate(0.1), Bits(2), "it is for losses of floats; over bits use echo"),
        (scaled_rate(0.1), Bits(2), "it is for losses of floats; over bits use echo"),
        (rate(0.1), Int(), "it is for losses of floats; over bits use echo"),
        (echo, Int(), "a loss has changes, as floats and bits do"),
    ],
    ids=str,
)
def test_a_rate_refuses_what_it_cannot_answer(how, ob, hint):
    with pytest.raises(NoChange) as error:
        how.at(two(ob))
    assert str(error.value) == f"{how} cannot answer a loss of type {ob}: {hint}"


def test_a_rate_does_not_end_an_arrow_without_a_way_back():
    task = corner(Real(3), "x") >> linear(3, 2) >> half_squared_error()
    with pytest.raises(TypeMismatch) as error:
        _ = task >> rate(0.1)
    assert str(error.value) == "rate(0.1) ends a lens, and this is an arrow to f32[]: write lens(…) first"
