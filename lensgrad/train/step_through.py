"""A training step for teachers: get and put one box at a time, with the numbers on every wire."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.backends.engine import Backend
from lensgrad.backends.engine import backend as engine
from lensgrad.core import checks
from lensgrad.core.diagram import flatten
from lensgrad.core.errors import BadValue, OutOfRange
from lensgrad.core.printed import clean, counted, printable
from lensgrad.data.arrays import count
from lensgrad.data.source import Data
from lensgrad.program.taps import TASK, Box, Numbers, Tapped, snake
from lensgrad.train.record import Record
from lensgrad.train.wires import numbers_of, rows_of

SHOWN = 6  # numbers of an array that a line tells
Line = tuple[str, str, str, str]  # what it is for, the name of a wire, its type, its numbers
KEYS = "Enter: next, b: back, q: end"


@dataclass(frozen=True, repr=False)
class Scene:
    """One box of a step: "get", "put" or "update", its name, and a line for each wire."""

    phase: str
    box: str
    lines: tuple[Line, ...]

    def __str__(self) -> str:
        widths = [max((len(line[i]) for line in self.lines), default=0) for i in range(3)]
        rows = ("  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[3]]) for line in self.lines)
        return printable("\n".join([f"{self.phase} {clean(self.box)}", *(f"  {row}".rstrip() for row in rows)]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.phase)} {escape(self.box)}</b>{self.table()}"

    def table(self) -> str:
        """The lines as a table of HTML."""
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in self.lines)
        return f"<table>{rows}</table>"


class StepThrough(Sequence[Scene]):
    """The scenes of a step in order: `for scene in step: print(scene)`; `play()` goes through them by keys; a notebook folds them open."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = tuple(scenes)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> StepThrough: ...
    def __getitem__(self, index: int | slice) -> Scene | StepThrough:
        if isinstance(index, slice):
            return StepThrough(self.scenes[index])
        if not checks.is_whole(index):
            raise BadValue(f"a scene is read by its number, from 0 to {len(self) - 1}, got {checks.shown(index)}")
        if not -len(self) <= index < len(self):
            raise OutOfRange(f"there are {counted(len(self), 'scene')}, from 0 on, and no scene {index}")
        return self.scenes[index]

    def __len__(self) -> int:
        return len(self.scenes)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.scenes))

    def __repr__(self) -> str:
        return f"<a step in {len(self)} scenes: {', '.join(f'{s.phase} {clean(s.box)}' for s in self.scenes[:SHOWN])}, …>"

    def _repr_html_(self) -> str:
        return "".join(f"<details><summary>{escape(s.phase)} {escape(s.box)}</summary>{s.table()}</details>" for s in self.scenes)

    def play(self) -> None:
        """Show one scene after the other in a terminal: Enter goes on, b back, q or Ctrl-C ends. Unless somebody types, all are printed."""
        from rich.console import Console

        console = Console()
        if not (console.is_terminal and sys.stdin is not None and sys.stdin.isatty()):
            print(self)
            return
        at = 0
        while at < len(self):
            console.clear()
            console.print(f"{at + 1} of {len(self)}\n\n{self[at]}\n", markup=False, highlight=False, soft_wrap=True)
            at = after(at, asked(lambda: console.input(f"{KEYS} ")))


def asked(ask: Callable[[], str]) -> str:
    """What is typed; the end of what is typed, and Ctrl-C, end the scenes as q does."""
    try:
        return ask()
    except (EOFError, KeyboardInterrupt):
        print()
        return "q"


def after(at: int, key: str) -> int:
    """The scene after this one and a key: the one before, the end, or the next."""
    word = key.strip().lower()
    return sys.maxsize if word.startswith("q") else max(0, at - 1) if word.startswith("b") else at + 1


def step_through(
    learner: Record, batch: Data, values: Mapping[str, ArrayLike] | None = None, backend: str | Backend = "numpy"
) -> StepThrough:
    """A training step, one box at a time: what each layer gets and gives, what flows back through it, and what becomes of each weight.

    - `learner`: what `lg.supervised` makes.
    - `batch`: a pair (x, y) or a dict of arrays.
    - `values`: all values by name, as `run.values`; first ones unless given.
    - `backend`: where generators of your own have their meanings, of which those for NumPy are used; "numpy" unless given.
    """
    checks.instance("learner", learner, Record, "a learner, as lg.supervised makes it")
    rows = rows_of(learner, batch)
    if values is not None:
        checks.instance("values", values, Mapping, "a dict by name, as run.values is")
    held: Mapping[str, Any] = learner.initial(0) if values is None else values
    numbers = numbers_of(learner, held, rows, engine(backend).reference())
    boxes = parts(numbers)
    forward = [Scene("get", b.name, tuple(got(numbers, b))) for b in boxes]
    back = [Scene("put", b.name, tuple(put(numbers, b))) for b in reversed(boxes)]
    return StepThrough([*forward, *(s for s in back if s.lines), *updates(learner, held, rows, numbers)])


