"""Arrows as polynomial maps with atoms: the category in which the laws of calculus are checked exactly."""

from lensgrad.backends.exact.functor import EXACT, Image, exact, formal_reverse, formally_equal, functionally_equal, table
from lensgrad.backends.exact.polynomial import RATIONALS, Polynomial, Variable, derivative

__all__ = [
    "EXACT", "RATIONALS", "Image", "Polynomial", "Variable", "derivative", "exact", "formal_reverse", "formally_equal",
    "functionally_equal", "table",
]  # fmt: skip
