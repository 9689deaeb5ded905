"""Flowers: the three Iris networks of arXiv 2404.00408, section 5, and a linear regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, listed
from lensgrad.data.bundled import Dataset
from lensgrad.data.bundled import iris as flowers
from lensgrad.learn.init import normal
from lensgrad.learn.layers.basic import dense
from lensgrad.learn.losses import half_squared_error, mse
from lensgrad.learn.model import Model
from lensgrad.learn.optimizers import descent
from lensgrad.program.values import Values
from lensgrad.recipes.recipe import Data, Plan, Recipe
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.run import Run

IRIS_MODELS = ("dense", "hidden", "linear")


def iris_model(kind: str = "hidden", dtype: str = "float32") -> Model:
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


def all_flowers() -> Data:
    """The paper trains on all flowers and judges by them."""
    data = iris_data()
    return Data(data, None, None, f"{len(data)} flowers, {len(data.features)} measurements, {len(data.classes)} species")


def classified_flowers(run: Run, data: Data) -> str:
    """How many of the flowers that it was trained on are classified rightly."""
    accuracy, n = run.evaluate(data.train)["accuracy"], len(data.train)
    return f"accuracy {accuracy:.4f}: {round(accuracy * n)} of the {n} flowers it was trained on"


def all_widths() -> Data:
    """The regression is compared with a solution, not tested."""
    data = petal_width()
    return Data(data, None, None, f"petal width from the {len(data.features)} other measurements of {len(data)} flowers")


def compared(run: Run, data: Data) -> str:
    """The trained line beside the least-squares solution."""
    solution = least_squares(data.train)
    far = distance(run.weights, solution)
    hint = "" if far <= 1e-6 else ": not there yet, give it more --epochs or another --rate"
    return f"{side_by_side(run.weights, solution, data.train.features)}\nlargest difference {far:.1e}{hint}"


def side_by_side(ours: Values, best: Values, features: Sequence[str]) -> str:
    """Two straight lines, a row for each number."""
    (a, b), names = [np.append(v["weight"], v["bias"]) for v in (ours, best)], [*features, "constant"]
    rows = [f"{name:<14}{x:>14.9f}{y:>16.9f}" for name, x, y in zip(names, a, b, strict=True)]
    return "\n".join([f"{'':<14}{'trained':>14}{'least squares':>16}", *rows])


def iris_plan(kind: str) -> Plan:
    return Plan(lambda rate, steps: iris_learner(kind, rate), 0.01, 400, None, "half squared error, gradient descent")


LINE = Plan(lambda rate, steps: regression_learner(3, rate), 0.2, 1000, 150, "mean squared error, gradient descent")
SPECIES = ("Iris-setosa", "Iris-versicolor", "Iris-virginica")

RECIPES = (
    Recipe(
        "iris", "Iris", "150 flowers in 3 species, one flower a step, as in the paper",
        {kind: iris_plan(kind) for kind in IRIS_MODELS}, "hidden", 150, all_flowers, classified_flowers, SPECIES,
    ),
    Recipe(
        "linear", "Linear", "a straight line for petal widths, beside the least-squares solution",
        {"line": LINE}, "line", 150, all_widths, compared,
    ),
)  # fmt: skip
