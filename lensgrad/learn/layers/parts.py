"""What layers are made of: weights and states, one named box, and the checks of the wire they meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import Piece, TypeMismatch, caller
from lensgrad.core.trace import called
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.model import Model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Key, Real

Predict = Callable[[Ty], Diagram]  # for the layer's input object, P ⊗ A → B ⊗ O as it predicts
FOREIGN = {  # what arguments of layers are called elsewhere
    "units": "the number of outputs comes first, as in lg.dense(8)",
    "in_features": "sizes come first, as in lg.dense(4, 8)",
    "out_features": "sizes come first, as in lg.dense(4, 8)",
    "input_dim": "begin the model with lg.input(…)",
    "input_shape": "begin the model with lg.input(…)",
    "kernel_size": "it is kernel here",
    "pool_size": "it is size here, and comes first",
    "strides": "it is stride here",
    "dilation_rate": "it is dilation here",
    "out_channels": "it is filters here, and comes first",
    "in_channels": "leave it out: a layer sees how many channels its input has",
    "kernel_initializer": "it is weights here, such as weights=lg.he",
    "bias": "it is use_bias here, True or False",
    "input": "a layer stands in a row with others: lg.sequential(lg.input(…), …)",
    "p": "the rate comes first, as in lg.dropout(0.5)",
    "return_sequences": "it is last here: last=True gives the last step alone",
    "num_heads": "it is heads here, and comes first",
}


def weight(label: str, ob: Ty, start: init.Init) -> Param:
    """A weight with its initializer."""
    return Param(label, ob, init=first(label, start, ob))


def first(label: str, start: Any, ob: Ty) -> Diagram:
    """The arrow Key → A that an initializer gives."""
    fn = checks.function(f"the initializer of '{label}'", start, "a function such as lg.glorot or lg.normal(0.1)")
    made = called(fn, f"the initializer of '{label}'", [ob])
    if not isinstance(made, Diagram) or (made.dom, made.cod) != (Ty((Key(),)), ob):
        raise TypeMismatch(f"the initializer of '{label}' must give an arrow key →  {ob}, got {checks.shown(made)}")
    return made


def state(label: str, ob: Ty, start: init.Init) -> Param:
    """A state with its first value; an observable of the same label writes it."""
    return Param(label, ob, Role.STATE, first(label, start, ob))


def boxed(body: Para, kind: str, name: str, piece: Piece, predict: Diagram | None = None) -> Model:
    """A layer as one named box, its parameters under `name/` when there is a name."""
    found = body.body
    arrow = found.arrow.define(titled(kind, name), predict)
    made = Model(body.dom, body.cod, Body(found.params, arrow, found.observables), piece=piece)
    return made.scope(name) if name else made


def layer(kind: str, name: str, build: Callable[[Ty], Para], predict: Predict | None = None) -> Family:
    """A layer that is built when it meets its type: one box, remembering where it was written."""
    title, piece = titled(kind, name), Piece("" if name else kind, caller())

    if predict is not None:
        checks.function(f"predict of {title}", predict, "a function of the object that the layer meets")

    def at(dom: Ty) -> Model:
        made = build(dom)  # first, because it says what is wrong with the object
        quiet = None if predict is None else called(predict, f"predict of {title}", [dom])
        if quiet is not None:
            checks.instance(f"what {title} predicts with", quiet, Diagram, "an arrow")
        return boxed(made, kind, name, piece, quiet)

    return Family(title, at)


def one_array(what: str, dom: Ty) -> Array:
    """The only input, an array of floats."""
    if len(dom) != 1 or not isinstance(dom[0], Array) or not dom[0].floating:
        raise TypeMismatch(f"{what} expects one array of floats, got {dom}")
    return dom[0]


def ranked(what: str, dom: Ty, axes: Sequence[str], fix: str = "") -> Array:
    """The only input, an array of floats with these axes."""
    x = one_array(what, dom)
    if x.rank != len(axes):
        raise TypeMismatch(f"{what} expects an array of axes ({', '.join(axes)}), got {x}{fix and ': '}{fix}")
    return x


def with_mask(what: str, dom: Ty, axes: Sequence[str]) -> tuple[Array, bool]:
    """A sequence, and whether a mask of one truth value a step stands beside it."""
    x = ranked(what, Ty(dom.atoms[:1]), axes)
    masks = dom.atoms[1:]
    if masks and masks != (Array(x.shape[:1], "bool"),):
        raise TypeMismatch(f"{what} expects a mask bool[{x.shape[0]}] beside {x}, one truth value a step, got {Ty(masks)}")
    return x, bool(masks)


def titled(kind: str, name: Any) -> str:
    """What messages call a layer: its own name, checked, or its kind."""
    return kind if isinstance(name, str) and not name else checks.path(f"the name of {kind}", name)


def whole(what: str, *, least: int = 1, **counts: Any) -> tuple[int, ...]:
    """Sizes as whole numbers: `conv2d: filters must be a whole number ≥ 1, got 0`."""
    return tuple(checks.whole(f"{what}: {name}", n, least) for name, n in counts.items())


def one_whole(what: str, *, least: int = 1, **count: Any) -> int:
    """One size."""
    return whole(what, least=least, **count)[0]


def last(x: Array, n: int | None = None) -> Ty:
    """ℝⁿ in the dtype of x; n is the size of its last axis when not given."""
    return Real(x.shape[-1] if n is None else n, dtype=x.dtype)


def fill(v: Any, x: Any) -> Any:
    """A vector along the last axis of x, the same at all others."""
    return ops.spread(v, x.atom.shape, (x.atom.rank - 1,))
