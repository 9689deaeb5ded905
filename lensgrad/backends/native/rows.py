"""How small matrices of weights lie: in rows of whole vectors, and where a row would be less than one, each column as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lensgrad.backends.native.flat import Value
from lensgrad.backends.native.nests import Group, Nest, Program, Reduction

SHORT = 8  # entries of a row, below which it is less than a vector
MOST = 1 << 16  # bytes of a matrix, above which its columns are too long to stay near each other

Orders = Mapping[int, tuple[int, int]]


def ordered(program: Program, groups: Sequence[Group], same: Mapping[int, int]) -> Orders:
    """The orders of axes of states that products of a small step read, and of all that has the shape of one of them.

    `same` are the next states that lie where those before them do. No array that a kernel reads is among them, nor one that leaves
    the program other than as a state.
    """
    values, found = program.flat.values, dict[tuple[int, ...], tuple[int, int]]()
    for wire in (w for g in groups for n in g.nests for w in along(program, n) if w in same.values() and small(values[w])):
        rows, columns = values[wire].shape
        found[rows, columns] = (1, 0) if columns < SHORT <= rows else (0, 1)
    for group in groups:
        if not all(program.joins(n) for n in group.nests):
            wires = {*group.outs, *(w for n in group.nests for w, _ in program.loads(n))}
            found = {shape: order for shape, order in found.items() if all(values[w].shape != shape for w in wires)}
    inner = {o for g in groups for o in g.outs if o not in program.outputs}
    wires = {*same, *same.values(), *inner} - program.constant
    return {w: found[values[w].shape] for w in wires if values[w].shape in found}


def small(value: Value) -> bool:
    return len(value.shape) == 2 and min(value.shape) > 1 and value.bytes <= MOST


def along(program: Program, nest: Nest) -> list[int]:
    """What a nest reads along the loops by which its entries collect: one axis by them alone, the other by the nest's own."""
    if not isinstance(nest.kind, Reduction):
        return []
    return [w for w, i in program.loads(nest) if len(i) == 2 and {names(i[0]), names(i[1])} == {"k", "i"}]


def names(index: object) -> str:
    """The first letters of the variables of an index."""
    return "".join(sorted({a.name[0] for a, _ in getattr(index, "terms", ())}))
