"""Products of a few rows with a matrix that stays, whose rows are summed: they take no longer than reading it, so it is not copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from lensgrad.backends.native import products
from lensgrad.backends.native.flat import Call
from lensgrad.backends.native.integers import Index
from lensgrad.backends.native.nests import Group, Program, view
from lensgrad.backends.native.printer import Function, Printer
from lensgrad.backends.native.products import Axis, Product, Tiles

FEW = 4  # rows of results, from which on tiles pay


@dataclass(frozen=True, eq=False)
class Dots(Product):
    """A product of a few rows, in dot products where both sides lie side by side along what is summed."""

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        dotted = Dotted(self, printer, group, made)
        (dotted if dotted.beside else Tiles(self, printer, group, made)).write()


class Dotted(Tiles):
    """The columns of one panel after the other, each number of them a dot product."""

    @property
    def beside(self) -> bool:
        """Whether both sides lie so."""
        return len(self.depth) == 1 and self.depth[0].left == self.depth[0].right == 1

    def arrays(self, depth: Axis, short: bool) -> list[str]:
        return [f"{self.type} tile[HIGH * WIDE_{self.t}] __attribute__((aligned(64)));"]

    def short(self, depth: Axis, deep: Sequence[Axis]) -> bool:
        return True

    def packed(self, columns: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str) -> str:
        return f"const {self.type} *const right = {self.place('right', places)} + (int64_t)n0 * {columns.right};"

    def tile(self, rows: Axis, depth: Axis, places: Sequence[tuple[Axis, Index]], at: str, deep: str, more: str) -> list[str]:
        left = f"{self.place('left', places)} + (int64_t)m0 * {rows.left}"
        return [f"dots_{self.t}(rows, columns, {deep}, {left}, {rows.left}, right, {self.columns[-1].right}, tile);"]


def product(program: Program, call: Call) -> Dots | None:
    """An einsum of a few rows with a matrix that stays and lies in rows that are summed; None for others."""
    made = products.tiled(program, call, Dots, least=1)
    if not isinstance(made, Dots) or not program.fuse:
        return None
    left, right = made.order
    word, other = made.inputs[right], made.inputs[left]
    if len(word) != 2 or made.reads[right] not in program.constant or word[0] not in made.output or word[1] in made.output:
        return None
    rows = prod(made.sizes[s] for s in other if s in made.output)
    seen = view(program.flat, program.makers, {made.reads[right]}, call.args[right])
    return made if rows < FEW and word[0] not in other and seen is not None and seen.steps[1] == 1 else None


__all__ = ["Dots", "product"]
