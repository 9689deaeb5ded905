"""Pictures with places: what a renderer folds over.

A `Picture` is plates (boxes and names), strokes (strands of wires), dots (where wires split or join) and notes (types on wires), with
lengths in the units of its style; y grows downward. It is immutable, and `as_dict()` is plain data. A plate's `id` is that of its box,
after the ids of the frames around it, with / between, and its `part` says which pass it is where both are drawn apart: get or put.

A stroke is a path of commands ("M", x, y), ("L", x, y) and ("C", x1, y1, x2, y2, x, y), as in SVG, in the direction ahead; what comes back
along a strand of kind `back` runs from its end to its start. `arrow` says at which of its ends it has a head: start, end or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

Strand = Literal["ahead", "back", "read"]
Command = tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class Plate:
    """A box with its label, or a name without one."""

    id: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...] = ()
    tip: str = ""
    path: tuple[str, ...] = ()
    part: str = ""

    def moved(self, dx: float, dy: float) -> Plate:
        return Plate(self.id, self.kind, self.x + dx, self.y + dy, self.width, self.height, self.lines, self.tip, self.path, self.part)

    def inside(self, frame: str) -> Plate:
        """The same as part of a frame, whose id stands before its own."""
        return replace(self, id=f"{frame}/{self.id}")


@dataclass(frozen=True, slots=True)
class Stroke:
    """A strand of a wire, or of a residual that the way back reads."""

    strand: Strand
    path: tuple[Command, ...]
    arrow: str = ""
    tip: str = ""

    def moved(self, dx: float, dy: float) -> Stroke:
        return Stroke(self.strand, tuple([shifted(c, dx, dy) for c in self.path]), self.arrow, self.tip)


def trimmed(s: Stroke, by: float, share: float = 0.0) -> tuple[Command, ...]:
    """The path of a stroke without what a head covers at its end, which would be seen beside the tip; of a shorter last piece, a share."""
    if not s.arrow:
        return s.path
    k, other = (0, 1) if s.arrow == "start" else (-1, -2)
    near = s.path[other][1:3] if s.arrow == "start" else s.path[-1][-4:-2] if len(s.path[-1]) > 3 else s.path[other][-2:]
    (x, y), (px, py) = cast("tuple[float, float]", s.path[k][-2:]), cast("tuple[float, float]", near)
    far = abs(px - x) + abs(py - y)
    cut = by / far if far > by else share
    if not cut:
        return s.path
    moved = (*s.path[k][:-2], x + (px - x) * cut, y + (py - y) * cut)
    return (moved, *s.path[1:]) if s.arrow == "start" else (*s.path[:-1], moved)


@dataclass(frozen=True, slots=True)
class Dot:
    """Where a value is copied, or where cotangents are added."""

    strand: Strand
    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Dot:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Note:
    """The type of a strand, above it."""

    text: str
    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Note:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn, of so much width and height; `rows` is where each row of it begins, from the top, unless there is one only."""

    width: float = 0
    height: float = 0
    plates: tuple[Plate, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    dots: tuple[Dot, ...] = ()
    notes: tuple[Note, ...] = ()
    title: str = ""
    rows: tuple[float, ...] = ()

    def moved(self, dx: float, dy: float) -> Picture:
        """The same somewhere else."""
        if dx == dy == 0:
            return self
        plates, strokes = tuple(p.moved(dx, dy) for p in self.plates), tuple(s.moved(dx, dy) for s in self.strokes)
        dots, notes = tuple(d.moved(dx, dy) for d in self.dots), tuple(n.moved(dx, dy) for n in self.notes)
        return replace(self, plates=plates, strokes=strokes, dots=dots, notes=notes, rows=tuple(y + dy for y in self.rows))

    def inside(self, frame: str) -> Picture:
        """The same as part of a frame: ids begin with that of the frame."""
        return replace(self, plates=tuple([p.inside(frame) for p in self.plates]))

    def as_dict(self) -> dict[str, Any]:
        """The picture as plain data."""
        return asdict(self)


def shifted(command: Command, dx: float, dy: float) -> Command:
    """A command somewhere else."""
    if len(command) == 3:
        kind, x, y = cast("tuple[str, float, float]", command)
        return kind, x + dx, y + dy
    kind, x1, y1, x2, y2, x, y = cast("tuple[str, float, float, float, float, float, float]", command)
    return kind, x1 + dx, y1 + dy, x2 + dx, y2 + dy, x + dx, y + dy


def together(pictures: Iterable[Picture]) -> Picture:
    """Pictures as one, each where it is."""
    given = list(pictures)
    return Picture(
        plates=tuple(p for one in given for p in one.plates),
        strokes=tuple(s for one in given for s in one.strokes),
        dots=tuple(d for one in given for d in one.dots),
        notes=tuple(n for one in given for n in one.notes),
    )
