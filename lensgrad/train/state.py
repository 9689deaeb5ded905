"""Where a run stands: after some steps of an epoch, or after an epoch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import numpy as np

from lensgrad.program.values import Values

Report = dict[str, float]


class Order(TypedDict, total=False):
    """What decides which batches a run meets."""

    batch_size: int | None
    seed: int
    shuffle: bool


class Standing(Order, total=False):
    """Where a run stands, as plain values for its file: its place, the order of its batches, and since when early stopping counts."""

    epoch: int
    batch: int
    examples: int
    totals: Report
    accumulate: int
    data_size: int | None
    contents: str | None
    weighting: str
    best_epoch: int
    since: int


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


@dataclass(frozen=True, slots=True)
class Kept:
    """The best epoch so far, counted from 1, and its values."""

    epoch: int
    values: Values


@dataclass(frozen=True, slots=True)
class State:
    """A run as its callbacks see it: values, one report and one time for each epoch, and how many epochs there were before this call.

    `steps` are those of this call. `kept` is the best epoch, where there is early stopping, which counts from the epoch `since`.
    """

    learner: Any
    values: Values
    history: tuple[Report, ...] = ()
    seconds: tuple[float, ...] = ()
    position: Position = field(default_factory=Position)
    before: int = 0
    kept: Kept | None = None
    since: int = 0
    steps: int = 0
    interrupted: bool = False

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


def total(start: float, rows: Any, examples: int) -> float:
    """A total after more steps, added up one by one: the mean of what each observed, once for each of its examples."""
    found = np.asarray(rows)
    if found.size == 1:
        return start + found.item() * examples
    size = max(1, found[0].size)
    means = found.reshape(len(found)).astype(np.float64) if size == 1 else np.array([float(np.sum(v)) / size for v in found])
    return float(np.cumsum(np.concatenate([[start], means * examples]))[-1])


def added(totals: Report, seen: Values, examples: int) -> Report:
    """Totals with what was observed on so many examples: the mean of its numbers, once for each example."""
    means = {name: float(np.sum(np.asarray(value))) / max(1, np.size(value)) for name, value in seen.items()}
    return {name: totals.get(name, 0.0) + mean * examples for name, mean in means.items()}
