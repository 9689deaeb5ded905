# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Operators that work entry by entry."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.torch.meanings.call import Meaning, Out, Table, is_wire, kind, level, promoted, refused
from lensgrad.learn.layers import activations
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full


def unary(fn: Callable[[Wire], Wire]) -> Meaning:
    """A function of one wire, in the dtype of its result."""
    return lambda out, x: fn(ops.cast(x, out.dtype))


def binary(fn: Callable[[Wire, Wire], Wire]) -> Meaning:
    """A function of two wires or numbers, in the dtype of its result."""
    return lambda out, x, y: fn(*level(out.dtype, x, y))


def scaled(fn: Callable[[Wire, Wire], Wire]) -> Meaning:
    """x + αy and the like."""

    def meaning(out: Out, x: Any, y: Any, alpha: Any = 1) -> Wire:
        a, b = level(out.dtype, x, y)
        return fn(a, b if alpha == 1 else b * alpha)

    return meaning


def compared(fn: Callable[[Wire, Wire], Wire]) -> Meaning:
    """A comparison, in the dtype that both sides have in common."""
    return lambda out, x, y: fn(*level(promoted(x, y), x, y))


def logical(fn: Callable[[Wire, Wire], Wire]) -> Meaning:
    """A function of truth values; numbers are true where they are not 0."""
    return lambda out, x, y: fn(*level("bool", truth(x), truth(y)))


def truth(x: Any) -> Any:
    """Whether numbers are not 0."""
    return x if not is_wire(x) or x.atom.dtype == "bool" else x != 0


def bitwise(fn: Callable[[Wire, Wire], Wire]) -> Meaning:
    """The same; bits of whole numbers have no meaning."""

    def meaning(out: Out, x: Any, y: Any) -> Wire:
        if out.dtype != "bool":
            raise refused(f"the bits of whole numbers ({out.dtype}) have no meaning, those of truth values do")
        return fn(*level("bool", x, y))

    return meaning


def real(fn: Callable[[Wire, Wire], Wire]) -> Meaning:
    """A function of two wires that is computed in floats: whole numbers go through float64 and come back."""

    def meaning(out: Out, x: Any, y: Any) -> Wire:
        return ops.cast(fn(*level(out.dtype if kind(out.dtype) == 2 else "float64", x, y)), out.dtype)

    return meaning


def divided(out: Out, x: Any, y: Any, rounding_mode: str | None = None) -> Wire:
    """x / y, rounded down or towards 0 if asked for."""
    rounds: dict[Any, Callable[[Wire], Wire]] = {None: lambda v: v, "floor": ops.floor, "trunc": ops.trunc}
    return real(lambda a, b: rounds[rounding_mode](a / b))(out, x, y)


def power(out: Out, x: Any, y: Any) -> Wire:
    """xʸ, by products where y is a fixed whole number."""
    if is_wire(y) or not is_wire(x):
        return real(lambda a, b: a**b)(out, x, y)
    a = ops.cast(x, out.dtype)
    if y in (0.5, -0.5):
        return ops.sqrt(a) if y > 0 else ops.rsqrt(a)
    if kind(out.dtype) < 2:
        return ops.cast(ops.cast(a, "float64") ** int(y), out.dtype)
    return a ** int(y) if float(y).is_integer() else real(lambda p, q: p**q)(out, x, float(y))


def clamped(out: Out, x: Wire, min: Any = None, max: Any = None) -> Wire:
    """Between two bounds, numbers or wires, of which one may be missing."""
    if is_wire(min) or is_wire(max) or kind(out.dtype) < 2:
        lower = x if min is None else ops.maximum(*level(out.dtype, x, min))
        return lower if max is None else ops.minimum(*level(out.dtype, lower, max))
    return ops.clamp(ops.cast(x, out.dtype), -math.inf if min is None else min, math.inf if max is None else max)


def between(out: Out, x: Wire, min_val: float = -1.0, max_val: float = 1.0) -> Wire:
    """Hardtanh: outside and at the bounds nothing flows back."""
    return ops.select(x > min_val, ops.select(x < max_val, x, max_val), min_val)


