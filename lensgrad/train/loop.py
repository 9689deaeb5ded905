"""The training loop: one step for each batch, and where the run stands after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.data.source import Source, positions
from lensgrad.program.compile import Program
from lensgrad.program.values import Values
from lensgrad.train.guard import Taken, finite, guard
from lensgrad.train.iterate import Feeder, Section, Stretch

Report = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """How long to train and on which batches: `batch_size=None` means one unbatched example at a time.

    With `accumulate` = k a step goes through its batch in k parts, one after the other.
    """

    epochs: int
    batch_size: int | None
    seed: int = 0
    shuffle: bool = True
    accumulate: int = 1

    def __post_init__(self) -> None:
        if type(self.epochs) is not int or self.epochs < 0:
            raise BadValue(f"epochs is a whole number ≥ 0, got {self.epochs!r}")
        check_size(self.batch_size)
        if type(self.accumulate) is not int or self.accumulate < 1:
            raise BadValue(f"accumulate is the whole number of parts ≥ 1 that a batch is cut into, got {self.accumulate!r}")
        if self.accumulate > (self.batch_size or 1):
            raise BadValue(f"accumulate={self.accumulate} cuts a batch of {self.batch_size or 1} into more parts than it has examples")

    @property
    def order(self) -> int | None:
        """The seed of the order of examples; None keeps the order of the data."""
        return self.seed if self.shuffle else None

    def batches(self, epoch: int, examples: int) -> Iterator[Any]:
        """The positions of each batch of an epoch; the last may be short."""
        return positions(examples, epoch, self.batch_size, self.order)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: `batch` batches of epoch `epoch` are done, with `totals` observed on `examples` examples."""

    epoch: int = 0
    batch: int = 0
    examples: int = 0
    totals: Report = field(default_factory=dict[str, float])

    def after(self, done: Stretch, examples: int, steps: int) -> Position:
        """The position so many batches later, each of so many examples."""
        totals = {name: total(self.totals.get(name, 0.0), v, examples) for name, v in done.seen.items()}
        return Position(self.epoch, self.batch + steps, self.examples + examples * steps, totals)

    @property
    def report(self) -> Report:
        """The means over the examples of this epoch so far."""
        return {name: v / max(1, self.examples) for name, v in self.totals.items()}


@dataclass(frozen=True, slots=True)
class Moment:
    """A run between two steps: its values, its position, and at the end of an epoch the report on it; `steps` led to it."""

    values: Values
    position: Position
    report: Report | None = None
    steps: int = 1


def moments(
    step: Callable[[int | None], Program],
    values: Values,
    source: Source,
    plan: Plan,
    start: Position | None = None,
    guarded: bool = True,
    pause: int | None = None,
    hurry: bool = True,
) -> Iterator[Moment]:
    """The moments of a run from `values` at `start`: one after each step, and one with a report after each epoch.

    A backend that runs many steps at once has one after each such stretch, and one after every `pause` steps; a stretch waits for
    slow batches only without `hurry`. `step(n)` is the program for a batch of n. Inputs are not changed, and who stops reading
    stops the run.
    """
    at = Position() if start is None else start
    feeder = Feeder(step, plan.batch_size, plan.order, pause, hurry)
    last: Section | None = None
    steps = 0
    while at.epoch < plan.epochs:
        with closing(feeder.batches(source, at.epoch, at.batch, steps)) as parts:
            for part in parts:
                before, last = last, Section(part.program, values, part.rows, part.number, at.epoch, at.batch)
                if before is None:
                    check_names(part.program, values, part.names)
                done = last.run()
                if guarded and done.bad is not None:
                    guard(done.row(done.bad), last.taken(done.bad), preceding(last, done.bad, before))
                values, at, steps = done.values, at.after(done, part.size, part.number), steps + part.number
                yield Moment(values, at, None, part.number)
        if guarded and last is not None and not all(map(finite, values.values())):
            guard(values, last.taken(last.steps - 1), None)
        report, at = at.report, Position(at.epoch + 1)
        yield Moment(values, at, report, 0)


def preceding(section: Section, number: int, before: Section | None) -> Taken | None:
    """The step before a step of a section, if there was one."""
    if number:
        return section.taken(number - 1)
    return None if before is None else before.taken(before.steps - 1)


def check_names(program: Program, state: Values, data: Collection[str]) -> None:
    """Every input comes from the data or from the state, and from one of them; what a step moves is state."""
    inputs, moved = {p.name: p for p in program.inputs}, {p.name for p in program.outputs}
    for name, port in inputs.items():
        if name not in data and name not in state:
            raise UnknownParameter(f"no value for '{name}' : {port.ob}; data is given for {listed(list(data))}")
    for name in data:
        if name not in inputs:
            raise UnknownParameter(f"the data has '{name}', and this learner takes {listed([n for n in inputs if n not in state])}")
        if name in state or name in moved:
            raise BadValue(f"'{name}' is moved or started by this learner, so it cannot also be data, which differs from step to step")


def added(totals: Report, seen: Values, examples: int) -> Report:
    """Totals with what was observed on so many examples: the mean of its numbers, once for each example."""
    means = {name: float(np.sum(np.asarray(value))) / max(1, np.size(value)) for name, value in seen.items()}
    return {name: totals.get(name, 0.0) + mean * examples for name, mean in means.items()}


def total(start: float, rows: Any, examples: int) -> float:
    """A total after more steps, added up one by one: the mean of what each observed, once for each of its examples."""
    found = np.asarray(rows)
    if found.size == 1:
        return start + found.item() * examples
    size = max(1, found[0].size)
    means = found.reshape(len(found)).astype(np.float64) if size == 1 else np.array([float(np.sum(v)) / size for v in found])
    return float(np.cumsum(np.concatenate([[start], means * examples]))[-1])


def check_size(size: int | None) -> None:
    """Refuse what is no batch size."""
    if size is not None and (type(size) is not int or size < 1):
        raise BadValue(f"batch_size is a whole number ≥ 1, or None for one example at a time, got {size!r}")


def chunks(examples: int, size: int | None) -> Iterator[tuple[int | None, Any]]:
    """Consecutive slices that cover all examples, each with its length; one number and None at a time without a size."""
    check_size(size)
    for start in range(0, examples, size or 1):
        stop = min(start + (size or 1), examples)
        yield (None, start) if size is None else (stop - start, slice(start, stop))
