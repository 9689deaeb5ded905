"""What all estimators share: parameters, training, and a fitted state of plain data that pickles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.diagram import Family
from lensgrad.data.seeds import seed_of
from lensgrad.estimators.networks import built, made, network, standard
from lensgrad.estimators.rows import Numbers, labels, plain, read, rows
from lensgrad.estimators.scikit import BaseEstimator, Scaler, StandardScaler, check_is_fitted
from lensgrad.files.write import decode
from lensgrad.learn.losses.own import LossLike
from lensgrad.train.callbacks import EarlyStopping, early_stopping
from lensgrad.train.learner import Learner
from lensgrad.train.run import Run
from lensgrad.train.saved import restored

WIDEST = 1_000_000  # of a hidden layer
KEPT = ("values", "history", "position", "seconds", "best_epoch", "interrupted", "backend")


def held(run: Run) -> dict[str, Any]:
    """A run as plain data: its learner as a checkpoint has it, arrays by name, and what is left of its fields."""
    return {"learner": run.learner.recipe().data, **{name: getattr(run, name) for name in KEPT}}


def released(data: Mapping[str, Any]) -> Run:
    """The run that `held` gave as data."""
    return Run(restored(decode(data["learner"]), Learner), **{name: data[name] for name in KEPT})


class LensEstimator(BaseEstimator):
    """What both estimators share: parameters, training, and a fitted state of plain data that pickles."""

    run_: Run
    scaler_: Scaler

    def __init__(
        self,
        model: Any = None,
        *,
        hidden: int | Sequence[int] = (100,),
        activation: str | Family = "relu",
        optimizer: Any = "adam",
        learning_rate: Any = 0.001,
        epochs: int = 200,
        batch_size: int = 200,
        early_stopping: bool | EarlyStopping = False,
        validation_split: float = 0.1,
        patience: int = 10,
        standardize: bool = True,
        random_state: Any = None,
        warm_start: bool = False,
        backend: Any = "auto",
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.hidden = hidden
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_split = validation_split
        self.patience = patience
        self.standardize = standardize
        self.random_state = random_state
        self.warm_start = warm_start
        self.backend = backend
        self.verbose = verbose

    def _train(self, x: Numbers, y: Numbers, outputs: int, loss: LossLike, weight: Numbers | None) -> None:
        """Train on rows that are on their scale; `run_` is the run."""
        learner = self._learner(x.shape[1], outputs, loss, x.dtype.name)
        rule, seed = self._stopping(), seed_of(self.random_state)
        self.run_ = learner.fit(
            (rows(learner, x), labels(learner, y)),
            epochs=plain(self.epochs),
            batch_size=plain(self.batch_size),
            seed=seed,
            start=self.run_.weights if self._goes_on() else None,
            validation_split=self.validation_split if rule is not None and rule.hint else 0.0,
            sample_weight=weight,
            early_stopping=rule,
            progress=checks.switch("verbose", self.verbose),
            backend=self.backend,
        )
        self.loss_curve_ = [report["loss"] for report in self.run_.history]
        self.n_iter_ = len(self.run_.history)

    def _learner(self, inputs: int, outputs: int, loss: LossLike, dtype: str) -> Learner:
        """The learner for so many inputs and outputs. A standard one is kept: each fold of a cross-validation trains the same."""
        sizes = self.hidden if isinstance(self.hidden, Sequence | np.ndarray) and checks.iterable(self.hidden) else (self.hidden,)
        hidden = tuple(checks.whole("a size in hidden", n, 1, WIDEST) for n in sizes)
        how = (self.activation, self.optimizer, self.learning_rate)
        if self.model is None and all(isinstance(v, str | float) for v in how):
            return standard(hidden, *how, inputs, outputs, loss, dtype)
        model = network(hidden, self.activation, outputs) if self.model is None else self.model
        return made(built(model, inputs, outputs, dtype), loss, self.optimizer, self.learning_rate)

    def _stopping(self) -> EarlyStopping | None:
        """The rule that ends training early, if there is one."""
        if isinstance(self.early_stopping, EarlyStopping):
            return self.early_stopping
        return early_stopping("val_loss", plain(self.patience)) if checks.switch("early_stopping", self.early_stopping) else None

    def _goes_on(self) -> bool:
        """Whether `fit` begins with the weights of the last one."""
        return checks.switch("warm_start", self.warm_start) and hasattr(self, "run_")

    def _scaler(self, x: Numbers, weight: Numbers | None) -> Scaler:
        """What puts columns at mean 0 and standard deviation 1, or leaves them."""
        scaled = checks.switch("standardize", self.standardize)
        return StandardScaler(with_mean=scaled, with_std=scaled).fit(x, sample_weight=weight)

    def _outputs(self, X: Any) -> Numbers:
        """What the network gives for the rows of X."""
        check_is_fitted(self)
        x = self.scaler_.transform(read(self, X, reset=False))
        return self.run_.predict(rows(self.run_.learner, x))

    def __getstate__(self) -> dict[str, Any]:
        """The state with the run as plain data, because a learner holds functions."""
        state = super().__getstate__()
        return {**state, "run_": held(state["run_"])} if "run_" in state else state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        run = {"run_": released(state["run_"])} if "run_" in state else {}
        super().__setstate__({**state, **run})
