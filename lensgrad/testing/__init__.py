"""For those who write generators or theories of their own: one call checks one generator, one suite checks all laws."""

from lensgrad.core.errors import CheckFailed
from lensgrad.testing.case import Case, Kink
from lensgrad.testing.cases import generator_checks
from lensgrad.testing.check import check, examine
from lensgrad.testing.laws import law_checks
from lensgrad.testing.report import Finding, Report
from lensgrad.testing.samples import Sampler, between, fractional, nonzero, normal, positive, spaced, whole

__all__ = [
    "Case", "CheckFailed", "Finding", "Kink", "Report", "Sampler", "between", "check", "examine", "fractional",
    "generator_checks", "law_checks", "nonzero", "normal", "positive", "spaced", "whole",
]  # fmt: skip
