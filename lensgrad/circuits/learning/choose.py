"""Learning a circuit by a method's name, or by the best of all methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lensgrad.circuits.gates.circuit import MOST_INPUTS
from lensgrad.circuits.learning.networks import flip, soft
from lensgrad.circuits.learning.polynomials import exact, greedy
from lensgrad.circuits.learning.problem import Found, Infeasible, Method, Plan, Problem, check
from lensgrad.circuits.learning.rows import table
from lensgrad.core.checks import instance, one_of

METHODS: dict[str, Method] = {"anf": greedy, "flip": flip, "soft": soft, "solve": exact, "table": table}
TRIED = ("anf", "flip", "soft", "solve")  # by "auto", where the rows are no truth table
STOPPING = ("flip", "soft")  # these train in epochs, and may stop by rows held back


def learn(problem: Problem, plan: Plan, method: str = "auto") -> Found:
    """The gates that a method finds; "auto" tries all, and takes the best on the rows held back, of equals the smallest.

    A truth table, of all rows that can occur, is taken as it is. What was measured on rows held back is then learned again from all
    rows, unless it stops by them.
    """
    check(problem)
    instance("how to learn a circuit", plan, Plan, "a plan, as circuits.Plan(…) gives")
    method = one_of("method", method, ("auto", *sorted(METHODS)))
    if method == "auto" and problem.complete and problem.x.shape[1] <= MOST_INPUTS:
        told(plan, "these are all rows that can occur: the circuit of their table")
        return table(problem, plan)
    tried = list(attempts(problem, plan)) if method == "auto" else [METHODS[method](problem, plan)]
    if problem.held is None:
        return max(tried, key=lambda f: (problem.accuracy(f.circuit), -f.circuit.size))
    scores = [problem.accuracy(f.circuit, held=True) for f in tried]
    score, _, best = max(((s, -f.circuit.size, f) for s, f in zip(scores, tried, strict=True)), key=lambda t: t[:2])
    if method == "auto":
        told(plan, f"{best.method} is best on rows held back")
    stopped = plan.stopping is not None and best.method in STOPPING
    return replace(best if stopped else again(best, problem, plan), score=score)


def again(found: Found, problem: Problem, plan: Plan) -> Found:
    """The same method, of the degree that the rows held back chose, on all rows; what it found before, where they are too much for it."""
    try:
        return METHODS[found.method](problem.whole(), replace(plan, degree=found.degree))
    except Infeasible:
        return found


def attempts(problem: Problem, plan: Plan) -> Iterator[Found]:
    """What each method finds, of those that are feasible for so many bits."""
    for name in TRIED:
        told(plan, f"trying {name}")
        try:
            yield METHODS[name](problem, plan)
        except Infeasible as why:
            told(plan, f"{name} is left out: {why}")


def told(plan: Plan, text: str) -> None:
    """A line for who watches."""
    if plan.progress:
        print(text, flush=True)
