"""Which whole numbers a model can read: rows of a table, such as tokens of an embedding, and classes."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import unfold
from lensgrad.theories.smooth.index import OneHot, Take
from lensgrad.theories.smooth.linear import Flip, Reshape, Slice, Spread, Transpose

MOVES = (Flip, Reshape, Slice, Spread, Transpose)  # what an index may pass through


def ranges(task: Para) -> dict[str, int]:
    """For each data of a task that is read as a number of rows or classes: how many there are, the fewest where it is read twice."""
    owners = [n for n, p in zip(task.names, task.params, strict=True) for _ in p.ob]
    data = {n for n, p in zip(task.names, task.params, strict=True) if p.role is Role.DATA}
    found: dict[str, int] = {}
    for wire, n in limits(unfold(task.arrow)):
        if owners[wire] in data:
            found[owners[wire]] = min(n, found.get(owners[wire], n))
    return found


def limits(f: Diagram) -> list[tuple[int, int]]:
    """Each input that is read as an index, and the number of rows or classes it chooses from."""
    types: list[Any] = list(f.dom)
    source: list[int | None] = list(range(len(f.dom)))  # the input that a wire is, moved
    found: list[tuple[int, int]] = []
    for node in f.nodes:
        index = source[node.args[-1]] if node.args else None
        if index is not None and isinstance(node.op, Take | OneHot):
            found.append((index, node.op.n if isinstance(node.op, OneHot) else types[node.args[0]].shape[node.op.lead]))
        source += [index if isinstance(node.op, MOVES) else None for _ in node.cod]
        types += node.cod
    return found
