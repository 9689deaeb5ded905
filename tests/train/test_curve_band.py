"""Standard errors and bands of fitted curves, against closed forms and SciPy; what sigma means; several predictors."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.theories.smooth import ops
from lensgrad.train.student import quantile

stats = pytest.importorskip("scipy.stats")
RNG = np.random.default_rng(0)
T = np.linspace(-1, 2, 15)
Y = 2.0 * T - 1.0 + 0.3 * RNG.normal(size=15)
THERE = np.array([-4.0, 0.1, 3.0])
SIGMA = np.linspace(0.1, 0.6, 15)


def line(x, a, b):
    return a * x + b


def fitted(**how):
    return lg.fit_curve(line, T, Y, {"a": 0.0, "b": 0.0}, **how)


def test_errors_of_a_line_are_the_closed_form():
    fit, away = fitted(), T - T.mean()
    s = np.sqrt(fit.residual_sum_of_squares / 13)
    wanted = s * np.sqrt(1 / 15 + (THERE - T.mean()) ** 2 / np.sum(away**2))
    np.testing.assert_allclose(fit.predict_error(THERE), wanted, rtol=1e-9)
    low, high = fit.band(THERE, 0.9)
    np.testing.assert_allclose(high - fit.predict(THERE), stats.t.ppf(0.95, 13) * wanted, rtol=1e-9)
    np.testing.assert_allclose(fit.predict(THERE) - low, high - fit.predict(THERE), rtol=1e-9)


@pytest.mark.parametrize("absolute", [False, True])
def test_errors_of_a_weighted_line(absolute):
    fit = fitted(sigma=SIGMA, absolute_sigma=absolute)
    rows, there = (np.column_stack([x, np.ones(len(x))]) for x in (T, THERE))
    inverse = np.linalg.inv(rows.T @ (rows / SIGMA[:, None] ** 2))
    scale = 1 if absolute else fit.residual_sum_of_squares / 13
    np.testing.assert_allclose(fit.predict_error(THERE), np.sqrt(scale * np.diag(there @ inverse @ there.T)), rtol=1e-9)
    t = stats.norm.ppf(0.975) if absolute else stats.t.ppf(0.975, 13)
    np.testing.assert_allclose(fit.band(THERE)[1] - fit.predict(THERE), t * fit.predict_error(THERE), rtol=1e-9)


def test_the_band_covers_as_often_as_it_says():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(300):
        fit = lg.fit_curve(line, T, 2.0 * T - 1.0 + 0.3 * rng.normal(size=15), {"a": 0.0, "b": 0.0})
        low, high = fit.band([0.5], 0.8)
        hits += low[0] <= 0.0 <= high[0]
    assert 300 * 0.8 - 3 * np.sqrt(300 * 0.16) < hits < 300 * 0.8 + 3 * np.sqrt(300 * 0.16)


def test_errors_of_a_curve_are_the_delta_method():
    fit = lg.fit_curve(lambda x, a, k: a * ops.exp(-k * x), T, 3 * np.exp(-T) + 0.1 * RNG.normal(size=15), {"a": 1.0, "k": 0.5})
    a, k = fit.parameters.values()
    slopes = np.column_stack([np.exp(-k * THERE), -a * THERE * np.exp(-k * THERE)])
    np.testing.assert_allclose(fit.predict_error(THERE), np.sqrt(np.einsum("ni,ij,nj->n", slopes, fit.covariance, slopes)), rtol=1e-12)


def test_errors_of_a_model_of_two_outputs_are_those_of_linear_algebra():
    rows, y = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2))
    fit = lg.fit_curve(lg.sequential(lg.input(2, dtype="float64"), lg.dense(2, name="o")), rows, y)
    wide = np.column_stack([rows, np.ones(30)])
    s = np.sqrt(fit.residual_sum_of_squares / (60 - 6))
    wanted = s * np.sqrt(np.diag(wide[:4] @ np.linalg.inv(wide.T @ wide) @ wide[:4].T))
    np.testing.assert_allclose(fit.predict_error(rows[:4]), np.column_stack([wanted, wanted]), rtol=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3, 8, 13, 500, 999, 1000, 1001, 10**6])
def test_quantiles_are_those_of_student(freedom):
    levels = [0.5, 0.9, 0.95, 0.99]
    np.testing.assert_allclose([quantile(v, freedom) for v in levels], [stats.t.ppf((1 + v) / 2, freedom) for v in levels], rtol=1e-11)


def test_the_summary_says_what_errors_are_made_of():
    endings = {"errors from the scatter of the residuals": {}}
    endings["errors from the scatter of the residuals, sigma is relative"] = {"sigma": SIGMA}
    endings["errors from sigma, which is absolute"] = {"sigma": SIGMA, "absolute_sigma": True}
    for text, how in endings.items():
        assert fitted(**how).summary().splitlines()[-1].endswith(f"; {text}")
    assert [fitted(**how).sigma for how in endings.values()] == ["none", "relative", "absolute"]
    doubled = (
        fitted(sigma=2 * SIGMA, absolute_sigma=v).covariance / fitted(sigma=SIGMA, absolute_sigma=v).covariance for v in (False, True)
    )
    np.testing.assert_allclose([*doubled], [np.ones((2, 2)), 4 * np.ones((2, 2))], rtol=1e-6)


def test_what_the_data_does_not_determine_has_infinite_errors():
    fit = lg.fit_curve(lambda x, a, b, c: a * x + b + c, T, Y, {"a": 0.0, "b": 0.0, "c": 0.0})
    assert np.isfinite(fit.standard_errors["a"]) and np.isinf(fit.standard_errors["b"]) and np.isinf(fit.standard_errors["c"])
    assert fit.standard_errors["a"] == pytest.approx(fitted().standard_errors["a"] * np.sqrt(13 / 12), rel=1e-9)
    text = "the data does not determine 'b', so the curve has no errors: fit a function without it"
    assert told(BadValue, lambda: fit.predict_error(T)) == text
    unused = lg.fit_curve(lambda x, a, b: a * x + 0.0 * b, T, Y, {"a": 0.0, "b": 1.0})
    assert np.isinf(unused.standard_errors["b"]) and unused.parameters["b"] == 1.0


def test_what_has_no_errors_is_refused():
    two = lg.fit_curve(line, T[:2], Y[:2], {"a": 0.0, "b": 0.0})
    text = "as many parameters as observations leave no scatter to tell errors from: give more rows, or absolute_sigma=True"
    assert told(BadValue, lambda: two.band(T)) == text
    known = lg.fit_curve(line, T[:2], Y[:2], {"a": 0.0, "b": 0.0}, sigma=[0.1, 0.1], absolute_sigma=True)
    assert known.predict_error(T[:2]) == pytest.approx([0.1, 0.1])
    text = "absolute_sigma=True says that sigma is in the unit of y, and there is none: give sigma too"
    assert told(BadValue, lambda: fitted(absolute_sigma=True)) == text
    assert told(BadValue, lambda: two.band(T, 1)) == "level must be a fraction from 0 up to, but not including, 1, got 1"


# -- several predictors ------------------------------------------------------------------------------------------------

U, V = RNG.normal(size=(2, 20))
PLANE = 1.5 * U - 0.5 * U * V + 0.1 * RNG.normal(size=20)


def plane(u, v, a, b):
    return a * u + b * u * v


@pytest.mark.parametrize(
    "x",
    [np.column_stack([U, V]), np.column_stack([U, V]).tolist(), (U, V), (U.tolist(), V.tolist())],
    ids=["rows", "lists", "arrays", "pair"],
)
def test_predictors_come_in_rows_or_one_by_one(x):
    fit = lg.fit_curve(plane, x, PLANE, {"a": 0.0, "b": 0.0})
    known = np.linalg.lstsq(np.column_stack([U, U * V]), PLANE, rcond=None)[0]
    np.testing.assert_allclose([*fit.parameters.values()], known, rtol=1e-9)
    a, b = known
    for two in (
        [[1.0, 2.0], [3.0, 4.0]],
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        ([1.0, 3.0], [2.0, 4.0]),
        (np.array([1.0, 3.0]), np.array([2.0, 4.0])),
    ):
        np.testing.assert_allclose(fit.predict(two), [a + 2 * b, 3 * a + 12 * b], rtol=1e-9)
        assert fit.predict_error(two).shape == (2,)


def test_a_model_of_two_inputs_takes_one_array_for_each():
    first, second = RNG.normal(size=(25, 2)), RNG.normal(size=(25, 3))
    y = first @ [[1.0], [2.0]] - second @ [[0.5], [0.0], [1.0]] + 0.3
    left, right = (lg.sequential(lg.input(n, dtype="float64"), lg.dense(1, name=k, use_bias=k == "l")) for n, k in ((2, "l"), (3, "r")))
    model = left.tensor(right) >> lg.add()
    for x in ((first, second), [first, second], [first.tolist(), second.tolist()]):
        fit = lg.fit_curve(model, x, y)
        np.testing.assert_allclose(fit.parameters["l/weight"], [[1.0, 2.0]], atol=1e-10)
        np.testing.assert_allclose(fit.parameters["r/weight"], [[-0.5, 0.0, -1.0]], atol=1e-10)
        np.testing.assert_allclose(fit.predict(x), y, atol=1e-10)


def test_predictors_of_other_lengths_are_refused():
    text = "2 parameters need as many rows of x and y or more, got 20 and 15"
    assert told(BadValue, lambda: lg.fit_curve(line, U, Y, {"a": 0.0, "b": 0.0})) == text
    assert told(BadValue, lambda: lg.fit_curve(plane, (U, V[:15]), PLANE, {"a": 0.0, "b": 0.0})).startswith(
        "2 parameters need as many rows"
    )
