"""Losses: parametric arrows B → L whose parameter is the label (arXiv 2404.00408, section 3.2).

Each is a family: it meets the prediction's type in `model >> loss("y")`. Beside its result each reports the observable
`loss`, and any metrics asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def loss(
    name: str,
    label: str,
    formula: Formula,
    labels: Callable[[Ty], Ty] | None = None,
    metrics: Sequence[str] = (),
    measures: Mapping[str, Formula] | None = None,
) -> Family:
    """The family of `formula`, with the label as a parameter of role data, of the type of the one array it is compared with unless
    `labels` says otherwise; `measures` are its own metrics by name."""
    measure = {m: (measures or {}).get(m) or metric(m) for m in metrics}

    def at(dom: Ty) -> Para:
        if labels is None and len(dom) != 1:
            told = "give a dict of losses by output; behind lg.gaussian_sample the loss is lg.elbo"
            raise TypeMismatch(f"{name} compares one array with its label, and the model gives {dom}: {told}")
        target = dom if labels is None else labels(dom)

        def body(truth: Any, predicted: Any) -> Any:
            value = formula(truth, predicted)
            return value, value, *(measure[m](truth, predicted) for m in metrics)

        arrow = trace(body, target, dom)
        made = trace(formula, target, dom).cod
        seen = [("loss", made), *((m, Ty((a,))) for m, a in zip(metrics, arrow.cod.atoms[2 * len(made) :], strict=True))]
        return Para.make([Param(label, target, Role.DATA)], arrow, made, seen).told(name)

    return Family(name, at)


REDUCTIONS = ("mean", "none", "sum")  # of the losses of one example


def check_reduction(name: str, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise BadValue(f"'{reduction}' is no reduction of {name}; use one of {listed(REDUCTIONS)}")


def entrywise(
    name: str, label: str, formula: Formula, reduction: str, metrics: Sequence[str], measures: Mapping[str, Formula] | None = None
) -> Family:
    """The family of a loss for each entry, reduced; the label is of the type of the prediction."""
    check_reduction(name, reduction)
    return loss(name, label, lambda t, p: reduced(formula(t, p), reduction), metrics=metrics, measures=measures)


def reduced(values: Any, reduction: str, *shown: Any) -> Any:
    """The mean or the sum of values, or the values; of those that are shown if there is a mask, the others being 0."""
    kept = ops.select(shown[0], values, 0.0) if shown else values
    if reduction != "mean":
        return ops.sum_over(kept) if reduction == "sum" else kept
    return averaged(values, *shown)


def averaged(values: Any, *shown: Any) -> Any:
    """The mean of values, of those that are shown if there is a mask; 0 if there are none."""
    if not shown:
        return ops.mean_over(values)
    counts = ops.cast(shown[0], values.atom.dtype)
    return ops.sum_over(ops.select(shown[0], values, 0.0)) / ops.maximum(ops.sum_over(counts), 1.0)


def tokens(name: str, label: str, mask: str, formula: Formula, labels: Callable[[Array], Array], metrics: Sequence[str]) -> Family:
    """The family of a loss on logits ℝ^(*s, n) with labels at s, and with a mask bool^s among the parameters or the inputs."""

    def at(dom: Ty) -> Para:
        logits = dom[0] if len(dom) else None
        if not isinstance(logits, Array) or not logits.floating or not logits.rank:
            raise TypeMismatch(f"{name} wants logits whose last axis is the classes, got {dom}")
        truths, target = Ty((logits.with_shape(*logits.shape[:-1]).with_dtype("bool"),)), Ty((labels(logits),))
        if dom.atoms[1:] != (() if mask or len(dom) == 1 else truths.atoms):
            raise TypeMismatch(f"{name} wants logits, and nothing or a mask {truths} beside them, got {dom}")
        masks = [Param(mask, truths, Role.DATA)] if mask else []

        def body(truth: Any, *wires: Any) -> Any:
            shown, predicted = (wires[:1], wires[1]) if mask else (wires[1:], wires[0])
            value = formula(truth, predicted, *shown)
            return value, value, *(averaged(metric(m)(truth, predicted), *shown) for m in metrics)

        arrow = trace(body, target, *(p.ob for p in masks), *(Ty((a,)) for a in dom))
        value = Ty(arrow.cod.atoms[:1])
        seen = [(n, Ty((a,))) for n, a in zip(("loss", *metrics), arrow.cod.atoms[1:], strict=True)]
        return Para.make([Param(label, target, Role.DATA), *masks], arrow, value, seen).told(name)

    return Family(name, at)


def accuracy(truth: Any, predicted: Any) -> Any:
    """1 where the largest prediction is the class of the label (a number or one-hot); a single score and its label are compared with ½."""
    if isinstance(predicted.atom, Vector):
        raise BadValue("accuracy is for arrays; over bits the loss itself counts errors")
    if truth.atom == predicted.atom and predicted.atom.shape[-1:] in ((), (1,)):
        return agreement(truth > 0.5, predicted > 0.5)
    found = ops.argmax(predicted)
    wanted = truth if not truth.atom.floating else ops.argmax(truth)
    return ops.cast(ops.equal(found, wanted), predicted.atom.dtype)


def agreement(wanted: Any, found: Any) -> Any:
    """The share of truth values that are equal."""
    return ops.mean_over(ops.select(wanted, ops.cast(found, "float32"), 1.0 - ops.cast(found, "float32")))


METRICS: dict[str, Formula] = {"accuracy": accuracy}


def metric(name: str) -> Formula:
    """A metric by name."""
    if name not in METRICS:
        raise BadValue(f"'{name}' is no metric; use one of {listed(sorted(METRICS))}")
    return METRICS[name]
