"""What each part of a model costs on one example: forward, backward to its weights, and what backward reads of forward."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lensgrad.backends.numpy import nbytes
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.cat.reverse import reverse
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import LensgradError
from lensgrad.core.functor import unfold
from lensgrad.core.graph import BACK, Node
from lensgrad.core.ty import Ty
from lensgrad.program.costs import each_node, flops
from lensgrad.program.liveness import kept

UNITS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))
PLAIN = 10_000_000  # numbers below it are written out


@dataclass(frozen=True, slots=True)
class Cost:
    """Operations forward and backward, and bytes kept; `backward` is None where there is no way back."""

    forward: int
    backward: int | None
    kept: int

    @property
    def told(self) -> tuple[str, str, str]:
        """As cells of a table: empty for nothing."""
        back = "none" if self.backward is None else amount(self.backward)
        return cell(amount(self.forward)), cell(back), cell(amount(self.kept))


def cell(text: str) -> str:
    return "" if text == "0" else text


def amount(n: int) -> str:
    """A number as people read it: whole up to ten millions, then with three digits and a unit, as in 1.23 G."""
    size, unit = next(((s, u) for s, u in UNITS if n >= max(s, PLAIN)), (1, ""))
    return f"{n / size:.3g} {unit}" if unit else f"{n:,}"


def added(costs: Iterable[Cost]) -> Cost:
    """The cost of several parts; backward without those that have no way back."""
    every = [*costs]
    return Cost(sum(c.forward for c in every), sum(c.backward or 0 for c in every), sum(c.kept for c in every))


def layer_costs(model: Para) -> list[Cost]:
    """The cost of each node of a model on one example: a layer is one."""
    f: Diagram = model.arrow
    learned = [p.role is Role.WEIGHT for p in model.params for _ in p.ob] + [False] * len(model.dom)
    active, wanted = reached(f, learned), needed(f, f.outs[: len(model.cod)])
    types, counted, found, wire = list(f.dom), set(range(len(f.dom))), list[Cost](), len(f.dom)
    for node in f.nodes:
        outs = range(wire, wire + len(node.cod))
        into, seeded = [a in active for a in node.args], [o in wanted for o in outs]
        cost, read = of_node(node, Ty(tuple(types[a] for a in node.args)), into, seeded)
        fresh = {node.args[k] for k in read} - counted
        counted |= fresh
        found.append(Cost(cost.forward, cost.backward, cost.kept + sum(nbytes(types[a]) for a in fresh)))
        types += node.cod.atoms
        wire += len(node.cod)
    return found


def reached(f: Diagram, learned: Sequence[bool]) -> set[int]:
    """The wires that weights reach and that can change."""
    active, wire = {i for i, yes in enumerate(learned) if yes and change(f.dom[i]) is not None}, len(f.dom)
    for node in f.nodes:
        if any(a in active for a in node.args):
            active.update(wire + k for k, atom in enumerate(node.cod) if change(atom) is not None)
        wire += len(node.cod)
    return active


def needed(f: Diagram, outs: Sequence[int]) -> set[int]:
    """The wires that these outputs need, and these themselves."""
    found, wire = set(outs), len(f.dom) + sum(len(n.cod) for n in f.nodes)
    for node in reversed(f.nodes):
        wire -= len(node.cod)
        if any(wire + k in found for k in range(len(node.cod))):
            found.update(node.args)
    return found


def of_node(node: Node, dom: Ty, into: Sequence[bool], seeded: Sequence[bool]) -> tuple[Cost, list[int]]:
    """The cost of one node, without what it keeps of its arguments; and which arguments, by number, its way back reads."""
    f = unfold(Diagram.of(node.op, dom))  # pyright: ignore[reportArgumentType]
    forward = flops(f)
    if not any(into) or not any(seeded):
        return Cost(forward, 0, 0), []
    try:
        whole = reverse(f, into, seeded)
    except LensgradError:  # a table is printed of every model, also of one that cannot learn
        return Cost(forward, None, 0), []
    back = [n.origin[:1] == (BACK,) for n in whole.nodes]
    made = [*map(nbytes, whole.dom), *(nbytes(a) for n in whole.nodes for a in n.cod)]
    inner = sum(made[w] for w in kept(whole, back))
    read = {a for n, late in zip(whole.nodes, back, strict=True) if late for a in n.args if a < len(dom)}
    return Cost(forward, sum(c for c, late in zip(each_node(whole), back, strict=True) if late), inner), sorted(read)


__all__ = ["Cost", "added", "amount", "layer_costs"]
