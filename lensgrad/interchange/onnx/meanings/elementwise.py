"""Operators that work entry by entry, on numbers."""

from __future__ import annotations

import math

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import carried_dtype
from lensgrad.interchange.onnx.call import Call, Known, Table
from lensgrad.interchange.onnx.meanings.parts import binary, same, scalar, several, truncated, unary, whole
from lensgrad.interchange.onnx.tensors import dtype_of
from lensgrad.interchange.ranges import rest
from lensgrad.interchange.shapes import alike, spread_to
from lensgrad.theories.smooth import ops

NARROW = {  # bits of whole numbers that int32 carries, and whether there are negative ones
    "int2": (2, True), "int4": (4, True), "int8": (8, True), "int16": (16, True),
    "uint2": (2, False), "uint4": (4, False), "uint16": (16, False),
}  # fmt: skip


def quotient(x: Wire, y: Wire) -> Wire:
    """x / y; of whole numbers without the rest, rounded towards 0."""
    return truncated(x, y) if whole(x) else x / y


def modulo(call: Call) -> list[Wire]:
    """Mod: the rest of a division, with the sign of the divisor, or of what is divided where `fmod` is 1."""
    value = call.inputs[1]
    if isinstance(value, Known) and value.array.size == 1 and value.array.ndim <= call.wire(0).atom.rank and whole(call.wire(0)):
        short = rest(call.wire(0), int(scalar(value.array))) if int(scalar(value.array)) > 0 else None
        if short is not None:
            return [short]
    x, y = alike(call.wire(0), call.wire(1))
    a, b = ops.cast(x, "float64"), ops.cast(y, "float64")
    rounded = ops.trunc(a / b) if call.attribute("fmod", 0) else ops.floor(a / b)
    return [ops.cast(a - b * rounded, x.atom.dtype)]


def power(call: Call) -> list[Wire]:
    """Pow: by a fixed whole number also of negative ones."""
    x = call.wire(0)
    value = call.inputs[1]
    if isinstance(value, Known) and value.array.size == 1 and x.atom.floating and x.atom.rank >= value.array.ndim:
        n = float(scalar(value.array))
        if n == 0.5:
            return [ops.sqrt(x)]
        if n.is_integer() and abs(n) < 64:
            return [x ** int(n)]
    dtype = x.atom.dtype if x.atom.floating else "float64"
    a, b = alike(ops.cast(x, dtype), ops.cast(call.wire(1), dtype))
    return [ops.cast(a**b, x.atom.dtype)]


def clip(call: Call) -> list[Wire]:
    """Clip: min(max(x, low), high)."""
    x = call.wire(0)
    if call.version < 11:
        return [ops.clamp(x, call.attribute("min", -math.inf), call.attribute("max", math.inf))]
    if x.atom.floating and all(call.known(k) for k in (1, 2) if call.given(k)):
        low, high = (float(scalar(call.constant(k, "a bound"))) if call.given(k) else end for k, end in ((1, -math.inf), (2, math.inf)))
        if low <= high:
            return [ops.clamp(x, low, high)]
    if call.given(1):
        x = ops.maximum(x, spread_to(call.wire(1), x.atom.shape))
    if call.given(2):
        x = ops.minimum(x, spread_to(call.wire(2), x.atom.shape))
    return [x]


def mean(call: Call) -> list[Wire]:
    """Mean of several arrays."""
    first, *rest = alike(*call.wires())
    return [sum(rest, first) * (1.0 / (1 + len(rest)))]


# -- dtypes ------------------------------------------------------------------------------------------------------------


def converted(x: Wire, dtype: str) -> Wire:
    """A wire in another dtype; whole numbers lose their high bits where the new one has fewer."""
    if dtype in NARROW and x.atom.dtype != "bool":
        bits, signed = NARROW[dtype]
        below = 2.0 ** (bits - 1) if signed else 0.0
        return ops.cast(ops.remainder(ops.cast(ops.cast(x, "int32"), "float64") + below, 2.0**bits) - below, "int32")
    return ops.cast(x, carried_dtype("what is cast", dtype))


def cast(call: Call) -> list[Wire]:
    """Cast to the dtype that is named."""
    return [converted(call.wire(0), dtype_of(f"the result of {call.op} '{call.name}'", call.attribute("to")).name)]


def cast_like(call: Call) -> list[Wire]:
    """CastLike: to the dtype of another array."""
    other = call.inputs[1]
    return [converted(call.wire(0), other.array.dtype.name if isinstance(other, Known) else call.wire(1).atom.dtype)]


# -- activations -------------------------------------------------------------------------------------------------------


def where_positive(x: Wire, y: Wire) -> Wire:
    """x where it is positive, else y."""
    return ops.select(x > 0.0, x, y)


def elu(call: Call) -> list[Wire]:
    """Elu: x, or α(eˣ − 1) below 0."""
    x = call.wire(0)
    return [where_positive(x, ops.expm1(ops.minimum(x, 0.0)) * call.attribute("alpha", 1.0))]


