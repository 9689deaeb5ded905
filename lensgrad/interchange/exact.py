"""What changes no number: casts there and back, and bounds of what has them already."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.moves import made, read
from lensgrad.interchange.ranges import MOVES, ends
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.linear import Cast
from lensgrad.theories.smooth.shape import FLOATS, LIMITS, Full

HELD = {  # dtypes that hold every number of another one
    "bool": ("uint8", "int32", "uint32", *FLOATS), "uint8": ("int32", "uint32", *FLOATS), "int32": ("float64",),
    "uint32": ("float64",), "float16": ("float32", "float64"), "bfloat16": ("float32", "float64"), "float32": ("float64",),
}  # fmt: skip


def cast(x: Wire, dtype: str) -> Wire:
    """In another dtype, straight from the first that held the numbers."""
    if x.atom.dtype == dtype:
        return x
    if dtype in LIMITS and dtype != "bool" and x.atom.floating:
        x = unbounded(x, dtype)
    op = made(x)
    if isinstance(op, Cast):
        own, middle = read(x).atom.dtype, op.dtype
        if middle in HELD.get(own, ()) and (dtype == own or own in FLOATS or own == "bool" or dtype in FLOATS):
            return cast(read(x), dtype)
    return Cast(dtype)(x)


def unbounded(x: Wire, dtype: str) -> Wire:
    """A float without bounds that a cast into whole numbers has anyway, where NaN is 0 too."""
    low, high = LIMITS[dtype]
    op = made(x)
    if isinstance(op, p.Minimum) and constant(read(x, 1)) == high:
        return unbounded(read(x), dtype)
    if isinstance(op, p.Maximum) and constant(read(x, 1)) == low:
        return unbounded(read(x), dtype)
    if isinstance(op, p.Select) and constant(read(x, 1)) == 0 and unknown(read(x), read(x, 2)):
        return unbounded(read(x, 2), dtype)
    return x


def unknown(where: Wire, x: Wire) -> bool:
    """Whether a wire says where another one is NaN."""
    op = made(where)
    if isinstance(op, p.Not):
        inner = made(read(where))
        return isinstance(inner, p.Compare) and inner.relation == "==" and itself(read(where), x)
    return isinstance(op, p.Compare) and op.relation == "!=" and itself(where, x)


def itself(where: Wire, x: Wire) -> bool:
    return read(where).index == x.index == read(where, 1).index


def constant(x: Wire) -> Any:
    """The number that a wire is everywhere; None where it is none."""
    op = made(x)
    return op.value if isinstance(op, Full) else None


def position(at: Wire, rows: int) -> Wire:
    """Row numbers without the bounds from 0 to the last row, which reading by number has anyway."""
    op = made(at)
    if isinstance(op, MOVES):
        inner = position(read(at), rows)
        return at if inner.index == read(at).index else op(inner)
    if isinstance(op, p.Minimum) and constant(read(at, 1)) == rows - 1:
        return position(read(at), rows)
    if isinstance(op, p.Maximum) and constant(read(at, 1)) == 0:
        return position(read(at), rows)
    if isinstance(op, p.Select) and constant(read(read(at), 1)) == 0 and isinstance(made(read(at)), p.Compare):
        where = made(read(at))
        if where.relation == "<" and read(read(at)).index == read(at, 2).index and ends(read(at, 2))[0] >= 0:
            return position(read(at, 2), rows)
    return at


def number(value: Any, dtype: str) -> Any:
    """A constant as its dtype holds it."""
    return np.dtype(dtype).type(value).item() if dtype in ("float32", "float16") else value


__all__ = ["cast", "number", "position"]
