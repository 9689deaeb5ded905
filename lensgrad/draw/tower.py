"""The shapes of boxes: a box with what stands on it, as a picture with ends where wires from other boxes meet it.

The box on the ground begins at height 0; what stands on it lies above, at negative heights. All wires inside a shape run up and down, so
that those between shapes, which run from left to right, have the space between layers for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lensgrad.draw.labels import short
from lensgrad.draw.placed import Note, Picture, Plate, Strand, Stroke, together
from lensgrad.draw.scene import Box, Port, Scene, Wire
from lensgrad.draw.style import Style

Feet = tuple[float, float | None]  # where the strands ahead and back of a cable stand


@dataclass(frozen=True, slots=True)
class Socket:
    """Where a wire meets a shape: how far from its left edge, and at which heights its strands are; `behind` where the one back is
    so much farther from the middle than the other."""

    x: float
    ahead: float
    back: float | None
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A picture from `top` (0 or above, which is negative) to `bottom`, so wide, with sockets by the names of ports."""

    picture: Picture
    width: float
    top: float
    bottom: float
    sockets: dict[str, Socket]


@dataclass(frozen=True, slots=True)
class Tree:
    """What stands on a box, above height 0: its width, how high it is, where its cable comes out below, and between which places it may."""

    picture: Picture
    width: float
    height: float
    feet: Feet
    span: tuple[float, float] = (0.0, -1.0)
    types: tuple[str, str] = ("", "")


def down(x: float, start: float, x2: float, end: float) -> tuple[tuple[str | float, ...], ...]:
    """A path down, straight or with a bend."""
    if x == x2:
        return (("M", x, start), ("L", x, end))
    middle = (start + end) / 2
    return (("M", x, start), ("C", x, middle, x2, middle, x2, end))


def cable(feet: Feet, start: float, end: float, types: tuple[str, str]) -> list[Stroke]:
    """The strands of a cable straight down to a box: the one ahead goes down, the other comes up."""
    strands: list[tuple[Strand, float | None, str, str]] = [("ahead", feet[0], "end", types[0]), ("back", feet[1], "start", types[1])]
    return [Stroke(strand, down(x, start, x, end), arrow, tip) for strand, x, arrow, tip in strands if x is not None]


