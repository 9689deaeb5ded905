"""A loop on the way back reads what the loop forward had, where computing it again costs more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Graph, Node
from lensgrad.core.ty import Ty
from lensgrad.program.rewrites.cut import INFINITE, Edge, sink_side
from lensgrad.program.rewrites.effort import again, kept
from lensgrad.theories.smooth.scan import Scan

Wires = Mapping[int, int]


@dataclass
class Looped:
    """A Scan of a program: its body, what stands around it, and what it is to save and to read."""

    op: Scan
    args: tuple[int, ...]
    start: int  # its first output, in the program
    body: Diagram
    saves: list[int] = field(default_factory=list[int])  # wires of the body that become stacked outputs
    reads: dict[int, tuple[Looped, int]] = field(default_factory=dict[int, "tuple[Looped, int]"])  # wires of the body: who saves them

    @property
    def held(self) -> int:
        return self.op.carries + self.op.shared

    @property
    def given(self) -> int:
        """How many outputs it gives at each step."""
        return len(self.body.cod) - self.op.carries

    def rows(self) -> dict[int, int]:
        """Wires of the program that are rows of the loop, one a step: the wire of the body that each is."""
        first, outs = self.start + self.op.carries, self.body.outs[self.op.carries :]
        found = {self.args[i]: i for i in range(self.held, len(self.args))}
        found |= {first + j: o for j, o in enumerate(outs)}
        return found | {first + self.given + k: k for k in range(self.op.carries)}

    def same(self) -> dict[int, int]:
        """Wires of the program that are the same at each step, and the inputs of the body that they are."""
        return {self.args[i]: i for i in range(self.op.carries, self.held)}

    def makers(self) -> Iterator[tuple[Node, int]]:
        """Each node of the body, and its first output."""
        wire = len(self.body.dom)
        for node in self.body.nodes:
            yield node, wire
            wire += len(node.cod)


def saved(f: Diagram) -> Diagram:
    """Scan(b, n) before Scan(c, n) : what both bodies compute of the same rows is computed by b and stacked, and c reads the stack.

    A value is saved where computing it again costs more than keeping it: a cut of least cost between what is there anyway and what
    only c computes decides. What `Recompute` computes is never saved.
    """
    if sum(isinstance(node.op, Scan) for node in f.nodes) < 2:
        return f
    loops = found(f)
    for i, reader in enumerate(loops.values()):
        for writer in list(loops.values())[:i]:
            if writer.op.n == reader.op.n:
                plan(writer, reader)
    return rebuilt(f, loops) if any(loop.saves for loop in loops.values()) else f


def found(f: Diagram) -> dict[int, Looped]:
    """The loops of a program, by the first outputs of their nodes."""
    loops, wire = dict[int, Looped](), len(f.dom)
    for node in f.nodes:
        if isinstance(node.op, Scan):
            loops[wire] = Looped(node.op, node.args, wire, unfold(node.op.body))
        wire += len(node.cod)
    return loops


def plan(writer: Looped, reader: Looped) -> None:
    """Choose what the reader reads instead of computing it."""
    both = common(writer, reader)
    for wire in chosen(writer, reader, both):
        image = both[wire]
        if image not in writer.saves:
            writer.saves.append(image)
        reader.reads[wire] = (writer, image)


def common(writer: Looped, reader: Looped) -> dict[int, int]:
    """The wires of the reader's body that are wires of the writer's body, step by step: equal generators of equal wires."""
    rows, same = writer.rows(), writer.same()
    unknown = dict[int, int]()
    places = [unknown] * reader.op.carries + [same] * reader.op.shared + [rows] * (len(reader.args) - reader.held)
    both = {i: where[a] for i, (a, where) in enumerate(zip(reader.args, places, strict=True)) if a in where}
    made = {(node.op, node.args): start for node, start in writer.makers()}
    for node, start in reader.makers():
        if all(a in both for a in node.args):
            image = made.get((node.op, tuple(both[a] for a in node.args)))
            if image is not None:
                both |= {start + k: image + k for k in range(len(node.cod))}
    return both


def chosen(writer: Looped, reader: Looped, both: Wires) -> list[int]:
    """The wires of the reader's body to be read: those that a cut of least cost goes through.

    Each wire has a vertex where it is known and each node of both bodies one where it is computed; what cannot be reached by the
    source any more is known, or computed, by the reader.
    """
    shared = [(node, start) for node, start in reader.makers() if start in both and start not in reader.reads]
    types = [*reader.body.dom, *(a for node in reader.body.nodes for a in node.cod)]
    costs = {start: again(node, [types[a] for a in node.args]) for node, start in shared}
    if not any(costs.values()):
        return []
    there, wires = set(writer.rows().values()), [start + k for node, start in shared for k in range(len(node.cod))]
    price = {w: kept(types[w]) * (1 if both[w] in there or both[w] in writer.saves else 2) for w in wires}
    for node, start in shared:
        if isinstance(node.op, Recompute):
            price |= {start + k: INFINITE for k in range(len(node.cod))}
    known = {w: 2 + i for i, w in enumerate([*range(len(reader.body.dom)), *wires])}
    computed = {start: 2 + len(known) + i for i, (_, start) in enumerate(shared)}
    edges = network(reader, shared, known, computed, costs, price)
    edges += [(known[w], 1, INFINITE) for w in wanted(reader, costs) if w in known]
    side = sink_side(2 + len(known) + len(computed), edges, 0, 1)
    return [start + k for node, start in shared for k in range(len(node.cod)) if known[start + k] in side and computed[start] not in side]


def network(reader: Looped, shared: Sequence[tuple[Node, int]], known: Wires, computed: Wires, costs: Wires, price: Wires) -> list[Edge]:
    """What it costs to compute, to keep, and to read what is there: cut edges are paid for."""
    held = reader.held
    edges = [(0, known[i], kept(reader.body.dom[i]) if i >= held else 0) for i in range(len(reader.body.dom))]
    for node, start in shared:
        edges.append((0, computed[start], costs[start]))
        edges += [(known[a], computed[start], INFINITE) for a in node.args if a in known]
        edges += [(computed[start], known[start + k], price[start + k]) for k in range(len(node.cod))]
    return edges


def wanted(reader: Looped, shared: Collection[int]) -> set[int]:
    """The wires that the reader's own nodes and its outputs read."""
    own = {a for node, start in reader.makers() if start not in shared and start not in reader.reads for a in node.args}
    return own | set(reader.body.outs)


