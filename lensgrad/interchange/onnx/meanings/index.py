"""Operators that read and write by index, and those that order."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.call import Call, Table
from lensgrad.interchange.onnx.meanings.parts import axis_of, complement, same, table, whole, whole_axis
from lensgrad.interchange.ranges import ends
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Take

PAIRS = 2**24  # comparisons of places with indices, the most that a scatter by max, min or product may make


def wrapped(index: Wire, n: int) -> Wire:
    """Indices of which negative ones count from the end."""
    if index.atom.dtype != "int32":
        index = ops.cast(index, "int32")
    return index if ends(index)[0] >= 0 else ops.select(index < 0, index + n, index)


def places(call: Call, k: int, n: int) -> Wire:
    """Indices that are input k, into an axis of n entries: fixed ones are checked."""
    if not call.known(k):
        return wrapped(call.wire(k), n)
    found = call.constant(k, "indices")
    if found.size and (found.min() < -n or found.max() >= n):
        raise call.refused(f"must have indices from {-n} to {n - 1}, got {found.min()} to {found.max()}")
    return table(np.where(found < 0, found + n, found))


def gather(call: Call) -> list[Wire]:
    """Gather: the rows at indices, along an axis."""
    x = call.wire(0)
    axis = axis_of(call, x.atom.rank, 0)
    n = x.atom.shape[axis]
    if call.known(1):
        fixed = call.constant(1, "indices")
        if fixed.ndim == 0 and -n <= int(fixed) < n:
            return [x[(*(slice(None),) * axis, int(fixed))]]
    return [ops.take(x, places(call, 1, n), axis)]


def lines(call: Call, x: Wire, index: Wire, axis: int) -> Wire:
    """x cut to the shape of an index on all axes but one."""
    if x.atom.rank != index.atom.rank:
        raise call.refused(f"must have indices of as many axes as {x.atom}, got {index.atom}")
    return x[tuple(slice(None) if a == axis else slice(0, n) for a, n in enumerate(index.atom.shape))]


def gather_elements(call: Call) -> list[Wire]:
    """GatherElements: the entry of each line at its index."""
    x = call.wire(0)
    axis = axis_of(call, x.atom.rank, 0)
    index = places(call, 1, x.atom.shape[axis])
    return [ops.take_along(lines(call, x, index, axis), index, axis)]


def gather_nd(call: Call) -> list[Wire]:
    """GatherND: the parts at indices of several axes."""
    x, index, shared = call.wire(0), call.wire(1), call.attribute("batch_dims", 0)
    depth = index.atom.shape[-1]
    inner = x.atom.shape[shared : shared + depth]
    flat = row_numbers(index, inner)
    rest = x.atom.shape[shared + depth :]
    b = math.prod(x.atom.shape[:shared])
    rows = ops.reshape(x, b, math.prod(inner), *rest)
    found = Take(1)(rows, ops.reshape(flat, b, -1 if b else 0))
    return [ops.reshape(found, *index.atom.shape[:-1], *rest)]


def row_numbers(index: Wire, shape: tuple[int, ...]) -> Wire:
    """Indices of several axes, along the last axis, as numbers of rows."""
    total: Wire | None = None
    for k, n in enumerate(shape):
        part = wrapped(index[(*(slice(None),) * (index.atom.rank - 1), k)], n)
        behind = math.prod(shape[k + 1 :])
        part = part * behind if behind != 1 else part
        total = part if total is None else total + part
    return same(0, ops.cast(index, "int32"), index.atom.shape[:-1]) if total is None else total


# -- writing -----------------------------------------------------------------------------------------------------------


def scattered(call: Call, rows: Wire, at: Wire, updates: Wire) -> Wire:
    """Rows (n, r…) with updates (k, r…) at row numbers (k): put there, or added, multiplied, or the larger or smaller."""
    how = call.attribute("reduction", "none")
    n = rows.atom.shape[0]
    if how == "add":
        return rows + ops.scatter_add(n, at, updates)
    if how == "none":
        there = ops.scatter_add(n, at, same(1, ops.cast(at, "int32"))) > 0
        put = ops.cast(ops.scatter_add(n, at, ops.cast(updates, "uint8") if updates.atom.dtype == "bool" else updates), rows.atom.dtype)
        return ops.select(ops.spread(there, rows.atom.shape, [0]), put, rows)
    return combined(call, rows, at, updates, how)


def combined(call: Call, rows: Wire, at: Wire, updates: Wire, how: str) -> Wire:
    """A scatter by product, max or min: each row is compared with each index."""
    (k,), n = at.atom.shape, rows.atom.shape[0]
    shape = (n, k, *rows.atom.shape[1:])
    if how not in ("mul", "max", "min") or math.prod(shape) > PAIRS:
        raise call.refused(f"by '{how}' of {k} updates to {n} rows has no meaning here: at most {PAIRS:,} entries are compared")
    hit = ops.equal(ops.spread(at, (n, k), [1]), ops.spread(table(np.arange(n)), (n, k), [0]))
    chosen = ops.select(
        ops.spread(hit, shape, [0, 1]),
        ops.spread(updates, shape, range(1, len(shape))),
        same(1, rows, shape) if how == "mul" else ops.spread(rows, shape, [0, *range(2, len(shape))]),
    )
    if how == "mul":
        return rows * ops.product(chosen, 1)
    if how == "max":
        return ops.maximum(rows, ops.amax(chosen, 1))
    return ops.minimum(rows, complement(ops.amax(complement(chosen), 1)) if whole(rows) else ops.amin(chosen, 1))


def zeros(shape: tuple[int, ...]) -> Numbers:
    """Whole numbers to add to."""
    return np.zeros(shape, "int64")


def scatter_elements(call: Call) -> list[Wire]:
    """ScatterElements: the entry of each line at its index is written."""
    x, updates = call.wire(0), call.wire(2)
    axis = axis_of(call, x.atom.rank, 0)
    index = places(call, 1, x.atom.shape[axis])
    shape, base = x.atom.shape, zeros(index.atom.shape)
    steps = [math.prod(shape[a + 1 :]) for a in range(len(shape))]
    for a, n in enumerate(index.atom.shape):
        if a != axis:
            base = base + np.expand_dims(np.arange(int(n)), tuple(range(1, index.atom.rank - a))) * steps[a]
    at = index * steps[axis] + table(base)
    return [ops.reshape(scattered(call, ops.reshape(x, -1), ops.reshape(at, -1), ops.reshape(updates, -1)), *shape)]


def scatter_nd(call: Call) -> list[Wire]:
    """ScatterND: the parts at indices of several axes are written."""
    x, index, updates = call.wire(0), call.wire(1), call.wire(2)
    depth = index.atom.shape[-1]
    inner, rest = x.atom.shape[:depth], x.atom.shape[depth:]
    at = row_numbers(index, inner)
    rows = ops.reshape(x, math.prod(inner), *rest)
    k = at.atom.size
    found = scattered(call, rows, ops.reshape(at, k), ops.reshape(updates, k, *rest))
    return [ops.reshape(found, *x.atom.shape)]


def tensor_scatter(call: Call) -> list[Wire]:
    """TensorScatter: the entries of a cache from one place on, for each row its own, are written; where its mode is circular, around."""
    past, updates = call.wire(0), call.wire(1)
    axis = axis_of(call, past.atom.rank, -2)
    b, n, t = past.atom.shape[0], past.atom.shape[axis], updates.atom.shape[axis]
    first = call.wire(2) if call.given(2) else table(np.zeros(b, "int64"))
    steps = ops.spread(first, (b, t), [0]) + ops.spread(table(np.arange(t)), (b, t), [1])
    if call.attribute("mode") == "circular":
        steps = steps - ops.cast(ops.floor(ops.cast(steps, "float64") / float(n)), "int32") * n
    at = steps + ops.spread(table(np.arange(b) * n), (b, t), [0])
    rows, new = (swapped(x, axis, 1) for x in (past, updates))
    rest = rows.atom.shape[2:]
    found = scattered(call, ops.reshape(rows, b * n, *rest), ops.reshape(at, b * t), ops.reshape(new, b * t, *rest))
    return [swapped(ops.reshape(found, b, n, *rest), 1, axis)]


# -- order -------------------------------------------------------------------------------------------------------------


def one_hot(call: Call) -> list[Wire]:
    """OneHot: the second value at an index, else the first."""
    index, depth = call.wire(0), int(call.constant(1, "the depth").ravel()[0])
    off, on = call.wire(2)[0], call.wire(2)[1]
    axis = axis_of(call, index.atom.rank + 1, -1)
    hot = ops.cast(ops.one_hot(wrapped(index, depth), depth), "bool")
    rank = index.atom.rank
    hot = ops.transpose(hot, *range(axis), rank, *range(axis, rank)) if rank else hot
    return [ops.select(hot, ops.spread(on, hot.atom.shape, []), ops.spread(off, hot.atom.shape, []))]


def top_k(call: Call) -> list[Wire]:
    """TopK: the largest or smallest entries along an axis, in order, and where they are."""
    x = call.wire(0)
    axis = axis_of(call, x.atom.rank, -1)
    k = int(call.constant(1, "the number k").ravel()[0]) if call.given(1) else int(call.attribute("k"))
    last = x.atom.rank - 1
    moved = swapped(x, axis, last)
    down = (complement(moved) if whole(moved) else -moved) if call.attribute("largest", 1) else moved
    order = ops.argsort(down)[(*(slice(None),) * last, slice(0, k))]
    found = ops.take_along(moved, order, last)
    return [swapped(found, last, axis), swapped(order, last, axis)]


def swapped(x: Wire, source: int, target: int) -> Wire:
    """One axis moved to another place."""
    order = [a for a in range(x.atom.rank) if a != source]
    order.insert(target, source)
    return ops.transpose(x, *order) if source != target else x


def running(f: Callable[[Wire, int], Wire], first: float) -> Callable[[Call], list[Wire]]:
    """Sums or products of the entries so far along an axis, which is fixed."""

    def meaning(call: Call) -> list[Wire]:
        x = call.wire(0)
        axis = whole_axis(call, call.constant(1, "the axis").ravel()[0], x.atom.rank)
        y = ops.flip(x, axis) if call.attribute("reverse", 0) else x
        n, before = y.atom.shape[axis], (slice(None),) * axis
        if call.attribute("exclusive", 0) and n:
            start = same(first, y, [1 if a == axis else m for a, m in enumerate(y.atom.shape)])
            y = ops.concatenate([start, y[(*before, slice(0, n - 1))]], axis)
        y = f(y, axis)
        return [ops.flip(y, axis) if call.attribute("reverse", 0) else y]

    return meaning


def refused(call: Call) -> list[Wire]:
    """Operators whose results have a size that depends on numbers."""
    raise call.refused("gives an array whose size depends on data, which has no meaning here: shapes are fixed")


TABLE: Table = {
    "CumProd": running(ops.cumprod, 1.0),
    "CumSum": running(ops.cumsum, 0.0),
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "NonMaxSuppression": refused,
    "NonZero": refused,
    "OneHot": one_hot,
    "Scatter": scatter_elements,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "TensorScatter": tensor_scatter,
    "TopK": top_k,
    "Unique": refused,
}
