"""Losses: parametric arrows B → L whose parameter is the label (arXiv 2404.00408, section 3.2).

Each is a family: it meets the prediction's type in `model >> loss("y")`. Beside its result each reports the observable
`loss`, and any metrics asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.graph import Wire
from lensgrad.core.trace import called, trace
from lensgrad.core.ty import Ty
from lensgrad.learn.losses.kind import Kind, Told, check_told, classes, kind_at, misfit
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full

Formula = Callable[[Wire, Wire], Wire]  # (label, prediction) ↦ loss
Make = Callable[[str, Sequence[str]], Callable[[Ty], Para]]  # from the name of the label, and metrics


class Loss(Family):
    """A loss as a family that can be made again, for another label or with more metrics."""

    __slots__ = ("label", "make", "metrics")

    def __init__(self, name: str, label: str, metrics: Sequence[str], make: Make) -> None:
        label, metrics = checks.name("the label of a loss", label), names_of(metrics)
        super().__init__(checks.name("the name of a loss", name), make(label, metrics))
        self.label, self.metrics, self.make = label, metrics, make

    def asked(self, label: str, metrics: Sequence[str]) -> Loss:
        """The same loss for a label of this name, with these metrics beside its own."""
        return Loss(self.name, label, tuple(dict.fromkeys((*self.metrics, *metrics))), self.make)


def names_of(metrics: Any) -> tuple[str, ...]:
    """The names of the metrics of a loss."""
    given: list[Any] = [*metrics] if isinstance(metrics, Sequence) and not isinstance(metrics, str) else [metrics]
    if isinstance(metrics, str) or not isinstance(metrics, Sequence) or not all(isinstance(m, str) for m in given):
        raise BadValue(f"the metrics of a loss must be a list of names, got {checks.shown(metrics)}")
    return tuple(given)


def loss(
    name: str,
    label: str,
    formula: Formula,
    labels: Callable[[Ty], Ty] | None = None,
    metrics: Sequence[str] = (),
    measures: Mapping[str, Formula] | None = None,
    kind: Told = None,
) -> Loss:
    """The family of `formula`, a function (label, prediction) ↦ loss on wires, with the label as a parameter of role data.

    `kind` says what outputs and labels are: "classes", "binary", "multilabel" or "regression" for the usual forms (scores or
    logits; class numbers, or numbers from 0 to 1), a `Kind`, or a function of the output's type that gives one. The label is a class
    number where it is "classes", else of the type of the one array it is compared with, unless `labels` says otherwise.
    `measures` are metrics of its own by name.
    """

    check_told(kind)
    if not callable(formula):
        raise TypeMismatch(f"a loss must be made of a function (label, prediction) ↦ loss on wires, got {checks.shown(formula)}")

    def make(label: str, metrics: Sequence[str]) -> Callable[[Ty], Para]:
        def at(dom: Ty) -> Para:
            target = target_of(name, dom, labels, kind)
            about = named(kind_at(kind, dom, target), name)
            measure = {m: (measures or {}).get(m) or everywhere(metric(m, about, name)) for m in metrics}

            def body(truth: Any, predicted: Any) -> Any:
                value = called(formula, f"the formula of {name}", [truth, predicted])
                return value, value, *(measure[m](truth, predicted) for m in metrics)

            arrow, made = trace(body, target, dom), trace(formula, target, dom).cod
            seen = [("loss", made), *((m, Ty((a,))) for m, a in zip(metrics, arrow.cod.atoms[2 * len(made) :], strict=True))]
            return Para.make([Param(label, target, Role.DATA, about=about)], arrow, made, seen).told(name)

        return at

    return Loss(name, label, metrics, make)


def named(kind: Kind | None, name: str) -> Kind | None:
    """A kind with the name of the loss that says it."""
    return None if kind is None else replace(kind, name=name)


def target_of(name: str, dom: Ty, labels: Callable[[Ty], Ty] | None, kind: Told) -> Ty:
    """The type of a label."""
    if labels is not None:
        return labels(dom)
    if len(dom) != 1:
        told = "give a dict of losses by output; behind lg.gaussian_sample the loss is lg.elbo"
        raise TypeMismatch(f"{name} compares one array with its label, and the model gives {dom}: {told}")
    if isinstance(kind, str) and kind == "classes" and isinstance(dom[0], Array):
        return Ty((class_number(dom[0]),))
    return dom


def class_number(logits: Array) -> Array:
    """The label that is a class number: I32^s for logits ℝ^(*s, n)."""
    return logits.with_shape(*logits.shape[:-1]).with_dtype("int32")


def everywhere(measure: Formula) -> Formula:
    """The mean of a measure over the places of one example."""

    def mean(truth: Any, predicted: Any) -> Any:
        found = measure(truth, predicted)
        return ops.mean_over(found) if found.atom.rank else found

    return mean


REDUCTIONS = ("mean", "none", "sum")  # of the losses of one example


def check_reduction(name: str, reduction: str) -> None:
    if not checks.is_a(reduction, str) or reduction not in REDUCTIONS:
        raise BadValue(f"{checks.shown(reduction)} is no reduction of {name}; use one of {listed(REDUCTIONS)}")


def entrywise(name: str, label: str, formula: Formula, reduction: str, metrics: Sequence[str], kind: Told) -> Loss:
    """The family of a loss for each entry, reduced; the label is of the type of the prediction."""
    check_reduction(name, reduction)
    return loss(name, label, lambda t, p: reduced(formula(t, p), reduction), metrics=metrics, kind=kind)


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


def weighed(values: Any, weights: Any, counting: Any, reduction: str) -> Any:
    """Values that have their weights already, where they count: each of them, their sum, or their mean.

    The mean of one example is Σ w l over the mean of Σ w in its batch, so that the mean over the batch is Σ w l / Σ w over all its places,
    as in PyTorch; unbatched it is the weighted mean of the one example. It is 0 where nothing counts.
    """
    kept = ops.select(counting > 0.0, values, 0.0)
    if reduction != "mean":
        return ops.sum_over(kept) if reduction == "sum" else kept
    whole = ops.axis_mean(ops.sum_over(weights * counting))
    return ops.sum_over(kept) / ops.select(whole > 0.0, whole, 1.0)


def tokens(
    name: str,
    label: str,
    mask: str,
    formula: Formula,
    labels: Callable[[Array], Array],
    metrics: Sequence[str],
    link: str = "softmax",
    ignored: int | None = None,
) -> Loss:
    """The family of a loss on logits ℝ^(*s, n) with labels at s, and with a mask bool^s among the parameters or the inputs."""

    def make(label: str, metrics: Sequence[str]) -> Callable[[Ty], Para]:
        def at(dom: Ty) -> Para:
            logits = dom[0] if len(dom) else None
            if not isinstance(logits, Array) or not logits.floating or not logits.rank:
                raise TypeMismatch(f"{name} expects logits whose last axis is the classes, got {dom}")
            truths, target = Ty((logits.with_shape(*logits.shape[:-1]).with_dtype("bool"),)), Ty((labels(logits),))
            if dom.atoms[1:] != (() if mask or len(dom) == 1 else truths.atoms):
                raise TypeMismatch(f"{name} expects logits, and nothing or a mask {truths} beside them, got {dom}")
            masks = [Param(mask, truths, Role.DATA)] if mask else []
            truth_is = "distribution" if target[0].floating else "class"
            about = replace(classes(logits, truth_is, link, ignored=ignored, mask=mask, beside=len(dom) > 1), name=name)

            def body(truth: Any, *wires: Any) -> Any:
                shown, predicted = (wires[:1], wires[1]) if mask else (wires[1:], wires[0])
                found = [metric(m, about, name)(truth, predicted) for m in metrics]
                value = formula(truth, predicted, *shown)
                if ignored is None:
                    return value, value, *(averaged(v, *shown) for v in found)
                counting = counts(truth, ignored, logits.dtype, *shown)
                return value, value, *(weighed(v, 1.0, counting, "mean") for v in found)

            arrow = trace(body, target, *(p.ob for p in masks), *(Ty((a,)) for a in dom))
            value = Ty(arrow.cod.atoms[:1])
            seen = [(n, Ty((a,))) for n, a in zip(("loss", *metrics), arrow.cod.atoms[1:], strict=True)]
            return Para.make([Param(label, target, Role.DATA, about=about), *masks], arrow, value, seen).told(name)

        return at

    return Loss(name, label, metrics, make)


def counts(truth: Any, ignored: int | None, dtype: str, *shown: Any) -> Any:
    """1 where a label counts: it is not the ignored one, and no mask hides it; else 0."""
    one = full(1.0, truth.atom.with_dtype(dtype))
    found = one if ignored is None else one - ops.cast(ops.equal(truth, ignored), dtype)
    return found * ops.cast(shown[0], dtype) if shown else found


def accuracy(kind: Kind) -> Formula:
    """1 where an output says what its label does, else 0: at each place the largest score, or all answers of yes and no."""

    def largest(truth: Any, predicted: Any) -> Any:
        wanted = truth if not truth.atom.floating else ops.argmax(truth)
        return ops.cast(ops.equal(ops.argmax(predicted), wanted), predicted.atom.dtype)

    def answers(truth: Any, predicted: Any) -> Any:
        right = agreement(truth > middle(kind), predicted > kind.threshold)
        return right if kind.problem == "binary" else ops.cast(ops.sum_over(right, -1) >= right.atom.shape[-1], "float32")

    return largest if kind.problem in ("classes", "regression") else answers


def middle(kind: Kind) -> float:
    """What a label that says yes is above."""
    return sum(kind.values) / 2


def agreement(wanted: Any, found: Any) -> Any:
    """1 where truth values are equal, else 0."""
    return ops.select(wanted, ops.cast(found, "float32"), 1.0 - ops.cast(found, "float32"))


METRICS: dict[str, Callable[[Kind], Formula]] = {"accuracy": accuracy}  # those that are arrows on one example


def metric(name: str, kind: Kind | None, loss: str) -> Formula:
    """A metric by name, for the kind of labels and outputs of a loss."""
    if name not in METRICS:
        raise BadValue(f"'{name}' is no metric; use one of {listed(sorted(METRICS))}")
    if kind is None or not kind.decides:
        raise BadValue(misfit(name, "classes", kind, loss, ("mae", "rmse", "r2")))
    return METRICS[name](kind)
