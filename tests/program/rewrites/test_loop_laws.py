"""Loops after R: what both read is computed once, what is steady stands in front, what nobody reads is gone; nothing else changes."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import agree, inputs, kinds, real, same_polynomials

import lensgrad as lg
from lensgrad.backends.loop import applications, multiply_adds, work
from lensgrad.backends.numpy import function
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.program.rewrites import finished
from lensgrad.program.rewrites.cut import INFINITE, sink_side
from lensgrad.program.rewrites.saved import saved
from lensgrad.theories.smooth import linear, ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Key, full
from lensgrad.theories.smooth.scan import Scan, scan

KEY = Ty((Key(),))


def loops(f):
    return [node.op for node in f.nodes if isinstance(node.op, Scan)]


def cell(h, x, w):
    """tanh(W h + x)."""
    return (after := p.Tanh()(linear.Einsum("ij,j->i")(w, h) + x)), after


def recurrent(n=4, backward=False):
    return trace(lambda h, xs, w: scan(cell, h, xs, w, backward)[1].sum(), real(3), real(n, 3), real(3, 3))


def pulled(f, to=None):
    """Value and gradient in one arrow, so that the loop forward stands in it as well."""
    back, ends = R(f), len(f.dom)

    def both(*wires):
        return f(*wires[:ends]), back(*wires)

    return trace(both, *(Ty((a,)) for a in back.dom))


@pytest.mark.parametrize("backward", [False, True])
def test_the_way_back_reads_what_the_way_forward_had(backward):
    f = pulled(recurrent(backward=backward))
    g = saved(f)
    assert agree(f, g, 0) and agree(f, finished(f))
    forward, back = loops(g)
    assert kinds(forward.body).count("Tanh") == 1 and kinds(forward.body).count("Einsum") == 1
    assert "Tanh" not in kinds(back.body) and kinds(back.body).count("Einsum") == 1


def test_what_the_loop_gives_anyway_is_not_given_twice():
    forward, _ = loops(finished(pulled(recurrent())))
    assert len(forward.body.cod) == 2  # tanh is the next state and what is given


def test_sums_and_products_are_computed_again_rather_than_kept():
    f = pulled(trace(lambda h, xs: scan(lambda c, x, s: (c * x + x * x, c * c * x), h, xs)[0].sum(), real(3), real(5, 3)))
    assert saved(f) == f
    assert agree(f, finished(f)) and same_polynomials(f, finished(f))


def test_loops_of_polynomials_stay_the_same_polynomials():
    def walk(h, xs, w):
        last, seen = scan(lambda c, x, s: (linear.Einsum("ij,j->i")(s, c) * x, c * x), h, xs, w)
        return last.sum() + (seen * seen).sum()

    f = pulled(trace(walk, real(2), real(3, 2), real(2, 2)))
    assert work(finished(f)) < work(f)
    assert same_polynomials(f, finished(f))


def test_draws_in_a_loop_keep_their_bits():
    def walk(key, h, xs, w):
        def step(c, x, shared):
            own, weight = shared
            kept = ops.uniform(own, (3,), "float64") > 0.5
            return (after := ops.select(kept, p.Tanh()(linear.Einsum("ij,j->i")(weight, c) + x), c)), after

        return scan(step, h, xs, (key, w))[1].sum()

    f = pulled(trace(walk, KEY, real(3), real(6, 3), real(3, 3)))
    g = finished(f)
    assert "RandomBits" not in kinds(loops(g)[1].body) and "RandomBits" in kinds(loops(f)[1].body)
    assert "bool" in {getattr(a, "dtype", "") for a in loops(g)[1].body.dom}  # truth values are kept rather than words
    xs = inputs(f)
    for a, b in zip(function(f)(*xs), function(g)(*xs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-14)


def test_what_is_to_be_recomputed_is():
    inner = Diagram.of(Recompute(trace(lambda x: p.Tanh()(p.Exp()(x)), real(3))), real(3))
    f = pulled(trace(lambda h, xs: scan(lambda c, x, s: ((a := inner(c * x) * p.Exp()(c)), a), h, xs)[1].sum(), real(3), real(4, 3)))
    g = finished(f)
    assert agree(f, g)
    forward, back = loops(g)
    assert kinds(back.body).count("Recompute") == 2 and "Exp" not in kinds(back.body)
    assert len(forward.body.cod) == 3  # the next state, which is given too, and the exponential


def test_a_loop_inside_of_a_recomputed_arrow_is_left_alone():
    f = recurrent()
    g = pulled(Diagram.of(Recompute(f), f.dom))
    assert [n.op for n in finished(g).nodes if isinstance(n.op, Recompute)] == [n.op for n in g.nodes if isinstance(n.op, Recompute)]


def test_two_loops_over_the_same_rows_share_what_they_compute():
    def both(xs, w):
        def mean(c, x, s):
            return c + p.Exp()(linear.Einsum("ij,j->i")(s, x)), ()

        def product(c, x, s):
            return c * p.Exp()(linear.Einsum("ij,j->i")(s, x)), ()

        return scan(mean, xs[0], xs, w)[0], scan(product, xs[1], xs, w)[0]

    f = trace(both, real(5, 3), real(3, 3))
    g = finished(f)
    assert agree(f, g)
    assert [kinds(op.body).count("Exp") for op in loops(g)] == [1, 0]


def test_what_is_the_same_at_each_step_is_computed_before_the_loop():
    f = trace(lambda h, xs, w: scan(lambda c, x, s: (c + p.Exp()(s) * x, c), h, xs, w)[0], real(3), real(4, 3), real(3))
    g = finished(f)
    assert kinds(g) == ["Exp", "Scan"] and agree(f, g)


def test_what_is_cheap_stays_in_the_loop():
    f = trace(lambda h, xs, w: scan(lambda c, x, s: (c + (s + s) * x, c), h, xs, w)[0], real(3), real(4, 3), real(3))
    assert kinds(finished(f)) == ["Scan"]


def test_constants_come_into_the_loop():
    f = trace(lambda h: scan(lambda c, x, s: (p.Tanh()(c * s + x), c), h, h.atom.with_shape(4, 3).zero(), full(2.0, h.atom))[0], real(3))
    (op,) = loops(g := finished(f))
    assert agree(f, g)
    assert len(op.body.dom) == 1 and kinds(op.body).count("Add") == 0


def test_rows_that_are_all_alike_are_given_once():
    f = trace(lambda h, w: scan(lambda c, x, s: (p.Tanh()(c + x), c), h, linear.lead(w, 4))[0], real(3), real(3))
    (op,) = loops(g := finished(f))
    assert agree(f, g)
    assert (op.carries, op.shared, len(op.body.dom)) == (1, 1, 2)


def test_rows_that_are_alike_inside_stay_rows():
    f = trace(lambda h, w: scan(lambda c, x, s: (p.Tanh()(c + x), c), h, linear.Spread((4, 3), (0,))(w))[0], real(3), real(4))
    assert agree(f, finished(f))


def test_carries_and_outputs_that_nobody_reads_are_gone():
    def walk(h, k, xs):
        (last, _), (_, seen) = scan(lambda c, x, s: ((c[0] * x, p.Tanh()(c[1] + c[0])), (c[1], x)), (h, k), xs)
        return last, seen

    f = trace(walk, real(3), real(3), real(4, 3))
    (op,) = loops(g := finished(f))
    assert agree(f, g)
    assert kinds(op.body) == ["Mul"] and (op.carries, len(op.body.cod)) == (1, 1)
    assert g.outs[1] == 2  # what a step gives of its row as it is, is the rows


def test_a_loop_whose_results_are_rows_is_no_loop():
    f = trace(lambda h, xs: scan(lambda c, x, s: (p.Tanh()(c + x), x), h, xs)[1], real(3), real(4, 3))
    assert finished(f) == Diagram.wiring(f.dom, [1])


def test_a_frozen_weight_gets_no_sum():
    f = recurrent()
    back = R(f)
    kept = trace(lambda *wires: back(*wires)[0], *(Ty((a,)) for a in back.dom))
    assert agree(kept, finished(kept))
    assert sum(len(op.body.cod) for op in loops(finished(kept))) < sum(len(op.body.cod) for op in loops(kept))


def test_a_derivative_of_a_derivative_saves_from_loop_to_loop():
    f = recurrent(3)
    back = R(f)
    energy = trace(lambda *w: sum((g * g).sum() for g in back(*w)), *(Ty((a,)) for a in back.dom))
    g = pulled(energy)
    assert agree(g, finished(g), 1e-9)
    assert work(finished(g)) < work(g)


def layered(layer):
    return lg.supervised(lg.sequential(lg.input(5, 4), layer, lg.each(lg.dense(3))), lg.half_squared_error, lg.adam(1e-3))


LAYERS = {"lstm": lambda: lg.lstm(6), "gru": lambda: lg.gru(6), "repeat": lambda: lg.repeat(lg.each(lg.dense(4, activation="tanh")), 3)}


@pytest.mark.parametrize("name", LAYERS)
def test_no_gate_is_computed_twice(name):
    step = layered(LAYERS[name]()).step(2, "numpy").diagram
    forward, back = loops(step)
    hard = ("Logistic", "Tanh", "Exp")
    assert sum(kind in hard for kind in kinds(forward.body)) > 0
    assert sum(kind in hard for kind in kinds(back.body)) == 0


def test_gradients_of_the_gates_are_put_side_by_side():
    _, back = loops(layered(lg.lstm(6)).step(2, "numpy").diagram)
    assert "Pad" not in kinds(back.body) and kinds(back.body).count("Concatenate") == 1


def test_products_of_an_lstm_are_counted():
    step = layered(lg.lstm(6)).step(2, "numpy").diagram
    inner = [multiply_adds(node, dom) for op in loops(step) for node, dom, _ in applications(op.body)]
    assert [n for n in inner if n] == [2 * 24 * 6, 2 * 24 * 6]  # one product a step, each way


# -- the cut -----------------------------------------------------------------------------------------------------------


@st.composite
def networks(draw):
    size = draw(st.integers(2, 6))
    pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=12))
    return size, [(a, b, draw(st.sampled_from([0, 1, 2, 3, 7, INFINITE]))) for a, b in chosen]


def capacity(edges, side):
    return sum(c for a, b, c in edges if a not in side and b in side)


@settings(deadline=None, max_examples=200)
@given(networks())
def test_no_cut_is_cheaper_and_none_as_cheap_is_nearer_to_the_sink(network):
    size, edges = network
    side = sink_side(size, edges, 0, 1)
    sides = [{1, *(v for v, yes in enumerate(bits, 2) if yes)} for bits in product((False, True), repeat=size - 2)]
    least = min(capacity(edges, s) for s in sides)
    if least < INFINITE:
        assert capacity(edges, side) == least
        assert all(side <= s for s in sides if capacity(edges, s) == least)


def test_arrays_of_no_change_pass_through():
    def fn(h, xs):
        return scan(lambda c, x, s: (c + p.Exp()(linear.Cast("float64")(x)), x), h, xs)

    f = trace(fn, real(3), Ty((Array((4, 3), "int32"),)))
    assert agree(f, finished(f))
