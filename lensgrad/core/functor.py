"""Every transformation is a fold over the nodes, with one rule per generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lensgrad.core import checks
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.graph import Graph, Node

V = TypeVar("V")


def fold(f: Diagram, inputs: Sequence[V], rule: Callable[[Node, list[V]], Sequence[V]]) -> list[V]:
    """Evaluate `f`: `rule(node, values)` gives the values of a node's outputs from those of its arguments."""
    env = list(inputs)
    for node in f.nodes:
        env.extend(rule(node, [env[a] for a in node.args]))
    return [env[o] for o in f.outs]


def unfold(f: Diagram, keep: Callable[[Definition], bool] = lambda _: False) -> Diagram:
    """The same arrow without definitions; each node remembers in `origin` the path it came from."""
    checks.instance("what is unfolded", f, Diagram, "an arrow")
    if not any(isinstance(n.op, Definition) for n in f.nodes):
        return f
    graph = Graph(f.dom)
    return Diagram.finish(graph, _expand(f, graph, list(range(len(f.dom))), (), keep))


def _expand(f: Diagram, graph: Graph, wires: Sequence[int], path: tuple[str, ...], keep: Callable[[Definition], bool]) -> list[int]:
    def rule(node: Node, args: list[int]) -> Sequence[int]:
        if isinstance(node.op, Definition) and not keep(node.op):
            return _expand(node.op.body, graph, args, (*path, *node.origin, node.op.label), keep)
        return graph.apply(node.op, tuple(args), node.cod, (*path, *node.origin))

    return fold(f, wires, rule)


def translate(f: Diagram, on_atom: Callable[[Any], Any], on_op: Callable[[Any], Any]) -> Diagram:
    """The functor given on atoms and on generators: `on_op(op)` is an arrow (or generator) between the images."""
    from lensgrad.core.ty import Ty

    graph = Graph(Ty(tuple(on_atom(a) for a in f.dom)))

    def rule(node: Node, args: list[int]) -> Sequence[int]:
        image = on_op(node.op)
        if isinstance(image, Diagram):
            return image.run(graph, args)
        return graph.apply(image, tuple(args), origin=node.origin)

    return Diagram.finish(graph, fold(f, list(range(len(f.dom))), rule))


def count(f: Diagram) -> int:
    """How many nodes `f` has, with those inside its definitions."""
    return sum(count(n.op.body) if isinstance(n.op, Definition) else 1 for n in f.nodes)
