"""Layers that train and predict differently: dropout and batch normalization."""

import numpy as np
import pytest
from layer_checks import at, by_differences, cotangents, gradients, inputs, outputs, real
from numerics import evaluate

import lensgrad as lg
from lensgrad.backends import kernels
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, corner, lens
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.learn.batching import batch
from lensgrad.program.compile import compile
from lensgrad.program.values import fold_in, initial, key
from lensgrad.theories.smooth.ops import mean

KEY = key(7)


def drawn(own, shape, rate):
    """Where dropout keeps: a uniform number of the key folded with 0 is at least the rate."""
    bits = kernels.random_bits(fold_in(own, 0), shape)
    return bits.astype(np.float64) * 2.0**-32 >= rate


def test_dropout_keeps_by_its_key_and_gives_the_next():
    f = at(lg.dropout(0.3), real(50))
    (x,) = inputs(f)[1:]
    y, after = evaluate(f.arrow, KEY, x)
    keep = drawn(KEY, (50,), 0.3)
    assert 5 < keep.sum() < 50
    np.testing.assert_array_equal(y, np.where(keep, x * (1 / 0.7), 0))
    np.testing.assert_array_equal(after, fold_in(KEY, 1))
    assert [(p.label, p.role) for p in f.params] == [("key", Role.KEY)] and f.observables == (("key", f.params[0].ob),)


def test_dropout_keeps_the_mean():
    f = at(lg.dropout(0.25), real(20000))
    y, _ = evaluate(f.arrow, KEY, np.ones(20000))
    assert abs(y.mean() - 1) < 0.02 and abs((y == 0).mean() - 0.25) < 0.02


def test_every_example_has_its_own_mask_whatever_the_batch():
    f = at(lg.dropout(0.5), real(40))
    masks = [evaluate(batch(f, n).arrow, KEY, np.ones((n, 40)))[0] > 0 for n in (3, 5)]
    np.testing.assert_array_equal(masks[0], masks[1][:3])
    assert len({m.tobytes() for m in masks[1]}) == 5
    own = [kernels.random_bits(fold_in(fold_in(KEY, 0), i), (40,)).astype(np.float64) * 2.0**-32 >= 0.5 for i in range(5)]
    np.testing.assert_array_equal(masks[1], own)


def test_a_batched_dropout_keeps_one_key():
    many = batch(at(lg.dropout(0.5), real(4)), 3)
    assert many.params[0].ob == at(lg.dropout(), real(4)).params[0].ob and many.observables[0][1] == many.params[0].ob


def test_the_gradient_of_dropout_is_its_mask():
    f = at(lg.dropout(0.4), real(30))
    xs, dys = [KEY, *inputs(f)[1:]], cotangents(f)
    (found,) = gradients(f, xs, dys).values()
    np.testing.assert_array_equal(found, np.where(drawn(KEY, (30,), 0.4), dys[0] * (1 / 0.6), 0))


def test_a_step_moves_every_key_to_its_successor():
    """Two layers without names: their keys are told apart by their order."""
    model = lg.sequential(lg.input(4), lg.dropout(0.5), lg.dense(3), lg.dropout(0.5), lg.dense(1))
    learner = lg.supervised(model, lg.mse, lg.descent, rate=0.1)
    step, values = learner.step(2), initial(learner.lens().params, 3)
    assert not np.array_equal(values["key.0"], values["key.1"])
    after = step({**values, "x": np.ones((2, 4)), "y": np.ones((2, 1))})
    for name in ("key.0", "key.1"):
        np.testing.assert_array_equal(after[name], fold_in(values[name], 1))
    assert "key" not in after


def test_a_rate_of_zero_changes_nothing():
    y, _ = evaluate(at(lg.dropout(0.0), real(9)).arrow, KEY, np.arange(9.0))
    assert y.tolist() == list(range(9))


# -- batch normalization -----------------------------------------------------------------------------------------------


