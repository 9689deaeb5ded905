"""Mutation testing of rules: every wrong version of every reverse and batching rule must be caught by the checks.

`python -m lensgrad.testing.mutants` prints a line for each generator; names of generators as arguments choose some.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from lensgrad.cat.reverse import R
from lensgrad.core.checks import is_a
from lensgrad.core.diagram import Definition, Recompute
from lensgrad.core.op import Op
from lensgrad.testing.batched import has_examples, subsets
from lensgrad.testing.calculus import Rules
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators
from lensgrad.testing.check import finding
from lensgrad.testing.equivalent import EQUIVALENT
from lensgrad.testing.mutations import Mutant, installed, mutants
from lensgrad.testing.report import Skip
from lensgrad.theories.smooth.batch import _boxed, batch  # pyright: ignore[reportPrivateUsage]

RULES = ("reverse", "adjoint", "reverse_through", "batch")
REVERSE = ("kinks", "jax.vjp", "exact differences", "additive", "linear", "second order")
BATCH = ("batch", "R of batch", "batch of R")
HOME = "lensgrad."
SHAPES = ("core.", "cat.", "theories.smooth.ops", "theories.smooth.array")  # where no rule lives


@dataclass
class Subject:
    """A function that rules are made of, with the generators that use it."""

    function: Any
    users: list[type[Op]] = field(default_factory=list[type[Op]])
    parts: set[str] = field(default_factory=set[str])

    @property
    def name(self) -> str:
        return f"{self.function.__module__.rsplit('.', 1)[-1]}.{self.function.__qualname__}"

    @property
    def linear(self) -> bool:
        return self.function.__name__ == "adjoint"


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant: "caught", "equal", or "survived"."""

    name: str
    outcome: str
    reason: str = ""


def subjects() -> list[Subject]:
    """Every rule of every generator, and every helper that rules call, each once."""
    found: dict[FunctionType, Subject] = {}
    for cls in generators():
        for rule in RULES:
            start = _boxed if rule == "batch" and cls in (Definition, Recompute) else getattr(cls, rule, None)
            for function in reachable(start, cls):
                subject = found.setdefault(function, Subject(function))
                subject.users += [cls] if cls not in subject.users else []
                subject.parts.update(BATCH if rule == "batch" else (*REVERSE, *BATCH))
    return list(found.values())


def reachable(start: Any, cls: type[Op]) -> list[FunctionType]:
    """A rule and the functions of the library's theories that it calls by name, refusals excepted."""
    todo, found = [start], list[FunctionType]()
    while todo:
        function = todo.pop()
        if isinstance(function, FunctionType) and function not in found and is_rule(function):
            found.append(function)
            todo += called(function, cls)
    return found


def is_rule(function: FunctionType) -> bool:
    """Whether a function computes: it is ours, and it refuses nothing."""
    home = function.__module__
    ours = home.startswith(HOME) and not home.removeprefix(HOME).startswith(SHAPES)
    written = function.__code__.co_filename == getattr(sys.modules[home], "__file__", "")
    return written and (ours or function.__name__ in RULES) and "TypeMismatch" not in words(function.__code__)


def called(function: FunctionType, cls: type[Op]) -> Iterator[Any]:
    """What the names in a function stand for: functions of its module, methods of its own class, methods of plain classes."""
    owner = function.__globals__.get(function.__qualname__.split(".")[0])
    for word in sorted(words(function.__code__)):
        value = function.__globals__.get(word)
        if value is not None and is_a(value, type) and not issubclass(value, Op):
            yield from map(plain, members(value))
        yield value
        yield from (plain(vars(c)[word]) for c in (cls, owner) if isinstance(c, type) and word in vars(c) and word != "type")


def members(cls: type[Any]) -> list[Any]:
    return [*vars(cls).values()]


def plain(method: Any) -> Any:
    return method.fget if isinstance(method, property) else method


def words(code: CodeType) -> set[str]:
    """All names in a function and in the functions inside it."""
    return set(code.co_names).union(*(words(c) for c in code.co_consts if isinstance(c, CodeType)))


