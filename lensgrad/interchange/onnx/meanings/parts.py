"""What the meanings of several operators have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.core.op import Table
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.call import Call, Meaning
from lensgrad.interchange.shapes import alike
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.index import Numbers as Whole
from lensgrad.theories.smooth.shape import LIMITS

Unary = Callable[[Wire], Wire]
Binary = Callable[[Wire, Wire], Wire]


def unary(f: Unary) -> Meaning:
    """An operator of one array."""
    return lambda call: [f(call.wire(0))]


def binary(f: Binary) -> Meaning:
    """An operator of two arrays that are spread to one shape."""
    return lambda call: [f(*spread_pair(call))]


def spread_pair(call: Call) -> list[Wire]:
    """Both inputs at one shape; before operator set 7 the second one may begin at an axis of the first."""
    x, y = call.wire(0), call.wire(1)
    if call.version < 7 and call.attribute("broadcast", 0) and "axis" in call.attributes:
        after = x.atom.rank - call.attribute("axis") % x.atom.rank - y.atom.rank
        y = ops.reshape(y, *y.atom.shape, *(1,) * after)
    return alike(x, y)


def several(f: Binary) -> Meaning:
    """An operator of any number of arrays, taken two by two."""

    def meaning(call: Call) -> list[Wire]:
        first, *rest = alike(*call.wires())
        for x in rest:
            first = f(first, x)
        return [first]

    return meaning


def whole_axis(call: Call, value: Any, rank: int) -> int:
    """The number of an axis, counted from the end where it is negative."""
    if not -rank <= int(value) < max(rank, 1):
        raise call.refused(f"must have an axis from {-rank} to {rank - 1}, got {int(value)}")
    return int(value) % max(rank, 1)


def axis_of(call: Call, rank: int, default: int, name: str = "axis") -> int:
    """The attribute that is the number of an axis."""
    return whole_axis(call, call.attribute(name, default), rank)


def wholes(call: Call, k: int, name: str, what: str) -> list[int] | None:
    """Whole numbers that are input k, or in older operator sets an attribute; None where neither is there."""
    if call.given(k):
        return [int(n) for n in call.constant(k, what).ravel()]
    found = call.attribute(name)
    return None if found is None else [int(n) for n in found]


def axes_of(call: Call, k: int, rank: int) -> list[int] | None:
    """Axes, as input k or as an attribute."""
    found = wholes(call, k, "axes", "axes")
    return None if found is None else [whole_axis(call, a, rank) for a in found]


def table(numbers: Any) -> Wire:
    """Fixed whole numbers as a wire, in their shape."""
    array = np.asarray(numbers)
    return ops.reshape(Whole(Table(array.ravel().tolist()))(), *array.shape)


def scalar(array: Numbers) -> Any:
    """The one number of an array, as Python's."""
    return array.reshape(-1)[0].item() if array.dtype.name != "bfloat16" else float(array.reshape(-1)[0])


def same(value: float | bool, x: Wire, shape: Sequence[int] | None = None) -> Wire:
    """One number everywhere, in the type of a wire."""
    return full(value, x.atom if shape is None else Array(tuple(shape), x.atom.dtype))


def whole(x: Wire) -> bool:
    """Whether a wire is of whole numbers."""
    return x.atom.dtype in LIMITS and x.atom.dtype != "bool"


def complement(x: Wire) -> Wire:
    """The whole numbers in the opposite order, without overflow: −1 − x, or the largest less x."""
    low, high = LIMITS[x.atom.dtype]
    return same(high if low == 0 else -1, x) - x


def truncated(x: Wire, y: Wire) -> Wire:
    """The quotient of whole numbers without its rest, rounded towards 0."""
    return ops.cast(ops.trunc(ops.cast(x, "float64") / ops.cast(y, "float64")), x.atom.dtype)


def in_dtype(dtype: str, f: Unary) -> Unary:
    """A function that is computed in another dtype, where the given one is of whole numbers."""
    return lambda x: ops.cast(f(ops.cast(x, dtype)), x.atom.dtype) if not x.atom.floating else f(x)
