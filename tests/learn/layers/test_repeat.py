"""A repeated layer is n layers in sequence with those weights, as one loop."""

import numpy as np
import pytest
from layer_checks import gradients, outputs, real

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.theories.smooth.scan import Scan

LAYERS = {
    "dense": (lambda: lg.dense(4, activation="tanh"), real(4)),
    "transformer": (lambda: lg.transformer_block(2, 5, causal=True), real(3, 4)),
    "with a mask": (lambda: lg.transformer_block(2, 5, dropout_rate=0.0), real(3, 4) @ lg.Bool(3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_it_equals_the_layers_in_sequence(name):
    layer, dom = LAYERS[name]
    once, whole = layer().at(dom), lg.repeat(layer(), 3).at(dom)
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(p.ob[0].shape) for p in whole.params]
    x, rest = rng.standard_normal(dom[0].shape), [np.array([True, False, True])] * (len(dom) - 1)
    assert [p.ob[0].shape[1:] for p in whole.params] == [p.ob[0].shape for p in once.params] and whole.names == once.names
    steps, dy = [x], rng.standard_normal(dom[0].shape)
    for k in range(3):
        steps.append(outputs(once, [*(w[k] for w in weights), steps[-1], *rest])[0])
    np.testing.assert_allclose(outputs(whole, [*weights, x, *rest])[0], steps[-1], rtol=1e-12, atol=1e-12)
    found, back = gradients(whole, [*weights, x, *rest], [dy]), dy
    for k in reversed(range(3)):
        own = gradients(once, [*(w[k] for w in weights), steps[k], *rest], [back])
        for i in range(len(weights)):
            np.testing.assert_allclose(found[i][k], own[i], rtol=1e-12, atol=1e-12)
        back = own[len(weights)]
    np.testing.assert_allclose(found[len(weights)], back, rtol=1e-12, atol=1e-12)


def test_the_program_does_not_grow_with_depth():
    sizes = [len(lg.repeat(lg.dense(4), n, name="deep").at(real(4)).arrow.nodes) for n in (2, 20)]
    assert sizes[0] == sizes[1]
    deep = lg.repeat(lg.dense(4), 2, name="deep").at(real(4))
    assert any(isinstance(n.op, Scan) for n in deep.arrow.nodes) and deep.names == ("deep/weight", "deep/bias")


def test_layers_start_differently_and_drop_differently():
    model = lg.input(400) >> lg.repeat(lg.bias(400) >> lg.dropout(0.5), 2, name="deep")
    learner = lg.supervised(model, lg.half_squared_error, lg.sgd(1.0))
    given = (np.zeros((1, 400)), np.ones((1, 400)))
    run = learner.fit(given, batch_size=1, start={"deep/bias": np.ones((2, 400))}, progress=False)
    moved = [np.flatnonzero(b != 1) for b in run.values["deep/bias"]]
    dead = [set(range(400)) - set(m.tolist()) for m in moved]
    # What the second layer drops is learned by neither; what only the first drops, by the second alone.
    assert 120 < len(dead[1]) < 280 and dead[1] < dead[0] and 240 < len(dead[0]) < 360
    assert np.array_equal(run.predict(given[0])[0], run.values["deep/bias"].sum(0))
    start = lg.supervised(lg.input(4) >> lg.repeat(lg.dense(4), 2), lg.mse, lg.descent).initial()["weight"]
    assert start.shape == (2, 4, 4) and (start[0] != start[1]).all() and np.abs(start).max() <= np.sqrt(6 / 8)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_it_trains_with_states_and_is_saved(backend, tmp_path):
    model = lg.sequential(lg.input(4), lg.repeat(lg.dense(4, activation="tanh") >> lg.batch_norm(), 3, name="deep"), lg.dense(3))
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.01), metrics=["accuracy"])
    run = learner.fit(lg.data.iris(), epochs=30, batch_size=30, progress=False, backend=backend)
    assert run.history[-1]["accuracy"] > 0.9
    states = [n for n, p in zip(model.names, model.params, strict=True) if p.role is Role.STATE]
    assert states and all(run.values[n].shape[0] == 3 and (run.values[n][0] != run.values[n][1]).all() for n in states)
    run.save(tmp_path / "deep.safetensors")
    x, _ = lg.data.iris()
    assert np.array_equal(lg.load(tmp_path / "deep.safetensors").predict(x), run.predict(x)) or backend == "jax"


def test_what_cannot_be_repeated_is_refused():
    for call, kind, told in (
        (lambda: lg.repeat(lg.dense(3), 0), BadValue, "repeat: n must be a whole number ≥ 1, got 0"),
        (lambda: lg.repeat(lg.dense(3), 2).at(real(4)), TypeMismatch,
         "repeat gives to each layer what the one before gives, and f64[3] is not f64[4]"),
        (lambda: lg.repeat(lg.dropout(), 2).at(real(4)), BadValue, "repeat stacks weights, and dropout has none: write it 2 times"),
    ):  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == told
