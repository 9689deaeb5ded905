"""Operators that take axes away, and those that say where the largest entry is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx.call import Call, Meaning, Table
from lensgrad.interchange.onnx.meanings.parts import Unary, axes_of, axis_of, complement, same, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.shape import LIMITS

Over = Callable[[Wire, list[int]], Wire]  # of an array and axes: the array without them


def reduced(f: Over, empty: float | None = None) -> Meaning:
    """A reduction over axes; `empty` is what it gives of no entries, where that is another thing."""

    def meaning(call: Call) -> list[Wire]:
        x = call.wire(0)
        axes = axes_of(call, 1, x.atom.rank)
        if not axes:
            axes = [] if call.attribute("noop_with_empty_axes", 0) else [*range(x.atom.rank)]
        left = [n for a, n in enumerate(x.atom.shape) if a not in axes]
        nothing = empty is not None and not math.prod(x.atom.shape[a] for a in axes)
        y = same(least(x, empty or 0.0), x, left) if nothing else f(x, sorted(axes))
        return [ops.reshape(y, *kept(x, axes))] if call.attribute("keepdims", 1) else [y]

    return meaning


def least(x: Wire, value: float) -> float:
    """A number in the dtype of a wire, ±∞ as its least or its largest where it is of whole numbers."""
    if x.atom.floating or not math.isinf(value):
        return value
    return LIMITS[x.atom.dtype][value > 0]


def kept(x: Wire, axes: Sequence[int]) -> list[int]:
    """The shape of a reduction where its axes stay, of size 1."""
    return [1 if a in axes else n for a, n in enumerate(x.atom.shape)]


def wide(f: Over) -> Over:
    """A reduction that is computed in float64 where the array is of whole numbers."""
    return lambda x, axes: f(x, axes) if x.atom.floating else ops.cast(f(ops.cast(x, "float64"), axes), x.atom.dtype)


def largest(x: Wire, axes: Sequence[int]) -> Wire:
    """The largest entry; of truth values, whether one holds."""
    if x.atom.dtype == "bool":
        return ops.cast(largest(ops.cast(x, "uint8"), axes), "bool")
    return ops.amax(x, axes) if axes else x


def smallest(x: Wire, axes: Sequence[int]) -> Wire:
    """The smallest entry; of truth values, whether all hold."""
    if not axes:
        return x
    if x.atom.dtype == "bool":
        return ~largest(~x, axes)
    return complement(ops.amax(complement(x), axes)) if whole(x) else ops.amin(x, axes)


def mean(x: Wire, axes: Sequence[int]) -> Wire:
    return ops.mean_over(x, axes) if axes else x


def sums(f: Unary) -> Over:
    """The sum of a function of the entries."""
    return lambda x, axes: ops.sum_over(f(x), axes)


def log_sum_exp(x: Wire, axes: Sequence[int]) -> Wire:
    return ops.logsumexp(x, axes) if axes else x


def arg(smaller: bool) -> Meaning:
    """Where the largest or the smallest entry is, the first or the last of equal ones."""

    def meaning(call: Call) -> list[Wire]:
        x = call.wire(0)
        axis = axis_of(call, x.atom.rank, 0)
        y = (complement(x) if whole(x) else -x) if smaller else x
        if call.attribute("select_last_index", 0):
            back = ops.argmax(ops.flip(y, axis), axis)
            found = same(x.atom.shape[axis] - 1, back) - back
        else:
            found = ops.argmax(y, axis)
        return [ops.reshape(found, *kept(x, [axis]))] if call.attribute("keepdims", 1) else [found]

    return meaning


TABLE: Table = {
    "ArgMax": arg(False),
    "ArgMin": arg(True),
    "ReduceL1": reduced(sums(ops.absolute)),
    "ReduceL2": reduced(wide(lambda x, axes: ops.norm(x, axes) if axes else ops.absolute(x))),
    "ReduceLogSum": reduced(wide(lambda x, axes: ops.log(ops.sum_over(x, axes)))),
    "ReduceLogSumExp": reduced(wide(log_sum_exp), -math.inf),
    "ReduceMax": reduced(largest, -math.inf),
    "ReduceMean": reduced(wide(mean)),
    "ReduceMin": reduced(smallest, math.inf),
    "ReduceProd": reduced(lambda x, axes: ops.product(x, axes) if axes else x, 1),
    "ReduceSum": reduced(lambda x, axes: ops.sum_over(x, axes)),
    "ReduceSumSquare": reduced(sums(lambda x: x * x)),
}
