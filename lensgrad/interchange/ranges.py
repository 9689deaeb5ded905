"""Between which numbers the whole numbers of a wire are, as far as what made them says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.moves import made, read
from lensgrad.theories.smooth import index, linear, reduce
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.conv import WindowArgMax
from lensgrad.theories.smooth.shape import LIMITS, Full

Ends = tuple[int, int]
Ask = Callable[[int], Ends]  # of an argument of the generator
MOVES = (linear.Reshape, linear.Transpose, linear.Spread, linear.Slice, linear.Flip, p.StopGradient)


def ends(x: Wire) -> Ends:
    """The least and the largest number that a wire of whole numbers may have."""
    known: dict[int, Ends] = {}

    def of(w: Wire) -> Ends:
        if w.index not in known:
            known[w.index] = LIMITS.get(w.atom.dtype, LIMITS["int32"])  # where a chain is deeper than Python goes, this is said of its end
            known[w.index] = found(w, lambda k: of(read(w, k)))
        return known[w.index]

    return of(x)


def found(w: Wire, of: Ask) -> Ends:
    """The ends of what one generator gives."""
    op, whole = made(w), LIMITS.get(w.atom.dtype)
    if whole is None:
        return LIMITS["int32"]
    rule = ENDS.get(op.__class__)
    low, high = rule(op, of, w) if rule is not None else whole
    return (low, high) if whole[0] <= low and high <= whole[1] else whole


def table(op: Any, of: Ask, w: Wire) -> Ends:
    entries = op.table.entries
    return (min(entries), max(entries)) if entries else (0, 0)


def picked(op: Any, of: Ask, w: Wire) -> Ends:
    (a, b), (c, d) = of(1), of(2)
    return min(a, c), max(b, d)


def joined(op: Any, of: Ask, w: Wire) -> Ends:
    n = len(w.graph.nodes[w.graph.owner[w.index]].args)
    parts = [of(k) for k in range(n)]
    return min(a for a, _ in parts), max(b for _, b in parts)


def along(op: Any, of: Ask, w: Wire) -> Ends:
    """Positions along an axis."""
    return 0, read(w).atom.shape[op.axis if isinstance(op, reduce.ArgMax) else -1] - 1


def within(op: Any, of: Ask, w: Wire) -> Ends:
    """Positions in an image (N, *space, C)."""
    return 0, math.prod(read(w).atom.shape[1:-1]) - 1


def cast(op: Any, of: Ask, w: Wire) -> Ends:
    return of(0) if read(w).atom.dtype in LIMITS else LIMITS[w.atom.dtype]


def times(op: Any, of: Ask, w: Wire) -> Ends:
    (a, b), (c, d) = of(0), of(1)
    corners = [a * c, a * d, b * c, b * d]
    return min(corners), max(corners)


def both(fn: Callable[[int, int], int]) -> Callable[[Any, Ask, Wire], Ends]:
    """What grows with both arguments."""
    return lambda op, of, w: (fn(of(0)[0], of(1)[0]), fn(of(0)[1], of(1)[1]))


ENDS: dict[type[Any], Callable[[Any, Ask, Wire], Ends]] = {
    Full: lambda op, of, w: (int(op.value), int(op.value)),
    index.Numbers: table,
    index.Iota: lambda op, of, w: (0, max(op.n - 1, 0)),
    index.Take: lambda op, of, w: of(0),
    linear.Concatenate: joined,
    linear.Cast: cast,
    reduce.ArgMax: along,
    reduce.ArgSort: along,
    WindowArgMax: within,
    p.Add: both(lambda a, b: a + b),
    p.Sub: lambda op, of, w: (of(0)[0] - of(1)[1], of(0)[1] - of(1)[0]),
    p.Mul: times,
    p.Maximum: both(max),
    p.Minimum: both(min),
    p.Select: picked,
    **{kind: lambda op, of, w: of(0) for kind in MOVES},
}


def rest(x: Wire, n: int) -> Wire | None:
    """The rests of whole numbers by n > 0 where that needs no division: what is added to numbers from 0 to n − 1 are multiples of n."""
    op = made(x)
    low, high = ends(x)
    if low >= 0 and high < n:
        return x
    if isinstance(op, linear.Reshape):
        inner = rest(read(x), n)
        return None if inner is None else linear.Reshape(op.shape)(inner)
    if isinstance(op, p.Add) and multiple(read(x, 1), n):
        return rest(read(x), n)
    return None


def multiple(x: Wire, n: int) -> bool:
    """Whether all numbers of a wire are multiples of n, as what made them says."""
    op = made(x)
    if isinstance(op, index.Numbers):
        return all(k % n == 0 for k in op.table.entries)
    if isinstance(op, Full):
        return int(op.value) % n == 0
    return isinstance(op, linear.Reshape | linear.Spread) and multiple(read(x), n)


__all__ = ["MOVES", "ends", "rest"]
