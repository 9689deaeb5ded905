"""Splitting and scaling: proportions, nothing lost, nothing learned from the test set."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lensgrad as lg
from lensgrad.core.errors import BadValue

X = np.arange(60.0, dtype=np.float32).reshape(30, 2)
Y = np.repeat(np.arange(3, dtype=np.int32), (5, 10, 15))


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.floats(0.05, 0.95), st.integers(0, 99))
def test_every_class_is_divided_in_proportion_and_nothing_is_lost(sizes, fraction, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(y)
    if not 0 < round(fraction * n) < n:
        return
    first, second = lg.data.split((np.arange(n), y), fraction, seed)
    assert len(second[0]) == round(fraction * n)
    assert sorted([*first[0], *second[0]]) == list(range(n))
    for part in (first, second):
        assert np.array_equal(part[1], y[part[0]])
        assert (np.diff(part[0]) > 0).all()
    for c, size in enumerate(sizes):
        assert abs(np.count_nonzero(second[1] == c) - fraction * size) < 1


def test_what_rounding_leaves_goes_to_the_largest_remainders():
    y = np.repeat([0, 1, 2], (10, 10, 11))  # a quarter is 2.5, 2.5 and 2.75 of them, 7.75 in all
    assert np.bincount(lg.data.split((y, y), 0.25)[1][1]).tolist() == [3, 2, 3]


def test_a_split_repeats_by_its_seed_and_differs_between_seeds():
    parts = [lg.data.split((X, Y), 0.2, seed)[1][0].tolist() for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]


def test_without_stratifying_or_classes_rows_are_divided_as_a_whole():
    y = np.zeros(10, np.int32)
    y[0] = 1
    counts = [lg.data.split((np.arange(10), y), 0.5, seed, stratify=False)[1][1].sum() for seed in range(8)]
    assert set(counts) == {0, 1}
    _, test = lg.data.split((np.arange(10), np.linspace(0, 1, 10)), 0.3)
    assert len(test[0]) == 3


def test_parts_have_the_form_of_the_data():
    data = lg.data.Dataset(X, Y, ("a", "b"), ("u", "v", "w"))
    train, test = lg.data.split(data, 0.2)
    assert (len(train), len(test), test.classes, np.bincount(test.y).tolist()) == (24, 6, ("u", "v", "w"), [1, 2, 3])
    train, test = lg.data.split({"x": X, "y": Y, "weight": Y}, 0.2)
    assert test.keys() == {"x", "y", "weight"} and np.array_equal(test["y"], test["weight"])


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.01, -1.0, 2.0])
def test_an_empty_part_is_refused(fraction):
    with pytest.raises(BadValue) as error:
        lg.data.split((X, Y), fraction)
    assert str(error.value) == f"a fraction of {fraction} of 30 examples leaves one part empty: give a share between 0 and 1, such as 0.25"


def test_streams_are_not_split():
    with pytest.raises(BadValue) as error:
        lg.data.split(iter([1]))
    assert str(error.value) == "split divides arrays: a pair (x, y), a dict of arrays or a data set; got list_iterator"


def test_a_data_set_that_cannot_be_made_anew_is_told_so():
    for call in (lg.data.split, lg.data.standardize):
        with pytest.raises(BadValue) as error:
            call(SimpleNamespace(x=X, y=Y))
        told = "a data set must be a dataclass to be divided or scaled, got SimpleNamespace: give the pair (x, y)"
        assert str(error.value) == told


def test_standardizing_takes_mean_and_deviation_from_the_training_set_only():
    train, test = (X[:20], Y[:20]), (X[20:], Y[20:])
    ours, theirs, scale = lg.data.standardize(train, test)
    assert np.array_equal(scale.mean, X[:20].mean(0, np.float64)) and np.array_equal(scale.std, X[:20].astype(np.float64).std(0))
    np.testing.assert_allclose(ours[0].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(ours[0].std(0), 1, rtol=1e-6)
    assert np.array_equal(theirs[0], scale(X[20:])) and theirs[1] is test[1]
    assert theirs[0].dtype == np.float32 and theirs[0].mean() > 1


def test_a_constant_feature_becomes_zero_and_bytes_become_floats():
    x = np.array([[1, 7], [3, 7]], np.uint8)
    (scaled, _), scale = lg.data.standardize((x, Y[:2]))
    assert scaled.tolist() == [[-1, 0], [1, 0]] and scaled.dtype == np.float32
    assert scale.std.tolist() == [1, 1]


def test_images_are_scaled_by_channel():
    x = np.random.default_rng(0).normal(3, 2, (10, 4, 4, 3))
    data, scale = lg.data.standardize(lg.data.Dataset(x, Y[:10]))
    assert scale.mean.shape == (3,)
    np.testing.assert_allclose(data.x.mean((0, 1, 2)), 0, atol=1e-12)


def test_a_scale_refuses_other_features():
    *_, scale = lg.data.standardize({"x": X, "y": Y})
    with pytest.raises(BadValue) as error:
        scale(X[:, :1])
    assert str(error.value) == "this scale is for 2 features, and the data has rows of shape (1,)"
