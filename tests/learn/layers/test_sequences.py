"""Layers for sequences learn; padded batches are their sequences alone, loss and gradients too."""

import numpy as np
import pytest
from layer_checks import at, gradients, outputs, real
from numerics import evaluate, reals

import lensgrad as lg
from lensgrad.cat.para import corner, parametric
from lensgrad.cat.reverse import R
from lensgrad.core.functor import unfold
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.theories.smooth import ops


def test_an_lstm_learns_parity():
    """Whether the number of ones so far is even, at every step."""
    bits = np.random.default_rng(0).integers(0, 2, (256, 8)).astype(np.int32)
    parity = (np.cumsum(bits, 1) % 2).astype(np.int32)
    embed, out = lg.embedding(2, 4, name="embed"), lg.each(lg.dense(2, name="out"))
    model = lg.sequential(lg.input(8, dtype="int32"), embed, lg.lstm(12, name="lstm"), out)
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.03), metrics=["accuracy"])
    run = learner.fit((bits, parity), epochs=30, batch_size=32, progress=False)
    assert run.evaluate((bits, parity))["accuracy"] > 0.99


def test_a_transformer_learns_to_read_an_earlier_step():
    """The answer at each step is the token two steps before: attention has to look there."""
    tokens = np.random.default_rng(0).integers(0, 4, (192, 7)).astype(np.int32)
    earlier = np.concatenate([tokens[:, :2], tokens[:, :-2]], 1)
    model = lg.sequential(
        lg.input(7, dtype="int32"), lg.embedding(4, 8, name="embed"), lg.learned_positions(name="place"),
        lg.transformer_block(2, 16, causal=True, name="block"), lg.layer_norm(name="norm"), lg.unembed(4, name="out"),
    )  # fmt: skip
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.02), metrics=["accuracy"])
    run = learner.fit((tokens, earlier), epochs=30, batch_size=32, progress=False)
    assert run.evaluate((tokens, earlier))["accuracy"] > 0.95


UNITS, WIDTH = 3, 2
STATE, ROW = lg.Real(UNITS, dtype="float64"), lg.Real(WIDTH, dtype="float64")
PORTS = [
    ("input/weight", lg.Real(UNITS, WIDTH, dtype="float64")),
    ("state/weight", lg.Real(UNITS, UNITS, dtype="float64")),
    ("bias", STATE),
]
CELL = parametric(PORTS, STATE @ ROW, lambda w, u, b, wires: ops.tanh(w @ wires[1] + b + u @ wires[0]))


def chain(n):
    """cell ; … ; cell : ℝ^(n, WIDTH) → S from the state 0, with weights of their own."""
    cut = trace(lambda x: (STATE[0].zero(), *(x[k] for k in range(n))), lg.Real(n, WIDTH, dtype="float64"))
    return lg.sequential(cut, *(CELL @ Ty(ROW.atoms * k) for k in reversed(range(n))))


@pytest.mark.parametrize("n", [2, 5, 9])
def test_one_cell_composed_with_itself_and_tied_is_the_loop(n):
    """Values and gradients; and the gradient of a tied weight is the sum over the cells (arXiv 2404.00408, section 3.1)."""
    apart = chain(n)
    tied = apart.tie(*(f"input/weight.{k}" for k in range(n))).tie(*(f"state/weight.{k}" for k in range(n)))
    tied = tied.tie(*(f"bias.{k}" for k in range(n)))
    loop = at(lg.simple_rnn(UNITS, last=True), lg.Real(n, WIDTH, dtype="float64"))
    assert tied.names == loop.names == tuple(label for label, _ in PORTS)
    *values, x, dy = reals(n, *(ob[0].shape for _, ob in PORTS), (n, WIDTH), (UNITS,))
    np.testing.assert_allclose(evaluate(tied.arrow, *values, x), evaluate(loop.arrow, *values, x), rtol=0, atol=1e-12)
    ours, theirs = (evaluate(R(f.arrow), *values, x, dy) for f in (tied, loop))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-12)
    *each, _ = evaluate(R(apart.arrow), *values * n, x, dy)
    for k, g in enumerate(ours[:3]):
        np.testing.assert_allclose(g, sum(each[k::3]), rtol=0, atol=1e-12)