def parts(numbers: Numbers) -> list[Box]:
    """The outermost layers in the order of the program, between them what they read that stands in no layer, and the rest: the loss."""
    t = numbers.tapped
    outer = [b for b in t.boxes if len(b.path) == 1]
    layers = {i: b for b in outer for i in b.nodes}
    early = read_by(t, layers)
    rest = tuple(i for i in range(t.count) if i not in layers and i not in early)
    found = [b for b in outer if not b.nodes]
    for box, some in groupby(sorted({*layers} | early), layers.get):
        found.append(box or between(t, tuple(some)))
    return [*dict.fromkeys(found), outside(t, rest)]


def read_by(t: Tapped, layers: Collection[int]) -> set[int]:
    """The nodes in no layer that layers read, or that these read."""
    need = {a for i in layers for a in t.nodes[i].args}
    found = set[int]()
    for i in reversed(range(t.count)):
        if i not in layers and any(w in need for w in t.outputs(i)):
            found.add(i)
            need.update(t.nodes[i].args)
    return found


def between(t: Tapped, nodes: tuple[int, ...]) -> Box:
    """Some nodes that stand in no layer, as a box that is called after its generators."""
    made = [w for i in nodes for w in t.outputs(i)]
    needed = {a for i in range(t.count) if i not in nodes for a in t.nodes[i].args} | {*t.outs}
    name = ", ".join(dict.fromkeys(snake(t.nodes[i].op.name) for i in nodes if t.nodes[i].args)) or "constants"
    return Box((name,), reads(t, nodes), tuple(w for w in made if w in needed), nodes)


def outside(t: Tapped, nodes: tuple[int, ...]) -> Box:
    """What stands in no layer and is read by none, as one box: the loss."""
    taken = any(b.path == (TASK,) for b in t.boxes)
    return Box((f"{TASK} (the loss)" if taken else TASK,), reads(t, nodes), tuple(t.outs), nodes)


def reads(t: Tapped, nodes: Sequence[int]) -> tuple[int, ...]:
    """What some nodes read that none of them makes."""
    made = {w for i in nodes for w in t.outputs(i)}
    return tuple(dict.fromkeys(a for i in nodes for a in t.nodes[i].args if a not in made))


def got(numbers: Numbers, box: Box) -> Iterator[Line]:
    """What a box reads, makes and gives."""
    t = numbers.tapped
    inner = [w for i in box.nodes for w in t.outputs(i) if w not in box.outs and t.nodes[i].args]
    for what, wires in (("takes", box.ins), ("makes", inner), ("gives", box.outs)):
        yield from (line(numbers, what, w, numbers.at(w)) for w in wires)


def put(numbers: Numbers, box: Box) -> Iterator[Line]:
    """What flows back into a box, and out of it."""
    for what, wires in (("from", box.outs), ("back", box.ins)):
        for w in wires:
            flows = numbers.cotangent(w)
            if flows is not None:
                yield line(numbers, what, w, flows, "d ")


def line(numbers: Numbers, what: str, wire: int, value: np.ndarray[Any, Any], mark: str = "") -> Line:
    """A wire as a line."""
    t = numbers.tapped
    return what, f"{mark}{clean(t.labels.get(wire, 'a constant'))}", str(t.types[wire]), few(value)


def updates(learner: Record, values: Mapping[str, Any], rows: Mapping[str, Any], numbers: Numbers) -> Iterator[Scene]:
    """What becomes of each weight, and of the states that move with it."""
    step = learner.step(count(rows), numbers.engine)
    with np.errstate(all="ignore"):  # as on the wires before: numbers that are not finite are shown
        after = step({n: v for n, v in {**values, **rows}.items() if n in {p.name for p in step.inputs}})
    for name in learner.model_names:
        own = [n for n in after if n in values and (n == name or n.startswith(f"{name}."))]
        lines = list[Line]()
        for n in own:
            ob = next(str(p.ob) for p in step.inputs if p.name == n)
            lines += [("before", n, ob, few(values[n])), ("after", n, ob, few(after[n]))]
        if lines:
            yield Scene("update", name, tuple(lines))


def few(value: Any) -> str:
    """The first numbers of an array."""
    x = np.concatenate([np.ravel(np.asarray(v)) for v in flatten(value)])
    first = " ".join(f"{v:.4g}" if x.dtype.kind == "f" else str(v) for v in x[:SHOWN])
    return first if x.size <= SHOWN else f"{first} … ({x.size:,} numbers)"


__all__ = ["Scene", "StepThrough", "step_through"]
