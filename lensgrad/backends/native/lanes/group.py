"""The parts of a program that work row by row, gathered into one generator each, for lanes to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Graph, Node
from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.bridges import real
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Semiring

CLOSED = (z.Constant, z.Add, z.Mul, z.Gather, z.Scatter)  # what is computed once for all when it has no inputs
OPS = (z.Add, z.Mul, z.Gather, z.Scatter, z.Repeat, z.Collect, z.Count)
Wanted = Callable[[Diagram, Semiring], bool]  # whether a part is worth it


@generator
class Rows(Op):
    """A circuit with rows as one generator of a running program; with a dtype, its image on arrays of real numbers."""

    body: Diagram
    semiring: Semiring
    dtype: str = ""

    def image(self, ob: Ty) -> Ty:
        return real(ob, self.dtype) if self.dtype else ob

    def type(self, *dom: Any) -> Ty:
        if Ty(dom) != self.image(self.body.dom):
            raise TypeMismatch(f"rows expects {self.image(self.body.dom)}, got {Ty(dom)}")
        return self.image(self.body.cod)


def grouped(f: Diagram, wanted: Wanted) -> Diagram:
    """The same arrow, in which all generators that work row by row and could run at the same time are one `Rows`."""
    made = Grouping(shared_first(unfold(f)), wanted)
    return made.run() if any(made.kinds) else f


Kind = tuple[Semiring, int]  # what rows are made of, and how many there are


def rowed(node: Node, dom: Sequence[Any]) -> Kind | None:
    """What a node that works row by row works on; None for any other."""
    if not isinstance(node.op, OPS):
        return None
    atom = dom[0] if isinstance(node.op, z.Collect | z.Count) else node.cod[0]
    return None if atom.rows is None else (atom.semiring, atom.rows)


def shared_first(f: Diagram) -> Diagram:
    """What is equal in all rows is computed once and repeated after: Repeat ; gʳ = g ; Repeat."""
    graph = Graph(f.dom)
    env: list[tuple[int, z.Repeat | None]] = [(w, None) for w in range(len(f.dom))]  # a wire, and what is still to be done

    def done(wire: int, op: z.Repeat | None) -> int:
        return wire if op is None else graph.apply(op, (wire,))[0]

    for node in f.nodes:
        args = [env[a] for a in node.args]
        later = args[0][1] if args and None not in {op for _, op in args} else None
        if isinstance(node.op, z.Repeat) and args[0][1] is None:
            env.append((args[0][0], node.op))
        elif isinstance(node.op, OPS[:4]) and later is not None:
            env.append((graph.apply(node.op, tuple(w for w, _ in args), origin=node.origin)[0], later))
        else:
            made = graph.apply(node.op, tuple(done(*a) for a in args), node.cod, node.origin)
            env += [(w, None) for w in made]
    return Diagram.finish(graph, [done(*env[o]) for o in f.outs])


class Grouping:
    """The nodes of an arrow in stages: those outside, then the rows that they feed, and so on."""

    def __init__(self, f: Diagram, wanted: Wanted) -> None:
        self.f, self.wanted = f, wanted
        self.types: list[Any] = list(f.dom)
        self.maker: list[int] = [-1] * len(f.dom)
        self.starts: list[int] = []
        self.kinds: list[Kind | None] = []
        self.stages: list[int] = []
        self.closed: set[int] = set()  # the wires that no input reaches
        for k, node in enumerate(f.nodes):
            self.starts.append(len(self.types))
            self.kinds.append(rowed(node, [self.types[a] for a in node.args]))
            self.stages.append(max((self.ready(a, self.kinds[k]) for a in node.args), default=0))
            if isinstance(node.op, CLOSED) and self.kinds[k] is None and all(a in self.closed for a in node.args):
                self.closed.add(len(self.types))
            self.types += list(node.cod)
            self.maker += [k] * len(node.cod)

    def ready(self, wire: int, kind: Kind | None) -> int:
        """The stage in which a wire can be read: rows follow rows in their own stage, everything else comes in the next."""
        k = self.maker[wire]
        if k < 0 or self.kinds[k] is None:
            return 0 if k < 0 else self.stages[k]
        return self.stages[k] + (kind != self.kinds[k] or self.types[wire].rows is None)

    def run(self) -> Diagram:
        graph = Graph(self.f.dom)
        env: dict[int, int] = {w: w for w in range(len(self.f.dom))}
        parts: dict[int | tuple[int, Kind], list[int]] = {}
        for k in sorted(range(len(self.f.nodes)), key=lambda k: (self.stages[k], self.kinds[k] is not None, k)):
            kind = self.kinds[k]
            parts.setdefault(k if kind is None else (self.stages[k], kind), []).append(k)
        for key, nodes in parts.items():
            if isinstance(key, tuple):
                self.part(graph, env, nodes, key[1][0])
            else:
                self.single(graph, env, key)
        return Diagram.finish(graph, [env[o] for o in self.f.outs])

    def single(self, graph: Graph, env: dict[int, int], k: int) -> None:
        node, start = self.f.nodes[k], self.starts[k]
        made = graph.apply(node.op, tuple(env[a] for a in node.args), node.cod, node.origin)
        env.update((start + i, w) for i, w in enumerate(made))

    def part(self, graph: Graph, env: dict[int, int], nodes: Sequence[int], semiring: Semiring) -> None:
        """All rows of a stage as one generator, if that is wanted."""
        body, reads, gives = self.body(nodes)
        if not self.wanted(body, semiring):
            for k in nodes:
                self.single(graph, env, k)
            return
        made = graph.apply(Rows(body, semiring), tuple(env[w] for w in reads))
        env.update(zip(gives, made, strict=True))

    def body(self, nodes: Sequence[int]) -> tuple[Diagram, list[int], list[int]]:
        """These nodes as an arrow of their own, with the wires that it reads and gives. Constants are inside it."""
        own = {self.starts[k] for k in nodes}
        needed = self.constants([a for k in nodes for a in self.f.nodes[k].args])
        reads = sorted({a for k in nodes for a in self.f.nodes[k].args if a not in own and a not in self.closed})
        within = set(nodes)
        outside = {a for k, n in enumerate(self.f.nodes) if k not in within for a in n.args} | set(self.f.outs)
        gives = sorted(own & outside)
        graph = Graph(Ty(tuple(self.types[w] for w in reads)))
        env = {w: i for i, w in enumerate(reads)}
        for k in [*needed, *nodes]:
            self.single(graph, env, k)
        return Diagram.finish(graph, [env[w] for w in gives]), reads, gives

    def constants(self, wires: Sequence[int]) -> list[int]:
        """The nodes that make the wires that no input reaches."""
        found: set[int] = set()
        todo = [w for w in wires if w in self.closed]
        while todo:
            k = self.maker[todo.pop()]
            if k not in found:
                found.add(k)
                todo += self.f.nodes[k].args
        return sorted(found)
