"""Smaller steps where a run no longer gets better: a rule that changes the state `rate_scale` of a learner after an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.learn.rate_scale import LABEL
from lensgrad.train.callbacks import EarlyStopping
from lensgrad.train.state import Report, State


@dataclass(frozen=True)
class ReduceOnPlateau:
    """Multiplies the learning rate by `factor` when what `rule` watches has not got better for its `patience`.

    It falls to `floor` times the first rate at the least. The scale is
    a function of the history of the run, and a state of its learner: a resumed run goes on with the same.
    """

    rule: EarlyStopping
    factor: float = 0.1
    floor: float = 0.0

    def __post_init__(self) -> None:
        if checks.share("the factor of reduce_on_plateau", self.factor) == 0:
            raise BadValue("the factor of reduce_on_plateau is more than 0: to end a run use early_stopping")
        checks.number("the floor of reduce_on_plateau", self.floor, 0, 1)

    def scale(self, history: Sequence[Report]) -> float:
        """What the learning rate is multiplied by after these epochs."""
        best, waited, scale = None, 0, 1.0
        for report in (r for r in history if self.rule.monitor in r):
            best, waited = (report, 0) if self.rule.better(report, best) else (best, waited + 1)
            if waited == self.rule.patience:
                scale, waited = max(scale * self.factor, self.floor), 0
        return scale

    def changed(self, state: State) -> State:
        """The state after an epoch, with the scale that its history says."""
        if self.rule.monitor not in state.report:
            told = f"reduce_on_plateau watches '{self.rule.monitor}', and an epoch reports {listed(list(state.report))}"
            raise UnknownParameter(f"{told}{self.rule.hint}")
        return replace(state, values={**state.values, LABEL: np.asarray(self.scale(state.history), np.float32)})

    def on_epoch(self, state: State) -> None:
        """Nothing more: it ends no run."""


def reduce_on_plateau(
    monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, min_delta: float = 0.0, mode: str | None = None, floor: float = 0.0
) -> ReduceOnPlateau:
    """The rule for `fit(callbacks=[…])` that multiplies the learning rate by `factor` after `patience` epochs without a better `monitor`.

    `monitor`, `min_delta` and `mode` are those of `early_stopping`; the rate falls to `floor` times the first one at the least.
    The scale is the state `rate_scale` of the run's learner, in its values and checkpoints: resuming is exact.
    """
    return ReduceOnPlateau(EarlyStopping(monitor, patience, min_delta, mode), factor, floor)


__all__ = ["ReduceOnPlateau", "reduce_on_plateau"]
