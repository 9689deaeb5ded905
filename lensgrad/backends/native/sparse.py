"""Products with a matrix of data that may be mostly zeros: what is not zero is found once, and only that is multiplied.

0 · x is 0 for finite x alone, so a product whose other side is not finite is computed in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from lensgrad.backends.native import dots, products
from lensgrad.backends.native.blocks import Blocked
from lensgrad.backends.native.flat import Call, Value
from lensgrad.backends.native.integers import Index
from lensgrad.backends.native.nests import Group, Program
from lensgrad.backends.native.printer import Function, Printer
from lensgrad.backends.native.products import Axis, Product, Tiles
from lensgrad.backends.native.scope import SHORT

LARGE = 1 << 18  # entries of a matrix, from which on zeros are looked for
FEW = 8  # of so many entries at most one may be something else
STRETCH = 1536  # columns of the matrix that are met together
ROWS = 192  # rows of the matrix that are met together


@dataclass(frozen=True, eq=False)
class Places:
    """A matrix as its rows without zeros, in stretches of its columns: where each begins, which columns there are, and the numbers.

    Where the first begins at −1 there were too many.
    """

    wire: int
    reads: tuple[int, ...]
    rows: int
    depth: int
    first: bool  # whether the first axis is that of rows
    epilogue: bool = False

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        view, outs = printer.view(self.wire), group.nests[0].outs
        down, along = view.steps if self.first else view.steps[::-1]
        starts, columns, numbers = (printer.places[w].name for w in outs)
        value = printer.flat.values[outs[-1]]
        made.reads.add(view.wire)
        made.writes.update(outs)
        made.lines.append(
            f"thin_{SHORT[value.dtype]}({printer.places[view.wire].name} + {view.offset}, {self.rows}, {self.depth}, {down}, {along}, "
            f"{STRETCH}, {value.size}, {starts}, {columns}, {numbers});"
        )


@dataclass(frozen=True, eq=False)
class Sparse:
    """A product in two forms: with all of a matrix, and with what is not zero in it."""

    full: Product
    few: Product
    places: tuple[int, ...]
    reads: tuple[int, ...]
    epilogue: bool = True
    passing: bool = True

    @property
    def call(self) -> Call:
        return self.full.call

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        starts, *_ = (printer.places[w].name for w in self.places)
        few = Few(self.few, printer, group, made, STRETCH, together=ROWS, places=self.places)
        made.lines += [f"const int few = {starts}[0] == 0;", f"if (few && {finite(printer, few.views[1].wire)}) {{"]
        few.write()
        made.lines.append("} else {")
        Full(self.full, printer, group, made).write()
        made.lines.append("}")
        made.reads.update(self.places)


def finite(printer: Printer, wire: int) -> str:
    """Whether an array is finite, in C. What lies behind the ends of its rows does not count."""
    value, place = printer.flat.values[wire], printer.places[wire]
    row = value.shape[place.last] if place.room else value.size
    return f"finite_{SHORT[value.dtype]}({place.name}, {value.size // row}, {row}, {place.room or row})"


class Full(Tiles):
    """A product with all of the matrix. Panels are made before the first step where that is not mostly zeros, else here."""

    def arrays(self, depth: Axis, short: bool) -> list[str]:
        found = super().arrays(depth, short)
        return found if self.kind.packed is None else [f"{self.type} room[{min(depth.size, self.most)} * WIDE_{self.t}];", *found]

    def packed(self, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str) -> str:
        made = super().packed(columns, depth, places, at, deep)
        if self.kind.packed is None:
            return made
        own = self.packing("room", columns, depth, places, at, deep)
        return f"{made}\nif (few) {{\n{own}\npanel = room;\n}}"


@dataclass
class Few(Tiles):
    """A product with what is not zero in its left side. Results may lie across: rows of the left side side by side."""

    places: tuple[int, ...] = ()

    @property
    def across(self) -> bool:
        return self.kind.output[-1] in self.words[0]

    def arrays(self, depth: Axis, short: bool) -> list[str]:
        turned = f"{self.type} turned[{self.together} * WIDE_{self.t}] __attribute__((aligned(64)));"
        return [*super().arrays(depth, short), *([turned] if self.across else [])]

    def short(self, depth: Axis, deep: Sequence[Axis]) -> bool:
        return super().short(depth, deep) and not self.across

    def packed(self, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str) -> str:
        """The columns as they lie, where that is side by side and of the width of a panel."""
        made = super().packed(columns, depth, places, at, deep)
        if columns.right != 1:
            return f"{made}\nconst {self.type} *const right = panel;\nconst int apart = WIDE_{self.t};"
        start = f"{self.place('right', places)} + n0 + (int64_t){at} * {depth.right}"
        return (
            f"const {self.type} *const right = columns == WIDE_{self.t} ? {start} : panel;\n"
            f"const int apart = columns == WIDE_{self.t} ? {depth.right} : WIDE_{self.t};\n"
            f"if (columns < WIDE_{self.t}) {made}"
        )

    def tile(self, rows: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str, more: str) -> list[str]:
        starts, columns, numbers = (self.printer.places[w].name for w in self.places)
        begin = f"{starts} + {at} / {STRETCH} * {rows.size} + m0" if at != "0" else f"{starts} + m0"
        return [f"few_{self.t}(rows, {begin}, {columns}, {numbers}, right, apart, tile, {more});"]

    def ended(self, walk: Sequence[str], rows: Axis, columns: Axis) -> list[str]:
        if not self.across:
            return super().ended(walk, rows, columns)
        done = self.entry.loops(lambda m, n: self.index(m, n, rows, columns), rows.size, columns.size, str(self.together))
        return [
            f"const int m0 = q0 * HIGH, rows = {rows.size} - m0 < (q1 - q0) * HIGH ? {rows.size} - m0 : (q1 - q0) * HIGH;",
            f"const {self.type} *tile = turned;",
            f"for (int c = 0; c < columns; c++) for (int r = 0; r < rows; r++) "
            f"turned[c * {self.together} + r] = part[r * WIDE_{self.t} + c];",
            *done,
        ]


def product(program: Program, call: Call) -> Sparse | Product | None:
    """An einsum as tiles, if it is large enough; with a matrix of data, such that it may be mostly zeros."""
    made = products.tiled(program, call, Blocked)
    if made is None:
        return dots.product(program, call)
    side = next((i for i in (0, 1) if program.data and thinned(program, made, i)), None)
    return products.packed(program, made) if side is None else sparse(program, made, side)


def thinned(program: Program, made: Product, side: int) -> bool:
    """Whether one side is a matrix of data in which zeros are looked for."""
    word, other = made.inputs[side], made.inputs[1 - side]
    lone = len(word) == 2 and sum(s in made.output for s in word) == 1 and not set(word) & set(other) & set(made.output)
    sizes = [made.sizes[s] for s in word]
    return made.reads[side] in program.still and lone and min(sizes) > 1 and prod(sizes) >= LARGE


def sparse(program: Program, made: Product, side: int) -> Sparse:
    """The two forms of a product with a matrix of data."""
    wire, word, read = made.call.args[side], made.inputs[side], made.reads[side]
    first = word[0] in made.output
    rows, depth = (made.sizes[s] for s in (word if first else word[::-1]))
    most, kind = rows * depth // FEW, program.flat.values[wire].dtype
    values = [Value((rows * -(-depth // STRETCH) + 2,), "int32"), Value((most,), "int32"), Value((most,), kind)]
    places = program.prepared(Places(wire, (read,), rows, depth, first), *values)
    full = products.packed(program, made, places[0])
    return Sparse(full, replace(made, turned=made.order[0] != side), places, (*full.reads, read, *places))
