"""Short convolutions by few products, after Toom and Cook, as Winograd has them: matrices, and sums by their rows as lines of C.

m results of a kernel of r entries are A (G k · B x), where · is entry by entry: m + r − 1 products instead of m r. A product of
polynomials is known by its values at points, and this is the transpose of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, count
from math import prod

Row = Sequence[Fraction]
Matrix = Sequence[Row]
POINTS = tuple(Fraction(n) for n in ("0", "5/8", "-5/8", "3/2", "-3/2"))  # and infinity: rounding weighs less there than at whole numbers


@dataclass(frozen=True)
class Transforms:
    """What an image, a kernel and the products of both are multiplied by."""

    image: Matrix
    kernel: Matrix
    result: Matrix


def transforms(results: int, size: int) -> Transforms:
    """The matrices for so many results of a kernel of this size, by the first points and infinity."""
    points = POINTS[: results + size - 2]
    others = [[b for b in points if b != a] for a in points]
    images = [[*polynomial(rest), Fraction(0)] for rest in others] + [polynomial(points)]
    weights = [prod(a - b for b in rest) for a, rest in zip(points, others, strict=True)] + [Fraction(1)]
    kernels = [[p / w for p in powers] for powers, w in zip(values(points, size), weights, strict=True)]
    return Transforms(images, kernels, transposed(values(points, results)))


def values(points: Sequence[Fraction], size: int) -> list[list[Fraction]]:
    """Rows that give the values of a polynomial at points, and its last number, which is what it is like at infinity."""
    return [[a**k for k in range(size)] for a in points] + [[Fraction(k == size - 1) for k in range(size)]]


def polynomial(roots: Sequence[Fraction]) -> list[Fraction]:
    """The numbers of Π (x − root), the constant one first."""
    found = [Fraction(1)]
    for root in roots:
        found = [a - root * b for a, b in zip([Fraction(0), *found], [*found, Fraction(0)], strict=True)]
    return found


def transposed(matrix: Matrix) -> list[list[Fraction]]:
    return [list(column) for column in zip(*matrix, strict=True)]


@dataclass
class Sums:
    """Lines of C that name sums, in numbers of a type."""

    type: str

    def __post_init__(self) -> None:
        self.lines: list[str] = []
        self.names = (f"v{k}" for k in count())

    def let(self, text: str) -> str:
        """A name for a number."""
        name = next(self.names)
        self.lines.append(f"const {self.type} {name} = {text};")
        return name

    def times(self, matrix: Matrix, names: Sequence[str]) -> list[str]:
        """A matrix times numbers of these names: what rows have in common is added once."""
        rows = [{n: c for n, c in zip(names, row, strict=True) if c} for row in matrix]
        while (pair := common(rows)) is not None:
            a, b, ratio = pair
            name = self.let(self.total({a: Fraction(1), b: ratio}))
            for row in rows:
                if a in row and row.get(b) == row[a] * ratio:
                    row[name] = row.pop(a)
                    del row[b]
        return [self.total(row) for row in rows]

    def around(self, left: Matrix, right: Matrix, read: Callable[[int, int], str]) -> list[list[str]]:
        """left · x · rightᵀ, where `read(i, j)` is an entry of x; entries that are not needed are not read."""
        columns: list[list[str]] = []
        used = [a for a in range(len(left[0])) if any(row[a] for row in left)]
        for b in range(len(right[0])):
            names = [self.let(read(a, b)) for a in used]
            columns.append([self.let(text) for text in self.times([[row[a] for a in used] for row in left], names)])
        return [self.times(right, [column[i] for column in columns]) for i in range(len(left))]

    def total(self, row: dict[str, Fraction]) -> str:
        """A sum of numbers, each times its factor."""
        return " + ".join(self.term(name, c) for name, c in row.items()).replace("+ -", "- ") or "0"

    def term(self, name: str, factor: Fraction) -> str:
        if abs(factor) == 1:
            return name if factor > 0 else f"-{name}"
        return f"{float(factor)!r}{'f' * (self.type == 'float')} * {name}"


def common(rows: Sequence[dict[str, Fraction]]) -> tuple[str, str, Fraction] | None:
    """Two numbers that most rows have in the same relation, if two or more have them so."""
    seen = Counter((a, b, row[b] / row[a]) for row in rows for a, b in combinations(sorted(row), 2))
    found, often = max(seen.items(), key=lambda pair: pair[1], default=(None, 0))
    return found if often > 1 else None


__all__ = ["Sums", "Transforms", "transforms", "transposed"]
