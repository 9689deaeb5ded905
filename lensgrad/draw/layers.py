"""The first pass of layout: a layer for each box, so that wires go from left to right, and places for wires that pass through layers.

Pure functions on ids and pairs of ids; nothing here knows what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

Key = str


@dataclass(frozen=True, slots=True)
class Link:
    """A piece of wire from one layer to the next, with heights of its ends on what they belong to."""

    source: Key
    target: Key
    leaves: float
    enters: float
    weight: float = 1.0


def ranks(
    ids: Sequence[Key], pairs: Iterable[tuple[Key, Key]], first: Collection[Key] = (), last: Collection[Key] = (), early: int = 0
) -> dict[Key, int]:
    """The layer of each box: behind all that it reads, as early as that goes; what reads nothing just before what reads it.

    What is in `first` stands in layer 0 and what is in `last` in the last one. What reads nothing and is read by several stands so many
    layers before that as `early` says, at most before all others, so that a wire of it can go around what is there.
    """
    after: dict[Key, list[Key]] = {i: [] for i in ids}
    before: dict[Key, list[Key]] = {i: [] for i in ids}
    pairs = list(pairs)
    for a, b in pairs:
        after[a].append(b)
        before[b].append(a)
    order, rank = sorted_by_need(ids, before, after), {i: 0 for i in ids}
    for i in order:
        rank[i] = max((rank[a] + 1 for a in before[i]), default=0)
    shift = 1 if first and any(rank[i] == 0 and i not in first for i in ids) else 0
    rank = {i: 0 if i in first else r + shift for i, r in rank.items()}
    delayed(rank, [i for i in order if i not in first], before, after)
    for i in ids:
        if not before[i] and after[i] and i not in first:
            rank[i] = min(rank[b] for b in after[i]) - 1
    start = min(rank.values(), default=0) - 1
    rank |= {i: max(start, rank[i] - early) for i in shared(pairs) if i not in first}
    least = min((r for i, r in rank.items() if i not in first), default=0)
    rank = {i: r if i in first else r + bool(first) - least for i, r in rank.items()}
    end = max((r for i, r in rank.items() if i not in last), default=-1) + 1
    return {i: end if i in last else r for i, r in rank.items()}


def shared(pairs: Sequence[tuple[Key, Key]], most: float = math.inf) -> list[Key]:
    """What reads nothing and is read by several boxes, at most by so many."""
    entered, readers = {b for _, b in pairs}, dict[Key, set[Key]]()
    for a, b in pairs:
        readers.setdefault(a, set()).add(b)
    return [a for a, by in readers.items() if a not in entered and 1 < len(by) <= most]


def delayed(rank: dict[Key, int], order: Sequence[Key], before: Mapping[Key, Sequence[Key]], after: Mapping[Key, Sequence[Key]]) -> None:
    """Move boxes that hang on nothing that comes in to just before what reads them: what only they read goes with them.

    What they share with others does not, so that they are moved no farther than some other box that reads it.
    """
    free = dict[Key, bool]()
    for i in order:
        free[i] = all(free.get(a, False) and (not before[a] or len(set(after[a])) == 1) for a in before[i])
    for i in reversed(order):
        if free[i] and before[i] and after[i]:
            shared = [max(rank[b] for b in after[a] if b != i) for a in before[i] if len(set(after[a])) > 1]
            rank[i] = max(rank[i], min([*(rank[b] - 1 for b in after[i]), *shared]))


def sorted_by_need(ids: Sequence[Key], before: Mapping[Key, Sequence[Key]], after: Mapping[Key, Sequence[Key]]) -> list[Key]:
    """The boxes in an order in which each comes after all that it reads."""
    left = {i: len(before[i]) for i in ids}
    ready = [i for i in ids if not left[i]]
    for i in ready:
        for b in after[i]:
            left[b] -= 1
            if not left[b]:
                ready.append(b)
    return ready


@dataclass(frozen=True, slots=True)
class Run:
    """A wire from a port of a box to a port of another, by heights of the ports on their boxes.

    Wires from one port share their way where their `way` is the same.
    """

    source: Key
    port: str
    target: Key
    leaves: float
    enters: float
    weight: float = 1.0
    way: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Layers of keys from left to right: boxes, and places where wires pass; and the links between neighboring layers.

    `routes` are, for each run, the keys that it goes through, with both ends.
    """

    columns: tuple[tuple[Key, ...], ...]
    links: tuple[tuple[Link, ...], ...]
    routes: tuple[tuple[Key, ...], ...]


def grid(rank: Mapping[Key, int], runs: Sequence[Run]) -> Grid:
    """The grid of boxes in layers. What begins at one port shares its way as far as it goes."""
    size = max(rank.values(), default=-1) + 1
    columns: list[dict[Key, None]] = [{} for _ in range(size)]
    for i, r in rank.items():
        columns[r][i] = None
    links: list[dict[tuple[Key, Key, float, float], float]] = [{} for _ in range(max(0, size - 1))]
    routes = list[tuple[Key, ...]]()
    for run in runs:
        route, leaves = [run.source], run.leaves
        for r in range(rank[run.source] + 1, rank[run.target] + 1):
            there = r == rank[run.target]
            key = run.target if there else passing(run, r)
            links[r - 1][route[-1], key, leaves, run.enters if there else 0.0] = run.weight
            columns[r][key] = None
            route.append(key)
            leaves = 0.0
        routes.append(tuple(route))
    return Grid(
        tuple(map(tuple, columns)),
        tuple(tuple(Link(*each, weight) for each, weight in between.items()) for between in links),
        tuple(routes),
    )


def passing(run: Run, layer: int) -> Key:
    """The place where a wire passes through a layer: no id of a box begins with a space."""
    return f" {layer} {run.port} {run.source}{run.way}"
