"""Functors between theories: base change where nothing has a negative, bits among whole numbers, and what hardening keeps."""

import hypothesis
import numpy as np
import pytest
from numerics import evaluate as run

from lensgrad.cat.reverse import R
from lensgrad.core.errors import NoChange
from lensgrad.learn.circuits import anf, lift, lut_network
from lensgrad.testing.strategies import WORLDS, instances, poly
from lensgrad.theories.bridges import base_change, harden, include, real, smooth
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.poly.semiring import LOGIC, Z2, Z, min_plus, saturating

RNG = np.random.default_rng(0)
NETWORKS = [lut_network(5, [6, 4], seed=s, k=k).arrow for s, k in ((0, 2), (1, 3))] + [anf(4, 2, 2, Z).arrow]


def evaluate(f, *xs):
    found = run(f, *xs)
    return [*found] if isinstance(found, list | tuple) else [found]


def bits(ob):
    return [RNG.integers(0, 2, a.size) for a in ob]


@pytest.mark.parametrize("s", [LOGIC, saturating(3), saturating(4), min_plus(8)], ids=str)
def test_base_change_keeps_reverse_derivatives_where_nothing_has_a_negative(s):
    compared = []

    @hypothesis.settings(max_examples=600, derandomize=True, database=None, deadline=None)
    @hypothesis.given(instances(WORLDS[0], poly(Z), ("A→B",)))
    def check(arrows):
        (f,) = arrows
        try:
            image = base_change(f, s)
        except NoChange:
            return
        compared.append(f)
        assert base_change(R(f), s) == R(image)

    check()
    assert len(compared) >= 200


@pytest.mark.parametrize("f", NETWORKS)
def test_at_bits_the_three_theories_agree_and_so_do_their_derivatives(f):
    over_bits, reals = base_change(f, Z2), smooth(f, "float64")
    for _ in range(20):
        xs, dys = bits(f.dom), bits(f.cod)
        (whole,), (bit,), (number,) = evaluate(f, *xs), evaluate(over_bits, *xs), evaluate(reals, *xs)
        assert whole.tolist() == bit.tolist() == number.tolist()
        for a, b, c in zip(evaluate(R(f), *xs, *dys), evaluate(R(over_bits), *xs, *dys), evaluate(R(reals), *xs, *dys), strict=True):
            assert (a % 2).tolist() == b.tolist() and a.tolist() == c.tolist()


@pytest.mark.parametrize("f", NETWORKS)
def test_hardening_commutes_with_circuits_at_vertices(f):
    left = smooth(f).then(harden(real(f.cod)))
    right = harden(real(f.dom)).then(base_change(f, Z2))
    assert (left.dom, left.cod) == (right.dom, right.cod)
    for _ in range(20):
        xs = [x.astype(np.float32) for x in bits(f.dom)]
        assert [y.tolist() for y in evaluate(left, *xs)] == [y.tolist() for y in evaluate(right, *xs)]


def test_between_vertices_it_does_not():
    f = lut_network(2, [1], seed=0).arrow
    half = [np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.6, 0.6])]
    left, right = smooth(f).then(harden(real(f.cod))), harden(real(f.dom)).then(base_change(f, Z2))
    assert evaluate(smooth(f), *half)[0] == pytest.approx([0.84]) and evaluate(left, *half) == evaluate(right, *half)
    low = [np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.6, 0.6])]
    assert evaluate(left, *low)[0].tolist() == [0] and evaluate(right, *low)[0].tolist() == [1]


def test_bits_are_included_as_0_and_1():
    assert evaluate(include(Bits(3)), [0, 1, 1])[0].tolist() == [0, 1, 1]
    assert evaluate(include(Bits(2), min_plus(4)), [0, 1])[0].tolist() == [3, 0]


@pytest.mark.parametrize("f", NETWORKS)
def test_a_lift_runs_on_bits_and_comes_back_over_whole_numbers(f):
    made = lift(f)
    assert made.get == base_change(f, Z2) and [a.semiring for a in made.put.cod] == [Z] * len(f.dom)
    for _ in range(10):
        xs, dys = bits(f.dom), [RNG.integers(-5, 6, a.size) for a in f.cod]
        assert [g.tolist() for g in evaluate(made.put, *xs, *dys)] == [g.tolist() for g in evaluate(R(f), *xs, *dys)]


def test_the_lift_is_a_functor_on_circuits_that_give_bits_at_bits():
    first, second = (lut_network(a, [b], seed=a) for a, b in ((5, 6), (6, 4)))
    weights = [p.ob for f in (first, second) for p in f.params]
    whole = lift((first >> second).arrow)
    # weights of the second network pass the first one by
    parts = lift(first.arrow.tensor(base_identity(weights[1]))), lift(swapped(second.arrow, weights[1]))
    composite = parts[0] >> parts[1]
    for _ in range(20):
        a, b, x = bits(weights[0]) + bits(weights[1]) + bits(Bits(5))
        dy = RNG.integers(-3, 4, 4)
        assert evaluate(composite.get, a, x, b)[0].tolist() == evaluate(whole.get, a, b, x)[0].tolist()
        da, dx, db = evaluate(composite.put, a, x, b, dy)
        assert [g.tolist() for g in (da, db, dx)] == [g.tolist() for g in evaluate(whole.put, a, b, x, dy)]


def base_identity(ob):
    from lensgrad.core.diagram import Diagram

    return Diagram.id(ob)


def swapped(f, weights):
    """f with its weights after its input."""
    from lensgrad.core.diagram import Diagram
    from lensgrad.core.ty import Ty

    inputs = Ty(f.dom.atoms[len(weights) :])
    return Diagram.wiring(inputs @ weights, [*range(len(inputs), len(inputs) + len(weights)), *range(len(inputs))]).then(f)
