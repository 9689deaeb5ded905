"""Every law of single nodes: it is used, it is an equation of polynomials where the exact functor has one, and of float64 numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import agree, kinds, real, same_polynomials

from lensgrad.backends.loop import work
from lensgrad.backends.numpy import function
from lensgrad.core.errors import NoRule
from lensgrad.core.trace import trace
from lensgrad.program.rewrites import LAWS, by_head, finished, simplified
from lensgrad.theories.smooth import linear
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Int, full
from lensgrad.theories.smooth.index import ScatterAdd, Take

ALL = {law.name: law for law in LAWS}
ROW, TABLE = Array((3,), "float64"), Array((2, 3), "float64")


def number(value, atom=ROW):
    return full(value, atom)


def down(x, n=2):
    """Spread along a new first axis."""
    return linear.lead(x, n)


def einsum(spec, *xs):
    return linear.Einsum(spec)(*xs)


def slices(x, *bounds):
    """x[a:b] along the last axis, for each pair."""
    lead = x.atom.rank - 1
    return [linear.Slice((*(0,) * lead, a), (*x.atom.shape[:lead], b), (1,) * (lead + 1))(x) for a, b in bounds]


def pads(x, y, z):
    """Three pads of two entries each, out of order, into seven."""
    put = [linear.Pad((a,), (b,), (0,))(v) for v, a, b in ((x, 4, 1), (y, 0, 5), (z, 2, 3))]
    return put[0] + (put[2] + put[1])


R3, R23, R2 = real(3), real(2, 3), real(2)
SAMPLES = {
    "computed constants": trace(lambda x: x * (number(2.0) - number(0.5) / -number(4.0)), R3),
    "moved constants": trace(lambda x: x + linear.Reshape((2, 3))(linear.Spread((6,), ())(full(0.1, Array((), "float64")))), R23),
    "cast constants": trace(lambda x: linear.Cast("float64")(x) * linear.Cast("float64")(full(3, Array((3,), "int32"))), R3),
    "times one": trace(lambda x: number(1.0) * (x * number(1.0)), R3),
    "plus zero": trace(lambda x: number(0.0) + (x + number(0.0)), R3),
    "minus zero": trace(lambda x: number(0.0) - (x - number(0.0)), R3),
    "minus minus": trace(lambda x: p.Neg()(p.Neg()(x * number(2.5))), R3),
    "constant factors": trace(lambda x: number(3.0) * (p.Neg()(x) * number(0.25) * number(2.5)), R3),
    "commutation": trace(lambda x, y: (x * y) + (y * x), R3, R3),
    "reshapes in a row": trace(lambda x: linear.Reshape((6,))(linear.Reshape((3, 2))(x)) * 2.0, R23),
    "transposes in a row": trace(lambda x: linear.Transpose((1, 2, 0))(linear.Transpose((2, 0, 1))(x)), real(2, 3, 4)),
    "spreads in a row": trace(lambda x: linear.Spread((4, 2, 3, 5), (1, 2, 3))(linear.Spread((2, 3, 5), (1,))(x)), R3),
    "slices in a row": trace(lambda x: linear.Slice((1,), (4,), (2,))(linear.Slice((2,), (12,), (3,))(x)), real(12)),
    "empty pads": trace(lambda x: linear.Pad((0,), (0,), (0,))(x) * 2.0, R3),
    "sums": trace(lambda x: linear.Sum((0,))(linear.Sum((1,))(linear.Spread((2, 4, 3), (0, 2))(x))), R23),
    "entry by entry under a spread": trace(lambda x, y: down(x) * (down(y) * number(3.0, TABLE)), R3, R3),
    "slice of a spread": trace(lambda x: slices(linear.Spread((2, 3), (0,))(x), (1, 2))[0], R2),
    "slice of what is entry by entry": trace(lambda x, y: slices(x * y + y, (1, 3))[0], R23, R23),
    "spread factors": trace(lambda x, y: einsum("Zi,Zj->ijZ", down(x), y) + einsum("ki,Zj->ijZ", down(x, 5), y), R3, R23),
    "rows after the product": trace(lambda e, i, w: einsum("kti,oi->kot", Take(0)(e, i), w), real(2, 3), Int(4, 5), real(6, 3)),
    "rows added before the product": trace(
        lambda i, y, w: ScatterAdd(2)(i, einsum("oi,kot->kti", w, y)), Int(4, 5), real(4, 16, 5), real(16, 16)
    ),
    "pads side by side": trace(pads, R2, R2, R2),
}


def test_every_law_has_a_sample():
    assert SAMPLES.keys() == ALL.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_law_is_used_and_is_an_equation_of_numbers(name):
    f = SAMPLES[name]
    g = simplified(f, by_head([ALL[name]]))
    assert g != f
    assert agree(f, g)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_law_is_an_equation_of_polynomials(name):
    f = SAMPLES[name]
    try:
        assert same_polynomials(f, simplified(f, by_head([ALL[name]])))
    except NoRule:
        assert name.startswith("rows")  # reading rows by numbers that come in is no polynomial


def test_numbers_that_bend_stay_what_they_are():
    x = np.concatenate([np.random.default_rng(0).standard_normal(40), [0.0, np.inf, -np.inf, np.nan, 1e-310, -1e308]])
    for name in ("times one", "plus zero", "minus zero", "commutation"):
        f = trace(lambda x: (x * 1.0 + 0.0 - 0.0) * x + x * (0.0 + 1.0 * x), real(len(x)))
        with np.errstate(all="ignore"):
            assert np.array_equal(function(f)(x)[0], function(simplified(f, by_head([ALL[name]])))(x)[0], equal_nan=True)


def test_whole_numbers_keep_their_zeros_and_ones():
    f = trace(lambda x: x * 1 + 0, Int(3))
    assert finished(f) == f


def test_factors_whose_product_is_too_small_stay_apart():
    f = trace(lambda x: x * 1e-200 * 1e-200, real(3))
    assert finished(f) == f


def test_a_product_that_something_else_reads_is_not_computed_twice():
    f = trace(lambda x: (x * 2.0, x * 2.0 * 3.0), real(3))
    assert finished(f) == f
    g = trace(lambda x, y: (x * y, slices(x * y, (0, 2))[0]), real(3), real(3))
    assert finished(g) == g


def test_rows_are_read_before_the_product_where_they_are_few():
    f = trace(lambda e, i, w: einsum("ti,oi->to", Take(0)(e, i), w), real(50, 3), Int(4), real(6, 3))
    assert finished(f) == f


def test_rows_are_added_first_only_where_that_is_less_work():
    f = trace(lambda i, y, w: ScatterAdd(2)(i, einsum("to,oi->ti", y, w)), Int(20), real(20, 300), real(300, 2))
    assert finished(f) == f


def test_pads_that_overlap_or_leave_a_gap_are_added():
    for low in (0, 1, 3):
        f = trace(lambda x, y, low=low: linear.Pad((low,), (4 - low,), (0,))(x) + linear.Pad((0,), (4,), (0,))(y), real(2), real(2))
        assert finished(f) == f


def test_slices_that_are_summed_back_are_one_concatenation():
    f = trace(lambda x, y, z, w: pads(x, y, z) * w, *(real(2),) * 3, real(7))
    assert kinds(finished(f)) == ["Concatenate", "Pad", "Mul"]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_an_embedding_and_its_gradients_for_any_sizes(batch, time, rows, inner, outer):
    def fn(e, i, w, dy):
        x = Take(0)(e, i)
        back = ScatterAdd(rows)(i, einsum("kto,oi->kti", dy, w))
        return einsum("kti,oi->kto", x, w), einsum("kto,kti->oi", dy, x), back

    f = trace(fn, real(rows, inner), Int(batch, time), real(outer, inner), real(batch, time, outer))
    g = finished(f)
    assert agree(f, g)
    assert work(g) <= work(f) + 9 * rows * (inner + outer) + 9 * batch * time * outer


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.data())
def test_spreads_under_products_for_any_axes(a, b, c, data):
    shape = (a, b, c)
    axes = tuple(i for i in range(3) if data.draw(st.booleans()))
    spec = data.draw(st.sampled_from(["abc,abc->a", "abc,abc->cba", "abc,bd->ad", "abc,d->dca", "abc,ab->", "abc,ad->bd"]))
    sizes = {"a": a, "b": b, "c": c, "d": 2}
    other = real(*(sizes[s] for s in spec.partition("->")[0].split(",")[1]))
    f = trace(lambda x, y: einsum(spec, linear.Spread(shape, axes)(x), y), real(*(shape[i] for i in axes)), other)
    g = finished(f)
    assert agree(f, g)
    assert same_polynomials(f, g)


def test_laws_have_equations():
    assert all(law.equation.endswith(".") and "\n" not in law.equation for law in LAWS)
