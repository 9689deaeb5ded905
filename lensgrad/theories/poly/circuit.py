"""Polynomial circuits over a semiring (arXiv 2203.06430): vectors of elements, +, ×, constants, and fixed wiring.

Wires are vectors, so that a layer of any width is a few nodes. With rows a wire holds one vector for each example; every
generator works on all rows alike, and `Repeat` and `Collect` go between one vector and many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch, WireError
from lensgrad.core.graph import Wire, same
from lensgrad.core.op import Op, Table, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.poly.semiring import Z2, Semiring, Z


@dataclass(frozen=True, slots=True)
class Vector:
    """Sⁿ: an atom, n elements of a semiring on one wire; with `rows`, that many vectors. Its changes are itself."""

    semiring: Semiring
    size: int
    rows: int | None = None

    def __post_init__(self) -> None:
        for n in (self.size, self.rows or 0):
            if type(n) is not int or not 0 <= n < 2**31:
                span = "below 2^31" if type(n) is int and n > 0 else "≥ 0"
                raise BadValue(f"a vector must have a whole number of elements {span}, got {shown(n)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """(size,), or (rows, size)."""
        return (self.size,) if self.rows is None else (self.rows, self.size)

    @property
    def total(self) -> int:
        """How many elements it has in all rows."""
        return self.size * (1 if self.rows is None else self.rows)

    @property
    def row(self) -> Vector:
        """The vector of one row."""
        return Vector(self.semiring, self.size)

    def sized(self, size: int) -> Vector:
        """The same rows of so many elements."""
        return Vector(self.semiring, size, self.rows)

    def stacked(self, n: int) -> Vector:
        """One vector for each of n examples."""
        if self.rows is not None:
            raise BadValue(f"{self} has rows already, and a circuit is batched once")
        return Vector(self.semiring, self.size, n)

    def spread(self, wire: Wire, n: int) -> Wire:
        """n equal rows."""
        return Repeat(n)(wire)

    @property
    def change(self) -> Vector:
        return self

    def zero(self) -> Wire:
        """0 : I → Sⁿ."""
        return self.constant(self.semiring.zero)

    def one(self) -> Wire:
        """1 : I → Sⁿ."""
        return self.constant(self.semiring.one)

    def constant(self, value: int) -> Wire:
        return self.filled([value] * self.size)

    def filled(self, values: Sequence[int]) -> Wire:
        """Fixed elements, the same in all rows."""
        made = Constant(self.semiring, Table(values))()
        return made if self.rows is None else Repeat(self.rows)(made)

    def infix(self, name: str, *args: Any) -> Any:
        """`+`, `*`, `-` (where + has inverses) and `x[i]` on wires of this type."""
        if name == "getitem":
            x, index = args
            if not isinstance(index, slice) and (type(index) is not int or not -self.size <= index < self.size):
                raise WireError(f"a wire of type {self} must be indexed by whole numbers and slices inside it, got {shown(index)}")
            chosen = list(range(self.size))[index]
            return Gather(Table([chosen] if isinstance(chosen, int) else chosen))(x)
        wires = [self.constant(self.semiring.image(a)) if type(a) is int else a for a in args]
        if name in ("sub", "neg"):
            return self._negated(wires, name)
        if name not in INFIX:
            raise WireError(f"a wire of type {self} has no operation '{name}'")
        return INFIX[name](*wires)

    def _negated(self, wires: list[Wire], name: str) -> Wire:
        if self.semiring.negative is None:
            raise NoChange(
                f"{self.semiring.name} has no negatives, so nothing can be subtracted in {self}: there is no descent here, use `ascent`"
            )
        unit = self.semiring.negative(self.semiring.one)
        opposite = wires[-1] if unit == self.semiring.one else Mul()(wires[-1], self.constant(unit))
        return opposite if name == "neg" else Add()(wires[0], opposite)

    def __str__(self) -> str:
        return f"{self.semiring.name}[{'' if self.rows is None else f'{self.rows},'}{self.size}]"


@generator
class Constant(Op):
    """Fixed elements : I → Sⁿ."""

    semiring: Semiring
    values: Table

    def type(self, *dom: Any) -> Ty:
        if dom:
            raise TypeMismatch(f"a constant expects 0 inputs, got {Ty(dom)}")
        if not all(map(self.semiring.has, self.values.entries)):
            raise TypeMismatch(f"a constant of {self.semiring.name} has entries in 0..{self.semiring.size - 1}, got {self.values}")
        return Ty((Vector(self.semiring, len(self.values)),))

    def reverse(self) -> tuple[()]:
        return ()


@generator
class Add(Op):
    """x + y : Sⁿ × Sⁿ → Sⁿ, entry by entry."""

    def type(self, *dom: Any) -> Ty:
        return Ty((two_vectors("+", dom),))

    def adjoint(self, *dom: Any) -> Callable[[Wire], tuple[Wire, Wire]]:
        return lambda dz: (dz, dz)

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Wire:
        return self(*in_rows(n, flags, xs))


@generator
class Mul(Op):
    """x × y : Sⁿ × Sⁿ → Sⁿ, entry by entry."""

    def type(self, *dom: Any) -> Ty:
        return Ty((two_vectors("×", dom),))

    def reverse(self, x: Wire, y: Wire, dz: Wire) -> tuple[Wire, Wire]:
        return dz * y, dz * x

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Wire:
        return self(*in_rows(n, flags, xs))


@generator
class Gather(Op):
    """y_i = x_(table i) : Sⁿ → Sᵐ, fixed wiring with copies. Its adjoint is `Scatter`."""

    table: Table

    def type(self, *dom: Any) -> Ty:
        x = vector("gather", dom)
        if not self.table.within(x.size):
            raise TypeMismatch(f"gather reads entries 0..{x.size - 1} of {x}, got {self.table}")
        return Ty((x.sized(len(self.table)),))

    def adjoint(self, *dom: Any) -> Scatter:
        return Scatter(self.table, dom[0].size)

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return self(x)


@generator
class Scatter(Op):
    """y_j = Σ over table(i) = j of x_i : Sᵐ → Sⁿ. Its adjoint is `Gather`."""

    table: Table
    size: int

    def type(self, *dom: Any) -> Ty:
        x = vector("scatter", dom)
        if len(self.table) != x.size or not self.table.within(self.size):
            raise TypeMismatch(f"scatter expects one place in 0..{self.size - 1} for each entry of {x}, got {self.table}")
        return Ty((x.sized(self.size),))

    def adjoint(self, *dom: Any) -> Gather:
        return Gather(self.table)

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return self(x)


@generator
class Repeat(Op):
    """The same vector in every row : Sⁿ → Sⁿ in so many rows. Its adjoint is `Collect`."""

    rows: int

    def type(self, *dom: Any) -> Ty:
        return Ty((vector("repeat", dom).stacked(self.rows),))

    def adjoint(self, *dom: Any) -> Collect:
        return Collect()


@generator
class Collect(Op):
    """The sum of all rows : Sⁿ in rows → Sⁿ. Its adjoint is `Repeat`."""

    def type(self, *dom: Any) -> Ty:
        x = vector("collect", dom)
        if x.rows is None:
            raise TypeMismatch(f"collect adds the rows of a vector, and {x} has none")
        return Ty((x.row,))

    def adjoint(self, *dom: Any) -> Repeat:
        return Repeat(dom[0].rows)


@generator
class Count(Op):
    """The sum of all rows in Z : Sⁿ in rows → Zⁿ, elements read as the numbers that stand for them; of bits, how many are 1.

    Modulo 2 it is `Collect` over Z2, and cut off at n − 1 it is `Collect` over Sat_n. It is no polynomial, so it has no reverse.
    """

    semiring: Semiring = Z2

    def type(self, *dom: Any) -> Ty:
        x = vector("count", dom)
        if x.rows is None or x.semiring != self.semiring:
            raise TypeMismatch(f"count adds the rows of a vector over {self.semiring}, got {x}")
        return Ty((Vector(Z, x.size),))


INFIX: dict[str, Op] = {"add": Add(), "mul": Mul()}


def vector(what: str, dom: tuple[Any, ...]) -> Vector:
    if len(dom) != 1 or not isinstance(dom[0], Vector):
        raise TypeMismatch(f"{what} expects one vector, got {Ty(dom)}")
    return dom[0]


def two_vectors(what: str, dom: tuple[Any, ...]) -> Vector:
    if len(dom) != 2 or not all(isinstance(a, Vector) for a in dom):
        raise TypeMismatch(f"{what} expects two vectors, got {Ty(dom)}")
    return same(what, *dom)


def in_rows(n: int, flags: Sequence[bool], xs: Sequence[Wire]) -> list[Wire]:
    """Wires with a row for each example: those that examples share are repeated."""
    return [x if b else Repeat(n)(x) for x, b in zip(xs, flags, strict=True)]


def Bits(n: int = 1, semiring: Semiring = Z2) -> Ty:
    """n bits on one wire, over Z2 unless another semiring is given."""
    return Ty((Vector(semiring, n),))


def gather(x: Wire, places: Sequence[int]) -> Wire:
    """Entries of x by fixed numbers."""
    return Gather(Table(places))(x)


def scatter(x: Wire, places: Sequence[int], size: int) -> Wire:
    """Entries of x added into `size` zeros at fixed places."""
    return Scatter(Table(places), size)(x)


def total(x: Wire) -> Wire:
    """The sum of all entries, as a vector of one."""
    return scatter(x, [0] * x.atom.size, 1)


def concatenate(xs: Sequence[Wire]) -> Wire:
    """Vectors one after the other."""
    size, start = sum(x.atom.size for x in xs), 0
    parts: list[Wire] = []
    for x in xs:
        parts.append(scatter(x, range(start, start + x.atom.size), size))
        start += x.atom.size
    return fold_sum(parts)


def fold_sum(parts: Sequence[Wire]) -> Wire:
    """x₁ + x₂ + …"""
    return reduce(lambda a, b: a + b, parts)


def minterms(x: Wire) -> Wire:
    """The basis of truth tables : S^k → S^(2^k). Entry s is Π (x_i if bit i of s else 1 − x_i), bit k−1−i for input i."""
    pairs = [concatenate([1 - x[i], x[i]]) for i in range(x.atom.size)]
    return reduce(outer, pairs)


def outer(x: Wire, y: Wire) -> Wire:
    """All products x_i y_j, row-major."""
    n, m = x.atom.size, y.atom.size
    return gather(x, [i for i in range(n) for _ in range(m)]) * gather(y, list(range(m)) * n)
