"""Elementary functions and reductions that others say to the last places, with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Operand, Wire
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth.operators import common, mean_over, over, reshape
from lensgrad.theories.smooth.wires import absolute, atan2, concatenate, cos, expm1, floor, log, log1p, sign, sin, sqrt, traced


def unit(x: Wire) -> Wire:
    """√(1 − x²), without cancellation near 1 and −1."""
    return sqrt((1.0 - x) * (x + 1.0))


# Elementary functions that others say to the last places, with their derivatives.
square = traced("square", lambda x: x * x, "x² : A → A.")
tan = traced("tan", lambda x: sin(x) / cos(x), "tan x : A → A, radians.")
asin = traced("asin", lambda x: atan2(x, unit(x)), "arcsin x : A → A, for −1 ≤ x ≤ 1; the derivative is for what is between.")
acos = traced("acos", lambda x: atan2(unit(x), x), "arccos x : A → A, for −1 ≤ x ≤ 1; the derivative is for what is between.")
sinh = traced("sinh", lambda x: (expm1(x) - expm1(-x)) * 0.5, "sinh x : A → A.")
cosh = traced("cosh", lambda x: square(sinh(x * 0.5)) * 2.0 + 1.0, "cosh x : A → A.")
acosh = traced("acosh", lambda x: log1p((x - 1.0) + sqrt(x - 1.0) * sqrt(x + 1.0)), "arcosh x : A → A, for x > 1.")
atanh = traced("atanh", lambda x: (log1p(x) - log1p(-x)) * 0.5, "artanh x : A → A, for −1 < x < 1.")
exp2 = traced("exp2", lambda x: 2.0**x, "2ˣ : A → A.")
log2 = traced("log2", lambda x: log(x) * (1.0 / math.log(2.0)), "log₂ x : A → A, for x > 0.")
log10 = traced("log10", lambda x: log(x) * (1.0 / math.log(10.0)), "log₁₀ x : A → A, for x > 0.")
reciprocal = traced("reciprocal", lambda x: 1.0 / x, "1 / x : A → A.")
ceil = traced("ceil", lambda x: -floor(-x), "The smallest whole number ≥ x : A → A; the derivative is 0.")
trunc = traced("trunc", lambda x: sign(x) * floor(absolute(x)), "x without what is behind the point : A → A; the derivative is 0.")


def remainder(x: Operand, y: Operand) -> Wire:
    """x − y ⌊x / y⌋, which has the sign of y, as Python's % has."""
    a, b = common(x, y)
    return a - b * floor(a / b)


def variance(x: Wire, axes: int | Sequence[int] | None = None, correction: int = 0) -> Wire:
    """Mean of the squared distance from the mean over axes; `correction=1` divides by n − 1 instead of n."""
    found = over(x, axes)
    away, n = x - _reduce.back(mean_over(x, found), x, found), math.prod(x.atom.shape[a] for a in found)
    if n <= correction:
        raise TypeMismatch(
            f"a variance over {n} entries of {x.atom} with correction={correction} is not there: it divides by {n - correction}"
        )
    return mean_over(away * away, found) * (n / (n - correction))


def product(x: Wire, axes: int | Sequence[int] | None = None) -> Wire:
    """Product over axes, in halves, so that its gradient is right where entries are 0."""
    for axis in reversed(over(x, axes)):
        x = _index.rotated(x, axis, 0)
        _reduce.filled("a product", x.atom, (0,))
        while x.atom.shape[0] > 1:
            half, rest = divmod(x.atom.shape[0], 2)
            paired = x[:half] * x[half : 2 * half]
            x = concatenate([paired, x[2 * half :]]) if rest else paired
        x = reshape(x, *x.atom.shape[1:])
    return x
