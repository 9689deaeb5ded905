"""Where arrays lie: one stretch of memory, used again as soon as nobody reads what lay there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lensgrad.backends.native.nests import Group, Program

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


Readers = Mapping[int, Sequence[tuple[int, bool]]]


def readers(program: Program, groups: Sequence[Group]) -> Readers:
    """For each value the groups that read it, and whether each reads but the entry that it writes."""
    found: dict[int, list[tuple[int, bool]]] = {}
    for at, group in enumerate(groups):
        for nest in group.nests:
            for wire, index in program.loads(nest):
                own = nest.kind is None and program.identity(wire, index, nest, group, group.space)
                found.setdefault(wire, []).append((at, own))
    return found


def stored(program: Program, groups: Sequence[Group], read: Readers) -> set[int]:
    """The values that lie in memory: what others than their own group read, what is given, what is returned."""
    kept = {*program.inputs, *program.outputs}
    for at, group in enumerate(groups):
        head = group.nests[0]
        whole = head.kind is not None and not program.joins(head) and not getattr(head.kind, "passing", False)
        kept.update(head.outs if whole else (), (o for o in group.outs if any(reader != at for reader, _ in read.get(o, ()))))
    return kept
