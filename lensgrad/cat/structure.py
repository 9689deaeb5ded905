"""What a category must offer for lenses and parametric arrows over it, and what an object must offer for calculus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, Self

from lensgrad.core.errors import NoChange, TypeMismatch
from lensgrad.core.ty import Ty


class Monoidal(Protocol):
    """Arrows of a strict symmetric monoidal category whose objects are `Ty`s.

    `assemble(dom, steps, outs)` is the one operation: the straight-line program that applies each arrow of `steps`
    to wires by number (inputs first, then outputs in order) and returns the wires `outs`. Composition, ⊗ and
    symmetries are instances of it. Without copying, each wire is used exactly once.
    """

    @property
    def dom(self) -> Ty: ...

    @property
    def cod(self) -> Ty: ...

    @classmethod
    def assemble(cls, dom: Ty, steps: Iterable[tuple[Any, Sequence[int]]], outs: Sequence[int]) -> Self: ...

    @classmethod
    def wiring(cls, dom: Ty, outs: Iterable[int]) -> Self: ...


class Differential(Protocol):
    """An atom with changes: Δ of it is an object with a zero and an addition (the atom's own, `infix("add")`)."""

    @property
    def change(self) -> Any:
        """The atom of changes, or None when there is nothing to change (integers, keys): Δ = I."""
        ...

    def zero(self) -> Any:
        """The point 0 : I → Δ, as a closed wire."""
        ...


def category(arrow: Any) -> Any:
    """The category an arrow lives in, as its class."""
    return arrow.__class__


def one_category(arrows: Sequence[Any]) -> Any:
    """The category that all these arrows live in."""
    if len(set(map(category, arrows))) > 1:
        told = "an arrow before lens(…) and one after it are composed, and are arrows of two categories"
        raise TypeMismatch(f"{told}: lens(corner(…)) is the lens of a corner")
    return category(arrows[0])


def change(atom: Any) -> Any:
    """The atom Δ of an atom, or None where Δ = I."""
    return getattr(atom, "change", None)


def changes(ob: Ty) -> Ty:
    """ΔA, without the markers: the atoms of A that can change."""
    return Ty(tuple(c for c in map(change, ob) if c is not None))


def need_changes(what: str, label: str, ob: Ty) -> None:
    """Refuse to learn an object without changes, with the reason."""
    still = [str(a) for a in ob if change(a) is None]
    if still:
        raise NoChange(
            f"{what} cannot move '{label}': {', '.join(still)} has no changes, so no gradient ever reaches it; "
            "embed it into an array of floats first and learn that one"
        )
