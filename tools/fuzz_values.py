"""Values that are no argument of anything, or seldom: what `tools.fuzz` puts in the place of right ones."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import lensgrad as lg


class UsersOwn(Exception):
    """An error of the user's own function, which goes through as it is."""


class Odd:
    """An object of a class that nobody knows, whose text cannot be shown."""

    def __repr__(self) -> str:
        raise UsersOwn("no text")


def broken(*_: Any, **__: Any) -> Any:
    raise UsersOwn("the user's own function fails")


def ragged() -> Any:
    found = np.empty(2, object)
    found[:] = [[1, 2], [3]]
    return found


X, Y = np.linspace(-1, 1, 24, dtype=np.float32).reshape(6, 4), np.arange(6) % 3
# Short lines would make this list three times as long and no clearer.
# ruff: noqa: E501
MAKERS: list[Callable[[], Any]] = [
    lambda: None, lambda: True, lambda: False, lambda: -1, lambda: 0, lambda: 1, lambda: 3, lambda: 10**30, lambda: -(10**30),
    lambda: 0.5, lambda: -0.5, lambda: 1.5, lambda: 1e308, lambda: 1e-320, lambda: math.nan, lambda: math.inf, lambda: -math.inf, lambda: 1j,
    lambda: Fraction(1, 3), lambda: np.int64(3), lambda: np.float32(0.5), lambda: np.bool_(True), lambda: np.float64(math.nan),
    lambda: "", lambda: "x", lambda: "relu", lambda: "a\nb", lambda: "\udc80", lambda: "\x00", lambda: "**", lambda: "[", lambda: "é" * 500,
    lambda: "1", lambda: b"x", lambda: (), lambda: [], lambda: {}, lambda: set(), lambda: (1, 2), lambda: [3, 3], lambda: [[1, 2], [3]],
    lambda: {"x": X}, lambda: {"x": X, "y": Y}, lambda: {1: 2}, lambda: {"x": None}, lambda: {None: 1}, lambda: ["x", "y"], lambda: [None],
    lambda: ("x",), lambda: {"loss"}, lambda: range(3), lambda: iter([1, 2]), lambda: (v for v in [X]), lambda: slice(0, 2),
    lambda: np.array(3), lambda: np.array(0.5), lambda: np.zeros(0), lambda: np.zeros((0, 4), np.float32), lambda: np.ones(3),
    lambda: np.ones((6, 4)), lambda: X, lambda: Y, lambda: X.T, lambda: X.astype(complex), lambda: X.astype(str), lambda: X.astype(object),
    lambda: np.full((6, 4), math.nan), lambda: np.full((6, 4), math.inf), ragged, lambda: np.ma.masked_array(X, X > 0), lambda: Y.astype(float) + 0.5,
    lambda: Y + 99, lambda: -Y, lambda: Y.astype(bool), lambda: np.array(["a", "b"]), lambda: np.array([None, 1]), lambda: X[:, :1] > 0,
    lambda: np.datetime64("2020-01-01"), lambda: datetime.date(2020, 1, 1), lambda: Path("no/such/file"), lambda: Path("."), lambda: Path("/dev/null"),
    lambda: Odd(), lambda: Odd, lambda: int, lambda: print, lambda: broken, lambda: lambda: 1, lambda: lambda *a: a, lambda: lambda x: x,
    lambda: np, lambda: NotImplemented, lambda: ..., lambda: type,
    lambda: lg.relu, lambda: lg.dense, lambda: lg.dense(3), lambda: lg.dense(4, 3), lambda: lg.Real(3), lambda: lg.Real(), lambda: lg.Int(2),
    lambda: lg.Key(), lambda: lg.Bits(2), lambda: lg.mse, lambda: lg.mse("y"), lambda: lg.cross_entropy, lambda: lg.adam, lambda: lg.adam(0.1),
    lambda: lg.descent, lambda: lg.clip_norm(1.0), lambda: lg.freeze, lambda: lg.cosine(0.1, 5), lambda: lg.zeros, lambda: lg.weights,
    lambda: lg.early_stopping(), lambda: lg.data.iris(), lambda: learner(), lambda: run(), lambda: model(), lambda: (X, Y), lambda: [(X, Y)],
    lambda: [X, Y], lambda: (X, Y, X), lambda: (X, Y[:3]), lambda: (X.tolist(), Y.tolist()), lambda: [{"x": X, "y": Y}], lambda: (X, Y.astype(str)),
]  # fmt: skip


def model() -> Any:
    return lg.sequential(lg.input(4), lg.dense(3, name="o"))


KEPT: dict[str, Any] = {}


def learner() -> Any:
    if "learner" not in KEPT:
        KEPT["learner"] = lg.supervised(model(), lg.cross_entropy, lg.sgd(0.1), metrics=["accuracy"])
    return KEPT["learner"]


def run() -> Any:
    if "run" not in KEPT:
        KEPT["run"] = learner().fit((X, Y), progress=False)
    return KEPT["run"]


def values(random: Random) -> Any:
    """One of them."""
    return MAKERS[random.randrange(len(MAKERS))]()
