"""The question whether two circuits differ, as clauses that any SAT solver reads.

Variable 1 is true. Then come the inputs of the left circuit, the ANDs of the left, of the right and of the care set, in
file order, and one variable for each output, in the order of the left. An AND v of a and b has the clauses (¬v a), (¬v b),
(v ¬a ¬b); an output's variable d has (¬d l r), (¬d ¬l ¬r); the last clause says that some d holds, and with a care set one
more says that its output does. `checker` builds the same clauses from the files, by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lensgrad.circuits.gates.circuit import Circuit, given_circuit, numbered
from lensgrad.core.checks import instance
from lensgrad.core.errors import BadValue, listed

Clauses = list[list[int]]


@dataclass(frozen=True)
class Question:
    """Do two circuits agree where a third is 1? `about` says what that stands for."""

    left: Circuit
    right: Circuit
    care: Circuit | None = None
    about: str = "the two circuits are equal"

    def __post_init__(self) -> None:
        for what, side in (("the left circuit", self.left), ("the right circuit", self.right)):
            given_circuit(what, side)
        instance("what a question is about", self.about, str, "text")
        places("input", self.left.inputs, self.right.inputs, "i")
        places("output", self.left.outputs, self.right.outputs, "o")
        if self.care is not None:
            places("input", self.left.inputs, given_circuit("a care set", self.care).inputs, "i")
            if len(self.care.outputs) != 1:
                raise BadValue(f"a care set has one output, which is 1 where inputs count, and this one has {len(self.care.outputs)}")

    def gates(self) -> list[tuple[int, int, int]]:
        """The ANDs of both sides: a variable, and two literals."""
        return [gate for _, gates in self.parts()[:2] for gate in gates]

    def counts(self) -> tuple[list[tuple[int, int, int]], int] | None:
        """The ANDs of the care set, and its literal."""
        return None if self.care is None else (self.parts()[2][1], self.parts()[2][0][0])

    def parts(self) -> list[tuple[list[int], list[tuple[int, int, int]]]]:
        """Of each circuit the literals of its outputs, and its ANDs."""
        top, found = len(self.left.inputs) + 2, list[tuple[list[int], list[tuple[int, int, int]]]]()
        for circuit in (self.left, self.right, *([] if self.care is None else [self.care])):
            found.append(encoded(circuit, self.at(circuit), top))
            top += circuit.size
        return found

    def ends(self) -> list[End]:
        """The pairs of outputs."""
        (left, _), (right, _), *_ = parts = self.parts()
        order = places("output", self.left.outputs, self.right.outputs, "o")
        top = len(self.left.inputs) + 2 + sum(len(gates) for _, gates in parts)
        return [End(top + k, a, right[order[k]]) for k, a in enumerate(left)]

    def clauses(self) -> Clauses:
        """The clauses that can be satisfied exactly where the circuits differ."""
        ends, (care, literal) = self.ends(), self.counts() or ([], None)
        clauses = [[1], *(c for v, x, y in (*self.gates(), *care) for c in ([-v, x], [-v, y], [v, -x, -y]))]
        clauses += [c for d, a, b in ends for c in ([-d, a, b], [-d, -a, -b])]
        return [*clauses, [d for d, _, _ in ends], *([] if literal is None else [[literal]])]

    def at(self, circuit: Circuit) -> list[int]:
        """The variables of a circuit's inputs, which are those of the left by name, after the one that is true."""
        back = places("input", circuit.inputs, self.left.inputs, "i")
        return [1, *(2 + k for k in back)]


class End(NamedTuple):
    """A variable that says that an output differs, and the output's literals on both sides."""

    differs: int
    left: int
    right: int


def places(what: str, ours: Sequence[str], theirs: Sequence[str], letter: str) -> list[int]:
    """Where each of our names is among theirs: by name, or by number where one side has no names."""
    if len(ours) == len(theirs) and set(ours) == set(theirs):
        return [theirs.index(name) for name in ours]
    if len(ours) == len(theirs) and numbered(letter, len(ours)) in (tuple(ours), tuple(theirs)):
        return list(range(len(ours)))
    if len(ours) != len(theirs):
        raise BadValue(f"circuits are compared when they have the same {what}s, and these have {len(ours)} and {len(theirs)}")
    alone = [[n for n in a if n not in b] for a, b in ((ours, theirs), (theirs, ours))]
    told = " and ".join(f"{listed(names[:3])}{' …' * (len(names) > 3)}" for names in alone)
    raise BadValue(f"circuits are compared when they have the same {what}s, and only one of these has {told}: rename them")


def encoded(circuit: Circuit, inputs: Sequence[int], top: int) -> tuple[list[int], list[tuple[int, int, int]]]:
    """The literals of the outputs, and each AND as a variable and two literals."""
    env = [-1, *inputs[1:], *range(top, top + circuit.size)]

    def literal(x: int) -> int:
        return -env[x >> 1] if x & 1 else env[x >> 1]

    gates = [(top + k, literal(a), literal(b)) for k, (a, b) in enumerate(circuit.ands.tolist())]
    return [literal(r) for r in circuit.roots.tolist()], gates
