"""Losses: parametric arrows B → L whose parameter is the label (arXiv 2404.00408, section 3.2).

Each is a family: it meets the prediction's type in `model >> loss("y")`. Beside its result each reports the observable
`loss`, and any metrics asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array

Formula = Callable[[Any, Any], Any]  # (label, prediction) ↦ loss


def loss(name: str, label: str, formula: Formula, labels: Callable[[Ty], Ty] = lambda b: b, metrics: Sequence[str] = ()) -> Family:
    """The family of `formula`, with the label as a parameter of role data."""
    def at(dom: Ty) -> Para:
        target = labels(dom)

        def body(truth: Any, predicted: Any) -> Any:
            value = formula(truth, predicted)
            return value, value, *(metric(m)(truth, predicted) for m in metrics)

        arrow = trace(body, target, dom)
        made = trace(formula, target, dom).cod
        seen = [("loss", made), *((m, Ty((a,))) for m, a in zip(metrics, arrow.cod.atoms[2 * len(made) :], strict=True))]
        return Para.make([Param(label, target, Role.DATA)], arrow, made, seen).told(name)

    return Family(name, at)


def half_squared_error(label: str = "y", metrics: Sequence[str] = ()) -> Family:
    """½ Σ (b_p − b_t)² : B → ℝ; the paper's quadratic error, R = α (b_t − b_p, b_p − b_t)."""
    return loss("half_squared_error", label, lambda t, p: squares(p - t) * 0.5, metrics=metrics)


def mse(label: str = "y", metrics: Sequence[str] = ()) -> Family:
    """mean (b_p − b_t)² : B → ℝ, over the entries of one example."""
    return loss("mse", label, lambda t, p: ops.mean_over((p - t) * (p - t)), metrics=metrics)


def cross_entropy(label: str = "y", metrics: Sequence[str] = (), labels: str = "index") -> Family:
    """−Σ b_t log softmax(b_p) : ℝⁿ → ℝ on logits; the label is a class number, or probabilities with labels="probabilities"."""
    if labels not in ("index", "probabilities"):
        raise BadValue(f"labels are 'index' or 'probabilities', got '{labels}'")

    def formula(truth: Any, logits: Any) -> Any:
        weights = ops.one_hot(truth, logits.atom.shape[-1], logits.atom.dtype) if labels == "index" else truth
        return -ops.sum_over(weights * ops.log_softmax(logits))

    def index(dom: Ty) -> Ty:
        if len(dom) != 1 or dom[0].rank != 1:
            raise TypeMismatch(f"cross_entropy wants logits with one axis of classes, got {dom}")
        return Ty((Array((), "int32"),)) if labels == "index" else dom

    return loss("cross_entropy", label, formula, index, metrics)


def xor(label: str = "y", metrics: Sequence[str] = ()) -> Family:
    """b_t + b_p : Z2ⁿ → Z2ⁿ, whose reverse is (α, α) (arXiv 2101.10488)."""
    return loss("xor", label, lambda t, p: p + t, metrics=metrics)


def squares(x: Any) -> Any:
    """Σ x²."""
    return ops.sum_over(x * x)


def accuracy(truth: Any, predicted: Any) -> Any:
    """1 where the largest prediction is the class of the label (a number, one-hot, or one score: its sign of ½)."""
    if isinstance(predicted.atom, Vector):
        raise BadValue("accuracy is for arrays; over bits the loss itself counts errors")
    found = ops.argmax(predicted)
    wanted = truth if not truth.atom.floating else ops.argmax(truth)
    return ops.cast(ops.equal(found, wanted), predicted.atom.dtype)


METRICS: dict[str, Formula] = {"accuracy": accuracy}


def metric(name: str) -> Formula:
    """A metric by name."""
    if name not in METRICS:
        raise BadValue(f"'{name}' is no metric; use one of {listed(sorted(METRICS))}")
    return METRICS[name]

