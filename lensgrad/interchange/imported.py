"""A network from elsewhere: the parametric arrow that it means, and the value of each of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from lensgrad.cat.names import Param, Role, unique
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Table
from lensgrad.core.show import signature
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.interchange.dtypes import Numbers, atom_of, carried
from lensgrad.interchange.normal import normal
from lensgrad.learn.model import Model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.index import Numbers as Whole

SMALL = 64  # whole numbers that are written into the program; more of them are a parameter


class Imported(NamedTuple):
    """A parametric arrow P × A → B and the value of each of its parameters by name: `model, values = lg.from_onnx("net.onnx")`.

    `lg.evaluate(model, x, values=values)` is what the network gives; `lg.supervised(model, …).fit(data, start=values)` trains on
    from there.
    """

    model: Model
    values: dict[str, Numbers]

    def __repr__(self) -> str:
        return f"Imported({signature(self.model.dom, self.model.cod)}, {sum(v.size for v in self.values.values()):,} numbers in values)"


@dataclass(frozen=True)
class Asked:
    """A parameter that a formula asked for, with its value."""

    label: str
    array: Numbers
    role: Role


class Site:
    """Where a network is written as a formula on wires: it asks here for its weights and constants, which become parameters.

    A formula is written twice: once to learn what it asks for, and once more with the parameters that this gave.
    """

    def __init__(self, given: Sequence[Wire] = ()) -> None:
        self.asked: dict[tuple[str, Role], Asked] = {}
        self._given = list(given)

    def weight(self, label: str, array: Numbers) -> Wire:
        """A weight, trained on from its value; whole numbers and truth values are constants."""
        return self._parameter(label, array, Role.WEIGHT if np.issubdtype(array.dtype, np.floating) or is_half(array) else Role.STATE)

    def state(self, label: str, array: Numbers) -> Wire:
        """A state that nothing writes, whatever its value, so that it can be given another one."""
        return self._parameter(label, array, Role.STATE)

    def constant(self, label: str, array: Numbers) -> Wire:
        """A fixed array: part of the program where it is one number everywhere or a few whole numbers, else a state that nothing writes."""
        held = carried(label, np.asarray(array))
        atom = atom_of(held)
        if held.size and (held.flat[0] == held).all() and not np.isnan(np.asarray(held.flat[0], "float64")):
            return full(held.flat[0].item(), atom)
        if held.dtype == np.int32 and 0 < held.size <= SMALL:
            return ops.reshape(Whole(Table(held.ravel().tolist()))(), *held.shape)
        return self._parameter(label, held, Role.STATE)

    def _parameter(self, label: str, array: Numbers, role: Role) -> Wire:
        held = carried(label, np.asarray(array))
        known = self.asked.setdefault((label, role), Asked(label, held, role))
        if known.array is not held and not np.array_equal(known.array, held, equal_nan=held.dtype.kind == "f"):
            raise BadValue(f"'{label}' is asked for with two values")
        if not self._given:
            return full(False if held.dtype == bool else 0, atom_of(held))
        return self._given[list(self.asked).index((label, role))]


def is_half(array: Numbers) -> bool:
    """Whether an array is of bfloat16, which NumPy does not count among floats."""
    return array.dtype.name == "bfloat16"


Formula = Callable[[Site, list[Wire]], Iterable[Any]]  # of the site and one wire for each input: one wire for each output


def imported(dom: Ty, formula: Formula) -> Imported:
    """The parametric arrow with a formula as its value, and the values of the parameters that the formula asks for."""
    first = Site()

    def alone(*xs: Wire) -> tuple[Any, ...]:
        return tuple(formula(first, list(xs)))

    trace(alone, *(Ty((a,)) for a in dom))
    asked = list(first.asked.values())
    objects = [Ty((atom_of(a.array),)) for a in asked]

    def body(*wires: Wire) -> tuple[Any, ...]:
        return tuple(formula(Site(wires[: len(asked)]), list(wires[len(asked) :])))

    arrow = normal(trace(body, *objects, *(Ty((a,)) for a in dom)))
    names = unique([a.label for a in asked])
    params = [Param(name, ob, a.role) for name, ob, a in zip(names, objects, asked, strict=True)]
    model = Model.make(params, arrow)
    return Imported(model, {name: a.array for name, a in zip(model.names, asked, strict=True)})


def of_one(what: str, dom: Ty, formula: Formula) -> tuple[Ty, Formula]:
    """A formula on batches of one example as one on examples: the first axis, of size 1, of every input and output goes."""
    for a in dom:
        if not isinstance(a, Array) or a.shape[:1] != (1,):
            raise TypeMismatch(f"{what} has an input {a} without a first axis of size 1, so it has no examples: give batch=False")

    def single(site: Site, xs: list[Wire]) -> list[Wire]:
        return [ops.reshape(y, *of_example(what, y.atom)) for y in formula(site, [ops.reshape(x, 1, *x.atom.shape) for x in xs])]

    return Ty(tuple(replace(a, shape=a.shape[1:]) for a in dom)), single


def of_example(what: str, atom: Any) -> tuple[int, ...]:
    """The shape of the result for one example."""
    if atom.shape[:1] != (1,):
        raise TypeMismatch(f"{what} has an output {atom} without a first axis of size 1, so it has no examples: give batch=False")
    return atom.shape[1:]
