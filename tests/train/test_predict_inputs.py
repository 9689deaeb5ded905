"""Prediction takes arrays of any size and dtype, each as the model means it, whatever was predicted before."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch

X = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
Y = np.arange(7) % 2


@pytest.fixture(scope="module")
def run():
    learner = lg.supervised(lg.sequential(lg.input(3), lg.dense(4, "tanh"), lg.dense(2)), "cross_entropy", lg.adam(0.01))
    return learner.fit((X, Y), epochs=1, progress=False, backend="numpy")


def by_hand(run, x):
    """The network in float64, from its weights."""
    w = {name: value.astype(np.float64) for name, value in run.weights.items()}
    return np.tanh(x.astype(np.float64) @ w["weight.0"].T + w["bias.0"]) @ w["weight.1"].T + w["bias.1"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("n", [7, 3, 1])
def test_predictions_are_those_of_the_rows_after_any_others(run, n, dtype):
    for rows in (X, X[:n], (3 * X[:n]).astype(dtype), X):
        found = run.predict(rows)
        assert found.dtype == np.float32 and found.shape == (len(rows), 2)
        np.testing.assert_allclose(found, by_hand(run, rows), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("size", [None, 1, 2, 3, 7, 8, np.int64(4)])
def test_batches_of_any_size_give_the_same_rows(run, size):
    np.testing.assert_allclose(run.predict(X, batch_size=size), by_hand(run, X), rtol=2e-5, atol=2e-5)


def test_another_order_of_bytes_and_a_view_are_the_same_numbers(run):
    strided = np.repeat(X, 2, 0)[::2]
    for rows in (X.astype(">f4"), strided, np.asfortranarray(X)):
        assert np.array_equal(run.predict(rows), run.predict(X))


def test_runs_of_one_learner_predict_with_their_own_weights(run):
    other = run.fit((X, Y), epochs=3, progress=False)
    assert not np.allclose(run.predict(X), other.predict(X))
    np.testing.assert_allclose(other.predict(X), by_hand(other, X), rtol=2e-5, atol=2e-5)


def test_a_prediction_is_the_callers_own(run):
    found = run.predict(X)
    found[:] = 0
    assert np.abs(run.predict(X)).min() > 0


def test_what_the_model_only_passes_on_is_no_view_of_the_callers_rows():
    learner = lg.supervised(lg.sequential(lg.input(3), lg.reshape(3)), "mse", {})
    trained = learner.fit((X, X), epochs=0, progress=False, backend="numpy")
    found = trained.predict(X)
    assert np.array_equal(found, X) and not np.shares_memory(found, X)


def test_another_shape_and_other_numbers_are_still_refused(run):
    run.predict(X)
    for kind, rows, told in (
        (TypeMismatch, X[:, :2], "'x' expects f32[7,3], got an array of shape (7, 2): give it in the shape (7, 3)"),
        (TypeMismatch, X[:0, :2], "'x' expects f32[3] for each row, got an array of shape (0, 2)"),
        (TypeMismatch, X[0], "predict expects rows of f32[3], in shape (n, 3), got (3,): one row is x[None]"),
        (BadValue, X.astype("complex64"), "'x' expects f32[7,3], got complex64 data"),
    ):
        with pytest.raises(kind) as error:
            run.predict(rows)
        assert str(error.value) == told
