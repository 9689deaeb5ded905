"""Products of matrices by tiles: einsums that are large enough, with what is done to each result while its tile is in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from lensgrad.backends.native.epilogue import Entry
from lensgrad.backends.native.flat import TYPES, Call, Value
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.nests import Group, Program, view
from lensgrad.backends.native.panels import Packing, divided, room
from lensgrad.backends.native.printer import PARALLEL, Function, Printer, nested, span
from lensgrad.backends.native.scope import SHORT

LEAST = 1 << 13  # multiply-adds, from which on tiles pay
DEPTH = 1024  # rows of a panel
CLOSE = 256  # and where the left side has as many rows: both are read again and again from the nearest cache
APART = 8  # matrices, from which on threads have some of their own
TOGETHER = 384  # rows of results that a long sum is kept for


@dataclass(frozen=True)
class Axis:
    """Some letters as one axis: how long it is, and how far a step moves in the left side, the right side and the result."""

    letters: str
    size: int
    left: int
    right: int
    out: int


ONE = Axis("", 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Product:
    """Σ left · right over axes in common, tile by tile."""

    call: Call
    inputs: tuple[str, str]
    output: str
    sizes: dict[str, int]
    reads: tuple[int, ...]
    packed: int | None = None  # the right side as panels, where it is the same at every step
    turned: bool = False  # whether left and right are the other way round
    epilogue: bool = True
    passing: bool = True  # results that only its epilogue reads have no array

    @property
    def order(self) -> tuple[int, int]:
        """Which side is left, and which right: columns are what lies side by side in the result."""
        last = self.output[-1]
        first = last in self.inputs[0] and last not in self.inputs[1]
        return (1, 0) if first != self.turned else (0, 1)

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        Tiles(self, printer, group, made).write()


def packed(program: Program, made: Product, unless: int | None = None) -> Product:
    """A product that reads its right side as panels, which are made once, if that is a constant matrix."""
    right = made.order[1]
    word, read = made.inputs[right], made.reads[right]
    matrix = len(word) == 2 and not set(made.output) & set(made.inputs[0]) & set(made.inputs[1])
    if not matrix or read not in program.constant or not program.fuse:
        return made
    columns = word[0] in made.output
    width, depth = (made.sizes[s] for s in (word if columns else word[::-1]))
    reads = (read,) if unless is None else (read, unless)
    kind = Packing(made.call.args[right], reads, depth, width, (columns, not columns), unless)
    (panels,) = program.prepared(kind, room(depth, width, program.flat.values[read].dtype))
    return replace(made, reads=(made.reads[made.order[0]], panels), packed=panels)


def product(program: Program, call: Call) -> Product | None:
    """An einsum as tiles, if it is worth them."""
    made = tiled(program, call)
    return None if made is None else packed(program, made)


def tiled(program: Program, call: Call, kind: type[Product] = Product, least: int = 4) -> Product | None:
    """An einsum as tiles, if it is of two arrays of floats, and large enough: with so many rows at least."""
    dom = program.flat.dom(call)
    inputs, output = call.op.letters()
    if len(inputs) != 2 or dom[0].dtype not in ("float32", "float64"):
        return None
    sizes = {s: n for word, a in zip(inputs, dom, strict=True) for s, n in zip(word, a.shape, strict=True)}
    if any(set(a) - set(b) - set(output) for a, b in (inputs, inputs[::-1])):
        return None  # a letter that one side sums alone
    rows = prod(sizes[s] for s in output if s not in inputs[1])
    columns = prod(sizes[s] for s in output if s not in inputs[0])
    depth = prod(sizes[s] for s in set("".join(inputs)) - set(output))
    if prod(sizes.values()) < LEAST or min(rows, columns) < least or max(rows, columns) < 4 or depth < 4:
        return None
    return kind(call, (inputs[0], inputs[1]), output, sizes, tuple(base(program, a) for a in call.args))


def base(program: Program, wire: int) -> int:
    """The value whose array a product reads for one: it, or what it is a view of."""
    at = wire
    seen = [wire]
    while at in program.makers and program.moves(program.makers[at][0]):
        at = program.makers[at][0].args[0]
        seen.append(at)
    return next((w for w in reversed(seen) if view(program.flat, program.makers, {w}, wire) is not None), wire)


@dataclass
class Tiles:
    """One product on its way into C."""

    kind: Product
    printer: Printer
    group: Group
    made: Function
    most: int = 0  # rows of a panel, where that is known
    apart: bool = False  # whether threads have matrices of their own
    together: int = TOGETHER

    def __post_init__(self) -> None:
        flat = self.printer.flat
        self.out = self.kind.call.outs[0]
        self.value: Value = flat.values[self.out]
        self.t, self.type = SHORT[self.value.dtype], TYPES[self.value.dtype]
        views = [self.printer.view(a) for a in self.kind.call.args]
        order = self.kind.order
        self.views = [views[i] for i in order]
        self.words = [self.kind.inputs[i] for i in order]
        steps = self.printer.places[self.out].steps
        out = dict(zip(self.kind.output, steps, strict=True))
        left, right = (dict(zip(w, v.steps, strict=True)) for w, v in zip(self.words, self.views, strict=True))
        both = set(self.words[0]) & set(self.words[1])

        def axes(word: str) -> list[Axis]:
            return joined([Axis(s, self.kind.sizes[s], left.get(s, 0), right.get(s, 0), out.get(s, 0)) for s in word])

        self.entry = Entry(self.printer, self.group, self.made, self.out)
        self.batch = axes("".join(s for s in self.kind.output if s in both))
        self.rows = axes("".join(s for s in self.kind.output if s not in self.words[1]))
        self.columns = axes("".join(s for s in self.kind.output if s not in self.words[0]))
        self.depth = axes("".join(s for s in self.words[0] if s in both and s not in self.kind.output))

    def write(self) -> None:
        """Loops over the batch, panels of columns, and tiles of rows; panels or tiles are divided over threads."""
        *outer, columns = self.columns or [ONE]
        *more, rows = sorted(self.rows, key=lambda a: a.size) or [ONE]
        *deep, depth = sorted(self.depth, key=lambda a: a.size) or [ONE]
        self.most = self.most or (DEPTH if depth.left == 1 else CLOSE)
        self.loops = {a: of(Atom(f"b{k}", a.size)) for k, a in enumerate([*self.batch, *more, *outer])}
        self.made.lines += self.arrays(depth, self.short(depth, deep))
        variables = [v.terms[0][0] for v in self.loops.values() if v.terms]
        self.apart = bool(variables) and variables[0].size >= APART
        heads = [f"for {span(v, 'first' * (self.apart and not k))} {{" for k, v in enumerate(variables)]
        self.made.lines += [*heads, "{", *self.panels(rows, columns, depth, deep), "}", *["}"] * len(heads)]
        self.made.parallel = prod(self.kind.sizes.values()) >= PARALLEL
        self.made.reads.update((*(v.wire for v in self.views), *self.kind.reads))

    def arrays(self, depth: Axis, short: bool) -> list[str]:
        """What lies on the stack: a panel that is packed here, and a tile or parts of several."""
        wide = f"WIDE_{self.t}"
        panel = [f"{self.type} panel[{min(depth.size, self.most)} * {wide}] __attribute__((aligned(64)));"]
        tiles = f"{self.type} {'tile[HIGH' if short else f'part[{self.together}'} * {wide}] __attribute__((aligned(64)));"
        return [*(panel if self.kind.packed is None else []), tiles]

    def short(self, depth: Axis, deep: Sequence[Axis]) -> bool:
        """Whether a sum is done at once."""
        return depth.size <= self.most and not deep

    def panels(self, rows: Axis, columns: Axis, depth: Axis, deep: Sequence[Axis]) -> list[str]:
        """The panels of one matrix, each met by the tiles of rows."""
        wide = f"WIDE_{self.t}"
        by_columns = columns.size >= 64 or rows.size < 24
        panels = divided(f"({columns.size} + {wide} - 1) / {wide}", by_columns and not self.apart)
        tiles = divided(f"({rows.size} + HIGH - 1) / HIGH", not by_columns and not self.apart)
        short = self.short(depth, deep)
        return [
            f"for (int p = {panels[0]}; p < {panels[1]}; p++) {{",
            f"const int n0 = p * {wide}, columns = {columns.size} - n0 < {wide} ? {columns.size} - n0 : {wide};",
            *(self.at_once(rows, columns, depth, tiles) if short else self.in_stretches(rows, columns, depth, deep, tiles)),
            "}",
        ]

    def each(self, rows: Axis) -> str:
        return f"const int m0 = q * HIGH, rows = {rows.size} - m0 < HIGH ? {rows.size} - m0 : HIGH;"

    def at_once(self, rows: Axis, columns: Axis, depth: Axis, tiles: tuple[str, str]) -> list[str]:
        """A short sum: its panel is packed once, and each tile is done when it is met."""
        size = str(depth.size)
        return [
            self.packed(columns, depth, [], "0", size),
            f"for (int q = {tiles[0]}; q < {tiles[1]}; q++) {{",
            self.each(rows),
            *self.ahead(rows, columns),
            *self.tile(rows, depth, [], "0", size, "0"),
            *self.done(rows, columns),
            "}",
        ]

    def in_stretches(self, rows: Axis, columns: Axis, depth: Axis, deep: Sequence[Axis], tiles: tuple[str, str]) -> list[str]:
        """A long sum in stretches, each packed once for some tiles, which are done after the last."""
        some = f"{self.together} / HIGH"
        loops = [Atom(f"d{k}", a.size) for k, a in enumerate(deep)]
        places = [(a, of(loop)) for a, loop in zip(deep, loops, strict=True)]
        walk = [f"for (int q = q0; q < q1; q++, tile += HIGH * WIDE_{self.t}) {{", self.each(rows)]
        stretch = [
            f"for (int k0 = 0; k0 < {depth.size}; k0 += {self.most}) {{",
            f"const int deep = {depth.size} - k0 < {self.most} ? {depth.size} - k0 : {self.most};",
            self.packed(columns, depth, places, "k0", "deep"),
            f"{self.type} *tile = part;",
            *walk,
            *([] if deep else last(depth, self.most, self.ahead(rows, columns))),
            *self.tile(rows, depth, places, "k0", "deep", "more"),
            "}",
            "more = 1;",
            "}",
        ]
        return [
            f"for (int q0 = {tiles[0]}; q0 < {tiles[1]}; q0 += {some}) {{",
            f"const int q1 = q0 + {some} < {tiles[1]} ? q0 + {some} : {tiles[1]};",
            "int more = 0;",
            *nested(loops, stretch, note=""),
            *self.ended(walk, rows, columns),
            "}",
        ]

    def ended(self, walk: Sequence[str], rows: Axis, columns: Axis) -> list[str]:
        """What is done to the tiles of a long sum when all of it is there."""
        return [f"const {self.type} *tile = part;", *walk, *self.done(rows, columns), "}"]

    def place(self, side: str, places: Sequence[tuple[Axis, Index]]) -> str:
        """Where a side begins: its view, moved by the loops around."""
        number = 0 if side == "left" else 1
        found = Index(self.views[number].offset)
        for axis, variable in [*self.loops.items(), *places]:
            found = found + variable * getattr(axis, side)
        return f"{self.printer.places[self.views[number].wire].name} + {found}"

    def packed(self, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str) -> str:
        """The panel of these columns: packed here, or before the first step."""
        if self.kind.packed is not None:
            name = self.printer.places[self.kind.packed].name
            return f"const {self.type} *panel = {name} + ((int64_t)p * {depth.size} + {at}) * WIDE_{self.t};"
        return self.packing("panel", columns, depth, places, at, deep)

    def packing(self, to: str, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str) -> str:
        start = f"{self.place('right', places)} + (int64_t)n0 * {columns.right} + (int64_t){at} * {depth.right}"
        return f"pack_{self.t}({to}, {start}, {deep}, columns, {depth.right}, {columns.right});"

    def tile(self, rows: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str, more: str) -> list[str]:
        start = f"{self.place('left', places)} + (int64_t)m0 * {rows.left} + (int64_t){at} * {depth.left}"
        rest = f"{deep}, {start}, {rows.left}, {depth.left}, panel, tile, {more}"
        return ["if (rows == HIGH)", f"whole_{self.t}({rest});", "else", f"rest_{self.t}(rows, {rest});"]

    def ahead(self, rows: Axis, columns: Axis) -> list[str]:
        """What the entries of a tile will read."""
        return self.entry.ahead(lambda m, n: self.index(m, n, rows, columns), rows.size, columns.size)

    def done(self, rows: Axis, columns: Axis) -> list[str]:
        """What is done to each entry of a tile."""
        return self.entry.loops(lambda m, n: self.index(m, n, rows, columns), rows.size, columns.size)

    def index(self, m: Index, n: Index, rows: Axis, columns: Axis) -> tuple[Index, ...]:
        """The index of an entry of the result."""
        found: dict[str, Index] = {}
        for axis, variable in [*self.loops.items(), (rows, m), (columns, n)]:
            rest = variable
            for k, letter in enumerate(axis.letters):
                step = prod(self.kind.sizes[s] for s in axis.letters[k + 1 :])
                found[letter], rest = rest.divided(step)
        return tuple(found.get(s, Index()) for s in self.kind.output)


def last(depth: Axis, stretch: int, lines: Sequence[str]) -> list[str]:
    """Lines for the last stretch of a sum."""
    return [f"if (k0 + {stretch} >= {depth.size}) {line}" for line in lines]


def joined(axes: Sequence[Axis]) -> list[Axis]:
    """Neighbours as one axis where every side moves through them as through one, without axes of one entry."""
    found: list[Axis] = []
    for a in axes:
        if a.size == 1:
            continue
        if found and all(x == y * a.size for x, y in ((found[-1].left, a.left), (found[-1].right, a.right), (found[-1].out, a.out))):
            found[-1] = Axis(found[-1].letters + a.letters, found[-1].size * a.size, a.left, a.right, a.out)
        else:
            found.append(a)
    return found
