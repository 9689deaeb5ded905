"""One equation of a jaxpr where it is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core.errors import LensgradError, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers

Value = Wire | Numbers  # what is computed from data, or what is known when the function is read


@dataclass(frozen=True)
class Step:
    """A primitive with its parameters and its arguments; `fixed` makes a wire of an array."""

    name: str
    params: Mapping[str, Any]
    values: tuple[Value, ...]
    fixed: Callable[[Numbers], Wire]
    clip: bool = False  # whether places outside are moved inside where JAX would give NaN

    def wire(self, k: int = 0) -> Wire:
        value = self.values[k]
        return self.fixed(value) if isinstance(value, np.ndarray) else value

    def wires(self) -> list[Wire]:
        return [self.wire(k) for k in range(len(self.values))]

    def known(self, k: int) -> Numbers | None:
        """Argument k where it is known."""
        value = self.values[k]
        return value if isinstance(value, np.ndarray) else None

    def refused(self, why: str = "has no meaning here") -> LensgradError:
        """The error for what cannot be read."""
        given = ", ".join(str(v.atom) if isinstance(v, Wire) else f"{v.dtype}{list(v.shape)}" for v in self.values)
        return TypeMismatch(f"the JAX primitive {self.name} at {given} {why}")


Meaning = Callable[[Step], Wire | Sequence[Wire]]
Table = dict[str, Meaning]
