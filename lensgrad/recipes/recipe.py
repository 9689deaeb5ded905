"""What a ready-made task is: its data, its models, how each is trained, what is said of a trained one, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, listed
from lensgrad.data.bundled import Dataset
from lensgrad.theories.smooth.array import Array
from lensgrad.train.learner import Learner
from lensgrad.train.run import Run


@dataclass(frozen=True)
class Data:
    """What a model is trained on, chosen by and judged on, in that order, and a sentence that counts it.

    Nothing is ever chosen by what it is judged on. None stands where a task has no such part.
    """

    train: Any
    validation: Any
    test: Any
    told: str


@dataclass(frozen=True)
class Plan:
    """A model and all that trains it: `learner(rate, steps)` is the learner for so many steps, `told` names loss and optimizer."""

    learner: Callable[[float, int], Learner]
    rate: float
    epochs: int
    batch_size: int | None
    told: str


@dataclass(frozen=True)
class Sampling:
    """How a text is drawn: so many characters, with probabilities sharpened below temperature 1, from a seed."""

    length: int = 300
    temperature: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.length < 0 or self.seed < 0:
            raise BadValue(f"length and seed must be whole numbers ≥ 0, got {self.length} and {self.seed}")
        if not 0 < self.temperature < float("inf"):
            raise BadValue(f"temperature must be a number > 0, got {self.temperature}: small ones choose the likeliest, 1 draws as learned")


@dataclass(frozen=True)
class Recipe:
    """A task by name. `examples` is how many it trains on; `verdict` says in words what a run reaches on its test part.

    `classes` are the names of what is told apart; `answer` continues or looks up a text, for models that do not take rows of
    numbers; `closing` is said after training. `large` is a task that needs JAX where it is installed.
    """

    name: str
    title: str
    about: str
    plans: Mapping[str, Plan]
    default: str
    examples: int
    data: Callable[[], Data]
    verdict: Callable[[Run, Data], str]
    classes: tuple[str, ...] = ()
    answer: Callable[[Run, str, Sampling], str] | None = None
    closing: Callable[[Run, int], str] | None = None
    large: bool = False

    def plan(self, model: str | None = None) -> Plan:
        """How one of its models is trained; the default one if none is named."""
        kind = self.default if model is None else model
        if kind not in self.plans:
            raise BadValue(f"'{kind}' is no {self.title} model; use one of {listed(list(self.plans))}")
        return self.plans[kind]

    def steps(self, epochs: int, batch_size: int | None) -> int:
        """How many steps so many epochs take; at least 4, so that every schedule has its parts."""
        return max(4, epochs * -(-self.examples // max(1, batch_size or 1)))

    def learner(
        self, model: str | None = None, rate: float | None = None, epochs: int | None = None, batch_size: int | None = None
    ) -> Learner:
        """The learner of one of its models, for the steps of so many epochs; what is not given is that of its plan."""
        plan = self.plan(model)
        steps = self.steps(plan.epochs if epochs is None else epochs, plan.batch_size if batch_size is None else batch_size)
        return plan.learner(plan.rate if rate is None else rate, steps)


def classified(things: str) -> Callable[[Run, Data], str]:
    """The verdict on a classifier: how many of its test examples it gets right."""

    def verdict(run: Run, data: Data) -> str:
        accuracy, n = run.evaluate(fitting(run.learner, data.test))["accuracy"], len(data.test)
        return f"test accuracy {accuracy:.4f}: {round(accuracy * n):,} of {n:,} {things} that were not trained on"

    return verdict


def fitting(learner: Learner, data: Any) -> Any:
    """A data set with its labels as a learner takes them: class numbers, or unit vectors of floats."""
    atom = learner.examples().get("y")
    if not isinstance(data, Dataset) or not isinstance(atom, Array) or not atom.floating or data.y.ndim != 1:
        return data
    return data.one_hot(atom.dtype)


def softmax(logits: Any) -> Any:
    """Probabilities from logits, along the last axis."""
    scores = np.asarray(logits, np.float64)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def likeliest(rows: Sequence[str], shares: Any, classes: Sequence[str], most: int = 3) -> str:
    """A line for each row: its name, and the likeliest classes with their probabilities."""
    best = np.argsort(-shares, axis=-1, kind="stable")[:, :most]
    found = ([f"{classes[k]} {share[k]:.3f}" for k in where] for where, share in zip(best, shares, strict=True))
    return "\n".join("  ".join([row, *words]) for row, words in zip(rows, found, strict=True))
