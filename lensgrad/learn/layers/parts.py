"""What layers are made of: weights and states, one named box, and the checks of the wire they meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Body, Para
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, Piece, TypeMismatch, caller
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real

Predict = Callable[[Ty], Diagram]  # for the layer's input object, P ⊗ A → B ⊗ O as it predicts


def weight(label: str, ob: Ty, start: init.Init) -> Param:
    """A weight with its initializer."""
    return Param(label, ob, init=start(ob))


def state(label: str, ob: Ty, start: init.Init) -> Param:
    """A state with its first value; an observable of the same label writes it."""
    return Param(label, ob, Role.STATE, start(ob))


def boxed(body: Para, kind: str, name: str, piece: Piece, predict: Diagram | None = None) -> Para:
    """A layer as one named box, its parameters under `name/` when there is a name."""
    found = body.body
    arrow = found.arrow.define(name or kind, predict)
    made = Para(body.dom, body.cod, Body(found.params, arrow, found.observables), piece=piece)
    return made.scope(name) if name else made


def layer(kind: str, name: str, build: Callable[[Ty], Para], predict: Predict | None = None) -> Family:
    """A layer that is built when it meets its type: one box, remembering where it was written."""
    piece = Piece("" if name else kind, caller())

    def at(dom: Ty) -> Para:
        return boxed(build(dom), kind, name, piece, None if predict is None else predict(dom))

    return Family(name or kind, at)


def one_array(what: str, dom: Ty) -> Array:
    """The only input, an array of floats."""
    if len(dom) != 1 or not isinstance(dom[0], Array) or not dom[0].floating:
        raise TypeMismatch(f"{what} wants one array of floats, got {dom}")
    return dom[0]


def ranked(what: str, dom: Ty, axes: Sequence[str], fix: str = "") -> Array:
    """The only input, an array of floats with these axes."""
    x = one_array(what, dom)
    if x.rank != len(axes):
        raise TypeMismatch(f"{what} wants an array of axes ({', '.join(axes)}), got {x}{fix and ': '}{fix}")
    return x


def with_mask(what: str, dom: Ty, axes: Sequence[str]) -> tuple[Array, bool]:
    """A sequence, and whether a mask of one truth value a step stands beside it."""
    x = ranked(what, Ty(dom.atoms[:1]), axes)
    masks = dom.atoms[1:]
    if masks and masks != (Array(x.shape[:1], "bool"),):
        raise TypeMismatch(f"{what} wants a mask bool[{x.shape[0]}] beside {x}, one truth value a step, got {Ty(masks)}")
    return x, bool(masks)


def whole(what: str, **counts: Any) -> None:
    """Refuse sizes that are not whole numbers ≥ 1."""
    for name, n in counts.items():
        if type(n) is not int or n < 1:
            raise BadValue(f"{what} wants {name} to be a whole number ≥ 1, got {n!r}")


def last(x: Array, n: int | None = None) -> Ty:
    """ℝⁿ in the dtype of x; n is the size of its last axis when not given."""
    return Real(x.shape[-1] if n is None else n, dtype=x.dtype)


def fill(v: Any, x: Any) -> Any:
    """A vector along the last axis of x, the same at all others."""
    return ops.spread(v, x.atom.shape, (x.atom.rank - 1,))
