"""Layout: from a scene to a picture, by passes that each do one thing.

`tower.py` gives every box on the ground its shape, `layers.py` its layer, `order.py` the order of each layer, `heights.py` its height; here
are the columns, in one row or, where that is too wide, in several (`rows.py`); `routes.py` draws the wires between them. A frame is laid
out first, as a picture of its own, and is then a shape like others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from lensgrad.draw.breaks import Moved, Span, below, breaks, edges, sources
from lensgrad.draw.heights import Extent, heights
from lensgrad.draw.layers import Grid, Key, Link, Run, grid, ranks, shared
from lensgrad.draw.order import Columns, ordered, total
from lensgrad.draw.placed import Picture, Plate, Stroke, together
from lensgrad.draw.routes import Routes
from lensgrad.draw.rows import Row, beside_row, standing_below
from lensgrad.draw.scene import Box, Scene, Wire, standing
from lensgrad.draw.style import INK, Style
from lensgrad.draw.tower import Shape, Socket, Towers

TRIES = 4  # to break a picture, each with less room than the last
LEAST = 0.6  # of the room that there is, for the last of them
SEVERAL = 3  # boxes that share what goes around others, at most
GAIN = 0.8  # of the width that a picture has in one row: what is not narrower than that in several stays in one, unless it is told
ALONE = ("input", "output", "entry", "exit", "cap")  # kinds of boxes that make no row


def layout(scene: Scene, style: Style = INK) -> Picture:
    """The picture of a scene: `width` and `height` are those of all of it, with an edge around."""
    inner = Layout(scene, replace(style, most=style.most - 2 * style.edge)).picture()
    whole = inner.moved(style.edge, style.edge)
    return replace(whole, width=inner.width + 2 * style.edge, height=inner.height + 2 * style.edge, title=scene.title)


class Layout:
    """One scene, while it is laid out."""

    def __init__(self, scene: Scene, style: Style) -> None:
        self.scene, self.style = scene, style
        above = standing(scene)
        stacked = {w.source[0] for wires in above.values() for w in wires}
        self.towers = Towers(scene, style, above, lambda box, _: framed(box, self.inner))
        self.inner = replace(style, most=style.most - self.around())
        self.ground = [b for b in scene.boxes if b.id not in stacked]
        self.shapes = {b.id: self.towers.shape(b) for b in self.ground}
        self.wires = [w for w in scene.wires if w.source[0] not in stacked]
        self.set(self.ranks())
        if self.wide > style.most:
            self.broken(self.ranks())
        elif crossed := self.crossings():
            self.around_others(crossed)

    def ranks(self, early: int = 0) -> dict[Key, int]:
        """The layer of each box: names where wires enter and leave at both ends."""
        first = {b.id for b in self.ground if b.kind == "entry"}
        last = {b.id for b in self.ground if b.kind in ("exit", "output") and not b.near}
        return ranks([b.id for b in self.ground], [(w.source[0], w.target[0]) for w in self.wires], first, last, early)

    def crossings(self) -> int:
        """How many wires cross between layers."""
        return total(self.columns, self.grid.links)

    def around_others(self, crossed: int) -> None:
        """What is shared by several boxes before others, where most crossings go by that: its wires go around what these read."""
        for early in (1, 2) if shared([(w.source[0], w.target[0]) for w in self.wires], SEVERAL) else ():
            self.set(self.ranks(early), apart=True)
            if 2 * self.crossings() < crossed and self.wide <= self.style.most:
                return
        self.set(self.ranks())

    def around(self) -> float:
        """How much room the names beside a box, and the wires to it, need at most."""
        wide = [max((self.towers.text(b) for b in self.scene.boxes if b.kind == kind), default=0.0) for kind in ("input", "output")]
        return sum(wide) + 2 * (self.style.channel + self.style.stub)

    def broken(self, rank: Mapping[Key, int]) -> None:
        """Rows in place of one that is too wide."""
        style, whole, pairs = self.style, self.rows[0].spans, [(w.source, w.target[0]) for w in self.wires]
        behind = sources(rank, pairs, {b.id for b in self.ground if b.kind in ("entry", "frame")})
        made = {target: rank[port[0]] for port, target in pairs}
        moved = Moved(behind, {b.id: rank[b.id] for b in self.ground if b.near and rank[b.id] == made[b.id] + 1})
        names = {b.id for b in self.ground if b.kind in ALONE or (b.kind == "box" and not b.on("left"))}
        here = enumerate(edges(rank, pairs, moved, names, style.few))
        passing = [replace(e, before=self.room(moved.before, k + 1), behind=self.room(moved.behind, k)) for k, e in here]
        most = style.most
        for _ in range(TRIES):  # how wide a row will be is known when it is there
            ends = breaks(whole, passing, style, most)
            self.set(*below(rank, ends, moved))
            inside = [passing[a:b] for a, b in zip((0, *(e + 1 for e in ends)), (*ends, len(whole) - 1), strict=True)]
            found = [w for edges, (_, w) in zip(inside, self.widths(), strict=True) if not all(e.whole for e in edges)]
            over = max(found, default=0.0) - style.most
            if over <= 0:
                break
            most = max(most - over, LEAST * style.most)
        if math.isfinite(style.few) and style.most < GAIN * whole[-1][1] < self.wide:
            self.set(rank)

    def room(self, moved: Mapping[Key, int], layer: int) -> float:
        """How wide what is moved out of a layer is, with the wires to it."""
        return max((self.shapes[id].width + self.style.channel for id, r in moved.items() if r == layer), default=0.0)

    def set(self, rank: Mapping[Key, int], ends: Sequence[int] = (), apart: bool = False) -> None:
        """Everything in its layer, order and height. With `ends`, rows that end and begin with these layers, in which wires only pass.

        With `apart`, wires from what reads nothing part at once, where they are few.
        """
        early = shared([(w.source[0], w.target[0]) for w in self.wires], SEVERAL) if apart else ()
        self.grid = grid(rank, [self.run(w, f" {w.target[0]}" if w.source[0] in early else "") for w in self.wires])
        self.columns = ordered(self.grid)
        self.layer = {key: k for k, column in enumerate(self.columns) for key in column}
        self.extents = self.reaches()
        last = len(self.columns) - 1
        rows = [self.row(a, b, b < last) for a, b in zip((0, *ends), (*ends, last), strict=True)]
        self.rows = standing_below(rows, self.style)
        self.homes = [[r for r in self.rows if r.first <= k <= r.last] for k in range(last + 1)]

    def run(self, wire: Wire, way: str) -> Run:
        """A wire as layers have it; what comes back too is to be straight before others."""
        leaves, enters = self.end(wire, 0).ahead, self.end(wire, 1).ahead
        return Run(*wire.source, wire.target[0], leaves, enters, 40.0 if wire.back else 1.0, way)

    def end(self, wire: Wire, which: int) -> Socket:
        """Where a wire leaves (0) or enters (1), relative to the box."""
        id, port = (wire.source, wire.target)[which]
        return self.shapes[id].sockets[port]

    def home(self, layer: int) -> tuple[Row, Row]:
        """The row that a layer is in, twice, or those that end and begin with it."""
        return self.homes[layer][0], self.homes[layer][-1]

    # -- from top to bottom ----------------------------------------------------------------------------------------
    def reaches(self) -> dict[Key, Extent]:
        """How far each box, and each place that a wire passes, reaches above and below its height."""
        found = {id: self.extent(id) for id in self.shapes}
        for wire, route in zip(self.wires, self.grid.routes, strict=True):
            far = self.towers.apart if wire.back else 0.0
            found.update({key: Extent(0.0, max(far, found[key].bottom if key in found else 0.0)) for key in route[1:-1]})
        return found

    def extent(self, id: str) -> Extent:
        """How far a shape reaches; names stand as near to each other as wires do."""
        shape, box = self.shapes[id], self.towers.boxes[id]
        if box.kind not in ("input", "output"):
            return Extent(shape.top, shape.bottom)
        half = shape.sockets[box.ports[0].name].ahead
        return Extent(half, shape.bottom - half)

    def row(self, first: int, last: int, on: bool) -> Row:
        """Some layers as a row; `on` where wires go on from its last one in a row below."""
        inner, links = self.columns[first : last + 1], self.grid.links[first:last]
        y = heights(inner, Grid(inner, links, ()), self.extents, self.style.rows)
        bottom = max((y[key] + (self.shapes[key] if key in self.shapes else self.extents[key]).bottom for key in y), default=0.0)
        passing = {key for wire, route in zip(self.wires, self.grid.routes, strict=True) if wire.back for key in route}
        ends = [(key, back) for key in inner[-1] for back in (False, True) if not back or key in passing] if on else []
        return Row(first, y, self.spans(inner, links, y), tuple(ends), bottom)

    # -- from left to right ----------------------------------------------------------------------------------------
    def spans(self, columns: Columns, links: Sequence[Sequence[Link]], heights: Mapping[Key, float]) -> list[Span]:
        """Where each of some layers begins and ends."""
        x, found = 0.0, list[Span]()
        for k, column in enumerate(columns):
            width = max((self.shapes[key].width for key in column if key in self.shapes), default=0.0)
            found.append((x, x + width))
            if k < len(links):
                rises = [abs(heights[a.source] + a.leaves - heights[a.target] - a.enters) for a in links[k]]
                x = found[-1][1] + self.style.gutter(sum(1 for r in rises if r), max(rises, default=0.0))
        return found

    def widths(self) -> list[tuple[Row, float]]:
        """How wide each row is, with the wires beside it."""
        return [(r, r.x + r.width + beside_row(r, self.style)) for r in self.rows]

    @property
    def wide(self) -> float:
        """How wide all rows are."""
        return max((w for _, w in self.widths()), default=0.0)

    def place(self, id: str) -> tuple[float, float]:
        """Where a box begins: names and corners near to what they belong to, others in the middle of their layer."""
        row, k = self.home(self.layer[id])[0], self.layer[id]
        left, right = row.span(k)
        kind = self.towers.boxes[id].kind
        share = 1.0 if kind in ("input", "corner", "exit") else 0.0 if kind in ("output", "entry") else 0.5
        return left + self.style.snap((right - left - self.shapes[id].width) * share), row.height(id)

    def picture(self) -> Picture:
        """All shapes where they belong, and the wires between them."""
        place = {id: self.place(id) for column in self.columns for id in column if id in self.shapes}
        shapes = [self.shapes[id].picture.moved(*place[id]) for id in place]
        strokes, dots = Routes(self, place).drawn()
        whole = together([Picture(strokes=tuple(strokes), dots=tuple(dots)), *shapes])
        rows = tuple(r.y for r in self.rows) if len(self.rows) > 1 else ()
        return replace(whole, width=self.wide, height=max((r.y + r.bottom for r in self.rows), default=0.0), rows=rows)


@lru_cache(512)
def framed(box: Box, style: Style) -> Shape:
    """The shape of an opened box: its inside in a frame, with sockets where the wires of its inside end.

    Equal insides are laid out once: those of a page stand in many of its pictures.
    """
    s = style
    inner = Layout(box.inside or Scene((), ()), replace(s, most=s.most - 2 * s.frame))
    picture, head = inner.picture(), s.snap(s.line + s.frame / 2)
    wide = max(picture.width, s.width(box.label, s.small) + s.frame)
    width, height = wide + 2 * s.frame, picture.height + head + 1.5 * s.frame
    plate = Plate(box.id, "frame", 0, 0, width, height, box.lines, box.tip, box.path)
    sockets, strokes = dict[str, Socket](), list[Stroke]()
    for port in box.ports:
        socket = next(iter(inner.shapes[port.name].sockets.values()))
        x, y = inner.place(port.name)
        y += head + s.frame / 2
        here = Socket(0.0 if port.side == "left" else width, y + socket.ahead, None if socket.back is None else y + socket.back)
        edges = (0.0, s.frame + x) if port.side == "left" else (s.frame + x, width)
        strokes += strands(edges[0], here, edges[1], here, bool(port.back))
        sockets[port.name] = here
    inside = picture.moved(s.frame, head + s.frame / 2).inside(box.id)
    whole = together([Picture(plates=(plate,), strokes=tuple(strokes)), inside])
    return Shape(whole, width, 0.0, height, sockets)


def strands(x: float, start: Socket, x2: float, end: Socket, back: bool) -> list[Stroke]:
    """A straight piece of a cable."""
    found = [Stroke("ahead", (("M", x, start.ahead), ("L", x2, end.ahead)))]
    if back and start.back is not None and end.back is not None:
        found.append(Stroke("back", (("M", x, start.back), ("L", x2, end.back))))
    return found
