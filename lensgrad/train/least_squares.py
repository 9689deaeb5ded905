"""Curves fitted as scientists do: Levenberg and Marquardt's method with exact Jacobians, in float64, with standard errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.backends import numpy as backend
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Wire
from lensgrad.core.printed import Printed
from lensgrad.core.trace import trace
from lensgrad.learn.calculus import jacobian
from lensgrad.program.values import checked, initial
from lensgrad.theories.smooth.array import Real
from lensgrad.theories.smooth.batch import batch_all
from lensgrad.train.vectors import flat, shaped

Numbers = np.ndarray[Any, np.dtype[np.float64]]
NUMBER = Real(dtype="float64")


@dataclass(frozen=True)
class Curve:
    """(b₁, …, bₖ, x₁, …) ↦ y as an arrow, with the names of b."""

    arrow: Diagram
    names: tuple[str, ...]

    @property
    def over(self) -> list[bool]:
        """What differs from row to row."""
        return [i >= len(self.names) for i in range(len(self.arrow.dom))]

    def rows(self, f: Diagram, n: int) -> Any:
        """An arrow of these inputs on n rows of x."""
        return backend.function(batch_all(f, n, self.over))

    def columns(self, x: Any) -> list[Numbers]:
        """The predictors, one array each."""
        atoms: list[Any] = [a for a, yes in zip(self.arrow.dom, self.over, strict=True) if yes]
        several = isinstance(x, tuple | list) and len(atoms) > 1 and len(x) == len(atoms)
        if several and all(np.ndim(c) == len(a.shape) + 1 for c, a in zip(x, atoms, strict=True)):
            given = [numbers("x", c) for c in x]
        elif len(atoms) == 1 and atoms[0].shape:
            given = [numbers("x", x)]
        else:
            one = numbers("x", x)
            given = list(one.T) if one.ndim == 2 else [one.ravel()]
        if len(given) != len(atoms) or any(c.shape[1:] != a.shape or not len(c) for c, a in zip(given, atoms, strict=True)):
            wanted = listed([str(a) for a in atoms])
            raise BadValue(f"x must have one row for each observation, of {wanted}, got {listed([str(c.shape) for c in given])}")
        return [np.ascontiguousarray(c) for c in given]


@dataclass(frozen=True, repr=False)
class CurveFit:
    """Parameters by name, their covariance s²(JᵀJ)⁻¹ and standard errors, Σ residual², steps, and why the method ended.

    The covariance is of all numbers in the order of `parameters`, those of an array in its own order. `predict(x)` gives the curve.
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

    def predict(self, x: Any) -> Numbers:
        """The curve at the rows of x."""
        columns = self.curve.columns(x)
        return self.curve.rows(self.curve.arrow, len(columns[0]))(*map(np.asarray, self.parameters.values()), *columns)[0]

    def __repr__(self) -> str:
        ended = "converged" if self.converged else "not converged"
        return (
            f"CurveFit({len(self.covariance)} parameters, Σ residual² {self.residual_sum_of_squares:.4g}, {ended} after {self.steps} steps)"
        )

    def summary(self) -> str:
        """A table of parameter, value and standard error, and how the fit ended."""
        rows = [f"{name}{place}" for name, v in self.parameters.items() for place in places(v)]
        pairs = zip(*(flat(d, [*d]) for d in (self.parameters, self.standard_errors)), strict=True)
        wide = max(map(len, [*rows, "parameter"]))
        lines = [f"{name:<{wide}}  {v:>14.7g}  {e:>14.4g}" for name, (v, e) in zip(rows, pairs, strict=True)]
        told = f"{self.degrees_of_freedom} degrees of freedom, Σ residual² {self.residual_sum_of_squares:.7g}"
        told += f", {self.steps} steps: {self.reason}"
        return Printed("\n".join([f"{'parameter':<{wide}}  {'value':>14}  {'standard error':>14}", *lines, told]))


def places(value: Any) -> list[str]:
    """`[0,1]` for each number of an array, and nothing for a number alone."""
    return [f"[{','.join(map(str, at))}]" if at else "" for at in np.ndindex(*np.shape(value))]


def fit_curve(
    function: Callable[..., Wire] | Para,
    x: ArrayLike,
    y: ArrayLike,
    start: Mapping[str, ArrayLike] | None = None,
    max_steps: int = 2000,
    *,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    seed: int = 0,
) -> CurveFit:
    """The parameters that minimize Σ ((yᵢ − f(xᵢ; b₁, …, bₖ)) / σᵢ)².

    `fit_curve(lambda x, a, k: a * ops.exp(-k * x), x, y, {"a": 1, "k": 1})` fits a function,
    which takes a number x (or several, for columns of x) and the parameters by the names in `start`, on wires. It may be a model of
    dtype float64: its weights begin as `seed` draws them, or as `start` says. `sigma` are standard deviations of the observations,
    relative ones unless `absolute_sigma`: then the covariance is not scaled by the residuals.
    """
    max_steps, absolute = checks.whole("max_steps", max_steps, 1), checks.flag("absolute_sigma", absolute_sigma)
    curve, first = of_model(function, start, seed) if isinstance(function, Para) else of_function(function, start, x)
    columns, shape = curve.columns(x), curve.arrow.cod.atoms[0].shape
    wanted, names = numbers("y", y), list(curve.names)
    wanted = wanted if shape else wanted.ravel()
    b = flat(first, names)
    if any(len(c) != len(wanted) for c in columns) or wanted.shape[1:] != shape or wanted.size < len(b):
        raise BadValue(f"{len(b)} parameters need as many rows of x and y or more, got {len(columns[0])} and {len(wanted)}")
    widths = deviations(sigma, wanted)
    with np.errstate(all="ignore"):  # steps to where the curve is not finite are not taken
        return reported(curve, first, absolute, *minimized(values(curve, columns, wanted, widths, first), b, max_steps))


