"""How well a run does on a test set, in figures and pictures: confusion, calibration and ROC of classes, predictions of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from os import PathLike
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.printed import clean, counted, printable
from lensgrad.data.arrays import close, count
from lensgrad.data.source import Source
from lensgrad.learn.losses.kind import Kind
from lensgrad.program.values import Numbers, Values
from lensgrad.train import metrics
from lensgrad.train.evaluation import evaluate, look
from lensgrad.train.measures import decisions, on_a_line, probabilities, truths
from lensgrad.train.record import Record
from lensgrad.train.state import Report

Where = str | PathLike[str]
BINS = 10  # of a calibration
AXES = "rows: class, columns: predicted"
FEW = 12  # classes whose confusion is text


@dataclass(frozen=True, repr=False)
class Assessment:
    """A run on a test set: class numbers in `truth` and `predicted`, or numbers for a regression, and in `shares` the probabilities.

    `print(…)` shows figures and the confusion of classes, `plot()` draws it with calibration and ROC.
    """

    figures: Report
    examples: int
    truth: Numbers
    predicted: Numbers
    classes: tuple[str, ...] = ()
    shares: Numbers | None = None

    @cached_property
    def confusion(self) -> Numbers:
        """How many examples of class i (row) were predicted as class j (column)."""
        if not self.classes:
            raise TypeMismatch("a confusion matrix is of classes, and this run predicts numbers: plot() draws these beside the labels")
        return metrics.confusion_matrix(self.truth, self.predicted, range(len(self.classes)))

    def calibration(self, bins: int = BINS) -> tuple[Numbers, Numbers, Numbers]:
        """For so many ranges of the probability of the predicted class: its mean, the share that was right, and how many there are."""
        shares = self.needed()
        sure, right = shares.max(1), self.truth == shares.argmax(1)
        place = np.minimum((sure * bins).astype(int), bins - 1)
        many = np.bincount(place, minlength=bins)
        there = many > 0
        said, seen = (np.bincount(place, v, bins)[there] / many[there] for v in (sure, right))
        return said, seen, many[there]

    def roc(self, of: int) -> tuple[Numbers, Numbers]:
        """False and true positive rates of one class against all others, from the highest threshold down."""
        score, positive = self.needed()[:, of], self.truth == of
        order = np.argsort(-score, kind="stable")
        last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])  # equal scores are one threshold
        right, wrong = (np.r_[0, np.cumsum(v[order])[last]] / max(1, int(v.sum())) for v in (positive, ~positive))
        return wrong, right

    def needed(self) -> Numbers:
        """The probabilities of classes, where the loss gives any."""
        if self.shares is None:
            raise TypeMismatch("this run gives no probabilities of classes, so there is no calibration and no ROC")
        return self.shares

    def plot(self, path: Where | None = None) -> Any:
        """A figure of matplotlib, also as a file at `path`: confusion, calibration, ROC of classes; numbers beside their labels."""
        from lensgrad.draw import plots

        if not self.classes:
            made, axes = plots.figure(1, 1, 4.0, 4.0)
            plots.scatter(axes[0, 0], self.truth, self.predicted)
            return plots.ended(made, path)
        made, axes = plots.figure(1, 1 if self.shares is None else 3, 4.0, 4.0)
        plots.confusion(axes[0, 0], self.confusion, self.classes)
        if self.shares is not None:
            plots.calibration(axes[0, 1], *self.calibration()[:2])
            of = [1] if len(self.classes) == 2 else range(len(self.classes))
            seen = [c for c in of if 0 < np.count_nonzero(self.truth == c) < len(self.truth)]  # else a rate is of no example
            lines = {self.classes[c]: (*self.roc(c), metrics.auc(self.truth == c, self.shares[:, c])) for c in seen}
            plots.roc(axes[0, 2], lines, len(of) - len(seen))
        return plots.ended(made, path)

    def rows(self) -> list[list[str]]:
        """The confusion as a table, for few classes."""
        if not 0 < len(self.classes) <= FEW:
            return []
        names = [clean(c) for c in self.classes]
        return [["", *names], *([n, *(f"{k:,}" for k in row)] for n, row in zip(names, self.confusion, strict=True))]

    @property
    def head(self) -> str:
        told = "  ".join(f"{name} {value:.4g}" for name, value in self.figures.items())
        return f"{counted(self.examples, 'example')}: {told}"

    def __str__(self) -> str:
        table = self.rows()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in table)
        told = ["", AXES, *lines] if table else []
        return printable("\n".join([self.head, *told]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in self.rows())
        axes = f"<p>{AXES}</p>" if rows else ""
        return f"<p>{escape(self.head)}</p>{axes}<table>{rows}</table>"


def assessment(learner: Record, values: Values, data: Source, batch_size: int | None, backend: Any, names: tuple[str, ...]) -> Assessment:
    """The assessment of a learner at some values; `names` are those of the classes, where they have any."""
    label, *more = learner.labels
    if more:
        raise BadValue(f"report is for one output, and this model has several, for {listed(learner.labels)}: take evaluate(data)")
    unfed = [n for n in (*learner.inputs, label) if n not in learner.examples()]
    if unfed:
        told = f"report compares what the model gives with labels, and data for this learner have no {listed(unfed)}"
        raise BadValue(f"{told}: take evaluate(data), and run.predict for what it gives")
    kind = learner.kinds().get(label, Kind("regression"))
    figures = evaluate(learner, values, data, batch_size, backend)
    seen = looked(learner, values, data, batch_size, backend)
    labels, outputs = seen[f"label/{label}"], seen[f"output/{label}"]
    if kind.problem not in ("binary", "classes"):
        return Assessment(figures, len(labels), np.asarray(labels, np.float64), np.asarray(outputs, np.float64))
    y, scores = on_a_line(kind, labels, outputs, seen.get(f"shown/{label}"))
    truth = np.asarray(truths(kind, y)).astype(int)
    shares = shares_of(kind, scores)
    many = 2 if kind.problem == "binary" else scores.shape[-1]
    classes = names if len(names) == many else tuple(str(v) for v in (kind.values or range(many)))
    return Assessment(figures, len(truth), truth, np.asarray(decisions(kind, scores)).astype(int), classes, shares)


def looked(learner: Record, values: Values, data: Source, batch_size: int | None, backend: Any) -> Values:
    """Labels and outputs of all of a source."""
    parts = data.batches(0, batch_size, None)
    try:
        found = [look(learner, values, None if batch_size is None else count(part), part, backend) for part in parts]
    finally:
        close(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def shares_of(kind: Kind, scores: Numbers) -> Numbers | None:
    """The probability of each class, where the loss gives any."""
    if not kind.link:
        return None
    p = np.asarray(probabilities(kind, scores), np.float64)
    return np.column_stack([1 - p, p]) if p.ndim == 1 else p


__all__ = ["Assessment", "assessment"]
