"""Linear maps, biases, activations, and how layers are put one after the other."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import Param
from lensgrad.cat.para import Body, Para, para, parametric
from lensgrad.core.diagram import Diagram, Family, at
from lensgrad.core.errors import BadValue, Piece, TypeMismatch, caller, listed
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real

ACTIVATIONS: dict[str, Family] = {
    "exp": ops.exp,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "softmax": ops.softmax,
    "tanh": ops.tanh,
}


def activation_named(name: str | Family) -> Family:
    """An activation by name, or as it is."""
    if isinstance(name, Family):
        return name
    if name not in ACTIVATIONS:
        raise BadValue(f"'{name}' is no activation; use one of {listed(sorted(ACTIVATIONS))}, or any arrow A → B")
    return ACTIVATIONS[name]


def weight(label: str, ob: Ty, start: init.Init) -> Param:
    """A weight with its initializer."""
    return Param(label, ob, init=start(ob))


def linear(inputs: int, outputs: int, dtype: str = "float32", start: init.Init = init.glorot) -> Para:
    """W x : ℝᵃ → ℝᵇ with W : ℝ^(b×a) (arXiv 2404.00408, linear layer)."""
    return parametric([weight("weight", Real(outputs, inputs, dtype=dtype), start)], Real(inputs, dtype=dtype), lambda w, x: w @ x)


def bias(size: int, dtype: str = "float32", start: init.Init = init.zeros) -> Para:
    """x + β : ℝᵇ → ℝᵇ."""
    ob = Real(size, dtype=dtype)
    return parametric([weight("bias", ob, start)], ob, lambda b, x: x + b)


def boxed(body: Para, kind: str, name: str, piece: Piece) -> Para:
    """A layer as one named box, its parameters under `name/` when there is a name."""
    found = body.body
    arrow = found.arrow.define(name or kind)
    made = Para(body.dom, body.cod, Body(found.params, arrow, found.observables), piece=piece)
    return made.scope(name) if name else made


def dense(
    *sizes: int,
    activation: str | Family | None = None,
    name: str = "",
    use_bias: bool = True,
    weights: init.Init = init.glorot,
    dtype: str = "float32",
) -> Any:
    """σ(W x + β) : ℝᵃ → ℝᵇ, as dense(a, b), or as the family dense(b) that infers a and the dtype (arXiv 2404.00408, eq. 12).

    W has shape (b, a) and starts as `weights` says (Glorot), β starts at 0.
    """
    if len(sizes) not in (1, 2) or any(type(n) is not int or n < 1 for n in sizes):
        raise BadValue(f"dense wants dense(outputs) or dense(inputs, outputs) with whole numbers ≥ 1, got dense{sizes}")
    piece = Piece("" if name else "dense", caller(), "dense({}, …)", "dense(…, {})")
    act = None if activation is None else activation_named(activation)

    def build(inputs: int, kind: str) -> Para:
        body = linear(inputs, sizes[-1], kind, weights)
        body = body >> bias(sizes[-1], kind) if use_bias else body
        return boxed(body >> act if act is not None else body, "dense", name, piece)

    if len(sizes) == 2:
        return build(sizes[0], dtype)

    def infer(dom: Ty) -> Para:
        x = one_array("dense", dom)
        if x.rank != 1:
            raise TypeMismatch(f"{name or 'dense'}({sizes[0]}) wants one axis of features, got {x}: put lg.flatten() before it")
        return build(x.shape[0], x.dtype)

    return Family(name or "dense", infer)


def one_array(what: str, dom: Ty) -> Array:
    """The only input, an array of floats."""
    if len(dom) != 1 or not isinstance(dom[0], Array) or not dom[0].floating:
        raise TypeMismatch(f"{what} wants one array of floats, got {dom}")
    return dom[0]


def flatten() -> Family:
    """Any shape → one axis, row-major."""
    return ops.flatten


def input(*shape: int, dtype: str = "float32") -> Para:
    """The identity on ℝ^shape: how a model says what it takes."""
    return para(Diagram.id(Real(*shape, dtype=dtype)).named("input", caller(), "lg.input({})", "lg.input({})"))


def sequential(*layers: Any) -> Any:
    """layers[0] >> layers[1] >> …, families included."""
    if not layers:
        raise BadValue("sequential wants at least one layer")
    result = para(layers[0])
    for layer in layers[1:]:
        result = result >> para(at(layer, result.cod) if not isinstance(result, Family) else layer)
    return result
