"""Convolution and pooling on wires: (N, *space, C), channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from lensgrad.core.graph import Wire
from lensgrad.theories.smooth import conv as _conv
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.operators import reshape, transpose
from lensgrad.theories.smooth.wires import spread

Sizes = int | Sequence[int]  # one for all space axes, or one for each
Padding = (
    int | Literal["same"] | Sequence[int | Sequence[int]]
)  # "same", or how many before and after: one number, or one or a pair for each axis


def window(axes: int, size: Sequence[int], stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1, groups: int = 1) -> _conv.Window:
    """A window from the usual arguments: numbers or one per space axis; padding also "same" or pairs."""
    steps, gaps = each(stride, axes), each(dilation, axes)
    if padding == "same":
        spans = [(k - 1) * d for k, d in zip(size, gaps, strict=True)]
        pairs = tuple((s // 2, s - s // 2) for s in spans)
    else:
        pairs = tuple(pair(p) for p in (padding if isinstance(padding, Sequence) else (padding,) * axes))
    return _conv.Window(steps, gaps, pairs, groups)


def each(given: Sizes, axes: int) -> tuple[int, ...]:
    """One number for each space axis."""
    return tuple(given) if isinstance(given, Sequence) else (given,) * axes


def pair(given: int | Sequence[int]) -> tuple[int, int]:
    """How many before, and how many after."""
    before, after = given if isinstance(given, Sequence) else (given, given)
    return before, after


def convolve(x: Wire, kernel: Wire, stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1, groups: int = 1) -> Wire:
    """(N, *space, C) ∗ (*size, C/groups, O) → (N, *out, O): correlation, channels last."""
    size = kernel.atom.shape[:-2]
    win = window(len(size), size, stride, padding, dilation, groups)
    return _conv.Convolve("y", win, x.atom.shape[1:-1], size)(x, kernel)


def max_pool(
    x: Wire, size: Sequence[int], stride: Sizes | None = None, padding: Padding = 0, dilation: Sizes = 1, ceil_mode: bool = False
) -> Wire:
    """Largest entry of each window of (N, *space, C); ties go to the first in row-major order, padding is never chosen."""
    win = window(len(size), size, stride or size, padding, dilation)
    win = _conv.ceiled(win, x.atom.shape[1:-1], tuple(size)) if ceil_mode else win
    where = _conv.WindowArgMax(win, tuple(size))(x)
    picked = _index.Take(2)(channel_rows(x), channel_rows(where))
    n, *space, channels = where.atom.shape
    return transpose(reshape(picked, n, channels, *space), 0, *range(2, len(space) + 2), 1)


def channel_rows(x: Wire) -> Wire:
    """(N, *space, C) → (N, C, positions)."""
    n, *space, channels = x.atom.shape
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
    win = window(len(size), size, stride or size, padding, dilation)
    space, wide = x.atom.shape[1:-1], _conv.ceiled(win, x.atom.shape[1:-1], tuple(size)) if ceil_mode else win
    even = wide.padding == win.padding and (count_include_pad or not any(map(any, win.padding)))
    scale = 1.0 / math.prod(size) if even else 1.0
    sums = window_sums(x, wide, tuple(size), scale)
    return (
        sums
        if even
        else sums / spread(counts(x, space, win, wide, tuple(size), count_include_pad), sums.atom.shape, (1, 2, 3)[: len(space)])
    )


def window_sums(x: Wire, win: _conv.Window, size: tuple[int, ...], scale: float) -> Wire:
    """`scale` times the sum of each window, channel by channel."""
    channels = x.atom.shape[-1]
    kernel = full(scale, Array((*size, 1, channels), x.atom.dtype))
    alone = _conv.Window(win.stride, win.dilation, win.padding, channels)
    return _conv.Convolve("y", alone, x.atom.shape[1:-1], size)(x, kernel)


def counts(x: Wire, space: Sequence[int], win: _conv.Window, wide: _conv.Window, size: tuple[int, ...], padded: bool) -> Wire:
    """How many entries of the image, or of the image with its own padding, are in each window of `wide`."""
    own = win.padding if padded else ((0, 0),) * len(space)
    rest = tuple((a - b, c - d) for (a, c), (b, d) in zip(wide.padding, own, strict=True))
    ones = full(1.0, Array((1, *(n + a + b for n, (a, b) in zip(space, own, strict=True)), 1), x.atom.dtype))
    found = window_sums(ones, _conv.Window(wide.stride, wide.dilation, rest), size, 1.0)
    return reshape(found, *found.atom.shape[1:-1])