def test_batch_norm_normalizes_over_the_batch_and_space():
    f = batch(at(lg.batch_norm(momentum=0.25, epsilon=0.1), real(2, 3)), 4)
    scale, shift, average, variance, x = inputs(f)
    y, new_mean, new_variance = evaluate(f.arrow, scale, shift, average, variance, x)
    m, v = x.mean((0, 1)), x.var((0, 1))
    np.testing.assert_allclose(y, (x - m) / np.sqrt(v + 0.1) * scale + shift, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(new_mean, 0.75 * average + 0.25 * m, rtol=1e-12)
    np.testing.assert_allclose(new_variance, 0.75 * variance + 0.25 * x.var((0, 1), ddof=1), rtol=1e-12)


def test_batch_norm_differentiates_through_the_statistics():
    f = batch(at(lg.batch_norm(), real(2)), 3)
    xs, dys = inputs(f), cotangents(f)
    for which, found in gradients(f, xs, dys).items():
        np.testing.assert_allclose(found, by_differences(f, xs, dys, which), rtol=1e-6, atol=1e-7)


def test_batch_norm_of_one_value_gives_its_bias_and_keeps_the_variance():
    for f in (at(lg.batch_norm(), real(3)), batch(at(lg.batch_norm(), real(3)), 1)):
        scale, shift, average, variance, x = inputs(f)
        y, new_mean, new_variance = evaluate(f.arrow, scale, shift, average, variance, x)
        np.testing.assert_array_equal(np.ravel(y), shift)
        np.testing.assert_array_equal(new_variance, variance)
        np.testing.assert_allclose(new_mean, 0.9 * average + 0.1 * x.reshape(3), rtol=1e-14)


def test_batch_norm_of_one_image_uses_its_space():
    f = at(lg.batch_norm(), real(4, 5, 2))
    scale, shift, average, variance, x = inputs(f)
    y, _, new_variance = evaluate(f.arrow, scale, shift, average, variance, x)
    np.testing.assert_allclose(y, (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + 1e-5) * scale + shift, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(new_variance, 0.9 * variance + 0.1 * x.var((0, 1), ddof=1), rtol=1e-12)


def test_a_step_writes_the_running_statistics():
    model = lg.sequential(lg.input(3), lg.batch_norm(name="n"), lg.dense(1))
    learner = lg.supervised(model, lg.mse, lg.descent, rate=0.1)
    x = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
    after = learner.step(6)({**learner.initial(), "x": x, "y": np.zeros((6, 1))})
    np.testing.assert_allclose(after["n/mean"], 0.1 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(after["n/variance"], 0.9 + 0.1 * x.var(0, ddof=1), rtol=1e-5)
    assert set(after) == {"n/scale", "n/bias", "n/mean", "n/variance", "weight", "bias", "loss"}


def test_a_state_that_differs_between_examples_cannot_be_written():
    ob = lg.Real()
    remember = Para.make([Param("s", ob, Role.STATE)], trace(lambda s, x: (x * s, x), ob, ob), ob, [("s", ob)])
    task = corner(ob, "x") >> remember >> lg.half_squared_error("y")
    closed = lens(batch(task, 2) >> mean) >> lg.rate(0.1)
    with pytest.raises(TypeMismatch) as error:
        compile(closed)
    assert str(error.value) == (
        "the state 's' : f32[] is written by an observable of type f32[2]; what examples differ in has to be averaged first, with axis_mean"
    )


# -- training ----------------------------------------------------------------------------------------------------------


def rings(n, seed):
    """Two classes by distance from the origin."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, ((x**2).sum(1) > 0.5).astype(np.int32)


@pytest.mark.parametrize("layer", [lg.batch_norm(), lg.dropout(0.2)], ids=["batch norm", "dropout"])
def test_networks_with_modes_learn(layer):
    model = lg.sequential(lg.input(2), lg.dense(32, activation="relu"), layer, lg.dense(2))
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.02), metrics=["accuracy"])
    run = learner.fit(rings(400, 0), epochs=30, batch_size=20, progress=False)
    assert run.evaluate(rings(200, 1))["accuracy"] > 0.93
    x = rings(5, 2)[0]
    np.testing.assert_array_equal(run.predict(x), run.predict(x))
    np.testing.assert_allclose(run.predict(x)[:1], run.predict(x[:1]), rtol=1e-5, atol=1e-6)


def test_predicting_is_not_training():
    f = batch(at(lg.batch_norm(), real(3)), 4)
    xs = inputs(f)
    assert not np.allclose(outputs(f, xs)[0], outputs(batch(lg.predict(at(lg.batch_norm(), real(3))), 4), xs)[0])