def celu(call: Call) -> list[Wire]:
    """Celu: x, or α(e^(x/α) − 1) below 0."""
    x, alpha = call.wire(0), call.attribute("alpha", 1.0)
    return [where_positive(x, ops.expm1(ops.minimum(x, 0.0) * (1.0 / alpha)) * alpha)]


def selu(call: Call) -> list[Wire]:
    """Selu: γx, or γα(eˣ − 1) below 0."""
    x, alpha, gamma = call.wire(0), call.attribute("alpha", 1.67326319217681884765625), call.attribute("gamma", 1.05070102214813232421875)
    return [where_positive(x, ops.expm1(ops.minimum(x, 0.0)) * alpha) * gamma]


def leaky(call: Call) -> list[Wire]:
    """LeakyRelu: x, or αx below 0."""
    x = call.wire(0)
    return [where_positive(x, x * call.attribute("alpha", 0.01))]


def prelu(call: Call) -> list[Wire]:
    """PRelu: x, or slope · x below 0; before operator set 7 the slopes are those of channels."""
    x, slope = call.wire(0), call.wire(1)
    if call.version < 7 and slope.atom.rank == 1 and slope.atom.size > 1:
        slope = ops.reshape(slope, -1, *(1,) * (x.atom.rank - 2))
    return [ops.select(x < same(0, x), x * spread_to(slope, x.atom.shape), x)]


def gelu(call: Call) -> list[Wire]:
    """Gelu: x Φ(x), exactly or by tanh."""
    x = call.wire(0)
    if call.attribute("approximate", "none") == "tanh":
        inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
        return [x * 0.5 * (ops.tanh(inner) + 1.0)]
    return [x * 0.5 * (ops.erf(x * math.sqrt(0.5)) + 1.0)]


def hard_sigmoid(call: Call) -> list[Wire]:
    """HardSigmoid: αx + β between 0 and 1."""
    return [ops.clamp(call.wire(0) * call.attribute("alpha", 0.2) + call.attribute("beta", 0.5), 0.0, 1.0)]


def softplus(x: Wire) -> Wire:
    """ln(1 + eˣ) without overflow."""
    return ops.maximum(x, 0.0) + ops.log1p(ops.exp(-ops.absolute(x)))


def swish(call: Call) -> list[Wire]:
    """Swish: x σ(αx)."""
    x = call.wire(0)
    return [x * ops.sigmoid(x * call.attribute("alpha", 1.0))]


def thresholded(call: Call) -> list[Wire]:
    """ThresholdedRelu: x above α, else 0."""
    x = call.wire(0)
    return [ops.select(x > call.attribute("alpha", 1.0), x, 0.0)]


def shrink(call: Call) -> list[Wire]:
    """Shrink: x ∓ bias beyond λ, else 0."""
    x, bias, edge = call.wire(0), call.attribute("bias", 0.0), call.attribute("lambd", 0.5)
    y = x if x.atom.floating else ops.cast(x, "float32")
    return [ops.cast(ops.select(y < -edge, y + bias, ops.select(y > edge, y - bias, 0.0)), x.atom.dtype)]


TABLE: Table = {
    "Abs": unary(ops.absolute),
    "Acos": unary(ops.acos),
    "Acosh": unary(ops.acosh),
    "Add": binary(lambda x, y: x + y),
    "Asin": unary(ops.asin),
    "Asinh": unary(ops.asinh),
    "Atan": unary(ops.atan),
    "Atanh": unary(ops.atanh),
    "Cast": cast,
    "CastLike": cast_like,
    "Ceil": unary(ops.ceil),
    "Celu": celu,
    "Clip": clip,
    "Cos": unary(ops.cos),
    "Cosh": unary(ops.cosh),
    "Div": binary(quotient),
    "Elu": elu,
    "Erf": unary(ops.erf),
    "Exp": unary(ops.exp),
    "Floor": unary(ops.floor),
    "Gelu": gelu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": unary(lambda x: x * ops.clamp(x * (1.0 / 6.0) + 0.5, 0.0, 1.0)),
    "LeakyRelu": leaky,
    "Log": unary(ops.log),
    "Max": several(ops.maximum),
    "Mean": mean,
    "Min": several(ops.minimum),
    "Mish": unary(lambda x: x * ops.tanh(softplus(x))),
    "Mod": modulo,
    "Mul": binary(lambda x, y: x * y),
    "Neg": unary(lambda x: -x),
    "PRelu": prelu,
    "Pow": power,
    "Reciprocal": unary(ops.reciprocal),
    "Relu": unary(ops.relu),
    "Round": unary(ops.round),
    "Selu": selu,
    "Shrink": shrink,
    "Sigmoid": unary(ops.sigmoid),
    "Sign": unary(ops.sign),
    "Sin": unary(ops.sin),
    "Sinh": unary(ops.sinh),
    "Softplus": unary(softplus),
    "Softsign": unary(lambda x: x / (ops.absolute(x) + 1.0)),
    "Sqrt": unary(ops.sqrt),
    "Sub": binary(lambda x, y: x - y),
    "Sum": several(lambda x, y: x + y),
    "Swish": swish,
    "Tan": unary(ops.tan),
    "Tanh": unary(ops.tanh),
    "ThresholdedRelu": thresholded,
}
