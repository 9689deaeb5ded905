"""A graph for any number of examples N, from three for fixed numbers: what differs among them is computed from the shape of an input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.writing.sheet import Body, Info, Net, Node, Sheet, Value
from lensgrad.interchange.sizes import AXIS, TRIED, Linear, linear, refused, together


def for_any(make: Callable[[int], Net]) -> Net:
    """One graph for all numbers of examples."""
    nets = [make(n) for n in TRIED]
    first = nets[0]
    inputs, outputs = (tuple(map(opened, together(ends))) for ends in ([n.inputs for n in nets], [n.outputs for n in nets]))
    found = {name: linear("a constant", [at(net, name) for net in nets]) for name in first.constants}
    sized = {name: form for name, form in found.items() if form is not None}
    if not sized:
        return replace(first, inputs=inputs, outputs=outputs)
    nodes = [merged(parts) for parts in together([net.nodes for net in nets])]
    made = Computed(first, inputs, sized)
    used = tuple(made.renamed(node) for node in nodes)
    constants = {n: a for n, a in first.constants.items() if n not in sized} | made.sheet.constants
    return replace(first, inputs=inputs, outputs=outputs, nodes=(*made.sheet.scopes[0].nodes, *used), constants=constants)


def at(net: Net, name: str) -> Numbers:
    """A constant of a graph, which another one has."""
    if name not in net.constants:
        raise refused("how many constants there are")
    return net.constants[name]


def opened(infos: tuple[Info, ...]) -> Info:
    """An input or output with a text for each axis that differs."""
    shapes = together([i.shape for i in infos])
    forms = [linear(f"the shape of {infos[0].name}", sizes) for sizes in shapes]
    return replace(infos[0], shape=tuple(n if form is None else str(form) for form, n in zip(forms, infos[0].shape, strict=True)))


def merged(nodes: tuple[Node, ...]) -> Node:
    """One node for three, which must not differ."""
    first = nodes[0]
    if any((n.kind, n.inputs, n.outputs, n.attributes) != (first.kind, first.inputs, first.outputs, first.attributes) for n in nodes):
        raise refused(f"the operator {first.name}")
    bodies = [n.body for n in nodes if n.body is not None]
    if not bodies:
        return first
    ends = [tuple(map(opened, together(infos))) for infos in ([b.inputs for b in bodies], [b.outputs for b in bodies])]
    return replace(first, body=Body(ends[0], ends[1], tuple(map(merged, together([b.nodes for b in bodies])))))


class Computed:
    """The nodes that compute a · N + b from the shape of an input, and the graph's nodes that read their results."""

    def __init__(self, net: Net, inputs: Sequence[Info], sized: Mapping[str, Linear]) -> None:
        self.sized = sized
        names = [*net.constants, *(o for n in net.nodes for o in outputs_of(n)), *(i.name for i in (*inputs, *net.outputs))]
        self.sheet = Sheet(names)
        self.names: dict[str, str] = {}
        owner, axis = next(((i, i.shape.index(AXIS)) for i in inputs if AXIS in i.shape), (None, 0))
        if owner is None:
            raise refused("a model without an input of so many examples")
        value = Value(self.sheet, owner.name, owner.dtype, ())
        self.count = self.sheet.add("Shape", [value], "int64", (1,), start=axis, end=axis + 1)

    def name(self, constant: str) -> str:
        """What computes a constant."""
        if constant not in self.names:
            form, sheet = self.sized[constant], self.sheet
            n = self.count if form.a.shape else self.count.reshaped()
            if not ((form.a == 1).all() and form.a.size == 1):
                n = n * sheet.constant(form.a, "int64")
            self.names[constant] = (n + sheet.constant(form.b, "int64")).name if form.b.any() else n.name
        return self.names[constant]

    def renamed(self, node: Node) -> Node:
        """A node that reads what is computed."""
        body = node.body and replace(node.body, nodes=tuple(map(self.renamed, node.body.nodes)))
        inputs = [self.name(i) if i in self.sized and not self.inferred(node, k) else i for k, i in enumerate(node.inputs)]
        if node.kind == "Reshape" and self.inferred(node, 1):
            form = self.sized[node.inputs[1]]
            inputs[1] = self.sheet.constant(np.where(form.a != 0, -1, form.b), "int64").name
        return replace(node, inputs=tuple(inputs), body=body)

    def inferred(self, node: Node, place: int) -> bool:
        """Whether an input is the shape of a reshape in which one axis differs, which runtimes find by themselves."""
        form = self.sized.get(node.inputs[place])
        one = form is not None and np.sum(form.a != 0) == 1
        return bool(one) and node.kind == "Reshape" and place == 1 and "allowzero" not in node.attributes


def outputs_of(node: Node) -> list[str]:
    """The names that a node gives, in its body too."""
    inner = [] if node.body is None else [i.name for i in node.body.inputs] + [o for n in node.body.nodes for o in outputs_of(n)]
    return [*node.outputs, *inner]
