"""What planted faults are made of: small networks, their data, and the table of cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.lens import parametric

N = 16
Case = tuple[Any, Mapping[str, Any], Any, str | None]  # learner, values, batch, wire
Wanted = tuple[str, str, str]
PLANTED: dict[str, tuple[Callable[[], Case], Wanted]] = {}


def planted(cause: str, place: str, generator: str) -> Callable[[Callable[[], Case]], Callable[[], Case]]:
    """Note a case with what `why` must say of it."""

    def note(make: Callable[[], Case]) -> Callable[[], Case]:
        PLANTED[make.__name__] = make, (cause, place, generator)
        return make

    return note


def data(width: int = 4, classes: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, width)).astype("float32"), rng.integers(0, classes, N).astype("int32")


def floats(width: int = 4) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(N, width)).astype("float32"), rng.normal(size=(N, 2)).astype("float32")


def network(*middle: Any, outputs: int = 3) -> Any:
    return lg.sequential(lg.input(4), lg.dense(8, name="first"), *middle, lg.dense(outputs, name="last"))


def classifier(*middle: Any, optimizer: Any = None) -> Any:
    return lg.supervised(network(*middle), lg.cross_entropy, lg.sgd(0.1) if optimizer is None else optimizer)


def own(function: Any, name: str) -> Any:
    """A function on wires as a layer of its own name."""
    return lg.layer("own", lambda dom: parametric([], dom, function), name=name)


def changed(learner: Any, **values: Any) -> dict[str, Any]:
    """First values, some of them filled with another number."""
    start = learner.initial(0)
    return {**start, **{n.replace("__", "/"): np.full_like(start[n.replace("__", "/")], v) for n, v in values.items()}}
