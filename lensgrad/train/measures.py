"""Metrics of a learner, by name or as functions: what they are of is read from what the loss says about its outputs and labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np

from lensgrad.cat.para import P, Para
from lensgrad.core.checks import is_sequence, is_text, nearest, shown
from lensgrad.core.errors import BadValue, listed
from lensgrad.learn.losses import METRICS
from lensgrad.learn.losses.kind import Kind, kind_of, misfit, told
from lensgrad.train import metrics as on_arrays

Numbers = np.ndarray[Any, Any]
Function = Callable[[Numbers, Numbers], SupportsFloat]  # (labels, outputs) ↦ a number, of a user's own
NAMES = ("accuracy", "auc", "f1", "f1_macro", "f1_micro", "log_loss", "mae", "mse", "precision", "r2", "recall", "rmse", "top_5")
WATCHED = ("loss", *NAMES)  # what early stopping may watch, and val_ before each of them
FORM = re.compile(r"(f1|precision|recall)_(macro|micro)|(top)_([1-9][0-9]*)")
DECIDED = ("binary", "classes", "multilabel")


@dataclass(frozen=True)
class Named:
    """A metric by name: the problems it is for, whether more of it is better, and its number (kind, labels, outputs, detail) ↦ ℝ.

    The detail is what stands behind the name: the average of f1_macro, the k of top_5.
    """

    problems: tuple[str, ...]
    larger: bool
    compute: Callable[[Kind, Numbers, Numbers, str], float]
    probabilities: bool = False


# -- from what a model gives -------------------------------------------------------------------------------------------


def truths(kind: Kind, labels: Numbers) -> Numbers:
    """Class numbers, or 0 and 1, from labels that are on one line."""
    if kind.problem in ("binary", "multilabel"):
        return (labels > sum(kind.values) / 2).astype(np.int64)
    return labels.argmax(-1) if labels.ndim == 2 else labels.astype(np.int64)


def decisions(kind: Kind, outputs: Numbers) -> Numbers:
    """The class that outputs say: the largest score, or yes and no."""
    if kind.problem in ("binary", "multilabel"):
        return (outputs > kind.threshold).astype(np.int64)
    return outputs.argmax(-1)


def probabilities(kind: Kind, outputs: Numbers) -> Numbers:
    """Outputs through the link of the loss, in float64; of two classes the second alone."""
    scores = outputs.astype(np.float64)
    if kind.link == "softmax":
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores = scores / scores.sum(-1, keepdims=True)
    if kind.link == "sigmoid":
        scores = np.where(scores < 0, np.exp(-np.abs(scores)), 1.0) / (1.0 + np.exp(-np.abs(scores)))
    return scores[:, 1] if kind.problem == "classes" and scores.shape[-1] == 2 else scores


def on_a_line(kind: Kind, labels: Numbers, outputs: Numbers, shown: Numbers | None) -> tuple[Numbers, Numbers]:
    """Labels and outputs with one row for each place that counts: the places of a sequence stand one after the other."""
    if kind.problem == "regression":
        return labels, outputs
    wide = kind.problem != "binary"
    flat = outputs.reshape(-1, outputs.shape[-1]) if wide else outputs.reshape(-1)
    truth = labels.reshape(-1, labels.shape[-1]) if wide and labels.shape == outputs.shape else labels.reshape(-1)
    counts = np.ones(len(flat), bool) if shown is None else shown.reshape(-1)
    counts = counts if kind.ignored is None else counts & (truth != kind.ignored)
    return truth[counts], flat[counts]


# -- by name -----------------------------------------------------------------------------------------------------------


def accuracy(kind: Kind, labels: Numbers, outputs: Numbers, _: str) -> float:
    return on_arrays.accuracy(truths(kind, labels), decisions(kind, outputs))


def averaged(metric: Callable[..., float]) -> Callable[[Kind, Numbers, Numbers, str], float]:
    """Of class 1 where there are two classes, the mean over classes or labels where there are more, unless the name says otherwise."""

    def compute(kind: Kind, labels: Numbers, outputs: Numbers, average: str) -> float:
        usual = "macro" if kind.problem == "multilabel" or kind.classes > 2 else "binary"
        return metric(truths(kind, labels), decisions(kind, outputs), average or usual)

    return compute


def auc(kind: Kind, labels: Numbers, outputs: Numbers, _: str) -> float:
    return on_arrays.auc(truths(kind, labels), probabilities(kind, outputs))


def log_loss(kind: Kind, labels: Numbers, outputs: Numbers, _: str) -> float:
    return on_arrays.log_loss(truths(kind, labels), probabilities(kind, outputs))


def top(kind: Kind, labels: Numbers, outputs: Numbers, k: str) -> float:
    return on_arrays.top_k(truths(kind, labels), outputs, int(k))


def of_numbers(metric: Function) -> Callable[[Kind, Numbers, Numbers, str], float]:
    return lambda kind, labels, outputs, _: float(metric(labels, outputs))


TABLE: dict[str, Named] = {
    "accuracy": Named(DECIDED, True, accuracy),
    "auc": Named(DECIDED, True, auc),
    "f1": Named(DECIDED, True, averaged(on_arrays.f1)),
    "log_loss": Named(("binary", "classes"), False, log_loss, probabilities=True),
    "mae": Named(("regression",), False, of_numbers(on_arrays.mae)),
    "mse": Named(("regression",), False, of_numbers(on_arrays.mse)),
    "precision": Named(DECIDED, True, averaged(on_arrays.precision)),
    "r2": Named(("regression",), True, of_numbers(on_arrays.r2)),
    "recall": Named(DECIDED, True, averaged(on_arrays.recall)),
    "rmse": Named(("regression",), False, of_numbers(on_arrays.rmse)),
    "top": Named(("classes",), True, top),
}


def parted(name: Any) -> tuple[str, str]:
    """The metric of a name and its detail: f1_macro is f1 and macro, top_5 is top and 5; ("", "") for no metric."""
    found = FORM.fullmatch(name) if isinstance(name, str) else None
    if found:
        return (found[1], found[2]) if found[1] else (found[3], found[4])
    return (name, "") if isinstance(name, str) and name in TABLE and name != "top" else ("", "")


def larger_is_better(name: str) -> bool | None:
    """Whether more of what a report calls so is better; None where nobody knows. Smaller losses are better."""
    last = name.rpartition("/")[2].removeprefix("val_") if is_text(name) else ""
    if last == "loss":
        return False
    metric = parted(last)[0]
    return TABLE[metric].larger if metric else None


def measure(name: str, kind: Kind, labels: Numbers, outputs: Numbers, shown: Numbers | None = None) -> float:
    """A metric by name, of labels and what a model gives; `shown` says which places count."""
    metric, detail = parted(name)
    return TABLE[metric].compute(kind, *on_a_line(kind, labels, outputs, shown), detail)


# -- checked when a learner is made ------------------------------------------------------------------------------------

GIVEN: dict[Any, str] = {getattr(on_arrays, name): name for name in TABLE if name != "top"}


def sorted_metrics(outputs: Sequence[str], given: Any) -> tuple[tuple[str, ...], tuple[tuple[str, Function], ...]]:
    """Names of metrics, and functions by name; with several outputs `output/metric`, for each output where none is named."""
    if isinstance(given, str):
        raise BadValue(f"metrics must be a list of names, got the text {given!r}: write metrics=[{given!r}]")
    if not is_sequence(given):
        raise BadValue(f"metrics must be a list of names or of functions (labels, outputs) → number, got {shown(given)}")
    named: list[Any] = [GIVEN.get(m, m) if callable(m) else m for m in given]
    functions: dict[str, Any] = {f"{o}/{called(m)}" if o else called(m): m for m in named if callable(m) for o in outputs or [""]}
    names = [check_name(m, outputs) for m in named if not callable(m)]
    spread = [m if "/" in m or not outputs else f"{o}/{m}" for m in names for o in outputs or [""]]
    return tuple(dict.fromkeys(spread)), tuple(functions.items())


def called(function: Any) -> str:
    """The name of a function, as reports have it."""
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise BadValue(f"a metric is reported by the name of its function, and {shown(function)} has none: write it with def")
    if parted(name)[0] or name == "loss":
        raise BadValue(f"a function of your own has the name of the metric '{name}': rename it, or give the name as text")
    return name


def check_names(names: Sequence[str]) -> None:
    """Refuse what is no metric, of a learner or one of its outputs."""
    for name in names:
        check_name(name.rpartition("/")[2], ())


def check_name(name: Any, outputs: Sequence[str]) -> str:
    """A metric's name, of an output that there is."""
    output, _, metric = name.rpartition("/") if isinstance(name, str) and outputs else ("", "", name)
    if not parted(metric)[0]:
        raise BadValue(f"{shown(metric)} is no metric; use one of {listed(NAMES)}, or top_ and another number{nearest(metric, NAMES)}")
    if output and output not in outputs:
        raise BadValue(f"'{name}' is a metric of no output here; the outputs are {listed(list(outputs))}")
    return name


