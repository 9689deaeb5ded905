"""The ready-made learners: what they are, and that they reach what they should."""

import numpy as np
import pytest

import lensgrad as lg
from benchmarks import iris_source, iris_twin
from lensgrad import recipes
from lensgrad.lens import batch, corner, lens, mean, rate


@pytest.mark.parametrize("kind", recipes.IRIS_MODELS)
def test_an_iris_learner_is_the_lens_composed_by_hand(kind):
    task = corner(lg.Real(4), "x") >> recipes.iris_model(kind) >> lg.half_squared_error("y", metrics=["accuracy"])
    closed = (lens(batch(task, 16) >> mean) >> rate(0.01)).reparam({lg.weights: lg.descent})
    assert closed == recipes.iris_learner(kind).lens(batch=16)


def test_the_weights_start_as_the_paper_has_them():
    start = recipes.iris_learner("hidden").initial(0)
    drawn = np.concatenate([start["hidden/weight"].ravel(), start["output/weight"].ravel()])
    assert not start["hidden/bias"].any() and not start["output/bias"].any()
    assert 0.008 < drawn.std() < 0.012 and abs(drawn.mean()) < 0.003


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(lg.LensgradError) as refused:
        recipes.iris_model("deep")
    assert str(refused.value) == "'deep' is no Iris model; use one of dense, hidden, linear"


def test_the_measurements_of_the_regression_are_standardized():
    data = recipes.petal_width()
    assert data.x.shape == (150, 3) and data.y.shape == (150, 1) and len(data.features) == 3
    np.testing.assert_allclose(data.x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(data.x.std(0), 1, atol=1e-12)
    np.testing.assert_array_equal(data.y[:, 0], lg.data.iris().x[:, 3].astype("float64"))


def test_the_least_squares_solution_leaves_a_residual_without_gradient():
    data = recipes.petal_width()
    solution = recipes.least_squares(data)
    residual = data.x @ solution["weight"].T + solution["bias"] - data.y
    np.testing.assert_allclose(data.x.T @ residual, 0, atol=1e-10)
    np.testing.assert_allclose(residual.sum(), 0, atol=1e-10)


def test_descent_reaches_the_least_squares_solution():
    run, far = recipes.train_regression(progress=False)
    assert far <= 1e-6
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_the_distance_of_values_is_their_largest_difference():
    assert recipes.distance({"a": np.array([1.0, 2.0]), "b": 3.0}, {"a": np.array([1.0, 2.5]), "b": 3.25}) == 0.5


@pytest.mark.parametrize("epochs", [1, 20])
def test_the_hidden_network_equals_a_loop_written_by_hand(epochs):
    assert iris_twin.difference(epochs) <= 1e-12


def test_the_twin_notices_another_rate():
    learner, data = recipes.iris_learner("hidden", dtype="float64"), recipes.iris_data("float64")
    start = learner.initial(0)
    moved = [iris_twin.by_hand(start, data.x, data.y, range(150), rate) for rate in (0.01, 0.011)]
    assert recipes.distance(*moved) > 1e-6


def test_the_printed_step_repeats_the_training_bit_for_bit():
    assert iris_source.differing(epochs=5) == []
