"""Proofs by a SAT solver that circuits are equal, with what another program needs to check them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensgrad.circuits.formats.files import content, put, read, write
from lensgrad.circuits.gates.circuit import Circuit
from lensgrad.circuits.proofs.engine import solver
from lensgrad.circuits.proofs.miter import End, Question, places
from lensgrad.circuits.proofs.sweep import TRUE, Local, Sweep, clause
from lensgrad.core.checks import file, instance, is_whole, listing, number, one_of, shown
from lensgrad.core.errors import BadValue, listed
from lensgrad.files.place import REFUSED, quoted, reason

SLICE = 2000  # conflicts between two looks at the clock
PROVED, REFUTED, UNKNOWN = "proved", "refuted", "unknown"


@dataclass(frozen=True)
class Verdict:
    """What a solver found: `status` is "proved", "refuted" or "unknown", and the other two never come without reasons.

    Proved comes with a DRAT proof, refuted with an input by feature name. A solver that ran out of time knows nothing.
    """

    question: Question
    status: str
    counterexample: dict[str, int] | None = None
    proof: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        instance("what a verdict is about", self.question, Question, "a question, as circuits.Question(left, right) gives")
        one_of("the status of a verdict", self.status, (PROVED, REFUTED, UNKNOWN))
        if self.counterexample is not None:
            found = self.counterexample
            instance("a counter-example", found, dict, "a dict from the names of inputs to 0 or 1")
            if set(found) != set(self.question.left.inputs) or not all(is_whole(v) and v in (0, 1) for v in found.values()):
                wanted = listed(self.question.left.inputs)
                raise BadValue(f"a counter-example must have 0 or 1 for each of the inputs {wanted}, got {shown(found)}")
        if self.proof is not None:
            instance("a proof", self.proof, tuple, "a tuple of lines")

    def __bool__(self) -> bool:
        raise BadValue("a verdict has three values: compare its status with 'proved', 'refuted' or 'unknown'")

    def __str__(self) -> str:
        if self.status == UNKNOWN:
            return f"unknown: the solver ran out of time before it could tell whether {self.question.about}"
        if self.counterexample is None:
            return f"proved: {self.question.about}"
        return f"refuted: not always true that {self.question.about}\n{self.shown()}"

    def shown(self) -> str:
        """The inputs that are 1, and the outputs that differ there."""
        given = self.counterexample or {}
        on = ", ".join(name for name, v in given.items() if v) or "none"
        off = ", ".join(name for name, v in given.items() if not v) or "none"
        told = [f"  {name}: left {a}, right {b}" for name, a, b in self.differing()]
        return "\n".join([f"  inputs 1: {on}", f"  inputs 0: {off}", *told])

    def differing(self) -> list[tuple[str, int, int]]:
        """The outputs that differ at the counter-example, with both values."""
        if self.counterexample is None:
            return []
        asked = self.question
        row = [self.counterexample[name] for name in asked.left.inputs]
        sides = [asked.left.values(row, 1)]
        order = places("input", asked.right.inputs, asked.left.inputs, "i")
        sides.append(asked.right.values([row[k] for k in order], 1))
        out = places("output", asked.left.outputs, asked.right.outputs, "o")
        pairs = [(name, sides[0][k], sides[1][out[k]]) for k, name in enumerate(asked.left.outputs)]
        return [(name, a, b) for name, a, b in pairs if a != b]

    def save(self, folder: str | Path) -> Path:
        """Write left.aig, right.aig, care.aig and proof.drat, which `lensgrad.circuits.proofs.checker` checks; only where proved.

        miter.cnf has the same question in DIMACS, for checkers of DRAT proofs that other people wrote.
        """
        folder = file("the folder of a proof", folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except REFUSED as wrong:
            raise BadValue(f"the folder {quoted(folder)} cannot be made: {reason(wrong)}; name another") from wrong
        paths = [folder / "left.aig", folder / "right.aig", *([folder / "care.aig"] if self.question.care else [])]
        circuits = [self.question.left, self.question.right, *([self.question.care] if self.question.care else [])]
        for path, circuit in zip(paths, circuits, strict=True):
            write(circuit, path)
        certificate(self, folder / "proof.drat", paths)
        put(folder / "miter.cnf", dimacs(self.question.clauses()))
        return folder / "proof.drat"


def dimacs(clauses: Sequence[Sequence[int]]) -> str:
    """Clauses as SAT solvers and checkers read them."""
    most = max(abs(x) for clause in clauses for x in clause)
    return "\n".join([f"p cnf {most} {len(clauses)}", *(" ".join(map(str, [*clause, 0])) for clause in clauses)]) + "\n"


def certificate(verdict: Verdict, path: str | Path, files: Sequence[str | Path]) -> None:
    """The proof with the digests of the circuit files it is about: left, right, and the care set where there is one."""
    instance("what has a certificate", verdict, Verdict, "a verdict, as circuits.equal gives")
    if verdict.proof is None:
        raise BadValue(f"only what is proved has a proof, and this is {verdict.status}")
    names = ("left", "right", "care")
    given = listing("the circuits of a certificate", files, "a list of two files, left and right, or of three with the care set")
    if len(given) != (2 if verdict.question.care is None else 3):
        wanted = "left and right" if verdict.question.care is None else "left, right and the care set"
        raise BadValue(f"a certificate must be about the files {wanted}, got {len(given)}")
    heads = [f"c {n} {hashlib.sha256(content('a circuit', f)).hexdigest()}" for n, f in zip(names, given, strict=False)]
    put(file("the place of a proof", path), "\n".join(["c lensgrad miter 1", *heads, *verdict.proof]) + "\n")


def prove(question: Question, timeout: float | None = 60.0) -> Verdict:
    """Ask a SAT solver; after `timeout` seconds the answer is unknown.

    Wires that are always equal are proved first, from the inputs up, so that circuits made from one another are compared piece by piece.
    """
    instance("what is proved", question, Question, "a question, as circuits.Question(left, right) gives")
    if timeout is not None:
        number("a time-out, in seconds,", timeout, 0)
    if not question.left.outputs:
        raise BadValue("these circuits have no outputs, so there is nothing to prove")
    engine, clock = solver(), Clock(timeout)
    if not clock.goes_on():
        return Verdict(question, UNKNOWN)
    swept = Sweep(len(question.left.inputs), question.gates(), engine, question.counts())
    rest = Rest(question, swept.run(Clock(timeout and timeout / 2).goes_on))
    if rest.row is not None:
        return refuted(question, rest.row)
    with engine(name="glucose4", bootstrap_with=rest.local.clauses, with_proof=True) as last:
        answer = decided(last, clock)
        if answer is None:
            return Verdict(question, UNKNOWN)
        if answer:
            model = last.get_model()
            return refuted(question, {v: int(model[k - 1] > 0) for v, k in rest.local.number.items()})
        return Verdict(question, PROVED, proof=complete([*swept.steps, *map(rest.local.outward, last.get_proof() or ())]))


class Clock:
    """So many seconds from now, or for ever."""

    def __init__(self, seconds: float | None) -> None:
        self.end = None if seconds is None else time.monotonic() + seconds

    def goes_on(self) -> bool:
        return self.end is None or time.monotonic() < self.end


class Rest:
    """What a sweep leaves to decide: the clauses of outputs that are not yet equal, or a row at which outputs differ."""

    def __init__(self, question: Question, swept: Sweep) -> None:
        self.swept = swept
        pairs = question.ends()
        self.row = self.differing(pairs)
        self.open = [end for end in pairs if swept.read(end.left) != swept.read(end.right)]
        for end in pairs:
            self.settle(end)
        swept.steps += [clause(*(end.differs for end in self.open))] if self.open else []
        self.local = Local(self.clauses())

    def differing(self, pairs: Sequence[End]) -> dict[int, int] | None:
        """A row that the sweep came by, at which two outputs differ."""
        differ = 0
        for end in pairs:
            differ |= self.value(end.left) ^ self.value(end.right)
        differ &= (1 << self.swept.rows) - 1
        if not differ:
            return None
        place = differ.bit_length() - 1
        return {v: self.swept.values[v] >> place & 1 for v in self.swept.inputs}

    def value(self, literal: int) -> int:
        return self.swept.values[literal] if literal > 0 else ~self.swept.values[-literal]

    def settle(self, end: End) -> None:
        """The steps by which an output's variable is false where both sides are read as one, or is about what they are read as."""
        d, a, b = end.differs, self.swept.read(end.left), self.swept.read(end.right)
        if a == b:
            self.swept.steps += [clause(-d, end.left), clause(-d)]
        else:
            self.swept.steps += [clause(-d, a, b), clause(-d, -a, -b)]

    def clauses(self) -> list[list[int]]:
        read = self.swept.read
        roots = [abs(read(x)) for end in self.open for x in (end.left, end.right)]
        cone, _ = self.swept.cone(roots, len(self.swept.gates))
        sides = [(end.differs, read(end.left), read(end.right)) for end in self.open]
        found = [[TRUE], *self.swept.clauses(cone), *self.swept.fixed]
        found += [c for d, a, b in sides for c in ([-d, a, b], [-d, -a, -b])]
        return [*found, [d for d, _, _ in sides]]


