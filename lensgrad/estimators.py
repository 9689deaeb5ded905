"""Estimators for scikit-learn: a network on a table with `fit`, `predict` and `score`, in pipelines and searches.

They need the extra `sklearn`. `lg.LensClassifier` and `lg.LensRegressor` import this module when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from numbers import Integral
from typing import Any

import numpy as np

from lensgrad.cat.para import Para
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, MissingExtra, TypeMismatch, listed
from lensgrad.files.write import decode
from lensgrad.learn.layers.basic import dense, input
from lensgrad.learn.layers.combine import sequential
from lensgrad.learn.losses import cross_entropy, mse
from lensgrad.learn.optimizers import adagrad, adam, adamw, sgd
from lensgrad.theories.smooth.array import Array
from lensgrad.train.callbacks import EarlyStopping, early_stopping
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.loading import restored
from lensgrad.train.run import Run

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils import check_random_state, compute_sample_weight
    from sklearn.utils.extmath import softmax
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    told = "LensClassifier and LensRegressor need scikit-learn 1.6 or newer, which is not installed"
    raise MissingExtra(f"{told}: pip install 'lensgrad[sklearn]'") from error

Numbers = np.ndarray[Any, Any]
FLOATS = [np.float64, np.float32]  # what scikit-learn keeps as it is; anything else becomes float64
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adagrad": adagrad,
    "adam": adam,
    "adamw": adamw,
    "momentum": partial(sgd, momentum=0.9),
    "nesterov": partial(sgd, momentum=0.9, nesterov=True),
    "sgd": sgd,
}


class LensEstimator(BaseEstimator):
    """What both estimators share: parameters, training, and a fitted state of plain data that pickles."""

    run_: Run
    scaler_: Any

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
        backend: Any = "native",
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

    def _train(self, x: Any, y: Any, outputs: int, loss: Any, weight: Numbers | None) -> None:
        """Train on rows that are on their scale; `run_` is the run."""
        learner = self._learner(x.shape[1], outputs, loss, x.dtype.name)
        rule, seed = self._stopping(), int(check_random_state(self.random_state).randint(2**31 - 1))
        self.run_ = learner.fit(
            (rows(learner, x), y.astype(learner.examples()["y"].dtype)),
            epochs=plain(self.epochs),
            batch_size=plain(self.batch_size),
            seed=seed,
            start=self.run_.weights if self._goes_on() else None,
            validation_split=self.validation_split if rule is not None and rule.hint else 0.0,
            sample_weight=weight,
            early_stopping=rule,
            progress=bool(self.verbose),
            backend=self.backend,
        )
        self.loss_curve_ = [report["loss"] for report in self.run_.history]
        self.n_iter_ = len(self.run_.history)

    def _learner(self, inputs: int, outputs: int, loss: Any, dtype: str) -> Learner:
        """The learner for so many inputs and outputs. A standard one is kept: each fold of a cross-validation trains the same."""
        hidden: Any = self.hidden if isinstance(self.hidden, Sequence) else (self.hidden,)
        how = (self.activation, self.optimizer, self.learning_rate)
        if self.model is None and all(isinstance(v, str | float) for v in how):
            return standard(tuple(map(plain, hidden)), *how, inputs, outputs, loss, dtype)
        model = network(hidden, self.activation, outputs) if self.model is None else self.model
        return made(built(model, inputs, outputs, dtype), loss, self.optimizer, self.learning_rate)

    def _stopping(self) -> EarlyStopping | None:
        """The rule that ends training early, if there is one."""
        if isinstance(self.early_stopping, EarlyStopping):
            return self.early_stopping
        return early_stopping("val_loss", plain(self.patience)) if self.early_stopping else None

    def _goes_on(self) -> bool:
        """Whether `fit` begins with the weights of the last one."""
        return bool(self.warm_start) and hasattr(self, "run_")

    def _scaler(self, x: Numbers, weight: Numbers | None) -> Any:
        """What puts columns at mean 0 and standard deviation 1, or leaves them."""
        return StandardScaler(with_mean=bool(self.standardize), with_std=bool(self.standardize)).fit(x, sample_weight=weight)

    def _outputs(self, X: Any) -> Numbers:
        """What the network gives for the rows of X."""
        check_is_fitted(self)
        x = self.scaler_.transform(read(self, X, reset=False))
        return self.run_.predict(rows(self.run_.learner, x))

    def __getstate__(self) -> dict[str, Any]:
        """The state with the run as plain data, because a learner holds functions."""
        state: Any = super().__getstate__()
        return {**state, "run_": held(state["run_"])} if "run_" in state else state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        run = {"run_": released(state["run_"])} if "run_" in state else {}
        super().__setstate__({**state, **run})


class LensClassifier(ClassifierMixin, LensEstimator):
    """A network ℝᵃ → ℝᵏ on tables with k classes, trained on the cross-entropy of its outputs as logits.

    `model` is a model, a list of layers, or a function (inputs, outputs) → layers; without one it is dense layers of the sizes
    `hidden` with `activation`. A model that takes arrays of several axes gets each row in that shape. `optimizer` is one of
    adagrad, adam, adamw, momentum, nesterov, sgd with `learning_rate`, or an optimizer such as `lg.adam(1e-3)`, which carries
    its own (and, as all that holds functions, cannot be pickled). Columns are put at mean 0 and standard deviation 1 first,
    unless `standardize=False`. A step is on `batch_size` examples, or on all if there are fewer.

    `early_stopping=True` keeps the share `validation_split` of the rows aside, ends after `patience` epochs without a smaller loss
    on them, and has the weights of the best epoch; `lg.early_stopping(…)` says more. `class_weight` is a dict by class or
    "balanced". Weights count relative to their mean, so a row of weight 2 is that row twice, and one of weight 0 is left out.
    `warm_start` begins with the weights and the scale of the last `fit`.

    Fitted: `classes_`, `n_features_in_`, `feature_names_in_`, `run_` (the `lg.Run`), `loss_curve_`, `n_iter_`, `scaler_`.
    """

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
        class_weight: Any = None,
        standardize: bool = True,
        random_state: Any = None,
        warm_start: bool = False,
        backend: Any = "native",
        verbose: bool = False,
    ) -> None:
        network = {"model": model, "hidden": hidden, "activation": activation, "standardize": standardize, "backend": backend}
        steps = {"optimizer": optimizer, "learning_rate": learning_rate, "epochs": epochs, "batch_size": batch_size}
        ends = {"early_stopping": early_stopping, "validation_split": validation_split, "patience": patience}
        super().__init__(**network, **steps, **ends, random_state=random_state, warm_start=warm_start, verbose=verbose)
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LensClassifier:
        """Train on the rows of X (n, features) and a class for each."""
        x, y = read(self, X, y)
        check_classification_targets(y)
        classes, numbers = np.unique(y, return_inverse=True)
        given = checked(sample_weight, x)
        weight = relative(given, by_class(self.class_weight, y, numbers, given))
        going_on = self._goes_on()
        if going_on and not np.array_equal(classes, self.classes_):
            known, now = (listed([str(c) for c in found]) for found in (self.classes_, classes))
            raise BadValue(f"warm_start goes on with the classes {known}, and y has {now}: fit a new estimator")
        x, numbers, weight = counted(weight, x, numbers)
        self.classes_ = classes
        self.scaler_ = self.scaler_ if going_on else self._scaler(x, weight)
        self._train(self.scaler_.transform(x), numbers, len(classes), cross_entropy, weight)
        return self

    def predict(self, X: Any) -> Numbers:
        """The class of each row: the one with the largest logit."""
        found = self._outputs(X)  # first, because it says when nothing is fitted
        return self.classes_[found.argmax(1)]

    def predict_proba(self, X: Any) -> Numbers:
        """The probability of each class, in the order of `classes_`, for each row: (n, classes)."""
        return softmax(self._outputs(X))

    def decision_function(self, X: Any) -> Numbers:
        """The logits (n, classes); of two classes their difference (n,), which is positive for the second."""
        found = self._outputs(X)
        return found[:, 1] - found[:, 0] if len(self.classes_) == 2 else found


class LensRegressor(RegressorMixin, LensEstimator):
    """A network ℝᵃ → ℝᵏ on tables with k numbers to predict, trained on mean squared error.

    Its parameters are those of `LensClassifier`, without `class_weight`. The targets are put at mean 0 and standard deviation 1
    too, unless `standardize=False`, and predictions are on the scale of y again; `loss_curve_` is on that of training.

    Fitted: `n_features_in_`, `feature_names_in_`, `run_` (the `lg.Run`), `loss_curve_`, `n_iter_`, `scaler_`, `target_scaler_`.
    """

    target_scaler_: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LensRegressor:
        """Train on the rows of X (n, features) and a number, or a row of numbers, for each."""
        x, y = read(self, X, y, multi_output=True, y_numeric=True)
        weight, columns = relative(checked(sample_weight, x)), np.asarray(y, np.float64).reshape(len(y), -1)
        going_on = self._goes_on()
        if going_on and y.shape[1:] != self.target_shape_:
            told = f"warm_start goes on with {self.target_scaler_.n_features_in_} targets, and y has shape {y.shape}"
            raise BadValue(f"{told}: fit a new estimator")
        x, columns, weight = counted(weight, x, columns)
        self.target_shape_ = y.shape[1:]
        if not going_on:
            self.scaler_, self.target_scaler_ = self._scaler(x, weight), self._scaler(columns, weight)
        self._train(self.scaler_.transform(x), self.target_scaler_.transform(columns), columns.shape[1], mse, weight)
        return self

    def predict(self, X: Any) -> Numbers:
        """The numbers predicted for each row, in the shape that y had."""
        outputs = self._outputs(X)  # first, because it says when nothing is fitted
        found = self.target_scaler_.inverse_transform(outputs)
        return found.reshape(len(found), *self.target_shape_)


# -- learners ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def standard(
    hidden: tuple[int, ...], activation: str, optimizer: str, rate: float, inputs: int, outputs: int, loss: Any, dtype: str
) -> Learner:
    """The learner of dense layers, of plain values only."""
    return made(built(network(hidden, activation, outputs), inputs, outputs, dtype), loss, optimizer, rate)


def network(hidden: Sequence[int], activation: str | Family, outputs: int) -> Family:
    """Dense layers."""
    layers = [dense(plain(n), activation=activation, name=f"hidden{k}") for k, n in enumerate(hidden, 1)]
    return sequential(*layers, dense(outputs, name="output"))


def built(model: Any, inputs: int, outputs: int, dtype: str) -> Para:
    """A model, a list of layers, or what a function gives for so many inputs and outputs, as a model."""
    found = model if isinstance(model, Para | Family) or not callable(model) else model(inputs, outputs)
    found = sequential(*found) if isinstance(found, Sequence) and not isinstance(found, str) else found
    found = input(inputs, dtype=dtype) >> found if isinstance(found, Family) else found
    if not isinstance(found, Para):
        raise TypeMismatch(f"model is a model, a list of layers, or a function (inputs, outputs) → layers; got {found!r:.60}")
    return fitting(found, inputs, outputs)


def fitting(model: Para, inputs: int, outputs: int) -> Para:
    """The model, if it takes so many numbers and gives so many."""
    if len(model.dom) != 1 or not isinstance(model.dom[0], Array) or model.dom[0].size != inputs:
        raise TypeMismatch(f"the model takes {model.dom}, and X has {inputs} features: begin it with lg.input({inputs})")
    if len(model.cod) != 1 or not isinstance(model.cod[0], Array) or model.cod[0].shape != (outputs,):
        raise TypeMismatch(f"the model gives {model.cod}, and y needs {outputs} outputs: end it with lg.dense({outputs})")
    return model


def made(model: Para, loss: Any, optimizer: Any, rate: Any) -> Learner:
    """The learner of a model, with an optimizer by its name."""
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            raise BadValue(f"'{optimizer}' is no optimizer; use one of {listed(sorted(OPTIMIZERS))}, or one such as lg.adam(1e-3)")
        optimizer = OPTIMIZERS[optimizer](rate)
    return supervised(model, loss, optimizer)


# -- data --------------------------------------------------------------------------------------------------------------


def plain(n: Any) -> Any:
    """A whole number of NumPy's as one of Python's; anything else as it is, for those who check it."""
    return int(n) if isinstance(n, Integral) else n


def read(estimator: LensEstimator, *data: Any, **how: Any) -> Any:
    """X, or X and y, as arrays that scikit-learn has checked."""
    return validate_data(estimator, *data, dtype=FLOATS, **how)


def rows(learner: Learner, x: Numbers) -> Numbers:
    """Rows in the shape and dtype that a model takes."""
    atom = learner.model.dom[0]
    return x.reshape(len(x), *atom.shape).astype(atom.dtype, copy=False)


def checked(given: Any, x: Numbers) -> Numbers | None:
    """Weights as one number ≥ 0 for each row, if there are any."""
    return None if given is None else _check_sample_weight(given, x, dtype=np.float64, ensure_non_negative=True)


def by_class(how: Any, y: Numbers, numbers: Numbers, given: Numbers | None) -> Numbers | None:
    """The weight of each row's class; balanced ones give every class the same share of all weights."""
    if how is None:
        return None
    if not isinstance(how, str) or how != "balanced":
        return compute_sample_weight(how, y)
    totals = np.bincount(numbers, given)
    return np.divide(1.0, totals, out=np.zeros_like(totals, np.float64), where=totals > 0)[numbers]


def relative(*weights: Numbers | None) -> Numbers | None:
    """The product of weights with mean 1 over the rows that count; None where all count once."""
    given = [w for w in weights if w is not None]
    if not given:
        return None
    found = np.prod(given, axis=0)
    if not found.any():
        raise BadValue("the weights of the examples are all zero, so there is nothing to learn from")
    return found / found[found > 0].mean()


def counted(weight: Numbers | None, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers, Numbers | None]:
    """The rows whose weight is not 0."""
    if weight is None:
        return x, y, None
    return x[weight > 0], y[weight > 0], weight[weight > 0]


# -- runs as plain data ------------------------------------------------------------------------------------------------

KEPT = ("values", "history", "position", "seconds", "best_epoch", "interrupted", "backend")


def held(run: Run) -> dict[str, Any]:
    """A run as plain data: its learner as a checkpoint has it, arrays by name, and what is left of its fields."""
    return {"learner": run.learner.recipe().data, **{name: getattr(run, name) for name in KEPT}}


def released(data: Mapping[str, Any]) -> Run:
    """The run that `held` gave as data."""
    return Run(restored(decode(data["learner"])), **{name: data[name] for name in KEPT})
