"""Images read at computed places between their pixels, as sums of near pixels with weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product

from lensgrad.core.graph import Wire
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Take

Tap = tuple[Wire, Wire | None]  # the number of a pixel along one axis, as a float, and its weight; None for 1
Outside = Callable[[Tap, int], Tap]  # what a tap becomes on an axis of this size


def rows_of(x: Wire) -> Wire:
    """(N, C, *space) → (N, pixels, C)."""
    n, channels, *space = x.atom.shape
    return ops.transpose(ops.reshape(x, n, channels, -1 if space else 1), 0, 2, 1)


def linear(place: Wire) -> list[Tap]:
    """The pixels on both sides of a place."""
    low = ops.floor(place)
    rest = place - low
    return [(low, 1.0 - rest), (low + 1.0, rest)]


def cubic(place: Wire, a: float = -0.75) -> list[Tap]:
    """The four pixels around a place, with Keys' weights."""
    low = ops.floor(place)
    rest = place - low
    near = [((d * (a + 2) - (a + 3)) * d * d + 1.0) for d in (rest, 1.0 - rest)]
    far = [((d * a - 5 * a) * d + 8 * a) * d - 4 * a for d in (rest + 1.0, 2.0 - rest)]
    return list(zip((low - 1.0, low, low + 1.0, low + 2.0), (far[0], near[0], near[1], far[1]), strict=True))


def nearest(place: Wire) -> list[Tap]:
    """The pixel that is nearest, halves to the even one."""
    return [(ops.round(place), None)]


def zero_outside(tap: Tap, n: int) -> Tap:
    """A pixel outside counts for nothing."""
    at, weight = tap
    inside = (at >= 0.0) & (at <= float(n - 1))
    return at, ops.select(inside, 1.0 + 0.0 * at if weight is None else weight, 0.0)


def border_outside(tap: Tap, n: int) -> Tap:
    """A pixel outside is the last one on its side."""
    return ops.clamp(tap[0], 0.0, float(n - 1)), tap[1]


def reflected(low: float, high: float) -> Callable[[Wire], Wire]:
    """Places beyond two ends, reflected at them until they are between."""
    span = high - low

    def fold(place: Wire) -> Wire:
        if span <= 0:
            return place * 0.0 + low
        beyond = ops.remainder(place - low, place * 0.0 + 2 * span)
        return ops.select(beyond < span, beyond, 2 * span - beyond) + low

    return fold


def read(rows: Wire, space: Sequence[int], taps: Sequence[Sequence[Tap]]) -> list[Wire]:
    """The pixels of (N, pixels, C) at the taps of each axis, times their weights: one (N, places, C) for each combination."""
    found: list[Wire] = []
    for combination in product(*taps):
        at = reduce(
            lambda so_far, pair: so_far * float(pair[0]) + pair[1],
            zip(space[1:], [t[0] for t in combination[1:]], strict=True),
            combination[0][0],
        )
        pixels = Take(1)(rows, ops.cast(at, "int32"))
        weights = [w for _, w in combination if w is not None]
        found.append(pixels * ops.spread(reduce(lambda a, b: a * b, weights), pixels.atom.shape, (0, 1)) if weights else pixels)
    return found


def added(found: Sequence[Wire]) -> Wire:
    """The sum of arrays."""
    return reduce(lambda a, b: a + b, found)
