"""What is wrong with data, in one sentence with the fix."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch

IMAGE = lg.Real(28, 28, 1)[0]
LABEL = lg.Int()[0]
Y = np.arange(6, dtype=np.int32) % 3


def test_good_data_is_nothing_to_talk_about():
    arrays = {"x": np.zeros((6, 28, 28, 1), np.float32), "y": Y}
    assert lg.data.check(arrays, {"x": IMAGE, "y": LABEL}, batch_size=6, classes={"y": 3}) == ()


@pytest.mark.parametrize(
    ("shape", "fix"),
    [
        ((28, 28), "add the axis of channels with x[..., None]"),
        ((28, 28, 1, 1), "take away the last axis with x[..., 0]"),
        ((1, 28, 28), "channels come last here, so move them with np.moveaxis(x, 1, -1)"),
        ((784,), "if only the form differs, use x.reshape(-1, 28, 28, 1)"),
        ((14, 56, 1), "if only the form differs, use x.reshape(-1, 28, 28, 1)"),
        ((32, 32, 3), "resize the images, or begin the model with lg.input(32, 32, 3)"),
        ((27,), "change the data, or begin the model with lg.input(27)"),
        ((), "give one row for each example, as x[:, None] does for single numbers"),
    ],
)
def test_examples_of_another_shape_are_refused_with_the_way_there(shape, fix):
    with pytest.raises(TypeMismatch) as error:
        lg.data.check({"x": np.zeros((6, *shape), np.float32)}, {"x": IMAGE})
    assert str(error.value) == f"'x' has examples of shape {shape}, and the model takes f32[28,28,1]: {fix}"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, np.nan], "'x' holds nan in row 1"),
        ([[1.0, 2.0], [3.0, -np.inf], [np.nan, 0]], "'x' holds -inf in row 1, entry 1"),
        (np.where(np.arange(24).reshape(2, 3, 4) == 17, np.inf, 0), "'x' holds inf in row 1, entry 1, 1"),
    ],
)
def test_numbers_that_are_not_finite_are_refused_with_their_place(x, message):
    with pytest.raises(BadValue) as error:
        lg.data.check({"x": np.array(x)}, {})
    assert str(error.value) == f"{message}: training needs finite numbers, so fill it in or leave the row out"


def test_a_mapped_file_is_not_searched(tmp_path):
    np.save(tmp_path / "x.npy", np.array([np.nan]))
    assert lg.data.check(lg.data.mapped(tmp_path / "x.npy"), {}) == ()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3], "'y' holds class numbers from 0 to 3, and the model has 3 classes, numbered 0 to 2: "
                 "give the last layer 4 outputs, or relabel the data"),
        ([-1, 2], "'y' holds class numbers from -1 to 2, and the model has 3 classes, numbered 0 to 2: relabel the data"),
    ],
)  # fmt: skip
def test_labels_outside_the_classes_are_refused(labels, message):
    with pytest.raises(BadValue) as error:
        lg.data.check({"y": np.array(labels)}, {}, classes={"y": 3})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": np.zeros((3, 2)), "y": Y},
            "all data must have the same number of examples, got x: 3, y: 6: give one row of each for every example",
        ),
        ({"x": np.zeros((0, 2)), "y": Y[:0]}, "there is no data: every array has 0 examples, and at least one is wanted: give it"),
        ({}, "there is no data: the dict of arrays is empty"),
    ],
)
def test_unequal_and_empty_data_are_refused(arrays, message):
    with pytest.raises(BadValue) as error:
        lg.data.check(arrays, {})
    assert str(error.value) == message


def test_a_batch_larger_than_the_data_is_said_to_be_one_short_batch():
    assert lg.data.check({"y": Y}, {}, batch_size=32) == ("batch_size 32 is more than the 6 examples, so every epoch is one batch of 6",)
    (part,) = lg.data.source({"y": Y}).batches(0, 32, 0)
    assert len(part["y"]) == 6


def test_classes_without_examples_are_named():
    assert lg.data.check({"y": Y}, {}, classes={"y": 4}) == ("class 3 has no example in 'y', so the model cannot learn it",)
    assert lg.data.check({"y": Y}, {}, classes={"y": 5}) == ("classes 3, 4 have no example in 'y', so the model cannot learn them",)


def test_classes_never_seen_in_training_are_named():
    names = ("cat", "dog", "fox")
    assert lg.data.unseen(Y, Y[:2], names) == ""
    assert lg.data.unseen(Y[:2], Y, names) == (
        "the validation data has class 'fox' (2), never seen in training: no model can learn what it is not shown"
    )
    assert lg.data.unseen(Y[:1], Y, what="test data") == (
        "the test data has classes 1, 2, never seen in training: no model can learn what it is not shown"
    )
    assert lg.data.unseen(Y / 2, Y) == ""


# -- labels as their loss takes them -----------------------------------------------------------------------------------

X = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
YES = np.array([0.0, 1, 1, 0, 1, 0])[:, None]


def learner(loss=lg.cross_entropy, outputs=3):
    return lg.supervised(lg.input(4) >> lg.dense(outputs), loss, lg.sgd(0.1))


HOLDS = "and this loss takes labels from 0 to 1"
LABELS = [
    (learner, Y + 0.0 + 5 * (np.arange(6) == 3), "'y' holds class numbers from 0 to 5, and the model has 3 classes, numbered 0 to 2: "
     "give the last layer 6 outputs, or relabel the data"),
    (learner, Y - 1.0, "'y' holds class numbers from -1 to 1, and the model has 3 classes, numbered 0 to 2: relabel the data"),
    (learner, Y + 1, "'y' holds class numbers from 1 to 3, and the model has 3 classes, numbered 0 to 2: "
     "use y - 1, or give the last layer 4 outputs"),
    (learner, Y + 0.5, "'y' holds 0.5 in row 0, and class numbers are whole, from 0 to 2: "
     "round them, or use a loss of numbers, such as lg.mse"),
    (lambda: learner(lg.cross_entropy(ignore_index=-100)), np.where(Y == 1, -1, Y),
     "'y' holds class numbers from -1 to 2, and the model has 3 classes, numbered 0 to 2: relabel the data"),
    (lambda: learner(lg.binary_cross_entropy, 1), 2 * YES - 1,
     f"'y' holds -1 in row 0, entry 0, {HOLDS}: use (y + 1) / 2, or lg.hinge, which takes -1 and 1"),
    (lambda: learner(lg.binary_cross_entropy, 1), YES + 1, f"'y' holds 2 in row 1, entry 0, {HOLDS}: use y - 1"),
    (lambda: learner(lg.binary_cross_entropy, 1), 255 * YES, f"'y' holds 255 in row 1, entry 0, {HOLDS}: use y / 255"),
    (lambda: learner(lg.binary_cross_entropy, 1), 1000 * YES, f"'y' holds 1000 in row 1, entry 0, {HOLDS}: bring them between 0 and 1"),
    (lambda: learner(lg.hinge, 1), YES, "'y' holds 0 in row 0, entry 0, and this loss takes the labels -1 and 1: "
     "use 2 * y - 1, or lg.binary_cross_entropy, which takes 0 and 1"),
    (lambda: learner(lg.hinge, 1), 3 * YES, "'y' holds 0 in row 0, entry 0, and this loss takes the labels -1 and 1: "
     "make each of them -1 or 1"),
    (lambda: learner(lg.poisson, 1), -YES, "'y' holds -1 in row 1, entry 0, and this loss takes counts, which are 0 or more"),
    (lambda: learner(lambda y, metrics=(): lg.cross_entropy(y, labels="probabilities")), np.full((6, 3), 0.5),
     "the numbers of 'y' in row 0 add up to 1.5, and the label of an example is one distribution: divide each row by its sum"),
    (lambda: learner(lambda y, metrics=(): lg.kl_divergence(y)), np.array([[1.5, -0.5, 0.0]] * 6),
     "'y' holds -0.5 in row 0, entry 1, and the label of an example is one distribution: numbers ≥ 0"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "labels", "message"), LABELS, ids=[m[:60] for _, _, m in LABELS])
def test_labels_that_a_loss_does_not_take_are_refused_wherever_they_come(make, labels, message):
    made = make()
    for call in (lambda: made.fit((X, labels), progress=False), lambda: made.fit([{"x": X, "y": labels}] * 3, progress=False)):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == message
    run = made.fit((X, legal(made)), epochs=0, progress=False)
    for call in (lambda: run.evaluate((X, labels)), lambda: run.evaluate([{"x": X, "y": labels}] * 2)):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == message


def legal(made):
    """Labels that a learner takes: ones for sides, the first class, nothing, or a distribution."""
    kind, shape = made.kinds()["y"], made.examples()["y"].shape
    if kind.labels == "distribution":
        return np.full((6, *shape), 1 / 3)
    return np.ones((6, *shape)) if kind.labels == "side" else np.zeros((6, *shape))


@pytest.mark.parametrize(
    ("make", "labels"),
    [(learner, Y + 0.0), (learner, Y == 1), (lambda: learner(lg.cross_entropy(ignore_index=-100)), np.where(Y == 1, -100, Y)),
     (lambda: learner(lg.binary_cross_entropy, 1), YES * 0.9), (lambda: learner(lg.hinge, 1), 2 * YES - 1)],
    ids=["floats", "truth values", "ignored", "soft", "sides"],
)  # fmt: skip
def test_labels_that_a_loss_takes_are_trained_on(make, labels):
    assert np.isfinite(make().fit((X, labels), progress=False).history[0]["loss"])


def test_tokens_out_of_range_are_refused_as_floats_too():
    made = lg.supervised(
        lg.sequential(lg.input(3, dtype="int32"), lg.embedding(5, 2), lg.flatten(), lg.dense(3)), lg.cross_entropy, lg.sgd(0.1)
    )
    tokens = np.arange(18.0).reshape(6, 3) % 5
    assert made.fit((tokens, Y), progress=False).history
    for bad, message in ((7.0, "'x' holds 7 in row 2, entry 1, and the model reads numbers from 0 to 4"),
                         (0.5, "'x' holds 0.5 in row 2, entry 1, and the model reads whole numbers from 0 to 4")):  # fmt: skip
        spoiled = np.where(np.arange(18).reshape(6, 3) == 7, bad, tokens)
        for data in ((spoiled, Y), [{"x": spoiled, "y": Y}] * 3):
            with pytest.raises(BadValue) as error:
                made.fit(data, progress=False)
            assert str(error.value).startswith(message)


def test_names_of_classes_are_to_be_numbered():
    with pytest.raises(BadValue) as error:
        learner().fit((X, np.array(["cat", "dog", "fox"])[Y]), progress=False)
    assert str(error.value).startswith("'y' holds text, such as 'cat'") and "y = np.unique(y, return_inverse=True)" in str(error.value)


def test_a_masked_array_is_refused():
    masked = np.ma.masked_less(X, 0)
    run = learner().fit((X, Y), epochs=0, progress=False)
    calls = [lambda: learner().fit((masked, Y), progress=False), lambda: run.evaluate({"x": masked, "y": Y}), lambda: run.predict(masked)]
    for call in calls:
        with pytest.raises(BadValue) as error:
            call()
        assert "masked" in str(error.value) and "or weigh them 0 with sample_weight" in str(error.value)
