"""Pictures without places: boxes with ports, and wires between ports.

A `Scene` says what is in a picture and how it hangs together; `place.py` gives it places. It is immutable, and `as_dict()` is plain data
(dicts, lists, texts, truth values) for other programs: every box has an `id` that is unique in its scene, a `path` of the definitions
that were opened around it, and ports, each on a side of the box; a port, and a wire, has the type of what flows `ahead` and of what
comes `back`, "" where nothing does. An opened definition is a box of kind `frame` whose `inside` is a scene; in that scene, boxes of kind
`entry` and `exit` have as `id` the name of the frame's port that they are.

Kinds of boxes: `box` (one way), `lens` (two ways), `optimizer`, `cap` (answers what it is given), `corner` (a parameter that turns into
an input), `parameter`, `input` and `output` (names at ends of wires), `frame`, `entry`, `exit`.

A wire from a port at the bottom of a box to a port on top of another says that the first stands on the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Side = Literal["left", "right", "top", "bottom"]
Kind = Literal["box", "lens", "optimizer", "cap", "corner", "parameter", "input", "output", "frame", "entry", "exit"]
Address = tuple[str, str]  # the id of a box, and the name of one of its ports


@dataclass(frozen=True, slots=True)
class Port:
    """Where wires meet a box."""

    name: str
    side: Side
    ahead: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A box, or what stands at the end of a wire. `lines` is its label; `reverse` and `reads` say, where a picture shows both passes
    apart, what its way back is called and what that reads of the way forward. `near` is an output that stands behind what makes it,
    and not at the right end."""

    id: str
    kind: Kind
    lines: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    tip: str = ""
    path: tuple[str, ...] = ()
    inside: Scene | None = None
    reverse: str = ""
    reads: tuple[str, ...] = ()
    near: bool = False

    @property
    def label(self) -> str:
        """Its label on one line."""
        return " ".join(self.lines)

    def on(self, side: Side) -> tuple[Port, ...]:
        """The ports of a side, in order."""
        return tuple(p for p in self.ports if p.side == side)

    def port(self, name: str) -> Port:
        """A port by its name."""
        return next(p for p in self.ports if p.name == name)


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire from a port to a port. Several may begin at one port: what flows ahead is copied there, and what comes back is added."""

    source: Address
    target: Address
    ahead: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Boxes and wires; `apart` where each box that goes both ways is drawn as two, one for each pass."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    title: str = ""
    apart: bool = False

    def box(self, id: str) -> Box:
        """A box by its id."""
        return next(b for b in self.boxes if b.id == id)

    def as_dict(self) -> dict[str, Any]:
        """The scene as plain data."""
        return asdict(self)


def standing(scene: Scene) -> dict[str, list[Wire]]:
    """For each box the wires from what stands on it, in the order of its ports."""
    sides = {(b.id, p.name): p.side for b in scene.boxes for p in b.ports}
    order = {(b.id, p.name): k for b in scene.boxes for k, p in enumerate(b.ports)}
    found: dict[str, list[Wire]] = {}
    for w in scene.wires:
        if sides[w.source] == "bottom":
            found.setdefault(w.target[0], []).append(w)
    return {id: sorted(wires, key=lambda w: order[w.target]) for id, wires in found.items()}


def titled(scene: Scene, title: str) -> Scene:
    """The scene with a title."""
    return replace(scene, title=title)


def count(scene: Scene) -> tuple[int, int]:
    """How many boxes and wires there are, with those inside frames."""
    inner: Sequence[tuple[int, int]] = [count(b.inside) for b in scene.boxes if b.inside is not None]
    return len(scene.boxes) + sum(b for b, _ in inner), len(scene.wires) + sum(w for _, w in inner)
