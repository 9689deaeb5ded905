"""Curves fitted as scientists do: Levenberg and Marquardt's method with exact Jacobians, in float64, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.errors import BadValue, listed
from lensgrad.core.graph import Wire
from lensgrad.core.printed import Printed
from lensgrad.learn.calculus import jacobian
from lensgrad.train.curve import Curve, numbers, of_function, of_model
from lensgrad.train.marquardt import Box, Minimum, Numbers, Place, Residuals, Truths, least_squares
from lensgrad.train.student import quantile
from lensgrad.train.vectors import flat, shaped

Bounds = tuple[ArrayLike | None, ArrayLike | None]  # low and high, None for no bound
SCATTER = {  # what standard errors are made of, by what is known of the observations
    "none": "errors from the scatter of the residuals",
    "relative": "errors from the scatter of the residuals, sigma is relative",
    "absolute": "errors from sigma, which is absolute",
}


@dataclass(frozen=True, repr=False)
class CurveFit:
    """Parameters by name, their covariance and standard errors, Σ residual², steps, and why the method ended.

    The covariance is of all numbers in the order of `parameters`, those of an array in its own order, and residuals are divided by
    sigma. `sigma` says where it comes from: it is s²(JᵀJ)⁻¹ for "none" and "relative", with s² = Σ residual² / degrees of freedom, and
    (JᵀJ)⁻¹ for "absolute". A number that the data does not determine has infinite errors. One that ended on a bound, named in
    `on_bounds`, has none (NaN): the others are those of the curve in which it is fixed there, and it takes no degree of freedom.

    `predict(x)` gives the curve, `predict_error(x)` its standard errors and `band(x)` a confidence band.
    """

    parameters: dict[str, Any]
    standard_errors: dict[str, Any]
    covariance: Numbers
    residual_sum_of_squares: float
    degrees_of_freedom: int
    steps: int
    converged: bool
    reason: str
    curve: Curve
    sigma: str = "none"
    on_bounds: tuple[str, ...] = ()

    def predict(self, x: Any) -> Numbers:
        """The curve at the rows of x."""
        columns = self.curve.columns(x)
        return self.curve.rows(self.curve.arrow, len(columns[0]))(*map(np.asarray, self.parameters.values()), *columns)[0]

    def predict_error(self, x: Any) -> Numbers:
        """The standard errors of the curve at the rows of x: √(j C jᵀ) with j the derivative in the parameters (the delta method).

        They are of the curve itself; a new observation scatters around it in addition.
        """
        columns, names = self.curve.columns(x), list(self.parameters)
        if self.sigma != "absolute" and not self.degrees_of_freedom:
            raise BadValue(
                "as many parameters as observations leave no scatter to tell errors from: give more rows, or absolute_sigma=True"
            )
        spread = np.diag(self.covariance)
        lost = [n for n, v in zip(numbered(self.parameters), spread, strict=True) if np.isinf(v)]
        if lost:
            raise BadValue(f"the data does not determine '{lost[0]}', so the curve has no errors: fit a function without it")
        slopes = self.curve.rows(jacobian(self.curve.arrow, *range(len(names))), len(columns[0]))
        found = slopes(*map(np.asarray, self.parameters.values()), *columns)
        shape, free = (len(columns[0]), *self.curve.arrow.cod.atoms[0].shape), np.isfinite(spread)
        jac = np.concatenate([s.reshape(math.prod(shape), -1) for s in found], 1)[:, free]
        squares = np.einsum("ni,ij,nj->n", jac, self.covariance[np.ix_(free, free)], jac)
        return np.sqrt(np.maximum(squares, 0.0)).reshape(shape)

    def band(self, x: Any, level: float = 0.95) -> tuple[Numbers, Numbers]:
        """Where the curve is at each row of x with this confidence, from below and from above: curve ± t · error.

        t is of Student's distribution, of the normal one with absolute sigma. Each row is on its own: the curve as a whole leaves
        the band more often. The method takes the curve as straight in its parameters, as far as their errors go.
        """
        share, freedom = checks.share("level", level), None if self.sigma == "absolute" else self.degrees_of_freedom
        middle, error = self.predict(x), self.predict_error(x)
        away = quantile(share, freedom) * error
        return middle - away, middle + away

    def __repr__(self) -> str:
        ended = "converged" if self.converged else "not converged"
        return (
            f"CurveFit({len(self.covariance)} parameters, Σ residual² {self.residual_sum_of_squares:.4g}, {ended} after {self.steps} steps)"
        )

    def summary(self) -> str:
        """A table of parameter, value and standard error, and how the fit ended."""
        rows = numbered(self.parameters)
        pairs = zip(rows, *(flat(d, [*d]) for d in (self.parameters, self.standard_errors)), strict=True)
        wide = max(map(len, [*rows, "parameter"]))
        lines = [f"{n:<{wide}}  {v:>14.7g}  {'on its bound' if n in self.on_bounds else f'{e:.4g}':>14}" for n, v, e in pairs]
        told = f"{self.degrees_of_freedom} degrees of freedom, Σ residual² {self.residual_sum_of_squares:.7g}"
        told += f", {self.steps} steps: {self.reason}; {SCATTER[self.sigma]}"
        return Printed("\n".join([f"{'parameter':<{wide}}  {'value':>14}  {'standard error':>14}", *lines, told]))


def numbered(values: Mapping[str, Any]) -> list[str]:
    """The name of each number: `k`, or `weight[0,1]` for one of an array."""
    return [f"{name}{place}" for name, v in values.items() for place in places(v)]


def places(value: Any) -> list[str]:
    """`[0,1]` for each number of an array, and nothing for a number alone."""
    return [f"[{','.join(map(str, at))}]" if at else "" for at in np.ndindex(*np.shape(value))]


def fit_curve(
    function: Callable[..., Wire] | Para,
    x: ArrayLike | tuple[ArrayLike, ...],
    y: ArrayLike,
    start: Mapping[str, ArrayLike] | None = None,
    max_steps: int = 2000,
    *,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    bounds: Mapping[str, Bounds] | None = None,
    seed: int = 0,
) -> CurveFit:
    """The parameters b that minimize Σ ((yᵢ − f(xᵢ; b₁, …, bₖ)) / σᵢ)², with low ≤ b ≤ high.

    `fit_curve(lambda x, a, k: a * ops.exp(-k * x), x, y, {"a": 1, "k": 1})` fits a function.

    - `function`: of a number x (of several, for several predictors) and of the parameters by the names in `start`, on wires. Or a model of
      dtype float64, of weights only.
    - `x`: a number for each observation, rows of predictors (n, k), or a tuple of arrays, one for each predictor or input of the model.
    - `y`: an observation for each row of x, (n,), or (n, …) as the model gives them.
    - `start`: first values by name, of all parameters of a function; a model draws from `seed` what is missing, and all unless given.
    - `max_steps`: a fit that takes more ends, and says so in `reason`; 2000 unless given.
    - `sigma`: the standard deviation of each observation, in the shape of y. They are relative: only their ratios count, and how far
      observations scatter is told from the residuals; all alike unless given.
    - `absolute_sigma`: with True `sigma` is in the unit of y, and standard errors are as large as it says, however well the curve fits;
      False unless given.
    - `bounds`: (low, high) by the name of a parameter, None for no bound: `{"k": (0, None)}`; numbers, or arrays in its shape. Steps are
      cut off at the bounds. A parameter that ends on one has no standard error: see `CurveFit`; no bounds unless given.
    - `seed`: what the first values of a model are drawn from; 0 unless given.
    """
    max_steps, absolute = checks.whole("max_steps", max_steps, 1), checks.flag("absolute_sigma", absolute_sigma)
    curve, first = of_model(function, start, seed) if isinstance(function, Para) else of_function(function, start, x)
    columns, shape = curve.columns(x), curve.arrow.cod.atoms[0].shape
    wanted, names = numbers("y", y), list(curve.names)
    wanted = wanted if shape else wanted.ravel()
    b, box = flat(first, names), limits(bounds, first)
    if any(len(c) != len(wanted) for c in columns) or wanted.shape[1:] != shape or wanted.size < len(b):
        rows = listed([str(n) for n in dict.fromkeys(map(len, columns))])
        raise BadValue(f"{len(b)} parameters need as many rows of x and y or more, got {rows} and {len(wanted)}")
    residuals = values(curve, columns, wanted, deviations(sigma, absolute, wanted), first)
    with np.errstate(all="ignore"):  # steps to where the curve is not finite are not taken
        began = Place(b, *residuals(b))
        if not began.finite:
            raise BadValue("the curve or its derivative is not finite at the start: give another start")
        known = "none" if sigma is None else "absolute" if absolute else "relative"
        return reported(curve, first, known, least_squares(residuals, began, max_steps, box))


def deviations(sigma: Any, absolute: bool, wanted: Numbers) -> Numbers:
    """One standard deviation for each observation."""
    if sigma is None and absolute:
        raise BadValue("absolute_sigma=True says that sigma is in the unit of y, and there is none: give sigma too")
    found = np.ones(wanted.shape) if sigma is None else numbers("sigma", sigma)
    if found.shape != wanted.shape or not (found > 0).all():
        raise BadValue(f"sigma must be a positive number for each observation, in the shape {wanted.shape}, got {checks.shown(sigma)}")
    return found


def limits(bounds: Any, first: Mapping[str, Any]) -> Box:
    """The bounds of all parameters in one vector each, with the start between them."""
    given = dict[str, Any]() if bounds is None else checks.table("bounds", bounds, [*first])
    ends = {name: pair(name, given[name], np.shape(v)) if name in given else open_ends(np.shape(v)) for name, v in first.items()}
    box = Box(*(flat({n: e[k] for n, e in ends.items()}, [*first]) for k in (0, 1)))
    b = flat(first, [*first])
    outside = np.flatnonzero(~box.inside(b))
    if len(outside):
        k = int(outside[0])
        name, between = numbered(first)[k], f"from {box.low[k]:g} to {box.high[k]:g}"
        raise BadValue(f"the bounds of '{name}' are {between}, and it starts at {b[k]:g}: give a start between them")
    return box


def open_ends(shape: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """No bounds."""
    return np.full(shape, -np.inf), np.full(shape, np.inf)


def pair(name: str, given: Any, shape: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """The bounds of one parameter, low and high."""
    wanted = f"the bounds of '{name}' must be two numbers (low, high), None for no bound, or two arrays of shape {shape}"
    if not checks.is_group(given) or len(given) != 2:
        raise BadValue(f"{wanted}, got {checks.shown(given)}")
    try:
        low, high = (np.asarray(far if v is None else v, np.float64) for v, far in zip(given, (-np.inf, np.inf), strict=True))
    except (TypeError, ValueError):
        raise BadValue(f"{wanted}, got {checks.shown(given)}") from None
    if any(v.shape not in ((), shape) or np.isnan(v).any() for v in (low, high)):
        raise BadValue(f"{wanted}, got {checks.shown(given)}")
    if not (low < high).all():
        raise BadValue(
            f"the bounds of '{name}' must have low < high, got {checks.shown(given)}: for a fixed value write the number into the function"
        )
    return np.broadcast_to(low, shape), np.broadcast_to(high, shape)


def values(curve: Curve, columns: list[Numbers], wanted: Numbers, widths: Numbers, like: Mapping[str, Any]) -> Residuals:
    """b ↦ residuals and their Jacobian, each divided by its standard deviation."""
    n, names = len(wanted), list(curve.names)
    predict = curve.rows(curve.arrow, n)
    slopes = curve.rows(jacobian(curve.arrow, *range(len(names))), n)

    def at(b: Numbers) -> tuple[Numbers, Numbers]:
        inputs = [*(np.asarray(v, np.float64) for v in shaped(b, like, names, np.float64).values()), *columns]
        stacked = np.concatenate([s.reshape(wanted.size, -1) for s in slopes(*inputs)], 1)
        return ((predict(*inputs)[0] - wanted) / widths).ravel(), stacked / widths.reshape(-1, 1)

    return at


def reported(curve: Curve, like: Mapping[str, Any], sigma: str, end: Minimum) -> CurveFit:
    """What is told of a fit."""
    left = len(end.at.r) - int(end.free.sum())
    scale = 1.0 if sigma == "absolute" else end.at.square / left if left else np.nan
    spread = covariance(end.at, end.free) * scale
    parameters, errors = (named(v, like) for v in (end.at.b, np.sqrt(np.diag(spread))))
    held = tuple(n for n, free in zip(numbered(like), end.free, strict=True) if not free)
    return CurveFit(parameters, errors, spread, float(end.at.square), left, end.steps, end.converged, end.reason, curve, sigma, held)


def covariance(at: Place, free: Truths) -> Numbers:
    """(JᵀJ)⁻¹ over the free numbers; infinite for those that the residuals do not tell apart, and NaN for those that are held."""
    size = at.lengths[free]
    _, sizes, ways = np.linalg.svd(at.jac[:, free] / size, full_matrices=False)
    seen = sizes > sizes.max(initial=0.0) * max(at.jac.shape) * np.finfo(np.float64).eps
    inverse = ways[seen].T / sizes[seen]
    found = inverse @ inverse.T / np.outer(size, size)
    lost = np.abs(ways[~seen]).max(0, initial=0.0) > 1e-8
    found[lost | lost[:, None]] = np.inf
    whole = np.full((len(free), len(free)), np.nan)
    whole[np.ix_(free, free)] = found
    return whole


def named(vector: Numbers, like: Mapping[str, Any]) -> dict[str, Any]:
    """One vector as values by name: numbers as Python's, arrays as they are."""
    return {n: v if v.ndim else v.item() for n, v in shaped(vector, like, [*like], np.float64).items()}


__all__ = ["CurveFit", "fit_curve"]
