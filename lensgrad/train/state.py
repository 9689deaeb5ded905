"""Where a run stands: after some steps of an epoch, or after an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Required, TypedDict, cast

import numpy as np

from lensgrad.core.printed import counted
from lensgrad.program.values import Values
from lensgrad.train.snapshots import Snapshot

Report = dict[str, float]


class Order(TypedDict, total=False):
    """What decides which batches a run meets."""

    batch_size: int | None
    seed: int
    shuffle: bool


class Planned(Order, total=False):
    """What decides which steps a run takes."""

    accumulate: int
    data_size: int | None
    contents: str | None
    weighting: str


class Watched(TypedDict, total=False):
    """What early stopping knows."""

    best_epoch: int
    since: int


class Standing(Planned, Watched, total=False):
    """Where a run stands, as plain values for its file: its place, which every run has, and what is known of its plan.

    `steps` are all those before it, where they are counted, as they are for records.
    """

    epoch: Required[int]
    batch: Required[int]
    examples: Required[int]
    totals: Required[Report]
    steps: int


def came_to(history: Sequence[Report], where: Standing, more: str = "", between: str = ", ") -> str:
    """What a run has come to: how many epochs, and its last report; of one that was stopped in its first, what it has and is for."""
    if history or not where["batch"]:
        return f"{counted(len(history), 'epoch')}{more}: {figures(history[-1], between) if history else 'not trained'}"
    so_far = figures(Position.of(where).report, between)
    use = "it predicts as it is, and goes on with run.fit(data)"
    return f"{counted(where['batch'], 'step')} of the first epoch{more}: {f'{so_far} so far, ' if so_far else ''}{use}"


def figures(report: Report, between: str) -> str:
    """A report on one line."""
    return between.join(f"{name} {value:.4g}" for name, value in report.items())


def order_in(standing: Standing) -> Order:
    """The order of the batches of a run, as far as it is known."""
    order: Order = {}
    if "batch_size" in standing:
        order["batch_size"] = standing["batch_size"]
    if "seed" in standing:
        order["seed"] = standing["seed"]
    if "shuffle" in standing:
        order["shuffle"] = standing["shuffle"]
    return order


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: `batch` batches of epoch `epoch` are done, with `totals` observed on `examples` examples."""

    epoch: int = 0
    batch: int = 0
    examples: int = 0
    totals: Report = field(default_factory=dict[str, float])

    def after(self, seen: Values, examples: int, steps: int) -> Position:
        """The position so many batches later, each of so many examples; `seen` is what they observed, with one row a step."""
        totals = {name: total(self.totals.get(name, 0.0), v, examples) for name, v in seen.items()}
        return Position(self.epoch, self.batch + steps, self.examples + examples * steps, totals)

    @property
    def report(self) -> Report:
        """The means over the examples of this epoch so far."""
        return {name: v / max(1, self.examples) for name, v in self.totals.items()}

    @classmethod
    def of(cls, standing: Standing) -> Position:
        """The position that a run has as plain values."""
        return cls(standing["epoch"], standing["batch"], standing["examples"], standing["totals"])

    @property
    def plain(self) -> Standing:
        """The same as plain values."""
        return {"epoch": self.epoch, "batch": self.batch, "examples": self.examples, "totals": dict(self.totals)}


def standing(known: Mapping[str, Any], epochs: int) -> Standing:
    """Where a run stands after so many epochs, of which `known` is said; each entry was checked where it was read."""
    return cast(Standing, {**Position(epochs).plain, **known})


def unsaid() -> Standing:
    """Nothing: a run that says no more stands at the end of its history."""
    return cast(Standing, {})


@dataclass(frozen=True, slots=True)
class Kept:
    """The best epoch so far, counted from 1, and its values."""

    epoch: int
    values: Values = field(repr=False)