class Towers:
    """The shapes of the boxes of a scene."""

    def __init__(self, scene: Scene, style: Style, standing: dict[str, list[Wire]], framed: Callable[[Box, Style], Shape]) -> None:
        self.scene, self.style, self.standing, self.framed = scene, style, standing, framed
        self.boxes = {b.id: b for b in scene.boxes}

    # -- sizes -----------------------------------------------------------------------------------------------------
    def text(self, box: Box) -> float:
        """The width of a label."""
        size = self.style.small if box.kind in ("parameter", "input", "output") else self.style.font
        lines = (*box.lines, box.reverse) if box.reverse else box.lines
        return max((self.style.width(t, size) for t in lines), default=0.0)

    @property
    def apart(self) -> float:
        """How far the strands of a cable are apart."""
        return self.single + self.style.drop if self.scene.apart else self.style.gap

    @property
    def single(self) -> float:
        """The height of a box with a line of text."""
        return self.style.block(1) + 2 * self.style.margin

    # -- what stands above -----------------------------------------------------------------------------------------
    def tree(self, box: Box, flip: bool = False) -> Tree:
        """A parameter, or a box of parameters, with what stands on it."""
        s, out = self.style, box.ports[-1]
        if box.kind == "parameter":
            width, height = max(self.text(box), 1.0), s.line * len(box.lines)
            plate = Plate(box.id, box.kind, 0, -height, width, height, box.lines, box.tip, box.path)
            return self.told(Tree(Picture(plates=(plate,)), width, height, self.feet(width / 2, out, flip)), out, box.label)
        row = self.row(box)
        inner, height = max(self.text(box), row.span) + 2 * s.pad, self.single
        left, shift = self.centered(inner, row)
        plate = Plate(box.id, box.kind, left, -height, inner, height, box.lines, box.tip, box.path)
        above = row.picture.moved(shift, -height - row.link)
        links = row.links(shift, -height - row.link, -height)
        picture = together([above, Picture(plates=(plate,), strokes=tuple(links))])
        width = max(left + inner, shift + row.width)
        span = left + s.pad / 2, left + inner - s.pad / 2
        return self.told(Tree(picture, width, height + row.link + row.height, self.feet(left + inner / 2, out, flip), span), out)

    def told(self, tree: Tree, port: Port, label: str = "") -> Tree:
        """The tree with the types of its cable beside it, where types are shown and a label does not say them already."""
        s, (a, b), tree = self.style, tree.feet, replace(tree, types=(port.ahead, port.back))
        if not s.types or self.scene.apart or (b is not None and a > b):  # a corner says them to the right
            return tree
        ahead, back = ("" if text == label else short(text) for text in (port.ahead, port.back))
        left, right = ("", ahead) if b is None else (ahead, back)
        low, high = a, a if b is None else b
        wide, far = s.width(left, s.small) + s.stub / 2, s.width(right, s.small) + s.stub / 2
        dx, y = max(0.0, wide - low), s.snap((s.link - s.line) / 2)
        notes = [
            Note(text, x, y, s.width(text, s.small), s.line - 2)
            for text, x in ((left, dx + low - wide), (right, dx + high + s.stub / 2))
            if text
        ]
        picture = together([tree.picture.moved(dx, 0), Picture(notes=tuple(notes))])
        feet, span = (a + dx, None if b is None else b + dx), (tree.span[0] + dx, tree.span[1] + dx)
        return replace(tree, picture=picture, width=max(dx + tree.width, dx + high + far), feet=feet, span=span)

    def feet(self, x: float, port: Port, flip: bool) -> Feet:
        """The strands of a cable around a place; flipped for one that turns a corner."""
        if not port.back:
            return self.style.snap(x), None
        half = (self.style.across - 1) / 2 if self.style.cells else self.style.across / 2
        a, b = self.style.snap(x - half), self.style.snap(x + half)
        return (b, a) if flip else (a, b)

    def row(self, box: Box, flip: bool = False) -> Row:
        """All that stands on a box, side by side."""
        trees, x = list[tuple[float, Tree]](), 0.0
        wires = self.standing.get(box.id, [])
        for w in sorted(wires, key=lambda w: bool(w.back)) if box.reverse else wires:  # what comes back has its lane on the right
            tree = self.tree(self.boxes[w.source[0]], flip)
            trees.append((x, tree))
            x += tree.width + self.style.side
        return Row(trees, max(0.0, x - self.style.side), self.style)

    def centered(self, inner: float, row: Row) -> tuple[float, float]:
        """Where a box and the row above it begin, with the box below the middle of the feet."""
        left = self.style.snap(row.middle - inner / 2) if row.trees else 0.0
        return max(0.0, left), max(0.0, -left)

    # -- the box on the ground -------------------------------------------------------------------------------------
    def shape(self, box: Box) -> Shape:
        """A box with all that stands on it."""
        if box.kind == "frame":
            return self.framed(box, self.style)
        if box.kind in ("input", "output", "entry", "exit"):
            return self.end(box)
        if box.kind == "corner":
            return self.corner(box)
        return self.pair(box) if box.reverse else self.plain(box)

    def heights(self, ports: Sequence[Port], single: bool) -> tuple[list[float], float]:
        """The heights of the strands ahead of ports one below the other, and of all of them."""
        found, y = list[float](), 0.0
        for p in ports:
            found.append(y)
            y += self.style.between + (self.apart if p.back and not single else 0)
        return found, max(0.0, y - self.style.between)

    def body(self, box: Box, single: bool) -> tuple[float, list[tuple[Port, float]]]:
        """The height of a box, and its ports left and right with their heights on it."""
        s, found = self.style, list[tuple[Port, float]]()
        sides = [(box.on(side), *self.heights(box.on(side), single)) for side in ("left", "right")]
        inner = max(s.block(len(box.lines)), *(total for _, _, total in sides))
        for ports, heights, total in sides:
            first = s.margin + s.snap((inner - total) / 2)
            found += [(p, first + y) for p, y in zip(ports, heights, strict=True)]
        return inner + 2 * s.margin, found

    def plain(self, box: Box) -> Shape:
        """A box of one piece: the strands of a cable side by side."""
        s, row = self.style, self.row(box)
        height, ports = self.body(box, single=False)
        turning = self.turning(box)
        lead = s.across * len(turning) * 2
        inner = max(self.text(box), row.span + lead) + 2 * s.pad
        left, shift = self.centered(inner, row)
        plate = Plate(box.id, box.kind, left, 0, inner, height, box.lines, box.tip, box.path)
        sockets = {p.name: Socket(left if p.side == "left" else left + inner, y, y + self.apart if p.back else None) for p, y in ports}
        bends, more, high = self.bends(turning, left + s.snap(s.across / 2))
        link = max(row.link, high)
        strokes = (*row.links(shift, -link, 0), *bends)
        picture = together([row.picture.moved(shift, -link), Picture(plates=(plate,), strokes=strokes)])
        width = max(left + inner, shift + row.width)
        return self.noted(box, Shape(picture, width, -(link + row.height), height, {**sockets, **more}))

    def turning(self, box: Box) -> list[Port]:
        """The ports on top of a box whose wires come from the left."""
        taken = {w.target[1] for w in self.standing.get(box.id, [])}
        return [p for p in box.on("top") if p.name not in taken]

    def bends(self, ports: Sequence[Port], x: float) -> tuple[list[Stroke], dict[str, Socket], float]:
        """Wires from the left that turn down into a box from above: the first the nearest, each above the last."""
        s, y, strokes, sockets = self.style, -self.style.bend, list[Stroke](), dict[str, Socket]()
        for p in ports:
            back = y if p.back else None
            if back is not None:
                strokes.append(Stroke("back", turned(0, back, x, 0), "", p.back))
                x, y = x + s.snap(s.across * 0.75), y - s.snap(s.across * 0.75)
            strokes.append(Stroke("ahead", turned(0, y, x, 0), "end", p.ahead))
            sockets[p.name] = Socket(0, y, back)
            x, y = x + s.across, y - s.across
        return strokes, sockets, -y if ports else 0.0

    def end(self, box: Box) -> Shape:
        """A name at the end of a wire, or nothing where it enters or leaves a frame."""
        s, port = self.style, box.ports[0]
        width = self.text(box) + (s.snap(s.stub / 2) if box.lines else 0)
        half = s.snap(s.block(1) / 2)
        back = half + self.apart if port.back else None
        start = 0.0 if box.kind == "input" else s.snap(s.stub / 2)
        if s.types and box.kind == "output" and box.lines == (port.ahead,):
            return self.noted(
                box, Shape(Picture(), s.stub, 0, s.block(1), {port.name: Socket(0.0, half, half + self.apart if port.back else None)})
            )
        plates = (Plate(box.id, box.kind, start, 0, self.text(box), s.line, box.lines, box.tip),)
        x = width if box.kind in ("input", "entry") else 0.0
        bottom = s.block(1) if back is None else back + half
        picture = Picture(plates=plates if box.lines else ())
        return self.noted(box, Shape(picture, width, 0, bottom, {port.name: Socket(x, half, back)}))

    def corner(self, box: Box) -> Shape:
        """A parameter that turns to the right."""
        s, row = self.style, self.row(box, flip=True)
        port = box.on("right")[0]
        _, tree = row.trees[0]
        a, b = tree.feet
        turn = s.snap(s.across)
        back = None if b is None else self.apart
        right = max(row.width, a + turn)
        strokes = [Stroke("ahead", turned(a, -row.link, right, 0, True), "", port.ahead)]
        if b is not None and back is not None:
            strokes.append(Stroke("back", turned(b, -row.link, right, back, True), "start", port.back))
        picture = together([row.picture.moved(0, -row.link), Picture(strokes=tuple(strokes))])
        shape = Shape(picture, right, -row.link - row.height, back or 0.0, {port.name: Socket(right, 0, back)})
        return self.noted(box, shape)

    def pair(self, box: Box) -> Shape:
        """A box as two: the way forward above, the way back below, and what it reads dropping from one to the other."""
        s, row = self.style, self.row(box)
        height, ports = self.body(box, single=True)
        turning = self.turning(box)
        lanes = [t for _, t in row.trees if t.feet[1] is not None]
        first = s.across * sum(1 for p in turning if p.back)
        upper = max(self.text(box), row.span_ahead + s.across * len(turning)) + 2 * s.pad
        lower = first + upper + s.across * len(lanes)
        left, shift = self.centered(lower, row)
        top = height + s.drop
        part = dict(path=box.path, tip=box.tip)
        plates = (
            Plate(box.id, box.kind, left + first, 0, upper, height, box.lines, part="get", **part),  # pyright: ignore[reportArgumentType]
            Plate(box.id, box.kind, left, top, lower, height, (box.reverse,), part="put", **part),  # pyright: ignore[reportArgumentType]
        )
        after = s.across * len(lanes)
        sockets = {
            p.name: Socket(left + first, y, y + top if p.back else None, -first)
            if p.side == "left"
            else Socket(left + first + upper, y, y + top if p.back else None, after)
            for p, y in ports
        }
        edge = left + first + upper
        bends, more, high = self.hanging(turning, left, left + first, top)
        link = max(row.link, high)
        strokes = [*self.lanes(row, shift, link, (left + first, edge), top), *self.reads(box, left + first, upper, height, top)]
        picture = together([row.picture.moved(shift, -link), Picture(plates=plates, strokes=(*strokes, *bends))])
        width = max(left + lower, shift + row.width)
        return self.noted(box, Shape(picture, width, -(link + row.height), top + height, {**sockets, **more}))

    def lanes(self, row: Row, shift: float, link: float, edges: tuple[float, float], top: float) -> list[Stroke]:
        """The cables from what stands on a pair: ahead into the upper box, back from the lower one along its side."""
        strokes, half = list[Stroke](), self.style.snap(self.style.across / 2)
        lane, alone = edges[1] + half, len(row.trees) == 1
        for x, tree in row.trees:
            (a, b), span = tree.feet, (tree.span[0] + x + shift, tree.span[1] + x + shift)
            start = x + a + shift
            if alone and span[0] <= sum(edges) / 2 <= span[1]:
                start = self.style.snap(sum(edges) / 2)
            strokes.append(Stroke("ahead", down(start, -link, min(start, edges[1] - half), 0), "end", tree.types[0]))
            if b is not None:
                begin = lane if span[0] <= lane <= span[1] else x + b + shift
                strokes.append(Stroke("back", (*down(begin, -link, lane, 0), ("L", lane, top)), "start", tree.types[1]))
                lane += self.style.across
        return strokes

    def hanging(self, ports: Sequence[Port], start: float, left: float, top: float) -> tuple[list[Stroke], dict[str, Socket], float]:
        """Wires from the left into the upper box from above, and those that come back from the lower one beside it."""
        s, half = self.style, self.style.snap(self.style.across / 2)
        y, x, lane = -s.bend, left + half, left - half
        strokes, sockets = list[Stroke](), dict[str, Socket]()
        for p in ports:
            back = y if p.back else None
            if back is not None:
                strokes.append(Stroke("back", turned(0, back, lane, top), "", p.back))
                lane, y = lane - s.across, y - s.snap(s.across * 0.75)
            strokes.append(Stroke("ahead", turned(0, y, x, 0), "end", p.ahead))
            sockets[p.name] = Socket(0, y, back)
            x, y = x + s.across, y - s.across
        return strokes, sockets, -y if ports else 0.0

    def reads(self, box: Box, left: float, width: float, height: float, top: float) -> list[Stroke]:
        """What the way back reads of the way forward."""
        shown = box.reads[:3]
        places = [self.style.snap(left + width * (k + 1) / (len(shown) + 1)) for k in range(len(shown))]
        return [Stroke("read", (("M", x, height), ("L", x, top)), "end", text) for x, text in zip(places, shown, strict=True)]

    def noted(self, box: Box, shape: Shape) -> Shape:
        """The shape with types above the wires that leave it, and room for them."""
        s = self.style
        notes = list[Note]()
        for p in box.on("right"):
            at = shape.sockets[p.name]
            for text, y in ((p.ahead, at.ahead), (p.back, at.back)):
                if s.types and text and y is not None and (text,) != box.lines:
                    notes.append(Note(text, at.x + max(at.behind, 0.0) + s.stub / 2, y - s.line, s.width(text, s.small), s.line - 2))
        if not notes:
            return shape
        right = max(n.x + n.width for n in notes) + s.stub / 2
        top = min(shape.top, *(n.y for n in notes))
        return Shape(together([shape.picture, Picture(notes=tuple(notes))]), max(shape.width, right), top, shape.bottom, shape.sockets)


