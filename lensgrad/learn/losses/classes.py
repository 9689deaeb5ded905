"""Losses of logits, whose labels are classes, probabilities or sides of a boundary.

`reduction` is part of the type: on logits ℝ^(*s, n), "mean" and "sum" give B → ℝ, "none" gives B → ℝ^s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.checks import number, one_of, positive, whole
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn.losses.distance import unit
from lensgrad.learn.losses.kind import Kind, decisions
from lensgrad.learn.losses.parts import Loss, check_reduction, class_number, counts, entrywise, loss, reduced, tokens, weighed
from lensgrad.learn.losses.weights import ClassWeights, PositiveWeight, along, check_positive, check_weights, constants, weights_of
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array


def cross_entropy(
    label: str = "y",
    metrics: Sequence[str] = (),
    labels: str = "index",
    mask: str = "",
    smoothing: float = 0.0,
    reduction: str = "mean",
    class_weights: ClassWeights = None,
    ignore_index: int | None = None,
) -> Loss:
    """−Σ b_t log softmax(b_p) : ℝ^(*s, n) → ℝ on logits, the mean over s; the label is a class number at each of s.

    labels="probabilities" takes one distribution (soft labels, or a unit vector) at each of s instead. With `smoothing` ε the
    label b_t counts as (1 − ε) b_t + ε/n (arXiv 1512.00567). `mask` names truth values bool^s beside the labels: what they mark
    as false counts neither in the loss nor in the metrics. They may also come with the logits, as a second wire of the model.
    Where nothing counts the loss is 0.

    `class_weights` (n numbers, or a dict by class with 1 for the others) multiply the term of each class. `ignore_index` is a label
    that counts nowhere. With either of them the mean over a batch is PyTorch's: Σ w l / Σ w over all places of all its examples, with
    w the weight of the label and 0 where it is ignored. So the loss of one example depends on its batch, by Σ w only; `class_weight` of
    `fit` divides by the number of examples instead. On probabilities the mean is over s, whatever the weights.
    """
    one_of("what labels are", labels, ("index", "probabilities"))
    least = number("cross_entropy's smoothing", smoothing, 0, 1)
    check_reduction("cross_entropy", reduction)
    index = labels == "index"
    weights, ignored = check_weights(class_weights), None if ignore_index is None else checked_index(ignore_index, index)

    def formula(truth: Any, logits: Any, *shown: Any) -> Any:
        n = logits.atom.shape[-1]
        targets = ops.one_hot(truth, n, logits.atom.dtype) if index else truth
        smooth = targets * (1.0 - least) + least / n if least else targets
        table = None if weights is None else constants(weights_of(weights, n), logits.atom)
        terms = smooth * ops.log_softmax(logits) if table is None else smooth * ops.log_softmax(logits) * table
        values = -ops.sum_over(terms, -1)
        if not index or (table is None and ignored is None):
            return reduced(values, reduction, *shown)
        own = 1.0 if table is None else ops.sum_over(targets * table, -1)
        return weighed(values, own, counts(truth, ignored, logits.atom.dtype, *shown), reduction)

    return tokens("cross_entropy", label, mask, formula, class_number if index else same, metrics, ignored=ignored)


def checked_index(ignored: Any, index: bool) -> int:
    """The label that counts nowhere."""
    if not index:
        raise BadValue("ignore_index is a class number, and labels='probabilities' are none: use mask=… to leave places out")
    return whole("cross_entropy's ignore_index", ignored, -(2**31), 2**31 - 1)


def kl_divergence(label: str = "y", metrics: Sequence[str] = (), mask: str = "", reduction: str = "mean") -> Loss:
    """Σ b_t (log b_t − log softmax(b_p)) : ℝ^(*s, n) → ℝ on logits, the mean over s; the label is one distribution at each of s.

    Its gradient to the logits is that of cross entropy; where a label is 0 it counts as 0 · log 0 = 0.
    """
    check_reduction("kl_divergence", reduction)

    def formula(truth: Any, logits: Any, *shown: Any) -> Any:
        there = truth > 0.0
        own = ops.select(there, truth * ops.log(ops.select(there, truth, 1.0)), 0.0)
        return reduced(ops.sum_over(own - truth * ops.log_softmax(logits), -1), reduction, *shown)

    return tokens("kl_divergence", label, mask, formula, same, metrics)


def binary_cross_entropy(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean", pos_weight: PositiveWeight = None) -> Loss:
    """−p t log σ(z) − (1 − t) log(1 − σ(z)) : ℝ^s → ℝ on logits z, the mean over s; labels t are numbers from 0 to 1.

    p is `pos_weight`, by which a yes counts more (above 1) or less than a no: a number, or one for each label along the last axis.
    """
    heavier = None if pos_weight is None else check_positive(pos_weight)

    def formula(truth: Any, logits: Any) -> Any:
        return logistic_entropy(truth, logits) if heavier is None else weighted_entropy(truth, logits, along(heavier, logits.atom))

    return entrywise("binary_cross_entropy", label, formula, reduction, metrics, lambda z: decisions(z, "share", "sigmoid"))


def logistic_entropy(truth: Any, logits: Any) -> Any:
    """−t log σ(z) − (1 − t) log(1 − σ(z)), entry by entry."""
    # ln(1 + e^z) from its larger part, and max shares at 0, so the gradient is σ(z) − t everywhere.
    return ops.maximum(logits, 0.0) + ops.log1p(ops.exp(-ops.absolute(logits))) - truth * logits


def weighted_entropy(truth: Any, logits: Any, heavier: Any) -> Any:
    """−p t log σ(z) − (1 − t) log(1 − σ(z)), entry by entry: (1 − t) z + (1 + (p − 1) t) log(1 + e^−z)."""
    small = ops.maximum(-logits, 0.0) + ops.log1p(ops.exp(-ops.absolute(logits)))
    return (1.0 - truth) * logits + ((heavier - 1.0) * truth + 1.0) * small


def hinge(label: str = "y", metrics: Sequence[str] = (), reduction: str = "mean") -> Loss:
    """max(0, 1 − t z) : ℝ^s → ℝ on scores z, the mean over s; labels t are −1 or 1. No gradient at the margin itself.

    With a penalty on the weights it is the support vector machine (Cortes and Vapnik, 1995).
    """
    return entrywise("hinge", label, lambda t, z: ops.relu(1.0 - t * z), reduction, metrics, lambda z: decisions(z, "side"))


def info_nce(label: str = "y", metrics: Sequence[str] = (), temperature: float = 0.07) -> Loss:
    """Cross entropy of cosine similarities over a temperature : ℝᵈ × ℝ^(n, d) → ℝ (arXiv 1807.03748).

    The model gives a query and n candidates; the label is the number of the candidate that belongs to it.
    """
    warmth = positive("info_nce's temperature", temperature)

    def similarity(pair: Any) -> Any:
        query, rows = (unit(x) for x in pair)
        return ops.matmul(rows, query) * (1.0 / warmth)

    def formula(truth: Any, pair: Any) -> Any:
        scores = similarity(pair)
        return -ops.sum_over(ops.one_hot(truth, scores.atom.shape[0], scores.atom.dtype) * ops.log_softmax(scores))

    def accurate(truth: Any, pair: Any) -> Any:
        scores = similarity(pair)
        return ops.cast(ops.equal(ops.argmax(scores), truth), scores.atom.dtype)

    def kind(_: Any) -> Kind:
        return Kind("other", "class")

    return loss("info_nce", label, formula, candidates, metrics, {"accuracy": accurate}, kind)


def candidates(dom: Ty) -> Ty:
    """The label of a query and its candidates: a whole number."""
    fits = len(dom) == 2 and all(isinstance(a, Array) and a.floating for a in dom) and dom[1].rank == 2
    if not fits or dom[1].shape[1:] != dom[0].shape or dom[0].dtype != dom[1].dtype:
        raise TypeMismatch(f"info_nce expects a query f32[d] and candidates f32[n,d] beside it, got {dom}")
    return Ty((Array((), "int32"),))


def same(logits: Array) -> Array:
    """The label of the type of the logits."""
    return logits
