"""Arrows written as Python functions on wires."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import LensgradError, WireError
from lensgrad.core.graph import Graph, OnWires, Wire, together
from lensgrad.core.ty import Ty, product, split


def trace(fn: OnWires, *objects: Ty) -> Diagram:
    """The arrow A₁ ⊗ … ⊗ Aₙ → B computed by `fn`, called once with one argument per object.

    An object of one atom arrives as a wire, any other as a tuple of wires. `fn` returns a wire, points, or nested
    tuples of them. The function is read, not kept: what it does besides applying arrows happens once, now.
    """
    checks.function("what is traced", fn, "a function on wires")
    for ob in objects:
        checks.instance("what a traced function takes", ob, Ty, "an object, such as lg.Real(3)")
    graph = Graph(product(objects))
    groups = split(graph.wires(range(len(graph.dom))), objects)
    name = str(getattr(fn, "__name__", "the function"))
    result = called(fn, name, [g[0] if len(g) == 1 else g for g in groups])
    if result is None:
        raise WireError(f"{name} returned nothing: end it with `return`, or with `return ()` for an arrow to I")
    return Diagram.finish(graph, returned(graph, result, name))


def called(fn: Callable[..., Any], name: str, args: list[Any]) -> Any:
    """What a function gives; an error of ours where it takes another number of arguments."""
    if isinstance(fn, type):
        raise WireError(f"{name} must be a function, got the class {fn.__name__}")
    try:
        return fn(*args)
    except TypeError as wrong:
        if isinstance(wrong, LensgradError) or taken(fn, len(args)):
            raise
        wanted = f"{len(args)} argument{'s' * (len(args) != 1)}"
        raise WireError(f"{name} is called with {wanted}, and takes others: {wrong}") from None


def taken(fn: Callable[..., Any], n: int) -> bool:
    """Whether a function takes so many arguments, as far as its signature can be read."""
    try:
        signature(fn).bind(*range(n))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def returned(graph: Graph, result: Any, name: str) -> list[int]:
    """The wire numbers of what a traced function returned."""
    wires = flatten(result)
    for w in wires:
        if not isinstance(w, Wire):
            raise WireError(f"{name} returned {type(w).__name__} {checks.shown(w)} where a wire or a tuple of wires is wanted")
    if not wires:
        return []
    anchor = [Wire(graph, 0)] if len(graph.dom) else []
    home, indices = together([*anchor, *wires], name)
    if home is graph:
        return list(indices[len(anchor) :])
    nodes, outs = home.canonical(indices)
    return graph.inline(nodes, outs, ())
