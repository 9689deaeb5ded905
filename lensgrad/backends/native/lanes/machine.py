"""A lowered program on compiled lanes: slots for its elements, and blocks of rows through them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends.native.compiler import Job
from lensgrad.backends.native.lanes.lower import Program

Numbers = np.ndarray[Any, Any]
VECTOR = 64  # bytes
NEAR = 3 << 19  # bytes of slots that stay in the cache of one core
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


class Machine:
    """A program with numbers for its slots, for so many rows; what it needs to run is kept from call to call."""

    def __init__(self, program: Program, lane: Lane, made: Any, rows: int, top: int = 0) -> None:
        self.program, self.lane, self.made, self.rows, self.top = program, lane, made, rows, top
        self.runs, self.code, self.slots = self.allocated()
        self.width = width(self.slots, rows, lane.rows)
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

    def run(self, shared: Numbers, ins: Sequence[Numbers], outs: Sequence[Numbers], totals: Numbers, span: tuple[int, int]) -> float:
        """Do some of the rows. Arrays are as the lanes want them: of bits, words with one element after the other.

        Returns a bound of all numbers over Z, else 0.
        """
        peak = np.zeros(1)
        slots = self.spare.pop() if self.spare else aligned(self.slots * self.width * VECTOR)
        pointers = [(ctypes.c_void_p * len(xs))(*(x.ctypes.data for x in xs)) for xs in (ins, outs)]
        steps = [np.array([x.shape[1] for x in xs], np.int64) for xs in (ins, outs)]
        fixed = (self.runs.ctypes.data, self.code.ctypes.data, len(self.runs), slots.ctypes.data, shared.ctypes.data)
        addresses = [ctypes.addressof(p) for p in pointers] + [s.ctypes.data for s in steps]
        self.made.lanes_run(ctypes.byref(Job(*fixed, *addresses, totals.ctypes.data, peak.ctypes.data, *span, self.width, self.top)))
        self.spare.append(slots)
        return float(peak[0])

    def room(self, size: int) -> Numbers:
        """Space for a wire with rows. Words come eight at a time, and those behind the last row are 0."""
        if not self.lane.bits:
            return np.empty((self.rows, size), self.lane.number)
        made = np.empty((size, 8 * -(-self.rows // 512)), np.uint64)
        made[:, self.rows // 64 :] = 0
        return made

    def packed(self, x: Any) -> Numbers:
        """(rows, elements) of 0 and 1 as words."""
        x = np.ascontiguousarray(x, np.uint8)
        made = self.room(x.shape[1])
        self.made.lanes_pack(x.ctypes.data, self.rows, x.shape[1], made.ctypes.data, made.shape[1])
        return made

    def unpacked(self, y: Numbers) -> Numbers:
        """Words as (rows, elements) of 0 and 1."""
        made = np.empty((self.rows, len(y)), np.uint8)
        self.made.lanes_unpack(y.ctypes.data, y.shape[1], self.rows, len(y), made.ctypes.data)
        return made


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
