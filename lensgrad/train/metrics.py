"""Metrics: NumPy functions of (labels, predictions) on a whole set, equal to scikit-learn's.

They are not averages over batches: an F1 or an area under a curve of a set is not the mean of those of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core.checks import one_of, shown, whole
from lensgrad.core.errors import BadValue, TypeMismatch

Numbers = np.ndarray[Any, Any]

# -- classes -----------------------------------------------------------------------------------------------------------


def accuracy(labels: Any, predictions: Any) -> float:
    """The share of predicted classes that are those of the labels; over rows of several labels, of rows that are right as a whole."""
    labels, predictions = aligned("accuracy", labels, predictions)
    right: Numbers = labels == predictions
    return float(right.reshape(len(labels), -1).all(1).mean())


def confusion_matrix(labels: Any, predictions: Any, classes: Sequence[Any] | None = None) -> Numbers:
    """How many examples of class i (row) were predicted as class j (column), over `classes` or all that occur, in order."""
    labels, predictions = aligned("confusion_matrix", labels, predictions)
    known = np.unique(np.concatenate([labels, predictions])) if classes is None else np.asarray(classes)
    rows, columns = (np.array([np.flatnonzero(known == v)[0] if v in known else -1 for v in a], int) for a in (labels, predictions))
    inside = (rows >= 0) & (columns >= 0)
    found = np.zeros((len(known), len(known)), np.int64)
    np.add.at(found, (rows[inside], columns[inside]), 1)
    return found


@dataclass(frozen=True)
class Counts:
    """For each class: how often it was rightly predicted, predicted, and there."""

    right: Numbers
    predicted: Numbers
    there: Numbers

    def total(self) -> Counts:
        """All classes together, as one."""
        return Counts(*(np.atleast_1d(v.sum()) for v in (self.right, self.predicted, self.there)))


def counts(what: str, labels: Any, predictions: Any, average: str) -> Counts:
    """The counts that an average is taken of: of each class, or of each column of labels that are 0 or 1."""
    labels, predictions = aligned(what, labels, predictions)
    one_of(f"the average of {what}", average, ("binary", "macro", "micro"))
    if labels.ndim > 1 and average == "binary":
        raise BadValue(f"a binary {what} is of one label for each example, and there are several: use average='macro' or 'micro'")
    if average == "binary" or labels.ndim > 1:
        check_yes_or_no(what, labels, predictions)
    there, predicted = (labels > 0, predictions > 0) if labels.ndim > 1 else by_class(labels, predictions, average)
    found = Counts((there & predicted).sum(0), predicted.sum(0), there.sum(0))
    return found.total() if average == "micro" else found


def by_class(labels: Numbers, predictions: Numbers, average: str) -> tuple[Numbers, Numbers]:
    """One column for each class: whether it is there, and whether it was predicted."""
    classes = np.array([1]) if average == "binary" else np.unique(np.concatenate([labels, predictions]))
    return labels[:, None] == classes, predictions[:, None] == classes


def check_yes_or_no(what: str, labels: Numbers, predictions: Numbers) -> None:
    """Refuse what is neither 0 nor 1."""
    if set(np.unique(np.concatenate([labels, predictions])).tolist()) <= {0, 1}:
        return
    if labels.ndim > 1:
        raise BadValue(f"{what} of several labels reads columns of 0 and 1, and there are other numbers")
    raise BadValue(f"a binary {what} is of classes 0 and 1, and there are others: use average='macro' or 'micro'")


def precision(labels: Any, predictions: Any, average: str = "binary") -> float:
    """The share of what was predicted as a class that is of it; 0 where nothing was predicted.

    "binary" is of class 1, "macro" the mean over the classes that occur in labels or predictions, "micro" of all together. Labels
    (n, k) of 0 and 1 are k labels for each example: "macro" is the mean over the k, "micro" of all together.
    """
    found = counts("precision", labels, predictions, average)
    return float(np.mean(ratio(found.right, found.predicted)))


def recall(labels: Any, predictions: Any, average: str = "binary") -> float:
    """The share of what is of a class that was predicted as it; 0 where nothing is of it. Averages as in `precision`."""
    found = counts("recall", labels, predictions, average)
    return float(np.mean(ratio(found.right, found.there)))


def f1(labels: Any, predictions: Any, average: str = "binary") -> float:
    """2 · right / (predicted + there), the harmonic mean of precision and recall; 0 where both are 0. Averages as in `precision`."""
    found = counts("f1", labels, predictions, average)
    return float(np.mean(ratio(2 * found.right, found.predicted + found.there)))


def ratio(a: Numbers, b: Numbers) -> Numbers:
    """a / b, and 0 where b = 0."""
    return np.where(b == 0, 0.0, a / np.where(b == 0, 1, b))


# -- scores ------------------------------------------------------------------------------------------------------------


def top_k(labels: Any, scores: Any, k: int = 5) -> float:
    """The share of examples whose class is among the k with the largest scores, (n, classes); of equal scores the later class is first."""
    labels, scores, k = rows("top_k", labels), rows("top_k", scores), whole("the k of top_k", k, 1)
    check_scores("top_k", labels, scores)
    best = np.argsort(scores, axis=1, kind="stable")[:, -k:]
    found: Numbers = best == labels[:, None]
    return float(found.any(1).mean())


def auc(labels: Any, scores: Any) -> float:
    """The area under the ROC curve: how probably a positive example has a larger score than a negative one, ties counting ½.

    Scores (n,) for labels 0 and 1; scores (n, classes) whose rows are probabilities give the mean over classes, each against the
    rest; scores (n, k) for labels (n, k) of 0 and 1 the mean over the k. NaN where a class has no example, or no other class has.
    """
    labels, scores = rows("auc", labels), rows("auc", scores)
    if scores.ndim == 2 == labels.ndim:
        labels, scores = aligned("auc", labels, scores)
        return float(np.mean([auc(labels[:, k], scores[:, k]) for k in range(scores.shape[1])]))
    if scores.ndim == 2:
        check_scores("auc", labels, scores)
        return float(np.mean([auc(labels == c, scores[:, c]) for c in range(scores.shape[1])]))
    labels, scores = aligned("auc", labels, scores)
    positive = labels.astype(bool)
    p, n = int(positive.sum()), int((~positive).sum())
    if not p or not n:
        return float("nan")
    return float((ranks(scores)[positive].sum() - p * (p + 1) / 2) / (p * n))


def ranks(values: Numbers) -> Numbers:
    """The place of each value in increasing order, from 1; equal values share the mean of their places."""
    _, which, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return (last - (times - 1) / 2)[which]


def log_loss(labels: Any, probabilities: Any) -> float:
    """−mean log p(class) for probabilities (n, classes), or (n,) of class 1; each is kept one rounding away from 0 and 1."""
    labels, p = rows("log_loss", labels), rows("log_loss", probabilities)
    if p.dtype.kind not in "biuf" or labels.dtype.kind not in "biuf":
        raise BadValue(f"log_loss expects class numbers and probabilities, got {labels.dtype.name} and {p.dtype.name} data")
    p = p if p.dtype.kind == "f" else p.astype(np.float64)
    p = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    check_scores("log_loss", labels, p)
    small = np.finfo(p.dtype).eps
    return float(-np.mean(np.log(np.clip(p, small, 1 - small)[np.arange(len(labels)), labels.astype(int)])))


# -- values ------------------------------------------------------------------------------------------------------------


def mae(labels: Any, predictions: Any) -> float:
    """mean |label − prediction| over all entries."""
    return float(np.mean(np.abs(difference("mae", labels, predictions))))


def mse(labels: Any, predictions: Any) -> float:
    """mean (label − prediction)² over all entries."""
    return float(np.mean(difference("mse", labels, predictions) ** 2))


def rmse(labels: Any, predictions: Any) -> float:
    """√ mean (label − prediction)², the mean over outputs of the root of each."""
    squares = difference("rmse", labels, predictions) ** 2
    return float(np.sqrt(squares.mean(0)).mean())


def r2(labels: Any, predictions: Any) -> float:
    """1 − Σ (label − prediction)² / Σ (label − mean label)², the mean over outputs.

    An output that is constant counts 1 where it is predicted exactly, else 0. NaN for fewer than two examples.
    """
    left = difference("r2", labels, predictions)
    labels = np.asarray(labels, np.float64).reshape(left.shape)
    if len(labels) < 2:
        return float("nan")
    rest, whole = (left**2).sum(0), ((labels - labels.mean(0)) ** 2).sum(0)
    return float(np.mean(np.where(whole == 0, np.where(rest == 0, 1.0, 0.0), 1 - rest / np.where(whole == 0, 1, whole))))


def difference(what: str, labels: Any, predictions: Any) -> Numbers:
    """label − prediction in float64, one row an example."""
    labels, predictions = aligned(what, labels, predictions)
    words = next((a for a in (labels, predictions) if a.dtype.kind in "SU"), None)
    if words is not None:
        raise BadValue(f"{what} expects numbers, got an array of words such as {shown(words.flat[0])}")
    return (labels.astype(np.float64) - predictions.astype(np.float64)).reshape(len(labels), -1)


def rows(what: str, values: Any) -> Numbers:
    """Numbers, truth values or words as an array."""
    try:
        found = np.asarray(values)
    except ValueError:
        found = np.asarray(None)
    if found.dtype.kind not in "biufSU":
        raise BadValue(f"{what} expects arrays of numbers, got {shown(values)}")
    return found


def aligned(what: str, labels: Any, predictions: Any) -> tuple[Numbers, Numbers]:
    """Both as arrays of one shape, with at least one row."""
    labels, predictions = rows(what, labels), rows(what, predictions)
    if labels.shape != predictions.shape or not labels.ndim:
        told = f"{what} compares labels and predictions of one shape, got {labels.shape} and {predictions.shape}"
        raise TypeMismatch(f"{told}: nothing is broadcast silently")
    if not len(labels):
        raise BadValue(f"{what} is of at least one example, and there is none")
    return labels, predictions


def check_scores(what: str, labels: Numbers, scores: Numbers) -> None:
    """Class numbers, and a row of scores for each."""
    if labels.ndim != 1 or scores.ndim != 2 or len(labels) != len(scores):
        raise TypeMismatch(f"{what} expects class numbers (n,) and scores (n, classes), got {labels.shape} and {scores.shape}")
    if not len(labels):
        raise BadValue(f"{what} is of at least one example, and there is none")
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        told = f"{what} has scores of {scores.shape[1]} classes, numbered 0 to {scores.shape[1] - 1}"
        raise BadValue(f"{told}, and labels from {labels.min()} to {labels.max()}")
