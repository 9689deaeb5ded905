"""What a circuit is learned from, how, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np

from lensgrad.circuits.gates.circuit import Circuit
from lensgrad.circuits.learning.learned import decided
from lensgrad.core import checks
from lensgrad.core.checks import number, positive, whole
from lensgrad.core.errors import BadValue
from lensgrad.data.split import split
from lensgrad.learn.circuits.soft import Relaxation, sigmoid_tables
from lensgrad.train.callbacks import EarlyStopping

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Problem:
    """Rows of bits with class numbers, what bits and classes are called, and rows held back to choose by (or none)."""

    x: Numbers
    y: Numbers
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: int
    held: tuple[Numbers, Numbers] | None = None
    possible: int | None = None  # how many rows of bits can occur

    @property
    def complete(self) -> bool:
        """Whether it is a truth table: every row that can occur is there, and equal rows have one class."""
        if self.possible is None or len(self.x) < self.possible or len(np.unique(self.x, axis=0)) < self.possible:
            return False
        return len(np.unique(np.column_stack([self.x, self.y]), axis=0)) == self.possible

    def accuracy(self, circuit: Circuit, held: bool = False) -> float:
        """The share of the rows, or of those held back, that a circuit gives their class."""
        if held and self.held is None:
            raise BadValue("no rows of this problem are held back, so nothing is measured on them: see held_back")
        x, y = self.held if held and self.held is not None else (self.x, self.y)
        return float((decided(circuit.run(x)) == y).mean())

    def whole(self) -> Problem:
        """The same with the rows that were held back among the others."""
        if self.held is None:
            return self
        return replace(self, x=np.concatenate([self.x, self.held[0]]), y=np.concatenate([self.y, self.held[1]]), held=None)


@dataclass(frozen=True)
class Plan:
    """How to learn: gates in each layer, how many steps of how many rows, which part of them straight through vertices, from which seed.

    `degree` is that of the polynomial of method "anf"; None looks for the best.
    """

    layers: tuple[int, ...] = (96, 96, 96)
    steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 0.05
    temperature: float = 3.0
    relaxation: Relaxation = field(default_factory=lambda: sigmoid_tables(1.0, 0.5))
    straight: float = 0.5
    wiring: Any = None
    seed: int = 0
    stopping: EarlyStopping | None = None
    progress: bool = False
    backend: str = "native"
    degree: int | None = None

    def __post_init__(self) -> None:
        """Counts, checked, become Python's own, as those of NumPy are taken too."""
        object.__setattr__(self, "layers", tuple(whole("the number of gates of a layer", n, 1) for n in widths(self.layers)))
        for name in ("steps", "batch_size"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        for name in ("learning_rate", "temperature"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        object.__setattr__(self, "straight", number("straight", self.straight, 0, 1))
        object.__setattr__(self, "seed", whole("seed", self.seed))


@dataclass(frozen=True)
class Found:
    """Gates, and how they came about: the method, what each epoch reported, the accuracy on rows held back, and the degree (or None)."""

    circuit: Circuit
    method: str
    history: tuple[Mapping[str, float], ...] = ()
    score: float | None = None
    degree: int | None = None


Method = Callable[[Problem, Plan], Found]


class Infeasible(BadValue):
    """A method that would need too much for a problem, or that cannot solve it."""


def widths(layers: Any) -> tuple[Any, ...]:
    """The gates of each layer, one layer or more."""
    found = tuple(layers) if isinstance(layers, Sequence | np.ndarray) and not isinstance(layers, str) else ()
    if not found:
        raise BadValue(f"layers must be the gates of each layer, one or more, as in (96, 96), got {layers!r}")
    return found


def lengths(problem: Problem, plan: Plan) -> tuple[int, int]:
    """How many rows a step takes, and how many epochs make so many steps."""
    size = min(plan.batch_size, len(problem.x))
    return size, max(1, round(plan.steps / ceil(len(problem.x) / size)))


def check(problem: Problem) -> None:
    """Refuse what nothing can be learned from."""
    if not problem.x.shape[1]:
        raise BadValue("no feature tells the rows apart, so there is nothing to learn from: every column is constant")
    if len(problem.x) < 2:
        raise BadValue(f"a circuit needs two rows or more to learn from, got {len(problem.x)}")


def held_back(problem: Problem, share: float, seed: int) -> Problem:
    """The problem with a share of its rows held back, of every class in proportion; none where that would leave a part empty."""
    share = checks.share("the part of the rows held back", share)
    if not 0 < round(share * len(problem.x)) < len(problem.x):
        return problem
    (x, y), held = split((problem.x, problem.y), share, seed=seed)
    return replace(problem, x=x, y=y, held=held)
