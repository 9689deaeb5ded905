"""Every wire of a task by name, with the cotangent of each: one program forward and back, of which any part is evaluated when asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from lensgrad.backends.engine import NumPy
from lensgrad.cat.names import unique
from lensgrad.cat.para import Para
from lensgrad.cat.reverse import swept
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.graph import Graph, Node
from lensgrad.core.ty import Ty
from lensgrad.theories.poly.circuit import Vector

TASK = "task"  # where what stands in no layer is named: the loss, and what is reported
OBJECTIVE = "objective"  # the one number that is learned: the loss of the batch
Function = Callable[..., tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Box:
    """A layer: its path, the wires that it takes and gives, and its nodes by number."""

    path: tuple[str, ...]
    ins: tuple[int, ...]
    outs: tuple[int, ...]
    nodes: tuple[int, ...]

    @property
    def name(self) -> str:
        return "/".join(self.path)


@dataclass(frozen=True)
class Tapped:
    """A task P → L ⊗ O, forward and back, as one straight-line program.

    Its wires are the parameters, a cotangent for each number of the loss, and what each node makes; the nodes of the task come first.
    `names` are those of wires forward, `back` has the wire of the cotangent of a wire where a gradient flows, and `through` the node of
    the task that a later node goes back through, both by number.
    """

    task: Para
    nodes: tuple[Node, ...]
    types: tuple[Any, ...]
    inputs: int  # parameters and cotangents of the loss
    count: int  # nodes of the task
    names: dict[str, int]
    outs: tuple[int, ...]
    back: dict[int, int]
    through: dict[int, int]
    boxes: tuple[Box, ...]

    @cached_property
    def owner(self) -> tuple[int, ...]:
        """For each wire the node that makes it, by number; -1 for an input."""
        return (*[-1] * self.inputs, *(i for i, node in enumerate(self.nodes) for _ in node.cod))

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """For each node its first wire."""
        found, wire = list[int](), self.inputs
        for node in self.nodes:
            found.append(wire)
            wire += len(node.cod)
        return tuple(found)

    @cached_property
    def labels(self) -> dict[int, str]:
        """For each wire forward the name that says most: that of a parameter or of something reported, or of what a layer gives."""
        found: dict[int, str] = {}
        for name, wire in sorted(self.names.items(), key=rank):
            found.setdefault(wire, name)
        return found

    def wires(self, name: str) -> list[int]:
        """The wires of a parameter: one, or those numbered behind its name."""
        return [w for n, w in self.names.items() if n == name or n.startswith(f"{name}.")]

    def outputs(self, number: int) -> range:
        """The wires that a node makes."""
        return range(self.starts[number], self.starts[number] + len(self.nodes[number].cod))

    def dom(self, node: Node) -> Ty:
        """The types of what a node reads."""
        return Ty(tuple(self.types[a] for a in node.args))


def tapped(task: Para) -> Tapped:
    """A task of one loss, or of one for each example, with all its wires.

    Parameters have their names; `layer/out` is what a layer gives, `layer/in` what it takes beside its parameters, and `layer/add` what
    the generator `Add` makes in it; several of one name are numbered. What stands in no layer is in `task/`, observables have their labels,
    and the loss of the batch is `objective`.
    """
    f: Diagram = task.arrow
    walk = Walk(Graph(f.dom), {i for i, p in enumerate(p for p in task.params for _ in p.ob) if p.role.value != "data"})
    outs = walk.expand(f, range(len(f.dom)), ())
    walk.ends(outs[len(task.cod) + k] for k, (label, _) in enumerate(spread(task.observables)) if label in task.names)
    seeded = [i < len(task.cod) and not isinstance(a, Vector) for i, a in enumerate(f.cod)]
    found = both_ways(task, walk, outs, seeded)
    ends = found.outs[len(task.cod) :]
    whole_loss = [(OBJECTIVE, found.outs[0])] if len(task.cod) == 1 and OBJECTIVE not in task.names else []
    return replace(found, names=dict([*inputs(task), *found.names.items(), *labels(task, ends), *whole_loss]))


def both_ways(task: Para, walk: Walk, outs: Sequence[int], seeded: Sequence[bool]) -> Tapped:
    """What was walked through, forward and back from the outputs that are seeded, with the names that the walk has found."""
    f: Diagram = task.arrow
    whole = Diagram(f.dom, f.cod, (tuple(walk.graph.nodes), tuple(outs)))
    sums, _ = swept(whole, [change(a) is not None for a in f.dom], seeded)
    env, graph = sums.env, sums.graph
    back = {env[w]: value.index for w, value in sums.values.items() if value.graph is graph}
    names = {n: env[w] for n, w in walk.named()}
    count, size = len(walk.graph.nodes), len(graph.dom)
    boxes = tuple(Box(p, tuple(env[a] for a in ins), tuple(env[o] for o in outs), nodes) for p, ins, outs, nodes in walk.boxes)
    results = tuple(env[o] for o in outs)
    return Tapped(task, tuple(graph.nodes), tuple(graph.types), size, count, names, results, back, sums.through, boxes)


def spread(observables: Iterable[tuple[str, Ty]]) -> list[tuple[str, Any]]:
    """The label of each wire that is observed, with its atom."""
    return [(label, atom) for label, ob in observables for atom in ob]


def inputs(task: Para) -> list[tuple[str, int]]:
    """The parameters by name; those of several arrays with numbers behind their names."""
    found, wire = list[tuple[str, int]](), 0
    for name, p in zip(task.names, task.params, strict=True):
        found += [(name if len(p.ob) == 1 else f"{name}.{k}", wire + k) for k in range(len(p.ob))]
        wire += len(p.ob)
    return found


def labels(task: Para, wires: Sequence[int]) -> list[tuple[str, int]]:
    """The observables by label, first come where a parameter has the name, since then it is the next value of that."""
    named = [label for label, ob in task.observables for _ in ob]
    return [(f"{n}'" if n in task.names else n, w) for n, w in zip(unique(named), wires, strict=True)]


def rank(named: tuple[str, int]) -> tuple[int, int, str]:
    """The order of names that one wire may have, the best first."""
    name = named[0]
    last = name.rpartition("/")[2].partition(".")[0]
    made = name.startswith(f"{TASK}/")
    return {"out": 1, "in": 3}.get(last, 2 if made else 0 if "/" not in name else 2), len(name), name


class Walk:
    """Unfolds a task into a graph, and remembers what each wire is called."""

    def __init__(self, graph: Graph, parameters: set[int]) -> None:
        self.graph, self.parameters = graph, parameters
        self.found: list[tuple[str, int]] = []
        self.boxes: list[tuple[tuple[str, ...], list[int], list[int], tuple[int, ...]]] = []

    def expand(self, f: Diagram, wires: Sequence[int], path: tuple[str, ...]) -> list[int]:
        """The outputs of f at these wires."""
        env = list(wires)
        boxes = iter(unique([n.op.label for n in f.nodes if isinstance(n.op, Definition)]))
        for node in f.nodes:
            args = [env[a] for a in node.args]
            if isinstance(node.op, Definition):
                inner, before = (*path, next(boxes)), len(self.graph.nodes)
                outs = self.expand(node.op.body, args, inner)
                self.boxes.append((inner, args, outs, tuple(range(before, len(self.graph.nodes)))))
            else:
                outs = list(self.graph.apply(node.op, tuple(args), node.cod, (*path, *node.origin)))
                self.call(path or (TASK,), snake(node.op.name), outs)
            env += outs
        return [env[o] for o in f.outs]

    def ends(self, written: Iterable[int]) -> None:
        """Remember what layers take and give; the next values of states and keys, which they give besides, have names of their own."""
        besides = set(written)
        for path, ins, outs, _ in self.boxes:
            self.call(path, "in", [a for a in ins if a not in self.parameters])
            self.call(path, "out", [o for o in outs if o not in besides] or outs)

    def call(self, path: tuple[str, ...], name: str, wires: Sequence[int]) -> None:
        """Remember a name of wires; several get numbers."""
        whole = "/".join((*path, name))
        self.found += [(whole if len(wires) == 1 else f"{whole}.{k}", w) for k, w in enumerate(wires)]

    def named(self) -> list[tuple[str, int]]:
        """Every name once: those that several wires would have are numbered in order."""
        first: dict[str, list[int]] = {}
        for name, wire in self.found:
            if wire not in first.setdefault(name, []):
                first[name].append(wire)
        return [(n if len(ws) == 1 else f"{n}.{k}", w) for n, ws in first.items() for k, w in enumerate(ws)]


def snake(name: str) -> str:
    """`LogSoftmax` as log_softmax."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@lru_cache(maxsize=4096)
