"""Mixed precision: a functor on models that computes products in half precision and keeps everything else, weights too, in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.cat.para import P, Para
from lensgrad.core import checks
from lensgrad.core.diagram import Definition, Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.functor import fold
from lensgrad.core.graph import Graph, Node, Wire
from lensgrad.core.trace import returned
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.conv import Convolve
from lensgrad.theories.smooth.linear import Einsum

PRODUCTS = (Convolve, Einsum)  # where the time goes, and what accelerators have units for
HALVES = ("bfloat16", "float16")


def mixed_precision(model: P, dtype: str = "bfloat16") -> P:
    """The identity-on-objects functor p ↦ cast ; p ; cast on products p of float32 arrays : (P, A → B) ↦ (P, A → B).

    Weights, data and states stay float32, so an optimizer moves weights of full precision, and the reverse derivative of a cast
    casts back: products of the way back are in half precision too. bfloat16 has the exponents of float32; float16 keeps three
    more bits and nothing below 6e-8 or above 65504, so train with a loss scale (`supervised(…, precision="float16")` does).
    """
    if not checks.is_a(dtype, str) or dtype not in HALVES:
        given = f"'{checks.clean(dtype)}'" if checks.is_a(dtype, str) else checks.shown(dtype)
        raise BadValue(f"{given} is no precision to mix with float32; use {listed(HALVES)}")
    if not checks.is_a(model, Para) or not isinstance(model.arrow, Diagram):
        raise TypeMismatch(f"mixed precision expects a model, before lens(…), got {checks.shown(model)}")
    return model.map(lambda ob: ob, lambda f: lowered(f, dtype))


def lowered(f: Diagram, dtype: str) -> Diagram:
    """The same arrow with its products in another dtype, in boxes and loops too."""
    graph = Graph(f.dom)

    def rule(node: Node, args: list[Any]) -> Sequence[Any]:
        op: Any = node.op
        if type(op) in PRODUCTS and node.cod[0].dtype == "float32":
            return [ops.cast(op(*(ops.cast(a, dtype) for a in args)), "float32")]
        if isinstance(op, Definition) and op.predict is not None:
            op = op.replace(body=lowered(op.body, dtype), predict=lowered(op.predict, dtype))
        elif isinstance(getattr(op, "body", None), Diagram):
            op = op.replace(body=lowered(op.body, dtype))
        return flatten([op(*args)]) if args else graph.wires(graph.apply(op, (), node.cod, node.origin))

    wires: list[Any] = fold(f, [Wire(graph, i) for i in range(len(f.dom))], rule)
    return Diagram.finish(graph, returned(graph, wires, "mixed precision"))
