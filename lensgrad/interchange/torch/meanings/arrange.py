# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Operators that move, cut, repeat and join entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.shapes import spread_to
from lensgrad.interchange.torch.meanings.call import Out, Table, axes, axis, refused
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.index import rotated


def same(out: Out, x: Wire, *rest: Any, **options: Any) -> Wire:
    """The same entries."""
    return x


def reshaped(out: Out, x: Wire, *rest: Any, **options: Any) -> Wire:
    """The same entries in the shape of the result."""
    return ops.reshape(x, *out.shape)


def cast(out: Out, x: Wire, *rest: Any, **options: Any) -> Wire:
    """The same entries in the dtype of the result."""
    return ops.cast(x, out.dtype)


def swapped(out: Out, x: Wire, first: int = 0, second: int = 1) -> Wire:
    """Two axes exchanged."""
    order = list(range(x.atom.rank))
    if order:
        a, b = axis(x, first), axis(x, second)
        order[a], order[b] = b, a
    return ops.transpose(x, *order) if order else x


def permuted(out: Out, x: Wire, dims: Sequence[int]) -> Wire:
    return ops.transpose(x, *(axis(x, d) for d in dims)) if dims else x


def at(dim: int, item: Any) -> tuple[Any, ...]:
    """An index into one axis."""
    return (*[slice(None)] * dim, item)


def sliced(out: Out, x: Wire, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Wire:
    return x[at(axis(x, dim), slice(start, end, step))]


def entry(out: Out, x: Wire, dim: int, index: int) -> Wire:
    """One entry along an axis, which goes."""
    return x[at(axis(x, dim), int(index))]


def pieces(out: Out, x: Wire, sizes: Any, dim: int = 0) -> tuple[Wire, ...]:
    """Cut along an axis, into pieces of the sizes of the results."""
    place = axis(x, dim)
    return tuple(ops.split(x, [a.shape[place] for a in out.atoms], place))


def rows(out: Out, x: Wire, dim: int = 0) -> tuple[Wire, ...]:
    """The entries along an axis, one by one."""
    return tuple(entry(out, x, dim, k) for k in range(len(out.atoms)))


def joined(out: Out, xs: Sequence[Wire], dim: int = 0) -> Wire:
    """Side by side; PyTorch leaves out arrays of shape (0,)."""
    kept = [ops.cast(x, out.dtype) for x in xs if x.atom.shape != (0,) or len(out.shape) == 1]
    return ops.concatenate(kept, dim % len(out.shape))


def stacked(out: Out, xs: Sequence[Wire], dim: int = 0) -> Wire:
    return ops.stack([ops.cast(x, out.dtype) for x in xs], dim % len(out.shape))


def padded(out: Out, x: Wire, pads: Sequence[int], value: Any = 0) -> Wire:
    """A number around the entries, the last axis first; where its width is negative, entries go."""
    rank = x.atom.rank
    low, high = [0] * rank, [0] * rank
    for k in range(len(pads) // 2):
        low[rank - 1 - k], high[rank - 1 - k] = pads[2 * k], pads[2 * k + 1]
    cut = x[tuple(slice(max(0, -a), n - max(0, -b)) for n, a, b in zip(x.atom.shape, low, high, strict=True))] if rank else x
    sides = [max(0, a) for a in low], [max(0, b) for b in high]
    wide = ops.pad(cut, *sides)
    if not value:
        return wide
    inside = ops.pad(full(1, Array(cut.atom.shape, "int32")), *sides) == 1
    return ops.select(inside, wide, value)


def written(out: Out, x: Wire, src: Wire, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Wire:
    """x with a slice of one axis in the place of its own."""
    place = axis(x, dim)
    n = x.atom.shape[place]
    first, last, by = slice(start, end, step).indices(n)
    if by != 1:
        raise refused(f"a slice that is written must have the step 1, got {by}")
    parts = [x[at(place, slice(0, first))], ops.cast(src, out.dtype), x[at(place, slice(max(first, last), n))]]
    return ops.concatenate([p for p in parts if p.atom.shape[place]], place) if n else x


def row_written(out: Out, x: Wire, src: Wire, dim: int, index: int) -> Wire:
    """x with one entry of an axis in the place of its own."""
    place = axis(x, dim)
    row, shape = index % x.atom.shape[place], src.atom.shape
    return written(out, x, ops.reshape(src, *shape[:place], 1, *shape[place:]), place, row, row + 1)


def diagonal(out: Out, x: Wire, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Wire:
    """The entries x[…, i, …, i + offset, …] along two axes, as a last axis."""
    a, b = axis(x, dim1), axis(x, dim2)
    rest = [k for k in range(x.atom.rank) if k not in (a, b)]
    return ops.diagonal(ops.transpose(x, *rest, a, b), offset)


def windows(out: Out, x: Wire, dimension: int, size: int, step: int) -> Wire:
    """Stretches of an axis, each step further on, as a last axis."""
    place, last = axis(x, dimension), x.atom.rank - 1
    parts = [rotated(x[at(place, slice(k * step, k * step + size))], place, last) for k in range(out.shape[place])]
    return ops.stack(parts, place)


TABLE: Table = {
    **dict.fromkeys(("alias", "clone", "contiguous", "lift_fresh_copy", "lift_fresh"), same),
    **dict.fromkeys(("view", "reshape", "_unsafe_view", "unsqueeze", "squeeze", "flatten", "unflatten", "view_copy"), reshaped),
    **dict.fromkeys(("_to_copy", "to", "type_as"), cast),
    "detach": lambda out, x: ops.stop_gradient(x) if x.atom.floating else x,
    "transpose": swapped,
    "t": swapped,
    "permute": permuted,
    "slice": sliced,
    "select": entry,
    "split": pieces,
    "split_with_sizes": pieces,
    "unbind": rows,
    "cat": joined,
    "stack": stacked,
    "expand": lambda out, x, *_, **__: spread_to(x, out.shape),
    "broadcast_to": lambda out, x, *_: spread_to(x, out.shape),
    "copy": lambda out, x, src, *_: spread_to(ops.cast(src, out.dtype), out.shape),
    "repeat": lambda out, x, times: ops.tile(x, [int(n) for n in times]),
    "diagonal": diagonal,
    "unfold": windows,
    "flip": lambda out, x, dims: ops.flip(x, axes(x, dims)) if dims else x,
    "constant_pad_nd": padded,
    "slice_scatter": written,
    "select_scatter": row_written,
}
