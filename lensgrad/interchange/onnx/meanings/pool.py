"""Pooling: windows moved over each channel of an image (N, C, *space), and over whole channels."""

from __future__ import annotations

import math

import numpy as np

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.space import Sizes, channels_first, channels_last, image_space, padding_pairs, per_axis, window_of
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.conv import Window, WindowArgMax, ceiled
from lensgrad.theories.smooth.index import Take


def moved(call: c.Call, x: Wire) -> tuple[Window, Window, Sizes]:
    """The window of a pooling, the same with the zeros behind the image that `ceil_mode` adds, and its size."""
    space = image_space(call, x)
    if not call.attribute("kernel_shape"):
        raise call.refused("needs a kernel_shape")
    size = per_axis(call, "kernel_shape", len(space))
    window = window_of(call, space, size)
    return window, ceiled(window, space, size) if call.attribute("ceil_mode", 0) else window, size


def max_pool(call: c.Call) -> list[Wire]:
    """The largest entry of each window, and where it stands."""
    x = call.wire(0)
    _, window, size = moved(call, x)
    image = channels_last(x)
    try:
        where = ops.channel_rows(WindowArgMax(window, size)(image))
    except TypeMismatch as error:
        raise call.refused(f"does not fit: {error}") from None
    picked = Take(2)(ops.channel_rows(image), where)
    shape = (*x.atom.shape[:2], *window.out(tuple(x.atom.shape[2:]), size))
    asked = len(call.outputs) > 1 and call.outputs[1]
    return [ops.reshape(picked, *shape), *([ops.reshape(numbered(call, x, where), *shape)] if asked else [])]


def numbered(call: c.Call, x: Wire, where: Wire) -> Wire:
    """Positions in a channel as positions in the whole array, the last axis of space running first unless the order says otherwise."""
    batch, channels = int(x.atom.shape[0]), int(x.atom.shape[1])
    space = image_space(call, x)
    rows = batch * channels
    if call.attribute("storage_order", 0):
        order = np.arange(math.prod(space)).reshape(space[::-1]).transpose().ravel()
        where = ops.take(call.site.constant(f"{call.name or call.op}/order", order), where)
    if rows == 1:
        return where
    first = call.site.constant(f"{call.name or call.op}/first", np.arange(rows) * math.prod(space))
    return where + ops.spread(ops.reshape(first, batch, channels), where.atom.shape, (0, 1))


def average_pool(call: c.Call) -> list[Wire]:
    """The mean of each window."""
    x = call.wire(0)
    window, _, size = moved(call, x)
    y = ops.average_pool(
        channels_last(x),
        size,
        window.stride,
        window.padding,
        window.dilation,
        ceil_mode=bool(call.attribute("ceil_mode", 0)),
        count_include_pad=bool(call.attribute("count_include_pad", 0)),
    )
    return [channels_first(y)]


def lp_pool(call: c.Call) -> list[Wire]:
    """(Σ |x|^p)^(1/p) of each window."""
    x, p = call.wire(0), exponent(call)
    _, window, size = moved(call, x)
    sums = ops.window_sums(powered(channels_last(x), p), window, size, 1.0)
    return [channels_first(rooted(sums, p))]


def exponent(call: c.Call) -> float:
    """The p of a p-norm."""
    p = float(call.attribute("p", 2))
    if p <= 0:
        raise call.refused(f"must have p > 0, got {p:g}")
    return p


def powered(x: Wire, p: float) -> Wire:
    """|x|^p."""
    if p == 2:
        return x * x
    return ops.absolute(x) if p == 1 else guarded(ops.absolute(x), p)


def rooted(x: Wire, p: float) -> Wire:
    """x^(1/p), for x ≥ 0; the derivative at 0 is 0."""
    return x if p == 1 else guarded(x, 1.0 / p)


def guarded(x: Wire, p: float) -> Wire:
    """x^p for x ≥ 0, where the power sees no 0."""
    inside = x > 0.0
    positive = ops.select(inside, x, 1.0)
    return ops.select(inside, ops.sqrt(positive) if p == 0.5 else positive**p, 0.0)


def global_average_pool(call: c.Call) -> list[Wire]:
    """The mean of each channel."""
    x = call.wire(0)
    return [ops.mean_over(x, range(2, x.atom.rank), keepdims=True)]


def global_max_pool(call: c.Call) -> list[Wire]:
    """The largest entry of each channel."""
    x = call.wire(0)
    return [ops.amax(x, range(2, x.atom.rank), keepdims=True)]


def global_lp_pool(call: c.Call) -> list[Wire]:
    """The p-norm of each channel."""
    x, p = call.wire(0), exponent(call)
    return [rooted(ops.sum_over(powered(x, p), range(2, x.atom.rank), keepdims=True), p)]


def max_unpool(call: c.Call) -> list[Wire]:
    """Entries put back where a max-pooling took them from, and 0 elsewhere; what is named twice is taken once."""
    x, where = call.wire(0), call.wire(1)
    shape = unpooled(call, x)
    n, flat, places = math.prod(shape), ops.flatten(x), ops.flatten(where)
    sums = ops.scatter_add(n, places, flat)
    times = ops.scatter_add(n, places, spread_to(flat.atom.with_shape().one(), flat.atom.shape))
    y = ops.reshape(sums / ops.maximum(times, 1.0), *shape)
    return [y if not call.given(2) else widened(call, y)]


def unpooled(call: c.Call, x: Wire) -> Sizes:
    """The shape of the image that was pooled."""
    space = image_space(call, x)
    stride, size, pads = per_axis(call, "strides", len(space)), per_axis(call, "kernel_shape", len(space)), padding_pairs(call, len(space))
    made = ((n - 1) * s - low - high + k for n, s, k, (low, high) in zip(space, stride, size, pads, strict=True))
    return (*x.atom.shape[:2], *made)


def widened(call: c.Call, y: Wire) -> Wire:
    """y in the shape that input 2 names, with zeros behind it."""
    shape = [int(n) for n in call.constant(2, "a shape of its result")]
    more = [m - n for m, n in zip(shape, y.atom.shape, strict=True)] if len(shape) == y.atom.rank else [-1]
    if min(more) < 0:
        raise call.refused(f"has the result {list(y.atom.shape)}, which does not fit into the shape {shape}")
    return ops.pad(y, (0,) * y.atom.rank, more)


def regions(call: c.Call) -> list[Wire]:
    """No meaning here."""
    raise call.refused("pools regions of computed sizes, and windows have fixed sizes here: use RoiAlign with a sampling_ratio")


TABLE: c.Table = {
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "GlobalLpPool": global_lp_pool,
    "GlobalMaxPool": global_max_pool,
    "LpPool": lp_pool,
    "MaxPool": max_pool,
    "MaxRoiPool": regions,
    "MaxUnpool": max_unpool,
}
