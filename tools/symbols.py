"""A theory of names only, for figures: objects A, B, … with changes A′, B′, …, and arrows that are called something and do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.lens import Lens, Pair, backward, forward
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty, product


@dataclass(frozen=True, slots=True)
class Name:
    """An object that is its name."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def change(self) -> Name:
        return self

    def infix(self, name: str, *args: Any) -> Any:
        return Map("+", Ty((self,)))(*args)

    def zero(self) -> Wire:
        return Map("0", Ty((self,)))()


@generator
class Map(Op):
    """A named arrow to an object."""

    label: str
    target: Ty

    def type(self, *dom: Any) -> Ty:
        return self.target

    @property
    def name(self) -> str:
        return self.label

    def reverse(self, *wires: Wire) -> Any:
        xs = wires[: len(wires) - len(self.target)]
        back = Map(f"R[{self.label}]", Ty(tuple(x.atom for x in xs)))(*wires)
        return back if isinstance(back, tuple) else (back,)


def ob(*names: str) -> Ty:
    """An object of some names."""
    return Ty(tuple(map(Name, names)))


def arrow(label: str, dom: Ty, cod: Ty) -> Diagram:
    """A named arrow."""
    return Diagram.of(Map(label, cod), dom)


def lens_of(label: str, dom: Ty, cod: Ty) -> Lens:
    """A named lens between objects of pairs."""
    get = arrow(f"{label}.get", forward(dom), forward(cod)) if len(cod) else Diagram.discard(forward(dom))
    return Lens(dom, cod, get, arrow(f"{label}.put", forward(dom) @ backward(cod), backward(dom)), label)


def pair(ahead: str, back: str) -> Ty:
    """A pair of objects, each called something."""
    return Ty((Pair(ob(ahead), ob(back)),))


def parametric_lens(label: str, params: Sequence[tuple[str, Ty]], dom: Ty, cod: Ty, role: Role = Role.WEIGHT) -> Para:
    """A named parametric lens."""
    return Para.make([Param(name, of, role) for name, of in params], lens_of(label, product(of for _, of in params) @ dom, cod))


def parametric(label: str, params: Sequence[tuple[str, Ty]], dom: Ty, cod: Ty, role: Role = Role.WEIGHT) -> Para:
    """A named parametric arrow."""
    return Para.make([Param(name, of, role) for name, of in params], arrow(label, product(of for _, of in params) @ dom, cod))
