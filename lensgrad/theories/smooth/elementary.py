"""Elementary functions and reductions that others say to the last places, with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lensgrad.core import checks
from lensgrad.core.checks import is_number, shown
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Operand, Wire
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth.operators import along, amax, kept, mean_over, over, pair, reshape, sum_over
from lensgrad.theories.smooth.shape import array
from lensgrad.theories.smooth.wires import (
    absolute,
    atan2,
    concatenate,
    cos,
    exp,
    expm1,
    floor,
    log,
    log1p,
    maximum,
    select,
    sign,
    sin,
    sqrt,
    stop_gradient,
    traced,
)


def unit(x: Wire) -> Wire:
    """√(1 − x²), without cancellation near 1 and −1."""
    array("unit", x)
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
logit = traced("logit", lambda x: log(x) - log1p(-x), "ln(x / (1 − x)) : A → A, for 0 < x < 1, the inverse of sigmoid.")
exp2 = traced("exp2", lambda x: 2.0**x, "2ˣ : A → A.")
log2 = traced("log2", lambda x: log(x) * (1.0 / math.log(2.0)), "log₂ x : A → A, for x > 0.")
log10 = traced("log10", lambda x: log(x) * (1.0 / math.log(10.0)), "log₁₀ x : A → A, for x > 0.")
reciprocal = traced("reciprocal", lambda x: 1.0 / x, "1 / x : A → A.")
ceil = traced("ceil", lambda x: -floor(-x), "The smallest whole number ≥ x : A → A; the derivative is 0.")
trunc = traced("trunc", lambda x: sign(x) * floor(absolute(x)), "x without what is behind the point : A → A; the derivative is 0.")


def remainder(x: Operand, y: Operand) -> Wire:
    """x − y ⌊x / y⌋, which has the sign of y, as Python's % has."""
    a, b = pair("remainder", x, y)
    return a - b * floor(a / b)


def hypot(x: Operand, y: Operand) -> Wire:
    """√(x² + y²) without overflow or underflow; where both are 0 the derivative is 0."""
    a, b = pair("hypot", x, y)
    size = stop_gradient(maximum(absolute(a), absolute(b)))  # what is divided out and multiplied back has no part in the derivative
    there = size > 0.0
    scale = select(there, size, 1.0)
    return select(there, scale * sqrt(select(there, square(a / scale) + square(b / scale), 1.0)), 0.0)


def logaddexp(x: Operand, y: Operand) -> Wire:
    """ln(eˣ + eʸ) without overflow."""
    a, b = pair("logaddexp", x, y)
    return maximum(a, b) + log1p(exp(-absolute(a - b)))


def variance(x: Wire, axes: int | Sequence[int] | None = None, correction: int = 0, keepdims: bool = False) -> Wire:
    """Mean of the squared distance from the mean over axes; `correction=1` divides by n − 1 instead of n. With `keepdims` the axes stay."""
    found, less = over(x, axes, "variance"), checks.whole("the correction of a variance", correction)
    away, n = x - _reduce.back(mean_over(x, found), x, found), math.prod(x.atom.shape[a] for a in found)
    if n <= less:
        raise TypeMismatch(f"a variance over {n} entries of {x.atom} with correction={less} is not there: it divides by {n - less}")
    return kept(x, mean_over(away * away, found) * (n / (n - less)), found, keepdims)


def root(x: Wire) -> Wire:
    """√x, with the derivative 0 at 0."""
    array("root", x)
    there = x > 0.0
    return select(there, sqrt(select(there, x, 1.0)), 0.0)


def std(x: Wire, axes: int | Sequence[int] | None = None, correction: int = 0, keepdims: bool = False) -> Wire:
    """The standard deviation over axes, the root of `variance`; where all entries are equal the derivative is 0."""
    return root(variance(x, over(x, axes, "std"), correction, keepdims))


def norm(x: Wire, axes: int | Sequence[int] | None = None, order: float = 2, keepdims: bool = False) -> Wire:
    """(Σ |x|^order)^(1/order) over axes, for order 1, 2 or math.inf; at 0 the derivative of the norm of order 2 is 0."""
    if not is_number(order) or order not in (1, 2, math.inf):
        raise BadValue(f"the order of a norm must be 1, 2 or math.inf, got {shown(order)}")
    found = over(x, axes, "norm")
    if order == 2:
        return root(sum_over(x * x, found, keepdims))
    return (sum_over if order == 1 else amax)(absolute(x), found, keepdims)


def cumprod(x: Wire, axis: int = 0) -> Wire:
    """Running products, in about log₂ n rounds, so that their gradients are right where entries are 0."""
    place = along(x, axis, "cumprod")
    x, step = _index.rotated(x, place, 0), 1
    while step < x.atom.shape[0]:
        x = concatenate([x[:step], x[step:] * x[:-step]])
        step *= 2
    return _index.rotated(x, 0, place)


def product(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Product over axes, in halves, so that its gradient is right where entries are 0. With `keepdims` the axes stay, of length 1."""
    given, found = x, over(x, axes, "product")
    for axis in reversed(found):
        x = _index.rotated(x, axis, 0)
        _reduce.filled("a product", x.atom, (0,))
        while x.atom.shape[0] > 1:
            half, rest = divmod(x.atom.shape[0], 2)
            paired = x[:half] * x[half : 2 * half]
            x = concatenate([paired, x[2 * half :]]) if rest else paired
        x = reshape(x, *x.atom.shape[1:])
    return kept(given, x, found, keepdims)
