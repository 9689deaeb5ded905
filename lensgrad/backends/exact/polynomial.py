"""Formal polynomials over a commutative semiring, whose symbols are variables or uninterpreted applications."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

from lensgrad.theories.poly.semiring import Semiring

RATIONALS = Semiring("ℚ", 0, operator.add, operator.mul, Fraction(0), Fraction(1), operator.neg)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Variable:
    """Entry `entry` of input number `wire`."""

    wire: int
    entry: int

    def __str__(self) -> str:
        return f"x{self.wire}.{self.entry}"


@dataclass(frozen=True)
class Atom:
    """A function that is not polynomial, applied to polynomials: equal name and arguments make equal atoms.

    `partials` gives its partial derivatives as polynomials; a truth value is equal to its own square.
    """

    name: str
    args: tuple[Any, ...]
    partials: Callable[..., Iterable[Polynomial]] | None = None
    truth: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and (self.name, self.args) == (other.name, other.args)

    def __hash__(self) -> int:
        return hash((self.name, self.args))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.args))})"


Symbol = Variable | Atom
Monomial = frozenset[tuple[Symbol, int]]  # symbols with their exponents
ONE: Monomial = frozenset()


class Polynomial:
    """Σ c · m over monomials m, immutable. Formal: x² and x differ over Z2 as well, since their derivatives do."""

    __slots__ = ("_hash", "ring", "terms")

    def __init__(self, ring: Semiring, terms: Mapping[Monomial, Any]) -> None:
        self.ring = ring
        self.terms = {m: c for m, c in terms.items() if c != ring.zero}
        self._hash = hash(frozenset(self.terms.items()))

    @classmethod
    def number(cls, value: Any, ring: Semiring = RATIONALS) -> Polynomial:
        """A constant."""
        return cls(ring, {ONE: Fraction(value) if ring is RATIONALS else value})

    @classmethod
    def symbol(cls, symbol: Symbol, ring: Semiring = RATIONALS) -> Polynomial:
        """A symbol as a polynomial."""
        return cls(ring, {frozenset({(symbol, 1)}): ring.one})

    @property
    def constant(self) -> Any:
        """The value of a constant polynomial; None for any other."""
        if not self.terms:
            return self.ring.zero
        return self.terms[ONE] if list(self.terms) == [ONE] else None

    def lifted(self, other: Any) -> Polynomial:
        return other if isinstance(other, Polynomial) else Polynomial.number(other, self.ring)

    def __add__(self, other: Any) -> Polynomial:
        terms = dict(self.terms)
        for m, c in self.lifted(other).terms.items():
            terms[m] = self.ring.add(terms[m], c) if m in terms else c
        return Polynomial(self.ring, terms)

    def __mul__(self, other: Any) -> Polynomial:
        terms: dict[Monomial, Any] = {}
        right = self.lifted(other).terms.items()
        for m, c in self.terms.items():
            for n, d in right:
                k, e = times(m, n), self.ring.mul(c, d)
                terms[k] = self.ring.add(terms[k], e) if k in terms else e
        return Polynomial(self.ring, terms)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Polynomial:
        return self * self.minus_one()

    def __sub__(self, other: Any) -> Polynomial:
        return self + self.lifted(other) * self.minus_one()

    def __rsub__(self, other: Any) -> Polynomial:
        return self.lifted(other) - self

    def minus_one(self) -> Any:
        if self.ring.negative is None:
            raise ArithmeticError(f"{self.ring} has no negatives")
        return self.ring.negative(self.ring.one)

    def __pow__(self, n: int) -> Polynomial:
        return reduce(operator.mul, [self] * n, Polynomial.number(self.ring.one, self.ring))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and (self.ring, self.terms) == (other.ring, other.terms)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return " + ".join(sorted(shown(m, c, self.ring) for m, c in self.terms.items())) or "0"

    __repr__ = __str__


def times(m: Monomial, n: Monomial) -> Monomial:
    """m · n; a truth value keeps exponent 1."""
    if not m or not n:
        return m or n
    powers = dict(m)
    for s, k in n:
        powers[s] = 1 if isinstance(s, Atom) and s.truth else powers.get(s, 0) + k
    return frozenset(powers.items())


def shown(m: Monomial, c: Any, ring: Semiring) -> str:
    factors = sorted(f"{s}^{k}" if k > 1 else str(s) for s, k in m)
    return "·".join(([] if c == ring.one and m else [str(c)]) + factors)


def multiple(n: int, ring: Semiring) -> Any:
    """1 + … + 1, n times."""
    return reduce(ring.add, [ring.one] * n, ring.zero)


def derivative(p: Polynomial, x: Variable) -> Polynomial:
    """∂p/∂x, formally: ∂xᵏ = k xᵏ⁻¹ with k = 1 + … + 1, and the chain rule through atoms."""
    zero = Polynomial(p.ring, {})
    return sum((by_product_rule(m, c, x, p.ring) for m, c in p.terms.items()), zero)


def by_product_rule(m: Monomial, c: Any, x: Variable, ring: Semiring) -> Polynomial:
    total = Polynomial(ring, {})
    for s, k in m:
        inner = of_symbol(s, x, ring)
        if inner.terms:
            rest = m - {(s, k)} | (frozenset({(s, k - 1)}) if k > 1 else ONE)
            total += Polynomial(ring, {rest: ring.mul(c, multiple(k, ring))}) * inner
    return total


def of_symbol(s: Symbol, x: Variable, ring: Semiring) -> Polynomial:
    if isinstance(s, Variable):
        return Polynomial.number(ring.one, ring) if s == x else Polynomial(ring, {})
    inner = [derivative(a, x) for a in s.args if isinstance(a, Polynomial)] if s.partials else []
    if s.partials is None or not any(d.terms for d in inner):
        return Polynomial(ring, {})
    return sum((g * d for g, d in zip(s.partials(*s.args), inner, strict=True)), Polynomial(ring, {}))
