"""Convolutions by tiles: many channels, whose runs at each pixel meet panels of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as tuples
from math import prod
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call, Value
from lensgrad.backends.native.integers import Atom, Index, unflat
from lensgrad.backends.native.nests import Bound, Group, Program, View, view
from lensgrad.backends.native.printer import PARALLEL, Function, Printer
from lensgrad.backends.native.products import DEPTH, Entry, base, divided
from lensgrad.backends.native.scope import SHORT, Whole
from lensgrad.core.errors import NoRule

LEAST = 8  # channels of either side
MOST = 2048  # and what a thread's stack has room for
WIDEST = 32  # entries that a panel's row may have


def many(op: Any, dom: Sequence[Value]) -> bool:
    """Whether a convolution has one group and channels enough for tiles."""
    inner, outer = (dom[0].shape[-1], dom[1].shape[-1]) if op.slot == "k" else (dom[1].shape[-2], dom[1].shape[-1])
    fits = min(inner, outer) >= LEAST and max(inner, outer) <= MOST
    return op.window.groups == 1 and len(op.size) <= 3 and fits and dom[0].dtype in ("float32", "float64")


def chosen(op: Any, dom: Sequence[Value]) -> Whole | None:
    """A convolution by tiles, if its channels are many."""
    return Whole(lambda _, __: Bound(bound)) if many(op, dom) else None


def bound(program: Program, call: Call) -> Any:
    if call.op.slot == "k":
        return Sums(call, (runs(program, call.args[0]), base(program, call.args[1])))
    return Pixels(call, (runs(program, call.args[0]), base(program, call.args[1])), panels(program, call))


def runs(program: Program, wire: int) -> int:
    """The array that an image is read from pixel by pixel: one whose channels lie side by side."""
    found = base(program, wire)
    seen = view(program.flat, program.makers, {found}, wire)
    return found if seen is not None and seen.steps[-1] == 1 else wire


def runs_of(printer: Printer, wire: int) -> View:
    """An image as an array; an error where its channels do not lie side by side."""
    seen = printer.view(wire)
    if seen.steps[-1] != 1:
        raise NoRule("the native backend has no array with channels side by side for a convolution")
    return seen


def panels(program: Program, call: Call) -> tuple[int, ...]:
    """A value for the kernel as panels."""
    kernel = program.flat.values[call.args[1]]
    columns = kernel.shape[-2 if call.op.slot == "x" else -1]
    rows = kernel.size // columns
    program.flat.values.append(Value((rows * -(-columns // WIDEST) * WIDEST,), kernel.dtype, program.flat.values[call.outs[0]].path))
    return (len(program.flat.values) - 1,)


@dataclass(frozen=True)
class Taps:
    """One way of meeting: results at these remainders read, along each axis, these kernel entries at these distances."""

    start: tuple[int, ...]
    counts: tuple[int, ...]
    step: int
    entries: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]  # kernel index, distance in the image that is read


def ways(op: Any, space: Sequence[int]) -> list[Taps]:
    """The convolution itself has one way; its adjoint has one for each remainder of places by the strides."""
    win = op.window
    taps = list(tuples(*map(range, op.size)))
    if op.slot == "y":
        entries = [(t, tuple(k * d - low for k, d, (low, _) in zip(t, win.dilation, win.padding, strict=True))) for t in taps]
        return [Taps((0,) * len(space), tuple(space), 1, tuple(entries))]
    found: list[Taps] = []
    for start in tuples(*map(range, win.stride)):
        entries: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        for t in taps:
            far = [s + low - k * d for s, k, d, (low, _) in zip(start, t, win.dilation, win.padding, strict=True)]
            if all(f % s == 0 for f, s in zip(far, win.stride, strict=True)):
                entries.append((t, tuple(f // s for f, s in zip(far, win.stride, strict=True))))
        counts = tuple(-(-(n - a) // s) for n, a, s in zip(space, start, win.stride, strict=True))
        if prod(counts):
            found.append(Taps(start, counts, 0, tuple(entries)))
    return found


@dataclass(frozen=True, eq=False)
class Pixels:
    """The result of a convolution, or its adjoint in the image, pixel by pixel."""

    call: Call
    reads: tuple[int, ...]
    spare: tuple[int, ...]
    epilogue: bool = True

    @property
    def row_major(self) -> tuple[int, ...]:
        """What it reads pixel by pixel has its channels side by side."""
        return self.reads[:1]

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Meeting(self, printer, group, made).write()


@dataclass
class Meeting:
    """Pixels on their way into C."""

    kind: Pixels
    printer: Printer
    group: Group
    made: Function

    def __post_init__(self) -> None:
        flat, call = self.printer.flat, self.kind.call
        self.op, self.back = call.op, call.op.slot == "x"
        self.image, self.kernel = runs_of(self.printer, call.args[0]), self.printer.view(call.args[1])
        self.source, self.value = flat.values[call.args[0]], flat.values[call.outs[0]]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        self.depth, self.columns = self.source.shape[-1], self.value.shape[-1]
        self.entry = Entry(self.printer, self.group, self.made, call.outs[0])

    def write(self) -> None:
        made, (panels,) = self.made, self.kind.spare
        self.panels = self.printer.places[panels].name
        made.reads.update((self.image.wire, self.kernel.wire))
        made.writes.add(panels)
        made.parallel = self.value.size * self.depth * prod(self.op.size) >= PARALLEL
        made.waits = made.parallel
        found = ways(self.op, self.value.shape[1:-1])
        made.lines += [
            f"static const {self.type} zeros[{self.depth}];",
            f"{self.type} tile[HIGH * WIDE_{self.t}] __attribute__((aligned(64)));",
        ]
        for way in found:
            made.lines += ["{", *self.packed(way), *(["wait(gate, sense, of);"] if made.waits else []), *self.met(way)]
            made.lines += [*(["wait(gate, sense, of);"] if made.waits and len(found) > 1 else []), "}"]

    def packed(self, way: Taps) -> list[str]:
        """The kernel's entries as panels, one after the other."""
        *space, inner, outer = self.kernel.steps
        along, down = (inner, outer) if self.back else (outer, inner)
        places = [self.kernel.offset + sum(k * s for k, s in zip(t, space, strict=True)) for t, _ in way.entries]
        low, high = divided(f"({self.columns} + WIDE_{self.t} - 1) / WIDE_{self.t}", self.made.parallel)
        wide = f"WIDE_{self.t}"
        return [
            f"static const int taps[{max(1, len(places))}] = {{{', '.join(map(str, places or [0]))}}};",
            f"for (int p = {low}; p < {high}; p++)",
            f"for (int s = 0; s < {len(places)}; s++)",
            f"pack_{self.t}({self.panels} + ((int64_t)p * {len(places)} + s) * {self.depth} * {wide}, "
            f"{self.printer.places[self.kernel.wire].name} + taps[s] + (int64_t)p * {wide} * {along}, {self.depth}, "
            f"{self.columns} - p * {wide} < {wide} ? {self.columns} - p * {wide} : {wide}, {down}, {along});",
        ]

    def met(self, way: Taps) -> list[str]:
        """Tiles of pixels, each with all panels."""
        rows, taps, wide = self.value.shape[0] * prod(way.counts), len(way.entries), f"WIDE_{self.t}"
        low, high = divided(f"({rows} + HIGH - 1) / HIGH", self.made.parallel)
        call = f"{taps}, {self.depth}, a, {self.panels} + (int64_t)p * {taps * self.depth} * {wide}, tile"
        return [
            f"for (int q = {low}; q < {high}; q++) {{",
            f"const int m0 = q * HIGH, rows = {rows} - m0 < HIGH ? {rows} - m0 : HIGH;",
            f"const {self.type} *a[{max(1, taps)} * HIGH];",
            "for (int r = 0; r < rows; r++) {",
            *self.pointers(way),
            "}",
            f"for (int p = 0; p < ({self.columns} + {wide} - 1) / {wide}; p++) {{",
            f"const int n0 = p * {wide}, columns = {self.columns} - n0 < {wide} ? {self.columns} - n0 : {wide};",
            f"if (rows == HIGH) meet_whole_{self.t}({call});",
            f"else meet_rest_{self.t}(rows, {call});",
            *self.entry.loops(lambda m, n: self.index(way, m, n), rows, self.columns),
            "}",
            "}",
        ]

    def index(self, way: Taps, m: Index, n: Index) -> tuple[Index, ...]:
        """The index of a result, from its number among those of this way."""
        example, *space = unflat(m, (self.value.shape[0], *way.counts))
        stride = self.op.window.stride if self.back else (1,) * len(space)
        return (example, *(i * s + a for i, s, a in zip(space, stride, way.start, strict=True)), n)

    def pointers(self, way: Taps) -> list[str]:
        """Where the pixels lie that a result reads; outside of the image zeros."""
        names = [f"i{k}" for k in range(len(way.counts))]
        m = Index(0, ((Atom("m", max(2, self.value.shape[0] * prod(way.counts))), 1),))
        example, *space = unflat(m, (self.value.shape[0], *way.counts))
        n, *steps, _ = self.image.steps
        stride = (1,) * len(space) if self.back else self.op.window.stride
        lines = ["const int m = m0 + r;", *(f"const int {name} = ({i}) * {s};" for name, i, s in zip(names, space, stride, strict=True))]
        lines.append(
            f"const {self.type} *x = {self.printer.places[self.image.wire].name} + {self.image.offset} + (int64_t)({example}) * {n};"
        )
        for k, (_, far) in enumerate(way.entries):
            tests = [f"(unsigned)({i} + {d}) < {size}" for i, d, size in zip(names, far, self.source.shape[1:-1], strict=True)]
            place = " + ".join(f"({i} + {d}) * {s}" for i, d, s in zip(names, far, steps, strict=True))
            lines.append(f"a[{k} * HIGH + r] = {' && '.join(tests)} ? x + {place} : zeros;")
        return lines


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
        flat, op = printer.flat, self.call.op
        x, y = runs_of(printer, self.call.args[0]), printer.view(self.call.args[1])
        image, space = (flat.values[a].shape for a in self.call.args)
        value, out = flat.values[self.call.outs[0]], printer.places[self.call.outs[0]]
        t, kind, wide = SHORT[value.dtype], TYPES[value.dtype], f"WIDE_{SHORT[value.dtype]}"
        inner, outer = value.shape[-2:]
        made.reads.update((x.wire, y.wire))
        made.writes.add(self.call.outs[0])
        made.parallel = space[0] * prod(space[1:-1]) * value.size >= PARALLEL
        count, pixels = prod(op.size), prod(space[:-1])
        low, high = divided(f"{count} * (({outer} + {wide} - 1) / {wide})", made.parallel)
        made.lines += [
            f"static const {kind} zeros[{inner}];",
            f"{kind} panel[{DEPTH // 4} * {wide}] __attribute__((aligned(64))), sums[{inner} * {wide}] __attribute__((aligned(64)));",
            f"const {kind} *a[{DEPTH // 4}];",
            f"for (int j = {low}; j < {high}; j++) {{",
            f"const int p = j / {count}, s = j % {count}, n0 = p * {wide}, columns = {outer} - n0 < {wide} ? {outer} - n0 : {wide};",
            *tap_of(op),
            "memset(sums, 0, sizeof sums);",
            f"for (int k0 = 0; k0 < {pixels}; k0 += {DEPTH // 4}) {{",
            f"const int deep = {pixels} - k0 < {DEPTH // 4} ? {pixels} - k0 : {DEPTH // 4};",
            *pixel_pointers(op, x, printer, image, space),
            *panel_of(y, printer, space, t),
            f"pairs_{t}({inner}, deep, a, panel, sums);",
            "}",
            f"for (int r = 0; r < {inner}; r++)",
            "for (int c = 0; c < columns; c++)",
            f"{out.name}[{tap_place(out.steps)} + r * {out.steps[-2]} + (n0 + c) * {out.steps[-1]}] = sums[r * {wide} + c];",
            "}",
        ]


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


def panel_of(y: View, printer: Printer, space: Sequence[int], t: str) -> list[str]:
    """Some columns of results, pixel by pixel."""
    *rows, along = y.steps
    even = all(a == b * n for a, b, n in zip(rows, rows[1:], space[1:-1], strict=False))
    name = printer.places[y.wire].name
    if even:
        return [
            f"pack_{t}(panel, {name} + {y.offset} + (int64_t)k0 * {rows[-1]} + (int64_t)n0 * {along}, deep, columns, {rows[-1]}, {along});"
        ]
    m = Index(0, ((Atom("m", max(2, prod(space[:-1]))), 1),))
    place = Index(y.offset)
    for i, s in zip(unflat(m, space[:-1]), rows, strict=True):
        place = place + i * s
    return [
        "for (int k = 0; k < deep; k++) {",
        "const int m = k0 + k;",
        f"for (int c = 0; c < WIDE_{t}; c++) panel[k * WIDE_{t} + c] = c < columns ? {name}[{place} + (n0 + c) * {along}] : 0;",
        "}",
    ]


def tap_place(steps: Sequence[int]) -> str:
    """Where an entry of the kernel lies in the sums."""
    return " + ".join(f"t{k} * {step}" for k, step in enumerate(steps[:-2]))
