"""Calls of compiled programs: memory, arguments, and how many steps run before somebody may look."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, Self

import numpy as np

from lensgrad.backends.loop import BYTES, Loop, work
from lensgrad.backends.native.assemble import READY, Slot
from lensgrad.backends.native.crew import CREW
from lensgrad.backends.native.crew import threads as allowed
from lensgrad.backends.native.drawing import drawn
from lensgrad.backends.native.library import step
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.native.pace import Pace
from lensgrad.backends.numpy import host, out_of_memory
from lensgrad.backends.picked import Picked
from lensgrad.backends.table import Meanings
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch

CALL = 0.05  # seconds after which a call returns, so that Ctrl-C is heard
LOOK = 0.1  # seconds between two looks at a run
MOST = 1 << 14  # steps between two looks, however short
LONGEST = 1 << 18  # the same where data is read where it lies
PIECE = 1 << 15  # entries that are compared at a time, so that what comes of it stays near
COPIED = 1 << 12  # bytes of results, up to which copying them takes less than telling a program where others go
SLOW = 1e-9  # seconds for a multiply-add, before anything was measured

FIELDS = ("rows", "order", "batch", "period", "at", "room")  # of what data.h calls `struct data`
Atom = tuple[tuple[int, ...], np.dtype[Any]]  # what carries a wire: shape and dtype
Given = Picked | np.ndarray[Any, np.dtype[Any]]


class Steps:
    """A step as the body of a loop in C.

    It may be run from several threads at once: each call has memory of its own. How many steps are taken together depends on how long
    they take, and what they give does not, nor does it on the number of threads.
    """

    by_call = False

    def __init__(self, f: Diagram, loop: Loop, table: Meanings = NATIVE, fuse: bool = True, threads: int | None = None) -> None:
        self.f, self.loop = f, loop
        self.form = f, loop, table, fuse, threads
        self.made, self.call = step(f, loop, table, fuse)
        self.states, self.fixed, self.rows = ([host(f.dom[i]) for i in wires] for wires in (loop.states, loop.fixed, loop.rows))
        self.seen = [host(f.cod[o]) for o in loop.seen]
        self.wanted = threads
        if threads is None:
            allowed()  # a number of threads that is none is refused for small steps too
        self.rooms: list[Room] = []
        self.seconds = SLOW * max(1, work(f))  # of a step
        self.pace = Pace()

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle needs: what it is made of, as memory and compiled code are of one process."""
        return Steps, self.form

    @property
    def most(self) -> int:
        """How many steps are worth one call: no fewer than two, as more of them are the same program and one alone is another."""
        data = max(1, sum(self.made.rows))
        return max(2, min(MOST, int(LOOK / (self.seconds or SLOW)), BYTES // data))

    @property
    def longest(self) -> int:
        """The same where data is read where it lies, however much of it there is."""
        return max(2, min(LONGEST, int(LOOK / (self.seconds or SLOW))))

    @property
    def threads(self) -> int:
        """How many threads take a step, at the most."""
        return (allowed() if self.wanted is None else self.wanted) if self.made.parallel else 1

    def run(self, states: Sequence[Any], fixed: Sequence[Any], rows: Sequence[Any], n: int) -> tuple[list[Any], list[Any]]:
        """The states after n steps, and what was observed with one row a step. Nothing that is given is changed."""
        room = self.room()
        for (view, shape, dtype), x in zip(room.views, states, strict=True):
            put(view, shape, dtype, x)
        for (view, shape, dtype), x in zip(room.fixed, fixed, strict=True):
            if not (room.gate[READY] and same(view, x)):
                put(view, shape, dtype, x)
                room.gate[READY] = 0
        given = [lying(x, atom, n) for x, atom in zip(rows, self.rows, strict=True)]
        seen = [np.empty((n, *shape), dtype) for shape, dtype in self.seen]
        room.point(given, seen)
        self.take(room, n)
        after = [view.copy() for view, _, _ in room.views]
        self.rooms.append(room)
        return after, seen

    def drawn(self, words: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any] | None:
        """Orders of n rows as NumPy draws them, one for each four words of a seed; None where nothing compiles what draws them."""
        return drawn(words, n)

    def take(self, room: Room, n: int) -> None:
        """Take n steps, in calls that return soon."""
        done, most = 0, self.threads
        while done < n:
            number = min(n - done, int(CALL / (self.seconds or SLOW)) or 1)
            of = self.pace.threads(most)
            began = perf_counter()
            if of == 1:
                self.call(*room.places, number, 0, 1, room.turnstile)
            else:
                CREW.run(self.call, room.places, number, of, room.turnstile)
            self.seconds = (perf_counter() - began) / number
            self.pace.note(of, self.seconds)
            done += number
            room.gate[READY] = self.made.once
            if done < n:
                room.move(number)

    def room(self) -> Room:
        """Memory for one call, used again by later ones."""
        try:
            return self.rooms.pop()
        except IndexError:  # the first call, or others are at work
            pass
        try:
            return Room(self)
        except MemoryError:
            raise out_of_memory(self.f) from None


class Room:
    """The memory of one call, and its arguments."""

    def __init__(self, steps: Steps) -> None:
        made = steps.made
        self.memory = aligned(made.memory)
        self.sizes = made.rows
        self.gate = aligned(256).view(np.int32)
        self.views = [(seen_at(self.memory, slot, atom), *atom) for slot, atom in zip(made.states, steps.states, strict=True)]
        self.fixed = [(seen_at(self.memory, slot, atom), *atom) for slot, atom in zip(made.fixed, steps.fixed, strict=True)]
        self.given = (ctypes.c_int64 * max(1, len(FIELDS) * len(steps.rows)))(*(0, 0, 1, 1, 0, 0) * len(steps.rows))
        self.seen = (ctypes.c_void_p * max(1, len(steps.seen)))()
        self.held: list[tuple[Any, Any]] = [(self, None)] * len(steps.rows)  # what `given` points to, as it was given and as it lies
        places = range(0, len(FIELDS) * len(steps.rows), len(FIELDS))
        self.ends = *((self.given, k + FIELDS.index("at"), 1) for k in places), *((self.seen, k, n) for k, n in enumerate(made.seen))
        self.rooms: dict[int, np.ndarray[Any, Any]] = {}  # where examples that lie apart are brought together
        self.places = self.memory.ctypes.data, ctypes.addressof(self.given), ctypes.addressof(self.seen)
        self.turnstile = self.gate.ctypes.data
        self.results: list[np.ndarray[Any, Any]] | None = None  # of each call, where they always go to one place

    def point(self, given: Sequence[Given], seen: Sequence[np.ndarray[Any, Any]]) -> None:
        """Tell the program where the data of the first step is read, and where its observations go."""
        for k, x in enumerate(given):
            at = k * len(FIELDS)
            self.given[at : at + len(FIELDS)] = self.lies(k, x)
        for k, x in enumerate(seen):
            self.seen[k] = address(x)

    def lies(self, k: int, x: Given) -> tuple[int, ...]:
        """What the program has to know of the data of a port, in the order of `FIELDS`."""
        if not isinstance(x, Picked):
            return address(x), 0, 1, max(1, len(x)), 0, 0
        if x.where is None:
            return address(x.array), 0, 1, x.period, 0, 0
        if x.size is not None and x.size > 1 and k not in self.rooms:
            self.rooms[k] = aligned(self.sizes[k])
        room = address(self.rooms[k]) if k in self.rooms else 0
        return address(x.array), address(x.where), x.size or 1, x.period, 0, room

    def move(self, n: int) -> None:
        """The same so many steps later."""
        for places, k, size in self.ends:
            places[k] = (places[k] or 0) + n * size


class Once:
    """An arrow as a function in C: arrays in, arrays out.

    `rows` are the inputs that are others at each call. What is made of all others, such as panels of weights, is kept while these are the
    same arrays and nobody can have written to them; else it is made again.
    """

    def __init__(self, f: Diagram, table: Meanings = NATIVE, rows: Sequence[int] = ()) -> None:
        self.form = f, table, tuple(rows)
        wires = tuple(range(len(f.dom)))
        held = tuple(i for i in wires if i not in rows) if rows else ()
        self.steps = Steps(f, Loop((), wires, (len(f.dom), len(f.cod)), held), table)
        self.held = frozenset(held if self.steps.made.once else ())
        self.small = sum(self.steps.made.seen) <= COPIED

    def __call__(self, *xs: Any) -> tuple[Any, ...]:
        steps = self.steps
        room = steps.room()
        for k, (x, atom, (known, _)) in enumerate(zip(xs, steps.rows, room.held, strict=True)):
            if x is not known:  # as weights are, which are the same arrays as in the last call
                self.bind(room, k, atom, x)
            elif k in self.held and not unwritten(x):
                room.gate[READY] = 0
        seen = room.results or self.results(room)
        if steps.threads == 1:
            steps.call(*room.places, 1, 0, 1, room.turnstile)
            room.gate[READY] = steps.made.once
        else:
            steps.take(room, 1)
        found = tuple([x.copy() for x in seen] if self.small else seen)
        steps.rooms.append(room)
        return found

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle needs, as of `Steps`."""
        return Once, self.form

    def results(self, room: Room) -> list[np.ndarray[Any, Any]]:
        """Where results of a call go: few bytes always to the same place, from where they are copied."""
        made = [np.empty(shape, dtype) for shape, dtype in self.steps.seen]
        room.point((), made)
        room.results = made if self.small else None
        return made

    def bind(self, room: Room, k: int, atom: Atom, x: Any) -> None:
        """Tell the program where an input lies, until it is another array."""
        if type(x) is np.ndarray and (x.shape, x.dtype) == atom and x.flags.c_contiguous:
            room.held[k] = x, x
        else:
            room.held[k] = room, stacked(np.asarray(x)[None], atom, 1)
        room.given[k * len(FIELDS)] = address(room.held[k][1])
        if k in self.held:
            room.gate[READY] = 0


def unwritten(x: np.ndarray[Any, Any]) -> bool:
    """Whether nobody can write to an array, nor to one that it is a view of."""
    base: Any = x
    while type(base) is np.ndarray:
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or type(base) is bytes


def put(view: np.ndarray[Any, Any], shape: tuple[int, ...], dtype: np.dtype[Any], x: Any) -> None:
    """Write an array where the program reads it."""
    if type(x) is not np.ndarray:
        x = np.asarray(x)
    if x.shape != shape or x.dtype != dtype:
        raise TypeMismatch(f"a program in C wants an array of shape {shape} and dtype {dtype}, got {x.shape} and {x.dtype}")
    view[...] = x


def same(view: np.ndarray[Any, Any], x: Any) -> bool:
    """Whether an array is there already, to the bit."""
    if type(x) is not np.ndarray or x.shape != view.shape or x.dtype != view.dtype:
        return False
    if not (view.flags.c_contiguous and x.flags.c_contiguous):
        return view.tobytes() == x.tobytes()
    here, there = (v.reshape(-1).view(f"u{x.dtype.itemsize}") for v in (view, x))
    return all(np.array_equal(here[k : k + PIECE], there[k : k + PIECE]) for k in range(0, x.size, PIECE))


def lying(x: Any, atom: Atom, n: int) -> Given:
    """The data of n steps as the program reads it: where it lies, if it can, with the numbers of rows in one piece."""
    if not isinstance(x, Picked):
        return stacked(x, atom, n)
    if len(x) < n or not x.lies(*atom):
        return stacked(x[:n], atom, n)
    return x if x.where is None else replace(x, where=np.ascontiguousarray(x.where, np.int64))


def stacked(x: Any, atom: Atom, n: int) -> np.ndarray[Any, Any]:
    """The data of n steps, one after the other in memory."""
    x = np.ascontiguousarray(x)
    if x.shape[0] < n or x.shape[1:] != atom[0] or x.dtype != atom[1]:
        wanted = f"{n} rows of shape {atom[0]} and dtype {atom[1]}"
        raise TypeMismatch(f"a program in C wants {wanted}, got an array of shape {x.shape} and dtype {x.dtype}")
    return x


def address(x: Any) -> int:
    """Where an array lies. NumPy's own way to tell takes longer than thirty steps of a small model."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(x))
    except (TypeError, ValueError):  # one that may not be written, or that is empty
        return x.ctypes.data


def seen_at(memory: np.ndarray[Any, Any], slot: Slot, atom: Atom) -> np.ndarray[Any, Any]:
    """The part of the memory where a value lies, as its array."""
    shape, dtype = atom
    found = memory[slot.offset : slot.offset + slot.bytes].view(dtype)
    if not slot.room:
        return found.reshape(shape)
    rows, columns = shape[::-1] if slot.turned else shape
    table = found.reshape(rows, slot.room)[:, :columns]
    return table.T if slot.turned else table


def aligned(n: int) -> np.ndarray[Any, Any]:
    """So many bytes, all 0, that begin where a cache line does."""
    raw = np.zeros(n + 64, np.uint8)
    at = -raw.ctypes.data % 64
    return raw[at : at + n]


__all__ = ["Once", "Steps", "unwritten"]
