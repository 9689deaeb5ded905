"""Convolutions of few channels by planes: rows of one example are vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lensgrad.backends.native.flat import BYTES, TYPES, Call
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.nests import Group, View
from lensgrad.backends.native.panels import divided
from lensgrad.backends.native.places import vectors
from lensgrad.backends.native.printer import LINE, NOTE, PARALLEL, Function, Printer, write_entry
from lensgrad.backends.native.scope import SHORT, Scope, Where

MARGIN = 64  # numbers behind a plane that vectors may read
SIDE = (0, 4, 4, 3, 2, 2)  # vectors side by side of each of so many results, as many as registers hold with what they are made of
SOME = 16  # results whose planes lie on the stack at a time
NEAR = 1 << 14  # bytes that stay in the nearest cache


@dataclass(frozen=True, eq=False)
class Planes:
    """The result of a convolution, or its adjoint in the image: rows of results from rows of all channels."""

    call: Call
    reads: tuple[int, ...]
    straight: bool  # whether what is read is itself the image, not something of another shape
    epilogue: bool = True
    passing: bool = True  # its results need no array where only the epilogue reads them

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
        source, n = self.printer.view(self.call.args[0]), self.value.shape[0]
        x, (high, wide) = plane(self.space, self.size, self.image, self.low), self.space
        copy = Copy(self.printer, source, "x", self.image, self.low, x)
        some = max(1, min(high, NEAR // (self.outs * x.pitch * BYTES[self.value.dtype])))
        self.made.parallel = n > 1 and self.value.size * self.ins * prod(self.size) >= PARALLEL
        self.made.reads.update((source.wire, self.kernel.wire))
        span = divided(str(n), self.made.parallel)
        self.made.lines += [
            f"{self.type} x[{self.ins}][{x.size}] __attribute__((aligned(64)));",
            f"{self.type} y[{self.outs}][{some * x.pitch + MARGIN}] __attribute__((aligned(64)));",
            *copy.zeros(),
            f"for (int n = {span[0]}; n < {span[1]}; n++) {{",
            *copy.lines(),
            f"for (int h0 = 0; h0 < {high}; h0 += {some}) {{",
            f"const int h1 = {high} - h0 < {some} ? {high} : h0 + {some};",
            *self.strips(x, f"(h1 - h0 - 1) * {x.pitch} + {wide}", some * x.pitch + MARGIN),
            *self.done(x.pitch),
            "}",
            "}",
        ]

    def strips(self, x: Plane, entries: str, gap: int) -> list[str]:
        """Some rows of all results as one, as many vectors side by side as there are registers."""
        lines: list[str] = []
        start, (kc, ki, kj, ko) = self.steps()
        for at in range(0, self.outs, 5):
            count = min(5, self.outs - at)
            vectors = SIDE[count]
            high, first, row = ("i1 - i0", f" + i0 * {ki}", "(h0 + i0)") if self.margin else (str(self.size[0]), "", "h0")
            lines += [
                f"for (int w = 0; w < {entries}; w += {vectors} * LANES_{self.t}) {{",
                *(self.clipped(f"h0 + w / {x.pitch}", f"h0 + (w + {vectors} * LANES_{self.t} - 1) / {x.pitch}") if self.margin else []),
                f"strip_{self.t}({self.ins}, {high}, {self.size[1]}, {count}, {vectors}, &x[0][{row} * {x.pitch} + w], "
                f"{x.size}, {x.pitch}, {start + at * ko}{first}, {kc}, {ki}, {kj}, {ko}, &y[{at}][w], {gap});",
                "}",
            ]
        return lines

    @property
    def margin(self) -> bool:
        """Whether some rows of the kernel meet nothing but zeros at some heights."""
        return self.space[0] + self.size[0] - 1 > self.image[0]

    def clipped(self, first: str, last: str) -> list[str]:
        """From which to which row of the kernel there is an image, at heights from a first to a last one."""
        low, size, end = self.low[0], self.size[0], self.low[0] + self.image[0]
        return [
            f"const int top = {first}, bottom = {last};",
            f"const int i0 = bottom < {low} ? {low} - bottom : 0, i1 = {end} - top < {size} ? {end} - top : {size};",
        ]

    def steps(self) -> tuple[Any, tuple[int, int, int, int]]:
        """Where the kernel begins, and how far one step moves: channels read, rows, columns, channels written."""
        *space, inner, outer = self.kernel.steps
        ki, kj = (0, *space)[-2:]
        name = self.printer.places[self.kernel.wire].name
        if not self.back:
            return Text(name, self.kernel.offset), (inner, ki, kj, outer)
        last = (self.size[0] - 1) * ki + (self.size[1] - 1) * kj
        return Text(name, self.kernel.offset + last), (outer, -ki, -kj, inner)

    def done(self, pitch: int) -> list[str]:
        """What is done to each entry of some rows."""
        scope = Scope(self.printer.reading(self.made))
        n, *space, outs = (
            of(Atom(name, size)) for name, size in zip(("n", "h", "w", "o"), (self.value.shape[0], *self.space, self.outs), strict=True)
        )
        index = (n, *(space[-len(self.value.shape[1:-1]) :]), outs)
        text = scope.let(f"y[o][(h - h0) * {pitch} + w]", self.value.dtype)
        self.entries(scope, index, text)
        long = [i for i, size in zip(index, self.value.shape, strict=True) if size != 1]
        turns = self.printer.full(scope.reading.loads, self.group.outs, long, Atom("w", self.space[1])).size
        return [
            f"for (int o = 0; o < {self.outs}; o++)",
            "for (int h = h0; h < h1; h++)",
            NOTE,
            f"for (int w = 0; w < {turns}; w++) {{",
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


@dataclass(frozen=True)
class Plane:
    """Rows behind each other, with zeros between them: those behind a row are those before the next one."""

    size: int
    pitch: int


def plane(space: Sequence[int], size: Sequence[int], image: Sequence[int], low: Sequence[int]) -> Plane:
    """The plane of an image that gives results in this space by a kernel of this size; vectors may read beyond its end."""
    right = space[1] + size[1] - 1 - image[1] - low[1]
    pitch = image[1] + max(low[1], right)
    return Plane((space[0] + size[0] - 1) * pitch + size[1] + MARGIN, pitch)


@dataclass(frozen=True)
class Copy:
    """The planes of example n, between zeros, in an array of that name."""

    printer: Printer
    source: View
    name: str
    image: tuple[int, ...]
    low: tuple[int, ...]
    plane: Plane
    some: int = 0  # channels, from o0 on, if not all

    @property
    def channels(self) -> int:
        return self.some or self.source.shape[-1]

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows are copied, and how long they are: all as one, where nothing is between them."""
        high, wide = self.image
        h, w = (0, *self.source.steps[1:-1])[-2:]
        return (1, high * wide) if h == w * wide and self.plane.pitch == wide else (high, wide)

    @property
    def written(self) -> int:
        """How many entries of a row are written: zeros behind its end too, if what is read there is memory."""
        high, wide = self.rows
        far = (vectors(wide) - wide) * self.source.steps[-2] * BYTES[self.printer.flat.values[self.source.wire].dtype]
        # A column has one entry a row: gcc 12 mixes up rows whose zeros lie on those of the rows that follow.
        return vectors(wide) if high > 1 and wide > 1 and self.source.wire not in self.printer.foreign and far <= LINE else wide

    def zeros(self) -> list[str]:
        """Zeros before the first row and behind the last one, or everywhere where rows do not bring theirs along."""
        (high, wide), pitch = self.rows, self.plane.pitch
        if high > 1 and self.written < pitch:
            return [f"memset({self.name}, 0, sizeof {self.name});"]
        head, each = self.low[0] * pitch + self.low[1], f"for (int c = 0; c < {self.channels}; c++)"
        end = head + (high - 1) * pitch + wide
        before = [each, f"memset({self.name}[c], 0, {head} * sizeof {self.name}[c][0]);"] if head else []
        return [*before, each, f"memset({self.name}[c] + {end}, 0, {self.plane.size - end} * sizeof {self.name}[c][0]);"]

    def lines(self) -> list[str]:
        n, *space, c = self.source.steps
        h, w = (0, *space)[-2:]
        (high, wide), name = self.rows, self.printer.places[self.source.wire].name
        place = Index(self.source.offset, tuple((Atom(v, 2), s) for v, s in (("c", c), ("h", h), ("n", n), ("w", w)) if s))
        start = f" + o0 * {c}" if self.some else ""
        number = "number" if self.written == wide else f"w < {wide} ? number : 0"
        return [
            f"for (int c = 0; c < {self.channels}; c++)",
            f"for (int h = 0; h < {high}; h++)",
            NOTE,
            f"for (int w = 0; w < {self.written}; w++) {{",
            f"const {TYPES[self.printer.flat.values[self.source.wire].dtype]} number = {name}[{place}{start}];",
            f"{self.name}[c][(h + {self.low[0]}) * {self.plane.pitch} + w + {self.low[1]}] = {number};",
            "}",
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


def together(outs: int) -> int:
    """How many results' planes are copied at a time: all, or as many as divide their number."""
    return outs if outs <= SOME else max(n for n in range(1, SOME + 1) if outs % n == 0)


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

    def write(self) -> None:
        made, aligned = self.made, "__attribute__((aligned(64)))"
        x, y = (self.printer.view(a) for a in self.call.args)
        laid = plane(self.space, (self.high, self.wide), self.image, self.low)
        line = self.space[0] * laid.pitch + MARGIN
        some = together(self.outs)
        first = Copy(self.printer, x, "x", self.image, self.low, laid)
        second = Copy(self.printer, y, "y", self.space, (0, 0), Plane(line, laid.pitch), some if some < self.outs else 0)
        made.reads.update((x.wire, y.wire))
        made.writes.add(self.call.outs[0])
        made.parallel = self.parts > 1
        each, (low, high) = self.count // self.parts, divided(str(self.parts), made.parallel)
        made.lines += [
            f"{self.type} x[{self.ins}][{laid.size}] {aligned}, y[{some}][{line}] {aligned};",
            f"{self.type} sums[{self.ins}][{self.high}][{self.outs * self.wide}][LANES_{self.t}] {aligned};",
            *first.zeros(),
            *second.zeros(),
            f"for (int p = {low}; p < {high}; p++) {{",
            f"for (int n = p * {each}; n < (p + 1) * {each}; n++) {{",
            *first.lines(),
            *([f"for (int o0 = 0; o0 < {self.outs}; o0 += {some}) {{"] if second.some else []),
            *second.lines(),
            *self.summed(laid.pitch, line, some),
            *(["}"] if second.some else []),
            "}",
            *self.stored(),
            "}",
        ]

    def summed(self, pitch: int, line: int, outs: int) -> list[str]:
        """As many sums at a time as there are registers, over entries that stay near while all entries of the kernel meet them."""
        side, entries = min(outs, max(1, 12 // self.wide)), (self.space[0] - 1) * pitch + self.space[1]
        some = max(1, NEAR // (outs * 16 * BYTES[self.value.dtype])) * 16
        parts, blocks = self.count > self.parts, entries > some
        more = " || ".join([*([f"n > p * {self.count // self.parts}"] if parts else []), *(["w0 > 0"] if blocks else [])]) or "0"
        start = "" if outs == self.outs else f" + o0 * {self.wide}"
        calls = [
            f"taps_{self.t}({self.wide}, {min(side, outs - at)}, (w1 - w0 + LANES_{self.t} - 1) / LANES_{self.t}, "
            f"&x[c][i * {pitch} + w0], &y[{at}][w0], {line}, &sums[c][i][{at * self.wide}{start}][0], {more});"
            for at in range(0, outs, side)
        ]
        return [
            f"for (int w0 = 0; w0 < {entries}; w0 += {some}) {{",
            f"const int w1 = {entries} - w0 < {some} ? {entries} : w0 + {some};",
            f"for (int c = 0; c < {self.ins}; c++)",
            f"for (int i = 0; i < {self.high}; i++) {{",
            *calls,
            "}",
            "}",
        ]

    @property
    def lanes(self) -> str:
        """How many numbers are summed apart for each entry."""
        return f"LANES_{self.t}"

    def stored(self) -> list[str]:
        """The lanes of each sum added up."""
        first, *rest = self.out.steps
        p, i, j, c, o = (first, *((0,) if len(rest) == 3 else ()), *rest)
        count = self.ins * self.high * self.outs * self.wide
        return [
            f"totals_{self.t}({count}, {self.lanes}, sums[0][0][0]);",
            f"const {self.type} *total = sums[0][0][0];",
            f"for (int c = 0; c < {self.ins}; c++)",
            f"for (int i = 0; i < {self.high}; i++)",
            f"for (int o = 0; o < {self.outs}; o++)",
            f"for (int j = 0; j < {self.wide}; j++) {self.out.name}[p * {p} + i * {i} + j * {j} + c * {c} + o * {o}] = *total++;",
        ]
