"""Functions of single values in the exact functor: polynomials where they are, atoms with known derivatives elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lensgrad.backends.exact.polynomial import Atom, Polynomial
from lensgrad.core.op import Op

Entries = Any  # an array of polynomials
Meaning = Callable[..., Any]  # (generator, *arrays) ↦ array, or a tuple of arrays
Entrywise = (
    Callable[[Any, Polynomial], Any]
    | Callable[[Any, Polynomial, Polynomial], Any]
    | Callable[[Any, Polynomial, Polynomial, Polynomial], Any]
)
Partials = Callable[[Polynomial], Iterable[Polynomial]] | Callable[[Polynomial, Polynomial], Iterable[Polynomial]]


def filled(entries: Sequence[Any], shape: Sequence[int]) -> Entries:
    out = np.empty(len(entries), object)
    out[:] = entries
    return out.reshape(tuple(shape))


def each(fn: Entrywise) -> Meaning:
    """Entry by entry."""

    def meaning(op: Op, *xs: Entries) -> Entries:
        return np.frompyfunc(partial(fn, op), len(xs), 1)(*xs)

    return meaning


def applied(name: str, *args: Any, partials: Partials | None = None, truth: bool = False) -> Polynomial:
    return Polynomial.symbol(Atom(name, args, partials, truth))


def function(name: str, slope: Callable[[Polynomial], Polynomial], at_zero: int | None = None) -> Meaning:
    """A function of one variable as an atom, with its derivative; its value at 0 where that is rational."""

    def value(op: Op, x: Polynomial) -> Polynomial:
        known = at_zero is not None and x.constant == 0
        return Polynomial.number(at_zero) if known else applied(name, x, partials=lambda v: (slope(v),))

    return each(value)


def of(meaning: Meaning) -> Callable[[Polynomial], Polynomial]:
    """A pointwise meaning as a function of one polynomial."""
    return lambda x: meaning(None, filled([x], (1,)))[0]


def inverse(x: Polynomial) -> Polynomial:
    """1/x, as an atom unless x is a number."""
    if x.constant:
        return Polynomial.number(1 / x.constant)
    return applied("inverse", x, partials=lambda v: (-(inverse(v) * inverse(v)),))


def power(op: Any, x: Polynomial) -> Polynomial:
    return x**op.n if op.n >= 0 else inverse(x) ** -op.n


def general_power(x: Polynomial, y: Polynomial) -> Polynomial:
    return applied("power", x, y, partials=lambda a, b: (b * general_power(a, b - 1), general_power(a, b) * of(LOG)(a)))


def angle(y: Polynomial, x: Polynomial) -> Polynomial:
    """The angle of (x, y), with its partial derivatives x/(x² + y²) and −y/(x² + y²)."""
    return applied("angle", y, x, partials=lambda b, a: (a * inverse(a * a + b * b), -(b * inverse(a * a + b * b))))


EXP = function("exp", lambda x: of(EXP)(x), 1)
LOG = function("log", inverse)
SIN = function("sin", lambda x: of(COS)(x), 0)
COS = function("cos", lambda x: -of(SIN)(x), 1)
TANH = function("tanh", lambda x: 1 - of(TANH)(x) ** 2, 0)
LOGISTIC = function("logistic", lambda x: of(LOGISTIC)(x) * (1 - of(LOGISTIC)(x)))
ERF = function("erf", lambda x: of(EXP)(-(x * x)) * 1.1283791670955126, 0)  # 2/√π to the last bit of a float
SQRT = function("sqrt", lambda x: inverse(of(SQRT)(x)) * 0.5)
RSQRT = function("rsqrt", lambda x: -(of(RSQRT)(x) * inverse(x) * 0.5))
ATAN = function("atan", lambda x: inverse(x * x + 1), 0)
ASINH = function("asinh", lambda x: of(RSQRT)(x * x + 1), 0)
ROUND = function("round", lambda x: x * 0)
FLOOR = function("floor", lambda x: x * 0)

# -- truth values: polynomials in {0, 1} -------------------------------------------------------------------------------


def positive(x: Polynomial) -> Polynomial:
    """1 where x > 0, else 0."""
    return applied("positive", x, truth=True) if x.constant is None else Polynomial.number(int(x.constant > 0))


def null(x: Polynomial) -> Polynomial:
    """1 where x = 0, else 0; the atom is that of x², which x and −x share."""
    return applied("null", x * x, truth=True) if x.constant is None else Polynomial.number(int(x.constant == 0))


RELATIONS: dict[str, Callable[[Polynomial, Polynomial], Polynomial]] = {
    ">": lambda x, y: positive(x - y),
    "<": lambda x, y: positive(y - x),
    ">=": lambda x, y: 1 - positive(y - x),
    "<=": lambda x, y: 1 - positive(x - y),
    "==": lambda x, y: null(x - y),
    "!=": lambda x, y: 1 - null(x - y),
}


def chosen(condition: Polynomial, x: Polynomial, y: Polynomial) -> Polynomial:
    return condition * x + (1 - condition) * y


def larger(x: Polynomial, y: Polynomial) -> Polynomial:
    """max(x, y), with half of each where they are equal."""
    return positive(x - y) * x + positive(y - x) * y + null(x - y) * (x + y) * 0.5


def clamped(op: Any, x: Polynomial) -> Polynomial:
    below, above = positive(op.low - x), positive(x - op.high)
    return below * op.low + above * op.high + (1 - below) * (1 - above) * x


def sign(x: Polynomial) -> Polynomial:
    return positive(x) - positive(-x)
