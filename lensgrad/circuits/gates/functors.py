"""Functors between polynomial circuits over two elements and gates: one rule for each generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lensgrad.cat.para import Para
from lensgrad.circuits.gates.circuit import Builder, Circuit, given_circuit, names_for
from lensgrad.circuits.gates.functions import zeros_and_ones
from lensgrad.core.checks import instance
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import BadValue, NoRule, listed
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Generator, Node
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import LOGIC, Z2

Literals = list[int]


def to_gates(
    f: Any, weights: Mapping[str, Any] | None = None, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None
) -> Circuit:
    """An arrow over Z2 or OR/AND as gates : (Sᵃ ⊗ … → Sᵇ ⊗ …) → (𝔹ⁿ → 𝔹ᵐ); + is XOR or OR, × is AND.

    A parametric arrow is taken at `weights`, by name. `inputs` and `outputs` name the bits, wire after wire.
    """
    if weights is not None:
        instance("weights", weights, Mapping, "a dict of bits by name")
    arrow, given = closed(f, {} if weights is None else weights)
    n = sum(width(a) for a in arrow.dom.atoms[len(given) :])
    m = sum(width(a) for a in arrow.cod)
    made, outputs = Builder(names_for("input", inputs, "i", n)), names_for("output", outputs, "o", m)
    free = split(made.literals, [width(a) for a in arrow.dom.atoms[len(given) :]])
    return made.finish(outputs, [x for wire in image(made, arrow, [*given, *free]) for x in wire])


def closed(f: Any, weights: Mapping[str, Any]) -> tuple[Diagram, list[Literals]]:
    """The arrow of a model and the bits of its parameters, which are constants from here on."""
    if not isinstance(f, Para):
        return instance("what becomes gates", f, Diagram, "an arrow or a model over two elements, such as lg.circuits.parity(3)"), []
    names = list(f.names)
    if set(weights) != set(names):
        raise BadValue(f"this circuit has the parameters {listed(names)}, and values were given for {listed(list(map(str, weights)))}")
    wires = [a for p in f.params for a in p.ob]
    return f.arrow, [bits_of(name, weights[name], width(a)) for name, a in zip(names, wires, strict=True)]


def bits_of(name: str, value: Any, size: int) -> Literals:
    found = zeros_and_ones(f"'{name}'", value).reshape(-1)
    if len(found) != size:
        raise BadValue(f"'{name}' has {size} bits, 0 or 1, got {len(found)} entries")
    return found.tolist()


def width(atom: Any) -> int:
    rows = getattr(atom, "rows", None) is not None
    if not isinstance(atom, z.Vector) or atom.semiring not in (Z2, LOGIC) or rows:
        fix = ": gates are for one example, so export the arrow that was batched" if rows else ""
        raise NoRule(f"gates carry bits of {Z2} or {LOGIC} without rows, and a wire has type {atom}{fix}")
    return atom.size


def split(row: Sequence[int], widths: Sequence[int]) -> list[Literals]:
    """A row of literals cut into wires."""
    ends = [0]
    for w in widths:
        ends.append(ends[-1] + w)
    return [list(row[a:b]) for a, b in pairwise(ends)]


def image(made: Builder, f: Diagram, wires: list[Literals]) -> list[Literals]:
    def rule(node: Node, args: list[Literals]) -> Sequence[Literals]:
        if isinstance(node.op, Recompute):
            return image(made, node.op.body, args)
        found = RULES.get(type(node.op))
        if found is None:
            raise NoRule(f"'{node.op.name}' has no rule for gates: circuits of {listed([o.__name__ for o in RULES])} have")
        return [found(made, node, *args)]

    for atom in (*f.dom, *f.cod):
        width(atom)
    return fold(unfold(f), wires, rule)


def add(made: Builder, node: Node, x: Literals, y: Literals) -> Literals:
    return [summed(made, node, pair) for pair in zip(x, y, strict=True)]


def summed(made: Builder, node: Node, literals: Sequence[int]) -> int:
    """A sum in the semiring of the node: XOR over Z2, OR over OR/AND."""
    if node.cod[0].semiring == LOGIC:
        return made.any(literals)
    return made.sum(literals)


def multiply(made: Builder, node: Node, x: Literals, y: Literals) -> Literals:
    return [made.conj(a, b) for a, b in zip(x, y, strict=True)]


def constant(made: Builder, node: Node) -> Literals:
    op: Any = node.op  # a rule is called for its generator only
    return list(op.values.entries)


def gather(made: Builder, node: Node, x: Literals) -> Literals:
    op: Any = node.op
    return [x[i] for i in op.table.entries]


def scatter(made: Builder, node: Node, x: Literals) -> Literals:
    op: Any = node.op
    groups: list[Literals] = [[] for _ in range(op.size)]
    places: Sequence[int] = op.table.entries
    for literal, place in zip(x, places, strict=True):
        groups[place].append(literal)
    return [summed(made, node, g) for g in groups]


RULES: dict[type[Generator], Callable[..., Literals]] = {
    z.Constant: constant,
    z.Add: add,
    z.Mul: multiply,
    z.Gather: gather,
    z.Scatter: scatter,
}


def to_diagram(circuit: Circuit) -> Diagram:
    """Gates as an arrow Z2ⁿ → Z2ᵐ: a NOT is 1 + x, the ANDs of one level are one ×. `to_gates` of it is `circuit.tidy()`."""
    levels, circuit = dict[int, list[int]](), given_circuit("what becomes an arrow", circuit)
    first = 1 + len(circuit.inputs)
    for v in range(first, circuit.variables):
        levels.setdefault(circuit.levels[v], []).append(v)

    def body(x: Any) -> Any:
        state = z.scatter(x, range(1, first), circuit.variables)
        for _, gates in sorted(levels.items()):
            pairs = circuit.ands[[v - first for v in gates]]
            state = state + z.scatter(signed(state, pairs[:, 0]) * signed(state, pairs[:, 1]), gates, circuit.variables)
        return signed(state, circuit.roots)

    return trace(body, Ty((z.Vector(Z2, len(circuit.inputs)),)))


def signed(state: Any, literals: Any) -> Any:
    """The values of literals, where `state` holds those of variables."""
    signs = z.Constant(Z2, z.Table((literals & 1).tolist()))()
    return z.gather(state, (literals >> 1).tolist()) + signs