class Row:
    """Trees side by side, and how they are joined to a box below."""

    def __init__(self, trees: list[tuple[float, Tree]], width: float, style: Style) -> None:
        self.trees, self.width = trees, width
        self.height = max((t.height for _, t in trees), default=0.0)
        self.link = style.link if trees else 0.0
        self.picture = together(t.picture.moved(x, 0) for x, t in trees)
        self.strands = [x + f for x, t in trees for f in t.feet if f is not None]
        self.span = max(self.strands) - min(self.strands) if trees else 0.0
        ahead = [x + t.feet[0] for x, t in trees]
        self.span_ahead = max(ahead) - min(ahead) if trees else 0.0
        self.middle = (max(self.strands) + min(self.strands)) / 2 if trees else 0.0

    def links(self, shift: float, start: float, end: float) -> list[Stroke]:
        """The cables, straight down."""
        found = list[Stroke]()
        for x, tree in self.trees:
            a, b = tree.feet
            feet = a + x + shift, None if b is None else b + x + shift
            found += cable(feet, start, end, tree.types)
        return found


def turned(x: float, y: float, x2: float, y2: float, below: bool = False) -> tuple[tuple[str | float, ...], ...]:
    """A path with one rounded corner: across and then down, or (`below`) down and then across."""
    r = min(12.0, abs(x2 - x), abs(y2 - y))
    if below:
        return (("M", x, y), ("L", x, y2 - r), ("C", x, y2 - r * 0.45, x + r * 0.55, y2, x + r, y2), ("L", x2, y2))
    return (("M", x, y), ("L", x2 - r, y), ("C", x2 - r * 0.45, y, x2, y + r * 0.55, x2, y + r), ("L", x2, y2))