def function_of(node_op: Any, dom: Ty, engine: NumPy) -> Function:
    """One generator as a function, compiled once."""
    return engine.function(Diagram.of(node_op, dom))


class Numbers:
    """The values of the wires of a tapped task at some inputs: each computed when it is first asked for, and kept."""

    def __init__(self, tapped: Tapped, inputs: Sequence[Any], engine: NumPy) -> None:
        self.tapped, self.engine = tapped, engine
        self.values: dict[int, Any] = dict(enumerate(inputs))

    def at(self, wire: int) -> np.ndarray[Any, Any]:
        """The value of a wire."""
        t, stack = self.tapped, [wire]
        while stack:
            w = stack[-1]
            node = None if w in self.values else t.nodes[t.owner[w]]
            waiting = [] if node is None else [a for a in node.args if a not in self.values]
            stack.extend(waiting)
            if not waiting:
                stack.pop()
                if node is not None:
                    self.run(node, t.owner[w])
        return np.asarray(self.values[wire])

    def run(self, node: Node, number: int) -> None:
        """Evaluate one node, whose arguments are there."""
        with np.errstate(all="ignore"):
            outs = function_of(node.op, self.tapped.dom(node), self.engine)(*(self.values[a] for a in node.args))
        self.values.update(zip(self.tapped.outputs(number), outs, strict=True))

    def cotangent(self, wire: int) -> np.ndarray[Any, Any] | None:
        """The cotangent of a wire forward; None where no gradient flows."""
        return self.at(self.tapped.back[wire]) if wire in self.tapped.back else None


__all__ = ["TASK", "Box", "Numbers", "Tapped", "Walk", "both_ways", "function_of", "snake", "tapped"]
