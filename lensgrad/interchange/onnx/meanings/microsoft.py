"""Operators of the domain com.microsoft that onnxruntime's own tools write: quantized ones, and several nodes as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.meanings import norm, pool
from lensgrad.interchange.onnx.meanings.linear import product
from lensgrad.interchange.onnx.meanings.quantize import dequantize, dynamic_quantize, less, quantize, quantized_dtype, rowed, within
from lensgrad.interchange.shapes import alike, spread_to
from lensgrad.learn.layers.activations import gelu, gelu_tanh
from lensgrad.theories.smooth import ops

DOMAIN = "com.microsoft"

# -- quantized arrays: what is meant is computed, and quantized again --------------------------------------------------


def meant(call: c.Call, k: int) -> Wire:
    """scale · (q − zero) for the inputs k, k + 1 and k + 2."""
    q = ops.cast(call.wire(k), "float32")
    zero = spread_to(ops.reshape(ops.cast(call.wire(k + 2), "float32")), q.atom.shape) if call.given(k + 2) else None
    return (q if zero is None else q - zero) * spread_to(ops.reshape(call.wire(k + 1)), q.atom.shape)


def quantized(call: c.Call, y: Wire, k: int, like: int) -> list[Wire]:
    """round(y / scale) + zero for the inputs k and k + 1, in the dtype of that zero point, or of input `like` where there is none."""
    scale = spread_to(ops.reshape(call.wire(k)), y.atom.shape)
    zero = spread_to(ops.reshape(ops.cast(call.wire(k + 1), "float32")), y.atom.shape) if call.given(k + 1) else None
    return [within(call, ops.round(y / scale), zero, quantized_dtype(call, k + 1, like))]


def of_one(fn: Callable[[c.Call, Wire], Wire]) -> c.Meaning:
    """A quantized operator on one array; inputs x, scale, zero, scale, zero."""
    return lambda call: quantized(call, fn(call, meant(call, 0)), 3, 0)


def of_two(fn: Callable[[Wire, Wire], Wire]) -> c.Meaning:
    """A quantized operator on two arrays, spread as NumPy does; inputs a, scale, zero, b, scale, zero, scale, zero."""
    return lambda call: quantized(call, fn(*alike(meant(call, 0), meant(call, 3))), 6, 0)


def alone(call: c.Call, x: Wire, version: int | None = None) -> c.Call:
    """The node with x as its only input."""
    return replace(call, inputs=(x,), version=version or max(call.version, 22))


def leaky_relu(call: c.Call, x: Wire) -> Wire:
    return ops.select(x > 0.0, x, x * float(call.attribute("alpha", 0.01)))


def softmax(call: c.Call, x: Wire) -> Wire:
    return norm.softmax(alone(call, x, int(call.attribute("opset", 13))))[0]


def first_channels(call: c.Call, x: Wire) -> Wire:
    """x, whose channels stand first."""
    if call.attribute("channels_last", 0):
        raise call.refused("has its channels last, which has no meaning here: export the network before it is optimized")
    return x


def average_pool(call: c.Call, x: Wire) -> Wire:
    return pool.average_pool(alone(call, first_channels(call, x)))[0]


def global_average_pool(call: c.Call, x: Wire) -> Wire:
    return pool.global_average_pool(alone(call, first_channels(call, x)))[0]


def concat(call: c.Call) -> list[Wire]:
    """Quantized arrays side by side; inputs scale, zero, and then x, scale, zero of each."""
    xs = [meant(call, k) for k in range(2, len(call.inputs), 3)]
    return quantized(call, ops.concatenate(xs, int(call.attribute("axis", 0))), 0, 2)


def matmul_to_float(call: c.Call) -> list[Wire]:
    """(a − zero)(b − zero) times both scales, + β; inputs a, b, scale, scale, zero, zero, β."""
    a, b = call.wire(0), call.wire(1)
    y = product(less(a, rowed(call, 4, a.atom.rank) if call.given(4) else None), less(b, call.wire(5) if call.given(5) else None))
    scales = spread_to(rowed(call, 2, a.atom.rank), y.atom.shape) * spread_to(call.wire(3), y.atom.shape)
    return [shifted(call, ops.cast(y, "float32") * scales, 6)]


def dynamic_matmul(call: c.Call) -> list[Wire]:
    """a, quantized by its own limits, times a quantized b; inputs a, b, scale, zero, β."""
    a, scale, zero = dynamic_quantize(call)
    return matmul_to_float(replace(call, inputs=(a, call.inputs[1], scale, call.inputs[2], zero, *call.inputs[3:])))


def shifted(call: c.Call, y: Wire, k: int) -> Wire:
    """y, and + β where the node has input k."""
    return y + spread_to(call.wire(k), y.atom.shape) if call.given(k) else y


def matmul_bits(call: c.Call) -> list[Wire]:
    """a times a matrix of 4 or 8 bits for each number, with a scale for each block of a row, + β."""
    bits, block = int(call.attribute("bits", 4)), int(call.attribute("block_size", 32))
    if bits not in (4, 8) or call.given(4):
        raise call.refused(f"has {bits} bits for each number or an order of blocks: what has a meaning here are 4 or 8 bits in order")
    rows, columns = int(call.attribute("N", 0)), int(call.attribute("K", 0))
    count = -(-columns // block)
    q = unpacked(call.constant(1, "a matrix"), bits, rows * count, block)
    scales = call.constant(2, "scales").astype("float32").reshape(-1, 1)
    zeros: Numbers = np.full((rows * count, 1), 2.0 ** (bits - 1), np.float32)
    if call.given(3):
        given = call.constant(3, "zero points")
        zeros = unpacked(given, bits, rows, count).reshape(-1, 1) if given.dtype == np.uint8 else given.astype("float32").reshape(-1, 1)
    whole = ((q - zeros) * scales).reshape(rows, -1)[:, :columns]
    a = call.wire(0)
    weights = call.site.weight(f"{call.name or call.op}/weight", whole.astype(a.atom.dtype))
    return [shifted(call, product(a, ops.transpose(weights)), 5)]


def unpacked(array: Numbers, bits: int, rows: int, columns: int) -> Numbers:
    """Numbers of so many bits that are packed in bytes, the lower ones first: (rows, columns) in float32."""
    flat = array.astype(np.uint8).reshape(rows, -1)
    wide = flat if bits == 8 else np.stack([flat & 15, flat >> 4], -1).reshape(rows, -1)
    return wide[:, :columns].astype(np.float32)


# -- several nodes as one ----------------------------------------------------------------------------------------------


def bias_gelu(call: c.Call) -> list[Wire]:
    """x Φ(x) of the sum of both inputs."""
    return [gelu(shifted(call, call.wire(0), 1))]


def fast_gelu(call: c.Call) -> list[Wire]:
    """x Φ(x), with Φ approximated by tanh, of the sum of both inputs."""
    return [gelu_tanh(shifted(call, call.wire(0), 1))]


def quick_gelu(call: c.Call) -> list[Wire]:
    """x · sigmoid(α x)."""
    x = call.wire(0)
    return [x * ops.sigmoid(x * float(call.attribute("alpha", 1.702)))]


def fused_matmul(call: c.Call) -> list[Wire]:
    """α A B, each of them transposed where the node says so."""
    if call.attribute("transBatchA", 0) or call.attribute("transBatchB", 0):
        raise call.refused("moves the axes of its batch, which has no meaning here: export the network before it is optimized")
    a, b = (turned(call.wire(k)) if call.attribute(name, 0) else call.wire(k) for k, name in ((0, "transA"), (1, "transB")))
    return [product(a, b) * float(call.attribute("alpha", 1.0))]


def turned(x: Wire) -> Wire:
    """The last two axes exchanged."""
    rank = x.atom.rank
    return ops.transpose(x, *range(rank - 2), rank - 1, rank - 2)


def skipped(call: c.Call, k: int) -> Wire:
    """The sum of the input and what skips a layer, + β where the node has input k."""
    return shifted(call, call.wire(0) + spread_to(call.wire(1), call.wire(0).atom.shape), k)


def skip_layer_norm(call: c.Call) -> list[Wire]:
    """The layer normalization of a sum; then its statistics, and the sum."""
    whole = skipped(call, 4)
    return [*norm.layer_normalization(replace(call, inputs=(whole, *call.inputs[2:4]), attributes=own(call))), whole]


def skip_rms_norm(call: c.Call) -> list[Wire]:
    """x / √(mean x² + ε) of a sum, times γ; then its statistics, and the sum."""
    whole = skipped(call, 3)
    (y,) = norm.rms_normalization(replace(call, inputs=(whole, call.inputs[2]), attributes=own(call)))
    mean = ops.mean_over(whole, -1, keepdims=True)
    return [y, mean, inverse(call, whole), whole]


def own(call: c.Call) -> dict[str, float]:
    """What these nodes say of a normalization."""
    return {"epsilon": float(call.attribute("epsilon", 1e-12 if call.op == "SkipLayerNormalization" else 1e-5))}


def inverse(call: c.Call, x: Wire) -> Wire:
    """1 / √(mean x² + ε) along the last axis."""
    return ops.rsqrt(ops.mean_over(x * x, -1, keepdims=True) + norm.epsilon(call))


def rms_norm(call: c.Call) -> list[Wire]:
    """x / √(mean x² + ε), times γ; and 1 / √(mean x² + ε)."""
    return [*norm.rms_normalization(call), inverse(call, call.wire(0))]


SIMPLE: c.Table = {
    "BiasGelu": bias_gelu,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeMatMul": dynamic_matmul,
    "FastGelu": fast_gelu,
    "FusedMatMul": fused_matmul,
    "Gelu": lambda call: [gelu(call.wire(0))],
    "MatMulIntegerToFloat": matmul_to_float,
    "MatMulNBits": matmul_bits,
    "QLinearAdd": of_two(lambda a, b: a + b),
    "QLinearAveragePool": of_one(average_pool),
    "QLinearConcat": concat,
    "QLinearGlobalAveragePool": of_one(global_average_pool),
    "QLinearLeakyRelu": of_one(leaky_relu),
    "QLinearMul": of_two(lambda a, b: a * b),
    "QLinearSigmoid": of_one(lambda call, x: ops.sigmoid(x)),
    "QLinearSoftmax": of_one(softmax),
    "QuantizeLinear": quantize,
    "QuickGelu": quick_gelu,
    "SkipLayerNormalization": skip_layer_norm,
    "SkipSimplifiedLayerNormalization": skip_rms_norm,
}
TABLE: c.Table = {f"{DOMAIN}.{name}": f for name, f in SIMPLE.items()} | {"SimplifiedLayerNormalization": rms_norm}
