"""Convolutions of few channels by planes: rows of one example are vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.nests import Group, View
from lensgrad.backends.native.printer import PARALLEL, Function, Printer, write_entry
from lensgrad.backends.native.products import divided
from lensgrad.backends.native.scope import SHORT, Scope, Where

MARGIN = 32  # numbers behind a row that a vector may read


@dataclass(frozen=True, eq=False)
class Planes:
    """The result of a convolution, or its adjoint in the image: rows of results from rows of all channels."""

    call: Call
    reads: tuple[int, ...]
    straight: bool  # whether what is read is itself the image, not something of another shape
    epilogue: bool = True

    @property
    def layouts(self) -> tuple[int, ...]:
        """Values that had best lie with channels before space."""
        return (self.reads[0], self.call.outs[0])[not self.straight :]

    @property
    def views(self) -> tuple[int, ...]:
        return self.call.args

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Correlation(self.call, printer, group, made).write()


@dataclass
class Correlation:
    """Rows of results as C. The adjoint in the image is the convolution of a padded image with the kernel turned around."""

    call: Call
    printer: Printer
    group: Group
    made: Function

    def __post_init__(self) -> None:
        flat, op = self.printer.flat, self.call.op
        self.kernel = self.printer.view(self.call.args[1])
        self.value = flat.values[self.call.outs[0]]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        self.back = op.slot == "x"
        self.size = (1, *op.size)[-2:]
        padding = ((0, 0), *op.window.padding)[-2:]
        self.low = tuple(k - 1 - p if self.back else p for k, (p, _) in zip(self.size, padding, strict=True))
        self.space = (1, *self.value.shape[1:-1])[-2:]
        self.image = (1, *flat.values[self.call.args[0]].shape[1:-1])[-2:]
        self.outs = self.value.shape[-1]
        self.ins = flat.values[self.call.args[0]].shape[-1]

    def write(self) -> None:
        source, (high, wide) = self.printer.view(self.call.args[0]), self.space
        rows, pitch = high + self.size[0] - 1, wide + self.size[1] - 1 + MARGIN
        n = self.value.shape[0]
        self.made.parallel = n > 1 and self.value.size * self.ins * prod(self.size) >= PARALLEL
        self.made.reads.update((source.wire, self.kernel.wire))
        span = divided(str(n), self.made.parallel)
        self.made.lines += [
            f"{self.type} x[{self.ins}][{rows}][{pitch}] __attribute__((aligned(64)));",
            f"{self.type} y[{self.outs}][{wide} + {MARGIN}] __attribute__((aligned(64)));",
            "memset(x, 0, sizeof x);",
            f"for (int n = {span[0]}; n < {span[1]}; n++) {{",
            *copied(source, self.printer, self.image, "x", self.low, self.ins),
            f"for (int h = 0; h < {high}; h++) {{",
            *self.rows(pitch, rows),
            *self.done(),
            "}",
            "}",
        ]

    def rows(self, pitch: int, rows: int) -> list[str]:
        """The rows of all results at one height, as many side by side as there are registers."""
        lines = [f"for (int w = 0; w < {self.space[1]}; w += WIDE_{self.t}) {{"]
        start, (kc, ki, kj, ko) = self.steps()
        for at in range(0, self.outs, 5):
            count = min(5, self.outs - at)
            lines.append(
                f"row_{self.t}({self.ins}, {self.size[0]}, {self.size[1]}, {count}, &x[0][h][w], {rows * pitch}, {pitch}, "
                f"{start + at * ko}, {kc}, {ki}, {kj}, {ko}, &y[{at}][w], {self.space[1]} + {MARGIN});"
            )
        return [*lines, "}"]

    def steps(self) -> tuple[Any, tuple[int, int, int, int]]:
        """Where the kernel begins, and how far one step moves: channels read, rows, columns, channels written."""
        *space, inner, outer = self.kernel.steps
        ki, kj = (0, *space)[-2:]
        name = self.printer.places[self.kernel.wire].name
        if not self.back:
            return Text(name, self.kernel.offset), (inner, ki, kj, outer)
        last = (self.size[0] - 1) * ki + (self.size[1] - 1) * kj
        return Text(name, self.kernel.offset + last), (outer, -ki, -kj, inner)

    def done(self) -> list[str]:
        """What is done to each entry of the rows."""
        scope = Scope(self.printer.reading(self.made))
        n, *space, outs = (
            of(Atom(name, size)) for name, size in zip(("n", "h", "w", "o"), (self.value.shape[0], *self.space, self.outs), strict=True)
        )
        index = (n, *(space[-len(self.value.shape[1:-1]) :]), outs)
        text = scope.let("y[o][w]", self.value.dtype)
        self.entries(scope, index, text)
        return [
            f"for (int o = 0; o < {self.outs}; o++)",
            "#pragma GCC ivdep",
            f"for (int w = 0; w < {self.space[1]}; w++) {{",
            *scope.lines,
            "}",
        ]

    def entries(self, scope: Scope, index: Where, text: str) -> None:
        """The lines that store an entry, and compute and store what follows from it."""
        out = self.call.outs[0]
        scope.known[out, index] = text
        self.printer.store(scope, out, index, text, self.made)
        squeezed = [i for i, size in zip(index, self.value.shape, strict=True) if size != 1]
        for nest in self.group.nests[1:]:
            write_entry(self.printer, scope, nest, squeezed, self.made)


@dataclass(frozen=True)
class Text:
    """A pointer: a name and an offset."""

    name: str
    offset: int

    def __add__(self, n: int) -> Text:
        return Text(self.name, self.offset + n)

    def __str__(self) -> str:
        return f"{self.name} + {self.offset}"


def copied(source: View, printer: Printer, image: Sequence[int], to: str, low: Sequence[int], channels: int) -> list[str]:
    """The planes of example n, between zeros."""
    n, *space, c = source.steps
    h, w = (0, *space)[-2:]
    name = printer.places[source.wire].name
    place = Index(source.offset, tuple((Atom(v, 2), s) for v, s in (("c", c), ("h", h), ("n", n), ("w", w)) if s))
    return [
        f"for (int c = 0; c < {channels}; c++)",
        f"for (int h = 0; h < {image[0]}; h++)",
        "#pragma GCC ivdep",
        f"for (int w = 0; w < {image[1]}; w++) {to}[c][h + {low[0]}][w + {low[1]}] = {name}[{place}];",
    ]


@dataclass(frozen=True, eq=False)
class Taps:
    """Gradients of a kernel: products of shifted planes, summed lane by lane and at last over lanes."""

    call: Call
    reads: tuple[int, ...]
    straight: tuple[bool, ...]
    epilogue: bool = False

    @property
    def layouts(self) -> tuple[int, ...]:
        return tuple(r for r, straight in zip(self.reads, self.straight, strict=True) if straight)

    @property
    def views(self) -> tuple[int, ...]:
        return self.call.args

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Tapping(self.call, printer, made).write()


@dataclass
class Tapping:
    """Gradients of a kernel as C: planes of an image and of results, both between zeros, and a vector of sums for each entry."""

    call: Call
    printer: Printer
    made: Function

    def __post_init__(self) -> None:
        flat, op = self.printer.flat, self.call.op.form
        self.value, self.out = flat.values[self.call.outs[0]], self.printer.places[self.call.outs[0]]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        self.high, self.wide = (1, *op.size)[-2:]
        self.image, self.space = ((1, *flat.values[a].shape[1:-1])[-2:] for a in self.call.args)
        self.low = tuple(a for a, _ in ((0, 0), *op.window.padding)[-2:])
        self.ins, self.outs = self.value.shape[-2:]
        self.parts, self.count = self.value.shape[0], flat.values[self.call.args[0]].shape[0]
        self.rows, self.pitch = self.space[0] + self.high - 1, self.space[1] + self.wide - 1 + MARGIN
        self.line = self.space[1] + MARGIN

    def write(self) -> None:
        made, aligned = self.made, "__attribute__((aligned(64)))"
        x, y = (self.printer.view(a) for a in self.call.args)
        made.reads.update((x.wire, y.wire))
        made.writes.add(self.call.outs[0])
        made.parallel = self.parts > 1
        each, (low, high) = self.count // self.parts, divided(str(self.parts), made.parallel)
        made.lines += [
            f"{self.type} x[{self.ins}][{self.rows}][{self.pitch}] {aligned}, y[{self.outs}][{self.space[0]}][{self.line}] {aligned};",
            f"{self.type} sums[{self.ins}][{self.high}][{self.outs * self.wide}][LANES_{self.t}] {aligned};",
            "memset(x, 0, sizeof x);",
            "memset(y, 0, sizeof y);",
            f"for (int p = {low}; p < {high}; p++) {{",
            "memset(sums, 0, sizeof sums);",
            f"for (int n = p * {each}; n < (p + 1) * {each}; n++) {{",
            *copied(x, self.printer, self.image, "x", self.low, self.ins),
            *copied(y, self.printer, self.space, "y", (0, 0), self.outs),
            *self.summed(),
            "}",
            *self.stored(),
            "}",
        ]

    def summed(self) -> list[str]:
        """As many sums at a time as there are registers."""
        side, lanes = min(self.outs, max(1, 12 // self.wide)), f"LANES_{self.t}"
        shape = f"{self.space[0]}, ({self.space[1]} + {lanes} - 1) / {lanes}, &x[c][i][0], {self.pitch}"
        calls = [
            f"taps_{self.t}({self.wide}, {min(side, self.outs - at)}, {shape}, &y[{at}][0][0], {self.space[0] * self.line}, {self.line}, "
            f"&sums[c][i][{at * self.wide}][0]);"
            for at in range(0, self.outs, side)
        ]
        return [f"for (int c = 0; c < {self.ins}; c++)", f"for (int i = 0; i < {self.high}; i++) {{", *calls, "}"]

    @property
    def lanes(self) -> str:
        """How many numbers are summed apart for each entry."""
        return f"LANES_{self.t}"

    def stored(self) -> list[str]:
        """The lanes of each sum added up."""
        first, *rest = self.out.steps
        p, i, j, c, o = (first, *((0,) if len(rest) == 3 else ()), *rest)
        return [
            f"for (int c = 0; c < {self.ins}; c++)",
            f"for (int i = 0; i < {self.high}; i++)",
            f"for (int s = 0; s < {self.outs * self.wide}; s++) {{",
            f"{self.type} total = 0;",
            f"for (int l = 0; l < {self.lanes}; l++) total += sums[c][i][s][l];",
            f"{self.out.name}[p * {p} + i * {i} + s % {self.wide} * {j} + c * {c} + s / {self.wide} * {o}] = total;",
            "}",
        ]
