"""Semirings and the functors between them."""

import hypothesis
import numpy as np
import pytest
from numerics import evaluate as run

from lensgrad.backends.exact import exact, formally_equal, functionally_equal, table
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.testing.strategies import WORLDS, instances, poly
from lensgrad.theories.bridges import base_change, smooth
from lensgrad.theories.poly.circuit import Bits, concatenate, gather, minterms, total
from lensgrad.theories.poly.semiring import LOGIC, Z2, Z, axioms, min_plus, modulo, named, saturating, semiring

SEMIRINGS = [Z2, modulo(3), modulo(4), modulo(5), saturating(3), saturating(4), LOGIC, min_plus(8)]
ARROWS = instances(WORLDS[0], poly(Z), ("A→B",))


def evaluate(f, *xs):
    """The outputs, always as a list."""
    found = run(f, *xs)
    return [*found] if isinstance(found, list | tuple) else [found]


def on_arrows(check, cases=200):
    settings = hypothesis.settings(max_examples=cases, derandomize=True, database=None, deadline=None)
    settings(hypothesis.given(ARROWS)(check))()


@pytest.mark.parametrize("s", SEMIRINGS, ids=str)
def test_the_semirings_of_the_library_are_semirings(s):
    assert [name for name, broken in axioms(s.size, s.add, s.mul, s.zero, s.one) if broken is not None] == []
    assert s.negative is None or all(s.add(a, s.negative(a)) == s.zero for a in s.elements)
    assert named(s.name) == s


@pytest.mark.parametrize("s", [s for s in SEMIRINGS if s.negative is not None], ids=str)
def test_base_change_keeps_reverse_derivatives(s):
    @on_arrows
    def check(arrows):
        (f,) = arrows
        assert base_change(R(f), s) == R(base_change(f, s))


def test_base_change_is_reduction_of_values():
    @on_arrows
    def check(arrows):
        (f,) = arrows
        rng = np.random.default_rng(0)
        xs = [rng.integers(0, 5, a.size) for a in f.dom]
        for over_z, over_5 in zip(evaluate(f, *xs), evaluate(base_change(f, modulo(5)), *xs), strict=True):
            assert (over_z % 5).tolist() == over_5.tolist()


def test_the_image_in_smooth_has_the_same_values_and_derivatives():
    @on_arrows
    def check(arrows):
        (f,) = arrows
        rng = np.random.default_rng(1)
        xs = [rng.integers(-2, 3, a.size) for a in R(f).dom]
        pairs = ((f, smooth(f, "float64")), (R(f), R(smooth(f, "float64"))))
        for whole, real in pairs:
            n = len(whole.dom)
            for a, b in zip(evaluate(whole, *xs[:n]), evaluate(real, *(x.astype(float) for x in xs[:n])), strict=True):
                assert a.tolist() == b.tolist()


def test_a_negative_constant_needs_negatives():
    f = trace(lambda x: 1 - x, Bits(1, Z))
    with pytest.raises(NoChange) as error:
        base_change(f, LOGIC)
    assert str(error.value) == "OR/AND has no negatives, so -1 has no image in it"
    with pytest.raises(TypeMismatch) as error:
        base_change(trace(lambda x: x, Bits(2)), LOGIC)
    assert str(error.value) == "base change starts over Z, and this arrow has a wire of type Z2[2]: write the circuit over Z"


def test_two_equalities():
    square, same = (trace(fn, Bits(1)) for fn in (lambda x: x * x, lambda x: x))
    assert functionally_equal(square, same) and not formally_equal(square, same)
    cube, same = (trace(fn, Bits(1, modulo(3))) for fn in (lambda x: x * x * x, lambda x: x))
    assert functionally_equal(cube, same) and not formally_equal(cube, same)
    left, right = (trace(fn, Bits(1, Z)) for fn in (lambda x: (x + 1) * (x + 1), lambda x: x * x + x + x + 1))
    assert functionally_equal(left, right) and formally_equal(left, right)
    capped, same = (trace(fn, Bits(1, saturating(3))) for fn in (lambda x: x + x + x, lambda x: x + x))
    assert functionally_equal(capped, same) and exact(capped) != exact(trace(lambda x: x, Bits(1, saturating(3))))
    wide = trace(lambda x: x, Bits(11, modulo(4)))
    with pytest.raises(BadValue) as error:
        functionally_equal(wide, wide)
    assert str(error.value) == "these circuits have 4194304 inputs to try, more than 1048576: over Z4 there is no shorter way"


