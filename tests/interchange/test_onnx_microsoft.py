"""Operators of com.microsoft, beside onnxruntime: quantized results are at most one step apart, where it rounds in another order."""

from typing import Any

import numpy as np
import pytest
from onnx_nodes import agrees, floats, means, node, refusal, runtime

from lensgrad.interchange.onnx.meanings.microsoft import DOMAIN, TABLE

RNG = np.random.default_rng(0)
X, Y = (RNG.integers(0, 256, s).astype(np.uint8) for s in ((2, 3, 4, 5), (3, 1, 5)))
S, Z = np.float32(0.02), np.uint8(120)
T, U = np.float32(0.03), np.uint8(99)


def own(op: str, inputs: int | str, outputs: int = 1, **attributes: Any) -> Any:
    return node(op, inputs, outputs, domain=DOMAIN, **attributes)


def steps(made: Any, *xs: Any) -> None:
    """Refuse quantized results that are more than one step apart, or not mostly equal."""
    found, wanted = means(TABLE, made, *xs)[0].astype(int), np.asarray(runtime(made, *xs)[0]).astype(int)
    apart = np.abs(found - wanted)
    assert found.shape == wanted.shape and apart.max() <= 1 and apart.mean() < 0.1


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_quantized_arrays_of_two(op):
    steps(own(op, 8), X, S, Z, Y, T, U, np.float32(0.05), np.uint8(128))


def test_quantized_arrays_of_one():
    steps(own("QLinearSigmoid", 5), X, S, Z, np.float32(1 / 256), np.uint8(0))
    steps(own("QLinearLeakyRelu", 5, alpha=0.3), X, S, Z, T, U)
    steps(own("QLinearGlobalAveragePool", 5), X, S, Z, T, U)
    steps(own("QLinearAveragePool", 5, kernel_shape=[2, 3], strides=[1, 2], pads=[0, 1, 1, 0]), X, S, Z, T, U)
    for axis, opset in ((-1, 13), (1, 12)):
        steps(own("QLinearSoftmax", 5, axis=axis, opset=opset), X, S, Z, np.float32(1 / 256), np.uint8(0))
    steps(own("QLinearConcat", 8, axis=1), T, U, X, S, Z, X[:, :1], T, Z)


def test_products_of_quantized_arrays():
    a, b = RNG.integers(0, 256, (2, 3, 4)).astype(np.uint8), RNG.integers(0, 256, (4, 5)).astype(np.uint8)
    x, shift = floats(1, (2, 3, 4), (5,))
    agrees(TABLE, own("MatMulIntegerToFloat", 7), a, b, S, T, Z, U, shift, oracle=runtime, version=22)
    agrees(TABLE, own("DynamicQuantizeMatMul", 5), x, b, T, U, shift, oracle=runtime, version=22)


@pytest.mark.parametrize("zeros", [True, False])
@pytest.mark.parametrize("bits", [4, 8])
def test_products_with_matrices_of_few_bits(bits, zeros):
    (x, scales) = floats(2, (3, 40), (6 * 3,))
    q = RNG.integers(0, 256, (6, 3, 16 * bits // 8)).astype(np.uint8)
    packed = RNG.integers(0, 256, 6 * (2 if bits == 4 else 3)).astype(np.uint8)
    made = own("MatMulNBits", 4 if zeros else 3, K=40, N=6, bits=bits, block_size=16)
    more = (packed,) if zeros else ()
    agrees(TABLE, made, x, q, scales, *more, known=("x1", "x2", "x3")[: 2 + zeros], oracle=runtime, version=22)


def test_several_nodes_as_one():
    x, skip, scale, shift, bias = floats(3, (2, 3, 8), (2, 3, 8), (8,), (8,), (8,))
    agrees(TABLE, own("Gelu", 1), x, oracle=runtime, version=22)
    agrees(TABLE, own("BiasGelu", 2), x, bias, oracle=runtime, version=22)
    agrees(TABLE, own("FastGelu", 2), x, bias, oracle=runtime, version=22)
    agrees(TABLE, own("QuickGelu", 1, alpha=1.3), x, oracle=runtime, version=22)
    agrees(TABLE, own("FusedMatMul", 2, transB=1, alpha=0.5), x, skip, oracle=runtime, version=22)
    agrees(TABLE, own("SkipLayerNormalization", 5, epsilon=1e-3), x, skip, scale, shift, bias, oracle=runtime, version=22)
    agrees(TABLE, own("SkipSimplifiedLayerNormalization", 4, epsilon=1e-3), x, skip, scale, bias, oracle=runtime, version=22)
    agrees(TABLE, node("SimplifiedLayerNormalization", 2, epsilon=1e-3), x, scale, oracle=runtime, version=22)


def test_what_is_refused():
    told = "QLinearGlobalAveragePool 'here' has its channels last, which has no meaning here: export the network before it is optimized"
    assert refusal(TABLE, own("QLinearGlobalAveragePool", 5, channels_last=1), X, S, Z, T, U) == told
    told = "MatMulNBits 'here' has 2 bits for each number or an order of blocks: what has a meaning here are 4 or 8 bits in order"
    assert refusal(TABLE, own("MatMulNBits", 3, K=40, N=6, bits=2, block_size=16), X, X, X) == told
    told = "FusedMatMul 'here' moves the axes of its batch, which has no meaning here: export the network before it is optimized"
    assert refusal(TABLE, own("FusedMatMul", 2, transBatchA=1), X, X) == told
