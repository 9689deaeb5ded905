"""What a recorded step costs, in plain steps in NumPy, for an MLP and a CNN: `OPENBLAS_NUM_THREADS=1 python -m tools.recording`.

Processor time of one thread: threads that wait for each other spend it too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.train.recording import snapshot

N, TURNS = 32, 7
NETWORKS = {
    "an MLP of 784, 256, 256 and 10": ((784,), [lg.dense(256, "relu"), lg.dense(256, "relu"), lg.dense(10)]),
    "a CNN of two convolutions": (
        (28, 28, 1),
        [lg.conv2d(16, kernel=3, activation="relu"), lg.conv2d(16, kernel=3, activation="relu"), lg.flatten(), lg.dense(10)],
    ),
}


def least(act: Callable[[], Any]) -> float:
    """The least processor time of some calls, after one that compiles."""
    act()
    found = list[float]()
    for _ in range(TURNS):
        began = process_time()
        act()
        found.append(process_time() - began)
    return min(found)


def costs(learner: Any, batch: dict[str, Any]) -> tuple[float, float]:
    """The processor time of a step, and of recording one."""
    values, step, rule = learner.initial(0), learner.step(N, "numpy"), lg.record()
    return least(lambda: step({**values, **batch})), least(lambda: snapshot(rule, learner, values, batch, 0, 0))


def main() -> int:
    """Print both."""
    rng = np.random.default_rng(0)
    for name, (shape, layers) in NETWORKS.items():
        learner = lg.supervised(lg.sequential(lg.input(*shape), *layers), lg.cross_entropy, lg.sgd(0.01))
        batch = {"x": rng.normal(size=(N, *shape)).astype("float32"), "y": rng.integers(0, 10, N).astype("int32")}
        plain, recorded = costs(learner, batch)
        print(f"{name}: a step takes {plain * 1e3:.1f} ms, and to record one costs {recorded / plain:.1f} steps more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
