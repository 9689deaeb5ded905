"""Special functions: pointwise generators beside those of every calculator."""

from __future__ import annotations

from lensgrad.core.graph import Wire
from lensgrad.core.op import generator
from lensgrad.theories.smooth.pointwise import Exp, Pointwise


@generator
class Erfc(Pointwise):
    """erfc x = 1 − erf x : A → A, exact where it is small."""

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return -(dy * (Exp()(-(x * x)) * 1.1283791670955126))
