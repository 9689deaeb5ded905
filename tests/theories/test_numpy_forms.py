"""What people know from NumPy and PyTorch, on wires: the numbers of NumPy and SciPy, and the shared check on each as a box."""

import math

import numpy as np
import pytest
from refusals import told
from scipy import special

import lensgrad as lg
from lensgrad.core.errors import BadValue, LensgradError, NoAttribute, TypeMismatch
from lensgrad.lens import Ty, grad, trace
from lensgrad.testing import between, check, normal, spaced

ops = lg.ops
SHAPE, SQUARE = (2, 3, 4), (3, 3)
AXES = [None, 0, -1, (0, 2), (0, 1, 2)]
REDUCED = {
    "sum_over": np.sum,
    "mean_over": np.mean,
    "amax": np.max,
    "amin": np.min,
    "logsumexp": lambda x, axis, keepdims: special.logsumexp(x, axis, keepdims=keepdims),
    "variance": np.var,
    "std": np.std,
    "product": np.prod,
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis, keepdims=keepdims)),
}
FORMS = {  # ours, NumPy's or SciPy's, the shapes of the inputs, and how they are drawn
    "erfc": (ops.erfc, special.erfc, [(4,)], normal),
    "hypot": (ops.hypot, np.hypot, [(4,), (4,)], normal),
    "logaddexp": (ops.logaddexp, np.logaddexp, [(4,), (4,)], normal),
    "logit": (ops.logit, special.logit, [(4,)], between(0.1, 0.9)),
    "std over an axis": (lambda x: ops.std(x, 1), lambda x: np.std(x, 1), [SHAPE], normal),
    "std, n - 1": (lambda x: ops.std(x, correction=1), lambda x: np.std(x, ddof=1), [(5,)], normal),
    "norm": (ops.norm, np.linalg.norm, [(5,)], normal),
    "norm of order 1": (lambda x: ops.norm(x, -1, 1), lambda x: np.linalg.norm(x, 1, -1), [SHAPE], spaced(0.5)),
    "largest norm": (lambda x: ops.norm(x, 0, math.inf), lambda x: np.linalg.norm(x, np.inf, 0), [SHAPE], spaced(0.3)),
    "sum kept": (lambda x: ops.sum_over(x, (0, 2), keepdims=True), lambda x: np.sum(x, (0, 2), keepdims=True), [SHAPE], normal),
    "cumprod": (lambda x: ops.cumprod(x, 1), lambda x: np.cumprod(x, 1), [(2, 5)], normal),
    "roll": (lambda x: ops.roll(x, -4, 1), lambda x: np.roll(x, -4, 1), [SHAPE], normal),
    "repeat": (lambda x: ops.repeat(x, 3, 1), lambda x: np.repeat(x, 3, 1), [SHAPE], normal),
    "tile": (lambda x: ops.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), [SQUARE], normal),
    "tile the last axis": (lambda x: ops.tile(x, 2), lambda x: np.tile(x, 2), [SHAPE], normal),
    "split": (lambda x: ops.split(x, 2, -1), lambda x: np.split(x, 2, -1), [SHAPE], normal),
    "split by sizes": (lambda x: ops.split(x, [1, 0, 2], 1), lambda x: np.split(x, [1, 1], 1), [SHAPE], normal),
    "stack": (lambda x, y: ops.stack([x, y], 1), lambda x, y: np.stack([x, y], 1), [SQUARE, SQUARE], normal),
    "outer": (ops.outer, np.outer, [(3,), (4,)], normal),
    "diagonal": (ops.diagonal, lambda x: np.diagonal(x, 0, -2, -1), [(2, 3, 5)], normal),
    "diagonal above": (lambda x: ops.diagonal(x, 2), lambda x: np.diagonal(x, 2), [(4, 3)], normal),
    "diagonal below": (lambda x: ops.diagonal(x, -1), lambda x: np.diagonal(x, -1), [(4, 3)], normal),
    "triu": (ops.triu, np.triu, [(2, 3, 4)], normal),
    "tril below": (lambda x: ops.tril(x, -1), lambda x: np.tril(x, -1), [(4, 3)], normal),
    "spread of length 1": (lambda x: ops.spread(x, (5, 3, 4)), lambda x: np.broadcast_to(x, (5, 3, 4)), [(3, 1)], normal),
    "where": (lambda x, y: ops.select(x > y, x, y * 2.0), lambda x, y: np.where(x > y, x, y * 2), [(5,), (5,)], normal),
    "clip": (lambda x: ops.clamp(x, -0.7, 1.2), lambda x: np.clip(x, -0.7, 1.2), [(5,)], spaced(0.5)),
}


