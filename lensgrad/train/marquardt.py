"""Least squares by Levenberg and Marquardt's method, between bounds where there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]
Residuals = Callable[[Numbers], tuple[Numbers, Numbers]]  # b ↦ the residuals and their Jacobian


@dataclass(frozen=True)
class Place:
    """Parameters b with the residuals and their Jacobian there."""

    b: Numbers
    r: Numbers
    jac: Numbers

    @property
    def square(self) -> Any:
        """Σ r²."""
        return self.r @ self.r

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.r).all() and np.isfinite(self.jac).all())

    @property
    def lengths(self) -> Numbers:
        """The norm of each column of the Jacobian; 1 for a column of zeros."""
        size = np.linalg.norm(self.jac, axis=0)
        return np.where(size > 0, size, 1.0)


@dataclass(frozen=True)
class Box:
    """What b may be: low ≤ b ≤ high, number by number."""

    low: Numbers
    high: Numbers

    def inside(self, b: Numbers) -> Truths:
        return (self.low <= b) & (b <= self.high)

    def free(self, at: Place) -> Truths:
        """Which numbers may move: all but those on a bound where the sum of squares falls beyond it."""
        downhill = -(at.jac.T @ at.r)
        return ~((at.b <= self.low) & (downhill < 0) | (at.b >= self.high) & (downhill > 0))


@dataclass(frozen=True)
class Minimum:
    """Where the method ended, which numbers are held by a bound there, how many steps it took, and why it ended."""

    at: Place
    free: Truths
    steps: int
    converged: bool
    reason: str


def least_squares(residuals: Residuals, start: Place, most: int, box: Box) -> Minimum:
    """Marquardt's steps from a place, damped by the largest column norms so far; the damping follows Nielsen (1999).

    With bounds a step is one of the numbers that are free, cut off at the bounds (a projected step, as in Kanzow, Yamashita and
    Fukushima, 2004). Where it makes nothing smaller the damping grows, and turns it into a step along the slope, which does.
    """
    now, damping, growth, scale = start, 1e-3, 2.0, np.linalg.norm(start.jac, axis=0)
    for step in range(1, most + 1):
        scale = np.maximum(scale, np.linalg.norm(now.jac, axis=0))
        later, moved = stepped(now, np.where(scale > 0, scale, 1.0), damping, box)
        there, expected = Place(later, *residuals(later)), now.square - np.sum((now.r + now.jac @ moved) ** 2)
        small = np.all(np.abs(moved) <= 1e-14 * np.abs(now.b) + 1e-300)
        if there.finite and there.square < now.square:
            gain = (now.square - there.square) / max(expected, 1e-300)
            now, damping, growth = there, damping * max(1 / 3, 1 - (2 * min(gain, 2.0) - 1) ** 3), 2.0
        else:
            damping, growth = damping * growth, growth * 2
        if small or damping > 1e60:
            return ended(polished(residuals, now, box), box, step, True, "the steps have become smaller than rounding")
    return ended(now, box, most, False, f"{most} steps were not enough")


def ended(at: Place, box: Box, steps: int, converged: bool, reason: str) -> Minimum:
    """What is told of where the method ended."""
    return Minimum(at, box.free(at), steps, converged, reason)


def stepped(now: Place, size: Numbers, damping: float, box: Box) -> tuple[Numbers, Numbers]:
    """Where a damped step of the free numbers leads within the bounds, and how far that is."""
    free, moved = box.free(now), np.zeros(len(now.b))
    tall = np.vstack([now.jac[:, free] / size[free], np.sqrt(damping) * np.eye(int(free.sum()))])
    moved[free] = np.linalg.lstsq(tall, np.concatenate([-now.r, np.zeros(int(free.sum()))]), rcond=None)[0] / size[free]
    later = np.clip(now.b + moved, box.low, box.high)
    return later, np.where(box.inside(now.b + moved), moved, later - now.b)


def polished(residuals: Residuals, now: Place, box: Box) -> Place:
    """A few steps without damping while they flatten the slope: the sum of squares alone is too flat to tell the last digits."""
    for _ in range(3):
        size, free, b = now.lengths, box.free(now), now.b.copy()
        b[free] -= np.linalg.lstsq(now.jac[:, free] / size[free], now.r, rcond=1e-14)[0] / size[free]
        if not box.inside(b).all():
            break
        later = Place(b, *residuals(b))
        flatter = slope(later, size, free) < slope(now, size, free)
        if not (flatter and later.square <= now.square * (1 + 1e-8)):
            break
        now = later
    return now


def slope(at: Place, size: Numbers, free: Truths) -> Any:
    """The norm of Jᵀ r over the free numbers, each column in its own size."""
    return np.linalg.norm((at.jac.T @ at.r / size)[free])


__all__ = ["Box", "Minimum", "Place", "least_squares"]
