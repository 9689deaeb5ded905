"""Predicting: the functor on definitions that puts each box's predict body in its place (dropout ↦ 1, batch norm ↦ its running form)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.names import Param, Role, unique, written
from lensgrad.cat.para import P, Para
from lensgrad.core.checks import clean, is_a, nearest, shown
from lensgrad.core.checks import name as checked_name
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import Piece, TypeMismatch, UnknownParameter, listed
from lensgrad.core.functor import translate
from lensgrad.core.graph import Generator, Graph, Node
from lensgrad.core.op import Op
from lensgrad.core.ty import Ty, split


def predict(f: P) -> P:
    """f as it predicts : (P′, A → B) for f : (P, A → B), another arrow of another type.

    Boxes with a predict body become that body, at any depth. Observables that write a state or key back are dropped, and
    so are the states and keys that nothing needs any more. Weights, data and names stay as they are.
    """
    if not is_a(f, Para) or not isinstance(f.arrow, Diagram):
        raise TypeMismatch(f"predict expects a model or a task, before lens(…), got {shown(f)}")
    body = f.body
    writes = written(body.params, [label for label, _ in body.observables])
    seen = [k for k, where in enumerate(writes) if where is None]
    outs = split(range(len(body.arrow.cod)), [f.cod, *(ob for _, ob in body.observables)])
    wanted = [*outs[0], *(w for k in seen for w in outs[k + 1])]
    arrow, reached = needed(predicting(body.arrow), wanted)
    places = split(range(len(arrow.dom)), [p.ob for p in body.params])
    kept = [i for i, p in enumerate(body.params) if stays(p) or reached.intersection(places[i])]
    inputs = [*(w for i in kept for w in places[i]), *range(len(arrow.dom) - len(f.dom), len(arrow.dom))]
    observed = tuple(body.observables[k] for k in seen)
    return type(f)(f.dom, f.cod, Body(labelled(body.params, kept), only(arrow, inputs), observed), piece=f.piece, ends=f.ends)


def upto(model: P, name: str) -> P:
    """The part of a model up to the layer `name`, as it predicts : (P′, A → B′) for (P, A → B), with the names of the whole.

    Layers are named as they were, or after their kind, and numbered from 0 where several have one name: "hidden", "dense.1". So
    `lg.evaluate(lg.upto(model, "hidden"), x, values=run.values)` is what a trained layer gives.
    """
    f, name = predict(model), checked_name("the name of a layer", name)
    start, boxes = len(f.arrow.dom), dict[int, Node]()
    for node in f.arrow.nodes:
        if isinstance(node.op, Definition):
            boxes[start] = node
        start += len(node.cod)
    names = unique([node.op.name for node in boxes.values()])
    if name not in names:
        raise UnknownParameter(f"no layer '{clean(str(name))}' to stop after; this model has: {listed(names)}{nearest(name, names)}")
    first, node = list(boxes.items())[names.index(name)]
    wide = Diagram(f.arrow.dom, node.cod, (f.arrow.nodes, tuple(range(first, first + len(node.cod)))))
    arrow, reached = needed(wide, range(len(node.cod)))
    places = split(range(len(arrow.dom)), [p.ob for p in f.body.params])
    kept = [i for i in range(len(places)) if reached.intersection(places[i])]
    inputs = [*(w for i in kept for w in places[i]), *range(len(arrow.dom) - len(f.dom), len(arrow.dom))]
    return type(f)(f.dom, node.cod, Body(labelled(f.body.params, kept), only(arrow, inputs)), ends=(f.ends[0], Piece(name)))


def predicting(f: Diagram) -> Diagram:
    """The functor on arrows: every definition is replaced by the one that predicts, inside loops and recomputation too."""

    def on_op(op: Any) -> Op:
        if isinstance(op, Definition):
            return Definition(op.label, predicting(op.body if op.predict is None else op.predict))
        return op.replace(body=predicting(op.body)) if isinstance(getattr(op, "body", None), Diagram) else op

    return translate(f, lambda atom: atom, on_op)


def stays(p: Param) -> bool:
    """Whether predicting keeps a parameter that nothing reads."""
    return p.role in (Role.WEIGHT, Role.DATA)


def labelled(params: Sequence[Param], kept: Sequence[int]) -> tuple[Param, ...]:
    """The kept parameters, by labels that give them the names they had among all."""
    names = unique([p.label for p in params])
    chosen = tuple(params[i] for i in kept)
    if unique([p.label for p in chosen]) == tuple(names[i] for i in kept):
        return chosen
    return tuple(replace(params[i], label=names[i]) for i in kept)


def needed(f: Diagram, wanted: Sequence[int]) -> tuple[Diagram, set[int]]:
    """The arrow with the wanted outputs only, and the inputs it reads. Boxes lose the wires that nothing needs."""
    graph = Graph(f.dom)
    place: dict[int, int] = {i: i for i in range(len(f.dom))}
    for start, node, (op, args, outs) in reversed(demands(f, [f.outs[o] for o in wanted])):
        made = graph.apply(op, tuple(place[a] for a in args), origin=node.origin)
        place.update((start + k, w) for k, w in zip(outs, made, strict=True))
    done = Diagram.finish(graph, [place[f.outs[o]] for o in wanted])
    return done, {w for w in (*done.outs, *(a for n in done.nodes for a in n.args)) if w < len(f.dom)}


Trimmed = tuple[Generator, list[int], list[int]]  # a generator, the arguments it still reads, the outputs it still gives


def demands(f: Diagram, outs: Iterable[int]) -> list[tuple[int, Node, Trimmed]]:
    """The nodes that these wires need, last first: the number of the first output, the node, and what is left of it."""
    asked, start, plan = set(outs), len(f.dom) + sum(len(n.cod) for n in f.nodes), list[tuple[int, Node, Trimmed]]()
    for node in reversed(f.nodes):
        start -= len(node.cod)
        here = [k for k in range(len(node.cod)) if start + k in asked]
        if here:
            plan.append((start, node, trimmed(node, here)))
            asked.update(plan[-1][2][1])
    return plan


def trimmed(node: Node, outs: Sequence[int]) -> Trimmed:
    """A node as it serves some of its outputs."""
    if not isinstance(node.op, Definition):
        return node.op, list(node.args), list(range(len(node.cod)))
    body, reads = needed(node.op.body, outs)
    args = sorted(reads)
    return Definition(node.op.label, only(body, args)), [node.args[a] for a in args], list(outs)


def only(f: Diagram, inputs: Sequence[int]) -> Diagram:
    """The same arrow on the inputs it reads."""
    graph = Graph(Ty(tuple(f.dom[i] for i in inputs)))
    place = {w: k for k, w in enumerate(inputs)}
    env = graph.inline(f.nodes, f.outs, [place.get(i, -1) for i in range(len(f.dom))])
    return Diagram.finish(graph, env)


__all__ = ["predict", "predicting", "upto"]
