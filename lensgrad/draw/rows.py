"""Rows of a picture that is too wide for one, and how its wires go on in the row below.

A row ends with a layer in which wires only pass; the next one begins with the same layer, and a bridge joins both: each strand goes down
on the right, back through the space between the rows and down on the left, so that strands keep their order and none crosses another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lensgrad.draw.breaks import Span
from lensgrad.draw.layers import Key
from lensgrad.draw.placed import Command
from lensgrad.draw.style import Style

ROUND = 12.0  # of a corner

Strand = tuple[Key, bool]  # what passes an end of a row, and whether it goes back


@dataclass(frozen=True)
class Row:
    """Layers of a grid in one row: the number of the first, heights on it, where each begins and ends, and what passes its end.

    `x` and `y` are where it stands; its heights and layers count from there.
    """

    first: int
    heights: dict[Key, float]
    spans: list[Span]
    strands: tuple[Strand, ...] = ()
    bottom: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def last(self) -> int:
        """The number of its last layer."""
        return self.first + len(self.spans) - 1

    @property
    def width(self) -> float:
        """How wide its layers are."""
        return self.spans[-1][1] if self.spans else 0.0

    def span(self, layer: int) -> Span:
        """Where a layer begins and ends in the picture."""
        left, right = self.spans[layer - self.first]
        return self.x + left, self.x + right

    def height(self, key: Key) -> float:
        """The height of a key in the picture."""
        return self.y + self.heights[key]

    @cached_property
    def lanes(self) -> dict[Strand, int]:
        """The place of each strand that passes its end: the lowest is the first, nearest to it."""
        return {strand: k for k, strand in enumerate(reversed(self.strands))}


def standing_below(rows: Sequence[Row], style: Style) -> list[Row]:
    """The rows one below the other, with room between them for the strands that go from one to the next."""
    found, y = list[Row](), 0.0
    margin = max((beside_row(r, style) for r in rows), default=0.0)
    for k, row in enumerate(rows):
        x = margin if k else 0.0
        found.append(Row(row.first, row.heights, row.spans, row.strands, row.bottom, x, y))
        y += row.bottom + 2 * style.bridge + style.lane * max(0, len(row.strands) - 1)
    return found


def beside_row(row: Row, style: Style) -> float:
    """How far strands that pass the end of a row go beside it."""
    return style.stub + style.lane * (len(row.strands) - 1) if row.strands else 0.0


def bridge(above: Row, below: Row, strand: Strand, start: float, end: float, style: Style) -> list[Command]:
    """The way of a strand from its height at the end of a row to its height at the beginning of the next."""
    lane = above.lanes[strand] * style.lane
    out, back = above.span(above.last)[1], below.span(below.first)[0]
    right, left = out + style.stub + lane, back - style.stub - (len(above.strands) - 1) * style.lane + lane
    middle = above.y + above.bottom + style.bridge + lane
    outer, inner = (0.0 if style.cells else ROUND + far for far in (lane, (len(above.strands) - 1) * style.lane - lane))
    radii = (min(outer, ROUND), outer, inner, min(inner, ROUND))
    return rounded([(out, start), (right, start), (right, middle), (left, middle), (left, end), (back, end)], radii)


def rounded(points: Sequence[tuple[float, float]], radii: Sequence[float]) -> list[Command]:
    """A path through points, each on one height with the one before or above or below it, with rounded corners, without its first point."""
    found = list[Command]()
    for radius, (px, py), (x, y), (nx, ny) in zip(radii, points, points[1:], points[2:], strict=False):
        r = min(radius, (abs(x - px) + abs(y - py)) / 2, (abs(nx - x) + abs(ny - y)) / 2)
        (dx, dy), (ex, ey) = (sign(x - px), sign(y - py)), (sign(nx - x), sign(ny - y))
        begin, end = (x - dx * r, y - dy * r), (x + ex * r, y + ey * r)
        near = 0.45 * r
        found += [("L", x, y)] if not r else [("L", *begin), ("C", x - dx * near, y - dy * near, x + ex * near, y + ey * near, *end)]
    return [*found, ("L", *points[-1])]


def sign(x: float) -> float:
    """-1, 0 or 1."""
    return float((x > 0) - (x < 0))
