"""Products of which a causal mask hides half: tiles that nobody sees are not computed, nor is what zeros meet.

0 · x is 0 for finite x alone, so what meets zeros is left out only where it is looked at and finite, and the zeros are looked for, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from lensgrad.backends.native import sparse
from lensgrad.backends.native.blocks import Blocked
from lensgrad.backends.native.flat import Call, Flat
from lensgrad.backends.native.integers import Index
from lensgrad.backends.native.meanings.sums import summed_products
from lensgrad.backends.native.nests import Bound, Group, Program
from lensgrad.backends.native.printer import Function, Printer
from lensgrad.backends.native.products import CLOSE, DEPTH, Axis, Product, Tiles, tiled
from lensgrad.backends.native.scope import Whole, meaning_of
from lensgrad.backends.native.softmax import Graph, Softmax, triangular
from lensgrad.theories.smooth.linear import Einsum
from lensgrad.theories.smooth.pointwise import Mul, Select


@dataclass(frozen=True)
class Cut:
    """Where a product may be cut at the diagonal of two axes, of which the first is that of rows.

    `side` is 0 where its left argument has zeros behind the diagonal, 1 its right one, and 2 where nobody reads results there, or
    multiplies them with the zeros of `zeros`.
    """

    axes: tuple[str, str]
    side: int
    zeros: int | None = None


NOWHERE = Cut(("", ""), 2)


def cut(program: Flat) -> None:
    """Note for each product what may be left out of it."""
    graph = Graph(program)
    lower = {o for c in program.calls for o in c.outs if below(graph, c)}
    for call in program.calls:
        found = cut_of(graph, lower, call) if isinstance(call.op, Einsum) and len(call.args) == 2 else None
        if found is not None:
            program.special[call.outs[0]] = Whole(lambda _, __, found=found: Bound(lambda p, c: product(p, c, found)))


def below(graph: Graph, call: Call) -> bool:
    """Whether a value probably has zeros alone behind its diagonal: a causal softmax, or what a causal mask lets pass, times a number."""
    if not call.outs:
        return False
    if call.outs[0] in graph.program.special:
        return softmax(graph, call)
    if isinstance(call.op, Mul):
        sides = [a for a, b in (call.args, call.args[::-1]) if graph.number(b) is not None]
        return any(c is not None and below(graph, c) for c in (graph.by(Select, a) for a in sides))
    return isinstance(call.op, Select) and graph.number(call.args[2]) == 0 and triangular(graph, call.args[0])


def softmax(graph: Graph, call: Call) -> bool:
    """Whether a value is a causal softmax."""
    meaning = meaning_of(graph.program, call)
    kind = meaning(graph.program, call) if isinstance(meaning, Whole) else None
    return isinstance(kind, Softmax) and kind.hidden is not None


def cut_of(graph: Graph, lower: set[int], call: Call) -> Cut | None:
    """Where a product may be cut, if anywhere."""
    inputs, output = call.op.letters()
    for side in (0, 1):
        if call.args[side] in lower:
            return Cut((inputs[side][-2], inputs[side][-1]), side)
    if len(output) < 2:
        return None
    axes, out = (output[-2], output[-1]), call.outs[0]
    if unseen(graph, out):
        return Cut(axes, 2)
    readers = graph.readers.get(out, []) if out not in graph.program.outputs else []
    early = [w for w in sorted(lower) if readers and all(multiplied(c, out, w) for c in readers) and before(graph, w, call)]
    return Cut(axes, 2, early[0]) if early else None


def multiplied(call: Call, out: int, by: int) -> bool:
    """Whether a call multiplies a value by another one."""
    return isinstance(call.op, Mul) and {*call.args} == {out, by}


def before(graph: Graph, wire: int, call: Call) -> bool:
    """Whether a value is there before a call."""
    maker = graph.makers[wire][0]
    return next(c for c in graph.program.calls if c is maker or c is call) is maker


def unseen(graph: Graph, wire: int) -> bool:
    """Whether all who read a value, or it times a number, read it where a causal mask lets it pass."""
    readers = graph.readers.get(wire, [])
    if not readers or wire in graph.program.outputs:
        return False
    return all(
        (isinstance(c.op, Select) and c.args[0] != wire != c.args[2] and triangular(graph, c.args[0]))
        or (isinstance(c.op, Mul) and any(graph.number(a) is not None for a in c.args if a != wire) and unseen(graph, c.outs[0]))
        for c in readers
    )


@dataclass(frozen=True, eq=False)
class Triangle(Blocked):
    """A product that may be cut."""

    cut: Cut = NOWHERE

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        tiles = Cutting(self, printer, group, made, cut=self.cut)
        if tiles.fits:
            tiles.write()
        else:
            super().write(printer, group, made)


def product(program: Program, call: Call, found: Cut) -> object:
    """An einsum that may be cut as tiles, if it is large enough."""
    made = tiled(program, call)
    if made is None or program.constant.intersection(made.reads):
        return sparse.product(program, call) or summed_products(program.flat, call)
    own = {f.name: getattr(made, f.name) for f in fields(Product)}
    own["reads"] = (*made.reads, *([] if found.zeros is None else [found.zeros]))
    return Triangle(**own, cut=found)


@dataclass
class Cutting(Tiles):
    """A product on its way into C whose axes are those of the diagonal, and whose sums are done at once."""

    cut: Cut = NOWHERE

    @property
    def fits(self) -> bool:
        """Whether tiles are such that they can be cut."""
        if not (len(self.rows) == len(self.columns) == len(self.depth) == 1):
            return False
        rows, columns, depth = self.rows[0], self.columns[0], self.depth[0]
        row, column = self.cut.axes
        if depth.size > (DEPTH if depth.left == 1 else CLOSE):
            return False
        if self.cut.side == 2:
            zeros, places = self.cut.zeros, self.printer.places
            alike = zeros is None or (places[zeros].steps == places[self.out].steps and columns.out == depth.left == 1)
            return (rows.letters, columns.letters) == (row, column) and alike
        across = (rows.letters, depth.letters) == (column, row) and rows.left == 1
        along = (rows.letters, depth.letters) == (row, column) and depth.left == 1
        left = self.kind.order[0] == self.cut.side
        return left and (across or along) and depth.size == rows.size

    @property
    def across(self) -> bool:
        """Whether the left side has its zeros before the diagonal: it is transposed."""
        return self.rows[0].letters == self.cut.axes[1]

    def panels(self, rows: Axis, columns: Axis, depth: Axis, deep: Sequence[Axis]) -> list[str]:
        zeros, t = self.cut.zeros, self.t
        if self.cut.side != 2:
            down = depth.left if self.across else rows.left
            known = f"lower_{t}({self.place('left', [])}, {rows.size}, {down})"
        elif zeros is not None:
            self.made.reads.add(zeros)
            start = Index()
            for axis, variable in self.loops.items():
                start = start + variable * axis.out
            matrix = f"{self.printer.places[zeros].name} + {start}, {rows.size}, {rows.out}"
            known = f"lower_{t}({matrix}) && small_{t}({self.place('left', [])}, {rows.size}, {depth.size}, {rows.left})"
        else:
            known = "1"
        return [f"const int lower = {known};", *super().panels(rows, columns, depth, deep)]

    def packed(self, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str) -> str:
        made = super().packed(columns, depth, places, at, deep)
        if self.cut == Cut(self.cut.axes, 2):
            return f"{made}\nconst int cut = lower;"
        return f"{made}\nconst int cut = lower && small_{self.t}(panel, {deep}, WIDE_{self.t}, WIDE_{self.t});"

    def tile(self, rows: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str, more: str) -> list[str]:
        if self.cut.side == 2:
            lines = super().tile(rows, depth, places, at, deep, more)
            return ["if (cut && n0 >= m0 + rows)", "memset(tile, 0, HIGH * sizeof *tile * WIDE_" + self.t + ");", "else {", *lines, "}"]
        begin = "cut ? m0 : 0" if self.across else "0"
        end = "m0 + rows" if not self.across else deep
        start = f"{self.place('left', places)} + (int64_t)m0 * {rows.left} + (int64_t)k0 * {depth.left}"
        rest = f"k1 - k0, {start}, {rows.left}, {depth.left}, panel + k0 * WIDE_{self.t}, tile, {more}"
        return [
            f"const int k0 = {begin}, k1 = cut ? {end} : {deep};",
            "if (rows == HIGH)",
            f"whole_{self.t}({rest});",
            "else",
            f"rest_{self.t}(rows, {rest});",
        ]


__all__ = ["cut"]
