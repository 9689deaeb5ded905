"""What the steps of a run read of arrays: rows where they lie, if their program reads them there, or copies; and what all steps read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.backends.numpy import host
from lensgrad.backends.picked import Picked
from lensgrad.data.source import ArraySource
from lensgrad.program.compile import Port, Program
from lensgrad.program.values import Numbers, Values, checked, converted, is_numbers
from lensgrad.theories.smooth.array import Array
from lensgrad.train.plan import Plan

PLACES = 1 << 21  # numbers of rows that are drawn at once


def names(engine: Backend, source: ArraySource, plan: Plan) -> tuple[str, ...]:
    """The data of which steps read different rows: none where all of them read all rows, in one order, and that is best given once."""
    whole = source.examples == 1 or (plan.order is None and (plan.batch_size or 1) >= source.examples)
    return () if whole and engine.holds else tuple(source.arrays)


def at_once(program: Program, source: ArraySource, plan: Plan, size: int | None) -> int:
    """How many steps are worth one call."""
    iteration = program.iteration(names(program.engine, source, plan))
    longest = getattr(iteration, "longest", None)
    if longest is None or not all(lies(p, source.arrays[p.name], size) for p in program.inputs if p.name in source.arrays):
        return iteration.most
    return min(longest, max(1, PLACES // (size or 1)))


def read(program: Program, source: ArraySource, plan: Plan, steps: int, size: int | None, first: int, where: Any) -> tuple[Values, Values]:
    """The data of some steps, one entry a step, and data that is the same for all of them; both by name, and checked.

    Without `where`, the numbers of rows, steps read from row `first` on.
    """
    own = names(program.engine, source, plan)
    ports = [p for p in program.inputs if p.name in source.arrays]
    if not own:
        alike = {n: v[0] if size is None else v for n, v in source.arrays.items()}
        return {}, {p.name: checked(p.name, p.ob, alike) for p in ports}
    in_place = hasattr(program.iteration(own), "longest")
    return {p.name: rows(p, source.arrays[p.name], steps, size, first, where, in_place) for p in ports}, {}


def rows(port: Port, array: Any, steps: int, size: int | None, first: int, where: Any, in_place: bool) -> Any:
    """What some steps read of the array of a port."""
    found = Picked(array if first == 0 else array[first:], steps, size, where)
    return found if in_place and lies(port, array, size) else rows_of(port, found[:])


def lies(port: Port, array: Any, size: int | None) -> bool:
    """Whether rows of an array are what a port takes, as they are."""
    atom = port.ob[0] if len(port.ob) == 1 else None
    return isinstance(atom, Array) and is_numbers(array) and Picked(array, 1, size).lies(*host(atom))


def checked_rows(program: Program, given: Mapping[str, Sequence[Any]]) -> Values:
    """The data that a program reads, one entry a step, checked and as arrays."""
    return {p.name: rows_of(p, given[p.name]) for p in program.inputs if p.name in given}


def rows_of(port: Port, given: Numbers | Sequence[Any]) -> Any:
    """The values of a port as rows of one array; of one array for each atom where there are several."""
    if len(port.ob) == 1 and isinstance(port.ob[0], Array):
        wanted = host(port.ob[0])
        if is_numbers(given) and given.shape[1:] == wanted[0]:
            return converted(port.name, port.ob[0], given)
        if all(is_numbers(v) and (v.shape, v.dtype) == wanted for v in given):
            return np.stack([*given])
    found = [checked(port.name, port.ob, {port.name: v}) for v in given]
    return np.stack(found) if len(port.ob) == 1 else tuple(map(np.stack, zip(*found, strict=True)))
