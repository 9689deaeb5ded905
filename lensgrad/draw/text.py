"""Pictures as text, for terminals and messages: boxes and wires of a picture that was laid out in cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from lensgrad.core.checks import clean
from lensgrad.draw.placed import Command, Picture, Plate, Stroke
from lensgrad.draw.style import columns

UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8
LINES = " │─└││┌├─┘─┴┐┤┬┼"  # by the sides that a cell is joined to: up 1, right 2, down 4, left 8
BACK = {"─": "╌", "│": "╎"}
HEADS = {(1, 0): "▶", (-1, 0): "◀", (0, 1): "▼", (0, -1): "▲"}
DOTS = {"ahead": "●", "back": "⊕", "read": "●"}
BARE = ("parameter", "input", "output")
Point = tuple[int, int]
NARROW = 30  # columns, below which no picture is cut in pieces


class Canvas:
    """Cells by place: which sides a line joins, and characters above lines."""

    def __init__(self) -> None:
        self.lines: dict[Point, int] = {}
        self.back: dict[Point, bool] = {}
        self.letters: dict[Point, str] = {}

    def line(self, points: Sequence[Point], back: bool = False) -> None:
        """A line from point to point, each on one row or in one column."""
        for (x, y), (x2, y2) in pairwise(points):
            if x == x2 and y == y2:
                continue
            sides = (RIGHT, LEFT) if y == y2 else (DOWN, UP)
            cells = [(c, y) for c in between(x, x2)] if y == y2 else [(x, r) for r in between(y, y2)]
            for k, cell in enumerate(cells):
                joined = (sides[0] if k + 1 < len(cells) else 0) | (sides[1] if k else 0)
                self.lines[cell] = self.lines.get(cell, 0) | joined
                self.back[cell] = back and self.back.get(cell, True)

    def write(self, x: int, y: int, text: str) -> None:
        """Letters from a place on."""
        for c in text:
            self.letters[x, y] = c
            x += max(1, columns(c))
            if columns(c) == 2:
                self.letters[x - 1, y] = ""

    def clear(self, x: int, y: int, width: int, height: int) -> None:
        """Nothing inside a box, so that lines end at its edge."""
        for r in range(y + 1, y + height):
            for c in range(x + 1, x + width):
                self.lines.pop((c, r), None)

    def rows(self) -> Iterator[str]:
        """The rows of the text."""
        places = [*self.lines, *self.letters]
        if not places:
            return
        wide, high = max(x for x, _ in places), max(y for _, y in places)
        for y in range(min(0, *(y for _, y in places)), high + 1):
            yield "".join(self.cell(x, y) for x in range(min(0, *(x for x, _ in places)), wide + 1)).rstrip()

    def cell(self, x: int, y: int) -> str:
        if (x, y) in self.letters:
            return self.letters[x, y]
        drawn = LINES[self.lines.get((x, y), 0)]
        return BACK.get(drawn, drawn) if self.back.get((x, y)) else drawn


def between(a: int, b: int) -> range:
    """All numbers from the lesser of two to the other."""
    return range(min(a, b), max(a, b) + 1)


def text(picture: Picture) -> str:
    """The picture as lines of text."""
    canvas, heads = Canvas(), list[tuple[Point, str]]()
    tracks, edges = turns(picture.strokes), {cell for p in picture.plates for cell in edge(p)}
    for k, s in enumerate(picture.strokes):
        points = corners(s.path, {n: x for (j, n), x in tracks.items() if j == k})
        canvas.line(points, s.strand == "back")
        if s.arrow:
            heads.append(head(points if s.arrow == "end" else points[::-1], edges))
    for p in picture.plates:
        plate(canvas, p)
    for (x, y), letter in heads:
        canvas.letters.setdefault((x, y), letter)
    for d in picture.dots:
        canvas.letters.setdefault((int(d.x), int(d.y)), DOTS[d.strand])
    for n in picture.notes:
        canvas.write(int(n.x), int(n.y), clean(n.text))
    return "\n".join(canvas.rows())


def bands(text: str, width: int) -> str:
    """A text that is wider than a terminal in pieces one below the other, each from top to bottom, as music is written."""
    rows = text.split("\n")
    whole = max(map(len, rows), default=0)
    if whole <= width or width < NARROW:
        return text
    pieces = (trimmed([row[at : at + width].rstrip() for row in rows]) for at in range(0, whole, width))
    return f"\n{'· ' * (width // 2)}\n".join("\n".join(piece) for piece in pieces)


def trimmed(rows: list[str]) -> list[str]:
    """Rows without empty ones at their ends."""
    full = [k for k, row in enumerate(rows) if row]
    return rows[full[0] : full[-1] + 1] if full else []


def plate(canvas: Canvas, p: Plate) -> None:
    """A box with its label, a frame with its title, or a name."""
    x, y, w, h = int(p.x), int(p.y), int(p.width), int(p.height)
    lines = [clean(line) for line in p.lines]
    if p.kind in BARE:
        for k, line in enumerate(lines):
            canvas.write(x + (w - columns(line)) // 2, y + k, line)
        return
    if p.kind == "frame":
        canvas.line([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)])
        canvas.write(x + 2, y, f" {' '.join(lines)} ")
        return
    canvas.clear(x, y, w, h)
    canvas.line([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)])
    for k, line in enumerate(lines):
        canvas.write(x + (w + 1 - columns(line)) // 2, y + h // 2 + k, line)


def edge(p: Plate) -> list[Point]:
    """The cells of the edge of a box; a name has none."""
    if p.kind in BARE:
        return []
    x, y, w, h = int(p.x), int(p.y), int(p.width), int(p.height)
    return [*((c, r) for c in between(x, x + w) for r in (y, y + h)), *((c, r) for c in (x, x + w) for r in between(y, y + h))]


def head(points: Sequence[Point], edges: set[Point]) -> tuple[Point, str]:
    """The head of a line, in its last cell, or in the one before where it ends at the edge of a box."""
    (x, y), (px, py) = points[-1], next(p for p in reversed(points) if p != points[-1])
    dx, dy = (x > px) - (x < px), (y > py) - (y < py)
    return (x - dx, y - dy) if (x, y) in edges else (x, y), HEADS[dx, dy]


# -- curves as corners -------------------------------------------------------------------------------------------------


def turns(strokes: Sequence[Stroke]) -> dict[tuple[int, int], int]:
    """The column in which each curve between layers goes up or down: one of its own, so that no two run on each other.

    What goes down turns the earlier the lower it is, and what goes up the earlier the higher, so that few cross.
    """
    channels: dict[tuple[int, int], list[tuple[float, float, int, int]]] = {}
    for k, s in enumerate(strokes):
        at = (0.0, 0.0)
        for n, c in enumerate(s.path):
            end = (float(c[-2]), float(c[-1]))
            if c[0] == "C" and c[2] == at[1] and c[4] == end[1]:
                channels.setdefault((int(at[0]), int(end[0])), []).append((at[1], end[1], k, n))
            at = end
    found: dict[tuple[int, int], int] = {}
    for (a, b), curves in channels.items():
        down = sorted((c for c in curves if c[1] > c[0]), reverse=True)
        up = sorted(c for c in curves if c[1] < c[0])
        for place, (_, _, k, n) in enumerate([*up, *down]):
            found[k, n] = min(a + 1 + place, max(a, b - 1))
    return found


def corners(path: Sequence[Command], track: dict[int, int]) -> list[Point]:
    """The points of a path with corners in the place of curves."""
    points = list[Point]()
    for n, c in enumerate(path):
        x, y = int(float(c[-2])), int(float(c[-1]))
        if c[0] == "C" and points:
            (px, py), first, second = points[-1], c[1:3], c[3:5]
            if n in track:
                points += [(track[n], py), (track[n], y)]
            elif int(float(first[0])) == px and int(float(second[0])) == x and px != x:
                middle = (py + y) // 2
                points += [(px, middle), (x, middle)]
            else:
                points.append((x, py) if float(first[1]) == py else (px, y))
        points.append((x, y))
    return points
