"""A regressor on tables, for scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.estimators.base import LensEstimator
from lensgrad.estimators.rows import Numbers, checked, counted, read, relative
from lensgrad.estimators.scikit import RegressorMixin, Scaler
from lensgrad.learn.losses import mse


class LensRegressor(RegressorMixin, LensEstimator):
    """A network ℝᵃ → ℝᵏ on tables with k numbers to predict, trained on mean squared error.

    Its parameters are those of `LensClassifier`, without `class_weight`. The targets are put at mean 0 and standard deviation 1
    too, unless `standardize=False`, and predictions are on the scale of y again; `loss_curve_` is on that of training.

    Fitted: `n_features_in_`, `feature_names_in_`, `run_` (the `lg.Run`), `loss_curve_`, `n_iter_`, `scaler_`, `target_scaler_`.
    """

    target_scaler_: Scaler

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
