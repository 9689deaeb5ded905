"""The question whether two circuits differ, as clauses that any SAT solver reads.

Variable 1 is true. Then come the inputs of the left circuit, the ANDs of the left, of the right and of the care set, in
file order, and one variable for each output, in the order of the left. An AND v of a and b has the clauses (¬v a), (¬v b),
(v ¬a ¬b); an output's variable d has (¬d l r), (¬d ¬l ¬r); the last clause says that some d holds, and with a care set one
more says that its output does. `checker` builds the same clauses from the files, by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lensgrad.circuits.gates.circuit import Circuit, numbered
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
        places("input", self.left.inputs, self.right.inputs, "i")
        places("output", self.left.outputs, self.right.outputs, "o")
        if self.care is not None:
            places("input", self.left.inputs, self.care.inputs, "i")
            if len(self.care.outputs) != 1:
                raise BadValue(f"a care set has one output, which is 1 where inputs count, and this one has {len(self.care.outputs)}")

    def clauses(self) -> Clauses:
        """The clauses that can be satisfied exactly where the circuits differ."""
        n = len(self.left.inputs)
        clauses: Clauses = [[1]]
        inputs = [1, *range(2, n + 2)]
        left, top = encoded(self.left, inputs, n + 2, clauses)
        right, top = encoded(self.right, self.at(inputs, self.right), top, clauses)
        care, top = ([], top) if self.care is None else encoded(self.care, self.at(inputs, self.care), top, clauses)
        order = places("output", self.left.outputs, self.right.outputs, "o")
        for k, a in enumerate(left):
            clauses += [[-(top + k), a, right[order[k]]], [-(top + k), -a, -right[order[k]]]]
        clauses.append([top + k for k in range(len(left))])
        return clauses + [[c] for c in care]

    def at(self, inputs: Sequence[int], circuit: Circuit) -> list[int]:
        """The variables of the left inputs, in the order of another circuit's."""
        back = places("input", circuit.inputs, self.left.inputs, "i")
        return [1, *(inputs[1 + k] for k in back)]


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


def encoded(circuit: Circuit, inputs: Sequence[int], top: int, clauses: Clauses) -> tuple[list[int], int]:
    """The clauses of every AND; the literals of the outputs, and the next variable that is free."""
    env = [-1, *inputs[1:], *range(top, top + circuit.size)]

    def literal(x: int) -> int:
        return -env[x >> 1] if x & 1 else env[x >> 1]

    for k, (a, b) in enumerate(circuit.ands.tolist()):
        x, y, v = literal(a), literal(b), top + k
        clauses += [[-v, x], [-v, y], [v, -x, -y]]
    return [literal(r) for r in circuit.roots.tolist()], top + circuit.size