def fitted(task: P, metrics: Sequence[str], losses: Mapping[str, str]) -> P:
    """The task, after checking its metrics, given the names of its losses by label.

    A loss of numbers that is asked for a metric of classes has one-hot labels, and its label says so from then on.
    """
    for metric in metrics:
        output, _, name = metric.rpartition("/")
        label = output or next(iter(losses))
        kind = kind_of(task, label)
        if name in METRICS and metric not in dict(task.observables):
            raise BadValue(f"{name} is reported by the loss, and {losses[label]} is made already: give it metrics=['{name}']")
        if name not in METRICS:
            check_fits(name, kind, losses[label])
        if kind is not None and kind.problem == "regression" and "regression" not in TABLE[parted(name)[0]].problems:
            task = told(task, label, Kind("classes", "share", kind.classes))
    return task


def check_fits(name: str, kind: Kind | None, loss: str) -> None:
    """Refuse a metric of classes for a loss of numbers, and the other way round."""
    known = TABLE[parted(name)[0]]
    of_numbers = "regression" in known.problems
    if kind is None and of_numbers:
        return
    one_hot = kind is not None and kind.problem == "regression" and kind.decides and "classes" in known.problems
    if kind is None or not (kind.problem in known.problems or one_hot):
        others = [n for n, m in TABLE.items() if kind is not None and kind.problem in m.problems and n != "top"]
        raise BadValue(misfit(name, "numbers" if of_numbers else "classes", kind, loss, others))
    if known.probabilities and not kind.link:
        raise BadValue(f"{name} is of probabilities, and the outputs of {loss} are scores: use auc")


def during(metrics: Sequence[str], label: str = "") -> list[str]:
    """The metrics that are arrows on one example, of one output or of the only one: they are reported while training too."""
    prefix = f"{label}/" if label else ""
    return [m.removeprefix(prefix) for m in metrics if m.startswith(prefix) and m.rpartition("/")[2] in METRICS]


def whole(task: Para, labels: Sequence[str], metrics: Sequence[str]) -> tuple[str, ...]:
    """The metrics that are no mean over examples: all that are no arrows, and accuracy where some places may not count."""

    def mean(metric: str) -> bool:
        output, _, name = metric.rpartition("/")
        kind = kind_of(task, output or labels[0])
        return name in METRICS and not (kind is not None and kind.partial)

    return tuple(m for m in metrics if not mean(m))


def number(name: str, value: Any) -> float:
    """What a function of a user's gives, as a number."""
    found = np.asarray(value)
    if found.size != 1 or found.dtype.kind not in "fiub":
        raise BadValue(f"the metric {name} gives one number for labels and outputs, got {shown(value)}")
    return float(found.reshape(()))
