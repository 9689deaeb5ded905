"""Sums, extremes, running sums and orders."""

from __future__ import annotations

from collections.abc import Callable

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import carried_dtype
from lensgrad.interchange.jax.step import Meaning, Step, Table
from lensgrad.theories.smooth import linear, ops
from lensgrad.theories.smooth.index import rotated


def over(function: Callable[..., Wire]) -> Meaning:
    """A reduction over axes; none leave the array as it is."""

    def meaning(step: Step) -> Wire:
        axes = tuple(map(int, step.params["axes"]))
        return function(step.wire(), axes) if axes else step.wire()

    return meaning


def all_of(x: Wire, axes: tuple[int, ...]) -> Wire:
    return ops.amin(ops.cast(x, "float32"), axes) > 0.5


def any_of(x: Wire, axes: tuple[int, ...]) -> Wire:
    return ops.amax(ops.cast(x, "float32"), axes) > 0.5


def place(function: Callable[..., Wire]) -> Meaning:
    """Where the extreme is, along the one axis."""

    def meaning(step: Step) -> Wire:
        (axis,) = step.params["axes"]
        return ops.cast(function(step.wire(), int(axis)), carried_dtype("the place of an extreme", str(step.params["index_dtype"])))

    return meaning


def running(step: Step) -> Wire:
    return linear.CumulativeSum(int(step.params["axis"]), bool(step.params["reverse"]))(step.wire())


def sorted_rows(step: Step) -> list[Wire]:
    """Rows in increasing order of the first array, the others in its order."""
    xs, axis = step.wires(), int(step.params["dimension"])
    if int(step.params["num_keys"]) != 1:
        raise step.refused("sorts by several keys, which has no meaning here")
    last = xs[0].atom.rank - 1
    lines = [rotated(x, axis, last) for x in xs]
    order = ops.argsort(lines[0])
    return [rotated(ops.take_along(x, order), last, axis) for x in lines]


def largest(step: Step) -> list[Wire]:
    """The k largest of the last axis, and where they are."""
    x, k = step.wire(), int(step.params["k"])
    if int(step.params.get("axis", x.atom.rank - 1)) not in (-1, x.atom.rank - 1):
        raise step.refused("is read along the last axis only")
    order = ops.argsort(-x)
    first = linear.Slice((0,) * order.atom.rank, (*order.atom.shape[:-1], k), (1,) * order.atom.rank)(order)
    return [ops.take_along(x, first), first]


TABLE: Table = {
    "reduce_sum": over(ops.sum_over),
    "reduce_max": over(ops.amax),
    "reduce_min": over(ops.amin),
    "reduce_prod": over(ops.product),
    "reduce_and": over(all_of),
    "reduce_or": over(any_of),
    "argmax": place(ops.argmax),
    "argmin": place(ops.argmin),
    "cumsum": running,
    "sort": sorted_rows,
    "top_k": largest,
}
