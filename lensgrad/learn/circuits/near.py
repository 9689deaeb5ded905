"""Wiring of a first layer on images: gates that read two bits near each other."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from lensgrad.core.errors import BadValue

Place = tuple[int, ...]


def near(places: Sequence[Place], gates: int, reach: int = 3, seed: int = 0) -> list[tuple[int, int]]:
    """For each gate two bits whose places differ by at most `reach` on every axis, as `wiring` of a layer.

    First inputs go around all bits, about equally often. The second is any other bit that is near, drawn from `seed`; where
    there is none it is any bit at all.
    """
    if len(places) < 2 or reach < 0:
        raise BadValue(f"gates read two bits near each other, among two or more and within a reach ≥ 0, got {len(places)} and {reach}")
    rng, around = Random(seed), neighbors(places, reach)
    found: list[tuple[int, int]] = []
    while len(found) < gates:
        deck = list(range(len(places)))
        rng.shuffle(deck)
        for i in deck[: gates - len(found)]:
            choice = around[i] or [k for k in range(len(places)) if k != i]
            found.append((i, rng.choice(choice)))
    return found


def neighbors(places: Sequence[Place], reach: int) -> list[list[int]]:
    """Of each bit, the others that are near, rising."""
    at: dict[Place, list[int]] = {}
    for i, place in enumerate(places):
        at.setdefault(place, []).append(i)
    steps = [()]
    for _ in places[0]:
        steps = [(*s, d) for s in steps for d in range(-reach, reach + 1)]
    return [
        sorted(k for s in steps for k in at.get(tuple(p + d for p, d in zip(place, s, strict=True)), ()) if k != i)
        for i, place in enumerate(places)
    ]
