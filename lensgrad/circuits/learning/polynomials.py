"""Polynomials modulo 2 in the bits: a term a step, or solved exactly."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from lensgrad.circuits.gates.circuit import Builder, Circuit
from lensgrad.circuits.gates.functors import to_gates
from lensgrad.circuits.learning.affine import solve
from lensgrad.circuits.learning.problem import Found, Infeasible, Numbers, Plan, Problem
from lensgrad.core.errors import BadValue
from lensgrad.learn.circuits import anf, gain, hamming, over, soften
from lensgrad.theories.poly.semiring import Z2, Z
from lensgrad.train.callbacks import early_stopping
from lensgrad.train.learner import supervised

MOST_TERMS = 200  # steps of a greedy polynomial
MOST_PRODUCTS = 20_000_000  # of rows and coefficients, each of which is tried in a step


def exact(problem: Problem, plan: Plan) -> Found:
    """The polynomial of least degree that fits all rows, by linear equations over Z2 (no steps, no seed)."""
    labels = one_hot(problem.y, problem).astype(np.uint8)
    for degree in degrees(problem):
        form = anf(problem.x.shape[1], degree, len(problem.outputs))
        try:
            weights = solve(form, (problem.x, labels))
        except BadValue:  # no polynomial of this degree fits
            continue
        return Found(decoded(to_gates(form, weights, problem.inputs), problem), "solve")
    told = f"no polynomial of degree ≤ {degrees(problem)[-1]} fits all {len(problem.x)} rows"
    raise Infeasible(f"{told}: where labels are noisy use method 'anf' or 'soft', which may leave some rows wrong")


def greedy(problem: Problem, plan: Plan) -> Found:
    """An algebraic normal form, a coefficient a step: the one whose flip repairs most rows and spoils fewest (GSAT)."""
    feasible = degrees(problem)
    if plan.degree is not None and plan.degree not in feasible:
        raise Infeasible(f"a polynomial of degree {plan.degree} has too many products to try on {len(problem.x)} rows")
    found = [polynomial(problem, plan, degree) for degree in (feasible if plan.degree is None else [plan.degree])]
    judged = problem.held is not None  # where no rows are held back, the degree is chosen by those learned from
    return max(found, key=lambda f: (problem.accuracy(f.circuit, judged), problem.accuracy(f.circuit), -f.circuit.size))


def polynomial(problem: Problem, plan: Plan, degree: int) -> Found:
    outputs = len(problem.outputs)
    form = anf(problem.x.shape[1], degree, outputs, semiring=Z)
    learner = supervised(soften(form), hamming, gain(1), reduction="sum")
    rows = problem.x.astype(np.float32), one_hot(problem.y, problem).astype(np.float32)
    stop = early_stopping("loss", patience=1, min_delta=1e-6)
    how: dict[str, Any] = {"shuffle": False, "progress": False, "backend": plan.backend}
    run = learner.fit(rows, epochs=MOST_TERMS, batch_size=len(rows[0]), early_stopping=stop, **how)
    gates = to_gates(over(form, Z2), {"coefficients": run.values["coefficients"]}, problem.inputs)
    return Found(decoded(gates, problem), "anf", run.history, degree=degree)


def degrees(problem: Problem) -> list[int]:
    """The degrees at which the coefficients are few enough to try each flip on all rows."""
    bits, outputs, rows = problem.x.shape[1], len(problem.outputs), len(problem.x)
    found = [d for d in (1, 2, 3) if d <= bits and outputs * rows * sum(comb(bits, e) for e in range(d + 1)) <= MOST_PRODUCTS]
    if not found:
        raise Infeasible(f"{bits} bits of {rows} rows have too many products to try: use method 'soft', or fewer levels or columns")
    return found


def one_hot(y: Numbers, problem: Problem) -> Numbers:
    """The outputs that a circuit has for each class."""
    return y[:, None] if len(problem.outputs) == 1 else np.eye(problem.classes)[y]


def decoded(gates: Circuit, problem: Problem) -> Circuit:
    """Gates with an output for each class, of which the first that is 1 counts, and the last class where none is."""
    if len(problem.outputs) == 1:
        return gates.renamed(outputs=problem.outputs)
    made = Builder(gates.inputs)
    found, none = list[int](), 1
    for literal in made.inline(gates, made.literals)[:-1]:
        found.append(made.conj(none, literal))
        none = made.conj(none, literal ^ 1)
    return made.finish(problem.outputs, [*found, none])
