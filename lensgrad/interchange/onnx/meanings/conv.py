"""Convolutions: correlations of images (N, C, *space) with kernels (O, C / groups, *size)."""

from __future__ import annotations

import math

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.space import (
    Sizes,
    along_axis,
    automatic,
    channels_first,
    channels_last,
    halves,
    image_space,
    padding_pairs,
    per_axis,
    spans,
    text,
    window_of,
)  # fmt: skip
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.conv import Convolve, Window
from lensgrad.theories.smooth.index import Iota


def conv(call: c.Call) -> list[Wire]:
    """x ∗ K + β."""
    return [biased(call, 2, convolved(call, call.wire(0), call.wire(1)))]


def convolved(call: c.Call, x: Wire, k: Wire) -> Wire:
    """(N, C, *space) ∗ (O, C / groups, *size) → (N, O, *out)."""
    space, size = image_space(call, x), kernel_size(call, x, k)
    window = window_of(call, space, size, int(call.attribute("group", 1)))
    kernels = ops.transpose(k, *range(2, k.atom.rank), 1, 0)
    try:
        return channels_first(Convolve("y", window, space, size)(channels_last(x), kernels))
    except TypeMismatch as error:
        raise call.refused(f"does not fit: {error}") from None


def kernel_size(call: c.Call, x: Wire, k: Wire) -> Sizes:
    """The space axes of a kernel."""
    size = tuple(k.atom.shape[2:])
    named = tuple(call.attribute("kernel_shape") or size)
    if k.atom.rank != x.atom.rank or named != size:
        raise call.refused(f"needs a kernel of as many axes as its image {x.atom}, with the space {list(named)}, got {k.atom}")
    return size


def biased(call: c.Call, k: int, y: Wire) -> Wire:
    """y, and + β along the channels where the node has input k."""
    return y + along_axis(call.wire(k), y) if call.given(k) else y


def conv_transpose(call: c.Call) -> list[Wire]:
    """The image adjoint of a convolution, + β; kernels (C, O / groups, *size)."""
    x, k = call.wire(0), call.wire(1)
    space, size = image_space(call, x), kernel_size(call, x, k)
    window, image = enlarged(call, space, size)
    more = positions_missing(window, image, space, size)
    wide = ops.pad(channels_last(x), (0,) * x.atom.rank, (0, *more, 0))
    kernels = ops.transpose(k, *range(2, k.atom.rank), 1, 0)
    try:
        return [biased(call, 2, channels_first(Convolve("x", window, image, size)(wide, kernels)))]
    except TypeMismatch as error:
        raise call.refused(f"does not fit: {error}") from None


def positions_missing(window: Window, image: Sizes, space: Sizes, size: Sizes) -> Sizes:
    """How many more positions an image has along each axis than were given, where its last entries lie behind the last window."""
    return tuple(wide - n for wide, n in zip(window.out(image, size), space, strict=True))


def enlarged(call: c.Call, space: Sizes, size: Sizes) -> tuple[Window, Sizes]:
    """The window of a transposed convolution, and the sizes of the image that it gives."""
    axes, groups = len(space), int(call.attribute("group", 1))
    stride, dilation, extra = (per_axis(call, name, axes, k) for name, k in (("strides", 1), ("dilations", 1), ("output_padding", 0)))
    whole = [(n - 1) * s + k for n, s, k in zip(space, stride, spans(size, dilation), strict=True)]
    image, rule = tuple(int(n) for n in call.attribute("output_shape") or ()), automatic(call)
    if not image and rule in ("NOTSET", "VALID"):
        pads = padding_pairs(call, axes) if rule == "NOTSET" else ((0, 0),) * axes
        image = tuple(n + e - low - high for n, e, (low, high) in zip(whole, extra, pads, strict=True))
    else:
        image = image[-axes:] or tuple(n * s for n, s in zip(space, stride, strict=True))
        total = [n + e - m for n, e, m in zip(whole, extra, image, strict=True)]
        if min(total) < 0 and rule.startswith("SAME"):
            raise call.refused("has windows smaller than its strides and auto_pad SAME, which runtimes read differently: give its pads")
        pads = halves([max(0, n) for n in total], rule != "SAME_UPPER")
    if len(image) != axes or min(image) < 1:
        raise call.refused(f"would give an image of {list(image)}: use less padding, and one size for each space axis")
    return Window(stride, dilation, pads, groups), image


def conv_integer(call: c.Call) -> list[Wire]:
    """(x − zero) ∗ (K − zero), in int32."""
    x, k = (ops.cast(call.wire(n), "int32") for n in (0, 1))
    return [convolved(call, centered(call, x, 2, 1), centered(call, k, 3, 0))]


def centered(call: c.Call, x: Wire, k: int, axis: int) -> Wire:
    """x less the zero point that is input k: one for all, or one for each entry along an axis."""
    if not call.given(k):
        return x
    zero = ops.cast(call.wire(k), x.atom.dtype)
    return x - (spread_to(zero, x.atom.shape) if zero.atom.size == 1 else along_axis(zero, x, axis))


def col2im(call: c.Call) -> list[Wire]:
    """Blocks (N, C · entries, positions) added into images (N, C, *space) at their positions: an adjoint of reading them."""
    x = call.wire(0)
    space, size = (tuple(int(n) for n in call.constant(k, what)) for k, what in ((1, "an image shape"), (2, "a block shape")))
    entries, window = math.prod(size), window_of(call, space, size)
    positions = window.out(space, size)
    if x.atom.rank != 3 or x.atom.shape[1] % entries or x.atom.shape[2] != math.prod(positions):
        raise call.refused(f"needs blocks (N, C · {entries}, {math.prod(positions)}) for images {list(space)}, got {x.atom}")
    rows = x.atom.shape[0] * x.atom.shape[1] // entries
    blocks = ops.transpose(ops.reshape(x, rows, entries, math.prod(positions)), 0, 2, 1)
    each = ops.reshape(ops.one_hot(Iota(entries)(), entries, x.atom.dtype), *size, 1, entries)
    y = Convolve("x", window, space, size)(ops.reshape(blocks, rows, *positions, entries), each)
    return [ops.reshape(y, x.atom.shape[0], -1, *space)]


def causal_conv(call: c.Call) -> list[Wire]:
    """Each channel of (N, C, length) by its own kernel, which reads what is before; then the end that the next part reads."""
    x, k = call.wire(0), call.wire(1)
    past, how = k.atom.shape[-1] - 1, text(call.attribute("activation", "none")) or "none"
    if how not in ("none", "silu", "swish"):
        raise call.refused(f"must have the activation none, silu or swish, got {how}")
    before = call.wire(3) if call.given(3) else x.atom.with_shape(*x.atom.shape[:2], past).zero()
    whole = ops.concatenate([before, x], 2)
    window = Window((1,), (1,), ((0, 0),), x.atom.shape[1])
    convolve = Convolve("y", window, (whole.atom.shape[2],), (past + 1,))
    y = biased(call, 2, channels_first(convolve(channels_last(whole), ops.transpose(k, 2, 1, 0))))
    return [y if how == "none" else y * ops.sigmoid(y), whole[:, :, whole.atom.shape[2] - past :]]


TABLE: c.Table = {
    "CausalConvWithState": causal_conv,
    "Col2Im": col2im,
    "Conv": conv,
    "ConvInteger": conv_integer,
    "ConvTranspose": conv_transpose,
}
