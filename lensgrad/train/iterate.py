"""Many steps in a row: batches of one size stacked, and run as one stretch where the backend can."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.core.diagram import flatten
from lensgrad.data.arrays import close, count
from lensgrad.data.orders import order, orders
from lensgrad.data.source import ArraySource, Source
from lensgrad.program.compile import Program, named
from lensgrad.program.values import Value, Values
from lensgrad.train import reading
from lensgrad.train.guard import Taken, finite
from lensgrad.train.plan import Plan
from lensgrad.train.reading import checked_rows
from lensgrad.train.state import Position

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
class Chunk:
    """Some batches of one size in a row: the program for them, their data, checked, with one row a batch, and their place in the run.

    Data that is `alike` for all of them is given once.
    """

    program: Program
    rows: Values
    names: tuple[str, ...]  # of all the data, of which the program may not read some
    steps: int
    size: int
    epoch: int = 0
    batch: int = 0
    alike: Values = field(default_factory=dict[str, Any])

    def run(self, values: Values) -> Stretch:
        """The steps of these batches from `values`, which are not changed."""
        if self.steps == 1 and self.program.iteration(tuple(self.rows)).most == 1:
            return alone(self.program, values, self.part(0))
        return stretch(self.program, values, self.rows, self.steps, self.alike)

    def taken(self, values: Values, number: int) -> Taken:
        """One of the steps from `values`, found by taking those before it again, in NumPy."""
        start = fetched(self.program.engine, values)
        plain = replace(self.program, backend=self.program.engine.reference(), iterations={})
        before = {name: v for name, v in self.part(slice(number)).items() if name in self.rows}
        found = stretch(plain, start, before, number, self.alike).values if number else start
        return Taken(plain, found, self.part(number), self.epoch, self.batch + number + 1)

    def part(self, where: Any) -> Values:
        """The data of one step, or of some."""
        return {**self.alike, **{name: each(v, lambda x: x[where]) for name, v in self.rows.items()}}


def stretch(program: Program, values: Values, rows: Values, n: int, alike: Values | None = None) -> Stretch:
    """n steps from `values`; `rows` are the data of each step by name, with one row a step, and `alike` is that of all of them.

    Nothing given is changed.
    """
    data = {**(alike or {}), **rows}
    iteration, given = program.iteration(tuple(rows)), {**values, **data}
    loop, place = iteration.loop, program.engine.place
    held = flatten([listed(given[p.name]) for p in program.inputs])
    held = [x if i in loop.rows else place(x) for i, x in enumerate(held)]
    states, fixed, own = ([held[i] for i in wires] for wires in (loop.states, loop.fixed, loop.rows))
    after, found = iteration.run(states, fixed, own, n)
    for i, x in zip(loop.states, after, strict=True):
        held[i] = x
    kept = {name: v for name, v in named(program.inputs, held).items() if name not in data}
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


Step = Callable[[int | None], Program]  # the program for a batch of n, or for one example where nothing is batched


def chunks(
    step: Step, source: Source, plan: Plan, at: Position, done: int = 0, pause: int | None = None, hurry: bool = True
) -> Generator[Chunk]:
    """The batches of an epoch from `at` on, in order, as many together as their program runs at once.

    With `pause` chunks end together at every such number of steps, `done` of which are done. Without `hurry` it does not matter
    how slowly batches come. Whoever does not read all chunks closes them.
    """
    arrays = isinstance(source, ArraySource)
    found = gathered(step, source, plan, at, done, pause) if arrays else collected(step, source, plan, at, done, pause, hurry)
    with closing(found) as parts:
        yield from parts


def gathered(step: Step, source: ArraySource, plan: Plan, at: Position, done: int, pause: int | None) -> Generator[Chunk]:
    """The batches of arrays, those that run at once taken from them at once."""
    most, names = plan.batch_size or 1, tuple(source.arrays)
    places = None if plan.order is None else order(source.examples, at.epoch, plan.order)
    first = at.batch * most
    while first < source.examples:
        size = min(most, source.examples - first)
        own = None if plan.batch_size is None else size
        program = step(own)
        number = min(reading.at_once(program, source, plan, own), (source.examples - first) // size)
        number = min(number, pause - done % pause) if pause else number
        where = None if places is None else places[first : first + number * size]
        rows, alike = reading.read(program, source, plan, number, own, first if where is None else 0, where)
        yield Chunk(program, rows, names, number, size, at.epoch, first // most, alike)
        first, done = first + number * size, done + number


def together(step: Step, source: ArraySource, plan: Plan, epoch: int) -> tuple[Chunk, int] | None:
    """As many whole epochs as their program runs at once, from this one on, and how many those are; None where it is but one."""
    size = min(plan.batch_size or 1, source.examples)
    steps, short = divmod(source.examples, size)
    if short:
        return None
    own = None if plan.batch_size is None else size
    program = step(own)
    number = min(reading.at_once(program, source, plan, own) // steps, plan.epochs - epoch)
    if number < 2:
        return None
    where, names = None, reading.names(program.engine, source, plan)
    if plan.order is not None and names:
        where = orders(source.examples, epoch, number, plan.order, getattr(program.iteration(names), "drawn", None))
    rows, alike = reading.read(program, source, plan, number * steps, own, 0, where)
    return Chunk(program, rows, tuple(source.arrays), number * steps, size, epoch, alike=alike), number


def collected(
    step: Step, source: Source, plan: Plan, at: Position, done: int, pause: int | None, hurry: bool
) -> Generator[Chunk]:  # fmt: skip
    """The batches of any other source, as they come."""
    parts, number = source.batches(at.epoch, plan.batch_size, plan.order, at.batch), at.batch
    try:
        for program, group in groups(step, parts, plan.batch_size is not None, pause, done, hurry):
            size = 1 if plan.batch_size is None else count(group[0])
            rows = checked_rows(program, {name: [part[name] for part in group] for name in group[0]})
            yield Chunk(program, rows, tuple(group[0]), len(group), size, at.epoch, number)
            number += len(group)
    finally:
        close(parts)


def groups(
    step: Step, parts: Iterable[Values], batched: bool, pause: int | None = None, done: int = 0, hurry: bool = True
) -> Iterator[tuple[Program, list[Values]]]:
    """Batches in order, in groups of one size, no longer than their program runs at once.

    A group ends where batches are slow to come, since somebody may wait (without `hurry` nobody does); with `pause` also at every
    such number of steps.
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
        if full or (hurry and time.monotonic() - began > PATIENCE):
            yield program, group
            done, group, last, began = done + len(group), [], None, time.monotonic()
    if last is not None:
        yield last, group


def fetched(engine: Backend, values: Values) -> Values:
    """Values as arrays of NumPy."""
    return {name: each(v, engine.fetch) for name, v in values.items()}


def each(value: Value, change: Callable[[Any], Any]) -> Any:
    """One array, or each of a group, changed."""
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


def listed(value: Any) -> list[Any]:
    return [*value] if isinstance(value, tuple | list) else [value]
