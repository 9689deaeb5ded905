"""Arrows written as Python functions on wires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import WireError
from lensgrad.core.graph import Graph, Wire, together
from lensgrad.core.ty import Ty, product, split


def trace(fn: Callable[..., Any], *objects: Ty) -> Diagram:
    """The arrow A₁ ⊗ … ⊗ Aₙ → B computed by `fn`, called once with one argument per object.

    An object of one atom arrives as a wire, any other as a tuple of wires. `fn` returns a wire, points, or nested
    tuples of them. The function is read, not kept: what it does besides applying arrows happens once, now.
    """
    graph = Graph(product(objects))
    groups = split(graph.wires(range(len(graph.dom))), objects)
    result, name = fn(*(g[0] if len(g) == 1 else g for g in groups)), getattr(fn, "__name__", "the function")
    if result is None:
        raise WireError(f"{name} returned nothing: end it with `return`, or with `return ()` for an arrow to I")
    return Diagram.finish(graph, returned(graph, result, name))


def returned(graph: Graph, result: Any, name: str) -> list[int]:
    """The wire numbers of what a traced function returned."""
    wires = flatten(result)
    for w in wires:
        if not isinstance(w, Wire):
            raise WireError(f"{name} returned {type(w).__name__} {w!r:.60} where a wire or a tuple of wires is wanted")
    if not wires:
        return []
    anchor = [Wire(graph, 0)] if len(graph.dom) else []
    home, indices = together([*anchor, *wires], name)
    if home is graph:
        return list(indices[len(anchor) :])
    nodes, outs = home.canonical(indices)
    return graph.inline(nodes, outs, ())
