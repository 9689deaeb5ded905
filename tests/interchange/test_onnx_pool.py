"""Pooling of ONNX: values as the runtime has them, derivatives as differences have them, and what is refused."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, means, node, reference, refusal, runtime, smooth

from lensgrad.interchange.onnx.meanings.pool import TABLE

FORMS = [
    ({"kernel_shape": [2]}, (2, 3, 7)),
    ({"kernel_shape": [3], "strides": [2], "pads": [1, 1], "ceil_mode": 1}, (1, 2, 8)),
    ({"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}, (2, 2, 5, 6)),
    ({"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}, (1, 2, 6, 6)),
    ({"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 2]}, (1, 2, 6, 6)),
    ({"kernel_shape": [2, 2], "dilations": [2, 1], "strides": [2, 2], "ceil_mode": 1}, (1, 2, 6, 7)),
    ({"kernel_shape": [2, 3, 2], "strides": [1, 2, 2], "pads": [1, 1, 0, 0, 1, 0]}, (1, 2, 4, 5, 4)),
]


@pytest.mark.parametrize(("attributes", "image"), FORMS)
def test_pooling_is_that_of_the_runtime(attributes, image):
    (x,) = floats(0, image)
    agrees(TABLE, node("MaxPool", 1, outputs=2, **attributes), x, oracle=runtime, version=22)
    agrees(TABLE, node("MaxPool", 1, outputs=2, storage_order=1, **attributes), x, oracle=runtime, version=22)
    agrees(TABLE, node("AveragePool", 1, **attributes), x, oracle=runtime, version=22)
    agrees(TABLE, node("AveragePool", 1, count_include_pad=1, **attributes), x, oracle=runtime, version=22)
    if not attributes.get("ceil_mode"):
        agrees(TABLE, node("LpPool", 1, p=3, **attributes), x, oracle=runtime, version=22)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_norms_of_windows_and_channels(p):
    (x,) = floats(1, (2, 3, 4, 5))
    agrees(TABLE, node("LpPool", 1, p=p, kernel_shape=[2, 2]), x, oracle=runtime, version=22)
    agrees(TABLE, node("GlobalLpPool", 1, p=p), x, oracle=runtime, version=21)
    smooth(TABLE, node("LpPool", 1, p=p, kernel_shape=[2, 2]), x)


def test_whole_channels():
    (x,) = floats(2, (2, 3, 4, 5))
    agrees(TABLE, node("GlobalAveragePool", 1), x)
    agrees(TABLE, node("GlobalMaxPool", 1), x)


def test_derivatives_of_pooling():
    (x,) = floats(3, (2, 2, 5, 6))
    smooth(TABLE, node("MaxPool", 1, kernel_shape=[3, 2], pads=[1, 0, 1, 1]), x)
    smooth(TABLE, node("AveragePool", 1, kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 2]), x)


def test_a_norm_of_zeros_is_zero():
    x = np.zeros((1, 1, 2, 2), np.float32)
    assert means(TABLE, node("LpPool", 1, p=3, kernel_shape=[2, 2]), x)[0].tolist() == [[[[0.0]]]]


def test_whole_numbers_have_a_largest():
    x = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)[..., ::-1].copy()
    agrees(TABLE, node("MaxPool", 1, kernel_shape=[2, 2]), x, oracle=runtime, version=22)


def test_what_was_pooled_is_put_back():
    (x,) = floats(4, (2, 2, 4, 6))
    y, where = (np.asarray(v) for v in runtime(node("MaxPool", 1, outputs=2, kernel_shape=[2, 2], strides=[2, 2]), x))
    agrees(TABLE, node("MaxUnpool", 2, kernel_shape=[2, 2], strides=[2, 2]), y, where.astype(np.int64), oracle=reference)
    shape = np.array([2, 2, 5, 7])
    agrees(TABLE, node("MaxUnpool", 3, kernel_shape=[2, 2], strides=[2, 2]), y, where.astype(np.int64), shape, known=("x2",))


def test_what_is_refused():
    (x,) = floats(5, (1, 2, 4, 4))
    assert refusal(TABLE, node("MaxPool", 1), x) == "MaxPool 'here' needs a kernel_shape"
    told = "MaxPool 'here' has windows smaller than its strides and auto_pad SAME, which runtimes read differently: give its pads"
    assert refusal(TABLE, node("MaxPool", 1, kernel_shape=[1, 1], strides=[4, 4], auto_pad="SAME_UPPER"), x) == told
    told = "LpPool 'here' must have p > 0, got 0"
    assert refusal(TABLE, node("LpPool", 1, p=0, kernel_shape=[2, 2]), x) == told
    told = "MaxRoiPool 'here' pools regions of computed sizes, and windows have fixed sizes here: use RoiAlign with a sampling_ratio"
    assert refusal(TABLE, node("MaxRoiPool", 1), x) == told
    told = "MaxPool 'here' does not fit: max-pool by (2, 2) cannot be padded by ((2, 0), (0, 0)): a window would be all padding"
    assert refusal(TABLE, node("MaxPool", 1, kernel_shape=[2, 2], pads=[2, 0, 0, 0]), x) == told
    told = "MaxUnpool 'here' has the result [1, 2, 5, 5], which does not fit into the shape [1, 2, 4, 5]"
    made = node("MaxUnpool", 3, kernel_shape=[2, 2])
    assert refusal(TABLE, made, x, np.zeros((1, 2, 4, 4), np.int64), np.array([1, 2, 4, 5]), known=("x2",)) == told
