"""Pointwise generators: one value out for each value in. They share a typing rule and a batching rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, Standing, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.linear import Cast, lead
from lensgrad.theories.smooth.shape import Shaped, arity, arrays, floats, full, numbers

AE = Standing.ALMOST_EVERYWHERE


class Pointwise(Op):
    """A × … × A → A, entry by entry. Nothing is broadcast."""

    arity: ClassVar[int] = 1
    numeric: ClassVar[bool] = False  # whether integers are accepted as well as floats

    def type(self, *dom: Any) -> Ty:
        arity(self.name, dom, self.arity)
        (numbers if self.numeric else floats)(self.name, *dom)
        return Ty((alike(self.name, *dom),))

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Wire:
        return self(*(x if b else lead(x, n) for x, b in zip(xs, flags, strict=True)))


def alike(what: str, *atoms: Any) -> Any:
    """The one type of all these wires; the error says what to do instead of broadcasting."""
    if any(a != atoms[0] for a in atoms[1:]):
        told = " and ".join(map(str, atoms))
        fix = "cast one of them" if len({a.shape for a in atoms}) == 1 else "spread or reshape one of them; nothing is broadcast silently"
        raise TypeMismatch(f"{what} expects equal types, got {told}: {fix}")
    return atoms[0]


@generator
class Add(Pointwise):
    """x + y : A × A → A."""

    arity, numeric = 2, True

    def adjoint(self, *dom: Any) -> Callable[[Wire], tuple[Wire, Wire]]:
        return lambda dz: (dz, dz)


@generator
class Sub(Pointwise):
    """x − y : A × A → A."""

    arity, numeric = 2, True

    def adjoint(self, *dom: Any) -> Callable[[Wire], tuple[Wire, Wire]]:
        return lambda dz: (dz, -dz)


@generator
class Neg(Pointwise):
    """−x : A → A."""

    numeric = True

    def adjoint(self, *dom: Any) -> Neg:
        return Neg()


@generator
class Mul(Pointwise):
    """x · y : A × A → A."""

    arity, numeric = 2, True

    def reverse(self, x: Wire, y: Wire, dz: Wire) -> tuple[Wire, Wire]:
        return dz * y, dz * x


@generator
class Div(Pointwise):
    """x / y : A × A → A."""

    arity, standing, kinks = 2, AE, "y = 0"

    def reverse(self, x: Wire, y: Wire, dz: Wire) -> tuple[Wire, Wire]:
        return dz / y, -(dz * (x / y) / y)


@generator
class Exp(Pointwise):
    """eˣ : A → A."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * Exp()(x)


@generator
class Log(Pointwise):
    """ln x : A → A, for x > 0."""

    standing, kinks = AE, "x = 0"

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy / x


@generator
class Log1p(Pointwise):
    """ln(1 + x) : A → A, for x > −1."""

    standing, kinks = AE, "x = -1"

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy / (x + 1.0)


@generator
class Expm1(Pointwise):
    """eˣ − 1 : A → A."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * Exp()(x)


@generator
class Tanh(Pointwise):
    """tanh x : A → A."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        y = Tanh()(x)
        return dy * (1.0 - y * y)


@generator
class Logistic(Pointwise):
    """1 / (1 + e⁻ˣ) : A → A, the sigmoid."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        y = Logistic()(x)
        return dy * (y * (1.0 - y))


@generator
class Sin(Pointwise):
    """sin x : A → A, radians."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * Cos()(x)


@generator
class Cos(Pointwise):
    """cos x : A → A, radians."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return -(dy * Sin()(x))


@generator
class Atan(Pointwise):
    """arctan x : A → A, radians."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy / (x * x + 1.0)


@generator
class Atan2(Pointwise):
    """The angle of the point (x, y) : A × A → A of y and x, in (−π, π]."""

    arity, standing, kinks = 2, AE, "x = y = 0, and y = 0 with x < 0, where the angle jumps"

    def reverse(self, y: Wire, x: Wire, dz: Wire) -> tuple[Wire, Wire]:
        square = x * x + y * y
        return dz * (x / square), -(dz * (y / square))


@generator
class Asinh(Pointwise):
    """arsinh x, the inverse of sinh : A → A."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * Rsqrt()(x * x + 1.0)


@generator
class Erf(Pointwise):
    """erf x = 2/√π ∫₀ˣ e^(−t²) dt : A → A."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * (Exp()(-(x * x)) * 1.1283791670955126)


@generator
class Sqrt(Pointwise):
    """√x : A → A, for x ≥ 0."""

    standing, kinks = AE, "x = 0"

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * 0.5 / Sqrt()(x)


@generator
class Rsqrt(Pointwise):
    """1/√x : A → A, for x > 0."""

    standing, kinks = AE, "x = 0"

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return -(dy * 0.5 * Rsqrt()(x) / x)


@generator
class Abs(Pointwise):
    """|x| : A → A."""

    standing, kinks, numeric = AE, "x = 0, where the derivative is 0", True

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy * Sign()(x)


@generator
class Sign(Pointwise):
    """−1, 0 or 1 : A → A."""

    standing, kinks, numeric = AE, "x = 0; the derivative is 0 everywhere", True

    def reverse(self, x: Wire, dy: Wire) -> None:
        return None


