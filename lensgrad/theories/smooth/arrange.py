"""How entries are repeated, moved, cut and shown: all of it made of generators that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.checks import is_whole, listing, shown, whole
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire, atom_of
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth.array import Key
from lensgrad.theories.smooth.draws import split as keys
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.operators import along, einsum, reshape
from lensgrad.theories.smooth.shape import array
from lensgrad.theories.smooth.wires import concatenate, select, spread


def cut(x: Wire, axis: int, low: int, high: int) -> Wire:
    """The entries low … high − 1 along an axis."""
    return x[(*(slice(None),) * axis, slice(low, high))]


def split(x: Wire, parts: int | Sequence[int] = 2, axis: int = 0) -> tuple[Wire, ...]:
    """Independent keys from a key; an array in so many equal parts along an axis, or in parts of these sizes."""
    if isinstance(atom_of("split", x), Key):
        return keys(x, whole("the number of keys", parts, 1))
    at = along(x, axis, "split")
    n, sizes = x.atom.shape[at], [parts] if is_whole(parts) else listing("parts", parts, "a whole number, or a list of sizes")
    if is_whole(parts):
        count = whole("parts", parts, 1)
        sizes = [n // count] * min(count, n + 1)  # more parts than entries are refused below
    sizes = [whole("a size of split", size) for size in sizes]
    if sum(sizes) != n:
        told = f"split cuts the {n} entries of axis {at} of {x.atom} without a rest, and {shown(parts)} leaves one"
        raise TypeMismatch(f"{told}: give sizes that add up to {n}")
    return tuple(_linear.parts(x, at, sizes))


def roll(x: Wire, shift: int, axis: int = 0) -> Wire:
    """Entries moved by `shift` along an axis; those that leave it at one end come in at the other."""
    at = along(x, axis, "roll")
    if not is_whole(shift):
        raise BadValue(f"the shift of roll must be a whole number, got {shown(shift)}")
    n = x.atom.shape[at]
    by = int(shift) % n if n else 0
    return concatenate([cut(x, at, n - by, n), cut(x, at, 0, n - by)], at) if by else x


def repeat(x: Wire, times: int, axis: int) -> Wire:
    """Each entry along an axis so many times, one after the other: 1 2 → 1 1 2 2. (PyTorch calls it repeat_interleave.)"""
    at, count, shape = along(x, axis, "repeat"), whole("the times of repeat", times), x.atom.shape
    wide = (*shape[: at + 1], count, *shape[at + 1 :])
    return reshape(spread(x, wide, [a for a in range(len(wide)) if a != at + 1]), *shape[:at], shape[at] * count, *shape[at + 1 :])


def tile(x: Wire, times: int | Sequence[int]) -> Wire:
    """The whole array so many times along its last axis, or along each of its last axes: 1 2 → 1 2 1 2.

    Where there are more numbers than axes, axes are added in front. (PyTorch's method `repeat` is this.)
    """
    counts = [times] if is_whole(times) else listing("the times of tile", times, "a whole number, or one for each axis")
    counts = [whole("a number of times of tile", n) for n in counts]
    rank = max(len(counts), array("tile", x).rank)
    counts, shape = [1] * (rank - len(counts)) + counts, (1,) * (rank - x.atom.rank) + x.atom.shape
    wide = [n for pair in zip(counts, shape, strict=True) for n in pair]
    return reshape(spread(reshape(x, *shape), wide, range(1, 2 * rank, 2)), *(a * b for a, b in zip(counts, shape, strict=True)))


def outer(x: Wire, y: Wire) -> Wire:
    """xᵢ yⱼ : ℝᵐ × ℝⁿ → ℝ^(m×n)."""
    for argument, v in (("x", x), ("y", y)):
        if array("outer", v, argument).rank != 1:
            raise TypeMismatch(f"outer expects two vectors, got {v.atom} as {argument}")
    return einsum("i,j->ij", x, y)


def band(what: str, x: Wire, offset: Any) -> tuple[int, int, int]:
    """The sizes of the last two axes, and a diagonal by its number."""
    if array(what, x).rank < 2:
        raise TypeMismatch(f"{what} is of matrices, in the last two axes, got {x.atom}")
    if not is_whole(offset):
        raise BadValue(f"the offset of {what} must be a whole number, got {shown(offset)}")
    return x.atom.shape[-2], x.atom.shape[-1], int(offset)


def diagonal(x: Wire, offset: int = 0) -> Wire:
    """The entries x[…, i, i + offset], along the last two axes; `diagonal(x).sum()` is the trace of a matrix."""
    rows, columns, shift = band("diagonal", x, offset)
    n, first = max(0, min(rows, columns - shift, rows + shift, columns)), x.atom.rank - 2
    square = cut(cut(x, first, max(0, -shift), max(0, -shift) + n), first + 1, max(0, shift), max(0, shift) + n)
    flat = reshape(square, *x.atom.shape[:-2], n * n)
    return flat[(*(slice(None),) * first, slice(0, None, n + 1))] if n else reshape(flat, *x.atom.shape[:-2], 0)


def triangle(what: str, x: Wire, offset: int, upper: bool) -> Wire:
    """x where the column is at least the row + offset (upper), or at most that, and 0 elsewhere."""
    rows, columns, shift = band(what, x, offset)
    row, column = (spread(Iota(n)(), (rows, columns), (k,)) for k, n in enumerate((rows, columns)))
    seen = column >= row + shift if upper else column <= row + shift
    return select(spread(seen, x.atom.shape), x, False if x.atom.dtype == "bool" else 0)


def triu(x: Wire, offset: int = 0) -> Wire:
    """The upper triangle of the last two axes, from the diagonal of this number on; 0 below it."""
    return triangle("triu", x, offset, True)


def tril(x: Wire, offset: int = 0) -> Wire:
    """The lower triangle of the last two axes, up to the diagonal of this number; 0 above it."""
    return triangle("tril", x, offset, False)
