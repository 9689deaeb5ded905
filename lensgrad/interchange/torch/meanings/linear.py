# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Products of matrices, and attention."""

from __future__ import annotations

import math
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.shapes import spread_to
from lensgrad.interchange.torch.meanings.call import Out, Table, refused
from lensgrad.learn.layers.attention import HIDDEN
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full

LETTERS = "abcdefgh"


def mapped(out: Out, x: Wire, weight: Wire, bias: Wire | None = None) -> Wire:
    """x Wᵀ + β along the last axis."""
    front = LETTERS[: x.atom.rank - 1]
    one = weight.atom.rank == 1
    y = ops.einsum(f"{front}i,i->{front}" if one else f"{front}i,oi->{front}o", x, weight)
    return y if bias is None else y + spread_to(bias, y.atom.shape)


def product(out: Out, x: Wire, y: Wire) -> Wire:
    """Matrices, vectors, and equally many matrices one by one."""
    specs = {(1, 1): "i,i->", (2, 1): "ij,j->i", (1, 2): "i,ij->j", (2, 2): "ij,jk->ik", (3, 3): "bij,bjk->bik"}
    spec = specs.get((x.atom.rank, y.atom.rank))
    if spec is None:
        raise refused(f"a product of {x.atom} and {y.atom} has no meaning")
    return ops.einsum(spec, x, y)


def added(out: Out, bias: Wire, x: Wire, y: Wire, beta: Any = 1, alpha: Any = 1) -> Wire:
    """β b + α x y."""
    found, start = product(out, x, y), spread_to(bias, out.shape)
    return (start if beta == 1 else start * beta) + (found if alpha == 1 else found * alpha)


def trilinear(out: Out, x: Wire, y: Wire, z: Wire, first: Any, second: Any, third: Any, summed: Any, unrolled: int = 1) -> Wire:
    """Σ x y z over some axes, each with axes of size 1 put in."""
    rank = x.atom.rank + len(first)
    letters = LETTERS[:rank]
    terms = ["".join(s for k, s in enumerate(letters) if k not in {a % rank for a in new}) for new in (first, second, third)]
    kept = "".join(s for k, s in enumerate(letters) if k not in {a % rank for a in summed})
    return ops.reshape(ops.einsum(f"{','.join(terms)}->{kept}", x, y, z), *out.shape)


def attention(
    out: Out,
    query: Wire,
    key: Wire,
    value: Wire,
    attn_mask: Wire | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Wire:
    """softmax(Q Kᵀ · scale) V; rows in which nothing is seen give 0."""
    if dropout_p:
        raise refused("attention that drops entries has no meaning: give dropout_p=0, as a module in eval mode does")
    if enable_gqa:
        group = query.atom.shape[-3] // key.atom.shape[-3]
        key, value = (ops.repeat(v, group, v.atom.rank - 3) for v in (key, value))
    front = LETTERS[: query.atom.rank - 2]
    by = 1.0 / math.sqrt(query.atom.shape[-1]) if scale is None else float(scale)
    scores = ops.einsum(f"{front}ti,{front}si->{front}ts", query, key) * by
    return ops.einsum(f"{front}ts,{front}si->{front}ti", seen(scores, attn_mask, is_causal), value)


def seen(scores: Wire, mask: Wire | None, causal: bool) -> Wire:
    """Softmax over the last axis of what a mask leaves."""
    shape = scores.atom.shape
    there = ops.tril(full(True, Array(shape[-2:], "bool"))) if causal else None
    if mask is not None and mask.atom.dtype != "bool":
        wide = spread_to(ops.cast(mask, scores.atom.dtype), shape)
        scores, mask = scores + ops.clamp(wide, HIDDEN, math.inf), wide > HIDDEN
    for shown in (there, mask):
        if shown is not None:
            scores = ops.select(spread_to(shown, shape), scores, HIDDEN)
    parts = ops.exp(ops.log_softmax(scores))
    return parts if mask is None else ops.select(spread_to(mask, shape), parts, 0.0)


def distances(out: Out, x: Wire, y: Wire, p: float, mode: Any = None) -> Wire:
    """‖xᵢ − yⱼ‖ of all pairs of rows, in the norm of order 1, 2 or infinity."""
    (*front, n, width), m = x.atom.shape, y.atom.shape[-2]
    rank = len(front) + 3
    kept = [*range(rank - 3), rank - 1]
    shape = (*front, n, m, width)
    left, right = ops.spread(x, shape, sorted({*kept, rank - 3})), ops.spread(y, shape, sorted({*kept, rank - 2}))
    return ops.norm(left - right, rank - 1, int(p) if p in (1, 2) else p)


TABLE: Table = {
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "matmul"), product),
    **dict.fromkeys(("addmm", "baddbmm", "addmv"), added),
    "linear": mapped,
    "_trilinear": trilinear,
    "_cdist_forward": distances,
    "scaled_dot_product_attention": attention,
}
