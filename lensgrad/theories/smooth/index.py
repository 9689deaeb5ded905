"""Reading and writing by integer index. `Take` and `ScatterAdd` are adjoint to one another."""

from __future__ import annotations

from typing import Any

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, Table, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array, arity, arrays
from lensgrad.theories.smooth.linear import Transpose, lead, single


def integers(what: str, atom: Any) -> None:
    if not isinstance(atom, Array) or atom.floating or atom.dtype == "bool":
        raise TypeMismatch(f"{what} expects whole-number indices, got {atom}")


def rotated(x: Wire, source: int, target: int) -> Wire:
    """Move one axis."""
    order = [i for i in range(x.atom.rank) if i != source]
    order.insert(target, source)
    return Transpose(tuple(order))(x)


@generator
class Take(Op):
    """Rows by number : ℝ^(b,m,r) × I32^(b,k) → ℝ^(b,k,r) for the first `lead` axes b. Indices outside 0..m−1 are clipped."""

    lead: int = 0

    def type(self, *dom: Any) -> Ty:
        arity("take", dom, 2)
        x, index = dom
        arrays("take", x)
        integers("take", index)
        if x.rank <= self.lead or x.shape[: self.lead] != index.shape[: self.lead]:
            raise TypeMismatch(f"take cannot read {x} at {index} with {self.lead} leading axes in common")
        return Ty((x.with_shape(*index.shape, *x.shape[self.lead + 1 :]),))

    def reverse(self, x: Wire, index: Wire, dy: Wire) -> tuple[Wire, None]:
        return ScatterAdd(x.atom.shape[self.lead], self.lead)(index, dy), None

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire, index: Wire) -> Wire:
        if flags == (True, False) and self.lead == 0:
            rows = rotated(x, 0, 1)
            return rotated(Take(0)(rows, index), index.atom.rank, 0)
        if flags == (False, True) and self.lead == 0:
            return Take(0)(x, index)
        x, index = (v if b else lead(v, n) for v, b in zip((x, index), flags, strict=True))
        return Take(self.lead + 1)(x, index)


@generator
class ScatterAdd(Op):
    """Add rows into m zero rows by number : I32^(b,k) × ℝ^(b,k,r) → ℝ^(b,m,r). Adjoint of `Take`."""

    rows: int
    lead: int = 0

    def type(self, *dom: Any) -> Ty:
        arity("scatter-add", dom, 2)
        index, y = dom
        arrays("scatter-add", y)
        integers("scatter-add", index)
        if y.shape[: index.rank] != index.shape or index.rank < self.lead:
            raise TypeMismatch(f"scatter-add cannot write {y} at {index} with {self.lead} leading axes in common")
        return Ty((y.with_shape(*index.shape[: self.lead], self.rows, *y.shape[index.rank :]),))

    def reverse(self, index: Wire, y: Wire, dx: Wire) -> tuple[None, Wire]:
        return None, Take(self.lead)(dx, index)

    def batch(self, n: int, flags: tuple[bool, ...], index: Wire, y: Wire) -> Wire:
        if flags == (False, True) and self.lead == 0:
            rows = rotated(y, 0, index.atom.rank)
            return rotated(ScatterAdd(self.rows)(index, rows), 1, 0)
        index, y = (v if b else lead(v, n) for v, b in zip((index, y), flags, strict=True))
        return ScatterAdd(self.rows, self.lead + 1)(index, y)


@generator
class OneHot(Op):
    """k ↦ e_k : I32^s → ℝ^(s,n); a zero row for an index outside 0..n−1."""

    n: int
    dtype: str = "float32"

    def type(self, *dom: Any) -> Ty:
        x = single("one-hot", dom)
        integers("one-hot", x)
        return Ty((Array((*x.shape, self.n), self.dtype),))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return self(x)


@generator
class Iota(Op):
    """0, 1, …, n−1 : I → I32ⁿ."""

    n: int

    def type(self, *dom: Any) -> Ty:
        arity("iota", dom, 0)
        return Ty((Array((self.n,), "int32"),))


@generator
class Numbers(Op):
    """Fixed whole numbers : I → I32ⁿ, such as the wiring of a circuit."""

    table: Table

    def type(self, *dom: Any) -> Ty:
        arity("numbers", dom, 0)
        return Ty((Array((len(self.table),), "int32"),))