@generator
class Floor(Pointwise):
    """The largest whole number ≤ x : A → A."""

    standing, kinks = AE, "whole numbers; the derivative is 0 everywhere"

    def reverse(self, x: Wire, dy: Wire) -> None:
        return None


@generator
class Round(Pointwise):
    """The nearest whole number, halves to the even one : A → A."""

    standing, kinks = AE, "halves; the derivative is 0 everywhere"

    def reverse(self, x: Wire, dy: Wire) -> None:
        return None


@generator
class IntegerPower(Pointwise):
    """xⁿ : A → A for a fixed whole number n (negative ones for x ≠ 0)."""

    n: int
    standing, kinks = AE, "x = 0 when n < 0"

    def reverse(self, x: Wire, dy: Wire) -> Wire | None:
        if self.n == 0:
            return None
        return dy * (IntegerPower(self.n - 1)(x) * float(self.n)) if self.n != 1 else dy


@generator
class Power(Pointwise):
    """xʸ : A × A → A, for x > 0."""

    arity, standing, kinks = 2, AE, "x ≤ 0"

    def reverse(self, x: Wire, y: Wire, dz: Wire) -> tuple[Wire, Wire]:
        return dz * (y * Power()(x, y - 1.0)), dz * (Power()(x, y) * Log()(x))


@generator
class Maximum(Pointwise):
    """max(x, y) : A × A → A."""

    arity, standing, kinks, numeric = 2, AE, "x = y, where both get half", True

    def reverse(self, x: Wire, y: Wire, dz: Wire) -> tuple[Wire, Wire]:
        return dz * share_of(x, y), dz * share_of(y, x)


@generator
class Minimum(Pointwise):
    """min(x, y) : A × A → A."""

    arity, standing, kinks, numeric = 2, AE, "x = y, where both get half", True

    def reverse(self, x: Wire, y: Wire, dz: Wire) -> tuple[Wire, Wire]:
        return dz * share_of(y, x), dz * share_of(x, y)


def share_of(winner: Wire, loser: Wire) -> Wire:
    """1 where winner > loser, ½ where equal, else 0."""
    dtype = winner.atom.dtype
    return Cast(dtype)(winner > loser) + Cast(dtype)(Compare("==")(winner, loser)) * 0.5


@generator
class Clamp(Pointwise):
    """min(max(x, low), high) : A → A."""

    low: float
    high: float
    standing, kinks = AE, "x = low and x = high, where the derivative is 1"

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        inside = And()(Compare(">=")(x, full(self.low, x.atom)), Compare("<=")(x, full(self.high, x.atom)))
        return Select()(inside, dy, x.atom.zero())


@generator
class Compare(Pointwise):
    """x < y and the like : A × A → Bool."""

    relation: str
    arity: ClassVar[int] = 2

    def type(self, *dom: Any) -> Ty:
        if self.relation not in ("<", "<=", "==", "!=", ">=", ">"):
            raise BadValue(f"'{self.relation}' is no comparison; use <, <=, ==, !=, >= or >")
        arity("a comparison", dom, 2)
        arrays("a comparison", *dom)
        return Ty((alike(f"'{self.relation}'", *dom).with_dtype("bool"),))


@generator
class And(Pointwise):
    """p ∧ q : Bool × Bool → Bool."""

    arity: ClassVar[int] = 2

    def type(self, *dom: Any) -> Ty:
        arity(self.name, dom, self.arity)
        if any(not isinstance(a, Shaped) or a.dtype != "bool" for a in dom):
            raise TypeMismatch(f"{self.name} expects truth values, got {' and '.join(map(str, dom))}")
        return Ty((alike(self.name, *dom),))


@generator
class Or(And):
    """p ∨ q : Bool × Bool → Bool."""


@generator
class Not(And):
    """¬p : Bool → Bool."""

    arity: ClassVar[int] = 1


@generator
class ShiftRight(Pointwise):
    """x >> bits : U32 → U32."""

    bits: int

    def type(self, *dom: Any) -> Ty:
        if len(dom) != 1 or not isinstance(dom[0], Shaped) or dom[0].dtype != "uint32":
            raise TypeMismatch(f"{self.name} expects 32-bit unsigned integers, got {Ty(dom)}")
        return Ty(dom)


@generator
class Select(Pointwise):
    """p ? x : y : Bool × A × A → A."""

    arity: ClassVar[int] = 3

    def type(self, *dom: Any) -> Ty:
        if len(dom) != 3 or not all(isinstance(a, Shaped) for a in dom) or dom[0].dtype != "bool":
            raise TypeMismatch(f"select expects truth values and two arrays, got {Ty(dom)}")
        alike("select", dom[0].with_dtype(dom[1].dtype), dom[1])
        return Ty((alike("select", *dom[1:]),))

    def reverse(self, p: Wire, x: Wire, y: Wire, dz: Wire) -> tuple[None, Wire, Wire]:
        zero = dz.atom.zero()
        return None, Select()(p, dz, zero), Select()(p, zero, dz)


@generator
class StopGradient(Pointwise):
    """x : A → A, with the chosen backward 0."""

    standing, kinks, numeric = Standing.CHOSEN, "not R: the cotangent is dropped", True

    def reverse(self, x: Wire, dy: Wire) -> None:
        return None
