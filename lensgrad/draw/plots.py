"""Curves of a run and pictures of a test, by matplotlib (`pip install "lensgrad[plot]"`), without a window and without its global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core.printed import brief, clean
from lensgrad.draw.pictures import Where, figure, saved

Numbers = np.ndarray[Any, Any]
CELLS = 20  # classes up to which counts are written into a confusion matrix
ROW = 4  # curves side by side
LONGEST = 20  # characters of the name of a class
WHOLE = (-0.02, 1.02)  # all shares, with room for what lies on the edge


def ended(made: Any, path: Where | None) -> Any:
    """The figure, written to a file where one is wanted; its ending says in which format."""
    if path is not None:
        saved(made, path)
    return made


def text(words: str) -> str:
    """Words as matplotlib shows them: what a user calls something is no formula."""
    return clean(words).replace("$", r"\$")


def entry(words: str) -> str:
    """Words in a legend, where matplotlib leaves out what begins with `_`."""
    shown = text(words)
    return f" {shown}" if shown.startswith("_") else shown


def panels(history: Sequence[Mapping[str, float]]) -> dict[str, list[str]]:
    """What is reported, by what it is of: a value and its validation belong together."""
    names = dict.fromkeys(n for report in history for n in report)
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.removeprefix("val_"), []).append(name)
    return found


def curves(history: Sequence[Mapping[str, float]], best: int | None = None, path: Where | None = None) -> Any:
    """A figure with a curve for everything that a run reports, epoch by epoch; a line marks the best epoch."""
    groups = panels(history)
    made, axes = figure(-(-len(groups) // ROW), min(ROW, len(groups)), 4.0, 3.0)
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis, (name, members) in zip(axes.flat, groups.items(), strict=False):
        for member in members:
            points = [(i + 1, r[member]) for i, r in enumerate(history) if member in r]
            axis.plot(*zip(*points, strict=True), label=entry(member), marker="o" if len(points) == 1 else "")
        if best is not None:
            axis.axvline(best, color="0.7", linewidth=1)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axis.set_title(text(name))
        axis.legend()
    return ended(made, path)


def confusion(axis: Any, counts: Numbers, classes: Sequence[str]) -> None:
    """Rows are classes, columns what was predicted; the shade is the share of a row."""
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    axis.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    names = [text(brief(c, LONGEST)) for c in classes]
    axis.set(xlabel="predicted", ylabel="class", title="confusion", xticks=range(len(names)), yticks=range(len(names)))
    axis.set_xticklabels(names, rotation=90 if max(map(len, names), default=0) > 3 else 0)
    axis.set_yticklabels(names)
    for i, j in np.ndindex(*counts.shape) if len(names) <= CELLS else ():
        axis.text(j, i, f"{counts[i, j]:,}", ha="center", va="center", fontsize=7, color="white" if shares[i, j] > 0.5 else "black")


def calibration(axis: Any, said: Numbers, seen: Numbers) -> None:
    """How often what was said with some probability was so."""
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axis.plot(said, seen, marker="o")
    axis.set(xlabel="probability said", ylabel="share that was so", title="calibration", xlim=WHOLE, ylim=WHOLE)


def roc(axis: Any, lines: Mapping[str, tuple[Numbers, Numbers, float]], without: int = 0) -> None:
    """Right among the positive against wrong among the negative, as the threshold falls; `without` classes have no line."""
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, (wrong, right, area) in lines.items():
        axis.plot(wrong, right, label=f"{entry(brief(name, LONGEST))} {area:.3f}")
    axis.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC", xlim=WHOLE, ylim=WHOLE)
    if without:
        axis.text(0.5, 0.03, f"left out, with all or none of the examples: {without}", ha="center", fontsize=7, color="0.4")
    if 0 < len(lines) <= CELLS:
        axis.legend(fontsize=7)


def scatter(axis: Any, truth: Numbers, predicted: Numbers) -> None:
    """What was predicted beside what was so."""
    ends = [float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))]
    axis.plot(ends, ends, color="0.7", linewidth=1)
    axis.plot(truth.ravel(), predicted.ravel(), ".", markersize=3)
    axis.set(xlabel="label", ylabel="predicted", title="predictions")


__all__ = ["calibration", "confusion", "curves", "ended", "figure", "panels", "roc", "scatter"]