def test_the_loop_does_not_grow_with_the_sequence_and_the_chain_does():
    def nodes(f):
        return len(unfold(R(f.arrow)).nodes)

    loops = {nodes(at(lg.simple_rnn(UNITS, last=True), lg.Real(n, WIDTH, dtype="float64"))) for n in (4, 8, 16)}
    assert len(loops) == 1 and nodes(chain(8)) - nodes(chain(4)) == nodes(chain(12)) - nodes(chain(8)) > 0


MODELS = {
    "lstm": lambda: lg.masked(lg.lstm(3, name="r")),
    "transformer": lambda: lg.masked(lg.transformer_block(2, 5, norm="rms", gated=True, rotary=True, name="b")),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_padded_batch_has_the_loss_and_gradients_of_its_sequences(name):
    """Two sequences of 3 and 5 steps, padded to 5 by rubbish, as one batch with a mask."""

    def task(steps):
        dom = real(steps, 4) @ lg.Bool(steps)
        return corner(dom, "x") >> MODELS[name]() >> lg.beside(lg.each(lg.dense(3, name="out"))) >> lg.cross_entropy("y")

    whole = task(5)
    rng = np.random.default_rng(0)
    lengths = (3, 5)
    x, y, mask = rng.standard_normal((2, 5, 4)), rng.integers(0, 3, (2, 5)), np.arange(5) < np.array(lengths)[:, None]
    many = batch(whole, 2)
    weights = [rng.standard_normal(p.ob[0].shape) for p in whole.params if p.label not in ("x", "y")]

    def values(x, mask, y):
        return [x, mask, *weights, y]

    losses, found = outputs(many, values(x, mask, y))[0], gradients(many, values(x, mask, y), [np.ones(2)])
    alone = []
    for k, n in enumerate(lengths):
        short = task(n)
        given = values(x[k, :n], np.ones(n, bool), y[k, :n])
        np.testing.assert_allclose(losses[k], outputs(short, given)[0], rtol=1e-12)
        alone.append(gradients(short, given, [np.ones(())]))
        np.testing.assert_array_equal(found[0][k, n:], 0)
        np.testing.assert_allclose(found[0][k, :n], alone[k][0], rtol=1e-10, atol=1e-13)
    for which in range(2, 2 + len(weights)):
        np.testing.assert_allclose(found[which], alone[0][which] + alone[1][which], rtol=1e-10, atol=1e-13)


def test_binary_cross_entropy_and_masked_losses():
    z, t = np.array([0.0, 2.0, -3.0, 800.0]), np.array([1.0, 0.0, 0.5, 1.0])
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        p = 1 / (1 + np.exp(-z))
        wanted = np.where(t > 0, -t * np.log(p), 0) + np.where(t < 1, -(1 - t) * np.log1p(-p), 0)
    f = at(lg.binary_cross_entropy(), real(4))
    np.testing.assert_allclose(outputs(f, [t, z])[0], wanted.mean(), rtol=1e-12)
    np.testing.assert_allclose(gradients(f, [t, z], [np.ones(())])[1], (p - t) / 4, rtol=1e-12, atol=1e-15)


def test_a_masked_loss_counts_what_is_shown():
    logits, labels, shown = np.random.default_rng(0).standard_normal((4, 3)), np.array([0, 2, 1, 1]), np.array([True, False, True, False])
    each = -np.log((np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[np.arange(4), labels])
    f = at(lg.cross_entropy(mask="m", metrics=["accuracy"]), real(4, 3))
    assert f.names == ("y", "m")
    np.testing.assert_allclose(outputs(f, [labels, shown, logits])[0], each[shown].mean(), rtol=1e-12)
    assert outputs(f, [labels, np.zeros(4, bool), logits])[0] == 0
    by_wire = at(lg.cross_entropy(), real(4, 3) @ lg.Bool(4))
    np.testing.assert_array_equal(outputs(by_wire, [labels, logits, shown])[0], outputs(f, [labels, shown, logits])[0])
    assert by_wire.cod == Ty(f.cod.atoms)


def test_a_masked_accuracy_counts_what_is_shown():
    logits, labels = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 1, 1])
    f = at(lg.cross_entropy(mask="m", metrics=["accuracy"]), real(4, 3))
    for shown, wanted in ([True, True, False, False], 1.0), ([True, True, True, True], 0.5), ([True, False, False, True], 0.5):
        assert evaluate(f.arrow, labels, np.array(shown), logits)[2] == wanted
