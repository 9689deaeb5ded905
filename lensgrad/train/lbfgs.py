"""L-BFGS: descent along a curvature remembered from the last steps, with a line search (Nocedal and Wright, 2006, chapter 7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Vector = np.ndarray[Any, np.dtype[np.float64]]
Slope = Callable[[Vector], tuple[float, Vector, Any]]  # p ↦ the value, its gradient, and what else is kept of this place
ENOUGH, FLAT = 1e-4, 0.9  # the constants of Wolfe's two conditions, as Nocedal and Wright have them
TRIES = 30


@dataclass(frozen=True)
class Place:
    """A point with the value and the gradient there."""

    at: Vector
    value: float
    gradient: Vector
    kept: Any = None

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


@dataclass(frozen=True)
class Descent:
    """Where a descent ended: the value at each place it came by, the first included, and why it ended."""

    end: Place
    values: tuple[float, ...]
    converged: bool
    reason: str


def place(slope: Slope, at: Vector) -> Place:
    """A point, looked at."""
    return Place(at, *slope(at))


def lbfgs(slope: Slope, start: Vector, steps: int, memory: int = 10, tolerance: float = 1e-6) -> Descent:
    """From `start` along −H·∇f until the largest part of the gradient is at most `tolerance`; H is remembered from `memory` steps."""
    now, pairs = place(slope, start), deque[tuple[Vector, Vector]](maxlen=memory)
    values = [now.value]
    while np.abs(now.gradient).max(initial=0.0) > tolerance:
        if len(values) > steps:
            return Descent(now, tuple(values), False, f"{steps} steps were not enough")
        later = searched(slope, now, pairs)
        if later is None:
            return Descent(now, tuple(values), False, "no step along the slope makes the loss smaller in the numbers' precision")
        remember(pairs, later.at - now.at, later.gradient - now.gradient)
        now = later
        values.append(now.value)
    return Descent(now, tuple(values), True, f"no part of the gradient is larger than {tolerance:g}")


def remember(pairs: deque[tuple[Vector, Vector]], moved: Vector, turned: Vector) -> None:
    """Keep a step where the curvature along it is positive, so that H stays positive definite."""
    if moved @ turned > np.finfo(np.float64).eps * (turned @ turned):
        pairs.append((moved, turned))


def direction(pairs: deque[tuple[Vector, Vector]], gradient: Vector) -> Vector:
    """−H·g by the two loops of Nocedal and Wright (algorithm 7.4)."""
    d, shares = -gradient, list[float]()
    for s, y in reversed(pairs):
        shares.append(float(s @ d) / float(s @ y))
        d = d - shares[-1] * y
    if pairs:
        s, y = pairs[-1]
        d = d * ((s @ y) / (y @ y))
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        d = d + (share - (y @ d) / (s @ y)) * s
    return d


def searched(slope: Slope, now: Place, pairs: deque[tuple[Vector, Vector]]) -> Place | None:
    """The next place; where the remembered curvature leads nowhere, it is forgotten and the gradient is followed."""
    found = line(slope, now, direction(pairs, now.gradient), 1.0 if pairs else 1.0 / max(1.0, np.abs(now.gradient).sum()))
    if found is None and pairs:
        pairs.clear()
        return searched(slope, now, pairs)
    return found


def line(slope: Slope, now: Place, along: Vector, size: float) -> Place | None:
    """A place with both of Wolfe's conditions, bracketed by doubling and then bisected; one that is lower, if none has both."""
    rise, low, high, lower = float(now.gradient @ along), 0.0, np.inf, None
    if not rise < 0:
        return None
    for _ in range(TRIES):
        there = place(slope, now.at + size * along)
        if not there.finite or there.value > now.value + ENOUGH * size * rise:
            high = size
        elif float(there.gradient @ along) < FLAT * rise:
            low, lower = size, there
        elif abs(float(there.gradient @ along)) > -FLAT * rise:
            high, lower = size, there
        else:
            return there
        size = between(low, high)
    return lower if lower is not None and lower.value < now.value else None


def between(low: float, high: float) -> float:
    """The next size to try: the middle, or twice as far where nothing is known to be too far."""
    return 2 * low if np.isinf(high) else (low + high) / 2


__all__ = ["Descent", "Place", "lbfgs"]
