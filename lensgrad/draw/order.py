"""The second pass of layout: the order of each layer, so that few wires cross.

Barycenters and medians of neighbors, swept from left to right and back, then exchanges of neighbors that lose a crossing; the best order
that was met is kept (Sugiyama, Tagawa, Toda 1981; Gansner et al. 1993). Pure functions on layers of keys and links between them.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from lensgrad.draw.layers import Grid, Key, Link

Columns = tuple[tuple[Key, ...], ...]
ROUNDS = 12  # sweeps each way
PATIENCE = 3  # of them without fewer crossings
FEW = 2000  # links, beyond which exchanges of neighbors are left out


def crossings(left: Sequence[Key], right: Sequence[Key], links: Sequence[Link]) -> int:
    """How many pairs of links between two layers cross."""
    a, b = places(left), places(right)
    ends = sorted((a[k.source], k.leaves, b[k.target], k.enters) for k in links)
    met, found = list[tuple[int, float]](), 0
    for _, _, y, enters in ends:  # those of one port come in the order of their other ends: a split crosses nothing
        found += len(met) - bisect_right(met, (y, enters))
        insort(met, (y, enters))
    return found


def places(column: Sequence[Key]) -> dict[Key, int]:
    """The number of each key in its layer."""
    return {key: k for k, key in enumerate(column)}


def total(columns: Sequence[Sequence[Key]], links: Sequence[Sequence[Link]]) -> int:
    """All crossings."""
    return sum(crossings(columns[k], columns[k + 1], between) for k, between in enumerate(links))


def ordered(grid: Grid) -> Columns:
    """The layers in the best order that was met, from the order given and from its reverse."""
    found = [improved(columns, grid) for columns in ([list(c) for c in grid.columns], [list(reversed(c)) for c in grid.columns])]
    return tuple(map(tuple, min(found, key=lambda columns: total(columns, grid.links))))


def improved(columns: list[list[Key]], grid: Grid) -> list[list[Key]]:
    """The best order that is met from one on: swept, and its neighbors exchanged while that loses crossings."""
    best, fewest, last = columns, total(columns, grid.links), 0
    for round in range(ROUNDS):
        if not fewest or round > last + PATIENCE:
            break
        columns = swept(columns, grid.links, (mean, median, lower)[round % 3])
        if sum(map(len, grid.links)) <= FEW:
            columns = exchanged(columns, grid.links)
        found = total(columns, grid.links)
        if found < fewest:
            best, fewest, last = columns, found, round
    return best


def lower(values: Sequence[float]) -> float:
    """The lower of the two in the middle."""
    return sorted(values)[(len(values) - 1) // 2]


def mean(values: Sequence[float]) -> float:
    """Their mean."""
    return sum(values) / len(values)


def swept(columns: Sequence[Sequence[Key]], links: Sequence[Sequence[Link]], middle: Callable[[Sequence[float]], float]) -> list[list[Key]]:
    """Each layer by the middles of its neighbors: once from left to right, once back."""
    found = [list(c) for c in columns]
    for k, between in enumerate(links):
        ends = [(link.target, link.source, link.leaves) for link in between]
        found[k + 1] = sorted_by(found[k + 1], found[k], ends, middle)
    for k in reversed(range(len(links))):
        ends = [(link.source, link.target, link.enters) for link in links[k]]
        found[k] = sorted_by(found[k], found[k + 1], ends, middle)
    return found


def sorted_by(
    column: Sequence[Key], fixed: Sequence[Key], ends: Sequence[tuple[Key, Key, float]], middle: Callable[[Sequence[float]], float]
) -> list[Key]:
    """A layer by the middles of what its keys are linked to; keys without links keep their places."""
    place, seen = places(fixed), dict[Key, list[float]]()
    for key, other, height in ends:
        seen.setdefault(key, []).append(place[other] + height / (1e3 + abs(height)))
    moving = iter(sorted((k for k in column if k in seen), key=lambda k: middle(seen[k])))
    return [next(moving) if k in seen else k for k in column]


def exchanged(columns: Sequence[Sequence[Key]], links: Sequence[Sequence[Link]]) -> list[list[Key]]:
    """Neighbors exchanged while that loses crossings."""
    found = [list(c) for c in columns]
    better = True
    while better:
        better = False
        for k, column in enumerate(found):
            sides = [sided(found, links, k, -1), sided(found, links, k, 1)]
            for i in range(len(column) - 1):
                u, v = column[i], column[i + 1]
                gain = sum(met(side, u, v) - met(side, v, u) for side in sides)
                if gain > 0:
                    column[i], column[i + 1], better = v, u, True
    return found


Ends = Mapping[Key, Sequence[tuple[int, float]]]


def sided(columns: Sequence[Sequence[Key]], links: Sequence[Sequence[Link]], k: int, step: int) -> Ends:
    """For each key of a layer the ends of its links in the layer beside it."""
    if not 0 <= k + step < len(columns):
        return {}
    place, found = places(columns[k + step]), dict[Key, list[tuple[int, float]]]()
    for link in links[k if step > 0 else k - 1]:
        key, end = (link.source, (place[link.target], link.enters)) if step > 0 else (link.target, (place[link.source], link.leaves))
        found.setdefault(key, []).append(end)
    return found


def met(side: Ends, above: Key, below: Key) -> int:
    """How many links of two keys cross when one stands above the other."""
    return sum(1 for a in side.get(above, ()) for b in side.get(below, ()) if a > b)
