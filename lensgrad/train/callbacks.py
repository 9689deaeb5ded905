"""What may watch a run and end it: early stopping, checkpoints, and any object with `on_epoch`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from lensgrad.core.checks import nearest
from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.data.meaning import Meaning, in_file
from lensgrad.program.values import Values
from lensgrad.train.measures import WATCHED, larger_is_better
from lensgrad.train.plan import Plan
from lensgrad.train.record import BEST
from lensgrad.train.state import Position, Report, State


@runtime_checkable
class Callback(Protocol):
    """Anything with `on_epoch(state)`, called after each epoch; True ends the run. A method `close()` is called at the end."""

    def on_epoch(self, state: State) -> bool | None: ...


@dataclass(frozen=True)
class EarlyStopping:
    """Ends a run when `monitor` has not got better by more than `min_delta` for `patience` epochs; the run has the best epoch's values.

    Larger is better with mode="max", smaller with mode="min"; None means what the metric says of itself (smaller for losses and
    errors, larger for accuracy, F1, r2 …), and a metric of your own needs a mode.
    What it knows is the history only, so a resumed run stops where the uninterrupted one does.
    """

    monitor: str = "val_loss"
    patience: int = 5
    min_delta: float = 0.0
    mode: str | None = None

    def __post_init__(self) -> None:
        if type(self.patience) is not int or self.patience < 1:
            raise BadValue(f"patience is a whole number of epochs ≥ 1, got {self.patience!r}")
        if not isinstance(self.min_delta, int | float) or not 0 <= self.min_delta < math.inf:
            raise BadValue(f"min_delta is a number ≥ 0, got {self.min_delta!r}")
        if self.mode not in ("min", "max", None):
            raise BadValue(f"mode is 'min', 'max' or None, got {self.mode!r}")
        if self.mode is None and larger_is_better(self.monitor) is None:
            told = f"nothing says whether more of '{self.monitor}' is better"
            raise BadValue(f"{told}: give mode='max' or mode='min'{nearest(self.monitor.removeprefix('val_'), WATCHED)}")

    @property
    def sign(self) -> int:
        """1 where smaller is better, −1 where larger is."""
        if self.mode is not None:
            return 1 if self.mode == "min" else -1
        return -1 if larger_is_better(self.monitor) else 1

    def best(self, history: Sequence[Report]) -> int:
        """The number of the best epoch, counted from 1; 0 for none."""
        best, where = math.inf, 0
        for epoch, report in enumerate(history, 1):
            if self.monitor not in report:
                raise UnknownParameter(f"early stopping watches '{self.monitor}', and an epoch reports {listed(list(report))}{self.hint}")
            value = self.sign * report[self.monitor]
            if value < best - self.min_delta:
                best, where = value, epoch
        return where

    @property
    def hint(self) -> str:
        return ": give validation_data or validation_split" if self.monitor.startswith("val_") else ""

    def on_epoch(self, state: State) -> bool:
        return state.epoch - self.best(state.history) >= self.patience


def early_stopping(monitor: str = "val_loss", patience: int = 5, min_delta: float = 0.0, mode: str | None = None) -> EarlyStopping:
    """The rule for `fit(early_stopping=…)`: see `EarlyStopping`."""
    return EarlyStopping(monitor, patience, min_delta, mode)


@dataclass(frozen=True)
class Checkpoint:
    """Writes the run to `path` after every so many epochs, and within them after every so many steps."""

    path: Path
    epochs: int = 1
    steps: int | None = None

    def __post_init__(self) -> None:
        for name, n in (("epochs", self.epochs), ("steps", 1 if self.steps is None else self.steps)):
            if type(n) is not int or n < 1:
                raise BadValue(f"a checkpoint is written every {name} ≥ 1, a whole number, got {name}={n!r}")

    def due(self, step: int) -> bool:
        """Whether the run is written after this step."""
        return self.steps is not None and step % self.steps == 0

    def write(self, state: State, plan: Plan, meaning: Meaning) -> None:
        from lensgrad.files import checkpoint as files

        best = {f"{BEST}{name}": v for name, v in (state.best or {}).items()}
        where = {**written(plan, state.position, state.seconds), **in_file(meaning)}
        files.save(self.path, state.learner, {**state.values, **best}, history=state.history, position=where)


def checkpoint(path: str | os.PathLike[str], epochs: int = 1, steps: int | None = None) -> Checkpoint:
    """The rule for `fit(checkpoint=…)`: write to `path` after every so many epochs, and within them after every so many steps."""
    return Checkpoint(Path(path), epochs, steps)


def checkpoint_of(rule: Any) -> Checkpoint | None:
    """A rule as it is; a path as the rule that writes there after each epoch."""
    if rule is None or isinstance(rule, Checkpoint):
        return rule
    if not isinstance(rule, str | os.PathLike):
        raise BadValue(f"checkpoint is the path of a file, or lg.checkpoint(path, …), got {rule!r:.60}")
    return checkpoint(rule)


def written(plan: Plan, position: Position, seconds: Sequence[float]) -> dict[str, Any]:
    """A position as plain values, with the plan that it belongs to."""
    place = {"epoch": position.epoch, "batch": position.batch, "examples": position.examples, "totals": dict(position.totals)}
    order = {"batch_size": plan.batch_size, "seed": plan.seed, "shuffle": plan.shuffle}
    return {**place, **order, "seconds": list(seconds)}


def read(position: Mapping[str, Any], plan: Plan, what: str) -> Position:
    """The position in a file (or of a run), if training by this plan goes on from there."""
    known = {"batch_size": plan.batch_size, "seed": plan.seed, "shuffle": plan.shuffle}
    for name, value in known.items():
        if name in position and position[name] != value:
            told = f"{what} was trained with {name}={position[name]!r}, and fit is asked for {name}={value!r}"
            raise BadValue(f"{told}: give the same, or start a new run")
    place = {name: position[name] for name in ("epoch", "batch", "examples", "totals") if name in position}
    return Position(**place)


def parted(values: Mapping[str, Any]) -> tuple[Values, Values | None]:
    """The values of a checkpoint: the last ones, and those of the best epoch if they are there."""
    best = {name.removeprefix(BEST): v for name, v in values.items() if name.startswith(BEST)}
    return {n: v for n, v in values.items() if not n.startswith(BEST)}, best or None


def check_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """Callbacks, each with the method that is called."""
    if not isinstance(callbacks, Sequence) or isinstance(callbacks, str):
        raise BadValue(f"callbacks is a list of objects with on_epoch(state), got {callbacks!r:.60}")
    for c in callbacks:
        if isinstance(c, type) or not isinstance(c, Callback):
            raise BadValue(f"a callback is an object with a method on_epoch(state), got {c!r:.60}")
    return tuple(callbacks)
