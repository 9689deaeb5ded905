"""Batching as a functor on finished diagrams: one rule per generator, never a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.diagram import Definition, Diagram, Recompute, flatten
from lensgrad.core.functor import fold
from lensgrad.core.graph import Graph, Node, Wire, rule_of
from lensgrad.core.trace import returned
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array, Key
from lensgrad.theories.smooth.linear import lead
from lensgrad.theories.smooth.random import KeySpread
from lensgrad.theories.smooth.shape import Batched

Flagged = tuple[Wire, bool]  # a wire, and whether it has the leading batch axis


def stacked(atom: Any, n: int) -> Any:
    """Aⁿ as one atom: a new leading axis."""
    if isinstance(atom, Array):
        return atom.with_shape(n, *atom.shape)
    return Key((n, *atom.shape)) if isinstance(atom, Key) else atom.stacked(n)


def spread(wire: Wire, n: int) -> Wire:
    """n equal examples."""
    if isinstance(wire.atom, Array):
        return lead(wire, n)
    return KeySpread(n)(wire) if isinstance(wire.atom, Key) else wire.atom.spread(wire, n)


def batch(f: Diagram, n: int, over: Sequence[bool]) -> tuple[Diagram, tuple[bool, ...]]:
    """f on n examples at once: Aⁿ → Bⁿ on the inputs marked in `over`, the others shared.

    Returns the arrow and which of its outputs carry the batch axis; an output that no example reaches does not.
    Vectorized through every generator. Draws fold the example's number into their key.
    """
    graph = Graph(Ty(tuple(stacked(a, n) if b else a for a, b in zip(f.dom, over, strict=True))))
    outs = _run(f, n, list(zip(graph.wires(range(len(f.dom))), over, strict=True)))
    finished = Diagram.finish(graph, returned(graph, [w for w, _ in outs], "batch"))
    return finished, tuple(b for _, b in outs)


def _run(f: Diagram, n: int, inputs: list[Flagged]) -> list[Flagged]:
    def rule(node: Node, args: list[Flagged]) -> list[Flagged]:
        return _apply(node, n, args)

    return fold(f, inputs, rule)


def _apply(node: Node, n: int, args: list[Flagged]) -> list[Flagged]:
    op: Any = node.op
    wires, flags = tuple(w for w, _ in args), tuple(b for _, b in args)
    if isinstance(op, Definition | Recompute):
        return _boxed(op, n, args)
    if not any(flags) and not getattr(op, "draws", False):
        return [(w, False) for w in flatten(op(*wires))]
    answer = rule_of(op, "batch", "batching rule")(n, flags, *wires)
    if isinstance(answer, Batched):
        return list(zip(answer.wires, answer.flags, strict=True))
    return [(w, True) for w in flatten(answer)]


def _boxed(op: Definition | Recompute, n: int, args: list[Flagged]) -> list[Flagged]:
    """A box is batched by batching what is in it; it stays a box, with both of its bodies."""
    over = [b for _, b in args]
    bodies = [op.body] if isinstance(op, Recompute) or op.predict is None else [op.body, op.predict]
    done = [batch(f, n, over) for f in bodies]
    flags = tuple(map(any, zip(*(have for _, have in done), strict=True)))
    level = [f.then(spread_all(f.cod, [h or not want for h, want in zip(have, flags, strict=True)], n)) for f, have in done]
    box = Definition(op.label, *level) if isinstance(op, Definition) else Recompute(*level)
    return list(zip(flatten(box(*(w for w, _ in args))), flags, strict=True))


def batch_all(f: Diagram, n: int, over: Sequence[bool] | None = None) -> Diagram:
    """`batch` with every output batched, spread where no example reaches it: Aⁿ → Bⁿ."""
    graph_f, flags = batch(f, n, over if over is not None else [True] * len(f.dom))
    return graph_f.then(spread_all(graph_f.cod, flags, n))


def spread_all(cod: Ty, flags: Sequence[bool], n: int) -> Diagram:
    """Give the leading axis to the outputs that lack it."""
    graph = Graph(cod)
    wires = [Wire(graph, i) for i in range(len(cod))]
    outs = [w if b else spread(w, n) for w, b in zip(wires, flags, strict=True)]
    return Diagram.finish(graph, [w.index for w in outs])
