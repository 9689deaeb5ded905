"""Curves fitted as scientists do: Levenberg and Marquardt's method with exact Jacobians, in float64, with standard errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends import numpy as backend
from lensgrad.cat.reverse import reverse
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.trace import trace
from lensgrad.theories.smooth.array import Real
from lensgrad.theories.smooth.batch import batch_all

Numbers = np.ndarray[Any, np.dtype[np.float64]]
NUMBER = Real(dtype="float64")


@dataclass(frozen=True)
class CurveFit:
    """Parameters by name, their covariance s²(JᵀJ)⁻¹ and standard errors, Σ residual², steps, and why the method ended."""

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    covariance: Numbers
    residual_sum_of_squares: float
    degrees_of_freedom: int
    steps: int
    converged: bool
    reason: str


def fit_curve(function: Callable[..., Any], x: Any, y: Any, start: Mapping[str, float], max_steps: int = 2000) -> CurveFit:
    """The parameters that minimize Σ (yᵢ − f(xᵢ; b₁, …, bₖ))² : `fit_curve(lambda x, a, k: a * ops.exp(-k * x), x, y, {"a": 1, "k": 1})`.

    `function` takes a number x (or several, for columns of x) and the parameters by the names in `start`, on wires.
    """
    names, columns, wanted = list(start), columns_of(x), np.asarray(y, np.float64).ravel()
    max_steps = checks.whole("max_steps", max_steps, 1)
    if any(len(c) != len(wanted) for c in columns) or len(wanted) < len(names):
        raise BadValue(f"{len(names)} parameters want as many rows of x and y or more, got {len(columns[0])} and {len(wanted)}")
    model = curve(function, names, len(columns))
    first = np.array([checks.number(f"the start of {n}", v) for n, v in start.items()], np.float64)
    with np.errstate(all="ignore"):  # steps to where the curve is not finite are not taken
        return reported(names, *minimized(values(model, columns, wanted), first, max_steps))


def columns_of(x: Any) -> list[Numbers]:
    """The predictors, one array each."""
    given = np.asarray(x, np.float64)
    return [np.ascontiguousarray(c) for c in (given.T if given.ndim == 2 else [given.ravel()])]


def curve(function: Callable[..., Any], names: list[str], width: int) -> Diagram:
    """(b₁, …, bₖ, x₁, …) ↦ f : the function as an arrow."""
    known = inspect.signature(function).parameters
    strange = [n for n in names if n not in known]
    if strange:
        raise BadValue(f"start has '{strange[0]}', and the function takes {listed(list(known))}")
    n = len(names)
    made = trace(lambda *w: function(*w[n:], **dict(zip(names, w[:n], strict=True))), *[NUMBER] * (n + width))
    if made.cod != NUMBER:
        raise TypeMismatch(f"the function of a curve gives one number for each x, and this gives {made.cod}")
    return made


def values(model: Diagram, columns: list[Numbers], wanted: Numbers) -> Callable[[Numbers], tuple[Numbers, Numbers]]:
    """b ↦ residuals and their Jacobian, by R of the arrow on all rows at once."""
    n, k = len(wanted), len(model.dom) - len(columns)
    over = [False] * k + [True] * len(columns)
    slopes = reverse(model, [not o for o in over], [True])
    predict = backend.function(batch_all(model, n, over))
    back = backend.function(batch_all(slopes, n, [*over, True]))

    def at(b: Numbers) -> tuple[Numbers, Numbers]:
        inputs = [*map(np.asarray, b), *columns]
        return predict(*inputs)[0] - wanted, np.stack(back(*inputs, np.ones(n)), 1)

    return at


def minimized(at: Callable[[Numbers], tuple[Numbers, Numbers]], b: Numbers, most: int) -> tuple[Any, ...]:
    """Marquardt's steps, damped by the largest column norms so far; the damping follows Nielsen (1999)."""
    (r, jac), damping, growth = at(b), 1e-3, 2.0
    if not (np.isfinite(r).all() and np.isfinite(jac).all()):
        raise BadValue("the curve or its derivative is not finite at the start: give another start")
    scale = np.linalg.norm(jac, axis=0)
    for step in range(1, most + 1):
        scale = np.maximum(scale, np.linalg.norm(jac, axis=0))
        size = np.where(scale > 0, scale, 1.0)
        tall = np.vstack([jac / size, np.sqrt(damping) * np.eye(len(b))])
        moved = np.linalg.lstsq(tall, np.concatenate([-r, np.zeros(len(b))]), rcond=None)[0] / size
        new_r, new_jac = at(b + moved)
        expected = r @ r - np.sum((r + jac @ moved) ** 2)
        good = np.isfinite(new_r).all() and np.isfinite(new_jac).all() and new_r @ new_r < r @ r
        small = np.all(np.abs(moved) <= 1e-14 * np.abs(b) + 1e-300)
        if good:
            gain = (r @ r - new_r @ new_r) / max(expected, 1e-300)
            b, r, jac = b + moved, new_r, new_jac
            damping, growth = damping * max(1 / 3, 1 - (2 * min(gain, 2.0) - 1) ** 3), 2.0
        else:
            damping, growth = damping * growth, growth * 2
        if small or damping > 1e60:
            return *polished(at, b, r, jac), step, True, "the steps have become smaller than rounding"
    return b, r, jac, most, False, f"{most} steps were not enough"


def polished(at: Callable[[Numbers], tuple[Numbers, Numbers]], b: Numbers, r: Numbers, jac: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """A few steps without damping while they flatten the slope: the sum of squares alone is too flat to tell the last digits."""
    for _ in range(3):
        size = np.linalg.norm(jac, axis=0)
        size[size == 0] = 1.0
        later = b - np.linalg.lstsq(jac / size, r, rcond=1e-14)[0] / size
        new_r, new_jac = at(later)
        flatter = np.linalg.norm(new_jac.T @ new_r / size) < np.linalg.norm(jac.T @ r / size)
        if not (flatter and new_r @ new_r <= (r @ r) * (1 + 1e-8)):
            break
        b, r, jac = later, new_r, new_jac
    return b, r, jac


def reported(names: list[str], b: Numbers, r: Numbers, jac: Numbers, steps: int, converged: bool, reason: str) -> CurveFit:
    """What is told of a fit."""
    free = len(r) - len(b)
    size = np.linalg.norm(jac, axis=0)
    size[size == 0] = 1.0
    inverse = np.linalg.pinv(np.linalg.qr(jac / size, mode="r"), rcond=1e-15)
    covariance = (inverse @ inverse.T) / np.outer(size, size) * (r @ r / free if free else np.nan)
    errors = dict(zip(names, map(float, np.sqrt(np.diag(covariance))), strict=True))
    return CurveFit(dict(zip(names, map(float, b), strict=True)), errors, covariance, float(r @ r), free, steps, converged, reason)


__all__ = ["CurveFit", "fit_curve"]
