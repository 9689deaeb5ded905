"""Many steps in a row: batches of one size stacked, and run as one stretch where the backend can."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.backends.numpy import host
from lensgrad.core.diagram import flatten
from lensgrad.data.arrays import close, count, rows
from lensgrad.data.orders import order, orders
from lensgrad.data.source import ArraySource, Source
from lensgrad.program.compile import Port, Program, named
from lensgrad.program.values import Numbers, Value, Values, checked, is_numbers
from lensgrad.theories.smooth.array import Array
from lensgrad.train.guard import Taken, finite
from lensgrad.train.plan import Plan
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
    """Some batches of one size in a row: the program for them, their data, checked, with one row a batch, and their place in the run."""

    program: Program
    rows: Values
    names: tuple[str, ...]  # of all the data, of which the program may not read some
    steps: int
    size: int
    epoch: int = 0
    batch: int = 0

    def run(self, values: Values) -> Stretch:
        """The steps of these batches from `values`, which are not changed."""
        if self.steps == 1 and self.program.iteration(tuple(self.rows)).most == 1:
            return alone(self.program, values, self.part(0))
        return stretch(self.program, values, self.rows, self.steps)

    def taken(self, values: Values, number: int) -> Taken:
        """One of the steps from `values`, found by taking those before it again, in NumPy."""
        start = fetched(self.program.engine, values)
        plain = replace(self.program, backend=self.program.engine.reference(), iterations={})
        found = stretch(plain, start, self.part(slice(number)), number).values if number else start
        return Taken(plain, found, self.part(number), self.epoch, self.batch + number + 1)

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


Step = Callable[[int | None], Program]  # the program for a batch of n, or for one example where nothing is batched
Gathered = tuple[
    Program, Mapping[str, Any], int, int
]  # a program, the data of its steps by name, how many they are, and of how many examples


def chunks(
    step: Step, source: Source, plan: Plan, at: Position, done: int = 0, pause: int | None = None, hurry: bool = True
) -> Generator[Chunk]:
    """The batches of an epoch from `at` on, in order, as many together as their program runs at once.

    With `pause` chunks end together at every such number of steps, `done` of which are done. Without `hurry` it does not matter
    how slowly batches come. Whoever does not read all chunks closes them.
    """
    arrays = isinstance(source, ArraySource)
    found = gathered(step, source, plan, at, done, pause) if arrays else collected(step, source, plan, at, done, pause, hurry)
    number = at.batch
    with closing(found) as parts:
        for program, rows, steps, size in parts:
            yield Chunk(program, checked_rows(program, rows), tuple(rows), steps, size, at.epoch, number)
            number += steps


def gathered(step: Step, source: ArraySource, plan: Plan, at: Position, done: int, pause: int | None) -> Generator[Gathered]:
    """The batches of arrays, those that run at once taken from them at once."""
    most, names = plan.batch_size or 1, tuple(source.arrays)
    places = order(source.examples, at.epoch, plan.order)[at.batch * most :]
    while len(places):
        size = min(most, len(places))
        program = step(None if plan.batch_size is None else size)
        number = min(program.iteration(names).most, len(places) // size)
        number = min(number, pause - done % pause) if pause else number
        where, places, done = places[: number * size], places[number * size :], done + number
        yield program, rows(source.arrays, where if plan.batch_size is None else where.reshape(number, size)), number, size


def together(step: Step, source: ArraySource, plan: Plan, epoch: int) -> tuple[Chunk, int] | None:
    """As many whole epochs as their program runs at once, from this one on, and how many those are; None where it is but one."""
    size, names = plan.batch_size or 1, tuple(source.arrays)
    steps, short = divmod(source.examples, size)
    if short:
        return None
    program = step(plan.batch_size)
    number = min(program.iteration(names).most // steps, plan.epochs - epoch)
    if number < 2:
        return None
    lead = (number * steps,) if plan.batch_size is None else (number * steps, size)
    found: Values = {}
    if plan.order is None:
        found |= {name: np.concatenate([v] * number).reshape(*lead, *v.shape[1:]) for name, v in source.arrays.items()}
    else:
        where = orders(source.examples, epoch, number, plan.order, getattr(program.iteration(names), "drawn", None))
        found |= rows(source.arrays, where.reshape(lead))
    return Chunk(program, checked_rows(program, found), names, number * steps, size, epoch), number


def collected(
    step: Step, source: Source, plan: Plan, at: Position, done: int, pause: int | None, hurry: bool
) -> Generator[Gathered]:  # fmt: skip
    """The batches of any other source, as they come."""
    parts = source.batches(at.epoch, plan.batch_size, plan.order, at.batch)
    try:
        for program, group in groups(step, parts, plan.batch_size is not None, pause, done, hurry):
            size = 1 if plan.batch_size is None else count(group[0])
            yield program, {name: [part[name] for part in group] for name in group[0]}, len(group), size
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


def checked_rows(program: Program, given: Mapping[str, Sequence[Any]]) -> Values:
    """The data that a program reads, one entry a step, checked and as arrays."""
    return {p.name: rows_of(p, given[p.name]) for p in program.inputs if p.name in given}


def rows_of(port: Port, given: Numbers | Sequence[Any]) -> Any:
    """The values of a port as rows of one array; of one array for each atom where there are several."""
    if len(port.ob) == 1 and isinstance(port.ob[0], Array):
        wanted = host(port.ob[0])
        if is_numbers(given) and (given.shape[1:], given.dtype) == wanted:
            return given
        if all(is_numbers(v) and (v.shape, v.dtype) == wanted for v in given):
            return np.stack([*given])
    found = [checked(port.name, port.ob, {port.name: v}) for v in given]
    return np.stack(found) if len(port.ob) == 1 else tuple(map(np.stack, zip(*found, strict=True)))


def fetched(engine: Backend, values: Values) -> Values:
    """Values as arrays of NumPy."""
    return {name: each(v, engine.fetch) for name, v in values.items()}


def each(value: Value, change: Callable[[Any], Any]) -> Any:
    """One array, or each of a group, changed."""
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


def listed(value: Any) -> list[Any]:
    return [*value] if isinstance(value, tuple | list) else [value]
