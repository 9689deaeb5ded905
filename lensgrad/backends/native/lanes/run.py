"""Programs in which the parts that work row by row run on lanes, and everything else is NumPy source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.native.compiler import library
from lensgrad.backends.native.lanes.group import Rows, grouped
from lensgrad.backends.native.lanes.kernel import lane, native
from lensgrad.backends.native.lanes.packed import packed
from lensgrad.backends.source import Line
from lensgrad.backends.table import Meanings
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Graph, Node, Wire
from lensgrad.core.trace import returned
from lensgrad.theories import bridges
from lensgrad.theories.poly.semiring import Z2, Semiring

LEAST = 1 << 14  # elements, in all rows, of a part that is worth lowering


def function(f: Diagram, compiled: bool = True, table: Meanings = numpy_backend.NUMPY) -> Callable[..., tuple[Any, ...]]:
    """`f` as a Python function on NumPy arrays, one argument a wire, returning a tuple.

    It gives what the NumPy backend gives: exactly for circuits, to the rounding of sums for images of circuits in Smooth.
    With `compiled` off, or where there is no C compiler, bits are packed into words in NumPy and numbers are as in plain NumPy.
    """
    lanes = table.extended({Rows: partial(called, compiled=compiled)})
    ready = prepared(f, compiled)
    return numpy_backend.Function(ready, numpy_backend.function(ready, table=lanes), (function, (f, compiled, table)))


def called(line: Line, compiled: bool) -> str:
    op = line.op
    made = native(op.body, op.semiring, op.dtype) if compiled else None
    return f"{line.give(made or packed(op.body))}({', '.join(line.args)})"


def wanted(body: Diagram, semiring: Semiring, compiled: bool, dtype: str = "") -> bool:
    """Whether a part is large enough, and there is something that runs it."""
    if sum(a.total for node in body.nodes for a in node.cod) < LEAST:
        return False
    if semiring == Z2 and not dtype:
        return True
    found = lane(semiring, dtype)
    return compiled and found is not None and library(found.name) is not None


def prepared(f: Diagram, compiled: bool = True) -> Diagram:
    """The same arrow with `Rows` for what lanes run, in the bodies of loops too."""
    f = grouped(unfold(f), lambda body, s: wanted(body, s, compiled))
    read = {a for node in f.nodes for a in node.args} | set(f.outs)
    graph, start = Graph(f.dom), len(f.dom)

    def rule(node: Node, args: list[Any]) -> Sequence[Any]:
        nonlocal start
        op: Any = node.op
        start += len(node.cod)
        if isinstance(op, bridges.Image):
            return imaged(op, [w in read for w in range(start - len(node.cod), start)], args, compiled)
        if isinstance(getattr(op, "body", None), Diagram) and not isinstance(op, Rows):
            op = op.replace(body=prepared(op.body, compiled))
        return flatten([op(*args)]) if args else graph.wires(graph.apply(op, (), node.cod, node.origin))

    wires: list[Any] = fold(f, [Wire(graph, i) for i in range(len(f.dom))], rule)
    return Diagram.finish(graph, returned(graph, wires, "lanes"))


def imaged(op: bridges.Image, read: Sequence[bool], args: Sequence[Any], compiled: bool) -> list[Any]:
    """An image of a circuit on wires, with its rows on lanes. What nothing reads is not computed; a zero stands there."""
    body = Diagram.assemble(op.body.dom, [(op.body, range(len(op.body.dom)))], [len(op.body.dom) + k for k, yes in enumerate(read) if yes])
    body = grouped(body, lambda part, s: wanted(part, s, compiled, op.dtype))

    def image(node: Node, xs: list[Any]) -> list[Any]:
        inner: Any = node.op
        return flatten([inner.replace(dtype=op.dtype)(*xs) if isinstance(inner, Rows) else bridges.image(inner, op.dtype, *xs)])

    found = iter(fold(body, list(args), image))
    atoms = bridges.real(op.body.cod, op.dtype)
    return [next(found) if yes else atom.zero() for yes, atom in zip(read, atoms, strict=True)]
