"""What `make evidence` measures of circuits that learn: the paper's figures, and each rule where it is at its best."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.learn import circuits

Numbers = np.ndarray[Any, Any]
Pair = tuple[Numbers, Numbers]
MONK = (3, 3, 2, 3, 4, 2)  # values of the six features


@dataclass(frozen=True)
class Task:
    """Rows of bits and classes to learn from, and others to be judged by."""

    train: Pair
    test: Pair


def monk(number: int) -> Task:
    """A MONK's problem in its official split, one bit for each value of each feature (Thrun et al., 1991)."""
    folder = Path(os.environ.get("LENSGRAD_DATA", "../shared/data")) / "boolean"
    return Task(*(monk_rows(folder / f"monks-{number}.{part}") for part in ("train", "test")))


def monk_rows(path: Path) -> Pair:
    table = np.array([line.split()[:7] for line in path.read_text().splitlines() if line.strip()], np.int64)
    return np.concatenate([np.eye(n)[table[:, i + 1] - 1] for i, n in enumerate(MONK)], 1), table[:, 0].astype(np.int32)


def parity(n: int) -> Task:
    """All rows of n bits, to learn from and to be judged by: a test of optimization, not of generalization."""
    x = np.array(list(product((0.0, 1.0), repeat=n)))
    whole = x, x.sum(1).astype(np.int32) % 2
    return Task(whole, whole)


def multiplexer(address: int, seed: int = 0) -> Task:
    """Half of all rows to learn from, the others to be judged by: the bit among 2ᵃ that a bits of address name."""
    x = np.array(list(product((0.0, 1.0), repeat=address + 2**address)))
    number = (x[:, :address] @ 2 ** np.arange(address)[::-1]).astype(np.int64)
    y, order = x[np.arange(len(x)), address + number].astype(np.int32), np.random.default_rng(seed).permutation(len(x))
    return Task(*((x[half], y[half]) for half in (order[: len(x) // 2], order[len(x) // 2 :])))


@dataclass(frozen=True)
class Flip:
    """How a network of gates is learned by lifted flips: gates in each layer, steps, and the settings of the rule."""

    layers: tuple[int, ...] = (96, 96, 96, 96)
    steps: int = 400
    batch: int = 64
    rate: float = 0.01
    temperature: float = 6.0
    loss: Any = lg.cross_entropy

    def learner(self, inputs: int, classes: int, seed: int) -> lg.Learner:
        network = circuits.lut_network(inputs, self.layers, classes, seed=1000 * seed)
        rule = circuits.lifted_flip(lg.linear_decay(self.rate, self.steps))
        return lg.supervised(circuits.soften(network, temperature=self.temperature), self.loss, rule, metrics=["accuracy"])

    def run(self, task: Task, seed: int) -> tuple[float, float]:
        """Accuracy on the rows it learned from and on the others, at the last weights: the rate has fallen to 0."""
        x, y = task.train
        made = self.learner(x.shape[1], int(y.max()) + 1, seed)
        epochs = max(1, round(self.steps * self.batch / len(x)))
        run = made.fit(task.train, epochs=epochs, batch_size=min(self.batch, len(x)), seed=seed, progress=False)
        return tuple(run.evaluate(rows, batch_size=512)["accuracy"] for rows in (task.train, task.test))


def flipped(task: Task, how: Flip, seeds: Sequence[int]) -> list[tuple[float, float]]:
    return [how.run(task, seed) for seed in seeds]


def told(name: str, found: Sequence[tuple[float, float]]) -> str:
    each = ", ".join(f"{test:.3f}" for _, test in found)
    return f"{name}: mean test accuracy {fmean(test for _, test in found):.3f} over {len(found)} seeds ({each})"
