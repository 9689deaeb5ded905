"""Long products block by block: a block of the left side is met by several panels, and copied first where it lies across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lensgrad.backends.native.flat import BYTES
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.nests import Group
from lensgrad.backends.native.panels import divided
from lensgrad.backends.native.printer import Function, Printer, nested
from lensgrad.backends.native.products import Axis, Product, Tiles, last

DEEP = {"float32": 128, "float64": 96}  # rows of a panel, at the most
HALF = 272  # and of one that is met as it lies, so that it takes half of the nearest cache
ROWS = 144  # rows of results of a block: whole tiles on every machine
ACROSS = 512  # bytes of a row of results of the panels that meet a block


@dataclass(frozen=True, eq=False)
class Blocked(Product):
    """A product, in blocks where its sides lie so."""

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        blocks = Blocks(self, printer, group, made, together=ROWS)
        ready = Ready(self, printer, group, made, together=ROWS)
        (blocks if blocks.across else ready if ready.along else Tiles(self, printer, group, made)).write()


class Blocks(Tiles):
    """Numbers of the left side that are summed lie far apart, and those beside them belong to the next rows of results."""

    @property
    def across(self) -> bool:
        """Whether the sides lie so, and there are enough panels for a copy."""
        if not (self.rows and self.depth and self.columns) or self.kind.packed is not None:
            return False
        rows, depth = (max(axes, key=lambda a: a.size) for axes in (self.rows, self.depth))
        columns = self.columns[-1]
        if depth.size < 2 * DEEP[self.value.dtype]:
            return False  # tiles that are done at once stay in the nearest cache
        return rows.left == 1 < depth.left and columns.right == 1 and columns.size >= 64 and rows.size >= 24

    @property
    def columns_met(self) -> int:
        return ACROSS // BYTES[self.value.dtype]

    def arrays(self, depth: Axis, short: bool) -> list[str]:
        stretches = -(-depth.size // DEEP[self.value.dtype])
        self.most = -(-depth.size // stretches)
        sizes = {"panels": f"{self.most} * {self.columns_met}", "block": f"{self.most} * {ROWS}", "part": f"{ROWS} * {self.columns_met}"}
        return [f"{self.type} {name}[{size}] __attribute__((aligned(64)));" for name, size in sizes.items()]

    def panels(self, rows: Axis, columns: Axis, depth: Axis, deep: Sequence[Axis]) -> list[str]:
        """Some panels and a block of rows, stretch by stretch of the sum."""
        low, high = divided(f"({columns.size} + WIDE_{self.t} - 1) / WIDE_{self.t}", not self.apart)
        some = f"{self.columns_met} / WIDE_{self.t}"
        loops = [Atom(f"d{k}", a.size) for k, a in enumerate(deep)]
        places = [(a, of(loop)) for a, loop in zip(deep, loops, strict=True)]
        return [
            f"for (int p0 = {low}; p0 < {high}; p0 += {some}) {{",
            f"const int p1 = p0 + {some} < {high} ? p0 + {some} : {high};",
            f"for (int r0 = 0; r0 < {rows.size}; r0 += {ROWS}) {{",
            f"const int r1 = r0 + {ROWS} < {rows.size} ? r0 + {ROWS} : {rows.size};",
            "int more = 0;",
            *nested(loops, self.stretch(rows, columns, depth, places), note=""),
            *self.met(columns, [f"const {self.type} *tile = {self.part()};", *self.done(rows, columns)]),
            "}",
            "}",
        ]

    def stretch(self, rows: Axis, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]]) -> list[str]:
        """A stretch of the sum: panels and a block are copied, and their tiles done."""
        start = f"{self.place('left', places)} + r0 + (int64_t)k0 * {depth.left}"
        panel = f"panels + (p - p0) * {self.most} * WIDE_{self.t}"
        ahead = [] if places else last(depth, self.most, self.ahead(rows, columns))
        rest = f"deep, block + m0 - r0, 1, {ROWS}, {panel}, {self.part()}, more"
        return [
            f"for (int k0 = 0; k0 < {depth.size}; k0 += {self.most}) {{",
            f"const int deep = {depth.size} - k0 < {self.most} ? {depth.size} - k0 : {self.most};",
            f"block_{self.t}(block, {start}, deep, r1 - r0, {depth.left}, {ROWS});",
            "for (int p = p0; p < p1; p++) {",
            self.width(columns),
            self.packing(panel, columns, depth, places, "k0", "deep"),
            "}",
            *self.met(columns, [*ahead, "if (rows == HIGH)", f"whole_{self.t}({rest});", "else", f"rest_{self.t}(rows, {rest});"]),
            "more = 1;",
            "}",
        ]

    def met(self, columns: Axis, body: Sequence[str]) -> list[str]:
        """Loops over the tiles where panels meet the block."""
        tiles = "for (int m0 = r0; m0 < r1; m0 += HIGH) {"
        return [
            "for (int p = p0; p < p1; p++) {",
            self.width(columns),
            tiles,
            "const int rows = r1 - m0 < HIGH ? r1 - m0 : HIGH;",
            *body,
            "}",
            "}",
        ]

    def width(self, columns: Axis) -> str:
        wide = f"WIDE_{self.t}"
        return f"const int n0 = p * {wide}, columns = {columns.size} - n0 < {wide} ? {columns.size} - n0 : {wide};"

    def part(self) -> str:
        """Where the results of a tile are summed."""
        return f"part + ((p - p0) * {ROWS} + m0 - r0) * WIDE_{self.t}"


class Ready(Blocks):
    """Panels lie ready, and the left side lies side by side along what is summed: neither is copied."""

    @property
    def along(self) -> bool:
        """Whether the sides lie so, and the sum is long enough for stretches."""
        if self.kind.packed is None or len(self.depth) != 1 or not (self.rows and self.columns):
            return False
        depth, rows = self.depth[0], max(a.size for a in self.rows)
        return depth.left == 1 and depth.size > HALF and rows >= 24 and self.columns[-1].size >= 64

    def arrays(self, depth: Axis, short: bool) -> list[str]:
        self.most = -(-depth.size // -(-depth.size // HALF))
        return [f"{self.type} part[{ROWS} * {self.columns_met}] __attribute__((aligned(64)));"]

    def stretch(self, rows: Axis, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]]) -> list[str]:
        """A stretch of the sum: the tiles of a block."""
        start = f"{self.place('left', places)} + (int64_t)m0 * {rows.left} + k0"
        rest = f"deep, {start}, {rows.left}, 1, panel, {self.part()}, more"
        lines = [
            self.packed(columns, depth, places, "k0", "deep"),
            *last(depth, self.most, self.ahead(rows, columns)),
            "if (rows == HIGH)",
            f"whole_{self.t}({rest});",
            "else",
            f"rest_{self.t}(rows, {rest});",
        ]
        return [
            f"for (int k0 = 0; k0 < {depth.size}; k0 += {self.most}) {{",
            f"const int deep = {depth.size} - k0 < {self.most} ? {depth.size} - k0 : {self.most};",
            *self.met(columns, lines),
            "more = 1;",
            "}",
        ]
