"""Programs that go through the passes of the C backend, each with sizes so small that little work meets every loop, edge and rest."""

from __future__ import annotations

import ctypes
import math
import mmap
import re
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from lensgrad.backends import numpy as reference
from lensgrad.backends.engine import NumPy
from lensgrad.backends.loop import Loop
from lensgrad.backends.native import assemble, blocks, products, running, square_sums, squares, toom, triangles
from lensgrad.backends.native.assemble import Assembled, assembled
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.native.memory import LINE, Arena, arena, rounded
from lensgrad.backends.picked import Picked
from lensgrad.backends.table import Meanings
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.attention import HIDDEN, softened
from lensgrad.testing.report import distance
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.conv import Convolve, Window
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.linear import Einsum

Sizes = Mapping[tuple[ModuleType, str], Any]
FLAGS = ("-ftrivial-auto-var-init=pattern", "-fsanitize=bounds", "-fsanitize-undefined-trap-on-error")
TOLERANCE = {"float32": 5e-5, "float64": 1e-12}
APART = 1 << 12  # bytes between arrays, which nobody may write to
HEIGHT = 6  # rows of a tile, of which few sizes are a multiple
LATE = """
#include <unistd.h>
static _Thread_local int me;
int late = -1;
#define wait(gate, sense, of) (met(gate, sense, of), me == late ? (void)usleep(20000) : (void)0)
"""
DOUBLE = re.compile(r"^[A-Z]+\(double, f64.*\)$", re.MULTILINE)
OTHERS = re.compile(r"^(SPARSE|BATCHES|PIXELS|STRIPS|PLANES)\(float, f32.*\)$", re.MULTILINE)


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
    def right(self) -> str:
        return self.made().text

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
        """The program with tiles of another height, with threads of which one comes late to whatever it waited for, and without what it
        does not need."""
        given = re.sub(r"#define HIGH \d+", f"#define HIGH {HEIGHT}", OTHERS.sub("", made.text))
        before, after = (given if self.double else DOUBLE.sub("", given)).split("INLINE void wait(", 1)
        body, rest = after.split("\n}\n", 1)
        rest = rest.replace(
            "int sense = atomic_load(gate + 16);", "int sense = atomic_load(gate + 16);\nme = id;\nif (me == late) usleep(20000);"
        )
        return f"{before}INLINE void met({body}\n}}\n{LATE}{rest}"

    def same(self, made: Assembled, library: Any) -> bool:
        """Whether a program gives what NumPy does, alone, and with two threads to the bit the same. Run it in a process of its own."""

        def given(*_: object) -> tuple[Assembled, Any]:
            return made, library.run

        module: Any = running
        module.step = given
        alone = self.ran(1)
        if not all(
            alike(y, w, TOLERANCE[y.dtype.name]) for ys, ws in zip(alone, self.wanted, strict=True) for y, w in zip(ys, ws, strict=True)
        ):
            return False
        for late in (-1, 0, 1) if made.parallel else ():
            ctypes.c_int.in_dll(library, "late").value = late
            if not all(np.array_equal(y, w, equal_nan=True) for y, w in zip(self.ran(2, 1)[0], alone[0], strict=True)):
                return False
        return True

    def ran(self, threads: int, most: int | None = None) -> list[list[Any]]:
        """The results of the first of its inputs, or of all."""
        return [self.run(threads, [], [ending(np.asarray(x)[None]) for x in xs], 1) for xs in self.inputs[:most]]

    def run(self, threads: int, states: Sequence[Any], rows: Sequence[Any], n: int) -> list[Any]:
        """States and what is observed after some steps, in a memory of which every byte is set, so that floats are no numbers."""
        steps = running.Steps(self.f, self.loop, threads=threads)
        steps.seconds = running.CALL / 3  # a call for three steps
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

    ways: Sequence[tuple[int, bool]] = ()  # steps, and whether the rows are read in an order
    size: int | None = None

    @cached_property
    def loop(self) -> Loop:
        ends = len(self.f.dom), len(self.f.cod)
        return Loop(((0, 0),), tuple(range(1, ends[0])), ends)

    def rows(self) -> list[list[Picked]]:
        """The data of each way."""
        (_, *arrays), found = self.inputs[0], list[list[Picked]]()
        for steps, ordered in self.ways:
            drawn = np.random.default_rng(steps).integers(0, len(arrays[0]), steps * (self.size or 1))
            found.append([Picked(x, steps, self.size, drawn if ordered else None) for x in arrays])
        return found

    @cached_property
    def wanted(self) -> list[list[Any]]:
        run = NumPy().iterate(self.f, self.loop).run
        return [flat(run([self.inputs[0][0]], [], [r[:] for r in rows], len(rows[0]))) for rows in self.rows()]

    def ran(self, threads: int, most: int | None = None) -> list[list[Any]]:
        return [self.run(threads, [self.inputs[0][0]], rows, len(rows[0])) for rows in self.rows()[:most]]


