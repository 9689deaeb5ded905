"""The third pass of layout: heights, so that wires run straight and nothing overlaps.

In each layer the heights of boxes are those nearest to where their wires would have them, in the order that is given and far enough
apart: a weighted isotonic regression with medians, which leaves as many wires as it can exactly straight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lensgrad.draw.layers import Grid, Key, Link
from lensgrad.draw.order import Columns

ROUNDS = 16
NEAR = 1e-6  # between heights that are the same
PATIENCE = 4  # rounds that straighten nothing: one each way, with neighbors on one side and on both


@dataclass(frozen=True, slots=True)
class Extent:
    """How far something reaches above (negative) and below its height."""

    top: float
    bottom: float


Wish = tuple[float, float]  # a height, and how much it is wished for


def heights(columns: Columns, grid: Grid, extents: Mapping[Key, Extent], apart: float) -> dict[Key, float]:
    """A height for each key: those of the best round, since a round may straighten one wire and bend another."""
    found = stacked(columns, extents, apart)
    lefts, rights = wishes(grid)
    best, least, last = dict(found), bent(found, grid), 0
    for round in range(ROUNDS):
        if round > last + PATIENCE:
            break
        across, ahead = round % 4 > 1, round % 2 == 0
        for k in range(len(columns)) if ahead else reversed(range(len(columns))):
            sides = [lefts, rights] if across or k in (0, len(columns) - 1) else [lefts if ahead else rights]
            settle(columns[k], sides, extents, apart, found)
        now = bent(found, grid)
        if now < least:
            best, least, last = dict(found), now, round
    straightened(columns, (lefts, rights), extents, apart, best)
    top = min((best[k] + extents[k].top for k in best), default=0.0)
    return {k: y - top for k, y in best.items()}


def stacked(columns: Columns, extents: Mapping[Key, Extent], apart: float) -> dict[Key, float]:
    """Each layer from its top down, around one middle."""
    found = dict[Key, float]()
    for column in columns:
        y, here = 0.0, dict[Key, float]()
        for key in column:
            here[key] = y - extents[key].top
            y = here[key] + extents[key].bottom + apart
        found |= {key: float(math.floor(h - y / 2)) for key, h in here.items()}
    return found


def bent(found: Mapping[Key, float], grid: Grid) -> float:
    """How far wires are from straight, weighted; then how high the picture is."""
    far = sum(weight(k) * abs(found[k.source] + k.leaves - found[k.target] - k.enters) for between in grid.links for k in between)
    return far + 0.1 * (max(found.values(), default=0.0) - min(found.values(), default=0.0))


def weight(link: Link) -> float:
    """How much a link is to be straight: most of all where both its ends are places that a wire passes."""
    return link.weight + 2.0 * link.source.startswith(" ") + 2.0 * link.target.startswith(" ")


Side = dict[Key, list[tuple[Key, float, float]]]  # for a key: another one, the difference of their heights, and a weight


def wishes(grid: Grid) -> tuple[Side, Side]:
    """For each key, what it is linked to on its left and on its right."""
    lefts, rights = Side(), Side()
    for between in grid.links:
        for link in between:
            lefts.setdefault(link.target, []).append((link.source, link.leaves - link.enters, weight(link)))
            rights.setdefault(link.source, []).append((link.target, link.enters - link.leaves, weight(link)))
    return lefts, rights


def settle(column: Sequence[Key], sides: Sequence[Side], extents: Mapping[Key, Extent], apart: float, found: dict[Key, float]) -> None:
    """New heights for a layer."""
    offset, offsets = 0.0, list[float]()
    wished = list[list[Wish]]()
    for i, key in enumerate(column):
        if i:
            offset += extents[column[i - 1]].bottom + apart - extents[key].top
        offsets.append(offset)
        own = [(found[other] + far - offset, weight) for side in sides for other, far, weight in side.get(key, ())]
        wished.append(own or [(found[key] - offset, 0.01)])
    for key, y, off in zip(column, isotonic(wished), offsets, strict=True):
        found[key] = y + off


def isotonic(wished: Sequence[Sequence[Wish]]) -> list[float]:
    """The rising heights with the least sum of weighted distances from what is wished."""
    blocks = list[tuple[float, list[Wish], int]]()
    for own in wished:
        block = middle(own), list(own), 1
        while blocks and blocks[-1][0] > block[0]:
            _, others, n = blocks.pop()
            merged = others + block[1]
            block = middle(merged), merged, n + block[2]
        blocks.append(block)
    return [y for y, _, n in blocks for _ in range(n)]


def middle(wished: Sequence[Wish]) -> float:
    """The weighted median, the upper one of two."""
    order = sorted(wished)
    half, seen = sum(w for _, w in order) / 2, 0.0
    for y, weight in order:
        seen += weight
        if seen >= half - 1e-9:
            return y
    return order[-1][0]


# -- straight pieces as wholes -----------------------------------------------------------------------------------------


def straightened(columns: Columns, sides: Sequence[Side], extents: Mapping[Key, Extent], apart: float, found: dict[Key, float]) -> None:
    """Move what hangs together by straight wires as a whole, where others are less bent then: of a layer alone none of it would move."""
    above = {key: other for column in columns for other, key in pairwise(column)}
    below = {other: key for key, other in above.items()}

    def gap(upper: Key, lower: Key) -> float:
        return found[lower] + extents[lower].top - found[upper] - extents[upper].bottom - apart

    for _ in range(ROUNDS):
        changed = False
        for piece in pieces(columns, sides, found):
            wished = [(found[o] + far - found[k], w) for k in piece for side in sides for o, far, w in side.get(k, ()) if o not in piece]
            up = min((gap(above[k], k) for k in piece if k in above and above[k] not in piece), default=math.inf)
            down = min((gap(k, below[k]) for k in piece if k in below and below[k] not in piece), default=math.inf)
            far = min(max(nearest(wished), -up), down)
            if abs(far) > NEAR:
                found.update({key: found[key] + far for key in piece})
                changed = True
        if not changed:
            return


def pieces(columns: Columns, sides: Sequence[Side], found: Mapping[Key, float]) -> list[set[Key]]:
    """What hangs together by straight wires."""
    done, all_of = set[Key](), list[set[Key]]()
    for start in (key for column in columns for key in column):
        if start in done:
            continue
        piece, stack = {start}, [start]
        while stack:
            key = stack.pop()
            straight = {o for side in sides for o, far, _ in side.get(key, ()) if abs(found[o] + far - found[key]) <= NEAR} - piece
            piece |= straight
            stack += straight
        done |= piece
        all_of.append(piece)
    return all_of


def nearest(wished: Sequence[Wish]) -> float:
    """Of all weighted medians the one nearest to 0; 0 where nothing is wished."""
    upper, lower = middle(wished) if wished else 0.0, -middle([(-y, w) for y, w in wished]) if wished else 0.0
    return min(max(0.0, min(lower, upper)), max(lower, upper))
