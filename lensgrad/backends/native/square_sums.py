"""Gradients of kernels by squares: the transpose of squares.py in the kernel, some of the products of all squares after the other."""

from __future__ import annotations

from dataclasses import dataclass

from lensgrad.backends.native.flat import TYPES, Call
from lensgrad.backends.native.gradients import runs_of
from lensgrad.backends.native.nests import Group, Program
from lensgrad.backends.native.panels import divided
from lensgrad.backends.native.printer import PARALLEL, Function, Printer
from lensgrad.backends.native.scope import SHORT
from lensgrad.backends.native.squares import FORMS, REACH, SIDE, SIZE, SLOTS, Grid, loop, patch, room, shares
from lensgrad.backends.native.toom import Row, Sums, transposed

SOME = 96  # squares at a time
ROWS = 128  # channels of the image that meet
COLUMNS = 128  # so many of results


def square_sums(program: Program, call: Call, reads: tuple[int, ...]) -> SquareSums:
    """The kind of the adjoint of a convolution in its kernel."""
    inner, outer = (program.flat.values[w].shape[-1] for w in call.args)
    each = REACH * (SOME * (ROWS + COLUMNS) + ROWS * COLUMNS)
    return SquareSums(call, reads, room(program, call, SLOTS * each, REACH * SIZE * inner * outer))


@dataclass(frozen=True, eq=False)
class SquareSums:
    """Sums over all squares, for each entry of the kernel."""

    call: Call
    reads: tuple[int, ...]
    spare: tuple[int, ...]  # room for threads, and sums along one axis
    epilogue: bool = False

    @property
    def row_major(self) -> tuple[int, ...]:
        return self.reads

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Summing(self, printer, made).write()


