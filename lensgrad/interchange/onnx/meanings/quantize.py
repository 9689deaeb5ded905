"""Quantized numbers: q stands for scale · (q − zero). Rounding is to even halves, and what is beyond the limits of a dtype is at them.

The smaller whole numbers are carried as int32, so their limits are those of the dtype that the file gives the zero point.
"""

from __future__ import annotations

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import carried_dtype
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.meanings.conv import centered, convolved
from lensgrad.interchange.onnx.meanings.linear import product
from lensgrad.interchange.onnx.space import along_axis
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.shape import FLOATS

LIMITS = {  # of the dtypes that numbers are quantized to
    "int2": (-2, 1), "int4": (-8, 7), "int8": (-128, 127), "int16": (-32768, 32767),
    "uint2": (0, 3), "uint4": (0, 15), "uint8": (0, 255), "uint16": (0, 65535),
}  # fmt: skip
NUMBERED = {  # dtypes by ONNX's numbers
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 10: "float16", 11: "float64", 16: "bfloat16",
    21: "uint4", 22: "int4", 25: "uint2", 26: "int2",
}  # fmt: skip


def quantize(call: c.Call) -> list[Wire]:
    """round(x / scale) + zero, within the limits of the dtype."""
    x, dtype = call.wire(0), quantized_dtype(call, 2)
    scale = placed(call, call.wire(1), x)
    wide = precise(call, x, scale.atom.dtype)
    return [within(call, ops.round(ops.cast(wide / ops.cast(scale, wide.atom.dtype), "float32")), placed_zero(call, 2, x), dtype)]


def precise(call: c.Call, x: Wire, own: str) -> Wire:
    """x in the dtype in which it is divided by its scale."""
    number = int(call.attribute("precision", 0))
    if number and NUMBERED.get(number) not in FLOATS:
        raise call.refused(f"must have a float as its precision, got dtype {number} of ONNX")
    return ops.cast(x, NUMBERED[number] if number else x.atom.dtype if x.atom.floating else own)


def within(call: c.Call, rounded: Wire, zero: Wire | None, dtype: str) -> Wire:
    """Whole numbers as floats, and the zero point, within the limits of a dtype."""
    low, high = LIMITS[dtype]
    return ops.cast(ops.clamp(rounded if zero is None else rounded + zero, low, high), carried_dtype(call.op, dtype))


def quantized_dtype(call: c.Call, k: int, like: int | None = None) -> str:
    """The dtype of the result: that of the zero point, which is input k, or of another input, or what an attribute says."""
    number = int(call.attribute("output_dtype", 0))
    where = k if call.given(k) else like
    found = NUMBERED.get(number, str(number)) if number else "uint8" if where is None else given_dtype(call, where)
    if found not in LIMITS:
        raise call.refused(f"quantizes to {found}, which has no meaning here: use {', '.join(LIMITS)}")
    return found


def given_dtype(call: c.Call, k: int) -> str:
    """The dtype of input k in the file."""
    if call.known(k):
        return call.constant(k, "a zero point").dtype.name
    dtype = call.wire(k).atom.dtype
    return dtype if dtype == "uint8" else call.constant(k, "a zero point").dtype.name


def placed(call: c.Call, v: Wire, x: Wire) -> Wire:
    """A scale or zero point over the shape of x: one for all, one for each entry along an axis, or one for each block along it."""
    axis, block = int(call.attribute("axis", 1)), int(call.attribute("block_size", 0))
    if v.atom.size == 1:
        return spread_to(ops.reshape(v), x.atom.shape)
    if not -x.atom.rank <= axis < x.atom.rank:
        raise call.refused(f"must have an axis of {x.atom}, got {axis}")
    place = axis % x.atom.rank
    if not block:
        return along_axis(v, x, place)
    wide = ops.repeat(v, block, place)
    return wide[(*(slice(None),) * place, slice(0, x.atom.shape[place]))]


def placed_zero(call: c.Call, k: int, x: Wire) -> Wire | None:
    """The zero point, in float32, over the shape of x."""
    return placed(call, ops.cast(call.wire(k), "float32"), x) if call.given(k) else None


