"""Losses of logits, whose labels are classes, probabilities or sides of a boundary.

`reduction` is part of the type: on logits ℝ^(*s, n), "mean" and "sum" give B → ℝ, "none" gives B → ℝ^s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn.losses.distance import above_zero, root, squares
from lensgrad.learn.losses.parts import agreement, check_reduction, entrywise, loss, reduced, tokens
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array


def cross_entropy(
    label: str = "y", metrics: Sequence[str] = (), labels: str = "index", mask: str = "", smoothing: float = 0.0, reduction: str = "mean"
) -> Family:
    """−Σ b_t log softmax(b_p) : ℝ^(*s, n) → ℝ on logits, the mean over s; the label is a class number at each of s.

    labels="probabilities" takes one distribution (soft labels, or a unit vector) at each of s instead. With `smoothing` ε the
    label b_t counts as (1 − ε) b_t + ε/n (arXiv 1512.00567). `mask` names truth values bool^s beside the labels: what they mark
    as false counts neither in the loss nor in the metrics. They may also come with the logits, as a second wire of the model.
    Where nothing counts the loss is 0.
    """
    if labels not in ("index", "probabilities"):
        raise BadValue(f"labels are 'index' or 'probabilities', got '{labels}'")
    if not isinstance(smoothing, int | float) or not 0 <= smoothing <= 1:
        raise BadValue(f"cross_entropy's smoothing is a share from 0 to 1, got {smoothing!r}")
    check_reduction("cross_entropy", reduction)

    def formula(truth: Any, logits: Any, *shown: Any) -> Any:
        n = logits.atom.shape[-1]
        weights = ops.one_hot(truth, n, logits.atom.dtype) if labels == "index" else truth
        weights = weights * (1.0 - smoothing) + smoothing / n if smoothing else weights
        return reduced(-ops.sum_over(weights * ops.log_softmax(logits), -1), reduction, *shown)

    return tokens("cross_entropy", label, mask, formula, of_class if labels == "index" else same, metrics)


def kl_divergence(label: str = "y", metrics: Sequence[str] = (), mask: str = "", reduction: str = "mean") -> Family:
    """Σ b_t (log b_t − log softmax(b_p)) : ℝ^(*s, n) → ℝ on logits, the mean over s; the label is one distribution at each of s.

    Its gradient to the logits is that of cross entropy; where a label is 0 it counts as 0 · log 0 = 0.
    """
    check_reduction("kl_divergence", reduction)

    def formula(truth: Any, logits: Any, *shown: Any) -> Any:
        there = truth > 0.0
        own = ops.select(there, truth * ops.log(ops.select(there, truth, 1.0)), 0.0)
        return reduced(ops.sum_over(own - truth * ops.log_softmax(logits), -1), reduction, *shown)

    return tokens("kl_divergence", label, mask, formula, same, metrics)


def binary_cross_entropy(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Family:
    """−t log σ(z) − (1 − t) log(1 − σ(z)) : ℝ^s → ℝ on logits z, the mean over s; labels t are numbers from 0 to 1."""
    # A logit is positive where its probability is above ½.
    right = {"accuracy": lambda t, z: agreement(t > 0.5, z > 0.0)}
    return entrywise("binary_cross_entropy", label, logistic_entropy, reduction, metrics, right)


def logistic_entropy(truth: Any, logits: Any) -> Any:
    """−t log σ(z) − (1 − t) log(1 − σ(z)), entry by entry."""
    # ln(1 + e^z) from its larger part, and max shares at 0, so the gradient is σ(z) − t everywhere.
    return ops.maximum(logits, 0.0) + ops.log1p(ops.exp(-ops.absolute(logits))) - truth * logits


def hinge(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Family:
    """max(0, 1 − t z) : ℝ^s → ℝ on scores z, the mean over s; labels t are −1 or 1. No gradient at the margin itself.

    With a penalty on the weights it is the support vector machine (Cortes and Vapnik, 1995).
    """
    right = {"accuracy": lambda t, z: agreement(t > 0.0, z > 0.0)}
    return entrywise("hinge", label, lambda t, z: ops.relu(1.0 - t * z), reduction, metrics, right)


def info_nce(label: str = "y", metrics: Sequence[str] = (), temperature: float = 0.07) -> Family:
    """Cross entropy of cosine similarities over a temperature : ℝᵈ × ℝ^(n, d) → ℝ (arXiv 1807.03748).

    The model gives a query and n candidates; the label is the number of the candidate that belongs to it.
    """
    warmth = above_zero("info_nce's temperature", temperature)

    def similarity(pair: Any) -> Any:
        query, rows = (unit(x) for x in pair)
        return ops.matmul(rows, query) * (1.0 / warmth)

    def formula(truth: Any, pair: Any) -> Any:
        scores = similarity(pair)
        return -ops.sum_over(ops.one_hot(truth, scores.atom.shape[0], scores.atom.dtype) * ops.log_softmax(scores))

    def accurate(truth: Any, pair: Any) -> Any:
        scores = similarity(pair)
        return ops.cast(ops.equal(ops.argmax(scores), truth), scores.atom.dtype)

    return loss("info_nce", label, formula, candidates, metrics, {"accuracy": accurate})


def candidates(dom: Ty) -> Ty:
    """The label of a query and its candidates: a whole number."""
    fits = len(dom) == 2 and all(isinstance(a, Array) and a.floating for a in dom) and dom[1].rank == 2
    if not fits or dom[1].shape[1:] != dom[0].shape or dom[0].dtype != dom[1].dtype:
        raise TypeMismatch(f"info_nce wants a query f32[d] and candidates f32[n,d] beside it, got {dom}")
    return Ty((Array((), "int32"),))


def unit(x: Any) -> Any:
    """x / ‖x‖ along the last axis; 0 stays 0."""
    length = root(squares(x)) if x.atom.rank == 1 else root(ops.sum_over(x * x, -1))
    there = ops.select(length > 0.0, length, 1.0)
    return x / ops.spread(there, x.atom.shape, tuple(range(x.atom.rank - 1)))


def of_class(logits: Array) -> Array:
    """The label that is a class number: I32^s for logits ℝ^(*s, n)."""
    return logits.with_shape(*logits.shape[:-1]).with_dtype("int32")


def same(logits: Array) -> Array:
    """The label of the type of the logits."""
    return logits
