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
        ({"x": np.zeros((3, 2)), "y": Y}, "all data must have the same number of examples, got x: 3, y: 6"),
        ({"x": np.zeros((0, 2)), "y": Y[:0]}, "there is no data: every array has 0 examples"),
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