def rebuilt(f: Diagram, loops: Mapping[int, Looped]) -> Diagram:
    """The program with every loop saving and reading what was chosen."""
    graph = Graph(f.dom)
    env, stacks, wire = list(range(len(f.dom))), dict[tuple[int, int], int](), len(f.dom)
    for node in f.nodes:
        args, loop = [env[a] for a in node.args], loops.get(wire)
        wire += len(node.cod)
        if loop is None:
            env.extend(graph.apply(node.op, tuple(args), node.cod, node.origin))
            continue
        extra = list(dict.fromkeys((writer.start, image) for writer, image in loop.reads.values()))
        body = changed(loop, extra)
        op = loop.op.replace(body=body)
        outs = graph.apply(op, (*args, *(stacks[e] for e in extra)), None, node.origin)
        ends = loop.op.carries + loop.given
        stacks |= {(loop.start, w): outs[ends + j] for j, w in enumerate(loop.saves)}
        env.extend([*outs[:ends], *outs[ends + len(loop.saves) :]])
    return Diagram.finish(graph, [env[o] for o in f.outs])


def changed(loop: Looped, extra: Sequence[tuple[int, int]]) -> Diagram:
    """The body with further inputs, which stand for what it reads, and with further outputs, which are saved."""
    f, places = loop.body, {e: len(loop.body.dom) + i for i, e in enumerate(extra)}
    read = {w: places[writer.start, image] for w, (writer, image) in loop.reads.items()}
    types = [*f.dom, *(a for node in f.nodes for a in node.cod)]
    atoms = {place: types[w] for w, place in read.items()}
    graph = Graph(f.dom @ Ty(tuple(atoms[place] for place in places.values())))
    env = list(range(len(f.dom)))
    for node, start in loop.makers():
        outs = graph.apply(node.op, tuple(env[a] for a in node.args), node.cod, node.origin)
        env.extend(read.get(start + k, w) for k, w in enumerate(outs))
    return Diagram.finish(graph, [env[w] for w in (*f.outs, *loop.saves)])


__all__ = ["saved"]
