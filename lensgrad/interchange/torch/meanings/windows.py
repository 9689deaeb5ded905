# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Convolution and pooling. PyTorch has channels after the examples, and lensgrad at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.torch.meanings.call import Meaning, Out, Table, listed, refused
from lensgrad.theories.smooth import conv, ops
from lensgrad.theories.smooth.index import rotated


def last(x: Wire, space: int) -> Wire:
    """(…, C, *space) → (N, *space, C)."""
    shape = x.atom.shape
    batched = x if x.atom.rank == space + 2 else ops.reshape(x, -1, *shape[-space - 1 :])
    return rotated(batched, 1, space + 1)


def first(y: Wire, out: Out) -> Wire:
    """(N, *space, C) → (…, C, *space), as the result has it."""
    return ops.reshape(rotated(y, y.atom.rank - 1, 1), *out.shape)


def pairs(padding: Any, n: int) -> list[tuple[int, int]]:
    return [(p, p) for p in listed(padding, n)]


def convolution(
    out: Out, x: Wire, weight: Wire, bias: Wire | None, stride: Any, padding: Any, dilation: Any, transposed: bool, output: Any, groups: int
) -> Wire:
    """Correlation; transposed, its adjoint in the image, which has the size of the result."""
    n = weight.atom.rank - 2
    kernel = ops.transpose(weight, *range(2, n + 2), 1, 0)
    window = ops.window(n, weight.atom.shape[2:], listed(stride, n), pairs(padding, n), listed(dilation, n), groups)
    image = last(x, n)
    space = out.shape[-n:] if transposed else image.atom.shape[1:-1]
    y = conv.Convolve("x" if transposed else "y", window, space, kernel.atom.shape[:n])(image, kernel)
    return first(y if bias is None else y + ops.spread(bias, y.atom.shape), out)


def max_pool(out: Out, x: Wire, size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Any:
    """The largest entry of each window and, where the operator gives it, its place."""
    n = len(size) if not isinstance(size, int) else x.atom.rank - 2
    sizes, image = listed(size, n), last(x, n)
    steps, pads, gaps = listed(stride, n) if stride else sizes, pairs(padding, n), listed(dilation, n)
    y = first(ops.max_pool(image, sizes, steps, pads, gaps, ceil_mode), out)
    if len(out.atoms) == 1:
        return y
    window = ops.window(n, sizes, steps, pads, gaps)
    wide = conv.ceiled(window, image.atom.shape[1:-1], tuple(sizes)) if ceil_mode else window
    return y, first(conv.WindowArgMax(wide, tuple(sizes))(image), out)


def average_pool(
    out: Out,
    x: Wire,
    size: Any,
    stride: Any = (),
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Wire:
    """The mean of each window."""
    n = len(size)
    sizes, image = listed(size, n), last(x, n)
    steps, pads = listed(stride, n) if stride else sizes, pairs(padding, n)
    if divisor_override is None:
        return first(ops.average_pool(image, sizes, steps, pads, 1, ceil_mode, count_include_pad), out)
    if ceil_mode:
        raise refused("an average with a divisor of its own and ceil_mode=True has no meaning")
    return first(ops.window_sums(image, ops.window(n, sizes, steps, pads), tuple(sizes), 1.0 / divisor_override), out)


def adaptive(fn: Callable[..., Wire]) -> Meaning:
    """The windows ⌊i n / m⌋ to ⌈(i + 1) n / m⌉ of each axis: reduced axis by axis."""

    def meaning(out: Out, x: Wire, size: Sequence[int]) -> Any:
        space = len(size)
        for k in range(x.atom.rank - space, x.atom.rank):
            x = bands(fn, x, k, out.shape[k])
        if len(out.atoms) > 1:
            return x, None
        return x

    return meaning


def bands(fn: Callable[..., Wire], x: Wire, axis: int, count: int) -> Wire:
    """One axis, band by band."""
    n = x.atom.shape[axis]
    if n == count:
        return x
    if count == 1:
        return fn(x, axis, keepdims=True)
    spans = [(i * n // count, math.ceil((i + 1) * n / count)) for i in range(count)]
    front = (slice(None),) * axis
    return ops.concatenate([fn(x[(*front, slice(a, b))], axis, keepdims=True) for a, b in spans], axis)


TABLE: Table = {
    "convolution": convolution,
    **{f"max_pool{n}d": max_pool for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": max_pool for n in (2, 3)},
    **{f"avg_pool{n}d": average_pool for n in (1, 2, 3)},
    **{f"{before}adaptive_avg_pool{n}d": adaptive(ops.mean_over) for n in (1, 2, 3) for before in ("", "_")},
    **{f"adaptive_max_pool{n}d": adaptive(ops.amax) for n in (1, 2, 3)},
}