def dequantize(call: c.Call) -> list[Wire]:
    """scale · (q − zero)."""
    q, zero = ops.cast(call.wire(0), "float32"), placed_zero(call, 2, call.wire(0))
    scale, number = placed(call, call.wire(1), q), int(call.attribute("output_dtype", 0))
    if number and NUMBERED.get(number) not in FLOATS:
        raise call.refused(f"must give floats, got dtype {number} of ONNX")
    y = (q if zero is None else q - zero) * ops.cast(scale, "float32")
    return [ops.cast(y, NUMBERED[number] if number else scale.atom.dtype)]


def dynamic_quantize(call: c.Call) -> list[Wire]:
    """x as uint8, its scale and its zero point, for limits that are those of x and 0."""
    x = call.wire(0)
    high, low = ops.maximum(ops.amax(x), 0.0), ops.minimum(ops.amin(x), 0.0)
    width = high - low
    scale = ops.select(width > 0.0, width, 1.0) / 255.0
    zero = ops.round(ops.clamp(-low / scale, 0.0, 255.0))
    y = ops.round(x / spread_to(scale, x.atom.shape)) + spread_to(zero, x.atom.shape)
    return [ops.cast(ops.clamp(y, 0.0, 255.0), "uint8"), scale, ops.cast(zero, "uint8")]


# -- products ----------------------------------------------------------------------------------------------------------


def requantized(call: c.Call, y: Wire, factor: Wire, k: int, like: int) -> list[Wire]:
    """round(factor · y) + zero for an exact int32 y, within the limits of the dtype; the zero point is input k."""
    zero = spread_to(ops.reshape(ops.cast(call.wire(k), "float32")), y.atom.shape) if call.given(k) else None
    return [within(call, ops.round(ops.cast(y, "float32") * spread_to(factor, y.atom.shape)), zero, quantized_dtype(call, k, like))]


def qlinear_conv(call: c.Call) -> list[Wire]:
    """The convolution of two quantized arrays, quantized; inputs x, scale, zero, K, scale, zero, scale, zero, β."""
    x, k = (ops.cast(call.wire(n), "int32") for n in (0, 3))
    y = convolved(call, centered(call, x, 2, 1), centered(call, k, 5, 0))
    if call.given(8):
        y = y + along_axis(call.wire(8), y)
    scales = [ops.cast(call.wire(n), "float32") for n in (1, 4, 6)]
    rows = ops.reshape(scales[1], -1, *(1,) * (y.atom.rank - 2))
    one, other = (spread_to(ops.reshape(s), rows.atom.shape) for s in (scales[0], scales[2]))
    return requantized(call, y, one * rows / other, 7, 0)


def rowed(call: c.Call, k: int, rank: int) -> Wire:
    """A scale or zero point of the left side of a product: numbers along one axis are for its rows."""
    v = call.wire(k)
    return ops.reshape(v, -1, 1) if v.atom.rank == 1 and v.atom.size > 1 and rank > 1 else v


def less(x: Wire, zero: Wire | None) -> Wire:
    """x − zero in int32."""
    whole = ops.cast(x, "int32")
    return whole if zero is None else whole - spread_to(ops.cast(zero, "int32"), x.atom.shape)


def qlinear_matmul(call: c.Call) -> list[Wire]:
    """The product of two quantized arrays, quantized; inputs a, scale, zero, b, scale, zero, scale, zero."""
    a, b = call.wire(0), call.wire(3)
    y = product(less(a, rowed(call, 2, a.atom.rank)), less(b, call.wire(5)))
    left, right, own = (ops.cast(v, "float32") for v in (rowed(call, 1, a.atom.rank), call.wire(4), call.wire(6)))
    shape = np.broadcast_shapes(left.atom.shape, right.atom.shape, own.atom.shape)
    both, under, over = (spread_to(v, shape) for v in (left, right, own))
    return requantized(call, y, both * under / over, 7, 0)


def matmul_integer(call: c.Call) -> list[Wire]:
    """(a − zero)(b − zero), in int32."""
    a, b = call.wire(0), call.wire(1)
    left = rowed(call, 2, a.atom.rank) if call.given(2) else None
    return [product(less(a, left), less(b, call.wire(3) if call.given(3) else None))]


TABLE: c.Table = {
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic_quantize,
    "MatMulInteger": matmul_integer,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "QuantizeLinear": quantize,
}
