"""Laws of what moves entries: moves in a row are one move, and what is the same along an axis is computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lensgrad.program.rewrites.site import Law, Site
from lensgrad.theories.smooth import linear
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.shape import Full

Wires = Sequence[int] | None
EACH = (
    p.Add, p.Sub, p.Neg, p.Mul, p.Div, p.Exp, p.Log, p.Log1p, p.Expm1, p.Tanh, p.Logistic, p.Sin, p.Cos, p.Atan, p.Atan2, p.Asinh, p.Erf,
    p.Sqrt, p.Rsqrt, p.Abs, p.Sign, p.Floor, p.Round, p.IntegerPower, p.Power, p.Maximum, p.Minimum, p.Clamp, p.Compare, p.And, p.Or,
    p.Not, p.Select, linear.Cast,
)  # fmt: skip


def reshaped(site: Site, op: linear.Reshape, args: tuple[int, ...]) -> Wires:
    """reshape(reshape(x)) = reshape(x), and a reshape to its own shape is x."""
    if site.type(args[0]).shape == op.shape:
        return args
    found = site.made(args[0], linear.Reshape)
    return None if found is None else site.apply(op, *found[1])


def transposed(site: Site, op: linear.Transpose, args: tuple[int, ...]) -> Wires:
    """Two transposes are one, and one that moves nothing is none."""
    if op.order == tuple(range(len(op.order))):
        return args
    found = site.made(args[0], linear.Transpose)
    return None if found is None else site.apply(linear.Transpose(tuple(found[0].order[a] for a in op.order)), *found[1])


def spread(site: Site, op: linear.Spread, args: tuple[int, ...]) -> Wires:
    """spread(spread(x)) = spread(x), and a spread without new axes is x."""
    if len(op.axes) == len(op.shape):
        return args
    found = site.made(args[0], linear.Spread)
    return None if found is None else site.apply(linear.Spread(op.shape, tuple(op.axes[a] for a in found[0].axes)), *found[1])


def cut(site: Site, op: linear.Slice, args: tuple[int, ...]) -> Wires:
    """slice(slice(x)) = slice(x), and a slice of everything is x."""
    x = site.type(args[0])
    if (op.start, op.stop, op.step) == ((0,) * x.rank, x.shape, (1,) * x.rank):
        return args
    found = site.made(args[0], linear.Slice)
    if found is None or op.type(x)[0].size == 0:
        return None
    inner, (source,) = found
    start = tuple(a + b * s for a, b, s in zip(inner.start, op.start, inner.step, strict=True))
    stop = tuple(a + (b - 1) * s + 1 for a, b, s in zip(inner.start, op.stop, inner.step, strict=True))
    return site.apply(linear.Slice(start, stop, tuple(a * b for a, b in zip(inner.step, op.step, strict=True))), source)


def padded(site: Site, op: linear.Pad, args: tuple[int, ...]) -> Wires:
    """A pad that adds nothing is x."""
    return args if op.type(site.type(args[0]))[0] == site.type(args[0]) else None


def summed(site: Site, op: linear.Sum, args: tuple[int, ...]) -> Wires:
    """Σ Σ x is one Σ, Σ over no axis is x, and Σ over axes along which x is spread n times is n · Σ x."""
    if not op.axes:
        return args
    inner = site.made(args[0], linear.Sum)
    if inner is not None and site.alone(args[0]):
        left = [a for a in range(site.type(inner[1][0]).rank) if a not in inner[0].axes]
        return site.apply(linear.Sum(tuple(sorted((*inner[0].axes, *(left[a] for a in op.axes))))), *inner[1])
    found = site.made(args[0], linear.Spread)
    if found is None or not site.type(args[0]).floating:
        return None
    wide, (x,) = found
    new = [a for a in op.axes if a not in wide.axes]
    return counted(site, op, wide, x, new) if new else None


def counted(site: Site, op: linear.Sum, wide: linear.Spread, x: int, new: Sequence[int]) -> Wires:
    """n · spread(Σ x), where n is the length of the new axes that are summed."""
    total = site.one(linear.Sum(tuple(i for i, a in enumerate(wide.axes) if a in op.axes)), x)
    kept = [a for a in range(len(wide.shape)) if a not in op.axes]
    places = tuple(i for i, a in enumerate(kept) if a in wide.axes)
    n = site.constant(float(math.prod(wide.shape[a] for a in new)), site.type(total))
    return site.apply(linear.Spread(tuple(wide.shape[a] for a in kept), places), site.one(p.Mul(), total, n))


def under_spread(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """f(spread(x), spread(y), …) = spread(f(x, y, …)), for f entry by entry and the same new axes; constants are spread too."""
    first = next((found for a in args if (found := site.made(a, linear.Spread)) is not None), None)
    if first is None:
        return None
    wide, small = first[0], list[int]()
    for a in args:
        found = site.made(a, linear.Spread)
        if found is not None and (found[0].shape, found[0].axes) == (wide.shape, wide.axes):
            small.append(found[1][0])
        elif site.made(a, Full) is not None:
            small.append(site.constant(site.value(a) or 0, site.type(a).with_shape(*site.type(first[1][0]).shape)))
        else:
            return None
    return site.apply(wide, site.one(op, *small))


def sliced(site: Site, op: linear.Slice, args: tuple[int, ...]) -> Wires:
    """slice(f(x, y)) = f(slice(x), slice(y)), for f entry by entry of which nothing else is read."""
    index = site.graph.owner[args[0]]
    node = site.graph.nodes[index] if index >= 0 else None
    if node is None or not isinstance(node.op, EACH) or not site.alone(args[0]):
        return None
    return site.apply(node.op, *(site.one(op, a) for a in node.args))


def sliced_spread(site: Site, op: linear.Slice, args: tuple[int, ...]) -> Wires:
    """slice(spread(x)) = spread(slice(x))."""
    found = site.made(args[0], linear.Spread)
    if found is None:
        return None
    wide, (x,) = found
    inner = linear.Slice(*(tuple(bounds[a] for a in wide.axes) for bounds in (op.start, op.stop, op.step)))
    return site.apply(linear.Spread(op.type(site.type(args[0]))[0].shape, wide.axes), site.one(inner, x))


SHAPES = (
    Law("reshapes in a row", (linear.Reshape,), reshaped),
    Law("transposes in a row", (linear.Transpose,), transposed),
    Law("spreads in a row", (linear.Spread,), spread),
    Law("slices in a row", (linear.Slice,), cut),
    Law("empty pads", (linear.Pad,), padded),
    Law("sums", (linear.Sum,), summed),
    Law("entry by entry under a spread", EACH, under_spread),
    Law("slice of a spread", (linear.Slice,), sliced_spread),
    Law("slice of what is entry by entry", (linear.Slice,), sliced),
)
__all__ = ["EACH", "SHAPES"]
