"""Linear maps, biases, and layers that only move entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack, overload

from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, Piece, TypeMismatch, caller
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.own import Activation
from lensgrad.learn.layers.parts import FOREIGN, boxed, one_array, one_whole, titled, weight, whole
from lensgrad.learn.model import Model, para, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Real


@in_words(FOREIGN)
def linear(inputs: int, outputs: int, dtype: str = "float32", start: init.Init = init.glorot) -> Model:
    """W x : ℝᵃ → ℝᵇ with W : ℝ^(b×a) (arXiv 2404.00408, linear layer)."""
    a, b = whole("linear", inputs=inputs, outputs=outputs)
    return parametric([weight("weight", Real(b, a, dtype=dtype), start)], Real(a, dtype=dtype), lambda w, x: w @ x)


@in_words(FOREIGN)
def bias(size: int, dtype: str = "float32", start: init.Init = init.zeros) -> Model:
    """x + β : ℝᵇ → ℝᵇ."""
    ob = Real(one_whole("bias", size=size), dtype=dtype)
    return parametric([weight("bias", ob, start)], ob, lambda b, x: x + b)


class Dense(TypedDict, total=False):
    """What dense takes by name, beside its activation."""

    name: str
    use_bias: bool
    weights: init.Init
    dtype: str


@overload
def dense(inputs: int, outputs: int, /, *, activation: Activation | None = None, **how: Unpack[Dense]) -> Model: ...
@overload
def dense(inputs: int, outputs: int, activation: Activation, /, **how: Unpack[Dense]) -> Model: ...
@overload
def dense(outputs: int, /, *, activation: Activation | None = None, **how: Unpack[Dense]) -> Family: ...
@overload
def dense(outputs: int, activation: Activation, /, **how: Unpack[Dense]) -> Family: ...
@in_words(FOREIGN)
def dense(
    *sizes: Any,
    activation: Any = None,
    name: str = "",
    use_bias: bool = True,
    weights: init.Init = init.glorot,
    dtype: str = "float32",
) -> Model | Family:
    """σ(W x + β) : ℝᵃ → ℝᵇ, as dense(a, b), or as the family dense(b) that infers a and the dtype (arXiv 2404.00408, eq. 12).

    W has shape (b, a) and starts as `weights` says (Glorot), β starts at 0. The activation may stand behind the sizes:
    dense(b, "relu").
    """
    given, activation = with_activation(sizes, activation)
    counts = dense_sizes(given)
    use_bias = checks.flag("use_bias", use_bias)
    title, act = titled("dense", name), None if activation is None else activation_named(activation)
    piece = Piece("" if name else "dense", caller(), "dense({}, …)", "dense(…, {})")

    def build(inputs: int, kind: str) -> Model:
        body = linear(inputs, counts[-1], kind, weights)
        body = body >> bias(counts[-1], kind) if use_bias else body
        return boxed(body >> act if act is not None else body, "dense", name, piece)

    if len(counts) == 2:
        return build(counts[0], dtype)

    def infer(dom: Ty) -> Model:
        x = one_array(title, dom)
        if x.rank != 1:
            fix = "put lg.flatten() before it, or write lg.each(lg.dense(…)) for one result a row"
            raise TypeMismatch(f"{title}({counts[0]}) expects one axis of features, got {x}: {fix}")
        return build(x.shape[0], x.dtype)

    return Family(title, infer)


def with_activation(sizes: tuple[Any, ...], activation: Any) -> tuple[tuple[Any, ...], Any]:
    """The sizes, and an activation that stands behind them."""
    *front, last = sizes or (None,)
    if not front or not (isinstance(last, str | Family) or callable(last)):
        return sizes, activation
    if activation is not None:
        raise BadValue(f"dense takes one activation, got {checks.shown(last)} behind its sizes and activation={checks.shown(activation)}")
    return tuple(front), last


def dense_sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """One or two whole numbers."""
    if len(sizes) not in (1, 2) or any(not checks.is_whole(n) or n < 1 for n in sizes):
        given = ", ".join(map(checks.shown, sizes))
        raise BadValue(f"dense expects dense(outputs) or dense(inputs, outputs) with whole numbers ≥ 1, got dense({given})")
    return tuple(map(int, sizes))


flatten = ops.flatten


def reshape(*shape: int | Sequence[int]) -> Family:
    """The same entries, row-major, in another shape; one -1 is computed."""
    given = shape[0] if len(shape) == 1 and checks.is_group(shape[0]) else shape
    sizes = tuple(checks.whole("a size in reshape", n, -1) for n in given)
    if sizes.count(-1) > 1:
        raise BadValue(f"reshape computes one size, and {sizes} leaves {sizes.count(-1)} open")

    def reshaped(x: Wire) -> Wire:
        return ops.reshape(x, *sizes)

    return Family("reshape", lambda dom: trace(reshaped, dom))


def input(*shape: int | Sequence[int], dtype: str = "float32") -> Model:
    """The identity on ℝ^shape: how a model says what it takes. The shape may be given as one tuple."""
    return para(Diagram.id(Real(*shape, dtype=dtype)).named("input", caller(), "lg.input({})", "lg.input({})"))
