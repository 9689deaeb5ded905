"""A classifier on tables, for scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, listed
from lensgrad.estimators.base import LensEstimator
from lensgrad.estimators.rows import Numbers, by_class, checked, counted, read, relative
from lensgrad.estimators.scikit import ClassifierMixin, check_classification_targets, softmax
from lensgrad.learn.losses import cross_entropy
from lensgrad.train.callbacks import EarlyStopping


class LensClassifier(ClassifierMixin, LensEstimator):
    """A network ℝᵃ → ℝᵏ on tables with k classes, trained on the cross-entropy of its outputs as logits.

    Weights of rows count relative to their mean, so a row of weight 2 is that row twice, and one of weight 0 is left out.

    - `model`: a model, a list of layers, or a function (inputs, outputs) → layers. One that takes arrays of several axes gets each row in
      that shape; dense layers unless given.
    - `hidden`: the sizes of the dense layers, a whole number or several; (100,) unless given.
    - `activation`: of the dense layers, a name or a layer; "relu" unless given.
    - `optimizer`: adagrad, adam, adamw, momentum, nesterov or sgd, or an optimizer such as `lg.adam(1e-3)`, which carries its own rate
      (and, as all that holds functions, cannot be pickled); "adam" unless given.
    - `learning_rate`: of an optimizer by name, a positive number or a schedule; 0.001 unless given.
    - `epochs`: how often to go through the rows, at most; 200 unless given.
    - `batch_size`: rows in a step, or all if there are fewer; 200 unless given.
    - `early_stopping`: with True the share `validation_split` of the rows is kept aside, `fit` ends after `patience` epochs without a
      smaller loss on them, and the weights are those of the best epoch; `lg.early_stopping(…)` says more; False unless given.
    - `validation_split`: the share of the rows that is kept aside, from 0 up to, but not including, 1; 0.1 unless given.
    - `patience`: epochs to wait for a smaller loss; 10 unless given.
    - `class_weight`: a dict from classes to numbers ≥ 0, or "balanced"; all alike unless given.
    - `standardize`: whether columns are put at mean 0 and standard deviation 1 first; True unless given.
    - `random_state`: what first values, the order of rows and the split are drawn from: a whole number, a generator of NumPy, or None for
      another one each time; None unless given.
    - `warm_start`: whether `fit` begins with the weights and the scale of the last one; False unless given.
    - `backend`: "auto", "native", "numpy" or "jax"; "auto" unless given.
    - `verbose`: whether to show a bar, or lines where there is no terminal; False unless given.

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
        backend: Any = "auto",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            model, hidden=hidden, activation=activation, optimizer=optimizer, learning_rate=learning_rate, epochs=epochs,
            batch_size=batch_size, early_stopping=early_stopping, validation_split=validation_split, patience=patience,
            standardize=standardize, random_state=random_state, warm_start=warm_start, backend=backend, verbose=verbose,
        )  # fmt: skip
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
