"""Gathers, scatters and slices at places that data says: each is reading or writing at numbers of entries, counted row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.jax.step import Step, Table
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.index import Iota, ScatterAdd, Take

Shape = tuple[int, ...]


def steps(shape: Shape) -> list[int]:
    """How far apart neighbours along each axis are."""
    return [math.prod(shape[a + 1 :]) for a in range(len(shape))]


def numbers(n: int, axis: int, shape: Shape) -> Wire:
    """0, 1, … along one axis of a shape."""
    return ops.spread(Iota(n)(), shape, (axis,))


def whole(n: int, shape: Shape) -> Wire:
    return full(n, Array(shape, "int32"))


class Window:
    """The windows of an array that start at places which data says, as numbers of entries, and whether they are inside."""

    def __init__(self, shape: Shape, size: Shape, mapped: Sequence[int], gone: Sequence[int], paired: Sequence[tuple[int, int]]) -> None:
        self.shape, self.size, self.mapped, self.paired = shape, size, list(mapped), list(paired)
        self.offset = [a for a in range(len(shape)) if a not in gone and a not in [o for o, _ in paired]]

    def places(self, index: Wire, result: Shape, offset_axes: Sequence[int]) -> tuple[Wire, Wire]:
        """The number of the entry for each entry of the result, and whether its window is inside; windows outside are moved in."""
        outer = tuple(a for a in range(len(result)) if a not in offset_axes)
        far, at = steps(self.shape), whole(0, result)
        inside: Wire = p.Compare("==")(at, at)
        for k, axis in enumerate(self.mapped):
            start, most = component(index, k), self.shape[axis] - self.size[axis]
            held = ops.minimum(ops.maximum(start, 0), most)
            at = at + ops.spread(held, result, outer) * far[axis]
            inside = p.And()(inside, ops.spread(p.Compare("==")(start, held), result, outer))
        for axis, place in self.paired:
            at = at + numbers(self.shape[axis], outer[place], result) * far[axis]
        for axis, place in zip(self.offset, offset_axes, strict=True):
            at = at + numbers(self.size[axis], place, result) * far[axis]
        return at, inside


def component(index: Wire, k: int) -> Wire:
    """One coordinate of the starts, which stand along the last axis."""
    shape = index.atom.shape
    chosen = Take(0)(ops.transpose(index, index.atom.rank - 1, *range(index.atom.rank - 1)), whole(k, (1,)))
    return ops.cast(ops.reshape(chosen, *shape[:-1]), "int32")


def careful(mode: Any) -> bool:
    """Whether what is outside is left out, instead of moved in."""
    return str(mode).rpartition(".")[2] in ("FILL_OR_DROP", "fill", "drop")


def gather(step: Step) -> Wire:
    x, index = step.wires()
    told, size = step.params["dimension_numbers"], tuple(step.params["slice_sizes"])
    pairs = list(zip(told.operand_batching_dims, told.start_indices_batching_dims, strict=True))
    result = shape_of_gather(told, size, index)
    window = Window(x.atom.shape, size, told.start_index_map, told.collapsed_slice_dims, pairs)
    at, inside = window.places(index, result, told.offset_dims)
    found = Take(0)(ops.reshape(x, -1), at)
    if not careful(step.params["mode"]) or fits(step.known(1), x.atom.shape, size, told.start_index_map):
        return found
    return found if step.clip else ops.select(inside, found, outside(step, found.atom))


def fits(index: Numbers | None, shape: Shape, size: Shape, mapped: Sequence[int]) -> bool:
    """Whether all windows are known to be inside."""
    most = [shape[axis] - size[axis] for axis in mapped]
    return index is not None and bool(((index >= 0) & (index <= np.array(most))).all())


def outside(step: Step, atom: Any) -> Wire:
    """What stands where nothing is read; among floats it is NaN unless it is said, and no program here gives NaN on purpose."""
    value = step.params["fill_value"]
    if value is None or value != value:
        told = "reads at places that data says, with NaN for those outside: give from_jax(…, clip=True), or mode='clip' in the function"
        raise step.refused(f"{told}, which moves them inside")
    return full(float(value) if atom.floating else int(value), atom)


def shape_of_gather(told: Any, size: Shape, index: Wire) -> Shape:
    """Axes of the starts and of the windows, in the order that the primitive says."""
    gone = {*told.collapsed_slice_dims, *told.operand_batching_dims}
    inner, outer = iter(n for a, n in enumerate(size) if a not in gone), iter(index.atom.shape[:-1])
    rank = len(index.atom.shape) - 1 + len(told.offset_dims)
    return tuple(next(inner) if a in told.offset_dims else next(outer) for a in range(rank))


def scattered(step: Step) -> tuple[Wire, Wire, Wire, Wire]:
    """The array, where each update goes, whether it is inside, and the updates."""
    x, index, updates = step.wires()
    told, result = step.params["dimension_numbers"], updates.atom.shape
    gone = [*told.inserted_window_dims, *told.operand_batching_dims]
    inner = iter(result[a] for a in told.update_window_dims)
    size = tuple(1 if a in gone else next(inner) for a in range(x.atom.rank))
    pairs = list(zip(told.operand_batching_dims, told.scatter_indices_batching_dims, strict=True))
    window = Window(x.atom.shape, size, told.scatter_dims_to_operand_dims, told.inserted_window_dims, pairs)
    at, inside = window.places(index, result, told.update_window_dims)
    return x, at, inside, updates


def summed(x: Wire, at: Wire, values: Wire) -> Wire:
    flat = ScatterAdd(math.prod(x.atom.shape))(ops.reshape(at, -1), ops.reshape(values, -1))
    return ops.reshape(flat, *x.atom.shape)


def scatter_add(step: Step) -> Wire:
    x, at, inside, updates = scattered(step)
    if careful(step.params["mode"]):
        updates = ops.select(inside, updates, full(0, updates.atom))
    return x + summed(x, at, updates)


def scatter(step: Step) -> Wire:
    """Updates in the place of what is there; where several may be for one place, it is not said which counts."""
    x, at, inside, updates = scattered(step)
    if not (step.params["unique_indices"] or single(step)):
        raise step.refused("writes at places that may be the same, which has no meaning here: give unique_indices=True")
    there = full(1, updates.atom)
    if careful(step.params["mode"]):
        there, updates = (ops.select(inside, v, full(0, v.atom)) for v in (there, updates))
    return ops.select(summed(x, at, there) > 0.5, summed(x, at, updates), x)


def single(step: Step) -> bool:
    """Whether there is one window, which meets no other."""
    index = step.wire(1)
    return math.prod(index.atom.shape[:-1]) == 1


def starts(step: Step, first: int, x: Wire, size: Shape) -> list[Wire]:
    """The starts of a slice, moved so far that it is inside."""
    found = [ops.cast(step.wire(first + a), "int32") for a in range(x.atom.rank)]
    return [ops.minimum(ops.maximum(s, 0), n - k) for s, n, k in zip(found, x.atom.shape, size, strict=True)]


def dynamic_slice(step: Step) -> Wire:
    x, size = step.wire(), tuple(step.params["slice_sizes"])
    far, at = steps(x.atom.shape), whole(0, size)
    for axis, start in enumerate(starts(step, 1, x, size)):
        at = at + (ops.spread(start, size, ()) + numbers(size[axis], axis, size)) * far[axis]
    return Take(0)(ops.reshape(x, -1), at)


def dynamic_update(step: Step) -> Wire:
    """The update where its window is, else what was there."""
    x, y = step.wire(0), step.wire(1)
    shape, size = x.atom.shape, y.atom.shape
    far, at = steps(size), whole(0, shape)
    inside: Wire = p.Compare("==")(at, at)
    for axis, start in enumerate(starts(step, 2, x, size)):
        own = numbers(shape[axis], axis, shape) - ops.spread(start, shape, ())
        inside = p.And()(inside, p.And()(own >= 0, own < size[axis]))
        at = at + ops.minimum(ops.maximum(own, 0), size[axis] - 1) * far[axis]
    return ops.select(inside, Take(0)(ops.reshape(y, -1), at), x)


TABLE: Table = {
    "gather": gather,
    "scatter-add": scatter_add,
    "scatter_add": scatter_add,
    "scatter": scatter,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update,
}
