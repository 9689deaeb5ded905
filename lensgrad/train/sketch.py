"""The curves of a run as a small drawing in a notebook, which needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite

WIDTH, HEIGHT, EDGE = 220, 110, 6
COLORS = ("#1f77b4", "#ff7f0e")  # of training, and of validation
History = Sequence[Mapping[str, float]]


def html(history: History, told: str) -> str:
    """What a run is, and a drawing for each thing that it reports, with its last value."""
    names = dict.fromkeys(n.removeprefix("val_") for report in history for n in report)
    return f"<p>{escape(told)}</p><div>{''.join(drawing(history, name) for name in names)}</div>"


def drawing(history: History, name: str) -> str:
    """The curve of one thing, and of its validation."""
    lines = [(n, points(history, n)) for n in (name, f"val_{name}")]
    every = [v for _, found in lines for _, v in found]
    if not every:
        return ""
    low, high = min(every), max(every)
    shown = "".join(path(found, len(history), low, high, color) for (_, found), color in zip(lines, COLORS, strict=True))
    words = ", ".join(f"{n} {found[-1][1]:.4g}" for n, found in lines if found)
    box = f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">{shown}</svg>'
    return f'<figure style="display:inline-block;margin:4px"><figcaption>{escape(words)}</figcaption>{box}</figure>'


def points(history: History, name: str) -> list[tuple[int, float]]:
    """The epochs in which something was reported, with what."""
    return [(i, float(r[name])) for i, r in enumerate(history) if name in r and isfinite(r[name])]


def path(found: Sequence[tuple[int, float]], epochs: int, low: float, high: float, color: str) -> str:
    """A curve as a line of an SVG."""
    wide, tall = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    places = (f"{EDGE + wide * i / max(1, epochs - 1):.1f},{EDGE + tall * (high - v) / ((high - low) or 1.0):.1f}" for i, v in found)
    return f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{" ".join(places)}"/>' if found else ""


__all__ = ["html"]
