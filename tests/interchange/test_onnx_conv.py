"""Convolutions of ONNX: values as the reference has them, derivatives as differences have them, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
from onnx_nodes import agrees, floats, means, node, refusal, runtime, same, smooth

from lensgrad.interchange.onnx.meanings.conv import TABLE

CONV = [
    ({}, (2, 3, 7), (4, 3, 3)),
    ({"strides": [2], "pads": [2, 1], "dilations": [2]}, (1, 2, 9), (3, 2, 2)),
    ({"group": 2, "pads": [1, 0, 2, 1]}, (2, 4, 5, 6), (6, 2, 3, 2)),
    ({"auto_pad": "SAME_UPPER", "strides": [2, 3]}, (1, 2, 6, 7), (2, 2, 3, 4)),
    ({"auto_pad": "SAME_LOWER", "strides": [2, 1]}, (1, 2, 6, 7), (2, 2, 3, 4)),
    ({"auto_pad": "VALID", "kernel_shape": [2, 2]}, (1, 2, 4, 4), (2, 2, 2, 2)),
    ({"strides": [2, 1, 2], "pads": [1, 0, 1, 0, 1, 1]}, (1, 2, 4, 5, 4), (3, 2, 2, 3, 2)),
]


@pytest.mark.parametrize(("attributes", "image", "kernel"), CONV)
def test_convolutions_are_those_of_the_runtime(attributes, image, kernel):
    x, k, b = floats(0, image, kernel, (kernel[0],))
    agrees(TABLE, node("Conv", 3, **attributes), x, k, b, oracle=runtime, version=22)
    agrees(TABLE, node("Conv", 2, **attributes), x, k, oracle=runtime, version=22)


TRANSPOSED = [
    ({}, (2, 3, 7), (3, 4, 3)),
    ({"strides": [3], "pads": [1, 2], "output_padding": [1], "dilations": [2]}, (1, 2, 5), (2, 3, 3)),
    ({"group": 2, "strides": [2, 1]}, (1, 4, 3, 4), (4, 3, 3, 2)),
    ({"strides": [3, 2], "output_shape": [10, 8]}, (1, 1, 3, 3), (1, 2, 3, 3)),
    ({"strides": [2, 2], "auto_pad": "SAME_UPPER"}, (1, 1, 3, 3), (1, 2, 3, 3)),
    ({"strides": [2, 2], "auto_pad": "SAME_LOWER"}, (1, 1, 3, 3), (1, 2, 3, 3)),
    ({"strides": [1, 2, 1]}, (1, 2, 2, 3, 2), (2, 2, 2, 3, 2)),
]


@pytest.mark.parametrize(("attributes", "image", "kernel"), TRANSPOSED)
def test_transposed_convolutions_are_those_of_the_runtime(attributes, image, kernel):
    x, k, b = floats(1, image, kernel, (kernel[1] * attributes.get("group", 1),))
    agrees(TABLE, node("ConvTranspose", 3, **attributes), x, k, b, oracle=runtime, version=22)


def test_derivatives_of_convolutions():
    x, k, b = floats(2, (2, 4, 5, 5), (4, 2, 3, 2), (4,))
    smooth(TABLE, node("Conv", 3, group=2, strides=[2, 1], pads=[1, 0, 1, 1]), x, k, b)
    smooth(TABLE, node("ConvTranspose", 2, group=2, strides=[2, 1], pads=[1, 0, 1, 1]), x, k)


def test_whole_numbers_are_convolved_exactly():
    rng = np.random.default_rng(3)
    x, k = rng.integers(0, 256, (1, 2, 5, 5)).astype(np.uint8), rng.integers(0, 256, (3, 2, 3, 3)).astype(np.uint8)
    zero, rows = np.uint8(17), np.uint8(3)
    agrees(TABLE, node("ConvInteger", 4, pads=[1, 1, 1, 1]), x, k, zero, rows, oracle=runtime, version=22)
    agrees(TABLE, node("ConvInteger", 2), x, k, oracle=runtime, version=22)


@pytest.mark.parametrize(("image", "block"), [((5, 6), (2, 3)), ((4, 3, 5), (2, 1, 3))])
def test_blocks_are_added_into_images(image, block):
    axes = len(image)
    how: dict[str, Any] = {"strides": [2] + [1] * (axes - 1), "pads": [1] * axes + [0] * axes, "dilations": [1] * (axes - 1) + [2]}
    made, ones = node("Col2Im", 3, **how), np.ones((1, 1, *image), np.float32)
    kernel = np.eye(math.prod(block), dtype=np.float32).reshape(-1, 1, *block)
    positions = math.prod(np.asarray(runtime(node("Conv", 2, **how), ones, kernel)[0]).shape[2:])
    (x,) = floats(5, (2, 3 * math.prod(block), positions))
    agrees(TABLE, made, x, np.array(image), np.array(block), known=("x1", "x2"))
    told = f"Col2Im 'here' needs blocks (N, C · {math.prod(block)}, {positions}) for images {list(image)}, got f32[2,{x.shape[1]},1]"
    assert refusal(TABLE, made, x[..., :1], np.array(image), np.array(block), known=("x1", "x2")) == told


@pytest.mark.parametrize("activation", ["none", "silu", "swish"])
def test_convolutions_that_read_what_is_before(activation):
    x, k, b, past = floats(6, (2, 3, 5), (3, 1, 4), (3,), (2, 3, 3))
    whole = np.concatenate([past, x], 2)
    y = np.stack([(whole[:, :, t : t + 4] * k[:, 0]).sum(-1) for t in range(5)], -1) + b[:, None]
    made = node("CausalConvWithState", 4, 2, activation=activation)
    same(means(TABLE, made, x, k, b, past), [y if activation == "none" else y / (1 + np.exp(-y)), whole[:, :, -3:]])
    told = "CausalConvWithState 'here' must have the activation none, silu or swish, got relu"
    assert refusal(TABLE, node("CausalConvWithState", 2, activation="relu"), x, k) == told


def test_what_is_refused():
    x, k = floats(4, (1, 2, 4, 4), (2, 2, 3, 3))
    told = "Conv 'here' must have 2 strides, one for each space axis, got [2]"
    assert refusal(TABLE, node("Conv", 2, strides=[2]), x, k) == told
    told = "Conv 'here' must have 4 pads ≥ 0, those before each space axis and then those after, got [1, -1, 0, 0]"
    assert refusal(TABLE, node("Conv", 2, pads=[1, -1, 0, 0]), x, k) == told
    told = "Conv 'here' must have auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, got SAME"
    assert refusal(TABLE, node("Conv", 2, auto_pad="SAME"), x, k) == told
    told = "Conv 'here' does not fit: the channels do not fit in a convolution with 2 groups: x = f32[1,4,4,2] and k = f32[3,3,2,2]"
    assert refusal(TABLE, node("Conv", 2, group=2), x, k) == told
    told = "Conv 'here' needs a kernel of as many axes as its image f32[1,2,4,4], with the space [2, 2], got f32[2,2,3,3]"
    assert refusal(TABLE, node("Conv", 2, kernel_shape=[2, 2]), x, k) == told
    told = "Conv 'here' needs an image (N, C, *space), got f32[2]"
    assert refusal(TABLE, node("Conv", 2), np.zeros(2, np.float32), k) == told
    told = "ConvTranspose 'here' has windows smaller than its strides and auto_pad SAME, which runtimes read differently: give its pads"
    assert refusal(TABLE, node("ConvTranspose", 2, strides=[4, 4], auto_pad="SAME_UPPER"), x, k) == told
    told = "ConvTranspose 'here' would give an image of [0, 4]: use less padding, and one size for each space axis"
    assert refusal(TABLE, node("ConvTranspose", 2, pads=[3, 1, 3, 1]), x, k) == told
