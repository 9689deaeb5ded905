"""Constants of a program computed beforehand: what is one number everywhere becomes an array of that number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lensgrad.backends import numpy as backend
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Graph, Node
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import array, linear
from lensgrad.theories.smooth import pointwise as p

MOVED = (linear.Spread, linear.Transpose, linear.Reshape, linear.Slice, linear.Flip)  # of one number everywhere it stays that number
EXACT = (p.Neg, p.Add, p.Sub, p.Mul, p.Div)  # these round one number as they round many
KINDS = ("float32", "float64", "int32")


def folded(f: Diagram) -> Diagram:
    """The same arrow with constants of one number written as such: to the bit what it was."""
    graph = Graph(f.dom)
    env, known = list(range(len(f.dom))), dict[int, Any]()
    for node in f.nodes:
        args = tuple(env[a] for a in node.args)
        value = uniform(node, Ty(tuple(graph.types[a] for a in args)), [known.get(a) for a in args])
        made = filled(node, value)
        outs = graph.apply(node.op, args, node.cod, node.origin) if made is None else graph.apply(made, (), node.cod, node.origin)
        known |= {outs[0]: value} if made is not None or isinstance(node.op, array.Full) else {}
        env += outs
    return Diagram.finish(graph, [env[o] for o in f.outs])


def uniform(node: Node, dom: Ty, values: Sequence[Any]) -> Any:
    """The one number that a node gives everywhere, as an array without axes; None where it is none or nobody knows."""
    kind = getattr(node.cod[0], "dtype", "") if len(node.cod) == 1 else ""
    if kind not in KINDS:
        return None
    if isinstance(node.op, array.Full):
        return np.array(node.op.value, kind)
    if not node.args or any(v is None for v in values):
        return None
    if isinstance(node.op, MOVED):
        return values[0]
    if not isinstance(node.op, EXACT):
        return None
    atoms: list[Any] = [a.with_shape() for a in dom]
    with np.errstate(all="ignore"):
        return np.asarray(backend.function(Diagram.of(node.op, Ty(tuple(atoms))))(*values)[0])


def filled(node: Node, value: Any) -> array.Full | None:
    """The generator that gives one number everywhere; None where a node is one already, or gives something else."""
    if value is None or isinstance(node.op, array.Full) or np.isnan(value):
        return None
    atom = node.cod[0]
    number = int(value) if value.dtype.kind == "i" else float(str(value))  # of several that round to it, the shortest
    return array.Full(number, atom)


__all__ = ["folded"]
