"""What stays and is computed of what stays, as a frozen weight of a norm: kernels prepare it once, after it is there."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.native.compiler import compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((16, 31)).astype("f4"), RNG.standard_normal((16, 48)).astype("f4")
LAYERS = lg.sequential(lg.input(31), lg.dense(64, name="a"), lg.dense(48, name="b"))
MODELS = {
    "norm of the first": LAYERS.reparam({"a/weight": lg.weight_norm}).freeze("a/**"),
    "norm of the last": LAYERS.reparam({"b/weight": lg.weight_norm}).freeze("b/**"),
    "low rank": LAYERS.lora("b/weight", rank=2).freeze("b/**"),
}


@pytest.mark.parametrize("name", MODELS)
def test_frozen_weights_that_are_computed_train_and_predict_as_in_numpy(name):
    learner = lg.supervised(MODELS[name], lg.mse, lg.sgd(0.1))
    plain, ours = (learner.fit((X, Y), epochs=2, batch_size=8, progress=False, backend=b) for b in ("numpy", "native"))
    assert [r["loss"] for r in ours.history] == pytest.approx([r["loss"] for r in plain.history], rel=1e-5)
    np.testing.assert_allclose(ours.predict(X, backend="native"), plain.predict(X), rtol=1e-4, atol=1e-4)


def test_the_first_prediction_of_a_loop_is_that_of_all_others():
    model = lg.sequential(lg.input(8, 31, dtype="float64"), lg.lstm(13)).reparam({"input/weight": lg.weight_norm})
    run = lg.supervised(model, lg.mse, lg.sgd(0.1)).fit((np.zeros((1, 8, 31)), np.zeros((1, 8, 13))), epochs=0, progress=False)
    x = RNG.standard_normal((4, 8, 31))
    first, second = (run.predict(x, backend="native") for _ in range(2))
    np.testing.assert_allclose(first, run.predict(x, backend="numpy"), atol=1e-12)
    assert np.array_equal(first, second)
