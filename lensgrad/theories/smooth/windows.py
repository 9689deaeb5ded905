"""Convolution and pooling on wires: (N, *space, C), channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lensgrad.theories.smooth import conv as _conv
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.operators import reshape, transpose
from lensgrad.theories.smooth.wires import spread


def window(axes: int, size: Sequence[int], stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> _conv.Window:
    """A window from the usual arguments: numbers or one per space axis; padding also "same" or pairs."""
    stride, dilation = (tuple(v) if isinstance(v, tuple | list) else (v,) * axes for v in (stride, dilation))
    if padding == "same":
        spans = [(k - 1) * d for k, d in zip(size, dilation, strict=True)]
        pairs = tuple((s // 2, s - s // 2) for s in spans)
    else:
        each = padding if isinstance(padding, tuple | list) else (padding,) * axes
        pairs = tuple((p, p) if isinstance(p, int) else tuple(p) for p in each)
    return _conv.Window(tuple(stride), tuple(dilation), pairs, groups)


def convolve(x: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """(N, *space, C) ∗ (*size, C/groups, O) → (N, *out, O): correlation, channels last."""
    size = kernel.atom.shape[:-2]
    win = window(len(size), size, stride, padding, dilation, groups)
    return _conv.Convolve("y", win, x.atom.shape[1:-1], size)(x, kernel)


def max_pool(x: Any, size: Sequence[int], stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Any:
    """Largest entry of each window of (N, *space, C); ties go to the first in row-major order, padding is never chosen."""
    win = window(len(size), size, stride or size, padding, dilation)
    win = _conv.ceiled(win, x.atom.shape[1:-1], tuple(size)) if ceil_mode else win
    where = _conv.WindowArgMax(win, tuple(size))(x)
    picked = _index.Take(2)(channel_rows(x), channel_rows(where))
    n, *space, channels = where.atom.shape
    return transpose(reshape(picked, n, channels, *space), 0, *range(2, len(space) + 2), 1)


def channel_rows(x: Any) -> Any:
    """(N, *space, C) → (N, C, positions)."""
    n, *space, channels = x.atom.shape
    return reshape(transpose(x, 0, len(space) + 1, *range(1, len(space) + 1)), n, channels, math.prod(space))


def average_pool(
    x: Any,
    size: Sequence[int],
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
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


def window_sums(x: Any, win: _conv.Window, size: tuple[int, ...], scale: float) -> Any:
    """`scale` times the sum of each window, channel by channel."""
    channels = x.atom.shape[-1]
    kernel = full(scale, Array((*size, 1, channels), x.atom.dtype))
    alone = _conv.Window(win.stride, win.dilation, win.padding, channels)
    return _conv.Convolve("y", alone, x.atom.shape[1:-1], size)(x, kernel)


def counts(x: Any, space: Sequence[int], win: _conv.Window, wide: _conv.Window, size: tuple[int, ...], padded: bool) -> Any:
    """How many entries of the image, or of the image with its own padding, are in each window of `wide`."""
    own = win.padding if padded else ((0, 0),) * len(space)
    rest = tuple((a - b, c - d) for (a, c), (b, d) in zip(wide.padding, own, strict=True))
    ones = full(1.0, Array((1, *(n + a + b for n, (a, b) in zip(space, own, strict=True)), 1), x.atom.dtype))
    found = window_sums(ones, _conv.Window(wide.stride, wide.dilation, rest), size, 1.0)
    return reshape(found, *found.atom.shape[1:-1])
