"""A plot of all peers over ours: a logarithmic axis with a line at 1, where both take equally long."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks.race.results import Found, Race, key, ratio, ratios
from benchmarks.race.workloads import WORKLOADS
from lensgrad.core.extras import extra

MARKS = {
    "torch": ("o", "#d1495b"),
    "torch-compiled": ("s", "#d1495b"),
    "torch-whole": ("^", "#d1495b"),
    "jax": ("o", "#30638e"),
    "jax-scan": ("s", "#30638e"),
    "nnx": ("o", "#66a182"),
    "keras-jax": ("o", "#edae49"),
    "keras-torch": ("s", "#edae49"),
}


def draw(found: Found, path: Path) -> None:
    """The plot as a file; all cores."""
    extra("matplotlib", "plot", "the plot of results")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "race", "svg.fonttype": "none"}):  # equal figures are equal files
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        axes = figure.add_subplot()
        races = [found.races[key(w, False)] for w in WORKLOADS if key(w, False) in found.races]
        for place, race in enumerate(races):
            marks(axes, place, race)
        finish(figure, axes, [fill(WORKLOADS[r.workload].title, 14) for r in races])
        figure.savefig(path, metadata={"Date": None})


def marks(axes: Any, place: int, race: Race) -> None:
    """The peers of one workload, with from where to where rounds go."""
    ours = race.row("native")
    peers = [row for row in race.timed if not row.ours]
    for k, row in enumerate(peers if ours else []):
        assert ours
        each, middle = ratios(row.steps, ours.steps), ratio(row.steps, ours.steps)
        shape, color = MARKS.get(row.name, ("x", "#555555"))
        x = place + (k - (len(peers) - 1) / 2) * 0.08
        axes.plot([x, x], [each[0], each[-1]], color=color, linewidth=1)
        axes.plot([x], [middle], shape, color=color, markersize=5, label=row.title)
        if k == 0:
            under = each[0] if each[0] > 1.6 else min(1, each[0])  # so that the line at 1 is not through it
            axes.annotate(f"{middle:.3g}×", (x, under), (0, -4), textcoords="offset points", ha="center", va="top", fontsize=8)


def finish(figure: Any, axes: Any, names: list[str]) -> None:
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=1)
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:,.3g}×" if y < 1000 else f"{y:,.0f}×")
    axes.set_ylim(min(0.5, axes.get_ylim()[0]))
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_ylabel("time of a training step ÷ ours")
    axes.set_title("above the line: slower than lensgrad in C; below it: faster", fontsize=10)
    axes.grid(axis="y", which="major", color="#dddddd")
    axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    each = dict(zip(labels, handles, strict=True))
    if each:
        figure.legend(each.values(), each.keys(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
