"""What may watch a run and end it: early stopping, checkpoints, functions, and any object with `on_epoch`."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lensgrad.core.checks import file, is_path, is_sequence, is_text, nearest, number, one_of, shown, whole
from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.train.measures import WATCHED, larger_is_better
from lensgrad.train.state import Kept, Report, State

if TYPE_CHECKING:
    from pathlib import Path


@runtime_checkable
class Callback(Protocol):
    """Anything with `on_epoch(state)`, called after each epoch; True ends the run. A method `close()` is called at the end."""

    def on_epoch(self, state: State) -> bool | None: ...


@dataclass(frozen=True)
class EarlyStopping:
    """Ends a run when `monitor` has not got better by more than `min_delta` for `patience` epochs; the run has the best epoch's values.

    Larger is better with mode="max", smaller with mode="min"; None means what the metric says of itself (smaller for losses and
    errors, larger for accuracy, F1, r2 …), and a metric of your own needs a mode.
    A resumed run stops where the uninterrupted one does. A run that is trained on after its end counts anew: its values
    are the best so far, and stay so until an epoch is better.
    """

    monitor: str = "val_loss"
    patience: int = 5
    min_delta: float = 0.0
    mode: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "patience", whole("patience", self.patience, 1))
        object.__setattr__(self, "min_delta", number("min_delta", self.min_delta, 0))
        if not is_text(self.monitor):
            raise BadValue(f"monitor must be the name of what is watched, got {shown(self.monitor)}")
        if self.mode is not None:
            one_of("mode", self.mode, ("min", "max"))
        if self.mode is None and larger_is_better(self.monitor) is None:
            told = f"nothing says whether more of '{self.monitor}' is better"
            raise BadValue(f"{told}: give mode='max' or mode='min'{nearest(self.monitor.removeprefix('val_'), WATCHED)}")

    @property
    def sign(self) -> int:
        """1 where smaller is better, −1 where larger is."""
        if self.mode is not None:
            return 1 if self.mode == "min" else -1
        return -1 if larger_is_better(self.monitor) else 1

    @property
    def hint(self) -> str:
        return ": give validation_data or validation_split" if self.monitor.startswith("val_") else ""

    def value(self, report: Report) -> float:
        """What is watched, as a number that is better when it is smaller."""
        if self.monitor not in report:
            raise UnknownParameter(f"early stopping watches '{self.monitor}', and an epoch reports {listed(list(report))}{self.hint}")
        return self.sign * report[self.monitor]

    def better(self, report: Report, than: Report | None) -> bool:
        """Whether an epoch is better than the best one so far."""
        return self.value(report) < (math.inf if than is None else self.value(than)) - self.min_delta

    def best(self, history: Sequence[Report]) -> int:
        """The number of the best epoch, counted from 1; 0 for none."""
        where = 0
        for epoch, report in enumerate(history, 1):
            where = epoch if self.better(report, history[where - 1] if where else None) else where
        return where

    def begun(self, state: State) -> State:
        """Where counting begins: as it went on, or anew from the values at hand where they are not known by what is watched."""
        if state.kept is None or self.monitor not in state.history[state.kept.epoch - 1]:
            told = any(self.monitor in report for report in state.history[state.since :])
            return replace(state, kept=None, since=state.since if told else state.epoch)
        later = (self.monitor in r and self.better(r, state.history[state.kept.epoch - 1]) for r in state.history[state.since :])
        return replace(state, since=state.epoch) if any(later) else state

    def watched(self, state: State) -> State:
        """The state after an epoch, with the best values so far."""
        best = None if state.kept is None else state.history[state.kept.epoch - 1]
        return replace(state, kept=Kept(state.epoch, state.values)) if self.better(state.report, best) else state

    def over(self, state: State) -> bool:
        """Whether the best epoch is too long ago."""
        return state.epoch - max(state.since, 0 if state.kept is None else state.kept.epoch) >= self.patience

    def on_epoch(self, state: State) -> bool:
        """The same as a callback, which ends a run and keeps no values."""
        seen = state.history[state.since :]
        return len(seen) - self.best(seen) >= self.patience


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
        object.__setattr__(self, "epochs", whole("a checkpoint's epochs", self.epochs, 1))
        object.__setattr__(self, "steps", None if self.steps is None else whole("a checkpoint's steps", self.steps, 1))

    def due(self, step: int) -> bool:
        """Whether the run is written after this step."""
        return self.steps is not None and step % self.steps == 0


def checkpoint(path: str | os.PathLike[str], epochs: int = 1, steps: int | None = None) -> Checkpoint:
    """The rule for `fit(checkpoint=…)`: write to `path` after every so many epochs, and within them after every so many steps."""
    return Checkpoint(file("the place of a checkpoint", path), epochs, steps)


def checkpoint_of(rule: Any) -> Checkpoint | None:
    """A rule as it is; a path as the rule that writes there after each epoch."""
    if rule is None or isinstance(rule, Checkpoint):
        return rule
    if not is_path(rule):
        raise BadValue(f"checkpoint must be the path of a file, or lg.checkpoint(path, …), got {shown(rule)}")
    return checkpoint(rule)


@dataclass(frozen=True)
class Told:
    """A function of the number of the epoch, counted from 1, and of its report, as a callback."""

    function: Callable[[int, Report], Any]

    def on_epoch(self, state: State) -> bool:
        return self.function(state.epoch, dict(state.report)) is True


def check_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """Callbacks, each with the method that is called."""
    if not is_sequence(callbacks):
        raise BadValue(f"callbacks must be a list of {KINDS}, got {shown(callbacks)}")
    return tuple(map(callback_of, callbacks))


def callback_of(given: Any) -> Callback:
    """An object as it is; a function as the object that calls it."""
    if isinstance(given, Callback) and not isinstance(given, type):
        return given
    if isinstance(given, type) or not callable(given) or not takes_two(given):
        raise BadValue(f"callbacks must be {KINDS}, got {shown(given)}")
    return Told(given)


def takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with two arguments, as far as Python knows."""
    try:
        signature(function).bind(1, {})
    except TypeError:
        return False
    except ValueError:  # some functions written in C do not say
        return True
    return True


KINDS = "functions of (epoch, report), or objects with a method on_epoch(state)"
