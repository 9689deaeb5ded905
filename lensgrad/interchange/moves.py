"""Arrays moved in the one way that there is: what moves twice moves once, and what stays is no move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.theories.smooth.linear import Reshape, Spread, Transpose
from lensgrad.theories.smooth.shape import Full

Sizes = tuple[int, ...]


def made(x: Wire) -> Any:
    """The generator that made a wire; None for an input."""
    maker = x.graph.maker(x.index)
    return None if maker is None else maker[0].op


def read(x: Wire, k: int = 0) -> Wire:
    """The wire that the maker of a wire reads."""
    maker = x.graph.maker(x.index)
    return x if maker is None else Wire(x.graph, maker[0].args[k])


def closed(x: Wire, op: Full) -> Wire:
    """A constant in the graph of a wire."""
    return Wire(x.graph, x.graph.apply(op, ())[0])


def narrow(shape: Sequence[int]) -> Sizes:
    """A shape without its axes of size 1."""
    return tuple(n for n in shape if n != 1)


def kept(shape: Sequence[int]) -> list[int]:
    """The axes that are not of size 1."""
    return [a for a, n in enumerate(shape) if n != 1]


def reshaped(x: Wire, shape: Sequence[int]) -> Wire:
    """The same entries in another shape."""
    op, goal = made(x), tuple(shape)
    if x.atom.shape == goal:
        return x
    if isinstance(op, Full):
        return closed(x, Full(op.value, op.atom.with_shape(*goal)))
    if isinstance(op, Reshape):
        return reshaped(read(x), goal)
    if isinstance(op, Spread) and narrow(op.shape) == narrow(goal):
        return spread_again(x, op, goal)
    return Reshape(goal)(x)


def spread_again(x: Wire, op: Spread, goal: Sizes) -> Wire:
    """A spread array with other axes of size 1."""
    places = dict(zip(kept(op.shape), kept(goal), strict=True))
    axes = [places[a] for a in op.axes if a in places]
    return spread(reshaped(read(x), [goal[a] for a in axes]), goal, axes)


def transposed(x: Wire, order: Sequence[int]) -> Wire:
    """With its axes in another order, which stands before what is repeated."""
    op = made(x)
    if list(order) == list(range(x.atom.rank)):
        return x
    shape = tuple(x.atom.shape[a] for a in order)
    if isinstance(op, Full):
        return closed(x, Full(op.value, op.atom.with_shape(*shape)))
    if isinstance(op, Transpose):
        return transposed(read(x), [op.order[a] for a in order])
    if isinstance(op, Spread):
        axes = [i for i, a in enumerate(order) if a in op.axes]
        return spread(transposed(read(x), [op.axes.index(order[i]) for i in axes]), shape, axes)
    return Transpose(tuple(order))(x)


def spread(x: Wire, shape: Sequence[int], axes: Sequence[int]) -> Wire:
    """Repeated along new axes."""
    op = made(x)
    if x.atom.shape == tuple(shape):
        return x
    if isinstance(op, Full):
        return closed(x, Full(op.value, op.atom.with_shape(*shape)))
    if isinstance(op, Spread):
        return spread(read(x), shape, [axes[a] for a in op.axes])
    return Spread(tuple(shape), tuple(axes))(x)


def places(x: Wire) -> tuple[int, ...]:
    """The axes along which a wire is not repeated; none of a constant."""
    op = made(x)
    return op.axes if isinstance(op, Spread) else () if isinstance(op, Full) else tuple(range(x.atom.rank))


def thinned(x: Wire, axes: Sequence[int]) -> Wire:
    """A wire on some of its axes only, which those are that it is not repeated along, and perhaps others."""
    op, shape = made(x), [x.atom.shape[a] for a in axes]
    if isinstance(op, Full):
        return closed(x, Full(op.value, op.atom.with_shape(*shape)))
    if isinstance(op, Spread):
        return spread(read(x), shape, [list(axes).index(a) for a in op.axes])
    return x
