"""Parts of a diagram that work row by row as functions on arrays, run by compiled lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.native.compiler import library
from lensgrad.backends.native.lanes.lower import lowered
from lensgrad.backends.native.lanes.machine import Lane, Machine
from lensgrad.backends.native.lanes.packed import Words
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import LOGIC, Z2, Semiring, Z

Numbers = np.ndarray[Any, Any]
END = 2.0**62  # of whole numbers in 64 bits, with room for rounding

FLOATS = {"float32": Lane("FLOAT32", "f4", "f8"), "float64": Lane("FLOAT64", "f8", "f8")}
LANES = {Z2: Lane("XOR", "u8", "i8"), LOGIC: Lane("OR", "u8", "i8"), Z: Lane("INT64", "i8", "i8")}


def lane(semiring: Semiring, dtype: str = "") -> Lane | None:
    """The lane that carries a semiring, or whole numbers as floats of a dtype; None where there is none."""
    if dtype:
        return FLOATS.get(dtype)
    return LANES.get(semiring) or (Lane("SAT", "i8", "i8") if semiring.rule == "cap" else None)


def native(body: Diagram, semiring: Semiring, dtype: str = "") -> Callable[..., tuple[Any, ...]] | None:
    """The body as compiled lanes, one array a wire; None where there is no lane or no compiler."""
    found = lane(semiring, dtype)
    made = None if found is None else library(found.name)
    return None if found is None or made is None else Kernel(body, semiring, dtype, found, made)


class Kernel:
    """A part on the lanes: arrays become what the lanes want, and back."""

    def __init__(self, body: Diagram, semiring: Semiring, dtype: str, lane: Lane, made: Any) -> None:
        self.body, self.semiring, self.dtype, self.lane = body, semiring, dtype, lane
        atoms = (*body.dom, *(a for n in body.nodes for a in n.cod))
        self.rows = next((a.rows for a in atoms if a.rows is not None), 0)
        self.machine = Machine(lowered(body, semiring), lane, made, self.rows, semiring.size - 1 if lane.name == "SAT" else 0)
        self.sums = self.machine.program.sums

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        given = list(zip(arrays, self.body.dom, strict=True))
        ins = [self.entering(x, a) for x, a in given if a.rows is not None]
        outs = [self.machine.room(a.size) for a in self.body.cod if a.rows is not None]
        totals = np.zeros(self.machine.program.total, self.lane.total)
        peak = self.machine.run(self.shared([x for x, a in given if a.rows is None]), ins, outs, totals, (0, self.rows))
        if peak * max(1, self.rows) >= END:  # the bound is too coarse to tell, and NumPy tells
            return self.slowly(*arrays)
        words, left = any(isinstance(x, Words) for x in arrays), iter(outs)
        return tuple(
            self.leaving(next(left), a, words) if at is None else self.summed(totals[at : at + a.size], wire, a)
            for at, wire, a in zip(self.sums, self.body.outs, self.body.cod, strict=True)
        )

    @cached_property
    def slowly(self) -> Callable[..., tuple[Any, ...]]:
        return numpy_backend.function(self.body)

    def shared(self, arrays: Sequence[Any]) -> Numbers:
        """The numbers that all rows share: constants, and inputs without rows. A bit fills its word."""
        parts = [self.machine.program.constants, *map(np.ravel, arrays)]
        if not self.lane.bits:
            return np.concatenate(parts, dtype=self.lane.number, casting="unsafe")
        return np.negative(np.concatenate(parts, dtype=np.uint64, casting="unsafe"))

    def entering(self, x: Any, atom: z.Vector) -> Numbers:
        if not self.lane.bits:
            return np.ascontiguousarray(x, self.lane.number)
        return words_of(x, atom) if isinstance(x, Words) else self.machine.packed(x)

    def leaving(self, y: Numbers, atom: z.Vector, words: bool) -> Any:
        if self.lane.bits:
            return Words(y, self.rows) if words else self.machine.unpacked(y)
        return y if self.dtype else y.astype(numpy_backend.host(atom)[1], copy=False)

    def summed(self, totals: Numbers, wire: int, atom: z.Vector) -> Numbers:
        """The sums over rows, brought back into the semiring unless they are counts."""
        if self.dtype:
            return totals.astype(self.dtype)
        cut = atom.semiring == self.semiring
        if cut and self.semiring == Z2:
            totals = totals & 1
        elif cut and self.semiring.rule == "cap":
            totals = np.minimum(totals, self.semiring.size - 1)
        return totals.astype(numpy_backend.host(atom)[1])


def words_of(x: Words, atom: z.Vector) -> Numbers:
    wanted = (atom.size, 8 * -(-(atom.rows or 0) // 512))
    if x.words.shape != wanted or x.rows != atom.rows:
        raise BadValue(f"{atom} comes in words of shape {wanted}, got {x.words.shape} for {x.rows} rows")
    return np.ascontiguousarray(x.words, np.uint64)
