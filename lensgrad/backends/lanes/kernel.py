"""A lowered program as a function on arrays, run by compiled lanes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.lanes.lower import lowered
from lensgrad.backends.lanes.native import Job, library
from lensgrad.backends.lanes.packed import Words
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import LOGIC, Z2, Semiring, Z

Numbers = np.ndarray[Any, Any]
VECTOR = 64  # bytes
NEAR = 3 << 19  # bytes of slots that stay in the cache of one core
END = 2.0**62  # of whole numbers in 64 bits, with room for rounding
WIDTHS = (8, 4, 2, 1)  # vectors of a slot


@dataclass(frozen=True)
class Lane:
    """How rows lie in vectors: the numbers of a lane, those of a sum over rows, and how many rows a vector has."""

    name: str
    number: str
    total: str

    @property
    def bits(self) -> bool:
        return self.name in ("XOR", "OR")

    @property
    def rows(self) -> int:
        return VECTOR * 8 if self.bits else VECTOR // np.dtype(self.number).itemsize


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
    """A program with numbers for its slots; what it needs to run is kept from call to call."""

    def __init__(self, body: Diagram, semiring: Semiring, dtype: str, lane: Lane, made: Any) -> None:
        self.body, self.semiring, self.dtype, self.lane, self.made = body, semiring, dtype, lane, made
        self.program = lowered(body, semiring)
        self.runs, self.code, self.slots = self.allocated()
        atoms = (*body.dom, *(a for n in body.nodes for a in n.cod))
        self.rows = next((a.rows for a in atoms if a.rows is not None), 0)
        self.width = width(self.slots, self.rows, lane.rows)
        self.spare: list[Numbers] = []

    def allocated(self) -> tuple[Numbers, Numbers, int]:
        """Runs of one kind, and the instructions with slots for elements."""
        kinds, code = self.program.kinds, np.ascontiguousarray(self.program.code)
        given = self.program.shared, self.program.elements
        slots = self.made.lanes_allocate(kinds.ctypes.data, code.ctypes.data, len(kinds), *given)
        if slots < 0:
            raise MemoryError
        starts = np.flatnonzero(np.diff(kinds, prepend=255))
        runs = np.stack([kinds[starts], np.diff(starts, append=len(kinds))], 1)
        return np.ascontiguousarray(runs, np.int32), code, slots

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        given = list(zip(arrays, self.body.dom, strict=True))
        ins = [self.entering(x, a) for x, a in given if a.rows is not None]
        outs = [self.room(a.size) for a in self.body.cod if a.rows is not None]
        totals = np.zeros(self.program.total, self.lane.total)
        peak = self.run(self.shared([x for x, a in given if a.rows is None]), ins, outs, totals, (0, self.rows))
        if peak * max(1, self.rows) >= END:  # the bound is too coarse to tell, and NumPy tells
            return self.slowly(*arrays)
        words, left = any(isinstance(x, Words) for x in arrays), iter(outs)
        return tuple(
            self.leaving(next(left), a, words) if at is None else self.summed(totals[at : at + a.size], wire, a)
            for at, wire, a in zip(self.program.sums, self.body.outs, self.body.cod, strict=True)
        )

    @cached_property
    def slowly(self) -> Callable[..., tuple[Any, ...]]:
        return numpy_backend.function(self.body)

    def run(self, shared: Numbers, ins: Sequence[Numbers], outs: Sequence[Numbers], totals: Numbers, span: tuple[int, int]) -> float:
        """Do some of the rows. Arrays are as the lanes want them: of bits, words with one element after the other.

        Returns a bound of all numbers over Z, else 0.
        """
        peak = np.zeros(1)
        slots = self.spare.pop() if self.spare else aligned(self.slots * self.width * VECTOR)
        pointers = [(ctypes.c_void_p * len(xs))(*(x.ctypes.data for x in xs)) for xs in (ins, outs)]
        steps = [np.array([x.shape[1] for x in xs], np.int64) for xs in (ins, outs)]
        top = self.semiring.size - 1 if self.lane.name == "SAT" else 0
        fixed = (self.runs.ctypes.data, self.code.ctypes.data, len(self.runs), slots.ctypes.data, shared.ctypes.data)
        addresses = [ctypes.addressof(p) for p in pointers] + [s.ctypes.data for s in steps]
        self.made.lanes_run(ctypes.byref(Job(*fixed, *addresses, totals.ctypes.data, peak.ctypes.data, *span, self.width, top)))
        self.spare.append(slots)
        return float(peak[0])

    def shared(self, arrays: Sequence[Any]) -> Numbers:
        """The numbers that all rows share: constants, and inputs without rows. A bit fills its word."""
        parts = [self.program.constants, *map(np.ravel, arrays)]
        if not self.lane.bits:
            return np.concatenate(parts, dtype=self.lane.number, casting="unsafe")
        return np.negative(np.concatenate(parts, dtype=np.uint64, casting="unsafe"))

    def entering(self, x: Any, atom: z.Vector) -> Numbers:
        if not self.lane.bits:
            return np.ascontiguousarray(x, self.lane.number)
        if isinstance(x, Words):
            return words_of(x, atom)
        x, made = np.ascontiguousarray(x, np.uint8), self.room(atom.size)
        self.made.lanes_pack(x.ctypes.data, self.rows, atom.size, made.ctypes.data, made.shape[1])
        return made

    def room(self, size: int) -> Numbers:
        """Space for a wire with rows. Words come eight at a time, and those behind the last row are 0."""
        if not self.lane.bits:
            return np.empty((self.rows, size), self.lane.number)
        made = np.empty((size, 8 * -(-self.rows // 512)), np.uint64)
        made[:, self.rows // 64 :] = 0
        return made

    def leaving(self, y: Numbers, atom: z.Vector, words: bool) -> Any:
        if words:
            return Words(y, self.rows)
        if not self.lane.bits:
            return y if self.dtype else y.astype(numpy_backend.host(atom)[1], copy=False)
        made = np.empty(atom.shape, np.uint8)
        self.made.lanes_unpack(y.ctypes.data, y.shape[1], self.rows, atom.size, made.ctypes.data)
        return made

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


def width(slots: int, rows: int, of_vector: int) -> int:
    """How many vectors a slot has: as many as the rows fill, while all slots stay near."""
    needed = -(-rows // of_vector)
    fitting = [w for w in WIDTHS if w * slots * VECTOR <= NEAR and w < 2 * needed]
    return fitting[0] if fitting else 1


def aligned(size: int) -> Numbers:
    """Bytes that begin where a vector may."""
    made = np.empty(size + VECTOR, np.uint8)
    start = -made.ctypes.data % VECTOR
    return made[start : start + size]
