"""Where a picture that is too wide is broken into rows, as a paragraph is into lines.

A row ends behind a layer. It costs the more, the more cables go on in the row below, and the more its width differs from that of others;
the ends with the least cost of all together are found by going through the layers once (Knuth and Plass 1981). Pure functions on layers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lensgrad.draw.layers import Key
from lensgrad.draw.style import Style

CABLE = 0.3  # what a second cable over an end of a row costs, and each more
FORK = 0.05  # what a cable over it costs that parts behind it
ROW = 0.15  # what a row costs; one that differs from the others by all the width costs 1

Span = tuple[float, float]  # where a layer begins and ends
Pair = tuple[tuple[Key, str], Key]  # the port at which a wire begins, and the box where it ends


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands on the other side where a row ends, by its layer: behind the end, and before it."""

    behind: Mapping[Key, int]
    before: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Edge:
    """What goes on behind a layer: how many cables, and how many wires they part into there; `whole` where no row may end.

    `before` and `behind` is how wide what is moved there is.
    """

    cables: int
    wires: int
    whole: bool = False
    before: float = 0.0
    behind: float = 0.0

    @property
    def cost(self) -> float:
        """What it costs to end a row here."""
        return CABLE * max(0, self.cables - 1) + FORK * (self.wires - self.cables)


def sources(rank: Mapping[Key, int], pairs: Sequence[Pair], fixed: Collection[Key]) -> dict[Key, int]:
    """What reads nothing and is first read in the next layer, by its layer, where others are too: it can begin the row of what reads it.

    What is `fixed` stays where it is.
    """
    entered, first = {target for _, target in pairs}, dict[Key, int]()
    for (source, _), target in pairs:
        first[source] = min(first.get(source, rank[target]), rank[target])
    found = {id: rank[id] for id, r in first.items() if id not in entered and id not in fixed and r == rank[id] + 1}
    others = {r for id, r in rank.items() if id not in found}
    return {id: r for id, r in found.items() if r in others}


def edges(rank: Mapping[Key, int], pairs: Sequence[Pair], moved: Moved, names: Collection[Key], few: float) -> list[Edge]:
    """What goes on behind each layer, but for what is moved there. A row is of more than names, and at most `few` cables leave it."""
    size, boxes = max(rank.values(), default=-1) + 1, [r for id, r in rank.items() if id not in names]
    taken: list[dict[tuple[Key, str], set[Key]]] = [{} for _ in range(size)]
    for port, target in pairs:
        for k in range(rank[port[0]] + (port[0] in moved.behind), rank[target] - (target in moved.before)):
            taken[k].setdefault(port, set()).add(target if rank[target] == k + 1 else "")  # what passes on is one wire more
    lone = [k < min(boxes, default=0) or k >= max(boxes, default=0) for k in range(size)]
    return [Edge(len(t), sum(map(len, t.values())), lone[k] or len(t) > few) for k, t in enumerate(taken)]


def breaks(spans: Sequence[Span], edges: Sequence[Edge], style: Style, most: float) -> tuple[int, ...]:
    """The layers behind which a row ends, with as many rows as are needed for that width, or more."""
    whole, most = spans[-1][1], max(most, style.channel)
    least = min(math.ceil(whole / most), len(spans))
    return min(broken(spans, edges, style, most, whole / n) for n in range(least, min(2 * least + 1, len(spans)) + 1))[1]


def broken(spans: Sequence[Span], edges: Sequence[Edge], style: Style, most: float, wished: float) -> tuple[float, tuple[int, ...]]:
    """The ends of rows with the least cost where each is wished to be so wide, and that cost. A row that cannot end is wider."""
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]  # for so many of the first layers
    lanes = [style.channel + style.stub + 2 * style.lane * e.cables for e in edges[:-1]]
    lefts = [0.0, *(x + e.behind for x, e in zip(lanes, edges, strict=False))]
    rights = [0.0, *(x + e.before for x, e in zip(lanes, edges, strict=False)), 0.0]
    for end in range(1, len(spans) + 1):
        found, whole = list[tuple[float, tuple[int, ...]]](), True
        for start in reversed(range(end)):
            wide = lefts[start] + spans[end - 1][1] - spans[start][0] + rights[end]
            whole = whole and (start == end - 1 or edges[start].whole)
            if wide > most and not whole:
                break
            if not start or not edges[start - 1].whole:
                cost, before = best[start]
                cost += (edges[start - 1].cost if start else 0.0) + ROW + ((min(wide, most) - wished) / most) ** 2
                found.append((cost, (*before, start - 1) if start else ()))
        best.append(min(found))
    return best[-1]


def below(rank: Mapping[Key, int], ends: Sequence[int], moved: Moved) -> tuple[dict[Key, int], list[int]]:
    """Layers with one more behind each end of a row, and the numbers of these; what is moved has layers of its own around that."""
    shift, at, found = 0, list[int](), dict[int, int]()
    for r in range(max(rank.values(), default=0) + 1):
        found[r] = r + shift
        if r in ends:
            shift += 1 + (r + 1 in moved.before.values())
            at.append(r + shift)
            shift += r in moved.behind.values()
    layers = {id: found[r] for id, r in rank.items()}
    layers |= {id: at[ends.index(r)] + 1 for id, r in moved.behind.items() if r in ends}
    return layers | {id: at[ends.index(r - 1)] - 1 for id, r in moved.before.items() if r - 1 in ends}, at
