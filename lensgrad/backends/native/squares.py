"""Convolutions by squares: results of kernels of 3 × 3 in steps of one, a square of them at a time, by few products of sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lensgrad.backends.native.epilogue import Entry
from lensgrad.backends.native.flat import TYPES, Call, Value
from lensgrad.backends.native.gradients import runs_of
from lensgrad.backends.native.integers import Index, unflat
from lensgrad.backends.native.nests import Group, Program, View
from lensgrad.backends.native.panels import WIDEST, divided
from lensgrad.backends.native.printer import NOTE, PARALLEL, Function, Printer
from lensgrad.backends.native.scope import SHORT
from lensgrad.backends.native.toom import Sums, transforms

SIDE = 4  # results of a square
SIZE = 3  # of a kernel
REACH = SIDE + SIZE - 1  # pixels that a square reads
EACH = REACH * REACH  # products of a square
SOME = 24  # squares at a time, whose sums stay near: whole tiles on every machine
TOGETHER = 64  # columns that meet them at a time
PART = 128  # columns that a thread has to itself
SLOTS = 16  # threads that have room for squares
MOST = 1 << 20  # input times output channels: the sums of their kernel take four times its memory
STRETCH = 32  # rows of panels that are made at a time
APART = 16  # entries between what belongs to two products, at least: entries at the same place of all 36 have room in the nearest cache
TRANSFORM = 6  # products that making a sum takes as long as
FORMS = transforms(SIDE, SIZE)


def worth(program: Program, call: Call) -> bool:
    """Whether a convolution is one of such a kernel, and squares take less time than tiles of pixels."""
    win, dom = call.op.window, program.flat.dom(call)
    plain = tuple(call.op.size) == (SIZE, SIZE) and set(win.stride) == {1} and set(win.dilation) == {1} and win.groups == 1
    return program.copies and plain and cheaper(*sizes(call, dom))


def sizes(call: Call, dom: Sequence[Value]) -> tuple[int, tuple[int, ...], int, int]:
    """Examples, the space of results, and channels of a convolution."""
    op = call.op
    space = tuple(op.image) if op.slot == "x" else op.window.out(op.image, op.size)
    inner, outer = (dom[0].shape[-1], dom[1].shape[-1]) if op.slot == "k" else dom[1].shape[-2:]
    return dom[0].shape[0], space, inner, outer


def cheaper(examples: int, space: Sequence[int], inner: int, outer: int) -> bool:
    """Whether products saved are more than what making sums takes."""
    if inner % WIDEST or outer % WIDEST or inner * outer > MOST:
        return False
    squares, pixels = examples, examples
    for n in space:
        squares, pixels = squares * -(-n // SIDE), pixels * n
    made = TRANSFORM * (squares * (inner + outer) + inner * outer)
    return EACH * (squares * inner * outer + made) * 5 < SIZE * SIZE * pixels * inner * outer * 4


def room(program: Program, call: Call, *counts: int) -> tuple[int, ...]:
    """Values inside a kernel, of so many entries."""
    values, out = program.flat.values, program.flat.values[call.outs[0]]
    values += [Value((n,), out.dtype, out.path) for n in counts]
    return tuple(range(len(values) - len(counts), len(values)))


def squares(program: Program, call: Call, reads: tuple[int, ...]) -> Squares:
    """The kind of a convolution, or of its adjoint in the image."""
    depth, columns = (program.flat.values[w].shape[-1] for w in (call.args[0], call.outs[0]))
    counts = (depth + 1) * columns, SLOTS * (SOME * depth + APART), SLOTS * (SOME + 1) * TOGETHER
    return Squares(call, reads, room(program, call, *(EACH * n for n in counts)))


@dataclass(frozen=True, eq=False)
class Squares:
    """The result of a convolution, or its adjoint in the image, square by square."""

    call: Call
    reads: tuple[int, ...]
    spare: tuple[int, ...]  # the kernel's sums as panels, sums of squares, and products
    epilogue: bool = True

    @property
    def row_major(self) -> tuple[int, ...]:
        return self.reads[:1]

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Squaring(self, printer, group, made).write()


@dataclass(frozen=True)
class Grid:
    """The squares of an image."""

    space: tuple[int, ...]
    examples: int

    @property
    def sides(self) -> tuple[int, int]:
        high, wide = (-(-n // SIDE) for n in self.space)
        return high, wide

    @property
    def count(self) -> int:
        high, wide = self.sides
        return self.examples * high * wide

    @property
    def place(self) -> str:
        """The example and the first pixel of square t0 + t."""
        high, wide = self.sides
        return f"const int q = t0 + t, n = q / {high * wide}, h0 = q / {wide} % {high} * {SIDE}, w0 = q % {wide} * {SIDE};"


def shares(units: int) -> list[str]:
    """The room of a thread, and the units of work from which and up to which it goes: none where there is no room for it."""
    return [
        f"const int some = of < {SLOTS} ? of : {SLOTS}, slot = id < some ? id : some;",
        f"const int from = first({units}, slot, some), end = slot < some ? first({units}, slot + 1, some) : from;",
    ]


def patch(type_: str, reach: int, place: str, view: View, low: Sequence[int], rows: Sequence[int] | None = None) -> list[str]:
    """Where the pixels of a square lie, or those of some of its rows; outside of the image zeros."""
    _, high, wide, _ = view.shape
    n, h, w, _ = view.steps
    lines = [f"const {type_} *a[{reach * reach}], *const image = {place} + {view.offset} + (int64_t)n * {n};"]
    for i in range(reach) if rows is None else rows:
        row = f"(unsigned)(h0 + {i} - {low[0]}) < {high} ? image + (h0 + {i} - {low[0]}) * {h} : 0"
        lines += ["{", f"const {type_} *const row = {row};"]
        for j in range(reach):
            x = f"w0 + {j} - {low[1]}"
            lines.append(f"a[{i * reach + j}] = row && (unsigned)({x}) < {wide} ? row + ({x}) * {w} : zeros;")
        lines.append("}")
    return lines


def loop(head: str, text: Sums, stores: Sequence[str]) -> list[str]:
    """A loop over entries side by side, each of which some sums are made of."""
    return [NOTE, f"for ({head}) {{", *text.lines, *stores, "}"]


@dataclass
class Squaring:
    """Squares on their way into C."""

    kind: Squares
    printer: Printer
    group: Group
    made: Function

    def __post_init__(self) -> None:
        flat, call = self.printer.flat, self.kind.call
        self.back = call.op.slot == "x"
        self.image, self.kernel = runs_of(self.printer, call.args[0]), self.printer.view(call.args[1])
        self.value = flat.values[call.outs[0]]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        self.depth, self.columns = self.image.shape[-1], self.value.shape[-1]
        self.grid = Grid(self.value.shape[1:-1], self.value.shape[0])
        self.low = [SIZE - 1 - a if self.back else a for a, _ in call.op.window.padding]
        self.panels, self.sums, self.products = (self.printer.places[w].name for w in self.kind.spare)
        self.wide, self.gap = f"WIDE_{self.t}", SOME * self.depth + APART

    def write(self) -> None:
        made = self.made
        made.reads.update((self.image.wire, self.kernel.wire))
        made.writes.update(self.kind.spare)
        made.parallel = self.value.size * self.depth * SIZE >= PARALLEL
        made.waits = made.parallel
        made.lines += [
            f"static const {self.type} zeros[{self.depth}];",
            f"{self.type} square[{SIDE * SIDE} * {self.wide}] __attribute__((aligned(64)));",
            *self.packed(),
            *(["wait(gate, sense, of);"] if made.waits else []),
            *self.units(),
        ]

    def packed(self) -> list[str]:
        """Sums of the kernel's entries as panels: those of one product after those of the other."""
        h, w, inner, outer = self.kernel.steps
        along, down = (inner, outer) if self.back else (outer, inner)
        taps = [(SIZE - 1 - i, SIZE - 1 - j) if self.back else (i, j) for i in range(SIZE) for j in range(SIZE)]
        stretches = -(-self.depth // STRETCH)
        low, high = divided(f"{self.columns} / {self.wide} * {stretches}", self.made.parallel)
        text = Sums(self.type)
        made = text.around(FORMS.kernel, FORMS.kernel, lambda i, j: f"taps[{i * SIZE + j}][k]")
        stores = [f"to[{f * (self.depth + 1)} * {self.wide} + k] = {v};" for f, v in enumerate(v for row in made for v in row)]
        return [
            f"static const int places[] = {{{', '.join(str(self.kernel.offset + i * h + j * w) for i, j in taps)}}};",
            f"{self.type} taps[{SIZE * SIZE}][{STRETCH} * {self.wide}] __attribute__((aligned(64)));",
            f"for (int s = {low}; s < {high}; s++) {{",
            f"const int p = s / {stretches}, k0 = s % {stretches} * {STRETCH};",
            f"const int deep = {self.depth} - k0 < {STRETCH} ? {self.depth} - k0 : {STRETCH};",
            f"{self.type} *to = {self.panels} + ((int64_t)p * {EACH * (self.depth + 1)} + k0) * {self.wide};",
            f"for (int i = 0; i < {SIZE * SIZE}; i++)",
            f"pack_{self.t}(taps[i], {self.printer.places[self.kernel.wire].name} + places[i] + (int64_t)p * {self.wide} * {along} + "
            f"(int64_t)k0 * {down}, deep, {self.wide}, {down}, {along});",
            *loop(f"int k = 0; k < deep * {self.wide}; k++", text, stores),
            "}",
        ]

    def units(self) -> list[str]:
        """Some squares and some columns after the other, divided over threads, each of which has room of its own."""
        blocks, parts = -(-self.grid.count // SOME), -(-self.columns // PART)
        last = f"(part + 1) * {PART} < {self.columns} ? (part + 1) * {PART} : {self.columns}"
        return [
            *shares(blocks * parts),
            f"{self.type} *v = {self.sums} + (int64_t)slot * {EACH * self.gap};",
            f"{self.type} *by = {self.products} + (int64_t)slot * {EACH * (SOME + 1) * TOGETHER};",
            "for (int u = from; u < end; u++) {",
            f"const int part = u / {blocks}, t0 = u % {blocks} * {SOME};",
            f"const int squares = {self.grid.count} - t0 < {SOME} ? {self.grid.count} - t0 : {SOME};",
            *self.taken(),
            f"const int last = ({last}) / {self.wide};",
            f"for (int p0 = part * {PART} / {self.wide}; p0 < last; p0 += {TOGETHER} / {self.wide}) {{",
            f"const int p1 = p0 + {TOGETHER} / {self.wide} < last ? p0 + {TOGETHER} / {self.wide} : last;",
            *self.met(),
            *self.given(),
            "}",
            "}",
        ]

    def taken(self) -> list[str]:
        """Sums of the pixels of squares."""
        text = Sums(self.type)
        made = text.around(FORMS.image, FORMS.image, lambda i, j: f"a[{i * REACH + j}][c]")
        stores = [f"to[{f * self.gap} + c] = {v};" for f, v in enumerate(v for row in made for v in row)]
        return [
            "for (int t = 0; t < squares; t++) {",
            self.grid.place,
            f"{self.type} *to = v + t * {self.depth};",
            *patch(self.type, REACH, self.printer.places[self.image.wire].name, self.image, self.low),
            *loop(f"int c = 0; c < {self.depth}; c++", text, stores),
            "}",
        ]

    def met(self) -> list[str]:
        """Products of both kinds of sums, added up over channels."""
        rest = f"{self.depth}, left, {self.depth}, 1, panel, to, 0"
        return [
            f"for (int f = 0; f < {EACH}; f++)",
            "for (int p = p0; p < p1; p++) {",
            f"const {self.type} *panel = {self.panels} + ((int64_t)p * {EACH} + f) * {self.depth + 1} * {self.wide};",
            "for (int r = 0; r < squares; r += HIGH) {",
            f"const {self.type} *left = v + f * {self.gap} + r * {self.depth};",
            f"{self.type} *to = by + (((p - p0) * {EACH} + f) * {SOME + 1} + r) * {self.wide};",
            f"if (squares - r >= HIGH) whole_{self.t}({rest});",
            f"else rest_{self.t}(squares - r, {rest});",
            "}",
            "}",
        ]

    def given(self) -> list[str]:
        """Results of products, and what is done to each."""
        text = Sums(self.type)
        made = text.around(FORMS.result, FORMS.result, lambda i, j: f"from[{(i * REACH + j) * (SOME + 1)} * {self.wide} + c]")
        stores = [f"square[{f} * {self.wide} + c] = {v};" for f, v in enumerate(v for row in made for v in row)]
        high, wide = self.value.shape[1:-1]
        entry = Entry(self.printer, self.group, self.made, self.kind.call.outs[0])
        return [
            "for (int p = p0; p < p1; p++)",
            "for (int t = 0; t < squares; t++) {",
            self.grid.place,
            f"const int n0 = p * {self.wide}, columns = {self.wide}, rows = {wide} - w0 < {SIDE} ? {wide} - w0 : {SIDE};",
            f"const {self.type} *from = by + ((p - p0) * {EACH * (SOME + 1)} + t) * {self.wide};",
            *loop(f"int c = 0; c < {self.wide}; c++", text, stores),
            f"for (int i = 0; i < {SIDE} && h0 + i < {high}; i++) {{",
            f"const int m0 = (n * {high} + h0 + i) * {wide} + w0;",
            f"const {self.type} *tile = square + i * {SIDE} * {self.wide};",
            *entry.loops(self.index, self.grid.examples * high * wide, self.columns),
            "}",
            "}",
        ]

    def index(self, m: Index, n: Index) -> tuple[Index, ...]:
        return (*unflat(m, self.value.shape[:-1]), n)


__all__ = ["Grid", "Squares", "squares", "worth"]
