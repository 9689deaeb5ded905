"""Losses that compare a prediction with a label of its own type, entry by entry, and losses of two embeddings.

`reduction` is part of the type: "mean" and "sum" give B → ℝ, "none" gives B → B, one loss for each entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.checks import number, positive
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn.losses.kind import Kind, numbers
from lensgrad.learn.losses.parts import Loss, check_reduction, entrywise, loss, reduced
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array


def squares(x: Any) -> Any:
    """Σ x²."""
    return ops.sum_over(x * x)


def half_squared_error(label: str = "y", metrics: Sequence[str] = ()) -> Loss:
    """½ Σ (b_p − b_t)² : B → ℝ; the paper's quadratic error, R = α (b_t − b_p, b_p − b_t)."""
    return loss("half_squared_error", label, lambda t, p: squares(p - t) * 0.5, metrics=metrics, kind=numbers)


def mse(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Loss:
    """(b_p − b_t)² : B → ℝ, the mean over the entries of one example."""
    return entrywise("mse", label, lambda t, p: (p - t) * (p - t), reduction, metrics, numbers)


def l1(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Loss:
    """|b_p − b_t| : B → ℝ, the mean over the entries of one example; no gradient where they are equal."""
    return entrywise("l1", label, lambda t, p: ops.absolute(p - t), reduction, metrics, numbers)


def huber(label: str = "y", metrics: Sequence[str] = (), delta: float = 1.0, reduction: str = "mean") -> Loss:
    """½ d² where |d| ≤ δ, else δ (|d| − δ/2), with d = b_p − b_t : B → ℝ, the mean over entries (Huber, 1964)."""
    edge = positive("huber's delta", delta)

    def formula(truth: Any, predicted: Any) -> Any:
        size = ops.absolute(predicted - truth)
        inside = ops.minimum(size, edge)
        # With q = min(|d|, δ) both branches are q (|d| − q/2), so nothing is chosen and nothing jumps.
        return inside * (size - inside * 0.5)

    return entrywise("huber", label, formula, reduction, metrics, numbers)


def smooth_l1(label: str = "y", metrics: Sequence[str] = (), beta: float = 1.0, reduction: str = "mean") -> Loss:
    """½ d² / β where |d| ≤ β, else |d| − β/2, with d = b_p − b_t : B → ℝ, the mean over entries: Huber's loss over its δ."""
    edge = positive("smooth_l1's beta", beta)

    def formula(truth: Any, predicted: Any) -> Any:
        size = ops.absolute(predicted - truth)
        inside = ops.minimum(size, edge)
        return inside * (size - inside * 0.5) * (1.0 / edge)

    return entrywise("smooth_l1", label, formula, reduction, metrics, numbers)


def quantile(label: str = "y", metrics: Sequence[str] = (), level: float = 0.5, reduction: str = "mean") -> Loss:
    """max(q d, (q − 1) d) with d = b_t − b_p and q = `level` : B → ℝ, the mean over entries (Koenker and Bassett, 1978).

    Its minimum is the q-quantile of the labels, the median with q = ½.
    """
    q = number("quantile's level", level, 0, 1)

    def formula(truth: Any, predicted: Any) -> Any:
        over = truth - predicted
        return over * q + ops.relu(-over)

    return entrywise("quantile", label, formula, reduction, metrics, numbers)


def poisson(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Loss:
    """e^z − t z : B → ℝ on the logarithms z of rates, the mean over entries; labels t are counts ≥ 0. ln t! is left out."""
    return entrywise("poisson", label, lambda t, z: ops.exp(z) - t * z, reduction, metrics, Kind("other", "count"))


def cosine_similarity(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Loss:
    """1 − ⟨b_p, b_t⟩ / (‖b_p‖ ‖b_t‖) along the last axis : ℝ^(*s, n) → ℝ, the mean over s; a vector of 0 is like none, with loss 1."""
    check_reduction("cosine_similarity", reduction)

    def formula(truth: Any, predicted: Any) -> Any:
        alike = ops.sum_over(unit(predicted) * unit(truth), -1)
        return reduced(1.0 - alike, reduction)

    def labels(dom: Ty) -> Ty:
        if len(dom) != 1 or not isinstance(dom[0], Array) or not dom[0].rank:
            raise TypeMismatch(f"cosine_similarity compares vectors along the last axis, and the model gives {dom}")
        return dom

    return loss("cosine_similarity", label, formula, labels, metrics, kind=Kind())


def unit(x: Any) -> Any:
    """x / ‖x‖ along the last axis; 0 stays 0."""
    length = root(ops.sum_over(x * x, -1))
    there = ops.select(length > 0.0, length, 1.0)
    return x / ops.spread(there, x.atom.shape, tuple(range(x.atom.rank - 1)))


def dot(label: str = "y", metrics: Sequence[str] = ()) -> Loss:
    """⟨b_t, b_p⟩ : B → ℝ; R = α (b_p, b_t), which does not read the prediction (arXiv 2404.00408, example 3.20 and section 4)."""
    return loss("dot", label, lambda t, p: ops.sum_over(t * p), metrics=metrics, kind=Kind())


def contrastive(label: str = "y", metrics: Sequence[str] = (), margin: float = 1.0) -> Loss:
    """t d² + (1 − t) max(0, margin − d)² : ℝⁿ × ℝⁿ → ℝ, with d the distance of two embeddings (Hadsell, Chopra and LeCun, 2006).

    The label t is 1 for a pair that belongs together and 0 for one that does not. Embeddings that coincide are not pushed.
    """
    edge = positive("contrastive's margin", margin)

    def formula(truth: Any, pair: Any) -> Any:
        square = squares(pair[0] - pair[1])
        gap = ops.maximum(edge - root(square), 0.0)
        return truth * square + (1.0 - truth) * gap * gap

    return loss("contrastive", label, formula, lambda dom: scalar(equal_pair("contrastive", dom)), metrics, kind=Kind("other", "share"))


def root(square: Any) -> Any:
    """√x, with the gradient 0 at 0."""
    away = square > 0.0
    return ops.select(away, ops.sqrt(ops.select(away, square, 1.0)), 0.0)


def equal_pair(name: str, dom: Ty) -> Array:
    """The type of both of two embeddings."""
    if len(dom) != 2 or dom[0] != dom[1] or not isinstance(dom[0], Array) or not dom[0].floating:
        raise TypeMismatch(f"{name} compares two embeddings of one type, got {dom}: end the model with both of them, side by side")
    return dom[0]


def scalar(atom: Array) -> Ty:
    """ℝ, in the dtype of an array."""
    return Ty((atom.with_shape(),))


def xor(label: str = "y", metrics: Sequence[str] = ()) -> Loss:
    """b_t + b_p : Z2ⁿ → Z2ⁿ, whose reverse is (α, α) (arXiv 2101.10488)."""

    def over_bits(*_: Any) -> Any:
        raise BadValue("accuracy is for arrays; over bits the loss itself counts errors")

    return loss("xor", label, lambda t, p: p + t, metrics=metrics, measures={"accuracy": over_bits}, kind=Kind())
