"""Ready-made learners, each with its data and how it is trained: `TASKS` by name, and what they are made of."""

from __future__ import annotations

from lensgrad.core.errors import BadValue, listed
from lensgrad.recipes import graph, iris, text, vision
from lensgrad.recipes.iris import (
    IRIS_MODELS,
    distance,
    iris_data,
    iris_learner,
    iris_model,
    least_squares,
    petal_width,
    regression_learner,
    train_regression,
)
from lensgrad.recipes.recipe import Data, Plan, Recipe, Sampling

TASKS = {r.name: r for r in (*iris.RECIPES, *vision.RECIPES, *text.RECIPES, *graph.RECIPES)}


def task(name: str) -> Recipe:
    """A ready-made task by its name."""
    if name not in TASKS:
        raise BadValue(f"'{name}' is no task here; use one of {listed(list(TASKS))}")
    return TASKS[name]


__all__ = [
    "IRIS_MODELS", "TASKS", "Data", "Plan", "Recipe", "Sampling", "distance", "iris_data", "iris_learner", "iris_model",
    "least_squares", "petal_width", "regression_learner", "task", "train_regression",
]  # fmt: skip
