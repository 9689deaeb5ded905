"""Functions that ONNX has no operator for, or none in every dtype of floats, as formulas of those it has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lensgrad.interchange.onnx.writing.sheet import Value

HALF = 0.5  # the step of the sum for erfc: its error is e^(−π²/h²), 7e-18
TERMS = 14


def where(p: Value, x: Value, y: Value) -> Value:
    """p ? x : y; truth values are chosen as numbers."""
    return p.chosen(x.to("uint8"), y.to("uint8")).to("bool") if x.dtype == "bool" else p.chosen(x, y)


def log1p(x: Value) -> Value:
    """ln(1 + x): u = 1 + x is off by what was rounded, and x / (u − 1) puts that right."""
    u = x + 1.0
    near = u.equals(1.0)
    mended = u.on("Log") * x / near.chosen(u, u - 1.0)
    return (x > 1.0).chosen(u.on("Log"), near.chosen(x, mended))


def rsqrt(x: Value) -> Value:
    return 1.0 / x.on("Sqrt")


def expm1(x: Value) -> Value:
    """eˣ − 1 = 2t / (1 − t) with t = tanh(x / 2), which is exact near 0."""
    t = (x * 0.5).on("Tanh")
    return (x.on("Abs") < 1.0).chosen(t * 2.0 / (1.0 - t), x.on("Exp") - 1.0)


def asinh(x: Value) -> Value:
    """arsinh |x| = ln(1 + |x| + x² / (1 + √(1 + x²))), with the sign of x; ln 2|x| where x² is too large."""
    a = x.on("Abs")
    b = a.on("Min", 1e8)
    near = log1p(b + b * b / ((b * b + 1.0).on("Sqrt") + 1.0))
    return x.on("Sign") * (a > 1e8).chosen(a.on("Log") + math.log(2), near)


def atan(x: Value) -> Value:
    """arctan x; in float64, where runtimes have no operator, by its series after three halvings of the angle."""
    if x.dtype != "float64":
        return x.on("Atan")
    a = x.on("Abs")
    large = a > 1.0
    t = large.chosen(1.0 / a.on("Max", 1.0), a)
    for _ in range(3):
        t = t / ((t * t + 1.0).on("Sqrt") + 1.0)
    angle = t * series(t * t, [(-1) ** n / (2 * n + 1) for n in range(14)]) * 8.0
    return x.on("Sign") * large.chosen(math.pi / 2 - angle, angle)


def series(x: Value, coefficients: list[float]) -> Value:
    """Σ cₙ xⁿ, by Horner's rule."""
    total = x.like(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def atan2(y: Value, x: Value) -> Value:
    """The angle of a point, in (−π, π]; that of −0 counts as from below."""
    side = ((y < 0.0).on("Or", (1.0 / y) < 0.0)).chosen(x.like(-1.0), 1.0)
    level = x.equals(0.0)
    angle = atan(y / level.chosen(1.0, x))
    behind = (x < 0.0).chosen(angle + side * math.pi, angle)
    return level.chosen(y.equals(0.0).chosen(y, side * (math.pi / 2)), behind)


def erf(x: Value) -> Value:
    """erf x; in float64, where runtimes have no operator, by its series near 0 and by erfc beyond."""
    if x.dtype != "float64":
        return x.on("Erf")
    a = x.on("Abs")
    b = a.on("Min", 1.0)
    near = b * series(b * b, [(-1) ** n / math.factorial(n) / (2 * n + 1) * 2 / math.sqrt(math.pi) for n in range(20)])
    return x.on("Sign") * (a < 1.0).chosen(near, 1.0 - positive_erfc(a))


def erfc(x: Value) -> Value:
    """1 − erf x, to as many digits where it is small."""
    wide = x.to("float64")
    above = positive_erfc(wide.on("Abs"))
    return (wide < 0.0).chosen(2.0 - above, above).to(x.dtype)


def positive_erfc(x: Value) -> Value:
    """erfc x = (2x e^(−x²) / π) ∫₀^∞ e^(−t²) / (t² + x²) dt for x ≥ 0, by the midpoint rule and the residue of its pole."""
    t2 = (HALF * (np.arange(TERMS) + 0.5)) ** 2
    b = x.on("Min", 28.0)
    column = b.reshaped(*b.shape, 1)
    terms = x.sheet.constant(np.exp(-t2), "float64") / (column * column + x.sheet.constant(t2, "float64"))
    near = (b * 16.0).on("Floor") / 16.0
    bell = (near * near).on("Neg").on("Exp") * ((b - near) * (b + near)).on("Neg").on("Exp")
    total = b * bell * terms.reduced("ReduceSum", [b.rank]) * (2 * HALF / math.pi)
    pole = 2.0 / ((b * (2 * math.pi / HALF)).on("Exp") + 1.0)
    return (b < math.pi / HALF).chosen(total + pole, total)  # beyond, the pole is not passed


def log_sum_exp(x: Value, axes: tuple[int, ...]) -> Value:
    """ln Σ eˣ, after taking out the largest entry."""
    top = x.reduced("ReduceMax", axes, keep=True)
    finite = top.on("IsInf", dtype="bool").chosen(0.0, top)
    total = (x - finite).on("Exp").reduced("ReduceSum", axes).on("Log")
    return total + finite.reshaped(*total.shape)


def to_whole(x: Value, dtype: str) -> Value:
    """Truncate towards zero into a whole type, NaN as 0 and values outside at the ends."""
    limits = np.iinfo(dtype)
    wide = x.to("float64")
    known = wide.on("IsNaN", dtype="bool").chosen(0.0, wide)
    return known.on("Max", float(limits.min)).on("Min", float(limits.max)).to("int64").to(dtype)


def power(x: Value, n: int) -> Value:
    """xⁿ for a fixed whole number."""
    return x if n == 1 else x * x if n == 2 else x * x * x if n == 3 else x.on("Pow", float(n))


def compared(x: Value, y: Value, relation: str) -> Value:
    """x < y and the like; truth values are compared as numbers."""
    a, b = (v.to("int32") if v.dtype == "bool" else v for v in (x, y))
    if relation == "!=":
        return a.equals(b).on("Not")
    return a.on(RELATIONS[relation], b, dtype="bool")


RELATIONS: dict[str, Any] = {"<": "Less", "<=": "LessOrEqual", "==": "Equal", ">=": "GreaterOrEqual", ">": "Greater"}