@dataclass(frozen=True, slots=True)
class State:
    """A run as its callbacks see it: values, one report and one time for each epoch, and how many epochs there were before this call.

    `steps` are those of this call, and `begun` those before it which are in its checkpoint. `kept` is the best epoch, where there is early
    stopping, which counts from the epoch `since`.
    """

    learner: Any
    values: Values = field(repr=False)
    history: tuple[Report, ...] = ()
    seconds: tuple[float, ...] = ()
    position: Position = field(default_factory=Position)
    before: int = 0
    kept: Kept | None = None
    since: int = 0
    steps: int = 0
    interrupted: bool = False
    backend: str = ""  # what takes its steps
    records: tuple[Snapshot, ...] = field(default=(), repr=False)
    begun: int = 0

    @property
    def step(self) -> int:
        """How many steps were taken, from the first of the run."""
        return self.begun + self.steps

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    @property
    def best(self) -> Values | None:
        """The values of the best epoch, where there is early stopping."""
        return None if self.kept is None else self.kept.values

    @property
    def report(self) -> Report:
        """The report on the last epoch."""
        return self.history[-1] if self.history else {}

    def after(self, values: Values, seen: Values, examples: int, steps: int) -> State:
        """This run so many batches later, each of so many examples."""
        return replace(self, values=values, position=self.position.after(seen, examples, steps), steps=self.steps + steps)

    def reported(self, report: Report, seconds: float) -> State:
        """This run at the end of its epoch."""
        at = Position(self.position.epoch + 1)
        return replace(self, position=at, history=(*self.history, report), seconds=(*self.seconds, seconds))

    def later(self, values: Values, found: Sequence[Report], seconds: float, steps: int) -> State:
        """This run some epochs later, which took so many seconds and steps together."""
        at, each = Position(self.position.epoch + len(found)), seconds / len(found)
        times = (*self.seconds, *[each] * len(found))
        return replace(self, values=values, position=at, history=(*self.history, *found), seconds=times, steps=self.steps + steps)


def total(start: float, rows: Any, examples: int) -> float:
    """A total after more steps, added up one by one: the mean of what each observed, once for each of its examples."""
    found = np.asarray(rows)
    if found.size == 1:
        return start + found.item() * examples
    return float(np.cumsum(np.concatenate([[start], means(found).astype(np.float64) * examples]))[-1])


def means(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The mean of each row, in 64 bits where it is of several numbers. They are added up as NumPy adds up one row alone."""
    size = max(1, rows[0].size)
    flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
    return flat[:, 0] if size == flat.shape[1] == 1 else np.add.reduce(flat, axis=1).astype(np.float64) / size


def reports(seen: Values, epochs: int, examples: int) -> list[Report]:
    """One report for each of some epochs, as `total` gives it, of what their steps observed on so many examples each."""
    sums = [(in_turn(means(np.asarray(v)).reshape(epochs, -1), examples) / (len(v) // epochs * examples)).tolist() for v in seen.values()]
    if len(sums) == 1:  # as it mostly is, and a general way takes longer than an epoch of a small model
        return [{name: total} for name in seen for total in sums[0]]
    return [dict(zip(seen, found, strict=True)) for found in zip(*sums, strict=True)] if sums else [{} for _ in range(epochs)]


def in_turn(rows: np.ndarray[Any, Any], times: int = 1) -> np.ndarray[Any, Any]:
    """The sum of each row of numbers so many times each, added up from its first to its last in 64 bits.

    All rows go side by side, of which a single one would go by pairs.
    """
    columns = np.ascontiguousarray(rows.T, np.float64)
    columns = columns if times == 1 else columns * times
    return np.add.reduce(columns, axis=0) if len(rows) > 1 else np.cumsum(columns, axis=0)[-1]


def added(totals: Report, seen: Values, examples: int) -> Report:
    """Totals with what was observed on so many examples: the mean of its numbers, once for each example."""
    means = {name: float(np.sum(np.asarray(value))) / max(1, np.size(value)) for name, value in seen.items()}
    return {name: totals.get(name, 0.0) + mean * examples for name, mean in means.items()}
