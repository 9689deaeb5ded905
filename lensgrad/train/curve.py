"""What is fitted: a function or a model as an arrow from parameters and predictors to one array."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends import numpy as backend
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.program.values import checked, initial
from lensgrad.theories.smooth.array import Real
from lensgrad.theories.smooth.batch import batch_all
from lensgrad.train.marquardt import Numbers

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
        if apart(x, atoms):
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


def apart(x: Any, atoms: Sequence[Any]) -> bool:
    """Whether x has its predictors one by one, in a tuple of arrays or lists, or in a list of arrays; a list of lists is rows."""
    if not checks.is_group(x) or len(x) != len(atoms) or any(np.ndim(c) != len(a.shape) + 1 for c, a in zip(x, atoms, strict=True)):
        return False
    if checks.is_tuple(x):
        return not any(isinstance(c, tuple) for c in x)
    return len(atoms) > 1 and (all(hasattr(c, "__array__") for c in x) or any(a.shape for a in atoms))


def numbers(what: str, value: Any) -> Numbers:
    """An array of finite numbers."""
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise BadValue(f"{what} must be an array of numbers, got {checks.shown(value)}") from None
    if not np.isfinite(found).all():
        raise BadValue(f"{what} has numbers that are not finite: leave these rows out")
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
    first = {n: checks.number(f"the start of {n}", v) for n, v in start.items()}
    return Curve(traced(function, names, width(x)), tuple(names)), first


def width(x: Any) -> int:
    """How many predictors x has: the arrays or lists of a tuple, or the columns of rows."""
    if checks.is_tuple(x) and x and all(np.ndim(c) == 1 and not isinstance(c, tuple) for c in x):
        return len(x)
    given = numbers("x", x)
    return given.shape[1] if given.ndim == 2 else 1


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

    def curve(*wires: Wire) -> Any:
        return function(*wires[n:], **dict(zip(names, wires[:n], strict=True)))

    made = trace(curve, *[NUMBER] * (n + width))
    if made.cod != NUMBER:
        raise TypeMismatch(f"the function of a curve gives one number for each x, and this gives {made.cod}")
    return made


__all__ = ["Curve", "numbers", "of_function", "of_model"]
