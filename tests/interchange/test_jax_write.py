"""Models as functions of JAX, and programs as StableHLO."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, TypeMismatch

jax = pytest.importorskip("jax")
jnp = jax.numpy
optax = pytest.importorskip("optax")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 4)).astype(np.float32), RNG.integers(0, 3, 6)
MODEL = lg.sequential(lg.dense(4, 8, "tanh"), lg.dropout(0.5), lg.batch_norm(), lg.dense(3))


@pytest.fixture(scope="module")
def run():
    return lg.supervised(MODEL, lg.cross_entropy, lg.sgd(0.1)).fit((X, Y), epochs=3, batch_size=3)


def test_a_run_is_a_function_that_predicts(run):
    f, values = lg.to_jax(run)
    wanted = run.predict(X)
    assert np.allclose(f(values, X), wanted, atol=1e-6)
    assert np.allclose(jax.jit(f)(values, X[:2]), wanted[:2], atol=1e-6)
    assert np.allclose(jax.vmap(f, (None, 0))(values, X[:, None]), wanted[:, None], atol=1e-6)
    single, same = lg.to_jax(run, batch=False)
    assert np.allclose(single(same, X[1]), wanted[1], atol=1e-6)


def test_the_function_is_trained_by_optax():
    model = lg.sequential(lg.dense(4, 8, "tanh"), lg.dense(3))
    f, values = lg.to_jax(model, seed=3)
    ours = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1)).fit((X, Y), epochs=4, batch_size=6, seed=0, start=dict(values))

    def loss(p):
        return optax.softmax_cross_entropy_with_integer_labels(f(p, X), Y).mean()

    rule = optax.sgd(0.1)
    state = rule.init(values)
    for _ in range(4):
        moved, state = rule.update(jax.grad(loss)(values), state)
        values = optax.apply_updates(values, moved)
    assert all(np.allclose(values[n], w, atol=1e-5) for n, w in ours.weights.items())


def test_a_function_comes_back_as_an_arrow(run):
    f, values = lg.to_jax(run)
    model, held = lg.from_jax(f, X[:1], weights=values, batch=True)
    found = np.stack([lg.evaluate(model, x, values=held) for x in X])
    assert np.allclose(found, run.predict(X), atol=1e-5) and {*held} <= {*values}


def test_double_precision_and_two_inputs():
    model = lg.sequential(lg.dense(2, 2, dtype="float64")) @ lg.dense(3, 2, dtype="float64") >> lg.add()
    f, values = lg.to_jax(model)
    a, b = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 3))
    wanted = np.stack([lg.evaluate(model, x, y, values={n: np.asarray(v) for n, v in values.items()}) for x, y in zip(a, b, strict=True)])
    assert np.allclose(f(values, a, b), wanted, rtol=1e-12)


def test_stablehlo_comes_back_with_the_same_numbers(run):
    again = lg.from_stablehlo(lg.to_stablehlo(run))
    for n in (1, 4):
        assert np.allclose(again(X[:n]), run.predict(X[:n]), atol=1e-6)
    f, values = lg.to_jax(MODEL)
    assert np.allclose(lg.from_stablehlo(lg.to_stablehlo(MODEL))(values, X), f(values, X), atol=1e-6)


def test_a_training_step_is_stablehlo_too(run):
    step = run.learner.step(batch=3, backend="jax")
    values = {**run.values, "x": X[:3], "y": Y[:3].astype(np.int32)}
    wanted = step(values)
    found = lg.from_stablehlo(lg.to_stablehlo(step))(*(np.asarray(values[p.name]) for p in step.inputs if len(p.ob)))
    for port, value in zip([p for p in step.outputs if len(p.ob)], found, strict=True):
        assert np.allclose(np.asarray(value), np.asarray(wanted[port.name]), atol=1e-6)


def test_wrong_calls_are_told(run):
    f, values = lg.to_jax(run)
    with pytest.raises(TypeMismatch, match=r"^this function expects the values and 1 array, got 2$"):
        f(values, X, X)
    with pytest.raises(TypeMismatch, match=r"^the values have no 'bias\.0', which this function reads$"):
        f({n: v for n, v in values.items() if n != "bias.0"}, X)
    with pytest.raises(TypeMismatch, match=r"^to_jax expects a model or a trained run, got 3$"):
        lg.to_jax(3)
    with pytest.raises(TypeMismatch, match="has no type before it meets one"):
        lg.to_jax(lg.dense(3))
    with pytest.raises(BadCheckpoint, match=r"^these bytes are no StableHLO as to_stablehlo gives it, or are damaged: take another copy$"):
        lg.from_stablehlo(b"nothing")
    with pytest.raises(TypeMismatch, match=r"^from_stablehlo expects bytes that to_stablehlo gave, got 3$"):
        lg.from_stablehlo(3)