def elu(out: Out, x: Wire, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Wire:
    """scale · x for x > 0, else scale · α (e^(input_scale · x) − 1)."""
    low = ops.expm1(ops.select(x > 0.0, 0.0, x) * float(input_scale)) * float(alpha)
    return ops.select(x > 0.0, x, low) * float(scale)


def chosen(out: Out, condition: Wire, x: Any, y: Any) -> Wire:
    """x where the condition holds, else y."""
    shaped = full(0, Array(out.shape, out.dtype))
    (a, b, _), (seen, _) = level(out.dtype, x, y, shaped), level("bool", truth(condition), full(False, Array(out.shape, "bool")))
    return ops.select(seen, a, b)


def softplus(out: Out, x: Wire, beta: float = 1.0, threshold: float = 20.0) -> Wire:
    """ln(1 + e^(βx)) / β, and x where βx is above the threshold."""
    return ops.select(x * float(beta) > float(threshold), x, activations.soft(x * float(beta)) * (1.0 / beta))


def gelu(out: Out, x: Wire, approximate: str = "none") -> Wire:
    """x Φ(x), or its approximation by tanh."""
    return activations.gelu(x) if approximate == "none" else activations.gelu_tanh(x)


def negated(x: Wire) -> Wire:
    return ~x if x.atom.dtype == "bool" else -x


def differs(x: Wire, y: Wire) -> Wire:
    """Exclusive or."""
    return x != y


def infinite(out: Out, x: Wire) -> Wire:
    return ops.absolute(x) == math.inf


UNARY: dict[str, Callable[[Wire], Wire]] = {
    "abs": ops.absolute, "acos": ops.acos, "acosh": ops.acosh, "asin": ops.asin, "asinh": ops.asinh, "atan": ops.atan,
    "atanh": ops.atanh, "ceil": ops.ceil, "cos": ops.cos, "cosh": ops.cosh, "erf": ops.erf, "erfc": ops.erfc, "exp": ops.exp,
    "exp2": ops.exp2, "expm1": ops.expm1, "floor": ops.floor, "log": ops.log, "log10": ops.log10, "log1p": ops.log1p,
    "log2": ops.log2, "mish": activations.mish, "neg": negated, "reciprocal": ops.reciprocal, "relu": ops.relu,
    "round": ops.round, "rsqrt": ops.rsqrt, "sigmoid": ops.sigmoid, "sign": ops.sign, "silu": activations.silu, "sin": ops.sin,
    "sinh": ops.sinh, "sqrt": ops.sqrt, "tan": ops.tan, "tanh": ops.tanh, "trunc": ops.trunc,
}  # fmt: skip
COMPARED: dict[str, Callable[[Wire, Wire], Wire]] = {
    "eq": ops.equal,
    "ge": lambda x, y: x >= y,
    "gt": lambda x, y: x > y,
    "le": lambda x, y: x <= y,
    "lt": lambda x, y: x < y,
    "ne": lambda x, y: x != y,
}
TABLE: Table = {
    **{name: unary(fn) for name, fn in UNARY.items()},
    **{name: compared(fn) for name, fn in COMPARED.items()},
    "add": scaled(lambda x, y: x + y),
    "sub": scaled(lambda x, y: x - y),
    "rsub": scaled(lambda x, y: y - x),
    "mul": binary(lambda x, y: x & y if x.atom.dtype == "bool" else x * y),
    "div": divided,
    "floor_divide": lambda out, x, y: divided(out, x, y, "floor"),
    "pow": power,
    "remainder": real(ops.remainder),
    "fmod": real(lambda x, y: x - y * ops.trunc(x / y)),
    "atan2": real(ops.atan2),
    "hypot": real(ops.hypot),
    "maximum": binary(ops.maximum),
    "minimum": binary(ops.minimum),
    "clamp": clamped,
    "clamp_min": lambda out, x, least: clamped(out, x, least),
    "clamp_max": lambda out, x, most: clamped(out, x, None, most),
    "hardtanh": between,
    "elu": elu,
    "leaky_relu": lambda out, x, slope=0.01: ops.select(x > 0.0, x, x * float(slope)),
    "softplus": softplus,
    "gelu": gelu,
    "logical_and": logical(lambda x, y: x & y),
    "logical_or": logical(lambda x, y: x | y),
    "logical_xor": logical(differs),
    "logical_not": lambda out, x: ~truth(x),
    "bitwise_and": bitwise(lambda x, y: x & y),
    "bitwise_or": bitwise(lambda x, y: x | y),
    "bitwise_xor": bitwise(differs),
    "bitwise_not": lambda out, x: bitwise(lambda a, _: ~a)(out, x, x),
    "where": chosen,
    "isnan": lambda out, x: x != x,
    "isinf": infinite,
}
