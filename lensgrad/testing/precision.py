"""How exactly a generator can be checked in a kind of number: float64 where it takes it, and what it takes where it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lensgrad.testing.report import Skip

ORDER = ("float64", "float32", "float16", "bfloat16")  # from many digits to few


@dataclass(frozen=True)
class Precision:
    """Of a dtype: the step of central differences and how far they may be off, and what rounding may do, both in parts of the norm.

    A step h costs h² by curvature and ε/h by rounding, which are alike at h ≈ ∛ε.
    """

    dtype: str
    step: float
    differences: float
    rounding: float

    def near(self, exact: float) -> float:
        """What may differ where float64 differs by `exact`."""
        return max(exact, self.rounding)

    def differing(self) -> None:
        """Skip differences where there are too few digits for them."""
        if not self.differences:
            raise Skip(f"{self.dtype} has too few digits for differences")


PRECISIONS = {
    "float64": Precision("float64", 1e-5, 1e-5, 0.0),
    "float32": Precision("float32", 1e-2, 2e-3, 1e-5),
    "float16": Precision("float16", 0.0, 0.0, 1e-2),
    "bfloat16": Precision("bfloat16", 0.0, 0.0, 5e-2),
}


def precision(atoms: Iterable[Any]) -> Precision:
    """That of the floats with the fewest digits among these types; of float64 where there are none."""
    found = [str(getattr(a, "dtype", "")) for a in atoms]
    return PRECISIONS[max((d for d in found if d in ORDER), key=ORDER.index, default="float64")]


def told(tolerance: float) -> str:
    """`1e-5 of the norm`."""
    return f"{tolerance:.0e} of the norm".replace("e-0", "e-")
