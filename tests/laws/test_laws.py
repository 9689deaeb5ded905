"""Every axiom, in every category, over every theory: by sharing (`==`) or in polynomials, never up to rounding."""

import pytest

from lensgrad.cat.laws import REVERSE
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.testing.laws import law_cases, law_checks
from lensgrad.testing.strategies import CIRCUITS, SMOOTH, WORLDS, Theory
from lensgrad.theories.poly import circuit
from lensgrad.theories.smooth import pointwise

OTHERS = ("OR/AND", "Z", "Z3", "Z4", "Z5", "Sat3", "Sat4", "min-plus8")
CASES = {"Smooth": 200, "Z2": 200, "OR/AND": 50}


@pytest.mark.parametrize("case", law_cases(), ids=lambda case: case.name)
def test_law(case):
    case.run(CASES.get(case.theory.name, 17))  # 17 for each of the twelve laws of R: 204 for each other semiring


def test_every_category_has_its_laws_over_every_theory():
    names = {(c.theory.name, c.world.name) for c in law_cases()}
    assert names == {(t, w.name) for t in ("Smooth", "Z2") for w in WORLDS} | {(t, "C") for t in OTHERS}


def failing(theory: Theory, monkeypatch, cls, reverse) -> set[str]:
    """The axioms of reverse derivatives that a changed rule breaks."""
    monkeypatch.setattr(cls, "reverse", reverse)
    broken = set()
    for case in law_cases():
        if case.theory == theory and case.law in REVERSE:
            try:
                case.run(60)
            except AssertionError:
                broken.add(case.law.name.split(":")[0])
    return broken


@pytest.mark.parametrize(("theory", "cls"), [(SMOOTH, pointwise.Mul), (CIRCUITS, circuit.Mul)], ids=["Smooth", "Z2"])
def test_a_product_rule_with_swapped_partials_passes_every_axiom_of_linearity(theory, cls, monkeypatch):
    """Axioms are necessary, not sufficient: the oracle of tests/backends catches this rule, linearity does not."""
    broken = failing(theory, monkeypatch, cls, lambda self, x, y, dz: (dz * x, dz * y))
    assert not broken & {"RD.1", "RD.2", "RD.3", "RD.4", "RD.5"}


def test_a_product_rule_with_a_wrong_factor_breaks_an_axiom(monkeypatch):
    broken = failing(SMOOTH, monkeypatch, pointwise.Mul, lambda self, x, y, dz: (dz * y * y, dz * x))
    assert "RD.7" in broken


def test_a_rule_that_is_not_linear_in_the_cotangent_breaks_rd2(monkeypatch):
    broken = failing(CIRCUITS, monkeypatch, circuit.Mul, lambda self, x, y, dz: (dz * y + x, dz * x))
    assert "RD.2" in broken


def test_a_failing_law_shows_both_sides(monkeypatch):
    monkeypatch.setattr(circuit.Mul, "reverse", lambda self, x, y, dz: (dz * y + x, dz * x))
    (case,) = [c for c in law_cases() if c.theory == CIRCUITS and c.law.name.startswith("RD.2: R[f](a, 0)")]
    (outcome,) = law_checks(40, [case])
    assert outcome[0] == case.name and "fails:" in outcome[1] and "is not" in outcome[1]


def test_reverse_of_structure_has_no_generators_but_sums():
    a = Ty(SMOOTH.atoms)
    assert R(Diagram.id(a)).nodes == ()
    assert R(Diagram.swap(a, a)).nodes == ()
    assert [n.op.name for n in R(Diagram.copy(a)).nodes] == ["Add", "Add"]
