"""Data that no memory holds is told with its size; and what is scaled is not copied as a whole."""

import importlib
import tracemalloc

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import OutOfMemory

split = importlib.import_module("lensgrad.data.split")  # the function of this name hides its module


def told(call, *args, **options):
    with pytest.raises(OutOfMemory) as error:
        call(*args, **options)
    return str(error.value)


def test_one_hot_rows_beyond_memory_are_told_with_their_size():
    labels = np.broadcast_to(np.int8(0), (2**26,))
    assert told(lg.data.one_hot, labels, 2**20, "float64") == (
        "one-hot rows must fit into memory, and float64[67108864,1048576] takes 562,949,953,421,312 bytes: "
        "take fewer rows, or keep the class numbers"
    )


def test_padding_beyond_memory_is_told_with_its_size():
    row = np.broadcast_to(np.float32(0), (2, 2**50))
    assert told(lg.data.pad, [row], length=2**30) == (
        "padded sequences must fit into memory, and float32[1,1073741824,1125899906842624] takes 4,835,703,278,458,516,698,824,704 "
        "bytes: cut the longest sequences, or pad fewer at a time"
    )


def test_a_scale_beyond_memory_is_told_with_its_size():
    rows = np.broadcast_to(np.float32(0), (2**50, 8))
    assert told(split.Scale(np.zeros(8), np.ones(8)), rows) == (
        "features on a scale must fit into memory, and float32[1125899906842624,8] takes 36,028,797,018,963,968 bytes: "
        "scale fewer rows at a time"
    )


@pytest.mark.parametrize("shape", [(500, 3), (40, 5, 6, 2), (700,)])
@pytest.mark.parametrize("dtype", ["float32", "int16", "float64"])
def test_a_scale_found_some_rows_at_a_time_is_that_of_all_rows(monkeypatch, shape, dtype):
    x = np.random.default_rng(0).normal(1e3, 5, shape).astype(dtype)
    whole = split.standardize({"x": x})
    monkeypatch.setattr(split, "AT_ONCE", 64)
    parts = split.standardize({"x": x})
    assert np.allclose(parts[1].mean, whole[1].mean, rtol=1e-12) and np.allclose(parts[1].std, whole[1].std, rtol=1e-12)
    assert parts[0]["x"].dtype == whole[0]["x"].dtype and np.allclose(parts[0]["x"], whole[0]["x"], atol=1e-6)


def test_many_rows_are_scaled_without_a_copy_of_them_in_float64(monkeypatch):
    x = np.random.default_rng(0).normal(size=(20_000, 40)).astype("float32")
    monkeypatch.setattr(split, "AT_ONCE", 1 << 14)
    tracemalloc.start()
    split.standardize({"x": x})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * x.nbytes


def test_padding_has_its_value_and_its_mask():
    found = lg.data.pad([[1, 2, 3], [4]], value=9)
    assert found["x"].tolist() == [[1, 2, 3], [4, 9, 9]] and found["mask"].tolist() == [[True] * 3, [True, False, False]]
