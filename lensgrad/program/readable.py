"""A training step as a person would write it: forward, backward, update, layer by layer, every line called by what it computes.

The lines are those that run, in another order and under other names, and give the same bits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush

from lensgrad.backends.numpy import has_circuits
from lensgrad.backends.source import Layout, identifier
from lensgrad.cat.names import Role
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import BACK, Node
from lensgrad.program.compile import Program
from lensgrad.program.constants import folded
from lensgrad.program.lines import Part, bodies, broadcast, inside, told_apart, word_of
from lensgrad.program.phases import Phase, makers, phases

TITLES = {Phase.FORWARD: "forward", Phase.BACKWARD: "backward: the gradient of the loss", Phase.UPDATE: "update"}


def readable(step: Program) -> tuple[Program, Layout | None]:
    """The step with its nodes in order of parts, and what its lines are called; as it is where circuits run in it."""
    if has_circuits(step.diagram):
        return step, None
    step = replace(step, diagram=folded(step.diagram), iterations={})
    parts = parts_of(step)
    order = ordered(step.diagram, parts, [p.name for p in step.outputs if p.role is Role.WEIGHT])
    if order is not None:
        step, parts = replace(step, diagram=permuted(step.diagram, order), iterations={}), [parts[i] for i in order]
    f = step.diagram
    wide, inner = broadcast(f), inside(f, parts)
    return step, Layout(tuple(Names(step, parts).all(wide | inner)), headings(f, parts), wide, inner, bodies(f))


# -- parts -------------------------------------------------------------------------------------------------------------


def parts_of(step: Program) -> list[Part]:
    """The part of each node."""
    f, kinds, moves = step.diagram, phases(step), movers(step)
    found = list[Part]()
    for node, kind, moved in zip(f.nodes, kinds, moves, strict=True):
        path = node.origin[1:] if kind is Phase.BACKWARD else (moved if len(moved) == 1 else ()) if kind is Phase.UPDATE else node.origin
        found.append(Part(kind, tuple(p for p in path if p != BACK)))
    return adopted(step, found)


def movers(step: Program) -> list[tuple[str, ...]]:
    """For each node the weights on whose next value, or on whose states, it has a say."""
    f, owner = step.diagram, makers(step.diagram)
    names = [p.name for p in step.outputs for _ in p.ob]
    weights = [p.name for p in step.outputs if p.role is Role.WEIGHT]
    places = numbered(weights)
    reach = [0] * len(f.nodes)  # a bit for each weight
    for o, name in zip(f.outs, names, strict=True):
        weight = weight_of(name, places)
        if owner[o] >= 0 and weight:
            reach[owner[o]] |= 1 << places[weight]
    for i in reversed(range(len(f.nodes))):
        for a in f.nodes[i].args:
            if owner[a] >= 0:
                reach[owner[a]] |= reach[i]
    told: dict[int, tuple[str, ...]] = {}
    return [told.setdefault(bits, tuple(w for w, k in places.items() if bits >> k & 1)) for bits in reach]


def adopted(step: Program, parts: Sequence[Part]) -> list[Part]:
    """The parts, where what a weight of a layer is made of, as in LoRA, and the way back through it, stand with that layer."""
    f, owner, found = step.diagram, makers(step.diagram), list(parts)
    fed = [p.role is Role.DATA for p in step.inputs for _ in p.ob]
    readers: list[list[int]] = [[] for _ in f.nodes]
    for i, node in enumerate(f.nodes):
        fed += [any(fed[a] for a in node.args)] * len(node.cod)
        for a in node.args:
            if owner[a] >= 0:
                readers[owner[a]].append(i)
    moving = [False] * len(f.nodes)  # whether nothing but updates reads it in the end
    for i, node in reversed([*enumerate(f.nodes)]):
        moving[i] = all(found[r].phase is Phase.UPDATE or (not found[r].path and moving[r]) for r in readers[i])
        near = {found[r].path[:1] for r in readers[i] if found[r].phase is Phase.FORWARD}
        if found[i] == Part(Phase.FORWARD, ()) and len(near) == 1 and not any(fed[a] for a in node.args):
            found[i] = Part(Phase.FORWARD, near.pop())
    for i, node in enumerate(f.nodes):
        made = [owner[a] for a in node.args if owner[a] >= 0 and f.nodes[owner[a]].args]
        before = {found[k].path[:1] for k in made if found[k].phase is Phase.BACKWARD}
        if found[i] == Part(Phase.BACKWARD, ()) and len(before) == 1 and moving[i]:
            found[i] = Part(Phase.BACKWARD, before.pop())
    return found


def numbered(names: Sequence[str]) -> dict[str, int]:
    """The place of each name, the first of equal ones."""
    return {name: i for i, name in reversed([*enumerate(names)])}


def weight_of(name: str, places: Mapping[str, int]) -> str:
    """The first weight that a name is, or that it is a state of: weight, of weight.velocity.0; "" for none."""
    cuts = [i for i, c in enumerate(name) if c == "."]
    return min((w for w in (name, *(name[:i] for i in cuts)) if w in places), key=places.__getitem__, default="")


def turn(part: Part, places: Mapping[str, int]) -> int:
    """When a part is written among those that could be: what stands in no layer waits for the layers, and updates come as weights do,
    after what moves several of them.
    """
    if part.phase is Phase.UPDATE:
        return places.get(part.path[0], len(places)) if part.path else -1
    return int(part.phase is Phase.FORWARD and not part.path)


class Ready:
    """The nodes that could be written next: by phase, then of the part that was begun, then as parts have their turns."""

    def __init__(self, parts: Sequence[Part], weights: Sequence[str]) -> None:
        self.parts, self.places, self.rank = parts, numbered(weights), {phase: i for i, phase in enumerate(Phase)}
        self.all, self.begun = list[tuple[int, int, int]](), dict[tuple[Phase, str], list[tuple[int, int]]]()
        self.done = set[int]()
        self.last: tuple[Phase, str] | None = None  # the part that was begun

    def add(self, i: int) -> None:
        """One node more."""
        part = self.parts[i]
        when = turn(part, self.places)
        heappush(self.all, (self.rank[part.phase], when, i))
        heappush(self.begun.setdefault(part.group, []), (when, i))

    def take(self) -> int | None:
        """The next node; None where there is none. A layer once begun is ended where it can be."""
        while self.all and self.all[0][-1] in self.done:
            heappop(self.all)
        if not self.all:
            return None
        same = [] if self.last is None else self.begun.get(self.last, [])
        while same and same[0][-1] in self.done:
            heappop(same)
        i = same[0][-1] if same and self.last is not None and self.rank[self.last[0]] == self.all[0][0] else self.all[0][-1]
        self.done.add(i)
        self.last = self.parts[i].group
        return i


def ordered(f: Diagram, parts: Sequence[Part], weights: Sequence[str]) -> list[int] | None:
    """The nodes by phase, and within it layer after layer; None where a later phase is needed by an earlier one."""
    owner, ready = makers(f), Ready(parts, weights)
    rank = ready.rank
    waits = [{owner[a] for a in node.args if owner[a] >= 0} for node in f.nodes]
    if any(f.nodes[b].args and rank[parts[b].phase] > rank[parts[i].phase] for i, before in enumerate(waits) for b in before):
        return None
    users: list[list[int]] = [[] for _ in f.nodes]
    for i, before in enumerate(waits):
        for b in before:
            users[b].append(i)
    found = [i for i, node in enumerate(f.nodes) if not node.args]
    left = [sum(bool(f.nodes[b].args) for b in before) for before in waits]
    for i, n in enumerate(left):
        if not n and f.nodes[i].args:
            ready.add(i)
    while (i := ready.take()) is not None:
        found.append(i)
        for user in users[i]:
            left[user] -= 1
            if not left[user]:
                ready.add(user)
    return found


def permuted(f: Diagram, order: Sequence[int]) -> Diagram:
    """The same program with its nodes in another order."""
    starts, wire = list[int](), len(f.dom)
    for node in f.nodes:
        starts.append(wire)
        wire += len(node.cod)
    place, fresh = {i: i for i in range(len(f.dom))}, len(f.dom)
    nodes = list[Node]()
    for i in order:
        node = f.nodes[i]
        nodes.append(Node(node.op, tuple(place[a] for a in node.args), node.cod, node.origin))
        place |= {starts[i] + k: fresh + k for k in range(len(node.cod))}
        fresh += len(node.cod)
    return Diagram(f.dom, f.cod, (tuple(nodes), tuple(place[o] for o in f.outs)))


def headings(f: Diagram, parts: Sequence[Part]) -> dict[int, tuple[str, ...]]:
    """The comments above a node: where a phase begins, and where a layer does."""
    found: dict[int, tuple[str, ...]] = {}
    phase, group = None, None
    for i, (node, part) in enumerate(zip(f.nodes, parts, strict=True)):
        if not node.args:
            continue  # a constant, which has no line
        lines = [f"# -- {TITLES[part.phase]} --"] if part.phase is not phase else []
        layer = part.path[0] if part.path else "several weights" if part.phase is Phase.UPDATE else "the loss"
        lines += [f"# {layer}"] if layer and (part.group != group or lines) else []
        if lines:
            found[i] = tuple(lines)
        phase, group = part.phase, part.group
    return found


# -- names -------------------------------------------------------------------------------------------------------------


class Names:
    """What the wires of a step are called."""

    def __init__(self, step: Program, parts: Sequence[Part]) -> None:
        self.step, self.f, self.parts = step, step.diagram, parts
        self.owner = makers(self.f)
        self.readers: dict[int, list[int]] = {}
        for i, node in enumerate(self.f.nodes):
            for a in node.args:
                self.readers.setdefault(a, []).append(i)
        self.inputs = [p.name if len(p.ob) == 1 else f"{p.name}.{k}" for p in step.inputs for k in range(len(p.ob))]
        self.returned = {o: name for o, name in reversed([*zip(self.f.outs, self.outputs(), strict=True)])}

    def outputs(self) -> list[str]:
        """What each output is called: the next value of an input, or what is observed."""
        known = {p.name for p in self.step.inputs}
        ports = [(p, k) for p in self.step.outputs for k in range(len(p.ob))]
        return [f"{'next_' if p.name in known else ''}{p.name}{f'.{k}' if len(p.ob) > 1 else ''}" for p, k in ports]

    def all(self, without: Collection[int]) -> list[str]:
        """A name for each wire, all different; those of inputs come from the writer, and wires without a line take what is left."""
        wanted = [identifier(n) for n in self.inputs]
        start = len(self.f.dom)
        for i, node in enumerate(self.f.nodes):
            wanted += [self.wanted(i, start + k) for k in range(len(node.cod))]
            start += len(node.cod)
        return told_apart(wanted, len(self.f.dom), without)

    def wanted(self, number: int, wire: int) -> str:
        """What a wire would best be called."""
        part, word = self.parts[number], word_of(self.f.nodes[number])
        if wire in self.returned:
            return identifier(self.returned[wire])
        if part.phase is Phase.UPDATE:
            return identifier("_".join([*part.path, word]))
        if part.phase is Phase.BACKWARD:
            return self.cotangent(wire, part, word)
        left = self.leaves(wire, part)
        return identifier("_".join(part.path[:left])) if left else identifier("_".join([*part.path, word]))

    def leaves(self, wire: int, part: Part) -> int:
        """How much of its path names what a wire leaves with, of the outermost layer that it leaves; 0 where it stays inside."""
        paths = [self.parts[r].path for r in self.readers.get(wire, ()) if self.parts[r].phase is part.phase]
        if not paths:
            return 0
        inside = max(common(part.path, path) for path in paths)
        return inside + 1 if inside < len(part.path) else 0

    def cotangent(self, wire: int, part: Part, word: str) -> str:
        """The name of a cotangent: of the weight that it moves, of the layer that it flows into, or of what is computed."""
        readers = self.readers.get(wire, ())
        weight = next((self.parts[r].path[0] for r in readers if self.parts[r].phase is Phase.UPDATE and self.parts[r].path), "")
        if weight:
            return identifier(f"d_{weight}")
        paths = [self.parts[r].path for r in readers if self.parts[r].phase is Phase.BACKWARD]
        other = [p for p in paths if common(p, part.path) < len(p)]
        if other and len(other) == len(paths):
            near = min(other, key=len)
            return identifier("_".join(["d", *near[: common(near, part.path) + 1]]))
        return identifier("_".join(["d", *part.path, word]))


def common(left: Sequence[str], right: Sequence[str]) -> int:
    """How far two paths go together."""
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


__all__ = ["readable"]