def arrays(shapes, draw, seed=0):
    rng = np.random.default_rng(seed)
    return [draw(rng, lg.Real(*s, dtype="float64")[0]) for s in shapes]


@pytest.mark.parametrize("name", FORMS)
def test_the_numbers_are_those_of_numpy(name):
    ours, theirs, shapes, draw = FORMS[name]
    xs = arrays(shapes, draw)
    found, wanted = lg.evaluate(ours, *xs), theirs(*xs)
    for a, b in zip(*(v if isinstance(v, tuple | list) else [v] for v in (found, wanted)), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", FORMS)
def test_each_as_a_box_passes_the_check_of_generators(name):
    ours, _, shapes, draw = FORMS[name]
    made = trace(ours, *(lg.Real(*s, dtype="float64") for s in shapes)).define("form")
    report = check(made.nodes[0].op, *made.dom, values=(draw,) * len(shapes), variadic=False)
    assert {"finite differences", "second order", "batch", "R of batch", "linear"} <= {f.part for f in report.passed}


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", REDUCED)
def test_reductions_keep_their_axes(name, keepdims):
    (x,) = arrays([SHAPE], normal)
    for axes in AXES:
        found = lg.evaluate(lambda v, a=axes: getattr(ops, name)(v, a, keepdims=keepdims), x)
        wanted = REDUCED[name](x, axis=axes, keepdims=keepdims)
        assert found.shape == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_wires_keep_their_axes_too():
    (x,) = arrays([SHAPE], normal)
    for name in ("sum", "mean", "max", "min"):
        found = lg.evaluate(lambda v, n=name: getattr(v, n)((0, 1), keepdims=True), x)
        np.testing.assert_allclose(found, getattr(x, name)((0, 1), keepdims=True), rtol=1e-12)
        assert lg.evaluate(lambda v, n=name: getattr(v, n)(), x).shape == ()
    for name in ("argmax", "argmin"):
        found = lg.evaluate(lambda v, n=name: getattr(ops, n)(v, 1, keepdims=True), x)
        assert np.array_equal(found, getattr(np, name)(x, 1, keepdims=True))
        least = lg.evaluate(lambda v, n=name: ops.take_along(v, getattr(ops, n)(v, 1, keepdims=True), 1), x)
        assert np.array_equal(least, x.max(1, keepdims=True) if name == "argmax" else x.min(1, keepdims=True))


def test_what_is_kept_is_spread_over_what_it_came_from():
    (x,) = arrays([SHAPE], normal)
    scaled = lg.evaluate(
        lambda v: (v - ops.spread(v.mean(1, keepdims=True), v.shape)) / ops.spread(ops.std(v, 1, keepdims=True), v.shape), x
    )
    np.testing.assert_allclose(scaled, (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), rtol=1e-12)


def slope(f, *xs):
    """The gradient of the sum of f, by R."""
    return lg.evaluate(grad(trace(lambda *v: f(*v).sum(), *(lg.Real(*x.shape, dtype="float64") for x in xs))), *xs)


def test_nothing_overflows_and_small_values_are_exact():
    x = np.concatenate([np.linspace(-6, 27, 331), [0.0, 40.0, 1e300, np.inf, -np.inf]])
    np.testing.assert_allclose(lg.evaluate(ops.erfc, x), np.vectorize(math.erfc)(x), rtol=2e-15, atol=1e-320)
    assert np.isnan(lg.evaluate(ops.erfc, np.array([np.nan]))).all()
    big = np.array([1e300, 1e-300, 3.0, 0.0])
    np.testing.assert_allclose(lg.evaluate(ops.hypot, big, big[::-1].copy()), np.hypot(big, big[::-1]), rtol=1e-15)
    far = np.array([1000.0, -1000.0, 0.0])
    np.testing.assert_allclose(lg.evaluate(ops.logaddexp, far, far[::-1].copy()), np.logaddexp(far, far[::-1]), rtol=1e-15)


def test_derivatives_at_ordinary_points_are_numbers():
    zero = np.zeros(3)
    assert [g.tolist() for g in slope(ops.hypot, zero, zero)] == [[0.0] * 3] * 2
    assert slope(ops.norm, zero).tolist() == [0.0] * 3
    assert slope(ops.std, np.ones(3)).tolist() == [0.0] * 3
    assert [g.tolist() for g in slope(ops.logaddexp, zero, zero)] == [[0.5] * 3] * 2
    np.testing.assert_allclose(slope(ops.cumprod, np.array([2.0, 0.0, 5.0])), [1.0, 2 + 10.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(slope(lambda v: ops.hypot(v, 1e300), np.array([1e300])), [math.sqrt(0.5)], rtol=1e-15)


def test_whole_numbers_and_truth_values_are_arranged_too():
    n, truth = np.arange(12, dtype=np.int32).reshape(3, 4), np.ones((3, 4), bool)
    for ours, theirs in ((ops.triu, np.triu), (ops.tril, np.tril)):
        assert np.array_equal(lg.evaluate(ours, n), theirs(n)) and np.array_equal(lg.evaluate(ours, truth), theirs(truth))
    assert np.array_equal(lg.evaluate(lambda v: ops.roll(v, 1, 1), n), np.roll(n, 1, 1))
    assert lg.evaluate(lambda v: ops.repeat(v, 0, 0), n).shape == (0, 4)


def test_a_key_is_split_as_before():
    assert len(trace(lambda k: ops.split(k, 3), Ty((lg.Key(),))).cod) == 3


def test_a_matrix_from_its_parts():
    (x,) = arrays([SQUARE], normal)
    assert np.array_equal(lg.evaluate(lambda v: ops.triu(v, 1) + ops.tril(v), x), x)
    np.testing.assert_allclose(lg.evaluate(lambda v: ops.diagonal(v).sum(), x), np.trace(x), rtol=1e-14)
    assert np.array_equal(lg.evaluate(lambda v: ops.outer(v[0], v[1]), x), np.outer(x[0], x[1]))
    assert np.array_equal(lg.evaluate(lambda v: ops.tile(v, (2, 2)), x), np.kron(np.ones((2, 2)), x))


REST = "split cuts the 3 entries of axis 1 of f64[2,3] without a rest"


@pytest.mark.parametrize(
    ("kind", "fn", "text"),
    [
        (BadValue, lambda v: ops.norm(v, order=3), "the order of a norm must be 1, 2 or math.inf, got 3"),
        (BadValue, lambda v: v.sum(0, keepdims=1), "keepdims must be True or False, got 1"),
        (BadValue, lambda v: ops.roll(v, 0.5), "the shift of roll must be a whole number, got 0.5"),
        (TypeMismatch, lambda v: ops.roll(v, 1, 2), "roll with axis=2 does not fit f64[2,3]: an axis must be a whole number from -2 to 1"),
        (TypeMismatch, lambda v: ops.roll(v.sum(), 1), "roll with axis=0 does not fit f64[]: it has no axes"),
        (BadValue, lambda v: ops.repeat(v, -1, 0), "the times of repeat must be a whole number ≥ 0, got -1"),
        (BadValue, lambda v: ops.tile(v, "2"), "the times of tile must be a whole number, or one for each axis, got '2'"),
        (TypeMismatch, lambda v: ops.split(v, 2, 1), f"{REST}, and 2 leaves one: give sizes that add up to 3"),
        (TypeMismatch, lambda v: ops.split(v, [1, 1], 1), f"{REST}, and [1, 1] leaves one: give sizes that add up to 3"),
        (TypeMismatch, lambda v: ops.diagonal(v[0]), "diagonal is of matrices, in the last two axes, got f64[3]"),
        (BadValue, lambda v: ops.triu(v, 1.5), "the offset of triu must be a whole number, got 1.5"),
        (TypeMismatch, lambda v: ops.spread(v, (4, 3)), "spread cannot put f64[2,3] at axes (0, 1) of shape (4, 3)"),
    ],
)  # fmt: skip
def test_what_is_refused(kind, fn, text):
    assert issubclass(kind, LensgradError)
    assert told(kind, lambda: lg.evaluate(fn, np.ones((2, 3)))) == text


def test_other_names_are_answered_by_ours():
    from lensgrad.theories.smooth.ops import ELSEWHERE

    assert told(NoAttribute, lambda: ops.where) == "lg.ops has no 'where': write select(condition, x, y)"
    assert told(NoAttribute, lambda: ops.sofmax) == "lg.ops has no 'sofmax': did you mean 'softmax'?"
    assert told(NoAttribute, lambda: ops.zork) == "lg.ops has no 'zork'" and not hasattr(ops, "__path__")
    assert not set(ELSEWHERE) & set(ops.__all__) and [*ELSEWHERE] == sorted(ELSEWHERE)
    assert set(ops.__all__) <= set(dir(ops))
