"""Where arrays lie: one stretch of memory, used again as soon as nobody reads what lay there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LINE = 64  # bytes of a cache line, at which every array begins


@dataclass(frozen=True)
class Arena:
    """The offset of each array in bytes, and how many bytes there are in all."""

    offsets: Mapping[int, int]
    bytes: int


def rounded(n: int) -> int:
    return -(-n // LINE) * LINE


def arena(sizes: Mapping[int, int], spans: Mapping[int, tuple[int, int]], start: int = 0) -> Arena:
    """Places for arrays of these sizes in bytes that live from one moment to another, both included: the lowest gap that is free."""
    placed: list[tuple[int, int, int]] = []
    offsets: dict[int, int] = {}
    top = start
    for wire in sorted(sizes, key=lambda w: (-sizes[w], w)):
        first, last = spans[wire]
        size, at = rounded(max(1, sizes[wire])) + LINE, start
        for low, high, other in sorted(placed):
            a, b = spans[other]
            if a > last or b < first:
                continue
            if low - at >= size:
                break
            at = max(at, high)
        placed.append((at, at + size, wire))
        offsets[wire] = at
        top = max(top, at + size)
    return Arena(offsets, top)


def lives(made: Mapping[int, int], read: Mapping[int, Sequence[int]], forever: Sequence[int], end: int) -> dict[int, tuple[int, int]]:
    """From when to when each array is needed: made at a moment, read at some; some from the beginning to the end."""
    found = {w: (at, max([at, *read.get(w, ())])) for w, at in made.items()}
    return {**found, **dict.fromkeys(forever, (-1, end))}
