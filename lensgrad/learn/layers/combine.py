"""How layers are put together: side by side, around one another, over the steps of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, Family, at
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.layers.own import Layer
from lensgrad.learn.layers.parts import layer, titled
from lensgrad.learn.layers.sequence import part
from lensgrad.learn.model import Model, para
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Key


def member(given: Any, dom: Ty, what: str) -> Model:
    """A layer, or the member of a family of layers, at an object."""
    found = para(at(part(f"{what} takes", given), dom))
    if not checks.is_a(found, Model):
        raise TypeMismatch(f"{what} expects a layer, got {checks.shown(given)}")
    if found.dom != dom:
        raise TypeMismatch(f"{what} meets {dom}, and the layer in it takes {found.dom}")
    return found


def first_of(what: str, dom: Ty) -> Ty:
    """The object of the first wire."""
    if not len(dom):
        raise TypeMismatch(f"{what} expects at least one wire, got I")
    return Ty(dom.atoms[:1])


def residual(layer: Layer, name: str = "", shortcut: Layer | None = None) -> Family:
    """s(x) + f(x, c) : A ⊗ C → B for f : A ⊗ C → B (arXiv 1512.03385). Wires beside the first are read by f only.

    The shortcut s is the identity when not given, so that B = A; `residual(f, shortcut=lg.dense(8))` projects. Its weights are
    named `shortcut/…` and come after those of f.
    """
    title = titled("residual", name)

    def build(dom: Ty) -> Model:
        a, inner = first_of("residual", dom), member(layer, dom, "residual")
        way = para(Diagram.id(a)) if shortcut is None else member(shortcut, a, "residual's shortcut").scope("shortcut")
        if inner.cod != way.cod or len(way.cod) != 1:
            told = "what it takes" if shortcut is None else "what its shortcut gives"
            fix = ": give shortcut=, a layer such as lg.dense(…) that makes the two equal" if shortcut is None else ""
            raise TypeMismatch(f"residual adds what its layer gives to {told}, and {inner.cod} is not {way.cod}{fix}")
        fork = Diagram.wiring(dom, [*range(len(dom)), 0])
        made = para(fork) >> (inner @ way) >> trace(lambda y, x: x + y, way.cod, way.cod)
        return made.scope(name) if name else made

    return Family(title, build)


def fork(*layers: Layer) -> Family:
    """⟨f₁, …, fₙ⟩ : A → B₁ ⊗ … ⊗ Bₙ, every layer on the same input; `lg.add()` or `lg.concatenate()` puts the results together."""
    if not layers:
        raise BadValue("fork needs at least one layer")

    def build(dom: Ty) -> Model:
        first, *rest = (member(f, dom, f"branch {k} of fork") for k, f in enumerate(layers, 1))
        return para(Diagram.copy(dom, len(layers))) >> first.tensor(*rest)

    return Family("fork", build)


def add(name: str = "") -> Family:
    """x₁ + … + xₙ : A ⊗ … ⊗ A → A."""
    return joining("add", name, total, same)


def total(xs: Sequence[Wire]) -> Wire:
    """x₁ + … + xₙ."""
    return sum(xs[1:], xs[0])


def concatenate(axis: int = -1, name: str = "") -> Family:
    """Arrays joined along an axis, the last when not given : A₁ ⊗ … ⊗ Aₙ → B."""
    along = checks.whole("the axis of concatenate", axis, -32, 31)

    def check(what: str, dom: Ty) -> None:
        ranks = {a.rank for a in dom}
        if len(ranks) != 1 or not -min(ranks) <= along < min(ranks):
            raise TypeMismatch(f"{what} joins arrays along axis {along}, and {dom} have no such axis in common: reshape them first")

    def joined(xs: Sequence[Wire]) -> Wire:
        return ops.concatenate(xs, along % xs[0].atom.rank)

    return joining("concatenate", name, joined, check)


def joining(kind: str, name: str, join: Callable[[Sequence[Wire]], Wire], check: Callable[[str, Ty], None]) -> Family:
    """A layer on several arrays at once."""
    what = titled(kind, name)

    def joined(*xs: Wire) -> Wire:
        return join(xs)

    def build(dom: Ty) -> Model:
        if not len(dom) or not all(isinstance(a, Array) for a in dom):
            raise TypeMismatch(f"{what} expects arrays side by side, such as lg.fork(f, g) gives, got {dom}")
        check(what, dom)
        return para(trace(joined, *(Ty((a,)) for a in dom)))

    return layer(kind, name, build)


def same(what: str, dom: Ty) -> None:
    """Refuse arrays of several types."""
    if len(set(dom)) > 1:
        raise TypeMismatch(f"{what} expects arrays of one type, got {dom}: a dense layer or a cast in front makes them equal")


def beside(layer: Layer) -> Family:
    """f ⊗ 1 : A ⊗ C → B ⊗ C for f : A → B: the first wire goes through the layer, the others stay."""

    def build(dom: Ty) -> Model:
        a = first_of("beside", dom)
        return member(layer, a, "beside") @ Ty(dom.atoms[1:])

    return Family("beside", build)


def masked(layer: Layer) -> Family:
    """A ⊗ M → B ⊗ M for f : A ⊗ M → B: the layer reads the mask (or adjacency) beside its input and hands it on."""

    def build(dom: Ty) -> Model:
        rest = Ty(dom.atoms[len(first_of("masked", dom)) :])
        fork = Diagram.wiring(dom, [*range(len(dom)), *range(1, len(dom))])
        return para(fork) >> (member(layer, dom, "masked") @ rest)

    return Family("masked", build)


def each(layer: Layer) -> Family:
    """f on every entry of the first axis : Aᵀ → Bᵀ for f : A → B, with one set of parameters: batching, written in a model."""

    def build(dom: Ty) -> Model:
        sizes = {a.shape[0] for a in dom if isinstance(a, Array | Key) and a.shape}
        if len(sizes) != 1 or not all(isinstance(a, Array | Key) and a.shape for a in dom):
            raise TypeMismatch(f"each expects wires with a first axis of one length, got {dom}")
        entry = Ty(tuple(a.with_shape(*a.shape[1:]) if isinstance(a, Array) else Key(a.shape[1:]) for a in dom))
        return batch(member(layer, entry, "each"), sizes.pop())

    return Family("each", build)