def difference(f, x, dy):
    """Σ over outputs of dy (f(x) + f(x + e_i)), for every input i: the Boolean difference, by n + 1 evaluations (arXiv 2101.10488)."""
    (y,) = evaluate(f, x)
    ahead = [evaluate(f, x ^ np.eye(len(x), dtype=np.uint8)[i])[0] for i in range(len(x))]
    return [int(((y ^ a) & dy).sum() % 2) for a in ahead]


def test_on_multilinear_circuits_the_formal_derivative_is_the_boolean_difference():
    rng = np.random.default_rng(0)
    for _ in range(60):
        chosen = rng.integers(0, 2, (2, 16))
        f = trace(lambda x, c=chosen: concatenate([total(gather(monomials(x), np.flatnonzero(row).tolist())) for row in c]), Bits(4))
        for x, dy in zip(rng.integers(0, 2, (8, 4), np.uint8), rng.integers(0, 2, (8, 2), np.uint8), strict=True):
            assert evaluate(R(f), x, dy)[0].tolist() == difference(f, x, dy)


def monomials(x):
    """All products of distinct entries."""
    one, found = x[0] + 1 + x[0], None
    for i in range(x.atom.size):
        pair = concatenate([one, x[i]])
        found = pair if found is None else outer(found, pair)
    return found


def outer(x, y):
    n, m = x.atom.size, y.atom.size
    return gather(x, [i for i in range(n) for _ in range(m)]) * gather(y, list(range(m)) * n)


def test_on_a_square_it_is_not():
    f = trace(lambda x: gather(x, [0]) * gather(x, [0]), Bits(1))
    x, dy = np.array([1], np.uint8), np.array([1], np.uint8)
    assert evaluate(R(f), x, dy)[0].tolist() == [0]
    assert difference(f, x, dy) == [1]


def test_minterms_are_one_hot_over_every_ring():
    for s in (Z2, modulo(3), modulo(8), Z):
        f = trace(minterms, Bits(2, s))
        rows = [evaluate(f, [a, b])[0].tolist() for a in (0, 1) for b in (0, 1)]
        assert rows == np.eye(4, dtype=int).tolist()


FIELD = ((0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2))


def test_a_semiring_of_ones_own_runs_and_is_checked():
    own = semiring("F4", 4, lambda a, b: a ^ b, lambda a, b: FIELD[a][b])
    f = trace(lambda x, y: total(x * y + x), Bits(2, own), Bits(2, own))
    for (a, b, c, d), out in table(f):
        assert evaluate(f, [a, b], [c, d])[0].tolist() == list(out)
    assert own.negative is not None and own == semiring("F4", 4, lambda a, b: a ^ b, lambda a, b: FIELD[a][b])


@pytest.mark.parametrize(
    ("add", "mul", "told"),
    [
        (min, max, "W is no commutative semiring: a + 0 = a fails for 1"),
        (max, lambda a, b: 2 if a == b else 0, "W is no commutative semiring: a × 1 = a fails for 1"),
        (lambda a, b: a + b, min, "W has the elements 0..2, and 3 comes out for 1 and 2"),
    ],
)
def test_what_is_no_semiring_is_refused(add, mul, told):
    with pytest.raises(BadValue) as error:
        semiring("W", 3, add, mul)
    assert str(error.value) == told


def test_min_plus_derivatives_are_outside_weights():
    """Over costs, R gives for each edge the best way around it: together with its own cost, the best path through it."""
    s = min_plus(100)
    paths = trace(lambda e: e[0] * e[2] + e[1] * e[3] + e[0] * e[4] * e[3], Bits(5, s))
    costs = [3, 4, 9, 2, 1]
    assert evaluate(paths, costs)[0].tolist() == [6]
    outside = evaluate(R(paths), costs, [s.one])[0]
    through = [min(sum(costs[i] for i in p) for p in ((0, 2), (1, 3), (0, 4, 3)) if e in p) for e in range(5)]
    assert (outside + costs).tolist() == through
