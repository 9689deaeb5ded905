"""Accuracy against gates, as a picture in SVG."""

from __future__ import annotations

import io
from typing import Any


def drawn(found: dict[str, list[dict[str, Any]]]) -> str:
    """One line for each kind of model, gates on a logarithmic axis; needs matplotlib."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lensgrad"  # the same figures give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for (name, rows), mark in zip(found.items(), "osD^v", strict=False):
        axes.plot(
            [r["gates"] for r in rows], [100 * r["test"] for r in rows], marker=mark, label=name, linewidth=2.5 if name == "lensgrad" else 1
        )
    axes.set_xscale("log")
    axes.set_xlabel("two-input gates (of trees: inner nodes)")
    axes.set_ylabel("test accuracy, %")
    axes.set_ylim(80, 100)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return out.getvalue()


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """The figures as a table in Markdown, one row for each model."""
    head = "| model | gates | test accuracy | ANDs, all in | depth | LUT6 | depth | steps |"
    rows = [
        f"| {name} | {r['gates']:,} | {100 * r['test']:.2f} % | {told(r, 'ands')} | {told(r, 'depth')} | {told(r, 'lut6')} "
        f"| {told(r, 'lut6_depth')} | {told(r, 'steps')} |"
        for name, models in found.items()
        for r in models
    ]
    return "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|--:|", *rows])


def told(row: dict[str, Any], what: str) -> str:
    return f"{row[what]:,}" if what in row else ""


def placed(page: str, text: str) -> str:
    """A page with its table written anew, between the marks around it."""
    start, end = "<!-- figures -->\n", "<!-- end of figures -->"
    before, _, rest = page.partition(start)
    _, mark, after = rest.partition(end)
    return before + start + text + "\n" + end + after if mark else page
