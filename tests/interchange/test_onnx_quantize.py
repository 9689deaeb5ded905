"""Quantized numbers in ONNX: rounding, limits and products, to the bit."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, means, node, reference, refusal, runtime

from lensgrad.interchange.onnx.meanings.quantize import TABLE

(X,) = floats(0, (3, 4))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_halves_go_to_even_and_what_is_beyond_stays_at_the_limits(dtype):
    x = np.array([0.25, 0.75, 1.25, -0.25, -0.75, 1e6, -1e6, 3.1], np.float32)
    zero = np.array(3, dtype)
    found = means(TABLE, node("QuantizeLinear", 3), x, np.float32(0.5), zero, known=("x2",))[0]
    assert found.tolist() == reference(node("QuantizeLinear", 3), x, np.float32(0.5), zero)[0].tolist()
    back = means(TABLE, node("DequantizeLinear", 3), found.astype(dtype), np.float32(0.5), zero)[0]
    assert back.tolist() == reference(node("DequantizeLinear", 3), found.astype(dtype), np.float32(0.5), zero)[0].tolist()


def test_scales_for_each_row_and_for_each_block():
    scale, zero = np.array([0.1, 0.2, 0.3, 0.4], np.float32), np.array([1, 2, 3, 4], np.uint8)
    agrees(TABLE, node("QuantizeLinear", 3, axis=-1), X, scale, zero)
    agrees(TABLE, node("QuantizeLinear", 3, axis=0), X, scale[:3], zero[:3])
    (blocks,) = floats(1, (2, 4))
    zeros = np.arange(8, dtype=np.uint8).reshape(2, 4)
    made = node("QuantizeLinear", 3, axis=0, block_size=2)
    agrees(TABLE, made, X, np.abs(blocks) + 0.1, zeros, oracle=reference)
    q = np.arange(12, dtype=np.uint8).reshape(3, 4)
    agrees(TABLE, node("DequantizeLinear", 3, axis=0, block_size=2), q, np.abs(blocks), zeros, oracle=reference)
    agrees(TABLE, node("QuantizeLinear", 2, output_dtype=3), X, np.float32(0.02))


def test_limits_from_the_data():
    for x in (X, np.abs(X) + 1, -np.abs(X)):
        agrees(TABLE, node("DynamicQuantizeLinear", 1, 3), x, oracle=runtime)
    agrees(TABLE, node("DynamicQuantizeLinear", 1, 3), np.zeros_like(X))


def test_products_of_whole_numbers():
    rng = np.random.default_rng(2)
    a, b = (
        rng.integers(0, 256, (2, 3, 4)).astype(np.uint8),
        rng.integers(-64, 64, (4, 5)).astype(np.int8),
    )  # products of 8 bits saturate in the runtime on some processors
    agrees(TABLE, node("MatMulInteger", 2), a, b, oracle=runtime)
    agrees(TABLE, node("MatMulInteger", 4), a, b, np.uint8(7), np.array([1, -2, 3, -4, 5], np.int8), oracle=runtime)
    scales = [np.float32(0.02), np.float32(0.03), np.float32(0.11)]
    zeros = [np.uint8(5), np.int8(-3), np.uint8(100)]
    xs = [a, scales[0], zeros[0], b, scales[1], zeros[1], scales[2], zeros[2]]
    agrees(TABLE, node("QLinearMatMul", 8), *xs, oracle=runtime)
    rows = [a[0], np.array([0.02, 0.03, 0.04], np.float32), np.array([5, 6, 7], np.uint8), *xs[3:]]
    known = means(TABLE, node("QLinearMatMul", 8), *rows)[0]
    each = [means(TABLE, node("QLinearMatMul", 8), a[0, k : k + 1], rows[1][k], rows[2][k], *xs[3:])[0][0] for k in range(3)]
    assert known.tolist() == np.array(each).tolist()


@pytest.mark.parametrize("group", [1, 2])
def test_convolutions_of_whole_numbers(group):
    rng = np.random.default_rng(3)
    x, k = rng.integers(0, 256, (1, 4, 6, 6)).astype(np.uint8), rng.integers(-64, 64, (4, 4 // group, 3, 3)).astype(np.int8)
    scale, zero = np.array([0.01, 0.02, 0.03, 0.04], np.float32), np.array([0, 0, 0, 0], np.int8)
    shift = rng.integers(-500, 500, 4).astype(np.int32)
    xs = [x, np.float32(0.05), np.uint8(120), k, scale, zero, np.float32(0.9), np.uint8(128), shift]
    agrees(TABLE, node("QLinearConv", 9, pads=[1, 1, 1, 1], group=group), *xs, oracle=runtime)


def test_what_is_refused():
    told = "QuantizeLinear 'here' has a zero point that is computed from data, and shapes are fixed here"
    assert refusal(TABLE, node("QuantizeLinear", 3), X, np.float32(0.1), np.int8(0)).startswith(told)
    told = "QuantizeLinear 'here' quantizes to 17, which has no meaning here: use int2, int4, int8, int16, uint2, uint4, uint8, uint16"
    assert refusal(TABLE, node("QuantizeLinear", 2, output_dtype=17), X, np.float32(0.1)) == told
    told = "QuantizeLinear 'here' must have an axis of f32[3,4], got 2"
    assert refusal(TABLE, node("QuantizeLinear", 2, axis=2), X, np.ones(4, np.float32)) == told
    told = "DequantizeLinear 'here' must give floats, got dtype 3 of ONNX"
    assert refusal(TABLE, node("DequantizeLinear", 2, output_dtype=3), np.zeros(3, np.uint8), np.float32(0.1)) == told
    told = "QuantizeLinear 'here' must have a float as its precision, got dtype 2 of ONNX"
    assert refusal(TABLE, node("QuantizeLinear", 2, precision=2), X, np.float32(0.1)) == told
