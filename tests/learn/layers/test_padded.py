"""Sequences of different lengths, padded: the loss and gradients of a batch are those of its sequences alone."""

import numpy as np
import pytest
from layer_checks import gradients, outputs

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.cat.para import corner
from lensgrad.core.errors import BadValue
from lensgrad.learn.batching import batch

LENGTHS = (1, 4, 6, 3, 6)


def embed():
    return lg.beside(lg.embedding(7, 4, dtype="float64", name="embed"))


MODELS = {
    "lstm, last step": lambda: (embed(), lg.lstm(3, last=True, name="r"), lg.dense(3, name="out")),
    "lstm backward, last step": lambda: (embed(), lg.lstm(3, last=True, backward=True, name="r"), lg.dense(3, name="out")),
    "gru, average": lambda: (embed(), lg.masked(lg.gru(3, name="r")), lg.global_average_pool(), lg.dense(3, name="out")),
    "simple rnn, largest": lambda: (embed(), lg.masked(lg.simple_rnn(3, name="r")), lg.global_max_pool(), lg.dense(3, name="out")),
    "attention, average": lambda: (
        embed(), lg.masked(lg.multi_head_attention(2, name="a")), lg.global_average_pool(), lg.dense(3, name="out")
    ),
    "lstm, a label a step": lambda: (embed(), lg.masked(lg.lstm(3, name="r")), lg.beside(lg.each(lg.dense(3, name="out")))),
}  # fmt: skip


def task(name, steps):
    dom = lg.Int(steps) @ lg.Bool(steps)
    first, second = (corner(ob, label) for ob, label in ((lg.Int(steps), "x"), (lg.Bool(steps), "mask")))
    model = lg.sequential(*MODELS[name]()[0:1]).at(dom) >> lg.sequential(*MODELS[name]()[1:])
    return first @ second >> model >> lg.cross_entropy("y")


@pytest.mark.parametrize("name", MODELS)
def test_a_padded_batch_has_the_loss_and_gradients_of_its_sequences_alone(name):
    rng = np.random.default_rng(0)
    words = [rng.integers(0, 7, n) for n in LENGTHS]
    padded, labelled = lg.data.pad(words, value=5), "a step" in name
    truth = [rng.integers(0, 3, n if labelled else ()) for n in LENGTHS]
    whole = task(name, 6)
    many = batch(whole, len(words))
    weights = [rng.standard_normal(p.ob[0].shape) for p in whole.params if p.role is Role.WEIGHT]
    y = lg.data.pad(truth, value=2)["x"] if labelled else np.array(truth)
    given = [padded["x"], padded["mask"], *weights, y]
    losses, found = outputs(many, given)[0], gradients(many, given, [np.ones(len(words))])
    total = [np.zeros_like(w) for w in weights]
    for k, (word, label) in enumerate(zip(words, truth, strict=True)):
        short, alone = task(name, len(word)), [word, np.ones(len(word), bool), *weights, label]
        np.testing.assert_allclose(losses[k], outputs(short, alone)[0], rtol=1e-12, atol=1e-14)
        own = gradients(short, alone, [np.ones(())])
        total = [t + own[2 + i] for i, t in enumerate(total)]
    for i, wanted in enumerate(total):
        np.testing.assert_allclose(found[2 + i], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_the_longest_sequence_is_computed_as_if_nothing_were_padded(name):
    """Among five copies of itself to the bit; alone to units in the last place: products of another size sum in another order."""
    rng = np.random.default_rng(2)
    words = [rng.integers(0, 7, n) for n in LENGTHS]
    whole, longest = task(name, 6), LENGTHS.index(max(LENGTHS))
    weights = [rng.standard_normal(p.ob[0].shape) for p in whole.params if p.role is Role.WEIGHT]

    def losses(given):
        padded = lg.data.pad(given, value=5)
        y = np.ones((len(given), 6) if "a step" in name else len(given), int)
        return outputs(batch(whole, len(given)), [padded["x"], padded["mask"], *weights, y])[0]

    found = losses(words)[longest]
    assert found == losses([words[longest]] * 5)[longest]
    np.testing.assert_allclose(found, losses([words[longest]])[0], rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", MODELS)
def test_what_padding_holds_is_never_read(name):
    rng = np.random.default_rng(1)
    words = [rng.integers(0, 7, n) for n in LENGTHS]
    many = batch(task(name, 6), len(words))
    weights = [rng.standard_normal(p.ob[0].shape) for p in many.params if p.role is Role.WEIGHT]
    y = np.zeros((len(words), 6) if "a step" in name else len(words), int)
    found = [outputs(many, [p["x"], p["mask"], *weights, y])[0] for p in (lg.data.pad(words, value=v) for v in (0, 6))]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_fit_and_predict_take_what_pad_gives(backend):
    words = [[1, 2, 3], [9], [4, 9], [5], [3, 3], [9, 1, 2]]
    data = {**lg.data.pad(words), "y": np.array([0, 1, 1, 0, 0, 1])}
    model = lg.sequential(
        lg.input(3, dtype="int32") @ lg.input(3, dtype="bool"),
        lg.beside(lg.embedding(10, 4)), lg.masked(lg.gru(6)), lg.global_max_pool(), lg.dense(2),
    )  # fmt: skip
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.05), input=("x", "mask"))
    run = learner.fit(data, epochs=30, batch_size=3, progress=False, backend=backend)
    assert run.predict({"x": data["x"], "mask": data["mask"]}).argmax(1).tolist() == data["y"].tolist()


def test_pad_by_hand():
    made = lg.data.pad([[1, 2], [3, 4, 5], []], length=4, value=-1)
    assert made["x"].tolist() == [[1, 2, -1, -1], [3, 4, 5, -1], [-1] * 4]
    assert made["mask"].tolist() == [[True, True, False, False], [True, True, True, False], [False] * 4]
    pairs = lg.data.pad([np.ones((2, 3)), np.zeros((1, 3))], names=("seq", "shown"))
    assert pairs["seq"].shape == (2, 2, 3) and pairs["shown"].tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: lg.data.pad([]), "pad expects at least one sequence, got none"),
        (
            lambda: lg.data.pad([[1, 2, 3], [1]], length=2),
            "length=2 cannot hold the longest sequence, of 3 steps: cut the sequences or give more",
        ),
        (
            lambda: lg.data.pad([np.ones((2, 3)), np.ones((2, 4))]),
            "sequences differ in their first axis only, got shapes (2, 3), (2, 4)",
        ),
    ],
)
def test_what_cannot_be_padded_is_refused(call, told):
    with pytest.raises(BadValue) as error:
        call()
    assert str(error.value) == told
