"""Curves against NIST's certified values: sets of all three levels of difficulty, from both starts."""

import numpy as np
import pytest

from tools import nist

LEVELS = {
    "lower": ("Misra1a", "Chwirut2", "Lanczos3", "Gauss1", "DanWood"),
    "average": ("Kirby2", "Hahn1", "Nelson", "MGH17", "Roszman1", "ENSO"),
    "higher": ("Thurber", "MGH09", "Rat43", "Eckerle4", "Bennett5"),
}


@pytest.mark.parametrize("name", [n for names in LEVELS.values() for n in names])
def test_certified_values_are_met_to_six_digits_from_both_starts(name):
    assert min(nist.agreement(name, 0), nist.agreement(name, 1)) >= 6


def test_starts_that_lead_elsewhere_are_those_known():
    away = [(name, start) for name in ("BoxBOD", "MGH10") for start in (0, 1) if nist.agreement(name, start) < 6]
    assert away == [("BoxBOD", 0), ("MGH10", 0)]


def test_digits_are_those_of_the_worst_parameter():
    assert nist.digits(np.array([1.0, 2.002]), np.array([1.0, 2.0])) == pytest.approx(3.0)
    assert nist.digits(np.array([1.0]), np.array([1.0])) == 11
    assert nist.reached({"a": (6.0, 5.9), "b": (11.0, 0.0)}) == 2
