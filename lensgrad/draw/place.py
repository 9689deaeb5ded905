"""Layout: from a scene to a picture, by passes that each do one thing.

`tower.py` gives every box on the ground its shape, `layers.py` its layer, `order.py` the order of each layer, `heights.py` its height; here
are the columns, and the wires between them. A frame is laid out first, as a picture of its own, and is then a shape like others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from lensgrad.draw.heights import Extent, heights
from lensgrad.draw.layers import Run, grid, ranks
from lensgrad.draw.order import ordered
from lensgrad.draw.placed import Command, Dot, Picture, Plate, Stroke, together
from lensgrad.draw.scene import Box, Scene, Wire, standing
from lensgrad.draw.style import INK, Style
from lensgrad.draw.tower import Shape, Socket, Towers


def layout(scene: Scene, style: Style = INK) -> Picture:
    """The picture of a scene: `width` and `height` are those of all of it, with an edge around."""
    inner = Layout(scene, style).picture()
    whole = inner.moved(style.edge, style.edge)
    return replace(whole, width=inner.width + 2 * style.edge, height=inner.height + 2 * style.edge, title=scene.title)


class Layout:
    """One scene, while it is laid out."""

    def __init__(self, scene: Scene, style: Style) -> None:
        self.scene, self.style = scene, style
        above = standing(scene)
        stacked = {w.source[0] for wires in above.values() for w in wires}
        self.towers = Towers(scene, style, above, framed)
        self.ground = [b for b in scene.boxes if b.id not in stacked]
        self.shapes = {b.id: self.towers.shape(b) for b in self.ground}
        self.wires = [w for w in scene.wires if w.source[0] not in stacked]
        runs = [
            Run(w.source[0], w.source[1], w.target[0], self.end(w, 0).ahead, self.end(w, 1).ahead, 40.0 if w.back else 1.0)
            for w in self.wires
        ]
        first = {b.id for b in self.ground if b.kind == "entry"}
        last = {b.id for b in self.ground if b.kind in ("exit", "output") and not b.near}
        rank = ranks([b.id for b in self.ground], [(r.source, r.target) for r in runs], first, last)
        self.grid = grid(rank, runs)
        self.columns = ordered(self.grid)
        self.y = self.heights()
        self.lefts, self.rights = self.spans()

    def end(self, wire: Wire, which: int) -> Socket:
        """Where a wire leaves (0) or enters (1), relative to the box."""
        id, port = (wire.source, wire.target)[which]
        return self.shapes[id].sockets[port]

    def heights(self) -> dict[str, float]:
        """Where each box, and each place that a wire passes, begins."""
        extents = self.extents = {id: self.extent(id) for id in self.shapes}
        for wire, route in zip(self.wires, self.grid.routes, strict=True):
            far = self.towers.apart if wire.back else 0.0
            extents.update({key: Extent(0.0, far) for key in route[1:-1]})
        return heights(self.columns, self.grid, extents, self.style.rows)

    def extent(self, id: str) -> Extent:
        """How far a shape reaches; names stand as near to each other as wires do."""
        shape, box = self.shapes[id], self.towers.boxes[id]
        if box.kind not in ("input", "output"):
            return Extent(shape.top, shape.bottom)
        half = shape.sockets[box.ports[0].name].ahead
        return Extent(half, shape.bottom - half)

    # -- from left to right ----------------------------------------------------------------------------------------
    def spans(self) -> tuple[list[float], list[float]]:
        """Where each layer begins and ends."""
        x, lefts, rights = 0.0, list[float](), list[float]()
        for k, column in enumerate(self.columns):
            width = max((self.shapes[key].width for key in column if key in self.shapes), default=0.0)
            lefts.append(x)
            rights.append(x + width)
            if k < len(self.grid.links):
                rises = [abs(self.y[a.source] + a.leaves - self.y[a.target] - a.enters) for a in self.grid.links[k]]
                x = rights[-1] + self.style.gutter(sum(1 for r in rises if r), max(rises, default=0.0))
        return lefts, rights

    def left(self, id: str, k: int) -> float:
        """Where a box of a layer begins: names and corners near to what they belong to, others in the middle."""
        free = self.rights[k] - self.lefts[k] - self.shapes[id].width
        kind = self.towers.boxes[id].kind
        share = 1.0 if kind in ("input", "corner", "exit") else 0.0 if kind in ("output", "entry") else 0.5
        return self.lefts[k] + self.style.snap(free * share)

    def picture(self) -> Picture:
        """All shapes where they belong, and the wires between them."""
        place = {id: (self.left(id, k), self.y[id]) for k, column in enumerate(self.columns) for id in column if id in self.shapes}
        shapes = [self.shapes[id].picture.moved(*place[id]) for id in place]
        strokes, dots = Routes(self, place).drawn()
        bottom = max((y + self.shapes[id].bottom for id, (_, y) in place.items()), default=0.0)
        bottom = max([bottom, *(y + self.extents[key].bottom for key, y in self.y.items() if key not in place)])
        width = self.rights[-1] if self.rights else 0.0
        return replace(together([Picture(strokes=tuple(strokes), dots=tuple(dots)), *shapes]), width=width, height=bottom)


@lru_cache(512)
def framed(box: Box, style: Style) -> Shape:
    """The shape of an opened box: its inside in a frame, with sockets where the wires of its inside end.

    Equal insides are laid out once: those of a page stand in many of its pictures.
    """
    s = style
    inner = Layout(box.inside or Scene((), ()), s)
    picture, head = inner.picture(), s.snap(s.line + s.frame / 2)
    wide = max(picture.width, s.width(box.label, s.small) + s.frame)
    width, height = wide + 2 * s.frame, picture.height + head + 1.5 * s.frame
    plate = Plate(box.id, "frame", 0, 0, width, height, box.lines, box.tip, box.path)
    sockets, strokes = dict[str, Socket](), list[Stroke]()
    for port in box.ports:
        socket = next(iter(inner.shapes[port.name].sockets.values()))
        y = inner.y[port.name] + head + s.frame / 2
        here = Socket(0.0 if port.side == "left" else width, y + socket.ahead, None if socket.back is None else y + socket.back)
        edges = (0.0, s.frame) if port.side == "left" else (s.frame + picture.width, width)
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


class Routes:
    """The wires between layers: those that begin at one port are a tree, split where their ways part."""

    def __init__(self, layout: Layout, place: dict[str, tuple[float, float]]) -> None:
        self.layout, self.place = layout, place
        self.layer = {key: k for k, column in enumerate(layout.columns) for key in column}

    def drawn(self) -> tuple[list[Stroke], list[Dot]]:
        """All strokes and dots."""
        trees: dict[tuple[str, str], list[tuple[Wire, tuple[str, ...]]]] = {}
        for wire, route in zip(self.layout.wires, self.layout.grid.routes, strict=True):
            trees.setdefault(wire.source, []).append((wire, route))
        strokes, dots = list[Stroke](), list[Dot]()
        for members in trees.values():
            self.tree("ahead", members, strokes, dots)
            self.tree("back", [m for m in members if m[0].back], strokes, dots)
        return strokes, dots

    def tree(self, strand: str, members: Sequence[tuple[Wire, tuple[str, ...]]], strokes: list[Stroke], dots: list[Dot]) -> None:
        """One strand of all wires of a port."""
        done = dict[tuple[str, str], None]()
        for wire, route in members:
            points = self.points(wire, route, strand)
            if points is None:
                return
            new = next((k for k in range(len(route) - 1) if (self.hop(route, k, wire)) not in done), len(route) - 1)
            path = self.path(points, route, new)
            if new < len(route) - 1:
                begun = any(self.hop(r, k, w)[0] == route[new] for w, r in members for k in range(len(r) - 1) if self.hop(r, k, w) in done)
                if begun:
                    dots.append(Dot("ahead" if strand == "ahead" else "back", *self.branch(points, route, new)))
                whole = new == 0 and not begun
                arrow = "end" if strand == "ahead" else "start" if whole else ""
                text = wire.ahead if strand == "ahead" else wire.back
                kind = self.layout.towers.boxes[wire.target[0]].kind
                bare = kind in ("exit", "frame") or self.bent(wire)
                start = self.layout.towers.boxes[wire.source[0]].kind in ("entry", "corner")
                arrow = "" if (bare and arrow == "end") or (start and arrow == "start") else arrow
                strokes.append(Stroke("ahead" if strand == "ahead" else "back", path, arrow, text))
            done.update(dict.fromkeys(self.hop(route, k, wire) for k in range(len(route) - 1)))

    def hop(self, route: tuple[str, ...], k: int, wire: Wire) -> tuple[str, str]:
        """One hop of a wire, which others may share: its last one is its own."""
        return route[k], route[k + 1] if k + 2 < len(route) else f"{route[k + 1]} {wire.target[1]}"

    def bent(self, wire: Wire) -> bool:
        """Whether a wire goes on inside a shape, where its head is."""
        return self.layout.towers.boxes[wire.target[0]].port(wire.target[1]).side == "top"

    def points(self, wire: Wire, route: tuple[str, ...], strand: str) -> list[tuple[float, float, float]] | None:
        """Where a strand enters and leaves each layer: (x, x, y); nothing where one of its ends has no such strand."""
        lay, found = self.layout, list[tuple[float, float, float]]()
        for n, key in enumerate(route):
            k = self.layer[key]
            if 0 < n < len(route) - 1:
                y = lay.y[key] + (lay.towers.apart if strand == "back" else 0.0)
                found.append((lay.lefts[k], lay.rights[k], y))
                continue
            socket = lay.end(wire, 0 if n == 0 else 1)
            height = socket.ahead if strand == "ahead" else socket.back
            if height is None:
                return None
            x, y = self.place[key]
            x += socket.behind if strand == "back" else 0.0
            edge = lay.rights[k] if n == 0 else lay.lefts[k]
            found.append((x + socket.x, edge, y + height) if n == 0 else (edge, x + socket.x, y + height))
        return found

    def branch(self, points: Sequence[tuple[float, float, float]], route: tuple[str, ...], k: int) -> tuple[float, float]:
        """Where a wire leaves another one."""
        return points[k][1] + self.layout.style.snap(self.layout.style.stub / 2), points[k][2]

    def path(self, points: Sequence[tuple[float, float, float]], route: tuple[str, ...], new: int) -> tuple[Command, ...]:
        """The path of a wire from the first hop that is its own."""
        stub = self.layout.style.snap(self.layout.style.stub / 2)
        x, edge, y = points[new]
        commands: list[Command] = [("M", edge + stub if new else x, y)] if new else [("M", x, y)]
        for (_, right, y), (left, on, y2) in zip(points[new:], points[new + 1 :], strict=False):
            a, b = right + stub, left - stub
            if y != y2:
                middle = (a + b) / 2
                commands += [("L", a, y), ("C", middle, y, middle, y2, b, y2)]
            commands.append(("L", on, y2))
        return tuple(commands)
