"""A program that goes through a pass of the C backend, where whatever it does wrong is seen."""

from __future__ import annotations

import ctypes
import mmap
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from lensgrad.backends import numpy as reference
from lensgrad.backends.engine import NumPy
from lensgrad.backends.loop import Loop
from lensgrad.backends.native import assemble, running, square_sums, squares, toom
from lensgrad.backends.native.assemble import Assembled, assembled
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.native.memory import LINE, Arena, arena, rounded
from lensgrad.backends.picked import Picked
from lensgrad.backends.table import Meanings
from lensgrad.core.diagram import Diagram
from lensgrad.testing.counting_c import FLAGS as COUNTS
from lensgrad.testing.counting_c import Counted, Taken, counting
from lensgrad.testing.report import distance

Sizes = Mapping[tuple[ModuleType, str], Any]
FLAGS = (*COUNTS, "-ftrivial-auto-var-init=pattern", "-fsanitize=bounds", "-fsanitize-undefined-trap-on-error")
TOLERANCE = {"float32": 5e-5, "float64": 1e-12}
TURNS = 200  # of two threads, about, where both take turns
LOOK = 1000  # blocks after which one that runs forever is found
OPERATION = re.compile(" [-+*/] ")
APART = 1 << 12  # bytes between arrays, which nobody may write to


def threaded() -> dict[tuple[ModuleType, str], Any]:
    """Sizes with which everything is divided over threads."""
    modules = [m for name, m in sys.modules.items() if name.startswith("lensgrad.backends.native.") and hasattr(m, "PARALLEL")]
    return {**{(m, "PARALLEL"): 2 for m in modules}, (assemble, "THREADS"): 0}


def ending(x: Any) -> Any:
    """An array that ends where a page does, behind which nobody may read."""
    page = mmap.PAGESIZE
    whole = -(-x.nbytes // page) * page
    memory = np.frombuffer(mmap.mmap(-1, whole + page), np.uint8)
    if ctypes.CDLL(None).mprotect(ctypes.c_void_p(memory.ctypes.data + whole), ctypes.c_size_t(page), 0):
        raise OSError("a page cannot be closed")
    found = memory[whole - x.nbytes : whole].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


def counts() -> Any:
    """Numbers that a process and those that are forked from it have in common."""
    return np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)[:3]


@contextmanager
def resized(sizes: Sizes) -> Generator[None]:
    """Other sizes in modules of the backend, and the matrices of squares made anew."""
    whole = {**sizes, (squares, "FORMS"): None, (square_sums, "FORMS"): None}
    before = {(module, name): getattr(module, name) for module, name in whole}
    try:
        for (module, name), value in sizes.items():
            setattr(module, name, value)
        if (squares, "FORMS") not in sizes:
            squares.FORMS = square_sums.FORMS = toom.transforms(squares.SIDE, squares.SIZE)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)


def alike(found: Any, wanted: Any, most: float) -> bool:
    """Whether two arrays agree, with what is not finite in the same places."""
    finite = np.isfinite(wanted)
    if found.shape != wanted.shape or not np.array_equal(found[~finite], wanted[~finite], equal_nan=True):
        return False
    return distance(np.where(finite, found, 0), np.where(finite, wanted, 0)) <= most


