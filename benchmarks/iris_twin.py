"""The paper's hidden Iris network twice: by the library, and by a loop of NumPy written by hand with textbook gradients.

Both start from the same weights and see the flowers in the same order, one at a time, in float64.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lensgrad import recipes
from lensgrad.train.plan import Plan

Weights = dict[str, np.ndarray[Any, Any]]
LIMIT = 1e-8


def sigmoid(z: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-z))


def by_hand(start: Weights, x: Any, y: Any, order: Iterable[int], rate: float) -> Weights:
    """Stochastic gradient descent on ½ ‖a₂ − y‖², the chain rule written out."""
    w1, b1, w2, b2 = (start[n].copy() for n in ("hidden/weight", "hidden/bias", "output/weight", "output/bias"))
    for i in order:
        a1 = sigmoid(w1 @ x[i] + b1)
        a2 = sigmoid(w2 @ a1 + b2)
        d2 = (a2 - y[i]) * a2 * (1.0 - a2)
        d1 = (w2.T @ d2) * a1 * (1.0 - a1)
        w2 -= rate * np.outer(d2, a1)
        b2 -= rate * d2
        w1 -= rate * np.outer(d1, x[i])
        b1 -= rate * d1
    return {"hidden/weight": w1, "hidden/bias": b1, "output/weight": w2, "output/bias": b2}


def difference(epochs: int = 400, seed: int = 0, rate: float = 0.01) -> float:
    """The largest difference between the weights of the two after so many epochs."""
    learner, data = recipes.iris_learner("hidden", rate, "float64"), recipes.iris_data("float64")
    ours = learner.fit(data, epochs=epochs, batch_size=None, seed=seed, progress=False).weights
    plan = Plan(epochs, None, seed)
    order = (int(i) for epoch in range(epochs) for i in plan.batches(epoch, len(data)))
    return recipes.distance(ours, by_hand(learner.initial(seed), data.x, data.y, order, rate))


def main(args: Sequence[str] | None = None) -> int:
    """Print the difference; 1 where it is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 epochs")
    epochs = 20 if parser.parse_args(args).quick else 400
    found = difference(epochs)
    print(f"largest difference of a weight after {epochs} epochs: {found:.1e}")
    return 0 if found <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
