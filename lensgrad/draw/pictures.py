"""Pictures of arrays and curves as files, by matplotlib (`pip install "lensgrad[plot]"`), without a window and without its global state."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from os import PathLike
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.extras import extra
from lensgrad.core.printed import clean
from lensgrad.draw.written import written
from lensgrad.files.place import quoted

Where = str | PathLike[str]


def figure(rows: int = 1, columns: int = 1, width: float = 3.0, height: float = 3.0) -> tuple[Any, Any]:
    """A figure of matplotlib, and its axes as an array of so many rows and columns, each so many inches wide and high."""
    made = extra("matplotlib.figure", "plot", "a picture").Figure(figsize=(width * columns, height * rows), layout="constrained")
    return made, made.subplots(rows, columns, squeeze=False)


def saved(made: Any, path: Where, dpi: int = 100) -> None:
    """Write a figure; the ending of the path says in which format."""
    goal, raw = checks.file("where a picture is written", path), BytesIO()
    ending = goal.suffix.lower()[1:]
    if ending not in made.canvas.get_supported_filetypes():
        raise BadValue(f"a picture ends in .png, .svg, .pdf, or another ending that matplotlib knows, got {checks.shown(str(path))}")
    try:
        made.savefig(raw, format=ending, dpi=dpi)
    except (OSError, ValueError, RuntimeError) as wrong:
        raise BadValue(f"the picture {quoted(goal)} cannot be made: {clean(str(wrong))}") from wrong
    written(goal, raw.getvalue())


def images(path: Where, pictures: Any, *, columns: int = 10, titles: Sequence[str] = (), title: str = "", size: float = 0.8) -> None:
    """Write images [n, height, width] or [n, height, width, 1 or 3], numbers from 0 to 1, as a grid in reading order.

    Gray images show 0 as white, as ink on paper. Numbers outside [0, 1] are shown as the nearer of both.
    """
    shown = np.clip(np.asarray(pictures, np.float64), 0.0, 1.0)
    if shown.ndim not in (3, 4) or (shown.ndim == 4 and shown.shape[3] not in (1, 3)) or not len(shown):
        raise TypeMismatch(f"images must be [n, height, width] or [n, height, width, 1 or 3], at least one, got shape {shown.shape}")
    shown = shown[..., 0] if shown.ndim == 4 and shown.shape[3] == 1 else shown
    made, axes = figure(-(-len(shown) // columns), columns, size, size + (0.2 if titles else 0.0))
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture in zip(axes.flat, shown, strict=False):
        axis.imshow(picture, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    for axis, told in zip(axes.flat, titles, strict=False):
        axis.set_title(told, fontsize=8)
    if title:
        made.suptitle(title)
    saved(made, path)
