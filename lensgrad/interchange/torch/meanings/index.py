# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Operators that read and write by integer index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.shapes import alike
from lensgrad.interchange.torch.meanings.call import Out, Table, axis, refused
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.index import ScatterAdd, rotated


def wrapped(index: Wire, n: int) -> Wire:
    """Negative indices count from the end."""
    return ops.select(index < 0, index + n, index) if index.atom.dtype == "int32" else index


def selected(out: Out, x: Wire, dim: int, index: Wire) -> Wire:
    """Entries along an axis by number."""
    place = axis(x, dim)
    return ops.reshape(ops.take(x, wrapped(index, x.atom.shape[place]), place), *out.shape)


def indexed(out: Out, x: Wire, indices: Sequence[Wire | None]) -> Wire:
    """x[i, :, j]: indices of some axes, spread to one shape, which stands where they stand if they are side by side, and else in front."""
    places = [k for k, i in enumerate(indices) if i is not None]
    given = [i for i in indices if i is not None]
    if any(i.atom.dtype == "bool" for i in given):
        raise refused("an index of truth values has no meaning, since the size of the result depends on them: use torch.where")
    level = alike(*given)
    rest = [a for a in range(x.atom.rank) if a not in places]
    sizes = [x.atom.shape[a] for a in places]
    front = ops.transpose(x, *places, *rest)
    flat = ops.reshape(front, -1, *(x.atom.shape[a] for a in rest)) if x.atom.size else front
    number = wrapped(level[0], sizes[0])
    for i, n in zip(level[1:], sizes[1:], strict=True):
        number = number * n + wrapped(i, n)
    return placed(ops.take(flat, number, 0), number.atom.rank, places)


def placed(y: Wire, k: int, places: Sequence[int]) -> Wire:
    """The first k axes where the indexed ones stood, if those were side by side."""
    first = places[0]
    if [*places] != list(range(first, first + len(places))) or not first:
        return y
    return ops.transpose(y, *range(k, k + first), *range(k), *range(k + first, y.atom.rank))


def gathered(out: Out, x: Wire, dim: int, index: Wire, sparse_grad: bool = False) -> Wire:
    """The entry of each line along an axis that stands at its index."""
    if not x.atom.rank:
        return x
    place = axis(x, dim)
    cut = x[tuple(slice(0, n) if a != place else slice(None) for a, n in enumerate(index.atom.shape))]
    return ops.take_along(cut, index, place)


def spread_sum(x: Wire, dim: int, index: Wire, src: Wire) -> Wire:
    """Zeros of the shape of x with entries added along an axis at their indices."""
    place, last = axis(x, dim), x.atom.rank - 1
    n = x.atom.shape[place]
    cut = src[tuple(slice(0, k) for k in index.atom.shape)]
    lines = (rotated(v, place, last) for v in (wrapped(index, n), cut))
    added = rotated(ScatterAdd(n, last)(*lines), last, place)
    return ops.pad(added, [0] * (last + 1), [a - b for a, b in zip(x.atom.shape, added.atom.shape, strict=True)])


def scatter_added(out: Out, x: Wire, dim: int, index: Wire, src: Wire) -> Wire:
    return x + spread_sum(x, dim, index, src)


def scattered(out: Out, x: Wire, dim: int, index: Wire, src: Any, reduce: str | None = None) -> Wire:
    """x with other entries at indices of an axis, of which no two are equal."""
    if reduce is not None:
        raise refused(f"scatter with reduce='{reduce}' has no meaning: use scatter_add")
    ones = full(1, Array(index.atom.shape, "int32"))
    there = spread_sum(ops.cast(x, "int32"), dim, index, ones) > 0
    return ops.select(there, spread_sum(x, dim, index, src) if isinstance(src, Wire) else src, x)


def embedded(out: Out, table: Wire, index: Wire, padding_idx: int = -1, *rest: Any, **options: Any) -> Wire:
    """Rows of a table by number; nothing flows back to the row of padding."""
    rows = ops.take(table, index, 0)
    if padding_idx < 0:
        return rows
    padding = ops.spread(index == padding_idx, rows.atom.shape, range(index.atom.rank))
    return ops.select(padding, ops.stop_gradient(rows), rows)


TABLE: Table = {
    "index": indexed,
    "_unsafe_index": indexed,
    "index_select": selected,
    "gather": gathered,
    "scatter": scattered,
    "scatter_add": scatter_added,
    "embedding": embedded,
}
