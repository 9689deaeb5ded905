"""L-BFGS on functions and on learners, against scikit-learn and SciPy."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.backends import numpy as backend
from lensgrad.cat.reverse import grad
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.train.lbfgs import lbfgs

optimize = pytest.importorskip("scipy.optimize")
X = np.random.default_rng(0).standard_normal((60, 3))
Y = np.sin(X @ [1.0, -2.0, 0.5])[:, None]


def rosenbrock(x, y):
    return (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)


def network(dtype="float64", width=5, **how):
    model = lg.sequential(lg.input(3, dtype=dtype), lg.dense(width, activation="tanh", name="a"), lg.dense(1, name="b"))
    return lg.supervised(model, lg.mse, **{"optimizer": lg.sgd(0.1), **how})


def test_rosenbrock_by_a_trace():
    number = lg.Real(dtype="float64")
    f = trace(rosenbrock, number, number)
    value, slope = backend.function(f), backend.function(grad(f))
    seen = lbfgs(lambda p: (float(value(*map(np.asarray, p))[0]), np.array(slope(*map(np.asarray, p))), None), np.array([-1.2, 1.0]), 100)
    assert seen.converged and seen.reason == "no part of the gradient is larger than 1e-06"
    np.testing.assert_allclose(seen.end.at, [1.0, 1.0], atol=1e-7)
    assert list(seen.values) == sorted(seen.values, reverse=True) and len(seen.values) < 60


def test_a_quadratic_needs_few_steps_and_memory_is_used():
    scales = np.geomspace(1, 1e4, 8)
    quick, slow = (lbfgs(lambda p: (float(p @ (scales * p)) / 2, scales * p, None), np.ones(8), 500, m, 1e-8) for m in (10, 1))
    options = {"maxcor": 10, "gtol": 1e-8, "ftol": 0, "maxiter": 500}
    known = optimize.minimize(lambda p: (p @ (scales * p) / 2, scales * p), np.ones(8), jac=True, method="L-BFGS-B", options=options)
    assert quick.converged and len(quick.values) < 1.5 * known.nit and len(quick.values) < len(slow.values)


def test_logistic_regression_is_that_of_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    x = np.random.default_rng(1).standard_normal((200, 4))
    y = (x @ [1.0, -1.0, 0.5, 0.0] + np.random.default_rng(2).logistic(size=200) > 0).astype(int)
    learner = lg.supervised(lg.sequential(lg.input(4, dtype="float64"), lg.dense(1, name="o")), lg.binary_cross_entropy, lg.sgd(0.1))
    run = lg.minimize(learner, x, y[:, None].astype(float), tolerance=1e-9)
    known = linear.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(run.weights["o/weight"], known.coef_, atol=1e-4)
    np.testing.assert_allclose(run.weights["o/bias"], known.intercept_, atol=1e-4)


def test_a_network_gets_where_scipy_gets_from_the_same_start():
    from lensgrad.train.minimize import flat, gradient, moving, slope

    learner = network(width=1)
    names, first = moving(learner), learner.initial(0)
    at = slope(gradient(learner, 60, names).on("numpy"), {**first, "x": X, "y": Y}, names)
    known = optimize.minimize(lambda p: at(p)[:2], flat(first, names), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 0})
    run = lg.minimize(learner, X, Y, steps=2000, backend="numpy")
    assert run.reason == "no part of the gradient is larger than 1e-06"
    assert run.history[-1]["loss"] == pytest.approx(known.fun, rel=1e-8)
    assert run.evaluate((X, Y))["loss"] == pytest.approx(run.history[-1]["loss"], rel=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_falls_at_each_step_and_the_run_goes_on(dtype):
    run = lg.minimize(network(dtype), (X, Y), steps=20)
    losses = [r["loss"] for r in run.history]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 5
    assert len(losses) == 21 and run.reason == "20 steps were not enough"
    assert run.values["a/weight"].dtype == dtype and run.predict(X).shape == (60, 1)
    later = run.fit((X, Y), epochs=1, progress=False)
    assert len(later.history) == 22 and later.history[-1]["loss"] < losses[0]


def test_only_what_the_optimizer_moves_is_moved():
    learner = network(optimizer={"b/**": lg.adam(0.1)})
    run = lg.minimize(learner, X, Y, tolerance=1e-10)
    first = learner.initial(0)
    np.testing.assert_array_equal(run.values["a/weight"], first["a/weight"])
    hidden = np.column_stack([np.tanh(X @ first["a/weight"].T + first["a/bias"]), np.ones(60)])
    np.testing.assert_allclose(run.values["b/weight"][0], np.linalg.lstsq(hidden, Y, rcond=None)[0][:5, 0], atol=1e-7)


def test_statistics_of_batches_are_those_of_all_data():
    model = lg.sequential(lg.input(3), lg.batch_norm(momentum=1.0, name="n"), lg.dense(1, name="o"))
    run = lg.minimize(lg.supervised(model, lg.mse, lg.sgd(0.1)), X, Y, steps=3)
    np.testing.assert_allclose(run.values["n/mean"], X.mean(0), atol=1e-6)


def test_what_is_refused():
    assert told(TypeMismatch, lambda: lg.minimize(network().model, X, Y)).startswith(
        "the learner of minimize must be lg.supervised(…), got"
    )
    assert told(BadValue, lambda: lg.minimize(network(), X, Y, method="bfgs")).startswith("method must be one of lbfgs, got 'bfgs'")
    drawing = lg.supervised(lg.sequential(lg.input(3), lg.dropout(0.5), lg.dense(1)), lg.mse, lg.sgd(0.1))
    assert "and this model draws" in told(BadValue, lambda: lg.minimize(drawing, X, Y))
    assert told(BadValue, lambda: lg.minimize(network(), [(X, Y)])).startswith(
        "minimize looks at all data in each step, so it takes arrays"
    )


def test_weights_of_examples_count_them_so_often():
    times = np.random.default_rng(3).integers(0, 4, 60)
    linear = lg.supervised(lg.sequential(lg.input(3, dtype="float64"), lg.dense(1, name="o")), lg.mse, lg.sgd(0.1))
    run = lg.minimize(linear, X, Y, sample_weight=times, tolerance=1e-10)
    rows = np.column_stack([X, np.ones(60)])
    known = np.linalg.lstsq(np.repeat(rows, times, 0), np.repeat(Y, times, 0), rcond=None)[0][:, 0]
    np.testing.assert_allclose([*run.weights["o/weight"][0], *run.weights["o/bias"]], known, atol=1e-8)
    left = (Y - rows @ known[:, None])[:, 0]
    assert run.history[-1]["loss"] == pytest.approx(np.sum(times * left**2) / 60, rel=1e-9)
    named = lg.minimize(linear, {"x": X, "y": Y, "w": times.astype(float)}, sample_weight="w", tolerance=1e-10)
    np.testing.assert_array_equal(named.weights["o/weight"], run.weights["o/weight"])


def test_weights_of_classes_are_those_of_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    x = np.random.default_rng(1).standard_normal((200, 2))
    y = (x @ [1.0, -1.0] + np.random.default_rng(2).logistic(size=200) > 1).astype(int)
    learner = lg.supervised(lg.sequential(lg.input(2, dtype="float64"), lg.dense(2, name="o")), lg.cross_entropy, lg.sgd(0.1))
    run = lg.minimize(learner, x, y, class_weight="balanced", tolerance=1e-9, steps=500)
    known = linear.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000, class_weight="balanced").fit(x, y)
    np.testing.assert_allclose(np.diff(run.weights["o/weight"], axis=0), known.coef_, atol=1e-4)
    np.testing.assert_allclose(np.diff(run.weights["o/bias"]), known.intercept_, atol=1e-4)


def test_why_it_ended_is_in_the_file_of_the_run(tmp_path):
    run = lg.minimize(network(), X, Y, steps=5)
    run.save(tmp_path / "run.safetensors")
    loaded = lg.load(tmp_path / "run.safetensors")
    assert loaded.reason == run.reason == "5 steps were not enough" and loaded.position == run.position
    assert loaded.fit(X, Y, epochs=1, progress=False).reason == ""


def test_a_reason_that_is_no_text_is_refused(tmp_path):
    from lensgrad.core.errors import BadCheckpoint
    from lensgrad.files import checkpoint

    run = lg.minimize(network(), X, Y, steps=1)
    checkpoint.save(tmp_path / "odd.safetensors", run.learner, run.values, position={"reason": 3})
    told_of_it = told(BadCheckpoint, lambda: lg.load(tmp_path / "odd.safetensors"))
    place = f"'{tmp_path / 'odd.safetensors'}'"
    assert told_of_it == f"{place} is damaged: the entry 'reason' must be text, got 3; take another copy of the file, or train again"


ENDLESS = "minimize goes down one loss to its end and has no epochs to compare"


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("validation_data", f"{ENDLESS}: write run.evaluate(validation_data), or train with fit(…, validation_data=…)"),
        ("early_stopping", f"{ENDLESS}: give fewer steps or a larger tolerance, or use fit(…, early_stopping=…)"),
        ("epochs", "each step looks at all data: give steps"),
        ("stepz", ""),
    ],
)  # fmt: skip
def test_what_fit_takes_and_minimize_does_not(name, instead):
    found = told(TypeMismatch, lambda: lg.minimize(network(), X, Y, **{name: None}))
    assert found == (f"minimize takes no '{name}': {instead}" if instead else "minimize takes no 'stepz': did you mean 'steps'?")


def test_what_the_data_means_is_kept(tmp_path):
    (tmp_path / "people.csv").write_text("age,height\n" + "".join(f"{k},{2 * k}\n" for k in range(1, 21)), encoding="utf-8")
    table = lg.data.csv(tmp_path / "people.csv", target="height")
    learner = lg.supervised(lg.sequential(lg.input(1), lg.dense(1)), lg.mse, lg.sgd(0.1))
    run = lg.minimize(learner, table, steps=50)
    assert run.meaning == learner.fit(table, progress=False).meaning and run.meaning
    assert run.predict(tmp_path / "people.csv").shape == (20, 1)
