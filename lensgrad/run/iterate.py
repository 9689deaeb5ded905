"""Many steps in a row: batches of one size stacked, and run as one stretch where the backend can."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lensgrad.backends.numpy import host
from lensgrad.core.diagram import flatten
from lensgrad.run.backend import Backend
from lensgrad.run.compile import Port, Program, named
from lensgrad.run.data.source import count
from lensgrad.run.guard import Taken, finite
from lensgrad.run.values import Values, checked
from lensgrad.theories.smooth.array import Array

PATIENCE = 0.1  # seconds for which batches are collected


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some steps in a row: the values after them, what was observed (a row for each step), and the first that went wrong.

    A step goes wrong when it observes a number that is not finite.
    """

    values: Values
    seen: Values
    bad: int | None

    def row(self, number: int) -> Values:
        """What one step observed."""
        return {name: each(v, lambda x: x[number]) for name, v in self.seen.items()}


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch as it is about to be run: its program, the values before it, its data, and its place in the run."""

    program: Program
    values: Values
    rows: Values
    steps: int
    epoch: int
    batch: int

    def run(self) -> Stretch:
        if self.steps == 1 and self.program.iteration(tuple(self.rows)).most == 1:
            return alone(self.program, self.values, self.part(0))
        return stretch(self.program, self.values, self.rows, self.steps)

    def taken(self, number: int) -> Taken:
        """One of its steps, found by running the stretch again up to there, in NumPy."""
        start = fetched(self.program.engine, self.values)
        plain = replace(self.program, backend="numpy", iterations={})
        values = stretch(plain, start, self.part(slice(number)), number).values if number else start
        return Taken(plain, values, self.part(number), self.epoch, self.batch + number + 1)

    def part(self, where: Any) -> Values:
        """The data of one step, or of some."""
        return {name: each(v, lambda x: x[where]) for name, v in self.rows.items()}


def stretch(program: Program, values: Values, rows: Values, n: int) -> Stretch:
    """n steps from `values`; `rows` are the data of each step by name, with one row a step. Nothing given is changed."""
    iteration, given = program.iteration(tuple(rows)), {**values, **rows}
    loop, place = iteration.loop, program.engine.place
    held = flatten([listed(given[p.name]) for p in program.inputs])
    held = [x if i in loop.rows else place(x) for i, x in enumerate(held)]
    states, fixed, own = ([held[i] for i in wires] for wires in (loop.states, loop.fixed, loop.rows))
    after, found = iteration.run(states, fixed, own, n)
    for i, x in zip(loop.states, after, strict=True):
        held[i] = x
    kept = {name: v for name, v in named(program.inputs, held).items() if name not in rows}
    seen = named([p for p in program.outputs if p.name not in kept], found)
    return Stretch({**values, **kept}, seen, first_wrong(found))


def first_wrong(seen: Sequence[np.ndarray[Any, Any]]) -> int | None:
    """The first step that observed a number that is not finite, of arrays with one row a step."""
    if all(map(finite, seen)):
        return None
    return int(np.argmin(np.logical_and.reduce([np.isfinite(v).reshape(len(v), -1).all(1) for v in seen])))


def alone(program: Program, values: Values, row: Values) -> Stretch:
    """One step where the program runs no more at once: a call, without the bookkeeping of a loop."""
    inputs = [row[p.name] if p.name in row else values[p.name] for p in program.inputs]
    # Whoever reads `bad` tells where a number left the finite ones, which is more than NumPy's warnings say.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        outs = program.run(inputs)
    seen = {n: v for n, v in outs.items() if n not in values}
    after = {**values, **{n: v for n, v in outs.items() if n in values}}
    rows = {n: each(v, lambda x: np.asarray(x)[None]) for n, v in seen.items()}
    return Stretch(after, rows, None if all(map(finite, seen.values())) else 0)


def groups(
    step: Callable[[int | None], Program], parts: Iterable[Values], batched: bool, pause: int | None = None, done: int = 0
) -> Iterator[tuple[Program, list[Values]]]:
    """Batches in order, in groups of one size, no longer than their program runs at once.

    `step(n)` is the program for a batch of n, or for one example where nothing is batched. With `pause` a group ends at every
    such number of steps, `done` of which are done; and it ends where batches are slow to come, since somebody may wait.
    """
    group, last, began = list[Values](), None, time.monotonic()
    for part in parts:
        program = step(count(part) if batched else None)
        if last is not None and program is not last:
            yield last, group
            done, group = done + len(group), []
        last = program
        group.append(part)
        full = len(group) == program.iteration(tuple(part)).most or (pause and (done + len(group)) % pause == 0)
        if full or time.monotonic() - began > PATIENCE:
            yield program, group
            done, group, last, began = done + len(group), [], None, time.monotonic()
    if last is not None:
        yield last, group


def stacked(program: Program, group: Sequence[Values]) -> Values:
    """The data of several steps, checked, with one row a step."""
    return {p.name: rows_of(p, group) for p in program.inputs if p.name in group[0]}


def rows_of(port: Port, group: Sequence[Values]) -> Any:
    """The values of a port as rows of one array; of one array for each atom where there are several."""
    if len(port.ob) == 1:
        given, (shape, dtype) = [part[port.name] for part in group], host(port.ob[0])
        if isinstance(port.ob[0], Array) and all(isinstance(v, np.ndarray) and v.shape == shape and v.dtype == dtype for v in given):
            return joined(given)
    found = [checked(port.name, port.ob, part) for part in group]
    return joined(found) if len(port.ob) == 1 else tuple(map(joined, zip(*found, strict=True)))


def joined(arrays: Sequence[Any]) -> Any:
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def fetched(engine: Backend, values: Values) -> Values:
    """Values as arrays of NumPy."""
    return {name: each(v, engine.fetch) for name, v in values.items()}


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """One array, or each of a group, changed."""
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


def listed(value: Any) -> list[Any]:
    return [*value] if isinstance(value, tuple | list) else [value]