def flat(found: tuple[Sequence[Any], Sequence[Any]]) -> list[Any]:
    return [np.asarray(y) for part in found for y in part]


def arrow(body: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Diagram:
    return trace(body, *(Ty((Array(s, dtype),)) for s in shapes))


def drawn(f: Diagram, seed: int = 0) -> list[Any]:
    numbers: Any = np.random.default_rng(seed)
    return [numbers.normal(size=a.shape).astype(a.dtype) for a in f.dom]


def spoiled(f: Diagram, value: float, *places: tuple[int, tuple[Any, ...]]) -> list[Any]:
    """Inputs of an arrow with one value at some places."""
    xs = drawn(f)
    for k, place in places:
        xs[k][place] = value
    return xs


# -- the programs ---------------------------------------------------------------------------------------------------------


def convolution(slot: str, sizes: Sizes) -> Pass:
    """A form of a convolution of images that are no whole number of squares."""
    window, image = Window((1, 1), (1, 1), ((1, 2), (2, 1)), 1), (9, 8)
    inner, outer = (96, 64) if slot == "x" else (64, 96)
    shapes = {"x": (3, *image, inner), "k": (3, 3, inner, outer), "y": (3, *window.out(image, (3, 3)), outer)}
    op = Convolve(slot, window, image, (3, 3))

    def body(a: Any, b: Any) -> Any:
        return op(a, b) * 0.5

    f = arrow(body, *(shapes[s] for s in op.args()))
    return Pass(f"squares in {slot}", f, [drawn(f)], sizes, "int squares =")


def part() -> Pass:
    """A convolution of a part of an image, by squares that one thread alone has room for."""
    op = Convolve("y", Window((1, 1), (1, 1), ((0, 0), (0, 0)), 1), (10, 9), (3, 3))

    def body(x: Any, k: Any) -> Any:
        return op(x[:, 2:12], k)

    f = arrow(body, (3, 13, 9, 32), (3, 3, 32, 32), dtype="float64")
    return Pass("squares in a part", f, [drawn(f)], {(squares, "SLOTS"): 1, (squares, "SOME"): 6}, "int squares =")


def product(
    name: str, word: str, shapes: Sequence[tuple[int, ...]], phrase: str, sizes: Sizes | None = None, held: tuple[int, ...] = ()
) -> Pass:
    def body(x: Any, y: Any) -> Any:
        return Einsum(word)(x, y) * 0.5

    f = arrow(body, *shapes)
    return Pass(name, f, [drawn(f)], sizes or {}, phrase, held=held)


def panels_of_a_part() -> Pass:
    def body(x: Any, w: Any) -> Any:
        return Einsum("bi,oi->bo")(x, w[7:64]) * 0.5

    f = arrow(body, (26, 60), (70, 60))
    return Pass("panels of a part", f, [drawn(f)], phrase="gate[48]", held=(1,))


def seen(scores: Any) -> Any:
    """Scores, those of later steps hidden."""
    shape = scores.atom.shape
    at = Iota(shape[-1])()
    past = ops.spread(at, shape[-2:], (0,)) >= ops.spread(at, shape[-2:], (1,))
    return ops.select(ops.spread(past, shape, (len(shape) - 2, len(shape) - 1)), scores, HIDDEN)


def attention(steps: int, heads: int, width: int) -> Diagram:
    """One causal head after the other, as a layer has them, for two examples."""

    def body(q: Any, k: Any, v: Any) -> Any:
        scores = ops.einsum("Ztgrd,Zsgd->Zgrts", q, k) * (1.0 / math.sqrt(width))
        return ops.einsum("Zgrts,Zsgd->Ztgrd", softened(seen(scores)), v)

    return arrow(body, (2, steps, heads, 1, width), *[(2, steps, heads, width)] * 2)


def attentive(name: str, f: Diagram, often: int, sizes: Sizes | None = None) -> Pass:
    """Attention, also where something is not finite, and where hidden steps count as much as seen ones."""
    place = (1, 11, 0, ..., 3)
    ways = [drawn(f), *(spoiled(f, value, (k, place)) for k in range(len(f.dom)) for value in (np.nan, 3e38))]
    even = drawn(f)
    even[0][..., 0], even[1][..., 0] = 1e17, -1e17
    whole = len(f.cod) > 1  # a gradient, which so large numbers leave to chance
    return Pass(name, f, ways if whole else [*ways, even], sizes or {}, "const int lower =", often)


def rows_of_softmax(name: str, causal: bool) -> Pass:
    def body(x: Any) -> Any:
        return softened(seen(x * 0.5) if causal else x * 0.5)

    f = arrow(body, (3, 1, 37, 37))
    ways = [spoiled(f, v, (0, (0, 0, 18, 12)), (0, (1, 0, 18)), (0, (2,))) for v in (np.nan, np.inf, -np.inf, -4e30, 3e38)]
    return Pass(name, f, [drawn(f), *ways], phrase="for (int k = seen;" if causal else "power = exp_")


def picking(size: int | None, small: int = 3) -> Picking:
    """A step on large and small rows."""
    lead = () if size is None else (size,)

    def body(w: Any, y: Any, x: Any, z: Any) -> Any:
        return w * 0.5 + (x if size is None else x.sum((0,))), x * 2.0, y * 2.0, z * 2.0

    f = arrow(body, (80,), *((*lead, n) for n in (small, 80, small + 2)))
    rng = np.random.default_rng(7)
    arrays = [np.asarray(rng.normal(size=(14, *s)), "float32") for s in ((small,), (80,), (small + 2,))]
    ways = ((8, True), (8, False), (2, True))
    return Picking(f"rows of {size or 'an example'}, {small} wide", f, [[np.zeros(80, "float32"), *arrays]], ways=ways, size=size)


SQUARES: Sizes = {(squares, "SLOTS"): 2, (squares, "SOME"): 18, (squares, "TOGETHER"): 48, (squares, "PART"): 64, (squares, "STRETCH"): 24}
SUMS: Sizes = {(square_sums, "SLOTS"): 2, (square_sums, "SOME"): 12, (square_sums, "ROWS"): 24, (square_sums, "COLUMNS"): 64}
NEAR: Sizes = {(blocks, "DEEP"): {"float32": 32}, (blocks, "HALF"): 40, (blocks, "ROWS"): 24, (blocks, "ACROSS"): 128}
LONG: Sizes = {(triangles, "CLOSE"): 16, (products, "CLOSE"): 16}


def programs() -> list[Pass]:
    """All of them."""
    ahead = attention(19, 2, 24)
    return [
        convolution("y", SQUARES),
        convolution("x", {**SQUARES, (squares, "SOME"): 6, (squares, "PART"): 96}),
        convolution("k", SUMS),
        part(),
        product("dots", "bi,oi->bo", [(3, 70), (45, 70)], "dots_f32(rows", held=(1,)),
        product("panels by columns", "bi,oi->bo", [(26, 60), (57, 60)], "gate[48]", held=(1,)),
        product("panels by rows", "bi,io->bo", [(26, 60), (60, 63)], "gate[48]", held=(1,)),
        panels_of_a_part(),
        product("ready panels", "bi,oi->bo", [(31, 100), (75, 100)], "float part[", NEAR, (1,)),
        product("panels where rows lie across", "ib,oi->bo", [(100, 31), (75, 100)], "gate[48]", NEAR, (1,)),
        product("blocks", "zkr,zkc->zrc", [(2, 70, 31), (2, 70, 75)], "block_f32(block", NEAR),
        product("blocks of one matrix", "kr,kc->rc", [(70, 31), (70, 81)], "block_f32(block", NEAR),
        product("blocks of two sums", "kjr,jkc->rc", [(3, 70, 31), (70, 3, 75)], "block_f32(block", NEAR),
        rows_of_softmax("softmax", False),
        rows_of_softmax("causal softmax", True),
        attentive("attention", ahead, 2),
        attentive("attention and back", R(ahead), 3),
        attentive("attention of many steps", R(ahead), 2, LONG),
        picking(None),
        picking(4),
        picking(4, 90),  # all of them read where they lie
        picking(1),
    ]


__all__ = ["Pass", "alike", "programs", "resized"]
