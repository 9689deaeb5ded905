"""Convolutions by tiles: many channels, whose runs at each pixel meet panels of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as tuples
from math import prod
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call, Value
from lensgrad.backends.native.gradients import Sums, runs_of
from lensgrad.backends.native.integers import Atom, Index, unflat
from lensgrad.backends.native.nests import Bound, Group, Program, view
from lensgrad.backends.native.panels import Matrix, divided, each, room
from lensgrad.backends.native.printer import PARALLEL, Function, Printer
from lensgrad.backends.native.products import Entry, base
from lensgrad.backends.native.scope import SHORT, Whole
from lensgrad.backends.native.square_sums import square_sums
from lensgrad.backends.native.squares import squares, worth

LEAST = 8  # channels of either side
MOST = 2048  # and what a thread's stack has room for


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
        if worth(program, call):
            return square_sums(program, call, (runs(program, call.args[0]), runs(program, call.args[1])))
        return Sums(call, (runs(program, call.args[0]), base(program, call.args[1])))
    if worth(program, call):
        return squares(program, call, (runs(program, call.args[0]), base(program, call.args[1])))
    return Pixels(call, (runs(program, call.args[0]), base(program, call.args[1])), panels(program, call))


def runs(program: Program, wire: int) -> int:
    """The array that an image is read from pixel by pixel: one whose channels lie side by side."""
    found = base(program, wire)
    seen = view(program.flat, program.makers, {found}, wire)
    return found if seen is not None and seen.steps[-1] == 1 else wire


def panels(program: Program, call: Call) -> tuple[int, ...]:
    """A value for the kernel as panels."""
    kernel = program.flat.values[call.args[1]]
    columns = kernel.shape[-2 if call.op.slot == "x" else -1]
    program.flat.values.append(room(kernel.size // columns, columns, kernel.dtype, program.flat.values[call.outs[0]].path))
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
        to = f"{self.panels} + ((int64_t)p * {len(places)} + s) * {self.depth} * WIDE_{self.t}"
        kernel = Matrix(f"{self.printer.places[self.kernel.wire].name} + taps[s]", self.depth, self.columns, down, along)
        return [
            f"static const int taps[{max(1, len(places))}] = {{{', '.join(map(str, places or [0]))}}};",
            each(self.columns, self.value.dtype, self.made.parallel),
            f"for (int s = 0; s < {len(places)}; s++)",
            kernel.packed(to, self.value.dtype),
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
