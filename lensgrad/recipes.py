"""Ready-made learners: the paper's three Iris networks (arXiv 2404.00408, section 5), and a linear regression."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from lensgrad.cat.para import Para
from lensgrad.core.errors import BadValue, listed
from lensgrad.learn.init import normal
from lensgrad.learn.layers.basic import dense
from lensgrad.learn.losses import half_squared_error, mse
from lensgrad.learn.optimizers import descent
from lensgrad.learner import Learner, Run, supervised
from lensgrad.run.data.bundled import Dataset
from lensgrad.run.data.bundled import iris as flowers
from lensgrad.run.values import Values

IRIS_MODELS = ("dense", "hidden", "linear")


def iris_model(kind: str = "hidden", dtype: str = "float32") -> Para:
    """ℝ⁴ → ℝ³ as the paper has it: weights normal with standard deviation 0.01, biases 0.

    `linear` is W x, `dense` is sigmoid(W x + β), `hidden` is two dense layers with 20 numbers between them.
    """
    start, sigmoid = normal(0.01), "sigmoid"
    if kind == "linear":
        return dense(4, 3, use_bias=False, weights=start, dtype=dtype)
    if kind == "dense":
        return dense(4, 3, activation=sigmoid, weights=start, dtype=dtype)
    if kind == "hidden":
        first = dense(4, 20, activation=sigmoid, weights=start, dtype=dtype, name="hidden")
        return first >> dense(20, 3, activation=sigmoid, weights=start, dtype=dtype, name="output")
    raise BadValue(f"'{kind}' is no Iris model; use one of {listed(IRIS_MODELS)}")


def iris_learner(kind: str = "hidden", rate: float = 0.01, dtype: str = "float32") -> Learner:
    """The learner of an Iris model: half squared error on one-hot labels, plain gradient descent."""
    return supervised(iris_model(kind, dtype), half_squared_error, descent, rate, metrics=["accuracy"])


def iris_data(dtype: str = "float32") -> Dataset:
    """All 150 flowers, raw measurements in cm, species as unit vectors."""
    return flowers().one_hot(dtype).cast(dtype)


def petal_width() -> Dataset:
    """A regression on real data: each flower's petal width from its three other measurements, standardized, in float64."""
    data = flowers().cast("float64")
    others, width = data.x[:, :3], data.x[:, 3:]
    return replace(data, x=(others - others.mean(0)) / others.std(0), y=width, features=data.features[:3])


def regression_learner(features: int = 3, rate: float = 0.2) -> Learner:
    """W x + β : ℝⁿ → ℝ in float64, mean squared error, plain gradient descent."""
    return supervised(dense(features, 1, dtype="float64"), mse, descent, rate)


def least_squares(data: Dataset) -> Values:
    """The weight and bias that minimize the squared error, solved directly: what descent must reach."""
    table = np.column_stack([data.x, np.ones(len(data))])
    solution, *_ = np.linalg.lstsq(table, data.y, rcond=None)
    return {"weight": solution[:-1].T, "bias": solution[-1]}


def distance(values: Values, others: Values) -> float:
    """The largest difference between values of the same names."""
    return max(float(np.max(np.abs(np.asarray(v) - others[name]))) for name, v in values.items())


def train_regression(epochs: int = 1000, seed: int = 0, rate: float = 0.2, batch_size: int | None = None, **fit: Any) -> tuple[Run, float]:
    """Descent on `petal_width`, full batches unless a size is given; the run, and its distance to the least-squares solution."""
    data = petal_width()
    run = regression_learner(data.x.shape[1], rate).fit(data, epochs=epochs, seed=seed, batch_size=batch_size or len(data), **fit)
    return run, distance(run.weights, least_squares(data))
