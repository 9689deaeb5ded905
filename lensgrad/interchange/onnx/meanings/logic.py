"""Comparisons, truth values and bits."""

from __future__ import annotations

import math

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx.call import Call, Table
from lensgrad.interchange.onnx.meanings.parts import Binary, binary, complement, same, unary
from lensgrad.interchange.shapes import alike
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.pointwise import ShiftRight


def where(call: Call) -> list[Wire]:
    """Where: x where the condition holds, else y."""
    return [ops.select(*alike(call.wire(0), call.wire(1), call.wire(2)))]


def is_infinite(call: Call) -> list[Wire]:
    """IsInf: whether an entry is ∞ or −∞, or one of them."""
    x = call.wire(0)
    above, below = ops.equal(x, math.inf), ops.equal(x, -math.inf)
    if not call.attribute("detect_negative", 1):
        below = below & ~below
    if not call.attribute("detect_positive", 1):
        above = above & ~above
    return [above | below]


def bits(x: Wire) -> list[Wire]:
    """The bits of whole numbers, the lowest first, as whole numbers."""
    n, shifted = (8 if x.atom.dtype == "uint8" else 32), ops.cast(x, "uint32")
    halves = [shifted, *(ShiftRight(k)(shifted) for k in range(1, n))]
    doubled = [h * same(2, h) for h in halves[1:]]
    return [h - d for h, d in zip(halves, doubled, strict=False)] + [halves[-1]]


def bitwise(f: Binary) -> Binary:
    """A function of bits, on whole numbers."""

    def meaning(x: Wire, y: Wire) -> Wire:
        found = [f(a, b) for a, b in zip(bits(x), bits(y), strict=True)]
        total = found[0]
        for k, bit in enumerate(found[1:], 1):
            total = total + bit * same(2**k, bit)
        return ops.cast(total, x.atom.dtype)

    return meaning


def both(a: Wire, b: Wire) -> Wire:
    return a * b


def either(a: Wire, b: Wire) -> Wire:
    return a + b - a * b


def one_of(a: Wire, b: Wire) -> Wire:
    return a + b - a * b * same(2, a)


def shift(call: Call) -> list[Wire]:
    """BitShift by fixed numbers or by those of data."""
    x, n = alike(call.wire(0), call.wire(1))
    wide = ops.cast(x, "uint32")
    if call.attribute("direction") == "LEFT":
        factor = ops.cast(2.0 ** ops.cast(n, "float64"), "uint32")
        return [ops.cast(wide * factor, x.atom.dtype)]
    result = wide
    for k in range(1, 8 if x.atom.dtype == "uint8" else 32):
        result = ops.select(ops.equal(n, k), ShiftRight(k)(wide), result)
    return [ops.cast(result, x.atom.dtype)]


TABLE: Table = {
    "And": binary(lambda x, y: x & y),
    "BitShift": shift,
    "BitwiseAnd": binary(bitwise(both)),
    "BitwiseNot": unary(complement),
    "BitwiseOr": binary(bitwise(either)),
    "BitwiseXor": binary(bitwise(one_of)),
    "Equal": binary(lambda x, y: x == y),
    "Greater": binary(lambda x, y: x > y),
    "GreaterOrEqual": binary(lambda x, y: x >= y),
    "IsInf": is_infinite,
    "IsNaN": unary(lambda x: x != x),
    "Less": binary(lambda x, y: x < y),
    "LessOrEqual": binary(lambda x, y: x <= y),
    "Not": unary(lambda x: ~x),
    "Or": binary(lambda x, y: x | y),
    "Where": where,
    "Xor": binary(lambda x, y: x != y),
}
