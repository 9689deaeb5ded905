"""Convolution and pooling on wires: (N, *space, C), channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.theories.smooth import conv as _conv
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.operators import reshape, transpose
from lensgrad.theories.smooth.shape import array
from lensgrad.theories.smooth.wires import spread

Sizes = int | Sequence[int]  # one for all space axes, or one for each
# "same", or how many before and after: one number, or one or a pair for each axis
Padding = int | Literal["same"] | Sequence[int | Sequence[int]]
Pairs = tuple[tuple[int, int], ...]


def window(axes: int, size: Sequence[int], stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1, groups: int = 1) -> _conv.Window:
    """A window from the usual arguments: numbers or one per space axis; padding also "same" or pairs."""
    return made("a window", checks.whole("the space axes of a window", axes, 1, 30), size, stride, padding, dilation, groups)


def made(what: str, n: int, size: Any, stride: Any, padding: Any, dilation: Any, groups: Any = 1) -> _conv.Window:
    """The window of an operation that errors name."""
    sizes, steps = checks.per_axis(f"the size of {what}", size, n), checks.per_axis(f"the stride of {what}", stride, n)
    gaps, pads = checks.per_axis(f"the dilation of {what}", dilation, n), padded(what, padding, n)
    if pads == "same":
        spans = [(k - 1) * d for k, d in zip(sizes, gaps, strict=True)]
        pads = tuple((s // 2, s - s // 2) for s in spans)
    return _conv.Window(steps, gaps, pads, checks.whole(f"the groups of {what}", groups, 1))


def padded(what: str, value: Any, axes: int) -> Literal["same"] | Pairs:
    """Padding as a pair for each axis, or the word "same"."""
    if isinstance(value, str) and value in ("same", "valid"):
        return "same" if value == "same" else ((0, 0),) * axes
    pairs = [p if checks.is_group(p) else (p, p) for p in value] if checks.is_group(value) and any(map(checks.is_group, value)) else []
    if not pairs and not isinstance(value, str):
        return tuple((n, n) for n in checks.per_axis(f"the padding of {what}", value, axes, 0))
    if len(pairs) != axes or any(len(p) != 2 or not all(checks.is_whole(n) and n >= 0 for n in p) for p in pairs):
        told = f"{checks.shown(value)}{checks.nearest(value, ('same', 'valid'))}"
        raise BadValue(f"{what} expects padding 'same', 'valid', whole numbers ≥ 0 or pairs (before, after), got {told}")
    return tuple((int(a), int(b)) for a, b in pairs)


def convolve(x: Wire, kernel: Wire, stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1, groups: int = 1) -> Wire:
    """(N, *space, C) ∗ (*size, C/groups, O) → (N, *out, O): correlation, channels last."""
    image, kernels = array("convolve", x, "x"), array("convolve", kernel, "kernel")
    if kernels.rank < 3 or image.rank != kernels.rank:
        wanted = "an image (N, *space, C) and a kernel (*size, C/groups, O) of as many axes, at least 3"
        raise TypeMismatch(f"convolve expects {wanted}, got {image} and {kernels}")
    size = kernels.shape[:-2]
    win = made("convolve", len(size), size, stride, padding, dilation, groups)
    return _conv.Convolve("y", win, image.shape[1:-1], size)(x, kernel)


def moved(what: str, x: Any, size: Any, stride: Any, padding: Any, dilation: Any) -> tuple[_conv.Window, tuple[int, ...]]:
    """The window of a pooling and its size; the stride is the size when not given."""
    atom = array(what, x)
    if atom.rank < 3:
        raise TypeMismatch(f"{what} expects images (N, *space, C) with at least one space axis, got {atom}")
    sizes = checks.per_axis(f"the size of {what}", size, atom.rank - 2)
    return made(what, len(sizes), sizes, sizes if stride is None else stride, padding, dilation), sizes


def max_pool(
    x: Wire, size: Sequence[int], stride: Sizes | None = None, padding: Padding = 0, dilation: Sizes = 1, ceil_mode: bool = False
) -> Wire:
    """Largest entry of each window of (N, *space, C); ties go to the first in row-major order, padding is never chosen."""
    win, sizes = moved("max_pool", x, size, stride, padding, dilation)
    win = _conv.ceiled(win, x.atom.shape[1:-1], sizes) if checks.flag("ceil_mode", ceil_mode) else win
    where = _conv.WindowArgMax(win, sizes)(x)
    picked = _index.Take(2)(channel_rows(x), channel_rows(where))
    n, *space, channels = where.atom.shape
    return transpose(reshape(picked, n, channels, *space), 0, *range(2, len(space) + 2), 1)


def channel_rows(x: Wire) -> Wire:
    """(N, *space, C) → (N, C, positions)."""
    atom = array("channel_rows", x)
    if atom.rank < 2:
        raise TypeMismatch(f"channel_rows expects images (N, *space, C), got {atom}")
    n, *space, channels = atom.shape
    return reshape(transpose(x, 0, len(space) + 1, *range(1, len(space) + 1)), n, channels, math.prod(space))


def average_pool(
    x: Wire,
    size: Sequence[int],
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Wire:
    """Mean of each window of (N, *space, C): of all its entries with padding as zeros, or of those in the image only."""
    win, sizes = moved("average_pool", x, size, stride, padding, dilation)
    whole, zeros, space = checks.flag("ceil_mode", ceil_mode), checks.flag("count_include_pad", count_include_pad), x.atom.shape[1:-1]
    wide = _conv.ceiled(win, space, sizes) if whole else win
    even = wide.padding == win.padding and (zeros or not any(map(any, win.padding)))
    sums = window_sums(x, wide, sizes, 1.0 / math.prod(sizes) if even else 1.0)
    return sums if even else sums / spread(counts(x, space, win, wide, sizes, zeros), sums.atom.shape, range(1, len(space) + 1))


def window_sums(x: Wire, win: _conv.Window, size: tuple[int, ...], scale: float) -> Wire:
    """`scale` times the sum of each window, channel by channel."""
    atom, sizes = array("window_sums", x), spanned("window_sums", win, size)
    if atom.rank != len(sizes) + 2:
        raise TypeMismatch(f"window_sums by {sizes} expects (N, {len(sizes)} space axes, C), got {atom}")
    by, channels = checks.number("the scale of window_sums", scale), atom.shape[-1]
    kernel = full(by, Array((*sizes, 1, channels), atom.dtype))
    alone = _conv.Window(win.stride, win.dilation, win.padding, channels)
    return _conv.Convolve("y", alone, atom.shape[1:-1], sizes)(x, kernel)


def spanned(what: str, win: Any, size: Any) -> tuple[int, ...]:
    """The size of a window, one number for each of its axes."""
    made = checks.instance(f"the window of {what}", win, _conv.Window, "made by lg.ops.window(…)")
    return checks.per_axis(f"the size of {what}", size, len(made.stride))


def counts(x: Wire, space: Sequence[int], win: _conv.Window, wide: _conv.Window, size: tuple[int, ...], padded: bool) -> Wire:
    """How many entries of the image, or of the image with its own padding, are in each window of `wide`."""
    atom, sizes, axes = array("counts", x), spanned("counts", win, size), len(spanned("counts", wide, size))
    image = checks.wholes("the space of counts", space, n=axes)
    own = win.padding if checks.flag("padded", padded) else ((0, 0),) * axes
    rest = tuple((a - b, c - d) for (a, c), (b, d) in zip(wide.padding, own, strict=True))
    if min(map(min, rest)) < 0:
        raise TypeMismatch(f"counts expects a window that is padded by {own} or more, got {wide.padding}")
    ones = full(1.0, Array((1, *(n + a + b for n, (a, b) in zip(image, own, strict=True)), 1), atom.dtype))
    found = window_sums(ones, _conv.Window(wide.stride, wide.dilation, rest), sizes, 1.0)
    return reshape(found, *found.atom.shape[1:-1])
