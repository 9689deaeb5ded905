"""`lg.CircuitClassifier`: a classifier for scikit-learn whose model is a Boolean circuit. It needs the extra `sklearn`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.circuits import METHODS, LearnedCircuit, Plan, Problem, held_back, learn, output_names
from lensgrad.circuits.gates.circuit import Circuit
from lensgrad.circuits.gates.encoders import given_encoder
from lensgrad.circuits.learning.problem import widths
from lensgrad.core.checks import listing, one_of, share, switch
from lensgrad.core.errors import BadValue, MissingExtra
from lensgrad.data.encode import Encoder, encoder
from lensgrad.data.seeds import seed_of
from lensgrad.train.callbacks import EarlyStopping, early_stopping

try:
    # scikit-learn has no types.
    from sklearn.base import BaseEstimator, ClassifierMixin  # pyright: ignore[reportMissingTypeStubs]
    from sklearn.utils.multiclass import check_classification_targets  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
    from sklearn.utils.validation import (  # pyright: ignore[reportMissingTypeStubs]
        check_is_fitted,  # pyright: ignore[reportUnknownVariableType]
        column_or_1d,  # pyright: ignore[reportUnknownVariableType]
        validate_data,  # pyright: ignore[reportUnknownVariableType]
    )
except ImportError as error:
    told = "CircuitClassifier needs scikit-learn 1.6 or newer, which is not installed"
    raise MissingExtra(f"{told}: pip install 'lensgrad[sklearn]'") from error

Numbers = np.ndarray[Any, Any]
FLOATS = [np.float64, np.float32]


class CircuitClassifier(ClassifierMixin, BaseEstimator):
    """A Boolean circuit on bits of a table, with k classes.

    Columns become bits by `lg.data.encoder`: numbers as thermometers of at most `levels` bits, words, and the columns in `categorical`
    (or "all"), as one bit for each value; or by the fitted `encoder`. `method` says how the circuit is learned: "soft" trains
    `layers` of two-input gates by gradient and hardens them, "flip" flips bits of their tables, "anf" adds products modulo 2 one by
    one, "solve" finds the polynomial modulo 2 of least degree that fits all rows, "table" takes the rows as a truth table. "auto" tries
    all but the last on the share `validation_split` of the rows, and learns from all rows with the best; where every row that can occur
    is there, it is the table. `steps`, `batch_size`, `learning_rate` and `temperature`
    are for networks.
    `early_stopping=True` ends a network after `patience` epochs without a smaller loss on rows held back. `simplify` makes the circuit
    smaller without changing what it says about rows that can occur. `feature_names` names the columns of an array.

    Fitted: `classes_`, `n_features_in_`, `feature_names_in_`, `encoder_`, `circuit` (an `export.Circuit`), `learned_` (circuit, encoder
    and classes as one value), `method_`, `validation_score_`, `history_`, `n_iter_`.
    """

    learned_: LearnedCircuit

    def __init__(
        self,
        *,
        method: str = "auto",
        layers: Sequence[int] = (96, 96, 96),
        levels: int = 8,
        categorical: Sequence[str] | str = (),
        encoder: Encoder | None = None,
        steps: int = 2000,
        batch_size: int = 64,
        learning_rate: float = 0.05,
        temperature: float = 3.0,
        early_stopping: bool | EarlyStopping = False,
        validation_split: float = 0.2,
        patience: int = 10,
        simplify: bool = True,
        feature_names: Sequence[str] | None = None,
        target: str = "y",
        random_state: Any = None,
        backend: Any = "auto",
        verbose: bool = False,
    ) -> None:
        self.method = method
        self.layers = layers
        self.levels = levels
        self.categorical = categorical
        self.encoder = encoder
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.temperature = temperature
        self.early_stopping = early_stopping
        self.validation_split = validation_split
        self.patience = patience
        self.simplify = simplify
        self.feature_names = feature_names
        self.target = target
        self.random_state = random_state
        self.backend = backend
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> CircuitClassifier:
        """Learn from the rows of X (a table of n rows) and a class for each."""
        one_of("method", self.method, ("auto", *sorted(METHODS)))
        share("the part of the rows held back", self.validation_split)
        plan, table = self._plan(), self._rows(X, y, reset=True)
        labels = self._labels(rows_in(table), y)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise BadValue(f"y has one class only, {self.classes_[0]!s}, so there is nothing to learn: give rows of two classes or more")
        self.encoder_ = self._encoder(table)
        classes = tuple(map(str, self.classes_.tolist()))
        found = learn(self._problem(self.encoder_.encode(table), numbers, classes, plan), plan, self.method)
        learned = LearnedCircuit(self.encoder_, found.circuit, classes, self.target, found.method)
        self.learned_ = learned.simplified() if switch("simplify", self.simplify) else learned
        self.method_, self.history_, self.validation_score_ = found.method, found.history, found.score
        self.n_iter_ = max(1, len(found.history))
        return self

    def predict(self, X: Any) -> Numbers:
        """The class that the circuit gives each row."""
        check_is_fitted(self)
        return self.classes_[self.learned_.predict(self._rows(X))]

    def predict_proba(self, X: Any) -> Numbers:
        """A column for each class, 1 where the circuit gives a row this class and 0 elsewhere: it says no more than that."""
        return (self.predict(X)[:, None] == self.classes_).astype(np.float64)

    @property
    def circuit(self) -> Circuit:
        """The gates, with the bits of the encoder as inputs."""
        check_is_fitted(self)
        return self.learned_.circuit

    def save(self, path: str | Path) -> list[Path]:
        """Write the circuit by the ending of `path` (.aig, .aag, .blif, .v, .c), its encoder and the rows that can occur beside it."""
        check_is_fitted(self)
        return self.learned_.save(path)

    def _labels(self, rows: int, y: Any) -> Numbers:
        """The classes, one for each row."""
        labels: Numbers = np.asarray(column_or_1d(y, warn=True))  # pyright: ignore[reportUnknownArgumentType]  # without types
        if labels.dtype.kind == "O" and len({isinstance(v, str) for v in labels}) > 1:
            raise BadValue("some labels in y are words and some are not, so they have no order: make all of them words")
        check_classification_targets(labels)
        if len(labels) != rows:
            raise BadValue(f"X has {rows} rows and y has {len(labels)} labels: give each row one")
        return labels

    def _rows(self, X: Any, y: Any = "no_validation", reset: bool = False) -> Any:
        """A table whose columns have names: a frame as it is, an array as scikit-learn checks it."""
        if hasattr(X, "columns"):
            validate_data(self, X, skip_check_array=True, reset=reset)
            return X
        table: Numbers = parts_of(validate_data(self, X, y, dtype=FLOATS, reset=reset))[0]
        return dict(zip(self._names(table.shape[1]), table.T, strict=True))

    def _names(self, columns: int) -> list[str]:
        given = self.feature_names if self.encoder is None else [c.name for c in self._given_encoder().columns]
        if given is None:
            return [f"x{k}" for k in range(columns)]
        given = list(map(str, listing("feature_names", given, "a list of names, one for each column of X")))
        if len(given) != columns:
            what = "feature_names has" if self.encoder is None else "the encoder is for"
            raise BadValue(f"X has {columns} columns, and {what} {len(given)}")
        twice = [name for k, name in enumerate(given) if name in given[:k]]
        if twice:
            raise BadValue(f"two columns of X would be called '{twice[0]}': give feature_names that differ")
        return given

    def _encoder(self, table: Any) -> Encoder:
        return encoder(table, levels=self.levels, categorical=self.categorical) if self.encoder is None else self._given_encoder()

    def _given_encoder(self) -> Encoder:
        return given_encoder("encoder", self.encoder)

    def _plan(self) -> Plan:
        rule = self.early_stopping
        stops = isinstance(rule, EarlyStopping) or switch("early_stopping", rule)
        stopping = rule if isinstance(rule, EarlyStopping) else early_stopping("val_loss", self.patience) if stops else None
        return Plan(
            widths(self.layers), self.steps, self.batch_size, self.learning_rate, self.temperature,
            seed=seed_of(self.random_state), stopping=stopping,
            progress=switch("verbose", self.verbose), backend=self.backend,
        )  # fmt: skip

    def _problem(self, x: Numbers, y: Numbers, classes: tuple[str, ...], plan: Plan) -> Problem:
        """The rows, a share of them held back where something is chosen by it."""
        names = self.encoder_.names, output_names(self.target, classes)
        problem = Problem(x, y, *names, len(classes), possible=self.encoder_.possible)
        if plan.stopping is None and (self.method != "auto" or problem.complete):
            return problem
        return held_back(problem, self.validation_split, plan.seed)


def parts_of(found: Any) -> list[Any]:
    """X and y, or X alone, as scikit-learn gives them."""
    return [*found] if isinstance(found, tuple) else [found]


def rows_in(table: Any) -> int:
    """How many rows a table of columns has."""
    columns = list(dict(table).values())
    if not columns:
        raise BadValue("X has no columns, so there is nothing to learn from")
    return len(columns[0])
