"""The right side of products as panels, one behind the other: some columns side by side, row by row, with zeros behind the last column."""

from __future__ import annotations

from dataclasses import dataclass

from lensgrad.backends.native.flat import Value
from lensgrad.backends.native.nests import Group
from lensgrad.backends.native.printer import PARALLEL, Function, Printer
from lensgrad.backends.native.scope import SHORT

WIDEST = 32  # entries that a row of a panel may have


def room(rows: int, columns: int, dtype: str, path: tuple[str, ...] = ()) -> Value:
    """A value for the panels of a matrix, on any machine."""
    return Value((rows * -(-columns // WIDEST) * WIDEST,), dtype, path)


def divided(count: str, over: bool) -> tuple[str, str]:
    """From where to where one thread counts."""
    return (f"first({count}, id, of)", f"first({count}, id + 1, of)") if over else ("0", count)


def each(columns: int, dtype: str, parallel: bool) -> str:
    """The head of a loop over all panels of a matrix, or over those of a thread."""
    low, high = divided(f"({columns} + WIDE_{SHORT[dtype]} - 1) / WIDE_{SHORT[dtype]}", parallel)
    return f"for (int p = {low}; p < {high}; p++)"


@dataclass(frozen=True)
class Matrix:
    """A matrix, or one of several that are stacked, as C reads it: entries of a column are `down` apart, those of a row `along`."""

    start: str
    depth: int
    columns: int
    down: int
    along: int

    def packed(self, to: str, dtype: str) -> str:
        """The call that packs panel p of it."""
        wide = f"WIDE_{SHORT[dtype]}"
        rest = f"{self.columns} - p * {wide}"
        start = f"{self.start} + (int64_t)p * {wide} * {self.along}"
        return f"pack_{SHORT[dtype]}({to}, {start}, {self.depth}, {rest} < {wide} ? {rest} : {wide}, {self.down}, {self.along});"


@dataclass(frozen=True, eq=False)
class Packing:
    """The panels of a matrix that stays."""

    wire: int
    reads: tuple[int, ...]
    depth: int
    columns: int
    along: tuple[bool, bool]  # whether the first axis of the value is that of columns
    unless: int | None = None  # where something else is prepared instead, if it begins with 0
    epilogue: bool = False

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        view, (out,) = printer.view(self.wire), group.nests[0].outs
        dtype = printer.flat.values[out].dtype
        across, down = view.steps if self.along[0] else view.steps[::-1]
        made.reads.add(view.wire)
        made.writes.add(out)
        made.parallel = self.depth * self.columns >= PARALLEL
        if self.unless is not None:
            made.reads.add(self.unless)
            made.lines.append(f"if ({printer.places[self.unless].name}[0] == 0) return;")
        matrix = Matrix(f"{printer.places[view.wire].name} + {view.offset}", self.depth, self.columns, down, across)
        to = f"{printer.places[out].name} + (int64_t)p * {self.depth} * WIDE_{SHORT[dtype]}"
        made.lines += [each(self.columns, dtype, made.parallel), matrix.packed(to, dtype)]


__all__ = ["Matrix", "Packing", "divided", "each", "room"]
