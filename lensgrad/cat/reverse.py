"""The reverse derivative R, as a fold; and forward, Hessian and vector products derived from it (arXiv 1910.07065)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.cat.structure import change, changes
from lensgrad.core.checks import shown
from lensgrad.core.diagram import Diagram, Family, flatten
from lensgrad.core.errors import NoRule, TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.core.graph import BACK, Graph, Node, Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty


def R(f: Diagram) -> Diagram:
    """R[f] : A × ΔB → ΔA for f : A → B, the reverse derivative (arXiv 1910.07065, Definition 13).

    In Smooth, (x, v) ↦ J[f](x)ᵀ v; over a semiring, the formal derivative. Definitions are unfolded first. Raises
    `NoRule` naming a generator that has no reverse rule and stands between input and output.
    """
    f = plain("R", f)
    return reverse(f, [True] * len(f.dom), [True] * len(f.cod))


def plain(what: str, f: Any) -> Diagram:
    """A plain arrow; an error that says where to go with a parametric one, a family, or anything else."""
    if isinstance(f, Diagram):
        return f
    of_model = ": that of a model is lens(model)" if hasattr(f, "params") else ""
    hint = ": give it its object first, with .at(…)" if isinstance(f, Family) else of_model
    raise TypeMismatch(f"{what} needs an arrow without parameters, got {shown(f)}{hint}")


def reverse(f: Diagram, into: Sequence[bool], seeded: Sequence[bool]) -> Diagram:
    """R[f] for the chosen inputs only, with zero cotangent at the outputs that are not `seeded`.

    Type: A × ΔB₁ → ΔA₁ where B₁ are the seeded outputs and A₁ the inputs chosen by `into`.
    """
    sums, chosen = swept(f, into, seeded)
    return trace_out(sums.graph, [sums.at(i) for i in chosen])


def swept(f: Diagram, into: Sequence[bool], seeded: Sequence[bool]) -> tuple[Cotangents, list[int]]:
    """The cotangent of every wire of f on the way to the chosen inputs, in a graph that begins as f does; and the chosen inputs."""
    f = unfold(f)
    chosen = [i for i, (a, yes) in enumerate(zip(f.dom, into, strict=True)) if yes and change(a) is not None]
    seeds = [o for o, a, yes in zip(f.outs, f.cod, seeded, strict=True) if yes and change(a) is not None]
    deltas = changes(Ty(tuple(a for a, yes in zip(f.cod, seeded, strict=True) if yes)))
    graph = Graph(f.dom @ deltas)
    env = list(range(len(f.dom)))
    for node in f.nodes:
        env.extend(graph.apply(node.op, tuple([env[a] for a in node.args]), node.cod, node.origin))
    sums = Cotangents(graph, env)
    for k, out in enumerate(seeds):
        sums.add(out, Wire(graph, len(f.dom) + k))
    _sweep(f, sums, chosen)
    return sums, chosen


class Cotangents:
    """The cotangent that has reached each wire so far; nothing stored means zero.

    `env` are the wires of f in the graph, and `through` the node of f, by number, that each node on the way back goes back through.
    """

    def __init__(self, graph: Graph, env: list[int]) -> None:
        self.graph = graph
        self.env = env
        self.values: dict[int, Any] = {}
        self.through: dict[int, int] = {}

    def add(self, wire: int, value: Any) -> None:
        self.values[wire] = self.values[wire] + value if wire in self.values else value

    def at(self, wire: int) -> Any:
        return self.values[wire] if wire in self.values else self.atom(wire).zero()

    def atom(self, wire: int) -> Any:
        return self.graph.types[self.env[wire]]


def _sweep(f: Diagram, sums: Cotangents, chosen: Sequence[int]) -> None:
    """Walk the nodes backwards, giving each argument what its rule returns; skip what no chosen input reaches."""
    active, starts = _active(f, chosen)
    for number, (node, start) in enumerate(zip(reversed(f.nodes), reversed(starts), strict=True), 1):
        outs = range(start, start + len(node.cod))
        if not any(o in sums.values for o in outs) or not any(a in active for a in node.args):
            continue
        dys = [sums.at(o) for o in outs if change(sums.atom(o)) is not None]
        before = len(sums.graph.nodes)
        xs, sums.graph.here = sums.graph.wires([sums.env[a] for a in node.args]), (BACK, *node.origin)
        for arg, dx in zip(node.args, pull(node, xs, dys), strict=True):
            if dx is not None and arg in active:
                sums.add(arg, dx)
        sums.through.update(dict.fromkeys(range(before, len(sums.graph.nodes)), len(f.nodes) - number))


def _active(f: Diagram, chosen: Sequence[int]) -> tuple[set[int], list[int]]:
    active, starts, wire = set(chosen), list[int](), len(f.dom)
    for node in f.nodes:
        starts.append(wire)
        if any(a in active for a in node.args):
            active.update(wire + k for k, a in enumerate(node.cod) if change(a) is not None)
        wire += len(node.cod)
    return active, starts


def pull(node: Node, xs: Sequence[Wire], dys: Sequence[Any]) -> list[Any]:
    """The cotangents of a node's inputs: from its adjoint, its own rule, or R of the arrow inside it.

    One entry per input; None where the input has no changes or its cotangent is zero.
    """
    op: Any = node.op
    if hasattr(op, "adjoint"):
        given = flatten(op.adjoint(*(x.atom for x in xs))(*dys))
    elif hasattr(op, "reverse_through"):
        given = flatten(op.reverse_through(R)(*xs, *dys))
    elif hasattr(op, "reverse"):
        answer: Any = op.reverse(*xs, *dys)
        return [*answer] if type(answer) is tuple else [answer]
    else:
        where = f" in {'/'.join(node.origin)}" if node.origin else ""
        raise NoRule(
            f"{op.name}{where} has no reverse derivative, and a gradient has to pass through it: give class {type(op).__name__} "
            "a method `reverse` (or `adjoint` if it is linear), or keep weights out of its inputs"
        )
    back = iter(given)
    return [None if change(x.atom) is None else next(back) for x in xs]


def trace_out(graph: Graph, wires: Sequence[Any]) -> Diagram:
    """Finish a graph at these wires, importing points."""
    from lensgrad.core.trace import returned

    return Diagram.finish(graph, returned(graph, list(wires), "R"))


def vjp(f: Diagram) -> Diagram:
    """A × ΔB → ΔA, the vector-Jacobian product: another name of R."""
    return R(f)


def jvp(f: Diagram) -> Diagram:
    """A × ΔA → ΔB, the Jacobian-vector product, from R alone: D[f](a, v) = π₁ R[R[f]]((a, 0), v) (arXiv 1910.07065)."""
    pulled = R(plain("jvp", f))
    n = len(f.dom)
    into = [i >= n for i in range(len(pulled.dom))]
    twice = reverse(pulled, into, [True] * len(pulled.cod))
    zeros = [c.zero() for c in changes(f.cod)]

    def body(*wires: Wire) -> Any:
        return twice(*wires[:n], *zeros, *wires[n:])

    return trace(body, *(Ty((a,)) for a in f.dom @ changes(f.dom)))


def grad(f: Diagram) -> Diagram:
    """A → ΔA, the gradient of f : A → ℝ (or of f with several scalar outputs: of their sum)."""
    for atom in plain("grad", f).cod:
        if change(atom) is None or not hasattr(atom, "one"):
            raise TypeMismatch(f"the gradient is of a scalar, and this arrow gives {f.cod}: sum or average it first")
    ones = [atom.one() for atom in f.cod]
    back = R(f)

    def body(*wires: Wire) -> Any:
        return back(*wires, *ones)

    return trace(body, *(Ty((a,)) for a in f.dom))


def hvp(f: Diagram) -> Diagram:
    """A × ΔA → ΔA, the Hessian-vector product (a, v) ↦ R[∇f](a, v); symmetric by RD.7."""
    return R(grad(f))
