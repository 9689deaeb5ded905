"""W1: the paper's hidden Iris network, 4-20-3 with sigmoids, ½ Σ (ŷ − y)², plain descent, one flower a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad import recipes

NAME = "W1 Iris 4-20-3, batch 1"
STEPS = 150
MOMENTUM = 0.0
RATE = 0.01


def learner(dtype: str = "float32") -> lg.Learner:
    return lg.supervised(recipes.iris_model("hidden", dtype), lg.half_squared_error, lg.descent, RATE)


def start(dtype: str = "float32") -> dict[str, Any]:
    """First values by name."""
    rng = np.random.default_rng(11)
    shapes = {"hidden/weight": (20, 4), "hidden/bias": (20,), "output/weight": (3, 20), "output/bias": (3,)}
    return {name: (rng.standard_normal(shape) * (0.3 if len(shape) == 2 else 0.0)).astype(dtype) for name, shape in shapes.items()}


def rows(n: int = STEPS, dtype: str = "float32") -> dict[str, Any]:
    """The data of n steps."""
    data = recipes.iris_data(dtype)
    order = np.random.default_rng(7).permutation(len(data))[:n]
    return {"x": data.x[order], "y": data.y[order]}


def loss(p: Any, x: Any, y: Any) -> Any:
    import jax

    hidden = jax.nn.sigmoid(x @ p["w1"] + p["b1"])
    out = jax.nn.sigmoid(hidden @ p["w2"] + p["b2"])
    return 0.5 * ((out - y) ** 2).sum()


def step() -> Callable[..., Any]:
    from benchmarks.workloads.jax_twin import sgd

    return sgd(loss, RATE)


def twin() -> Callable[..., Any]:
    from benchmarks.workloads.jax_twin import scanned

    return scanned(step())


def twin_state(values: dict[str, Any]) -> Any:
    """Parameters as the twin has them."""
    from benchmarks.workloads.jax_twin import started

    w1, b1, w2, b2 = (values[n] for n in ("hidden/weight", "hidden/bias", "output/weight", "output/bias"))
    return started({"w1": w1.T, "b1": b1, "w2": w2.T, "b2": b2}, False)


def twin_rows(data: dict[str, Any]) -> tuple[Any, Any]:
    """Batches of one."""
    return data["x"][:, None], data["y"][:, None]


def named(p: Any) -> dict[str, Any]:
    """The twin's parameters by our names."""
    return {"hidden/weight": p["w1"].T, "hidden/bias": p["b1"], "output/weight": p["w2"].T, "output/bias": p["b2"]}
