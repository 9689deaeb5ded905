"""The wires between layers, as strokes: those that begin at one port are a tree, split where their ways part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from lensgrad.draw.layers import Grid
from lensgrad.draw.placed import Command, Dot, Stroke
from lensgrad.draw.rows import Row, bridge
from lensgrad.draw.scene import Wire
from lensgrad.draw.style import Style
from lensgrad.draw.tower import Socket, Towers

Route = tuple[str, ...]


class Laid(Protocol):
    """A scene whose boxes have their places."""

    grid: Grid
    towers: Towers
    style: Style
    wires: list[Wire]
    rows: list[Row]

    @property
    def layer(self) -> Mapping[str, int]: ...

    def end(self, wire: Wire, which: int) -> Socket: ...

    def home(self, layer: int) -> tuple[Row, Row]: ...


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a strand reaches a layer and leaves it, and its way in between where it goes on in the next row."""

    x: float
    y: float
    out: float
    height: float
    between: tuple[Command, ...] = ()


class Routes:
    """The strokes of a layout, with boxes at given places."""

    def __init__(self, layout: Laid, place: dict[str, tuple[float, float]]) -> None:
        self.layout, self.place = layout, place

    def drawn(self) -> tuple[list[Stroke], list[Dot]]:
        """All strokes and dots."""
        trees: dict[tuple[str, str], list[tuple[Wire, Route]]] = {}
        for wire, route in zip(self.layout.wires, self.layout.grid.routes, strict=True):
            trees.setdefault(wire.source, []).append((wire, route))
        strokes, dots = list[Stroke](), list[Dot]()
        for members in trees.values():
            self.tree("ahead", members, strokes, dots)
            self.tree("back", [m for m in members if m[0].back], strokes, dots)
        return strokes, dots

    def tree(self, strand: str, members: Sequence[tuple[Wire, Route]], strokes: list[Stroke], dots: list[Dot]) -> None:
        """One strand of all wires of a port."""
        done = dict[tuple[str, str], None]()
        for wire, route in members:
            stops = self.stops(wire, route, strand)
            if stops is None:
                return
            new = next((k for k in range(len(route) - 1) if (self.hop(route, k, wire)) not in done), len(route) - 1)
            path = self.path(stops, new)
            if new < len(route) - 1:
                begun = any(self.hop(r, k, w)[0] == route[new] for w, r in members for k in range(len(r) - 1) if self.hop(r, k, w) in done)
                if begun:
                    dots.append(Dot("ahead" if strand == "ahead" else "back", *self.branch(stops[new])))
                whole = new == 0 and not begun
                arrow = "end" if strand == "ahead" else "start" if whole else ""
                text = wire.ahead if strand == "ahead" else wire.back
                kind = self.layout.towers.boxes[wire.target[0]].kind
                bare = kind in ("exit", "frame") or self.bent(wire)
                start = self.layout.towers.boxes[wire.source[0]].kind in ("entry", "corner")
                arrow = "" if (bare and arrow == "end") or (start and arrow == "start") else arrow
                strokes.append(Stroke("ahead" if strand == "ahead" else "back", path, arrow, text))
            done.update(dict.fromkeys(self.hop(route, k, wire) for k in range(len(route) - 1)))

    def hop(self, route: Route, k: int, wire: Wire) -> tuple[str, str]:
        """One hop of a wire, which others may share: its last one is its own."""
        return route[k], route[k + 1] if k + 2 < len(route) else f"{route[k + 1]} {wire.target[1]}"

    def bent(self, wire: Wire) -> bool:
        """Whether a wire goes on inside a shape, where its head is."""
        return self.layout.towers.boxes[wire.target[0]].port(wire.target[1]).side == "top"

    def stops(self, wire: Wire, route: Route, strand: str) -> list[Stop] | None:
        """Where a strand reaches each layer and leaves it; nothing where one of its ends has no such strand."""
        lay, found = self.layout, list[Stop]()
        for n, key in enumerate(route):
            k = lay.layer[key]
            if 0 < n < len(route) - 1:
                found.append(self.passing(key, k, strand == "back"))
                continue
            socket = lay.end(wire, 0 if n == 0 else 1)
            height = socket.ahead if strand == "ahead" else socket.back
            if height is None:
                return None
            x, y = self.place[key]
            x += socket.x + (socket.behind if strand == "back" else 0.0)
            left, right = lay.home(k)[0].span(k)
            found.append(Stop(x, y + height, right, y + height) if n == 0 else Stop(left, y + height, x, y + height))
        return found

    def passing(self, key: str, layer: int, back: bool) -> Stop:
        """Where a strand passes through a layer, or from the end of a row to the beginning of the next."""
        above, below = self.layout.home(layer)
        far = self.layout.towers.apart if back else 0.0
        y, height = above.height(key) + far, below.height(key) + far
        left, right = above.span(layer)[0], below.span(layer)[1]
        if above is below:
            return Stop(left, y, right, height)
        return Stop(left, y, right, height, tuple(bridge(above, below, (key, back), y, height, self.layout.style)))

    def branch(self, stop: Stop) -> tuple[float, float]:
        """Where a wire leaves another one."""
        return stop.out + self.layout.style.snap(self.layout.style.stub / 2), stop.height

    def path(self, stops: Sequence[Stop], new: int) -> tuple[Command, ...]:
        """The path of a wire from the first hop that is its own."""
        stub = self.layout.style.snap(self.layout.style.stub / 2)
        first = stops[new]
        commands: list[Command] = [("M", first.out + stub, first.height) if new else ("M", first.x, first.y)]
        for a, b in pairwise(stops[new:]):
            start, end = a.out + stub, b.x - stub
            if a.height != b.y:
                middle = (start + end) / 2
                commands += [("L", start, a.height), ("C", middle, a.height, middle, b.y, end, b.y)]
            commands += [("L", b.x, b.y), *b.between] if b.between else [("L", b.out, b.y)]
        return tuple(commands)
