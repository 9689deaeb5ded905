"""Nets of circuits: gates as people draw them, found in a graph of ANDs and inverters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from lensgrad.draw.net import End, Net, Step, typed

BIT = "bit"
AND, OR, XOR, NOT = "∧", "∨", "⊕", "¬"
Gate = tuple[str, tuple[int, ...]]  # its sign, and the literals that it reads


@runtime_checkable
class Gates(Protocol):
    """A circuit: literal 2v is variable v and 2v + 1 its negation; 0 is false, then come the inputs, then the ANDs."""

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def outputs(self) -> tuple[str, ...]: ...

    @property
    def pairs(self) -> Sequence[Sequence[int]]: ...

    @property
    def literals(self) -> Sequence[int]: ...


def gate(literal: int, inputs: int, pairs: Sequence[Sequence[int]]) -> Gate:
    """The gate that gives a literal: ∧, or ⊕, ∨ and ¬ where a negation makes one of them."""
    v, negated = literal >> 1, bool(literal & 1)
    if v == 0:
        return str(int(negated)), ()
    if v <= inputs:
        return NOT, (literal ^ 1,)
    a, b = pairs[v - 1 - inputs]
    both = exclusive(a, b, inputs, pairs)
    if both is not None:
        flipped = (both[0] ^ both[1] ^ literal) & 1
        return (NOT, (literal ^ 1,)) if flipped else (XOR, (both[0] & ~1, both[1] & ~1))
    if not negated:
        return AND, (a, b)
    return (OR, (a ^ 1, b ^ 1)) if a & b & 1 else (NOT, (literal ^ 1,))


def exclusive(a: int, b: int, inputs: int, pairs: Sequence[Sequence[int]]) -> tuple[int, int] | None:
    """x and y where the AND of a and b is ¬(x ∧ y) ∧ ¬(¬x ∧ ¬y), which is x ⊕ y."""
    if not a & b & 1 or min(a >> 1, b >> 1) <= inputs:
        return None
    first, second = (pairs[(c >> 1) - 1 - inputs] for c in (a, b))
    x, y = first
    return (x, y) if {x ^ 1, y ^ 1} == set(second) else None


def gates_net(circuit: Gates) -> Net:
    """The net of a circuit, with what its outputs need only."""
    inputs, pairs = len(circuit.inputs), circuit.pairs
    wires = {2 * (i + 1): i for i in range(inputs)}
    steps, stack = list[Step](), [x for x in reversed(circuit.literals)]
    while stack:
        literal = stack[-1]
        sign, args = ("", ()) if literal in wires else gate(literal, inputs, pairs)
        missing = [a for a in args if a not in wires]
        stack.extend(reversed(missing))
        if not missing:
            stack.pop()
            if sign:
                wires[literal] = inputs + len(steps)
                steps.append(Step(sign, tuple(sorted(wires[a] for a in args)), (wires[literal],)))  # as inputs are in order
    lines = tuple(typed(BIT) for _ in range(inputs + len(steps)))
    entries = tuple(End(name, "input", i) for i, name in enumerate(circuit.inputs))
    exits = tuple(End(name, "output", wires[x]) for name, x in zip(circuit.outputs, circuit.literals, strict=True))
    return Net(lines, entries, tuple(steps), exits)
