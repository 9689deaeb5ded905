"""Embeddings of whole numbers, and of positions."""

from __future__ import annotations

import math
from typing import Any

from lensgrad.core.calls import in_words
from lensgrad.core.checks import positive
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.parts import FOREIGN, layer, one_array, one_whole, ranked, titled, weight, whole
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.index import Iota

AXES = ("steps", "features")


@in_words(FOREIGN)
def embedding(vocabulary: int, width: int, weights: init.Init | None = None, dtype: str = "float32", name: str = "") -> Family:
    """k ↦ row k of W : {0, …, vocabulary−1}^s → ℝ^(*s, width), W : (vocabulary, width); numbers outside are clipped.

    W starts normal with standard deviation 1/√width. Its transpose may be the output layer too: name this one `embed` and
    an `unembed` after it `out`, and reparameterize ("embed/weight", "out/weight") by the copy of one parameter.
    """
    what = titled("embedding", name)
    rows, columns = whole(what, vocabulary=vocabulary, width=width)
    start = init.normal(1.0 / math.sqrt(columns)) if weights is None else weights

    def build(dom: Ty) -> Model:
        if len(dom) != 1 or not isinstance(dom[0], Array) or dom[0].floating or dom[0].dtype == "bool":
            raise TypeMismatch(f"{what} expects whole numbers, such as lg.input({vocabulary}, dtype='int32'), got {dom}")
        return parametric([weight("weight", Real(rows, columns, dtype=dtype), start)], dom, ops.take)

    return layer("embedding", name, build)


@in_words(FOREIGN)
def unembed(vocabulary: int, weights: init.Init | None = None, name: str = "") -> Family:
    """W x : ℝ^(*s, width) → ℝ^(*s, vocabulary), scores of all tokens; W has the shape of an embedding's."""
    what = titled("unembed", name)
    rows = one_whole(what, vocabulary=vocabulary)

    def build(dom: Ty) -> Model:
        x = one_array(what, dom)
        if not x.rank:
            raise TypeMismatch(f"{what} expects an axis of features, got {x}")
        start = init.normal(1.0 / math.sqrt(x.shape[-1])) if weights is None else weights
        letters = "abcdefgh"[: x.rank - 1]
        table = weight("weight", Real(rows, x.shape[-1], dtype=x.dtype), start)
        return parametric([table], dom, lambda w, v: ops.einsum(f"{letters}i,vi->{letters}v", v, w))

    return layer("unembed", name, build)


def positions(steps: int, dtype: str) -> Any:
    """0, 1, …, steps−1 as floats, as a closed wire."""
    return ops.cast(Iota(steps)(), dtype)


def angles(steps: int, pairs: int, base: float, dtype: str) -> Any:
    """t / base^(j / pairs) at [t, j]: the angle of pair j at step t (arXiv 1706.03762, section 3.5)."""
    frequency = ops.exp(positions(pairs, dtype) * (-math.log(base) / pairs))
    return ops.einsum("t,j->tj", positions(steps, dtype), frequency)


def sinusoidal_positions(base: float = 10000.0, name: str = "") -> Family:
    """x + P : ℝ^(T, n) → ℝ^(T, n) with P[t, 2j] = sin(t / base^(2j/n)), P[t, 2j+1] = cos of it (arXiv 1706.03762)."""
    what = titled("sinusoidal_positions", name)
    turn = positive(f"the base of {what}", base)

    def build(dom: Ty) -> Model:
        x = ranked(what, dom, AXES)
        even(what, x.shape[-1])

        def body(v: Any) -> Any:
            by = angles(x.shape[0], x.shape[1] // 2, turn, x.dtype)
            return v + ops.reshape(ops.stack([ops.sin(by), ops.cos(by)], 2), *x.shape)

        return parametric([], dom, body)

    return layer("sinusoidal_positions", name, build)


def learned_positions(weights: init.Init | None = None, name: str = "") -> Family:
    """x + W : ℝ^(T, n) → ℝ^(T, n), one learned row a step; W starts normal with standard deviation 0.02."""
    what, start = titled("learned_positions", name), init.normal(0.02) if weights is None else weights

    def build(dom: Ty) -> Model:
        ranked(what, dom, AXES)
        return parametric([weight("weight", dom, start)], dom, lambda w, x: x + w)

    return layer("learned_positions", name, build)


def rotary_positions(base: float = 10000.0, name: str = "") -> Family:
    """Pairs (x₂ⱼ, x₂ⱼ₊₁) of step t turned by t / base^(2j/n) : ℝ^(T, *s, n) → same (arXiv 2104.09864, equation 34)."""
    what = titled("rotary_positions", name)
    turn = positive(f"the base of {what}", base)

    def build(dom: Ty) -> Model:
        x = one_array(what, dom)
        if x.rank < 2:
            raise TypeMismatch(f"{what} expects axes (steps, …, features), got {x}")
        even(what, x.shape[-1])
        return parametric([], dom, lambda v: rotated(v, turn))

    return layer("rotary_positions", name, build)


def rotated(x: Any, base: float = 10000.0) -> Any:
    """x : (T, *s, n) with the pairs of its last axis turned by their step."""
    steps, *middle, n = x.atom.shape
    pairs = ops.reshape(x, steps, *middle, n // 2, 2)
    a, b = (pairs[(*[slice(None)] * (len(middle) + 2), k)] for k in (0, 1))
    turn = ops.spread(angles(steps, n // 2, base, x.atom.dtype), a.atom.shape, (0, len(middle) + 1))
    c, s = ops.cos(turn), ops.sin(turn)
    return ops.reshape(ops.stack([a * c - b * s, a * s + b * c], len(middle) + 2), *x.atom.shape)


def even(what: str, n: int) -> None:
    if n % 2:
        raise BadValue(f"{what} turns pairs of features, and {n} is odd")
