"""Linear maps, biases, and layers that only move entries."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.para import Para, para, parametric
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, Piece, TypeMismatch, caller
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.parts import boxed, one_array, weight
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Real


def linear(inputs: int, outputs: int, dtype: str = "float32", start: init.Init = init.glorot) -> Para:
    """W x : ℝᵃ → ℝᵇ with W : ℝ^(b×a) (arXiv 2404.00408, linear layer)."""
    return parametric([weight("weight", Real(outputs, inputs, dtype=dtype), start)], Real(inputs, dtype=dtype), lambda w, x: w @ x)


def bias(size: int, dtype: str = "float32", start: init.Init = init.zeros) -> Para:
    """x + β : ℝᵇ → ℝᵇ."""
    ob = Real(size, dtype=dtype)
    return parametric([weight("bias", ob, start)], ob, lambda b, x: x + b)


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
            fix = "put lg.flatten() before it, or write lg.each(lg.dense(…)) for one result a row"
            raise TypeMismatch(f"{name or 'dense'}({sizes[0]}) wants one axis of features, got {x}: {fix}")
        return build(x.shape[0], x.dtype)

    return Family(name or "dense", infer)


def flatten() -> Family:
    """Any shape → one axis, row-major."""
    return ops.flatten


def reshape(*shape: int) -> Family:
    """The same entries, row-major, in another shape; one -1 is computed."""
    return Family("reshape", lambda dom: trace(lambda x: ops.reshape(x, *shape), dom))


def input(*shape: int, dtype: str = "float32") -> Para:
    """The identity on ℝ^shape: how a model says what it takes."""
    return para(Diagram.id(Real(*shape, dtype=dtype)).named("input", caller(), "lg.input({})", "lg.input({})"))