def decided(engine: Any, clock: Clock) -> bool | None:
    """Whether the clauses can be satisfied, None where the time is over."""
    answer = None
    while answer is None and clock.goes_on():
        engine.conf_budget(SLICE)
        answer = engine.solve_limited()
    return answer


def complete(lines: Sequence[str] | None) -> tuple[str, ...]:
    """The steps of a proof, which ends in the empty clause."""
    steps = tuple(lines or ())
    return steps if "0" in steps else (*steps, "0")


def refuted(question: Question, row: Mapping[int, int]) -> Verdict:
    """The counter-example in a row, evaluated again gate by gate before it is told; an input that it has not may be either."""
    found = {name: row.get(k, 0) for k, name in enumerate(question.left.inputs, 2)}
    verdict = Verdict(question, REFUTED, found)
    if not verdict.differing():
        raise BadValue("the solver gave an input at which the circuits agree: its answer cannot be used")
    return verdict


def equal(left: Circuit, right: Circuit, care: Circuit | None = None, timeout: float | None = 60.0) -> Verdict:
    """left = right, on all inputs or on those where `care` is 1. Inputs and outputs are matched by name."""
    about = "the two circuits are equal" + (" on the care set" if care is not None else "")
    return prove(Question(left, right, care, about), timeout)


def equal_files(left: str | Path, right: str | Path, care: str | Path | None = None, timeout: float | None = 60.0) -> Verdict:
    """`equal` for circuits in files."""
    return equal(read(left), read(right), None if care is None else read(care), timeout)