def numbers(what: str, value: Any) -> Numbers:
    """An array of finite numbers."""
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise BadValue(f"{what} must be an array of numbers, got {checks.shown(value)}") from None
    if not np.isfinite(found).all():
        raise BadValue(f"{what} has numbers that are not finite: leave these rows out")
    return found


def deviations(sigma: Any, wanted: Numbers) -> Numbers:
    """One standard deviation for each observation."""
    found = np.ones(wanted.shape) if sigma is None else numbers("sigma", sigma)
    if found.shape != wanted.shape or not (found > 0).all():
        raise BadValue(f"sigma must be a positive number for each observation, in the shape {wanted.shape}, got {checks.shown(sigma)}")
    return found


def of_model(model: Para, start: Mapping[str, Any] | None, seed: int) -> tuple[Curve, dict[str, Any]]:
    """A model as a curve, and its first values."""
    strange = [p for p in model.params if p.role is not Role.WEIGHT]
    alone = [p.ob for p in model.params] + [model.cod]
    single = all(len(ob) == 1 and getattr(ob[0], "dtype", "") == "float64" for ob in alone) and len(model.observables) == 0
    if strange or not single or not model.params or not len(model.dom):
        raise TypeMismatch('a model that is fitted as a curve has weights only, and one output, in float64: lg.input(…, dtype="float64")')
    given = {} if start is None else dict(checks.table("start", start, model.names))
    first = {**initial(model.params, seed, tuple(given)), **given}
    return Curve(unfold(model.arrow), model.names), {n: checked(n, p.ob, first) for n, p in zip(model.names, model.params, strict=True)}


def of_function(function: Any, start: Any, x: Any) -> tuple[Curve, dict[str, float]]:
    """A function as a curve, with its first values."""
    checks.instance("start", start, Mapping, "a dict of first values by name")
    names = [checks.name("a name in start", n) for n in start]
    if not names or not callable(function):
        raise BadValue(f"a curve must be a function of x and of parameters, with a start for each, got {checks.shown(function)}")
    given = numbers("x", x)
    width = given.shape[1] if given.ndim == 2 else 1
    first = {n: checks.number(f"the start of {n}", v) for n, v in start.items()}
    return Curve(traced(function, names, width), tuple(names)), first


def traced(function: Callable[..., Any], names: list[str], width: int) -> Diagram:
    """(b₁, …, bₖ, x₁, …) ↦ f : the function as an arrow."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise BadValue(f"a curve must be a function of Python, got {checks.shown(function)}") from None
    strange = [n for n in names if n not in known]
    if strange:
        raise BadValue(f"start has '{strange[0]}', and the function takes {listed(list(known))}")
    try:
        inspect.signature(function).bind(*[None] * width, **dict.fromkeys(names))
    except TypeError as error:
        told = f"the function is called with {width} columns of x and with {listed(names)} by name, and Python says: {error}"
        raise BadValue(told) from None
    n = len(names)
    made = trace(lambda *w: function(*w[n:], **dict(zip(names, w[:n], strict=True))), *[NUMBER] * (n + width))
    if made.cod != NUMBER:
        raise TypeMismatch(f"the function of a curve gives one number for each x, and this gives {made.cod}")
    return made


def values(
    curve: Curve, columns: list[Numbers], wanted: Numbers, widths: Numbers, like: Mapping[str, Any]
) -> Callable[[Numbers], tuple[Numbers, Numbers]]:
    """b ↦ residuals and their Jacobian, each divided by its standard deviation."""
    n, names = len(wanted), list(curve.names)
    predict = curve.rows(curve.arrow, n)
    slopes = curve.rows(jacobian(curve.arrow, *range(len(names))), n)

    def at(b: Numbers) -> tuple[Numbers, Numbers]:
        inputs = [*(np.asarray(v, np.float64) for v in shaped(b, like, names, np.float64).values()), *columns]
        stacked = np.concatenate([s.reshape(wanted.size, -1) for s in slopes(*inputs)], 1)
        return ((predict(*inputs)[0] - wanted) / widths).ravel(), stacked / widths.reshape(-1, 1)

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


def reported(
    curve: Curve, like: Mapping[str, Any], absolute: bool, b: Numbers, r: Numbers, jac: Numbers, steps: int, converged: bool, reason: str
) -> CurveFit:
    """What is told of a fit."""
    free = len(r) - len(b)
    size = np.linalg.norm(jac, axis=0)
    size[size == 0] = 1.0
    inverse = np.linalg.pinv(np.linalg.qr(jac / size, mode="r"), rcond=1e-15)
    scale = 1.0 if absolute else r @ r / free if free else np.nan
    covariance = (inverse @ inverse.T) / np.outer(size, size) * scale
    parameters, errors = (named(v, like) for v in (b, np.sqrt(np.diag(covariance))))
    return CurveFit(parameters, errors, covariance, float(r @ r), free, steps, converged, reason, curve)


def named(vector: Numbers, like: Mapping[str, Any]) -> dict[str, Any]:
    """One vector as values by name: numbers as Python's, arrays as they are."""
    return {n: v if v.ndim else v.item() for n, v in shaped(vector, like, [*like], np.float64).items()}


__all__ = ["CurveFit", "fit_curve"]
