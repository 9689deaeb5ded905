"""Gradients of kernels with many channels: sums over all pixels, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call
from lensgrad.backends.native.integers import Atom, Index, unflat
from lensgrad.backends.native.nests import Group, View
from lensgrad.backends.native.panels import divided
from lensgrad.backends.native.printer import NOTE, PARALLEL, Function, Printer
from lensgrad.backends.native.scope import SHORT
from lensgrad.core.errors import NoRule

STRETCH = 128  # pixels that are summed at a time, all of which stay near
ROWS = 144  # channels of the image that are summed at a time: a multiple of the heights of tiles


def runs_of(printer: Printer, wire: int) -> View:
    """An image as an array; an error where its channels do not lie side by side."""
    seen = printer.view(wire)
    if seen.steps[-1] != 1:
        raise NoRule("the native backend has no array with channels side by side for a convolution")
    return seen


@dataclass(frozen=True, eq=False)
class Sums:
    """The adjoint of a convolution in its kernel: sums over all pixels, for each entry of the kernel."""

    call: Call
    reads: tuple[int, ...]
    epilogue: bool = False

    @property
    def row_major(self) -> tuple[int, ...]:
        """What it reads pixel by pixel has its channels side by side."""
        return self.reads[:1]

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Summing(self, printer, made).write()


@dataclass
class Summing:
    """Gradients of a kernel as C. Some channels of the image, and some panels of results, meet at one entry of the kernel."""

    kind: Sums
    printer: Printer
    made: Function

    def __post_init__(self) -> None:
        flat, call, self.op = self.printer.flat, self.kind.call, self.kind.call.op
        self.x, self.y = runs_of(self.printer, call.args[0]), self.printer.view(call.args[1])
        self.image, self.space = (flat.values[a].shape for a in call.args)
        self.value, self.out = flat.values[call.outs[0]], self.printer.places[call.outs[0]]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        self.inner, self.outer = self.value.shape[-2:]
        self.taps, self.pixels = prod(self.op.size), prod(self.space[:-1])
        blocks = -(-self.inner // ROWS)
        self.rows = (-(-self.inner // blocks) + 23) // 24 * 24 if blocks > 1 else self.inner
        self.blocks = -(-self.inner // self.rows)
        self.panels = 4

    def write(self) -> None:
        made, wide = self.made, f"WIDE_{self.t}"
        made.reads.update((self.x.wire, self.y.wire))
        made.writes.add(self.kind.call.outs[0])
        made.parallel = self.pixels * self.value.size >= PARALLEL
        groups = f"(({self.outer} + {self.panels} * {wide} - 1) / ({self.panels} * {wide}))"
        low, top = divided(f"{self.taps * self.blocks} * {groups}", made.parallel)
        aligned = "__attribute__((aligned(64)))"
        made.lines += [
            f"static const {self.type} zeros[{self.inner}];",
            f"{self.type} panel[{self.panels}][{STRETCH} * {wide}] {aligned}, sums[{self.panels}][{self.rows} * {wide}] {aligned};",
            f"{self.type} side[{self.rows * STRETCH} + {STRETCH} * HIGH] {aligned};",
            f"const {self.type} *a[{STRETCH}];",
            f"for (int j = {low}; j < {top}; j++) {{",
            f"const int s = j % {self.taps}, r0 = j / {self.taps} % {self.blocks} * {self.rows};",
            f"const int rows = {self.inner} - r0 < {self.rows} ? {self.inner} - r0 : {self.rows};",
            f"const int p0 = j / {self.taps * self.blocks} * {self.panels};",
            *tap_of(self.op),
            f"for (int k0 = 0; k0 < {self.pixels}; k0 += {STRETCH}) {{",
            f"const int deep = {self.pixels} - k0 < {STRETCH} ? {self.pixels} - k0 : {STRETCH};",
            *pixel_pointers(self.op, self.x, self.printer, self.image, self.space),
            f"beside_{self.t}(rows, deep, a, r0, side, {STRETCH} * HIGH);",
            *self.packed(),
            *self.met(),
            "}",
            *self.each_panel(self.stored()),
            "}",
        ]

    def each_panel(self, lines: Sequence[str]) -> list[str]:
        """Lines for each panel of the share."""
        wide = f"WIDE_{self.t}"
        return [
            f"for (int p = 0; p < {self.panels} && (p0 + p) * {wide} < {self.outer}; p++) {{",
            f"const int n0 = (p0 + p) * {wide}, columns = {self.outer} - n0 < {wide} ? {self.outer} - n0 : {wide};",
            *lines,
            "}",
        ]

    def packed(self) -> list[str]:
        """Results of the stretch as panels, pixel by pixel, so that memory is read in order."""
        *rows, along = self.y.steps
        m, wide, name = Index(0, ((Atom("m", max(2, self.pixels)), 1),)), f"WIDE_{self.t}", self.printer.places[self.y.wire].name
        place = Index(self.y.offset)
        for i, step in zip(unflat(m, self.space[:-1]), rows, strict=True):
            place = place + i * step
        return [
            "for (int k = 0; k < deep; k++) {",
            "const int m = k0 + k;",
            f"const {self.type} *from = {name} + {place};",
            *self.each_panel([f"beside_row_{self.t}(panel[p] + k * {wide}, from + (int64_t)n0 * {along}, columns, {along});"]),
            "}",
        ]

    def met(self) -> list[str]:
        """Tiles of channels, each side by side once, with all panels."""
        call = f"deep, side + (int64_t)r * {STRETCH}, 1, HIGH, panel[p], sums[p] + r * WIDE_{self.t}, k0 > 0"
        return [
            "for (int r = 0; r < rows; r += HIGH) {",
            "const int some = rows - r < HIGH ? rows - r : HIGH;",
            f"for (int p = 0; p < {self.panels} && (p0 + p) * WIDE_{self.t} < {self.outer}; p++)",
            f"if (some == HIGH) whole_{self.t}({call});",
            f"else rest_{self.t}(some, {call});",
            "}",
        ]

    def stored(self) -> list[str]:
        steps = self.out.steps
        place = f"{tap_place(steps)} + (r0 + r) * {steps[-2]} + (n0 + c) * {steps[-1]}"
        rows = "for (int r = 0; r < rows; r++)"

        def copied(count: str) -> list[str]:
            return [rows, NOTE, f"for (int c = 0; c < {count}; c++) {self.out.name}[{place}] = sums[p][r * WIDE_{self.t} + c];"]

        return [f"if (columns == WIDE_{self.t}) {{", *copied(f"WIDE_{self.t}"), "} else {", *copied("columns"), "}"]


def tap_of(op: Any) -> list[str]:
    """The index of an entry of the kernel, from its number."""
    index = unflat(Index(0, ((Atom("s", max(2, prod(op.size))), 1),)), op.size)
    return [f"const int t{k} = {i};" for k, i in enumerate(index)]


def pixel_pointers(op: Any, x: View, printer: Printer, image: Sequence[int], space: Sequence[int]) -> list[str]:
    """Where the pixels of a stretch lie for one entry of the kernel."""
    n, *steps, _ = x.steps
    m = Index(0, ((Atom("m", max(2, prod(space[:-1]))), 1),))
    example, *places = unflat(m, space[:-1])
    win = op.window
    at = [
        f"({i}) * {s} + t{k} * {d} - {low}"
        for k, (i, s, d, (low, _)) in enumerate(zip(places, win.stride, win.dilation, win.padding, strict=True))
    ]
    names = [f"i{k}" for k in range(len(at))]
    tests = " && ".join(f"(unsigned){i} < {size}" for i, size in zip(names, image[1:-1], strict=True))
    place = " + ".join(f"{i} * {s}" for i, s in zip(names, steps, strict=True))
    name = printer.places[x.wire].name
    return [
        "for (int k = 0; k < deep; k++) {",
        "const int m = k0 + k;",
        *(f"const int {i} = {text};" for i, text in zip(names, at, strict=True)),
        f"a[k] = {tests} ? {name} + {x.offset} + (int64_t)({example}) * {n} + {place} : zeros;",
        "}",
    ]


def tap_place(steps: Sequence[int]) -> str:
    """Where an entry of the kernel lies in the sums."""
    return " + ".join(f"t{k} * {step}" for k, step in enumerate(steps[:-2]))
