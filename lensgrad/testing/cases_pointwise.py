"""Cases of the pointwise generators of Smooth."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.core.checks import is_a
from lensgrad.testing.case import Case, Kink
from lensgrad.testing.samples import between, fractional, nonzero, normal, positive, spaced, whole
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth import special
from lensgrad.theories.smooth.array import Array

SHAPES = ((), (3,), (2, 1, 3))


def f(*shape: int) -> Array:
    return Array(shape, "float64")


def i(*shape: int, dtype: str = "int32") -> Array:
    return Array(shape, dtype)


def kink(x: Any, dy: Any, dx: Any) -> Kink:
    """The declared answer for one input; groups of arrays for several."""
    return Kink(*(tuple(np.array(a, np.float64) for a in several(v)) for v in (x, dy, dx)))


def several(given: Any) -> tuple[Any, ...]:
    """A group; one alone is a group of one."""
    return given if is_a(given, tuple) else (given,)


def unary(op: Any, *values: Any, kinks: tuple[Kink, ...] = ()) -> list[Case]:
    """One case for each shape and sampler."""
    return [Case(op, (f(*s),), (v,), kinks if s == (3,) else ()) for v in values or (normal,) for s in SHAPES]


def binary(op: Any, x: Any = normal, y: Any = normal, kinks: tuple[Kink, ...] = ()) -> list[Case]:
    return [Case(op, (f(*s), f(*s)), (x, y), kinks if s == (3,) else ()) for s in SHAPES]


def integers(op: Any, arity: int) -> Case:
    """At whole numbers, where only the types and the meaning are checked."""
    return Case(op, (i(4),) * arity)


TIES = ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])

POINTWISE: list[Case] = [
    *(c for op in (p.Neg(), p.Exp(), p.Expm1(), p.Tanh(), p.Logistic(), p.Sin(), p.Cos()) for c in unary(op)),
    *unary(p.Logistic(), between(-40, 40)),
    *(c for op in (p.Atan(), p.Asinh()) for c in unary(op, normal, between(-40, 40))),
    *binary(p.Atan2(), nonzero, nonzero),
    *unary(p.Round(), between(-0.4, 0.4), kinks=(kink([-0.5, 0.5, 1.5], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]),)),
    *(c for op in (p.Erf(), special.Erfc()) for c in unary(op, normal, between(1.5, 3.5))),
    *unary(special.Erfc(), between(-1.5, -0.5), between(4.0, 4.5)),
    *(c for op in (p.Log(), p.Sqrt(), p.Rsqrt()) for c in unary(op, positive)),
    *unary(p.Log1p(), between(-0.9, 3.0)),
    *unary(p.Abs(), nonzero, kinks=(kink([-2.0, 0.0, 3.0], [5.0, 5.0, 5.0], [-5.0, 0.0, 5.0]),)),
    *unary(p.Sign(), nonzero, kinks=(kink([-2.0, 0.0, 3.0], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]),)),
    *unary(p.Floor(), fractional, kinks=(kink([-1.0, 0.0, 1.0], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]),)),
    *(c for n in (-2, -1, 0, 1, 2, 3, 5) for c in unary(p.IntegerPower(n), nonzero)),
    *unary(p.Clamp(-0.7, 1.2), spaced(0.5), kinks=(kink([-0.7, 1.2, 1.3], [5.0, 6.0, 7.0], [5.0, 6.0, 0.0]),)),
    Case(p.Clamp(0.0, float("inf")), (f(3),), (nonzero,)),
    *unary(p.StopGradient(), kinks=(kink([1.0, 2.0, 3.0], [5.0, 6.0, 7.0], [0.0, 0.0, 0.0]),)),
    *(c for op in (p.Add(), p.Sub(), p.Mul()) for c in binary(op)),
    *binary(p.Div(), normal, nonzero),
    *binary(p.Power(), positive, normal),
    *binary(p.Maximum(), spaced(), spaced(0.3), (kink(TIES, [2.0, 4.0, 6.0], ([1.0, 0.0, 6.0], [1.0, 4.0, 0.0])),)),
    *binary(p.Minimum(), spaced(), spaced(0.3), (kink(TIES, [2.0, 4.0, 6.0], ([1.0, 4.0, 0.0], [1.0, 0.0, 6.0])),)),
    *(Case(p.Compare(r), (a, a), (whole(0, 3),) * 2) for r in ("<", "<=", "==", "!=", ">=", ">") for a in (f(2, 5), i(6))),
    *(Case(op, (i(*s, dtype="bool"),) * 2) for op in (p.And(), p.Or()) for s in ((), (2, 4))),
    *(Case(p.Not(), (i(*s, dtype="bool"),)) for s in ((), (2, 4))),
    *(Case(p.ShiftRight(n), (i(2, 3, dtype="uint32"),), (whole(0, 2**32),)) for n in (0, 8, 31)),
    *(Case(p.Select(), (i(*s, dtype="bool"), f(*s), f(*s))) for s in SHAPES),
    Case(p.Select(), (i(4, dtype="bool"), i(4), i(4))),
    *(integers(op, 1) for op in (p.Neg(), p.Abs(), p.Sign(), p.StopGradient())),
    *(integers(op, 2) for op in (p.Add(), p.Sub(), p.Mul(), p.Maximum(), p.Minimum())),
]
