"""Learning rates: lenses that end a system by turning the loss into a change of it (arXiv 2404.00408, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from lensgrad.cat.lens import Lens, backward, forward
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import NoChange
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import full


def cap(name: str, answer: Callable[[Any], Any]) -> Family:
    """The lens (L, ΔL) → I whose put is l ↦ answer(l)."""

    def at(ob: Ty) -> Para:
        values = forward(ob)

        def put(*ls: Any) -> Any:
            return tuple(answer(x) for x in ls)

        arrow = trace(put, *(Ty((a,)) for a in values))
        if arrow.cod != backward(ob):
            refused(name, ob)
        return Para.lift(Lens(ob, Ty(), Diagram.discard(values), arrow, name))

    return Family(name, at)


def refused(name: str, ob: Ty) -> NoReturn:
    raise NoChange(f"{name} cannot answer a loss of type {ob}: a loss is made of floats or of elements of a semiring")


def rate(size: float) -> Family:
    """l ↦ size, whatever the loss is; `size` is positive, `descent` subtracts and `ascent` adds."""
    return cap(f"rate({size})", lambda loss: full(size, loss.atom))


def scaled_rate(size: float) -> Family:
    """l ↦ size · l: steps as large as the loss."""
    return cap(f"scaled_rate({size})", lambda loss: loss * size)


echo = cap("echo", lambda loss: loss)  # l ↦ l, the rate of Boolean circuits (arXiv 2101.10488)
