"""An arrow on numbers: what it gives, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.backends import numpy as backend
from lensgrad.cat.para import Arrow, Para, para
from lensgrad.core.checks import mapping, shown
from lensgrad.core.diagram import Diagram, Family, at, flatten
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter, listed
from lensgrad.core.graph import OnWires
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.program.values import Numbers, array, checked
from lensgrad.theories.smooth.array import Array

KINDS = {"int64": "int32", "uint64": "int32", "int16": "int32", "int8": "int32", "uint16": "int32"}  # what carries other whole numbers


def evaluate(arrow: Arrow | OnWires, *xs: ArrayLike, values: Mapping[str, ArrayLike] | None = None) -> Numbers:
    """f(p, x₁, …) for an arrow P ⊗ A → B and one array for each wire of A: an array, or (which the type leaves out) a tuple of them.

    `arrow` is an arrow, a parametric arrow with its parameters in `values` by name, a family such as `lg.relu`, or a function
    on wires; the last two take the types of what they are given, where Python's floats are float64 and whole numbers int32.
    Observables are left out. Raises `TypeMismatch` and `BadValue` where the arrays do not fit, `UnknownParameter` for a missing one.
    """
    f = typed(arrow, xs)
    names = ["the input"] if len(xs) == 1 else [f"input {k}" for k in range(len(xs))]
    if len(xs) != len(f.dom):
        raise TypeMismatch(f"this arrow expects {f.dom}, {len(f.dom)} arrays, got {len(xs)}")
    given = dict[str, Any]() if values is None else mapping("values", values, "a dict of arrays by name")
    missing = [name for name in f.names if name not in given]
    if missing:
        raise UnknownParameter(f"this arrow has parameters ({listed(f.names)}): give values={{…}} by name, here without '{missing[0]}'")
    held = [checked(name, p.ob, given) for name, p in zip(f.names, f.params, strict=True)]
    single(f, xs)
    arrays = [array(name, atom, x) for name, atom, x in zip(names, f.dom, xs, strict=True)]
    outs: Any = backend.function(f.arrow)(*flatten(held), *arrays)[: len(f.cod)]
    return outs[0] if len(outs) == 1 else outs


def single(f: Para, xs: Sequence[Any]) -> None:
    """Refuse several examples where an arrow takes one."""
    given = [np.shape(readable(x)) for x in xs]
    fits = [isinstance(a, Array) and shape[1:] == a.shape != shape and len(shape) > 0 for a, shape in zip(f.dom, given, strict=True)]
    if fits and all(fits) and len({shape[0] for shape in given}) == 1 and given[0][0] > 0:
        n = given[0][0]
        fix = f"from lensgrad.lens import batch, and lg.evaluate(batch(arrow, {n}), …) takes them"
        raise TypeMismatch(f"this arrow is of one example, {f.dom}, and {n} at once are given, {' and '.join(map(str, given))}: {fix}")


def typed(arrow: Arrow | OnWires, xs: Sequence[Any]) -> Para:
    """Whatever is written, as a parametric arrow at the types of the arrays."""
    if isinstance(arrow, Diagram | Para | Family):
        found = para(at(arrow, types(xs)) if isinstance(arrow, Family) else arrow)
    elif callable(arrow):
        found = para(trace(arrow, *(Ty((a,)) for a in types(xs))))
    else:
        raise TypeMismatch(f"evaluate expects an arrow, a layer or a function on wires, got {shown(arrow)}")
    if not isinstance(found.arrow, Diagram):
        raise TypeMismatch("evaluate is for arrows, and this one is a lens: its .get and .put are arrows")
    return found


def types(xs: Sequence[Any]) -> Ty:
    """The objects that carry these arrays."""
    return Ty(tuple(Array(a.shape, KINDS.get(str(a.dtype.name), str(a.dtype.name))) for a in map(readable, xs)))


def readable(x: Any) -> Any:
    """What an arrow is evaluated on, as an array."""
    try:
        return np.asarray(x)
    except (TypeError, ValueError) as wrong:
        raise BadValue(f"an arrow is evaluated on arrays, and {shown(x)} makes none: {wrong}") from wrong
