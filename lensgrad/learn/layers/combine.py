"""How layers are put together: one after the other, around one another, over the steps of a sequence."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.para import Para, para
from lensgrad.core.diagram import Diagram, Family, at
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.theories.smooth.array import Array, Key


def sequential(*layers: Any) -> Any:
    """layers[0] >> layers[1] >> …, families included."""
    if not layers:
        raise BadValue("sequential wants at least one layer")
    result = para(layers[0])
    for layer in layers[1:]:
        result = result >> para(at(layer, result.cod) if not isinstance(result, Family) else layer)
    return result


def member(layer: Any, dom: Ty, what: str) -> Para:
    """A layer, or the member of a family of layers, at an object."""
    found = para(at(layer, dom))
    if not isinstance(found, Para):
        raise TypeMismatch(f"{what} wants a layer, got {layer!r:.60}")
    if found.dom != dom:
        raise TypeMismatch(f"{what} meets {dom}, and the layer in it takes {found.dom}")
    return found


def first_of(what: str, dom: Ty) -> Ty:
    """The object of the first wire."""
    if not len(dom):
        raise TypeMismatch(f"{what} wants at least one wire, got I")
    return Ty(dom.atoms[:1])


def residual(layer: Any, name: str = "") -> Family:
    """x + f(x, c) : A ⊗ C → A for f : A ⊗ C → A (arXiv 1512.03385). Wires beside the first are read by f only."""

    def build(dom: Ty) -> Para:
        a, inner = first_of("residual", dom), member(layer, dom, "residual")
        if inner.cod != a:
            raise TypeMismatch(f"residual adds what its layer gives to what it takes, and {inner.cod} is not {a}")
        fork = Diagram.wiring(dom, [*range(len(dom)), 0])
        made = para(fork) >> (inner @ a) >> trace(lambda y, x: x + y, a, a)
        return made.scope(name) if name else made

    return Family(name or "residual", build)


def beside(layer: Any) -> Family:
    """f ⊗ 1 : A ⊗ C → B ⊗ C for f : A → B: the first wire goes through the layer, the others stay."""

    def build(dom: Ty) -> Para:
        a = first_of("beside", dom)
        return member(layer, a, "beside") @ Ty(dom.atoms[1:])

    return Family("beside", build)


def masked(layer: Any) -> Family:
    """A ⊗ M → B ⊗ M for f : A ⊗ M → B: the layer reads the mask (or adjacency) beside its input and hands it on."""

    def build(dom: Ty) -> Para:
        rest = Ty(dom.atoms[len(first_of("masked", dom)) :])
        fork = Diagram.wiring(dom, [*range(len(dom)), *range(1, len(dom))])
        return para(fork) >> (member(layer, dom, "masked") @ rest)

    return Family("masked", build)


def each(layer: Any) -> Family:
    """f on every entry of the first axis : Aᵀ → Bᵀ for f : A → B, with one set of parameters: batching, written in a model."""

    def build(dom: Ty) -> Para:
        sizes = {a.shape[0] for a in dom if a.shape}
        if len(sizes) != 1 or not all(isinstance(a, Array | Key) and a.shape for a in dom):
            raise TypeMismatch(f"each wants wires with a first axis of one length, got {dom}")
        entry = Ty(tuple(a.with_shape(*a.shape[1:]) if isinstance(a, Array) else Key(a.shape[1:]) for a in dom))
        return batch(member(layer, entry, "each"), sizes.pop())

    return Family("each", build)
