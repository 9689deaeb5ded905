"""What is done to the entries of a tile of results while it is in the nearest cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.nests import Group, widened
from lensgrad.backends.native.printer import Function, Printer, write_entry
from lensgrad.backends.native.scope import SHORT, Scope

FAR = 1 << 18  # bytes of an array, from which on its rows are asked for before they are read
Place = Callable[[Index, Index], tuple[Index, ...]]  # where the entry of a row and a column belongs


@dataclass
class Entry:
    """What is done to each entry of a tile of results, before the next tile comes."""

    printer: Printer
    group: Group
    made: Function
    out: int

    def loops(self, index: Place, rows: int, columns: int, turned: str = "") -> list[str]:
        """Loops over the entries; `index(m, n)` is where the entry of row m and column n belongs.

        `turned` is where rows of a tile lie side by side, if they do: how far columns are apart.
        """
        t = SHORT[self.printer.flat.values[self.out].dtype]
        scope, _ = self.body(index, rows, columns, f"tile[c * {turned} + r]" if turned else f"tile[r * WIDE_{t} + c]")

        def inner(width: str) -> list[str]:
            return ["for (int r = 0; r < rows; r++)", "#pragma GCC ivdep", f"for (int c = 0; c < {width}; c++) {{", *scope.lines, "}"]

        if turned:
            return ["for (int c = 0; c < columns; c++)", "#pragma GCC ivdep", "for (int r = 0; r < rows; r++) {", *scope.lines, "}"]
        full = f"{columns} % WIDE_{t} == 0 || columns == WIDE_{t}"
        return [f"if ({full}) {{", *inner(f"WIDE_{t}"), "} else {", *inner("columns"), "}"]

    def body(self, index: Place, rows: int, columns: int, entry: str) -> tuple[Scope, list[Index]]:
        """What is done to one entry of a tile, and where that belongs."""
        value = self.printer.flat.values[self.out]
        scope = Scope(self.printer.reading(self.made))
        m = Index(0, ((Atom("m0", max(2, rows)), 1), (Atom("r", max(2, rows)), 1))) if rows > 1 else Index()
        n = Index(0, ((Atom("n0", max(2, columns)), 1), (Atom("c", max(2, columns)), 1))) if columns > 1 else Index()
        text = scope.let(entry, value.dtype)
        squeezed = [i for i, s in zip(index(m, n), value.shape, strict=True) if s != 1]
        own = widened(squeezed, value.shape)
        scope.known[self.out, own] = text
        self.printer.store(scope, self.out, own, text, self.made)
        for nest in self.group.nests[1:]:
            write_entry(self.printer, scope, nest, squeezed, self.made)
        return scope, squeezed

    def ahead(self, index: Place, rows: int, columns: int) -> list[str]:
        """Rows of large arrays that the entries of a tile will read or write, asked for while it is computed."""
        found: dict[str, None] = {}
        scope, own = self.body(index, rows, columns, "0")
        values = self.printer.flat.values
        writes = [(o, widened(own, values[o].shape)) for o in self.group.outs if o in self.printer.stored]
        for wire, where in [*scope.reading.loads, *writes]:
            place = self.printer.places[wire].offset(where)
            variables = {a.name: a for a, _ in place.terms if not a.part}
            row, column = (place.factor(variables[v]) if v in variables else 0 for v in ("r", "c"))
            if values[wire].bytes >= FAR and row and column == 1:
                found[f"{self.printer.places[wire].name}[{place - of(variables['c'])}]"] = None
        return [f"for (int r = 0; r < rows; r++) __builtin_prefetch(&{text});" for text in found]


__all__ = ["Entry"]
