"""SAT sweeping: which wires of circuits are always equal, proved one by one from the inputs up, each with the proofs of those below.

Wires with equal values on random rows are candidates (Kuehlmann 2004; Mishchenko et al. 2005, fraigs). A candidate is asked of a solver of
its own, of few clauses; what it learned, and then the equality, are steps of one DRAT proof, after which the wire is read as the first that
equals it. A row at which two candidates differ is a row for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

Pair = tuple[int, int]
Gate = tuple[int, int, int]  # a variable and the two literals of its AND, with signs as in DIMACS
ROWS = 1024  # at random, to begin with
DENSITIES = (1, 2, 3)  # of the ones among them: words joined by AND and by OR
NEAR = 15  # rows beside each counter-example, at random places
MODELS = 256  # rows of a care set, to begin with
WINDOWS = (60, 3000)  # gates that a question is asked about: those next to the wires first
CONFLICTS = 1000  # after which a candidate is left alone
TRUE = 1  # the variable that is true


@dataclass(frozen=True)
class Answer:
    """Whether two literals are equal (None: not known), what the solver learned, and a row at which they differ."""

    equal: bool | None
    learned: tuple[str, ...] = ()
    row: dict[int, int] | None = None


class Sweep:
    """Equal wires of gates over inputs 2 … n + 1, in `same`, and the steps that prove them, in `steps`.

    With `care`, gates of its own and the literal that is true where inputs count, wires are equal on these.
    """

    def __init__(self, inputs: int, gates: Iterable[Gate], engine: Any, care: tuple[Sequence[Gate], int] | None = None) -> None:
        self.engine, self.draw = engine, Random(0)
        self.inputs = range(2, inputs + 2)
        self.gates = list(gates)
        self.same: dict[int, int] = {v: v for v in (TRUE, *self.inputs)}
        self.reduced: dict[int, Pair] = {}
        self.shared: dict[Pair, int] = {}
        self.steps: list[str] = []
        self.values: dict[int, int] = {}
        self.rows, self.classes = 0, dict[int, int]()
        self.fixed = [] if care is None else [*encoded(care[0]), [care[1]]]
        if care is None:
            self.simulate({v: random_word(self.draw) for v in self.inputs}, ROWS)
        else:
            self.simulate(*self.counting())

    # -- rows ----------------------------------------------------------------------------------------------------------

    def simulate(self, words: dict[int, int], count: int) -> None:
        """More rows: the values of every wire there, and classes anew."""
        ones = (1 << count) - 1
        found = {TRUE: ones, **words}
        for v, x, y in self.gates:
            a = found[x] if x > 0 else ~found[-x]
            b = found[y] if y > 0 else ~found[-y]
            found[v] = a & b & ones
        self.values = {v: self.values.get(v, 0) << count | word for v, word in found.items()}
        self.rows += count
        self.classes = dict[int, int]()
        for v in (TRUE, *self.inputs, *self.reduced):
            self.classes.setdefault(self.key(v), v)

    def counting(self) -> tuple[dict[int, int], int]:
        """Rows of the care set, as a solver finds them that begins at random values."""
        words, count = dict.fromkeys(self.inputs, 0), 0
        local = Local([[TRUE], *self.fixed], self.inputs)
        with self.engine(name="glucose4", bootstrap_with=local.clauses) as solver:
            for _ in range(MODELS):
                solver.set_phases([k if self.draw.getrandbits(1) else -k for k in local.number.values()])
                if not solver.solve():
                    break
                model, count = solver.get_model(), count + 1
                words = {v: word << 1 | (model[local.number[v] - 1] > 0) for v, word in words.items()}
        return words, count

    def key(self, v: int) -> int:
        """The values of a wire, or of its negation if the last is 1: equal or opposite wires have one key."""
        value = self.values[v]
        return value ^ ((1 << self.rows) - 1) if value & 1 else value

    def agreeing(self, v: int) -> int | None:
        """A literal that had the values of a wire so far."""
        first = self.classes.get(self.key(v))
        return None if first is None or first == v else first if self.values[first] & 1 == self.values[v] & 1 else -first

    def differ(self, row: dict[int, int]) -> None:
        """Take up a row at which candidates differ, and rows near it where all count."""
        if self.fixed:
            return self.simulate({v: row[v] if v in row else self.draw.getrandbits(1) for v in self.inputs}, 1)
        words = dict[int, int]()
        for v in self.inputs:
            noise = self.draw.getrandbits(NEAR) & self.draw.getrandbits(NEAR) & self.draw.getrandbits(NEAR)
            bit = row[v] if v in row else self.draw.getrandbits(1)
            words[v] = (-bit & ((1 << NEAR + 1) - 1)) ^ noise << 1
        return self.simulate(words, NEAR + 1)

    # -- wires ---------------------------------------------------------------------------------------------------------

    def run(self, goes_on: Callable[[], bool]) -> Sweep:
        """Go through the gates; where the time is over the others are only read by what is known."""
        for gate in self.gates:
            self.take(gate, goes_on)
        return self

    def take(self, gate: Gate, goes_on: Callable[[], bool]) -> None:
        v, x, y = gate
        a, b = self.read(x), self.read(y)
        self.rewrite(v, (x, y), (a, b))
        found = folded(a, b) or self.shared.get((min(a, b), max(a, b)))
        if found is None:
            self.reduced[v], self.same[v] = (a, b), v
            found = self.searched(v, goes_on)
        if found is None:
            self.shared[min(a, b), max(a, b)] = v
            self.classes.setdefault(self.key(v), v)
            return
        self.reduced.pop(v, None)
        self.equate(v, found)
        self.forget(v, {(x, y), (a, b)})

    def read(self, literal: int) -> int:
        """The first literal that equals one."""
        return self.same[literal] if literal > 0 else -self.same[-literal]

    def rewrite(self, v: int, old: Pair, new: Pair) -> None:
        """The clauses of an AND, of the literals that its arguments equal."""
        if old != new:
            a, b = new
            self.steps += [clause(-v, a), clause(-v, b), clause(v, -a, -b)]

    def searched(self, v: int, goes_on: Callable[[], bool]) -> int | None:
        """A literal that equals a wire, asked of solvers."""
        while (other := self.agreeing(v)) is not None and goes_on():
            answer = self.ask(v, other)
            if answer.equal:
                self.steps += answer.learned
                self.equate(v, other)
                self.steps += [f"d {line}" for line in answer.learned]
                return other
            if answer.row is None:
                return None
            self.differ(answer.row)
        return None

    def equate(self, v: int, literal: int) -> None:
        if self.same.get(v) != literal:
            self.same[v] = literal
            self.steps += [clause(-v, literal), clause(v, -literal)]

    def forget(self, v: int, pairs: set[Pair]) -> None:
        """The gate of a wire that is read as another is needed no more."""
        self.steps += [f"d {line}" for a, b in sorted(pairs) for line in (clause(-v, a), clause(-v, b), clause(v, -a, -b))]

    # -- questions -----------------------------------------------------------------------------------------------------

    def ask(self, v: int, other: int) -> Answer:
        """Whether a wire equals a literal, by the gates next to them, then by all below."""
        found = Answer(None)
        for most in WINDOWS:
            cone, whole = self.cone([v, abs(other)], most)
            found = self.solved(v, other, cone)
            if found.equal or whole:
                return found
        return Answer(None)

    def cone(self, wires: Sequence[int], most: int) -> tuple[list[int], bool]:
        """Gates below wires, the last first, and whether these are all."""
        waiting, found = {v for v in wires if v in self.reduced}, list[int]()
        while waiting and len(found) < most:
            v = max(waiting)
            waiting.remove(v)
            found.append(v)
            waiting |= {abs(x) for x in self.reduced[v] if abs(x) in self.reduced}
        return found, not waiting

    def clauses(self, cone: Sequence[int]) -> list[list[int]]:
        return encoded([(v, *self.reduced[v]) for v in cone])

    def solved(self, v: int, other: int, cone: Sequence[int]) -> Answer:
        local = Local([[TRUE], *self.clauses(cone), *self.fixed], (v, abs(other)))
        with self.engine(name="glucose4", bootstrap_with=local.clauses, with_proof=True) as solver:
            for sides in ((v, -other), (-v, other)):
                solver.conf_budget(CONFLICTS)
                differs = solver.solve_limited(assumptions=[local.inward(x) for x in sides])
                if differs is None:
                    return Answer(None)
                if differs:
                    model = {v: int(solver.get_model()[k - 1] > 0) for v, k in local.number.items()}
                    return Answer(False, row=model)
            lines = [line for line in solver.get_proof() or () if not line.startswith("d") and line != "0"]
            return Answer(True, tuple(map(local.outward, lines)))


class Local:
    """Clauses with their variables numbered from 1, for a solver of few, and what it says in our numbers."""

    def __init__(self, clauses: Sequence[Sequence[int]], more: Sequence[int] = ()) -> None:
        found = dict.fromkeys(abs(x) for c in clauses for x in c) | dict.fromkeys(more)
        self.number = {v: k for k, v in enumerate(found, 1)}
        self.words = {"d": "d", "0": "0"} | {f"{s}{k}": f"{s}{v}" for v, k in self.number.items() for s in ("", "-")}
        self.clauses = [[self.inward(x) for x in c] for c in clauses]

    def inward(self, literal: int) -> int:
        return self.number[literal] if literal > 0 else -self.number[-literal]

    def outward(self, line: str) -> str:
        """A step of a proof."""
        return " ".join(map(self.words.__getitem__, line.split()))


def encoded(gates: Iterable[Gate]) -> list[list[int]]:
    """The clauses of ANDs."""
    return [c for v, a, b in gates for c in ([-v, a], [-v, b], [v, -a, -b])]


def folded(a: int, b: int) -> int | None:
    """a ∧ b where it is no gate."""
    if -TRUE in (a, b) or a == -b:
        return -TRUE
    return b if a == TRUE else a if b in (TRUE, a) else None


def clause(*literals: int) -> str:
    """A step of a proof, or of a deletion; what is said twice is said once."""
    return " ".join(map(str, dict.fromkeys(literals))) + " 0"


def random_word(draw: Random) -> int:
    """Random rows of one input, some with few ones and some with many."""
    part = ROWS // (2 * len(DENSITIES))
    found = 0
    for joined in DENSITIES:
        word = (1 << part) - 1
        for _ in range(joined):
            word &= draw.getrandbits(part)
        found = (found << part | word) << part | (word ^ (1 << part) - 1)
    return found
