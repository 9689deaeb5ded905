"""What a circuit is learned from, how, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np

from lensgrad.circuits.gates.circuit import Circuit, given_circuit, names_in
from lensgrad.circuits.gates.functions import zeros_and_ones
from lensgrad.circuits.learning.learned import decided
from lensgrad.core import checks
from lensgrad.core.checks import flag, instance, number, positive, shown, whole
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import array
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

    def __post_init__(self) -> None:
        """Rows and names that fit one another, as arrays and tuples."""
        for side in ("inputs", "outputs"):
            object.__setattr__(self, side, names_in(side[:-1], getattr(self, side)))
        object.__setattr__(self, "classes", whole("the number of classes of a problem", self.classes, 1))
        x, y = self._rows("x", self.x, self.y)
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        if self.held is not None:
            object.__setattr__(self, "held", self._rows("the x held back", *pair(self.held)))
        if self.possible is not None:
            object.__setattr__(self, "possible", whole("how many rows of bits can occur", self.possible))

    def _rows(self, name: str, x: Any, y: Any) -> tuple[Numbers, Numbers]:
        """Rows of bits, and a class number for each."""
        bits, labels = zeros_and_ones(name, x), array(y, "y")
        if bits.ndim != 2 or bits.shape[1] != len(self.inputs):
            raise BadValue(f"{name} must have a row of {len(self.inputs)} bits for each example, got an array of shape {bits.shape}")
        if labels.shape != (len(bits),):
            raise BadValue(f"y must have one class number for each of {len(bits)} rows, got an array of shape {labels.shape}")
        counted = labels.dtype.kind in "iu" or (labels.dtype.kind == "f" and (labels == np.floor(labels)).all())
        if labels.size and not (counted and 0 <= labels.min() <= labels.max() < self.classes):
            raise BadValue(f"y must have class numbers from 0 to {self.classes - 1}, got {shown(labels)}")
        return bits, labels.astype(np.int64)

    @property
    def complete(self) -> bool:
        """Whether it is a truth table: every row that can occur is there, and equal rows have one class."""
        if self.possible is None or len(self.x) < self.possible or len(np.unique(self.x, axis=0)) < self.possible:
            return False
        return len(np.unique(np.column_stack([self.x, self.y]), axis=0)) == self.possible

    def accuracy(self, circuit: Circuit, held: bool = False) -> float:
        """The share of the rows, or of those held back, that a circuit gives their class."""
        given_circuit("what is measured", circuit)
        if flag("held", held) and self.held is None:
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
    backend: str = "auto"
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
        instance("relaxation", self.relaxation, Relaxation, "a relaxation, such as sigmoid_tables()")
        object.__setattr__(self, "progress", flag("progress", self.progress))
        if self.stopping is not None:
            instance("stopping", self.stopping, EarlyStopping, "lg.early_stopping(…), or None")
        if self.degree is not None:
            object.__setattr__(self, "degree", whole("degree", self.degree))


@dataclass(frozen=True)
class Found:
    """Gates, and how they came about: the method, what each epoch reported, the accuracy on rows held back, and the degree (or None)."""

    circuit: Circuit
    method: str
    history: tuple[Mapping[str, float], ...] = ()
    score: float | None = None
    degree: int | None = None

    def __post_init__(self) -> None:
        given_circuit("what a method found", self.circuit)
        instance("the name of a method", self.method, str, "text, such as 'soft'")
        instance("the history of a method", self.history, tuple, "a tuple, an entry for each epoch")
        if self.score is not None:
            number("the score of a method", self.score, 0, 1)
        if self.degree is not None:
            whole("the degree of a method", self.degree)


Method = Callable[[Problem, Plan], Found]


class Infeasible(BadValue):
    """A method that would need too much for a problem, or that cannot solve it."""


def widths(layers: Any) -> tuple[Any, ...]:
    """The gates of each layer, one layer or more."""
    found = (*sizes(layers),)
    if not found:
        raise BadValue(f"layers must be the gates of each layer, one or more, as in (96, 96), got {shown(layers)}")
    return found


def sizes(layers: Any) -> list[Any]:
    """What is in an array or a list, nothing of anything else."""
    listing = isinstance(layers, Sequence) and not isinstance(layers, str)
    return [*layers] if listing or (isinstance(layers, np.ndarray) and layers.ndim) else []


def pair(held: Any) -> tuple[Any, Any]:
    """Rows held back and their classes."""
    parts: list[Any] = [*held] if isinstance(held, tuple | list) else []
    if len(parts) != 2:
        raise BadValue(f"rows must be held back as a pair (x, y), got {shown(held)}")
    return parts[0], parts[1]


def lengths(problem: Problem, plan: Plan) -> tuple[int, int]:
    """How many rows a step takes, and how many epochs make so many steps."""
    size = min(plan.batch_size, len(problem.x))
    return size, max(1, round(plan.steps / ceil(len(problem.x) / size)))


def check(problem: Problem) -> None:
    """Refuse what nothing can be learned from."""
    instance("what a circuit is learned from", problem, Problem, "a problem, as circuits.Problem(x, y, inputs, outputs, classes) gives")
    if not problem.x.shape[1]:
        raise BadValue("no feature tells the rows apart, so there is nothing to learn from: every column is constant")
    if len(problem.x) < 2:
        raise BadValue(f"a circuit needs two rows or more to learn from, got {len(problem.x)}")


def held_back(problem: Problem, share: float, seed: int) -> Problem:
    """The problem with a share of its rows held back, of every class in proportion; none where that would leave a part empty."""
    instance("what rows are held back of", problem, Problem, "a problem, as circuits.Problem(x, y, inputs, outputs, classes) gives")
    share = checks.share("the part of the rows held back", share)
    if not 0 < round(share * len(problem.x)) < len(problem.x):
        return problem
    (x, y), held = split((problem.x, problem.y), share, seed=seed)
    return replace(problem, x=x, y=y, held=held)
