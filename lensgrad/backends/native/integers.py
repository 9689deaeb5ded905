"""Whole-number expressions of loop variables: what stands in the brackets of an array, kept as a sum so that it can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import gcd, prod


@dataclass(frozen=True, slots=True)
class Atom:
    """A whole number from 0 to size − 1 that C knows under a name: a loop variable, or something computed before.

    `whole` is the expression that a quotient or a remainder was taken of, and `by` what it was divided by.
    """

    name: str
    size: int
    part: str = ""
    whole: Index | None = field(default=None, repr=False)
    by: int = 1


@dataclass(frozen=True, slots=True)
class Index:
    """constant + Σ factor · atom."""

    constant: int = 0
    terms: tuple[tuple[Atom, int], ...] = ()

    def __add__(self, other: Index | int) -> Index:
        if isinstance(other, int):
            return Index(self.constant + other, self.terms)
        return total(self.constant + other.constant, (*self.terms, *other.terms))

    def __sub__(self, other: Index | int) -> Index:
        return self + other * -1

    def __mul__(self, n: int) -> Index:
        return Index(self.constant * n, tuple((a, c * n) for a, c in self.terms) if n else ())

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest value."""
        ends = [(a.size - 1) * c for a, c in self.terms]
        return self.constant + sum(min(0, e) for e in ends), self.constant + sum(max(0, e) for e in ends)

    def divided(self, n: int) -> tuple[Index, Index]:
        """Quotient and remainder by n, for an expression that is never negative."""
        if n == 1:
            return self, Index()
        quotient, rest = divmod(self.constant, n)
        even = [(a, c // n) for a, c in self.terms if c % n == 0]
        odd = Index(rest, tuple((a, c) for a, c in self.terms if c % n))
        low, high = odd.bounds
        if low >= 0 and high < n:
            return Index(quotient, tuple(even)), odd
        for g in sorted({gcd(n, c) for _, c in odd.terms}, reverse=True):  # as (676 i + j) / 2028 = i / 3 for j < 676
            near = Index(rest % g, tuple((a, c) for a, c in odd.terms if c % g))
            if 1 < g < n and near.bounds[0] >= 0 and near.bounds[1] < g:
                far = Index(rest // g, tuple((a, c // g) for a, c in odd.terms if c % g == 0))
                more, left = far.divided(n // g)
                return Index(quotient, tuple(even)) + more, left * g + near
        text, top = str(self), self.bounds[1]
        return of(Atom(f"({text}) / {n}", top // n + 1, "quotient", self, n)), of(Atom(f"({text}) % {n}", n, "remainder", self, n))

    def factor(self, atom: Atom) -> int | None:
        """How far one step of an atom moves; None where it is inside a quotient or remainder."""
        if any(a != atom and reads(a, atom) for a, _ in self.terms):
            return None
        return sum(c for a, c in self.terms if a == atom)

    def __str__(self) -> str:
        words = [term(a, c) for a, c in self.terms]
        if self.constant or not words:
            words.append(str(self.constant))
        return " + ".join(words).replace("+ -", "- ")


def term(atom: Atom, factor: int) -> str:
    name = f"({atom.name})" if atom.part else atom.name
    return name if factor == 1 else f"{name} * {factor}" if factor > 0 else f"-{-factor} * {name}"


def of(atom: Atom) -> Index:
    """The value of an atom; an atom with one value is that number."""
    return Index() if atom.size == 1 else Index(0, ((atom, 1),))


def reads(a: Atom, atom: Atom) -> bool:
    """Whether a quotient or remainder is one of an expression with this atom."""
    return a.whole is not None and any(b == atom or reads(b, atom) for b, _ in a.whole.terms)


def total(constant: int, terms: Iterable[tuple[Atom, int]]) -> Index:
    """A sum with equal atoms collected; n · (x / n) + x % n is x again."""
    found: dict[Atom, int] = {}
    for atom, factor in terms:
        found[atom] = found.get(atom, 0) + factor
    for atom, factor in list(found.items()):
        whole = atom.whole
        if atom.part != "quotient" or whole is None or not factor or factor % atom.by:
            continue
        rest = next((b for b in found if b.part == "remainder" and b.whole == whole and b.by == atom.by), None)
        if rest is not None and found[rest] * atom.by == factor:
            left = [(a, c) for a, c in found.items() if a not in (atom, rest)]
            by = found[rest]
            return total(constant + whole.constant * by, [*left, *((a, c * by) for a, c in whole.terms)])
    kept = sorted(((a, c) for a, c in found.items() if c), key=lambda pair: pair[0].name)
    return Index(constant, tuple(kept))


def cuts(index: Index) -> dict[Atom, int]:
    """The loop variables that are divided, each by a number that divides how many values it has: by the largest of those."""
    found: dict[Atom, int] = {}
    for atom, _ in index.terms:
        if atom.whole is None:
            continue
        inner = atom.whole
        single = inner.terms[0] if len(inner.terms) == 1 and not inner.constant else None
        if single and single[1] == 1 and not single[0].part and single[0].size % atom.by == 0:
            found[single[0]] = max(atom.by, found.get(single[0], 1))
        else:
            found |= {a: max(n, found.get(a, 1)) for a, n in cuts(inner).items()}
    return found


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """How many entries one step along each axis moves, in row-major order."""
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def flat(index: Sequence[Index], shape: Sequence[int]) -> Index:
    """The place of an entry in row-major order."""
    found = Index()
    for i, step in zip(index, strides(shape), strict=True):
        found = found + i * step
    return found


def unflat(place: Index, shape: Sequence[int]) -> tuple[Index, ...]:
    """The index at a place."""
    found: list[Index] = []
    for step in strides(shape):
        first, place = place.divided(step)
        found.append(first)
    return tuple(found)


def reshaped(index: Sequence[Index], old: Sequence[int], new: Sequence[int]) -> tuple[Index, ...]:
    """The index in an array of shape `new` for an index in the same entries of shape `old`, axis by axis where it can be."""
    if [n for n in old if n != 1] == [n for n in new if n != 1]:
        long = iter([i for i, n in zip(index, old, strict=True) if n != 1])
        return tuple(next(long) if n != 1 else Index() for n in new)
    return unflat(flat(index, old), new)