@dataclass(eq=False)
class Pass:
    """A program that takes a pass, what it is run with, and what NumPy gives.

    Where it is run nothing that was not written is a number, one thread stays behind, and reading beyond an array of known size ends it.
    """

    name: str
    f: Diagram
    inputs: Sequence[Sequence[Any]]
    sizes: Sizes = field(default_factory=dict[tuple[ModuleType, str], Any])
    phrase: str = ""  # what its text says when the pass is taken
    often: int = 1  # and how often
    held: tuple[int, ...] = ()
    flags: tuple[str, ...] = FLAGS
    most: tuple[int, ...] = ()  # blocks that it may go through alone, and each of two threads
    blocks: Any = field(default_factory=counts, repr=False)  # those that it went through, also in a process that was forked
    own: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]], repr=False)  # where arrays lie, and their bytes

    @property
    def double(self) -> bool:
        return any(a.dtype == "float64" for a in self.f.dom)

    @cached_property
    def loop(self) -> Loop:
        return Loop((), tuple(range(len(self.f.dom))), (len(self.f.dom), len(self.f.cod)), self.held)

    @cached_property
    def wanted(self) -> list[list[Any]]:
        with np.errstate(all="ignore"):
            return [[np.asarray(y) for y in reference.function(self.f)(*xs)] for xs in self.inputs]

    @cached_property
    def right(self) -> Assembled:
        return self.made()

    def made(self, table: Meanings = NATIVE) -> Assembled:
        def apart(sizes: Mapping[int, int], spans: Mapping[int, tuple[int, int]], start: int = 0) -> Arena:
            found = arena({w: n + APART for w, n in sizes.items()}, spans, start)
            self.own = [(at, rounded(sizes[w]) + LINE) for w, at in found.offsets.items()]
            return found

        with resized({**threaded(), (assemble, "arena"): apart, **self.sizes}):
            made = assembled(self.f, self.loop, table)
        if self.phrase and made.text.count(self.phrase) != self.often:
            raise ValueError(
                f"{self.name} does not take its pass: '{self.phrase}' stands {made.text.count(self.phrase)} times in its program"
            )
        return made

    def text(self, made: Assembled) -> str:
        return counting(made.text, self.double, len(made.rows))

    def same(self, made: Assembled, library: Any) -> bool:
        """Whether a program gives what NumPy does, alone, and with two threads to the bit the same, and goes through no more blocks than
        it may. Run it in a process of its own."""
        program, most = Counted(library), 2 * max(self.most, default=1 << 40)

        def given(*_: object) -> tuple[Assembled, Any]:
            return made, program.run

        module: Any = running
        module.step = given
        program.begin(0, LOOK, most)
        alone = self.ran(1)
        self.blocks[:] = program.blocks[0], program.blocks[0], 0  # where nothing is divided, one of two goes through all
        if not all(
            alike(y, w, TOLERANCE[y.dtype.name]) for ys, ws in zip(alone, self.wanted, strict=True) for y, w in zip(ys, ws, strict=True)
        ):
            return False
        turns = int(self.blocks[0]) // len(alone) // TURNS | 1
        for first, many in ((0, most), (1, most), (0, turns), (1, turns)) if made.parallel else ():
            program.begin(first, many, most)
            both = zip(self.ran(2), alone, strict=False)  # of some of its inputs
            if not all(np.array_equal(y, w, equal_nan=True) for ys, ws in both for y, w in zip(ys, ws, strict=True)):
                return False
            self.blocks[1:] = program.blocks
        return self.says(made) <= self.says(self.right) and (not self.most or bool((self.blocks <= self.most).all()))

    def says(self, made: Assembled) -> int:
        """The operations that a text has: one that has more computes in two ways what is the same."""
        return len(OPERATION.findall(made.text))

    def ran(self, threads: int) -> list[list[Any]]:
        """The results of all inputs, with threads of the first of them."""
        some = self.inputs if threads == 1 else self.inputs[:1]
        return [self.run(threads, [], [ending(np.asarray(x)[None]) for x in xs], 1) for xs in some]

    def run(self, threads: int, states: Sequence[Any], rows: Sequence[Any], n: int) -> list[Any]:
        """States and what is observed after some steps, in a memory of which every byte is set, so that floats are no numbers."""
        steps = Taken(self.f, self.loop, threads=threads)
        room = steps.room()
        room.memory[:] = 255
        steps.rooms.append(room)
        found, seen = steps.run(states, [], rows, n)
        between = np.ones(len(room.memory), bool)
        for at, size in self.own:
            between[at : at + size] = False
        if not (room.memory[between] == 255).all():
            raise ValueError("something was written where no array lies")
        return [np.asarray(y) for y in (*found, *(y if n > 1 else y[0] for y in seen))]


@dataclass(eq=False)
class Picking(Pass):
    """A step on rows of arrays that are read where they lie, each time another way; `inputs` are states and the arrays."""

    ways: Sequence[tuple[int, str]] = ()  # steps, and for each array whether its rows are read in an order, "o", or one after the other
    size: int | None = None

    @cached_property
    def loop(self) -> Loop:
        ends = len(self.f.dom), len(self.f.cod)
        return Loop(((0, 0),), tuple(range(1, ends[0])), ends)

    def rows(self) -> list[list[Picked]]:
        """The data of each way."""
        (_, *arrays), found = self.inputs[0], list[list[Picked]]()
        for steps, orders in self.ways:
            drawn = np.random.default_rng(steps).integers(0, len(arrays[0]), steps * (self.size or 1))
            drawn[-1] = len(arrays[0]) - 1  # behind which nothing may be read
            found.append([Picked(ending(x), steps, self.size, drawn if o == "o" else None) for x, o in zip(arrays, orders, strict=True)])
        return found

    @cached_property
    def wanted(self) -> list[list[Any]]:
        run = NumPy().iterate(self.f, self.loop).run
        return [flat(run([self.inputs[0][0]], [], [r[:] for r in rows], len(rows[0]))) for rows in self.rows()]

    def ran(self, threads: int) -> list[list[Any]]:
        return [self.run(threads, [self.inputs[0][0]], rows, len(rows[0])) for rows in self.rows()]


def flat(found: tuple[Sequence[Any], Sequence[Any]]) -> list[Any]:
    return [np.asarray(y) for part in found for y in part]


__all__ = ["Pass", "Picking", "Sizes", "alike", "resized"]
