"""W2: the MNIST network of arXiv 2404.00408: 3×3 1→3, 4×4 3→5, each with relu and pool 2; 125→10 sigmoid; momentum 0.1; batch 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.recipes import vision

NAME = "W2 MNIST conv net, batch 1"
STEPS = 256
MOMENTUM = 0.1
RATE = 0.01


def learner(dtype: str = "float32") -> lg.Learner:
    return vision.paper_learner(RATE, MOMENTUM, dtype, metrics=())


def start(dtype: str = "float32") -> dict[str, Any]:
    """First values by name."""
    rng = np.random.default_rng(11)
    sizes = {"first/kernel": (0.3, 3, 3, 1, 3), "second/kernel": (0.2, 4, 4, 3, 5), "output/weight": (0.05, 10, 125)}
    sizes |= {"output/bias": (0.0, 10)}
    return {name: (rng.standard_normal(shape) * size).astype(dtype) for name, (size, *shape) in sizes.items()}


def rows(n: int = STEPS, dtype: str = "float32") -> dict[str, Any]:
    """The first n digits of MNIST, from LENSGRAD_DATA or the cache."""
    train, _ = lg.data.mnist(dtype)
    return {"x": np.asarray(train.x[:n]), "y": np.eye(10, dtype=dtype)[train.y[:n]]}


def random_rows(n: int = STEPS, dtype: str = "float32") -> dict[str, Any]:
    """Random images, for where MNIST is not."""
    rng = np.random.default_rng(7)
    return {"x": rng.random((n, 28, 28, 1)).astype(dtype), "y": np.eye(10, dtype=dtype)[rng.integers(0, 10, n)]}


def loss(p: Any, x: Any, y: Any, products: bool = False) -> Any:
    import jax

    from benchmarks.workloads import jax_twin as by_hand

    conv = by_hand.convolve_as_product if products else by_hand.convolve
    pool = by_hand.max_pool_by_shape if products else by_hand.max_pool
    h = pool(jax.nn.relu(conv(x, p["k1"])))
    h = pool(jax.nn.relu(conv(h, p["k2"])))
    out = jax.nn.sigmoid(h.reshape(-1, 125) @ p["w"] + p["b"])
    return 0.5 * ((out - y) ** 2).sum() / x.shape[0]


def step(products: bool = False) -> Callable[..., Any]:
    from benchmarks.workloads.jax_twin import sgd

    return sgd(lambda p, x, y: loss(p, x, y, products), RATE, MOMENTUM)


def twin() -> Callable[..., Any]:
    from benchmarks.workloads.jax_twin import scanned

    return scanned(step())


def twin_state(values: dict[str, Any]) -> Any:
    """Parameters and velocities as the twin has them."""
    from benchmarks.workloads.jax_twin import started

    given = {"k1": values["first/kernel"], "k2": values["second/kernel"], "w": values["output/weight"].T, "b": values["output/bias"]}
    return started(given, True)


def twin_rows(data: dict[str, Any]) -> tuple[Any, Any]:
    """Batches of one."""
    return data["x"][:, None], data["y"][:, None]


def named(p: Any) -> dict[str, Any]:
    """The twin's parameters by our names."""
    return {"first/kernel": p["k1"], "second/kernel": p["k2"], "output/weight": p["w"].T, "output/bias": p["b"]}
