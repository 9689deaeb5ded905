"""Commutative semirings: the two-element ones, Z_n, saturating numbers, min-plus, Z, and a user's own."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from lensgrad.core.errors import BadValue, NoChange

Binary = Callable[[int, int], int]


@dataclass(frozen=True)
class Semiring:
    """(S, +, 0, ×, 1) on the numbers 0..size−1, or on all whole numbers where `size` is 0.

    `negative` is None where + has no inverses. `rule` says how machine words add and multiply ("mod", "cap", "min-plus",
    "integers"), and is empty where only the tables say it; `sums` and `products` are these tables, for a user's own.
    Equality is that of the name and of the tables.
    """

    name: str
    size: int
    add: Binary = field(compare=False, repr=False)
    mul: Binary = field(compare=False, repr=False)
    zero: int = field(default=0, compare=False, repr=False)
    one: int = field(default=1, compare=False, repr=False)
    negative: Callable[[int], int] | None = field(default=None, compare=False, repr=False)
    rule: str = field(default="", compare=False, repr=False)
    sums: tuple[int, ...] = field(default=(), repr=False)
    products: tuple[int, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.name

    @property
    def finite(self) -> bool:
        return self.size > 0

    @property
    def elements(self) -> range:
        """All elements of a finite semiring."""
        if not self.finite:
            raise BadValue(f"{self.name} has infinitely many elements, so they cannot all be tried")
        return range(self.size)

    def has(self, value: int) -> bool:
        """Whether a number is an element."""
        return not self.finite or 0 <= value < self.size

    def image(self, number: int) -> int:
        """The image of a whole number under the one homomorphism Z → S (or from the numbers ≥ 0 where S has no negatives)."""
        if number < 0:
            if self.negative is None:
                raise NoChange(f"{self.name} has no negatives, so {number} has no image in it")
            return self.negative(self.image(-number))
        total, power = self.zero, self.one
        while number:
            total = self.add(total, power) if number & 1 else total
            power, number = self.add(power, power), number >> 1
        return total


# -- the families ------------------------------------------------------------------------------------------------------


def whole(what: str, n: int, least: int, most: int) -> int:
    """A number that a family of semirings accepts."""
    if type(n) is not int or not least <= n <= most:
        raise BadValue(f"{what} expects a whole number from {least} to {most}, got {n!r}")
    return n


def exclusive(a: int, b: int) -> int:
    return a ^ b


def both(a: int, b: int) -> int:
    return a & b


def either(a: int, b: int) -> int:
    return a | b


@cache
def modulo(n: int) -> Semiring:
    """Z_n: whole numbers modulo n. `modulo(2)` is Z2, `modulo(2**k)` is the arithmetic of machine words of k bits."""
    whole("modulo", n, 2, 2**64)
    if n == 2:
        return Semiring("Z2", 2, exclusive, both, negative=operator.pos, rule="mod")
    return Semiring(f"Z{n}", n, lambda a, b: (a + b) % n, lambda a, b: a * b % n, negative=lambda a: -a % n, rule="mod")


@cache
def saturating(n: int) -> Semiring:
    """Sat_n = {0..n−1} with sums and products cut off at n − 1 (arXiv 2203.06430, Definition 6.1)."""
    top = whole("saturating", n, 2, 2**31) - 1
    return Semiring(f"Sat{n}", n, lambda a, b: min(a + b, top), lambda a, b: min(a * b, top), rule="cap")


@cache
def min_plus(n: int = 128) -> Semiring:
    """{0..n−1} with minimum as + and the sum, cut off at n − 1, as ×: costs, of which n − 1 is infinite. 0 is n − 1 and 1 is 0."""
    top = whole("min_plus", n, 2, 2**31) - 1
    return Semiring(f"min-plus{n}", n, min, lambda a, b: min(a + b, top), top, 0, rule="min-plus")


Z2 = modulo(2)
LOGIC = Semiring("OR/AND", 2, either, both, rule="cap")
Z = Semiring("Z", 0, operator.add, operator.mul, negative=operator.neg, rule="integers")
FAMILIES: dict[str, Callable[[int], Semiring]] = {"Z": modulo, "Sat": saturating, "min-plus": min_plus}
SEMIRINGS = {s.name: s for s in (Z2, LOGIC, Z)}


def named(name: str) -> Semiring | None:
    """A semiring of the library by its name; None for any other."""
    found = re.fullmatch(r"(Z|Sat|min-plus)([1-9]\d{0,19})", name)
    if name in SEMIRINGS or found is None:
        return SEMIRINGS.get(name)
    try:
        return FAMILIES[found[1]](int(found[2]))
    except BadValue:
        return None


# -- a user's own ------------------------------------------------------------------------------------------------------

LARGEST = 64  # elements of a semiring whose axioms are all tried


def semiring(name: str, size: int, add: Binary, mul: Binary, zero: int = 0, one: int = 1) -> Semiring:
    """A semiring of one's own on 0..size−1, after trying every axiom on all its elements.

    Negatives are found where every element has one. Raises `BadValue` with the axiom and the elements that break it.
    """
    whole("a semiring", size, 1, LARGEST)
    if named(name) is not None:
        raise BadValue(f"'{name}' is a semiring of the library: give another name")
    pairs = list(product(range(size), repeat=2))
    sums, products = (tuple(op(a, b) for a, b in pairs) for op in (add, mul))
    for (a, b), *found in zip(pairs, sums, products, strict=True):
        strange = [v for v in (*found, zero, one) if type(v) is not int or not 0 <= v < size]
        if strange:
            raise BadValue(f"{name} has the elements 0..{size - 1}, and {strange[0]!r} comes out for {a} and {b}")
    plus, times = looked_up(size, sums), looked_up(size, products)
    for axiom, broken in axioms(size, plus, times, zero, one):
        if broken is not None:
            raise BadValue(f"{name} is no commutative semiring: {axiom} fails for {', '.join(map(str, broken))}")
    inverses = {a: b for a, b in pairs if plus(a, b) == zero}
    negative = inverses.__getitem__ if len(inverses) == size else None
    return Semiring(name, size, plus, times, zero, one, negative, "", sums, products)


def looked_up(size: int, table: tuple[int, ...]) -> Binary:
    """The operation with this table, row by row."""

    def op(a: int, b: int) -> int:
        return table[a * size + b]

    return op


def axioms(size: int, add: Binary, mul: Binary, zero: int, one: int) -> Iterator[tuple[str, tuple[int, ...] | None]]:
    """Each axiom of commutative semirings with the first elements that break it, or None."""
    ones: tuple[tuple[str, Callable[[int], bool]], ...] = (
        ("a + 0 = a", lambda a: add(a, zero) == a),
        ("a × 1 = a", lambda a: mul(a, one) == a),
        ("a × 0 = 0", lambda a: mul(a, zero) == zero),
    )
    twos: tuple[tuple[str, Callable[[int, int], bool]], ...] = (
        ("a + b = b + a", lambda a, b: add(a, b) == add(b, a)),
        ("a × b = b × a", lambda a, b: mul(a, b) == mul(b, a)),
    )
    threes: tuple[tuple[str, Callable[[int, int, int], bool]], ...] = (
        ("(a + b) + c = a + (b + c)", lambda a, b, c: add(add(a, b), c) == add(a, add(b, c))),
        ("(a × b) × c = a × (b × c)", lambda a, b, c: mul(mul(a, b), c) == mul(a, mul(b, c))),
        ("a × (b + c) = a × b + a × c", lambda a, b, c: mul(a, add(b, c)) == add(mul(a, b), mul(a, c))),
    )
    for n, laws in ((1, ones), (2, twos), (3, threes)):
        for name, holds in laws:
            yield name, next((v for v in product(range(size), repeat=n) if not holds(*v)), None)
