"""Curves with bounds on their parameters, against SciPy and against the curve in which what is held is fixed."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.theories.smooth import ops

optimize = pytest.importorskip("scipy.optimize")
T = np.linspace(0, 5, 40)
SEEN = 3 * np.exp(-0.8 * T) + 0.5 + 0.05 * np.random.default_rng(0).normal(size=40)
TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}


def decay(x, a, k, c):
    return a * ops.exp(-k * x) + c


def in_numpy(x, a, k, c):
    return a * np.exp(-k * x) + c


START = {"a": 1.0, "k": 1.0, "c": 0.1}
BOXES = {
    "none is reached": ({"a": (0, 10), "k": (0, None), "c": (None, 3)}, ()),
    "one from above": ({"a": (0, 2)}, ("a",)),
    "one from below": ({"c": (0.0, None), "k": (0.9, None)}, ("k",)),
    "two": ({"a": (0, 2.5), "k": (0.95, 4)}, ("a", "k")),
    "all": ({"a": (0, 2), "k": (0.9, 4), "c": (0.05, 0.2)}, ("a", "k", "c")),
}


def ends(bounds):
    """The bounds as SciPy takes them."""
    pairs = [bounds.get(n, (None, None)) for n in START]
    return [[far if p[k] is None else p[k] for p in pairs] for k, far in ((0, -np.inf), (1, np.inf))]


@pytest.mark.parametrize("name", BOXES)
def test_parameters_are_those_of_scipy(name):
    bounds, held = BOXES[name]
    fit = lg.fit_curve(decay, T, SEEN, START, bounds=bounds)
    known, covariance = optimize.curve_fit(in_numpy, T, SEEN, [*START.values()], bounds=ends(bounds), **TIGHT)
    assert fit.converged and set(fit.on_bounds) == set(held)
    np.testing.assert_allclose([*fit.parameters.values()], known, rtol=1e-6)
    assert fit.residual_sum_of_squares <= np.sum((in_numpy(T, *known) - SEEN) ** 2) * (1 + 1e-12)
    if not held:
        np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-6)


def test_errors_on_a_bound_are_those_of_the_curve_with_that_number_fixed():
    held = lg.fit_curve(decay, T, SEEN, START, bounds={"k": (0.9, None)})
    fixed = lg.fit_curve(lambda x, a, c: decay(x, a, 0.9, c), T, SEEN, {"a": 1.0, "c": 0.1})
    assert held.parameters["k"] == 0.9 and np.isnan(held.standard_errors["k"]) and np.isnan(held.covariance[1]).all()
    assert held.degrees_of_freedom == fixed.degrees_of_freedom == 38
    np.testing.assert_allclose(held.covariance[np.ix_([0, 2], [0, 2])], fixed.covariance, rtol=1e-9)
    np.testing.assert_allclose(held.predict_error(T), fixed.predict_error(T), rtol=1e-9)
    assert held.summary().splitlines()[2].split() == ["k", "0.9", "on", "its", "bound"]


def test_a_bound_that_is_not_reached_changes_nothing():
    wide, free = (lg.fit_curve(decay, T, SEEN, START, bounds=b) for b in ({"a": (-1e9, 1e9)}, None))
    assert wide.parameters == free.parameters and np.array_equal(wide.covariance, free.covariance) and wide.steps == free.steps


def test_no_step_looks_outside_the_bounds():
    fit = lg.fit_curve(lambda x, a, b: a * ops.log(b + x), T, np.log(T + 0.01), {"a": 1.0, "b": 4.0}, bounds={"b": (1e-9, None)})
    assert fit.parameters["a"] == pytest.approx(1, abs=1e-8) and fit.parameters["b"] == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_a_line_between_bounds_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(12, 4)) @ rng.normal(size=(4, 4))
    y, low, high = rng.normal(size=12), -rng.uniform(0.01, 0.3, 4), rng.uniform(0.01, 0.3, 4)
    model = lg.sequential(lg.input(4, dtype="float64"), lg.dense(1, name="o", use_bias=False))
    bounds = {"o/weight": (low[None], high[None])}
    fit = lg.fit_curve(model, rows, y[:, None], {"o/weight": np.zeros((1, 4))}, bounds=bounds)
    known = optimize.lsq_linear(rows, y, (low, high), tol=1e-14, method="bvls")
    np.testing.assert_allclose(fit.parameters["o/weight"][0], known.x, atol=1e-9)
    active = [f"o/weight[0,{k}]" for k in np.flatnonzero(known.active_mask)]
    assert list(fit.on_bounds) == active


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ({"b": (0, 1)}, "bounds has no 'b', only a, k, c"),
        ({"k": 3}, "the bounds of 'k' must be two numbers (low, high), None for no bound, or two arrays of shape (), got 3"),
        ({"k": ("x", 1)}, "the bounds of 'k' must be two numbers (low, high), None for no bound, or two arrays of shape (), got ('x', 1)"),
        ({"k": (1, 1)}, "the bounds of 'k' must have low < high, got (1, 1): for a fixed value write the number into the function"),
        ({"k": (2, 3)}, "the bounds of 'k' are from 2 to 3, and it starts at 1: give a start between them"),
        (
            {"k": ([0, 1], 3)},
            "the bounds of 'k' must be two numbers (low, high), None for no bound, or two arrays of shape (), got ([0, 1], 3)",
        ),
        ([(0, 1)], "bounds must be a dict by name, got [(0, 1)]"),
    ],
)
def test_bounds_that_are_none_are_refused(bounds, text):
    assert told(BadValue, lambda: lg.fit_curve(decay, T, SEEN, START, bounds=bounds)) == text
