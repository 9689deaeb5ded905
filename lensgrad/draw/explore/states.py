"""The pictures of a page: one for each set of boxes that are open, as far as a file has room.

A picture is placed by the same layout as every other, in Python: the page moves nothing. What comes first is kept first: all boxes
closed; each box alone, with those around it; all boxes to one level, two, and deeper; and after these two boxes, three, … together. The
count of boxes in all pictures, and their bytes, are bounded, so that a large model has a file too, with fewer sets in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from lensgrad.draw.build import Builder
from lensgrad.draw.explore.facts import Fact, facts, plates
from lensgrad.draw.net import Opens, Path
from lensgrad.draw.place import layout
from lensgrad.draw.placed import Picture
from lensgrad.draw.scene import Scene, count
from lensgrad.draw.style import Style
from lensgrad.draw.subject import Subject, builders

LARGEST = 3000  # boxes of one picture
TOGETHER = 4  # boxes that are open at once, beside those of whole levels and those around them
Set = frozenset[Path]


class Only(Opens):
    """Just these boxes are opened."""

    def __init__(self, paths: Set) -> None:
        super().__init__()
        object.__setattr__(self, "paths", paths)
        self.paths: Set

    __slots__ = ("paths",)

    def __call__(self, path: Path) -> bool:
        return path in self.paths


@dataclass(frozen=True, slots=True)
class State:
    """A picture with what is open in it: by the id of a plate, which box it is, and what there is to say of it."""

    opened: Set
    picture: Picture
    boxes: dict[str, Path]
    facts: dict[str, tuple[Fact, ...]]


@dataclass(frozen=True)
class Asked:
    """What is drawn, and how."""

    subject: Subject
    view: str | None
    states: bool
    style: Style

    @cached_property
    def built(self) -> Callable[[Opens], Builder]:
        """What builds a scene with some boxes open."""
        return builders(self.subject, self.view, self.states)

    @cached_property
    def scenes(self) -> dict[Set, tuple[Builder, Scene]]:
        """The largest scenes, which are asked for twice."""
        return {}

    def scene(self, opened: Set) -> tuple[Builder, Scene]:
        """The scene with these boxes open, and what knows its steps."""
        if opened in self.scenes:
            return self.scenes[opened]
        built = self.built(Only(opened))
        return built, built.scene()

    def state(self, opened: Set) -> State:
        """The picture with these boxes open."""
        built, scene = self.scene(opened)
        opens = {id: s[0].opens for id, s in built.shown.items() if len(s) == 1 and s[0].opens}
        frames = {"/" + "/".join(path): path for path in opened}
        boxes = {id: path for id, box in plates(scene) if (path := frames.get(box.id) if box.kind == "frame" else opens.get(id))}
        return State(opened, layout(scene, self.style), boxes, facts(built, scene))

    def levels(self) -> list[Set]:
        """The boxes of the first level, of the first two, …, while one picture holds them."""
        found, deepest = list[Set](), frozenset[Path]()
        while True:
            built, scene = self.scenes[deepest] = self.scene(deepest)
            more = deepest | {s.opens for steps in built.shown.values() for s in steps if s.opens}
            if count(scene)[0] > LARGEST:
                return found[:-1]
            if more == deepest:
                return found
            found.append(more)
            deepest = more


def wanted(levels: list[Set]) -> Iterator[Set]:
    """The sets of open boxes in the order in which they are kept, each once."""
    every = sorted(levels[-1], key=lambda path: (len(path), path)) if levels else []
    alone = [around(path) for path in every]
    yield from dict.fromkeys([frozenset[Path](), *levels[:1], *alone, *levels[1:], *without(levels[:1])])
    seen = {frozenset[Path](), *levels, *alone, *without(levels[:1])}
    for size in range(2, TOGETHER + 1):
        for some in combinations(alone, size):
            made = frozenset[Path]().union(*some)
            if made not in seen:
                seen.add(made)
                yield made


def around(path: Path) -> Set:
    """A box and those around it."""
    return frozenset(path[:k] for k in range(1, len(path) + 1))


def without(levels: list[Set]) -> list[Set]:
    """All boxes of a level but one."""
    return [level - {path} for level in levels for path in sorted(level)]
