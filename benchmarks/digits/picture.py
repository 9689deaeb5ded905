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
