"""Rewrite rules as pairs of parallel arrows, written in the language they rewrite."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Graph, Node


class Soundness(Enum):
    """Where an equation holds: `FORMAL` at any time, `FUNCTIONAL` only after R (it may change derivatives)."""

    FORMAL = "formal"
    FUNCTIONAL = "functional"


@dataclass(frozen=True)
class Equation:
    """left = right : A → B, to be used from left to right. `right` must be checked in the exact functor of the theory."""

    left: Diagram
    right: Diagram

    def __post_init__(self) -> None:
        if (self.left.dom, self.left.cod) != (self.right.dom, self.right.cod):
            raise TypeMismatch(
                f"the two sides of a rule must be parallel: {self.left.dom} → {self.left.cod} is not {self.right.dom} → {self.right.cod}"
            )
        wires = len(self.left.dom) + sum(len(n.cod) for n in self.left.nodes)
        root = self.left.nodes[-1].cod if self.left.nodes else ()
        if not root or self.left.outs != tuple(range(wires - len(root), wires)):
            raise BadValue("the left side of a rule must return the outputs of its last node, in order")


@dataclass(frozen=True)
class Rule:
    """A family of equations: `at(node)` gives the instance whose left side could end in this node, or nothing."""

    name: str
    at: Callable[[Node], Equation | None]
    soundness: Soundness = Soundness.FORMAL


def rewrite(f: Diagram, rules: Iterable[Rule], after_reverse: bool = False) -> Diagram:
    """Apply the rules bottom-up until none fits; functional rules only if `after_reverse` says so."""
    usable = [r for r in rules if after_reverse or r.soundness is Soundness.FORMAL]
    graph = Graph(f.dom)
    env: list[int] = list(range(len(f.dom)))
    for node in f.nodes:
        args = tuple(env[a] for a in node.args)
        env.extend(_simplest(graph, Node(node.op, args, node.cod, node.origin), usable))
    return Diagram.finish(graph, [env[o] for o in f.outs])


def _simplest(graph: Graph, node: Node, rules: list[Rule]) -> list[int]:
    for rule in rules:
        equation = rule.at(node)
        found = None if equation is None else match(graph, equation.left, node)
        if equation is not None and found is not None:
            return _rebuild(graph, equation.right, found, rules, node.origin)
    return list(graph.apply(node.op, node.args, node.cod, node.origin))


def _rebuild(graph: Graph, right: Diagram, wires: list[int], rules: list[Rule], origin: tuple[str, ...]) -> list[int]:
    env = list(wires)
    for node in right.nodes:
        env.extend(_simplest(graph, Node(node.op, tuple(env[a] for a in node.args), node.cod, origin), rules))
    return [env[o] for o in right.outs]


def match(graph: Graph, left: Diagram, root: Node) -> list[int] | None:
    """The wires of `graph` for the inputs of `left` such that its last node is `root`, or None."""
    makers = [None] * len(left.dom) + [(n, k) for n in left.nodes for k in range(len(n.cod))]
    bound: dict[int, int] = {}
    todo: list[tuple[Node, Node]] = [(left.nodes[-1], root)]
    while todo:
        pattern, node = todo.pop()
        if pattern.op != node.op or len(pattern.args) != len(node.args):
            return None
        for want, have in zip(pattern.args, node.args, strict=True):
            maker, found = makers[want], graph.maker(have)
            if bound.setdefault(want, have) != have or (maker and (found is None or found[1] != maker[1])):
                return None
            if maker and found:
                todo.append((maker[0], found[0]))
    inputs = [bound.get(i, -1) for i in range(len(left.dom))]
    fits = all(i >= 0 and graph.types[i] == a for i, a in zip(inputs, left.dom, strict=True))
    return inputs if fits else None
