"""Convolutions of few channels by batches: some examples side by side are one vector at each pixel, so that no number is moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from lensgrad.backends.native.flat import BYTES, Value
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.nests import Group, View, view
from lensgrad.backends.native.panels import divided
from lensgrad.backends.native.places import EXAMPLES
from lensgrad.backends.native.planes import SIDE, Correlation, Planes, Tapping, Taps
from lensgrad.backends.native.printer import PARALLEL, VECTOR, Function, Printer
from lensgrad.backends.native.scope import Scope, Where

SUMS = 12  # vectors that are summed at a time, of the registers that there are
NEAR = 1 << 13  # bytes of rows that are read again while they are in the nearest cache


def stacked(x: Value, y: Value, size: Sequence[int]) -> int:
    """The bytes of copies of an image and of results, examples side by side, with a margin for a kernel of this size."""
    margins = [n + 2 * k - 2 for n, k in zip(x.shape[1:-1], size, strict=True)]
    return EXAMPLES * BYTES[x.dtype] * (prod(margins) * x.shape[-1] + prod(y.shape[1:]))


@dataclass(frozen=True, eq=False)
class Batches(Planes):
    """The result of a convolution, or its adjoint in the image, for some examples at a time."""

    beside: bool = True

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Beside(self.call, printer, group, made).write()


@dataclass(frozen=True, eq=False)
class BatchTaps(Taps):
    """Gradients of a kernel, for some examples at a time."""

    beside: bool = True

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        BesideTaps(self.call, printer, made).write()


@dataclass(frozen=True)
class Source:
    """Planes of a block of examples: the lines that find them, and how far apart planes and rows are."""

    lines: list[str]
    plane: int
    row: int


def beside(printer: Printer, wire: int) -> View | None:
    """A value as an array in which examples lie side by side; its first step is from block to block. None where it is no such."""
    n, found = printer.flat.values[wire].shape[0], list[Index]()

    def moved(array: int, index: Where) -> Index:
        found.append(index[0])
        return printer.places[array].moved(index)

    seen = view(printer.flat, printer.program.makers, printer.program.kept, wire, moved)
    alike = seen is not None and printer.places[seen.wire].beside and found[-1] == of(Atom("v0", n))
    return seen if alike else None


def source(printer: Printer, made: Function, wire: int, name: str, low: Sequence[int], grown: Sequence[int]) -> Source:
    """The planes of a value for block b: where they lie, if they need no margin, or a copy between zeros."""
    value = printer.flat.values[wire]
    image, seen = (1, *value.shape[1:-1])[-2:], beside(printer, wire)
    kind = "double" if value.dtype == "float64" else "float"
    if seen is not None and tuple(grown) == image and seen.steps[-2] == EXAMPLES:
        made.reads.add(seen.wire)
        at = f"{printer.places[seen.wire].name} + {seen.offset} + (int64_t)b * {seen.steps[0]}"
        return Source([f"const {kind} *{name} = {at};"], seen.steps[-1], (0, *seen.steps[1:-1])[-2])
    return Source(filled(printer, made, wire, name, low), prod(grown) * EXAMPLES, grown[1] * EXAMPLES)


def room(value: Value, name: str, grown: Sequence[int], needed: bool) -> list[str]:
    """An array for a copy, all zeros."""
    if not needed:
        return []
    kind = "double" if value.dtype == "float64" else "float"
    return [
        f"{kind} copy_{name}[{value.shape[-1]}][{grown[0]}][{grown[1]}][{EXAMPLES}] __attribute__((aligned(64)));",
        f"memset(copy_{name}, 0, sizeof copy_{name});",
    ]


def filled(printer: Printer, made: Function, wire: int, name: str, low: Sequence[int]) -> list[str]:
    """The entries of block b, between zeros."""
    value = printer.flat.values[wire]
    high, wide = (1, *value.shape[1:-1])[-2:]
    scope = Scope(printer.reading(made))
    text = scope.at(wire, where(value))
    kind = "double" if value.dtype == "float64" else "float"
    return [
        f"for (int o = 0; o < {value.shape[-1]}; o++)",
        f"for (int h = 0; h < {high}; h++)",
        f"for (int w = 0; w < {wide}; w++)",
        VECTOR,
        f"for (int e = 0; e < {EXAMPLES}; e++) {{",
        *scope.lines,
        f"copy_{name}[o][h + {low[0]}][w + {low[1]}][e] = {text};",
        "}",
        f"const {kind} *{name} = copy_{name}[0][0][0];",
    ]


def where(value: Value) -> Where:
    """The index of an entry of block b, by the loop variables h and w, o of channels, and e of examples."""
    n, *space, outs = value.shape
    h, w = (1, *space)[-2:]
    example = of(Atom("b", n // EXAMPLES)) * EXAMPLES + of(Atom("e", EXAMPLES))
    return (example, *(of(Atom("h", h)), of(Atom("w", w)))[-len(space) :], of(Atom("o", outs)))


@dataclass
class Beside(Correlation):
    """Rows of results of some examples as C."""

    def write(self) -> None:
        made, n, (high, wide) = self.made, self.value.shape[0] // EXAMPLES, self.space
        grown = (high + self.size[0] - 1, wide + self.size[1] - 1)
        made.parallel = n > 1 and self.value.size * self.ins * prod(self.size) >= PARALLEL
        made.reads.add(self.kernel.wire)
        x = source(self.printer, made, self.call.args[0], "x", self.low, grown)
        low, top = divided(str(n), made.parallel)
        made.lines += [
            *room(self.printer.flat.values[self.call.args[0]], "x", grown, len(x.lines) > 1),
            f"{self.type} y[{self.outs}][{wide}][{EXAMPLES}] __attribute__((aligned(64)));",
            f"for (int b = {low}; b < {top}; b++) {{",
            *x.lines,
            f"for (int h = 0; h < {high}; h++) {{",
            *self.met(x),
            *self.last(),
            "}",
            "}",
        ]

    def met(self, x: Source) -> list[str]:
        """The rows of all results at one height, as many pixels of them as there are registers; those of the margin are left out."""
        start, (kc, ki, kj, ko) = self.steps()
        high, first, row = ("i1 - i0", f" + i0 * {ki}", "(h + i0)") if self.margin else (str(self.size[0]), "", "h")
        lines = self.clipped("h", "h") if self.margin else []
        for at in range(0, self.outs, 5):
            count = min(5, self.outs - at)
            across = min(SIDE[count], self.space[1])
            end = self.space[1] - across
            lines += [
                f"for (int at = 0; at < {self.space[1]}; at += {across}) {{",
                f"const int w = {f'at < {end} ? at : {end}' if self.space[1] % across else 'at'};",
                f"batch_row_{self.t}({self.ins}, {high}, {self.size[1]}, {count}, {across}, "
                f"x + {row} * {x.row} + w * {EXAMPLES}, {x.plane}, {x.row}, "
                f"{start + at * ko}{first}, {kc}, {ki}, {kj}, {ko}, y[{at}][w], {self.space[1] * EXAMPLES});",
                "}",
            ]
        return lines

    def last(self) -> list[str]:
        """What is done to each entry of the rows."""
        scope, index = Scope(self.printer.reading(self.made)), where(self.value)
        text = scope.let("y[o][w][e]", self.value.dtype)
        self.entries(scope, index, text)
        return [
            f"for (int o = 0; o < {self.outs}; o++)",
            f"for (int w = 0; w < {self.space[1]}; w++)",
            VECTOR,
            f"for (int e = 0; e < {EXAMPLES}; e++) {{",
            *scope.lines,
            "}",
        ]


@dataclass
class BesideTaps(Tapping):
    """Gradients of a kernel as C: a vector of sums for each entry, of some examples at a time."""

    def write(self) -> None:
        made, flat, (high, wide) = self.made, self.printer.flat, self.space
        grown = (high + self.high - 1, wide + self.wide - 1)
        made.writes.add(self.call.outs[0])
        made.parallel = self.parts > 1
        x = source(self.printer, made, self.call.args[0], "x", self.low, grown)
        y = source(self.printer, made, self.call.args[1], "y", (0, 0), self.space)
        each, (low, top) = self.count // self.parts // EXAMPLES, divided(str(self.parts), made.parallel)
        made.lines += [
            *room(flat.values[self.call.args[0]], "x", grown, len(x.lines) > 1),
            *room(flat.values[self.call.args[1]], "y", self.space, len(y.lines) > 1),
            f"{self.type} sums[{self.ins}][{self.high}][{self.outs * self.wide}][{EXAMPLES}] __attribute__((aligned(64)));",
            f"for (int p = {low}; p < {top}; p++) {{",
            "memset(sums, 0, sizeof sums);",
            f"for (int b = p * {each}; b < (p + 1) * {each}; b++) {{",
            *x.lines,
            *y.lines,
            *self.met(x, y),
            "}",
            *self.stored(),
            "}",
        ]

    def met(self, x: Source, y: Source) -> list[str]:
        """Some rows at a time, which stay near while all entries of the kernel meet them."""
        side = min(self.outs, max(1, SUMS // self.wide))
        near = max(1, NEAR // (self.outs * self.space[1] * EXAMPLES * BYTES[self.value.dtype]))
        rows = f"const int rows = {self.space[0]} - h < {near} ? {self.space[0]} - h : {near};"
        calls = [
            f"batch_taps_{self.t}({self.wide}, {min(side, self.outs - at)}, rows, {self.space[1]}, x + c * {x.plane} + (h + i) * {x.row}, "
            f"{x.row}, y + {at * y.plane} + h * {y.row}, {y.plane}, {y.row}, sums[c][i][{at * self.wide}]);"
            for at in range(0, self.outs, side)
        ]
        return [
            f"for (int h = 0; h < {self.space[0]}; h += {near}) {{",
            rows,
            f"for (int c = 0; c < {self.ins}; c++)",
            f"for (int i = 0; i < {self.high}; i++) {{",
            *calls,
            "}",
            "}",
        ]

    @property
    def lanes(self) -> str:
        return str(EXAMPLES)
