"""What a parametric arrow is made of, once it is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core import checks
from lensgrad.core.ty import Ty, product

Observable = tuple[str, Ty]


@dataclass(frozen=True, slots=True)
class Body:
    """What a Para is, once computed: parameters, an arrow P ⊗ A → B ⊗ O, and the labels and objects of O."""

    params: tuple[Param, ...]
    arrow: Any
    observables: tuple[Observable, ...] = ()

    @property
    def ob(self) -> Ty:
        """P, the object of all parameters."""
        return product(p.ob for p in self.params)

    @property
    def seen(self) -> Ty:
        """O, the object of all observables."""
        return product(ob for _, ob in self.observables)

    def __post_init__(self) -> None:
        for label, _ in self.observables:
            checks.path("the name of an observable", label)
