"""The rows as they are: a truth table, and anything where no row is."""

from __future__ import annotations

from lensgrad.circuits.gates.circuit import MOST_INPUTS
from lensgrad.circuits.gates.functions import from_rows
from lensgrad.circuits.learning.polynomials import one_hot
from lensgrad.circuits.learning.problem import Found, Infeasible, Plan, Problem
from lensgrad.core.errors import BadValue


def table(problem: Problem, plan: Plan) -> Found:
    """The circuit of the table of all rows, of few gates where none says what it is (no steps, no seed)."""
    bits = problem.x.shape[1]
    if bits > MOST_INPUTS:
        raise Infeasible(f"a truth table has at most {MOST_INPUTS} bits, and these rows have {bits}: use fewer levels or columns")
    labels = dict(zip(problem.outputs, one_hot(problem.y, problem).T, strict=True))
    try:
        return Found(from_rows(problem.x, labels, problem.inputs)[0], "table")
    except BadValue as why:
        raise Infeasible(f"these rows are no truth table: {why}") from None
