"""Curves fitted by Levenberg and Marquardt's method, against NIST's certified values (StRD, Misra1a)."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.lens import batch
from lensgrad.theories.smooth import ops

Y = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
X = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]


def saturating(x, b1, b2):
    return b1 * (1.0 - ops.exp(-(b2 * x)))


@pytest.mark.parametrize("start", [(500, 0.0001), (250, 0.0005)])
def test_certified_values_are_met_from_both_starts(start):
    fit = lg.fit_curve(saturating, X, Y, dict(zip(("b1", "b2"), start, strict=True)))
    assert fit.converged and fit.degrees_of_freedom == 12
    assert list(fit.parameters.values()) == pytest.approx([2.3894212918e2, 5.5015643181e-4], rel=1e-8)
    assert list(fit.standard_errors.values()) == pytest.approx([2.7070075241, 7.2668688436e-6], rel=1e-6)
    assert fit.residual_sum_of_squares == pytest.approx(1.2455138894e-1, rel=1e-9)


def test_a_line_is_fitted_as_linear_algebra_does():
    rows = np.random.default_rng(0).standard_normal((30, 2))
    y = rows @ [2.0, -1.0] + 0.1 * np.random.default_rng(1).standard_normal(30)
    fit = lg.fit_curve(lambda u, v, a, b: a * u + b * v, rows, y, {"a": 0.0, "b": 0.0})
    wanted, rest = np.linalg.lstsq(rows, y, rcond=None)[:2]
    assert list(fit.parameters.values()) == pytest.approx(list(wanted), rel=1e-10)
    np.testing.assert_allclose(fit.covariance, rest[0] / 28 * np.linalg.inv(rows.T @ rows), rtol=1e-8)


def test_what_is_refused():
    assert told(BadValue, lambda: lg.fit_curve(saturating, X, Y, {"b1": 1, "c": 1})).startswith("start has 'c', and the function takes")
    assert told(BadValue, lambda: lg.fit_curve(saturating, X[:1], Y[:1], {"b1": 1, "b2": 1})).startswith("2 parameters need as many rows")
    hidden = told(BadValue, lambda: lg.fit_curve(lambda x, a: ops.log(a) * x, X, Y, {"a": -1.0}))
    assert hidden == "the curve or its derivative is not finite at the start: give another start"


def test_sigma_is_that_of_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    sigma = np.linspace(0.1, 2.0, 14)
    for absolute in (False, True):
        fit = lg.fit_curve(saturating, X, Y, {"b1": 250, "b2": 0.0005}, sigma=sigma, absolute_sigma=absolute)
        known, covariance = optimize.curve_fit(
            lambda x, a, b: a * (1 - np.exp(-b * x)), X, Y, (250, 0.0005), sigma, absolute, ftol=1e-14, xtol=1e-14
        )
        np.testing.assert_allclose(list(fit.parameters.values()), known, rtol=1e-6)
        np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-4)


def test_a_fit_predicts_and_is_told_in_a_table():
    fit = lg.fit_curve(saturating, X, Y, {"b1": 250, "b2": 0.0005})
    b1, b2 = fit.parameters.values()
    np.testing.assert_allclose(fit.predict([100.0, 200.0]), b1 * (1 - np.exp(-b2 * np.array([100.0, 200.0]))), rtol=1e-14)
    assert repr(fit) == f"CurveFit(2 parameters, Σ residual² 0.1246, converged after {fit.steps} steps)"
    head, first, second, last = fit.summary().splitlines()
    assert head.split() == ["parameter", "value", "standard", "error"]
    assert first.split() == ["b1", "238.9421", "2.707"] and second.split() == ["b2", "0.0005501564", "7.267e-06"]
    assert last.startswith("12 degrees of freedom, Σ residual² 0.1245514, ")


def test_a_model_is_fitted_from_its_seed():
    model = lg.sequential(lg.input(1, dtype="float64"), lg.dense(2, activation="tanh", name="a"), lg.dense(1, name="b"))
    x = np.linspace(-2, 2, 40)[:, None]
    fit = lg.fit_curve(model, x, np.tanh(2 * x + 1) - 0.5 * np.tanh(x), seed=1)
    assert fit.residual_sum_of_squares < 1e-3 and fit.parameters["a/weight"].shape == (2, 1) and fit.covariance.shape == (7, 7)
    np.testing.assert_allclose(fit.predict(x), lg.evaluate(batch(model, 40), x, values=fit.parameters), rtol=1e-12)


def test_a_linear_model_is_fitted_as_linear_algebra_does():
    rows = np.random.default_rng(0).standard_normal((30, 2))
    y = np.column_stack([rows @ [2.0, -1.0] + 1.0, rows @ [0.5, 3.0]]) + 0.1 * np.random.default_rng(1).standard_normal((30, 2))
    fit = lg.fit_curve(lg.sequential(lg.input(2, dtype="float64"), lg.dense(2, name="o")), rows, y, {"o/bias": np.zeros(2)})
    known = np.linalg.lstsq(np.column_stack([rows, np.ones(30)]), y, rcond=None)[0]
    np.testing.assert_allclose(fit.parameters["o/weight"], known[:2].T, rtol=1e-9)
    np.testing.assert_allclose(fit.parameters["o/bias"], known[2], rtol=1e-9)
    assert "o/weight[1,0]" in fit.summary()
