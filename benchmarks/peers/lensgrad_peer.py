"""The tasks by lensgrad: small ones on NumPy, those that say so on JAX."""

from __future__ import annotations

import math
from typing import Any

from protocol import Data, Task, main, missing

try:
    import lensgrad as lg
except ImportError as error:
    missing(error)

LAYERS = {
    "dense": lambda n, activation="": lg.dense(n, activation=activation or None),
    "each dense": lambda n: lg.each(lg.dense(n)),
    "conv": lambda n, size, activation: lg.conv2d(n, size, activation=activation),
    "pool": lambda size: lg.max_pool2d(size),
    "flatten": lambda: lg.flatten(),
    "embedding": lambda n, width: lg.embedding(n, width, weights=lg.normal(1 / math.sqrt(width))),
    "lstm": lambda units: lg.lstm(units),
}

learners: dict[str, Any] = {}


def learner(task: Task, data: Data) -> Any:
    """The learner of a task, made once: a seed gives its first weights."""
    if task["name"] not in learners:
        x = data["x_train"]
        layers = [LAYERS[kind](*sizes) for kind, *sizes in task["layers"]]
        model = lg.sequential(lg.input(*x.shape[1:], dtype=x.dtype.name), *layers)
        learners[task["name"]] = lg.supervised(model, lg.cross_entropy, lg.adam(task["rate"]))
    return learners[task["name"]]


def trained(task: Task, data: Data, seed: int) -> Any:
    how = {name: task[name] for name in ("epochs", "batch_size", "backend")}
    run = learner(task, data).fit((data["x_train"], data["y_train"]), seed=seed, progress=False, **how)
    return run.predict(data["x_test"])


def versions() -> dict[str, str]:
    import jax

    return {"lensgrad": lg.__version__, "JAX": jax.__version__}


if __name__ == "__main__":
    main(versions(), trained)