@dataclass
class Summing:
    """Gradients of a kernel as C. A thread has one row of products of some channels to itself, so that all it adds up stays near."""

    kind: SquareSums
    printer: Printer
    made: Function

    def __post_init__(self) -> None:
        flat, call = self.printer.flat, self.kind.call
        self.x, self.y = (runs_of(self.printer, a) for a in call.args)
        self.value, self.out = flat.values[call.outs[0]], self.printer.places[call.outs[0]]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        self.inner, self.outer = self.value.shape[-2:]
        self.grid = Grid(self.y.shape[1:-1], self.y.shape[0])
        self.low = [a for a, _ in call.op.window.padding]
        self.room, self.rows = (self.printer.places[w].name for w in self.kind.spare)
        self.wide = f"WIDE_{self.t}"

    def write(self) -> None:
        made = self.made
        made.reads.update((self.x.wire, self.y.wire))
        made.writes.update((*self.kind.spare, self.kind.call.outs[0]))
        made.parallel = self.value.size * self.grid.count >= PARALLEL
        made.waits = made.parallel
        made.lines += [
            f"static const {self.type} zeros[{max(self.inner, self.outer)}];",
            *self.units(),
            *(["wait(gate, sense, of);"] if made.waits else []),
            *self.finished(),
        ]

    def units(self) -> list[str]:
        """Rows of products, each of some channels of both sides."""
        down, across = -(-self.inner // ROWS), -(-self.outer // COLUMNS)
        count, each = REACH * down * across, REACH * (SOME * (ROWS + COLUMNS) + ROWS * COLUMNS)
        return [
            *shares(count),
            f"{self.type} *v = {self.room} + (int64_t)slot * {each}, *w = v + {REACH * SOME * ROWS}, *sums = w + {REACH * SOME * COLUMNS};",
            "for (int u = from; u < end; u++) {",
            f"const int f = u % {REACH}, r0 = u / {REACH} % {down} * {ROWS}, o0 = u / {REACH * down} * {COLUMNS};",
            f"const int rows = {self.inner} - r0 < {ROWS} ? {self.inner} - r0 : {ROWS};",
            f"const int columns = {self.outer} - o0 < {COLUMNS} ? {self.outer} - o0 : {COLUMNS};",
            f"for (int t0 = 0; t0 < {self.grid.count}; t0 += {SOME}) {{",
            f"const int squares = {self.grid.count} - t0 < {SOME} ? {self.grid.count} - t0 : {SOME};",
            *self.pixels(),
            *self.results(),
            *self.met(),
            "}",
            *self.along(),
            "}",
        ]

    def pixels(self) -> list[str]:
        """A row of sums of the pixels of squares: a text for each row."""
        lines: list[str] = []
        for f, row in enumerate(FORMS.image):
            text = Sums(self.type)
            (made,) = text.around([row], FORMS.image, lambda i, j: f"a[{i * REACH + j}][r0 + c]")
            stores = [f"to[{j * SOME * ROWS} + c] = {v};" for j, v in enumerate(made)]
            lines += [
                f"if (f == {f})",
                "for (int t = 0; t < squares; t++) {",
                self.grid.place,
                f"{self.type} *to = v + t * {ROWS};",
                *patch(self.type, REACH, self.printer.places[self.x.wire].name, self.x, self.low, used(row)),
                *loop("int c = 0; c < rows; c++", text, stores),
                "}",
            ]
        return lines

    def results(self) -> list[str]:
        """A row of sums of the results of squares, as panels: a text for each row."""
        lines: list[str] = []
        for f, row in enumerate(transposed(FORMS.result)):
            text = Sums(self.type)
            (made,) = text.around([row], transposed(FORMS.result), lambda i, j: f"a[{i * SIDE + j}][o0 + o + c]")
            stores = [f"to[{j * SOME * COLUMNS} + c] = {v};" for j, v in enumerate(made)]
            lines += [
                f"if (f == {f})",
                "for (int t = 0; t < squares; t++) {",
                self.grid.place,
                *patch(self.type, SIDE, self.printer.places[self.y.wire].name, self.y, (0, 0), used(row)),
                f"for (int o = 0; o < columns; o += {self.wide}) {{",
                f"{self.type} *to = w + (int64_t)o * {SOME} + t * {self.wide};",
                *loop(f"int c = 0; c < {self.wide}; c++", text, stores),
                "}",
                "}",
            ]
        return lines

    def met(self) -> list[str]:
        """Products of both, added up over squares."""
        place = f"(j * {ROWS * COLUMNS} + o * {ROWS} + r * {self.wide})"
        rest = f"squares, v + j * {SOME * ROWS} + r, 1, {ROWS}, panel, sums + {place}, t0 > 0"
        return [
            f"for (int j = 0; j < {REACH}; j++)",
            f"for (int o = 0; o < columns; o += {self.wide}) {{",
            f"const {self.type} *panel = w + (j * {COLUMNS} + o) * {SOME};",
            "for (int r = 0; r < rows; r += HIGH) {",
            f"if (rows - r >= HIGH) whole_{self.t}({rest});",
            f"else rest_{self.t}(rows - r, {rest});",
            "}",
            "}",
        ]

    def along(self) -> list[str]:
        """Sums of the products of a row, as entries of the kernel along the last axis."""
        text = Sums(self.type)
        made = text.times(transposed(FORMS.kernel), [text.let(f"from[{j * ROWS * COLUMNS} + c]") for j in range(REACH)])
        stores = [f"to[{(b * self.inner) * self.outer} + c] = {v};" for b, v in enumerate(made)]
        return [
            "for (int r = 0; r < rows; r++)",
            f"for (int o = 0; o < columns; o += {self.wide}) {{",
            f"const {self.type} *from = sums + o * {ROWS} + r * {self.wide};",
            f"{self.type} *to = {self.rows} + ((int64_t)f * {SIZE * self.inner} + r0 + r) * {self.outer} + o0 + o;",
            *loop(f"int c = 0; c < {self.wide}; c++", text, stores),
            "}",
        ]

    def finished(self) -> list[str]:
        """The entries of the kernel."""
        low, high = divided(str(self.inner), self.made.parallel)
        text, each = Sums(self.type), self.inner * self.outer
        h, w, inner, outer = self.out.steps
        columns: list[list[str]] = []
        for b in range(SIZE):
            columns.append(text.times(transposed(FORMS.kernel), [text.let(f"from[{(f * SIZE + b) * each} + c]") for f in range(REACH)]))
        stores = [f"to[{a * h + b * w} + c * {outer}] = {v};" for b, column in enumerate(columns) for a, v in enumerate(column)]
        return [
            f"for (int r = {low}; r < {high}; r++) {{",
            f"const {self.type} *from = {self.rows} + (int64_t)r * {self.outer};",
            f"{self.type} *to = {self.out.name} + (int64_t)r * {inner};",
            *loop(f"int c = 0; c < {self.outer}; c++", text, stores),
            "}",
        ]


def used(row: Row) -> list[int]:
    """The entries that a row of a matrix is not 0 at."""
    return [i for i, c in enumerate(row) if c]


__all__ = ["SquareSums", "square_sums"]