class Bench:
    """The cases of some generators, with all that does not depend on the rule under test."""

    def __init__(self) -> None:
        self.facts: dict[type[Op], list[Facts]] = {}
        self.programs: dict[int, list[Any]] = {}
        self.finder: dict[str, Facts] = {}

    def of(self, subject: Subject) -> list[Facts]:
        """The cases that reach a function; the one that caught its last mutant first."""
        for cls in subject.users:
            if cls not in self.facts:
                self.facts[cls] = [Facts(case) for case in cases_of(cls)]
        cases = [f for cls in subject.users for f in self.facts[cls]]
        return sorted(cases, key=lambda f: f is not self.finder.get(subject.name))

    def before(self, facts: Facts) -> list[Any]:
        """The programs that the right rules make of a case."""
        if id(facts) not in self.programs:
            self.programs[id(facts)] = programs(facts)
        return self.programs[id(facts)]

    def judge(self, subject: Subject, mutant: Mutant) -> Verdict:
        """Run the checks on a mutant until one fails; a mutant that passes all must be equal, mechanically or by name."""
        name = f"{subject.name}: {mutant.change}"
        cases = self.of(subject)
        before = [self.before(f) for f in cases]
        with installed(mutant) as marker, np.errstate(all="ignore"):
            finder = next((facts for facts in cases if caught(facts, subject.parts)), None)
            if finder is not None:
                self.finder[subject.name] = finder
                return Verdict(name, "caught")
            if not marker.count:
                return Verdict(name, "survived", "no case reaches it")
            same = all(programs(f) == old for f, old in zip(cases, before, strict=True))
        if same:
            return Verdict(name, "equal", "the same programs on all cases")
        if name in EQUIVALENT:
            return Verdict(name, "equal", EQUIVALENT[name])
        return Verdict(name, "survived")


def caught(facts: Facts, parts: set[str]) -> bool:
    rules = Rules(facts)
    return any(finding(part, facts, rules).status == "failed" for part in (*REVERSE, *BATCH) if part in parts)


def programs(facts: Facts) -> list[Any]:
    """R of a case, and its batch for every choice of batched inputs."""
    pulled = any(hasattr(facts.case.op, rule) for rule in ("adjoint", "reverse", "reverse_through"))
    made: list[Any] = [R(facts.f)] if pulled and facts.moving and facts.seen else []
    try:
        has_examples(facts)
        made += [batch(facts.f, len(facts.examples), flags) for flags in subsets(facts)]
    except Skip:
        pass
    return made


def verdicts(names: Sequence[str] = ()) -> Iterator[tuple[Subject, list[Verdict]]]:
    """Judge all mutants of all rules, or of the generators and helpers with these names."""
    bench = Bench()
    for subject in subjects():
        if not names or any(n in subject.name.split(".") for n in names):
            yield subject, [bench.judge(subject, m) for m in mutants(subject.function, subject.linear)]


def main(names: Sequence[str] = ()) -> int:
    """Print the table; the exit code is 1 when a mutant survived."""
    rows = {"total": [0, 0, 0, 0]}
    kinds = ("caught", "equal", "survived")
    print(f"{'rule':40} mutants  caught  equal  survived")
    for subject, found in verdicts(names):
        counts = [len(found), *(sum(v.outcome == k for v in found) for k in kinds)]
        rows["total"] = [a + b for a, b in zip(rows["total"], counts, strict=True)]
        print(row(subject.name, counts))
        for v in found:
            if v.outcome == "survived" or (v.outcome == "equal" and v.name in EQUIVALENT):
                print(f"    {v.outcome:9} {v.name}  {v.reason}".rstrip())
    print(row("total", rows["total"]))
    return int(rows["total"][3] > 0)


def row(name: str, counts: Sequence[int]) -> str:
    return f"{name:40} {counts[0]:7} {counts[1]:7} {counts[2]:6} {counts[3]:9}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
