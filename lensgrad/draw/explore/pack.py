"""Pictures and records as short plain data: what pictures share stands once, and each says its number and its place.

What is inside a frame is laid out on its own, so most boxes and strands of a picture are those of another one, elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from lensgrad.core.checks import clean
from lensgrad.draw.explore.states import Asked, State, wanted
from lensgrad.draw.placed import Command, Plate, Stroke, trimmed
from lensgrad.draw.svg import HEAD

MOST_BYTES = 600_000  # of pictures
MOST_BOXES = 12_000  # in all pictures
MOST_PICTURES = 120
MOST_NUMBERS = 24_000  # of records
STRANDS = ("ahead", "back", "read")
SHORT = 0.95  # the share of a last piece that a head covers where the piece is shorter than its half; the rest says where the head points


class Figures(Protocol):
    """Figures of one wire at one step."""

    @property
    def figures(self) -> tuple[float, float, float, float, float, int]: ...

    @property
    def counts(self) -> tuple[int, ...]: ...


class Recorded(Protocol):
    """What passed on wires at one step."""

    @property
    def step(self) -> int: ...

    @property
    def epoch(self) -> int: ...

    @property
    def forward(self) -> Sequence[tuple[str, Figures]]: ...

    @property
    def back(self) -> Sequence[tuple[str, Figures]]: ...


class Packer:
    """Pictures that are being packed."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        self.given: dict[str, int] = {}  # the numbers of texts as they came
        self.told: dict[Hashable, int] = {}
        self.shapes: dict[Hashable, int] = {}
        self.pictures: list[Any] = []
        self.bytes = self.boxes = 0

    def text(self, text: str) -> int:
        """The number of a text, whose lines hold nothing that steers."""
        if text not in self.given:
            self.given[text] = self.texts.setdefault("\n".join(clean(line) for line in text.split("\n")), len(self.texts))
        return self.given[text]

    def add(self, state: State) -> None:
        """One more picture."""
        p = state.picture
        before = len(self.shapes)
        made = {
            "open": sorted(self.text("/".join(path)) for path in state.opened),
            "size": [short(p.width), short(p.height)],
            "plates": [self.placed(self.plate(x, state), x.x, x.y) for x in p.plates],
            "strokes": [self.placed(self.stroke(s), *start(s)) for s in p.strokes],
            "dots": [[STRANDS.index(d.strand), short(d.x), short(d.y)] for d in p.dots],
            "notes": [[self.text(n.text), short(n.x), short(n.y + n.height - 3)] for n in p.notes],
        }
        self.pictures.append(made)
        self.bytes += len(json.dumps(made, separators=(",", ":"))) + 60 * (len(self.shapes) - before)
        self.boxes += len(p.plates)

    def holds(self, state: State) -> bool:
        """Whether there is room for one more picture."""
        more = len(state.picture.plates)
        return self.bytes + 60 * more <= MOST_BYTES and self.boxes + more <= MOST_BOXES and len(self.pictures) < MOST_PICTURES

    def placed(self, shape: Hashable, x: float, y: float) -> list[Any]:
        """A shape, by its number, at a place."""
        return [self.shapes.setdefault(shape, len(self.shapes)), short(x), short(y)]

    def plate(self, p: Plate, state: State) -> Hashable:
        """Kind, size, label, title, path, facts and the box that it is, -1 where it is none that opens; and its pass."""
        facts = tuple((self.text(what), self.text(said)) for what, said in state.facts.get(p.id, ()))
        box = state.boxes.get(p.id)
        return (
            self.text(p.kind), short(p.width), short(p.height), tuple(self.text(t) for t in p.lines), self.text(p.tip),
            self.text("/".join(p.path)), self.told.setdefault(facts, len(self.told)), -1 if box is None else self.text("/".join(box)),
            self.text(p.part),
        )  # fmt: skip

    def stroke(self, s: Stroke) -> Hashable:
        """Strand, head, title and path, from its start."""
        return STRANDS.index(s.strand), ("", "start", "end").index(s.arrow), self.text(s.tip), path(trimmed(s, HEAD / 2, SHORT), *start(s))


def start(s: Stroke) -> tuple[float, float]:
    """Where a stroke begins."""
    return float(s.path[0][1]), float(s.path[0][2])


@lru_cache(1 << 16)
def short(x: float) -> float | int:
    """A length with at most one decimal."""
    rounded = round(float(x), 1)
    return int(rounded) if rounded == int(rounded) else rounded


@lru_cache(1 << 16)
def written(x: float) -> str:
    """A length with at most one decimal, as text."""
    return str(short(x))


def path(commands: Sequence[Command], x: float, y: float) -> str:
    """A path as SVG writes it, seen from a place."""
    ends = x, y, x, y, x, y
    return "".join([c[0] + " ".join([written(float(v) - o) for v, o in zip(c[1:], ends, strict=False)]) for c in commands])  # pyright: ignore


def pictures(asked: Asked) -> dict[str, Any]:
    """The pictures of what is asked for, as far as there is room; the first, with all boxes closed, is always there."""
    packer, full = Packer(), True
    for opened in wanted(asked.levels()):
        state = asked.state(opened)
        if packer.pictures and not packer.holds(state):
            full = False
            break
        packer.add(state)
    shared = {"texts": [*packer.texts], "facts": [*packer.told], "shapes": [*packer.shapes]}
    return {**shared, "pictures": packer.pictures, "full": full}


def history(reports: Sequence[Mapping[str, float]]) -> dict[str, list[float | None]]:
    """The curves of a run, by name; what an epoch did not report, or is not finite, is None."""
    names = dict.fromkeys(n for r in reports for n in r)
    return {clean(n): [figure(r.get(n)) for r in reports] for n in names}


def records(given: Sequence[Recorded]) -> dict[str, Any]:
    """Records of a run, every second, third, … of them where all are too many for a page."""
    size = sum(len(s.counts) + 6 for r in given for group in (r.forward, r.back) for _, s in group)
    each = max(1, -(-size // MOST_NUMBERS))
    kept = given[::each]
    wires = [*dict.fromkeys(n for r in kept for group in (r.forward, r.back) for n, _ in group)]
    steps = [[r.step, r.epoch, *(told(dict(group), wires) for group in (r.forward, r.back))] for r in kept]
    return {"wires": [clean(n) for n in wires], "steps": steps, "each": each}


def told(group: Mapping[str, Figures], wires: Sequence[str]) -> list[Any]:
    """The figures of each wire, None where there are none."""
    return [None if n not in group else [*map(figure, group[n].figures), [*group[n].counts]] for n in wires]


def figure(x: float | None) -> float | None:
    """A number with four digits; None for none and for what is not finite."""
    value = None if x is None else float(f"{x:.4g}")
    return value if value is not None and abs(value) < float("inf") else None


__all__ = ["history", "pictures", "records"]
