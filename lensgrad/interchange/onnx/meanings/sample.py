"""Operators that read an image at computed places: grids, deformable convolutions, and aligned regions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.sample import (
    Tap,
    added,
    border_outside,
    cubic,
    linear,
    nearest,
    read,
    reflected,
    rows_of,
    zero_outside,
)  # fmt: skip
from lensgrad.interchange.onnx.space import Sizes, along_axis, image_space, padding_pairs, per_axis, text
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops

MODES: dict[str, Callable[[Wire], list[Tap]]] = {
    "linear": linear, "bilinear": linear, "nearest": nearest, "cubic": cubic, "bicubic": cubic,
}  # fmt: skip


def word(call: c.Call, name: str, default: str, known: Sequence[str]) -> str:
    """An attribute that is one of these words."""
    found = text(call.attribute(name, default)) or default
    if found not in known:
        raise call.refused(f"must have the {name} {', '.join(known)}, got {found}")
    return found


def grid_sample(call: c.Call) -> list[Wire]:
    """An image (N, C, *space) read at the places of a grid (N, *out, d), whose ends are −1 and 1: (N, C, *out)."""
    x, grid = call.wire(0), call.wire(1)
    space, mode = image_space(call, x), word(call, "mode", "linear", tuple(MODES))
    outside = word(call, "padding_mode", "zeros", ("zeros", "border", "reflection"))
    n, *out, axes = grid.atom.shape
    if axes != len(space) or n != x.atom.shape[0]:
        raise call.refused(f"needs a grid (N, *out, {len(space)}) for {x.atom}, got {grid.atom}")
    flat, corners = ops.reshape(grid, n, -1, axes), bool(call.attribute("align_corners", 0))
    places = [denormalized(flat[:, :, axes - 1 - k], size, corners) for k, size in enumerate(space)]
    taps = [taps_of(place, size, MODES[mode], outside, corners) for place, size in zip(places, space, strict=True)]
    y = added(read(rows_of(x), space, taps))
    return [ops.reshape(ops.transpose(y, 0, 2, 1), n, x.atom.shape[1], *out)]


def denormalized(place: Wire, n: int, corners: bool) -> Wire:
    """Places from −1 to 1 as numbers of pixels, the ends in the middle of the first and last pixel or at their outer edges."""
    return (place + 1.0) * ((n - 1) / 2) if corners else ((place + 1.0) * float(n) - 1.0) * 0.5


def taps_of(place: Wire, n: int, mode: Callable[[Wire], list[Tap]], outside: str, corners: bool) -> list[Tap]:
    """The pixels that a place along one axis reads."""
    if outside == "zeros":
        return [zero_outside(tap, n) for tap in mode(place)]
    if outside == "border":
        return [border_outside(tap, n) for tap in mode(place)]
    fold = reflected(0.0, n - 1.0) if corners else reflected(-0.5, n - 0.5)
    return [border_outside((fold(at), weight), n) for at, weight in mode(place)]


# -- deformable convolution --------------------------------------------------------------------------------------------


def deform_conv(call: c.Call) -> list[Wire]:
    """A convolution whose windows read the image at places that offsets move, each one times its mask."""
    x, k = call.wire(0), call.wire(1)
    space, size, parts = image_space(call, x), tuple(k.atom.shape[2:]), int(call.attribute("offset_group", 1))
    n, channels, positions = x.atom.shape[0], x.atom.shape[1], tuple(call.wire(2).atom.shape[2:])
    count, windows = math.prod(size), math.prod(positions)
    moved = ops.reshape(call.wire(2), n * parts, count, len(space), windows)
    fixed = window_places(call, space, size, positions)
    places = [ops.reshape(moved[:, :, a] + along_examples(call, a, at, moved), n * parts, -1) for a, at in enumerate(fixed)]
    taps = [[zero_outside(tap, m) for tap in linear(p)] for p, m in zip(places, space, strict=True)]
    rows = rows_of(ops.reshape(x, n * parts, channels // parts, *space))
    seen = ops.reshape(ops.transpose(added(read(rows, space, taps)), 0, 2, 1), n, parts, channels // parts, count, windows)
    if call.given(4):
        seen = seen * ops.spread(ops.reshape(call.wire(4), n, parts, count, windows), seen.atom.shape, (0, 1, 3, 4))
    groups, made = int(call.attribute("group", 1)), k.atom.shape[0]
    kernels = ops.reshape(k, groups, made // groups, channels // groups, count)
    y = ops.einsum("ngckp,gock->ngop", ops.reshape(seen, n, groups, channels // groups, count, windows), kernels)
    whole = ops.reshape(y, n, made, *positions)
    return [whole + along_axis(call.wire(3), whole) if call.given(3) else whole]


def window_places(call: c.Call, space: Sizes, size: Sizes, positions: Sizes) -> list[Numbers]:
    """Where each entry of each window stands before it is moved, along each axis: (entries, windows)."""
    axes = len(space)
    stride, dilation, pads = per_axis(call, "strides", axes), per_axis(call, "dilations", axes), padding_pairs(call, axes)
    entries, windows = np.indices(size).reshape(axes, -1, 1), np.indices(positions).reshape(axes, 1, -1)
    return [entries[a] * dilation[a] + windows[a] * stride[a] - pads[a][0] for a in range(axes)]


def along_examples(call: c.Call, axis: int, places: Numbers, moved: Wire) -> Wire:
    """Fixed places along one axis as a wire, the same for each example."""
    fixed = call.site.constant(f"{call.name or call.op}/places/{axis}", places.astype(moved.atom.dtype))
    return spread_to(fixed, (moved.atom.shape[0], *fixed.atom.shape))


# -- regions -----------------------------------------------------------------------------------------------------------


def roi_align(call: c.Call) -> list[Wire]:
    """The mean or the largest of so many places in each part of each region (x, y, x, y) of an image: (R, C, *parts)."""
    x, mode = call.wire(0), word(call, "mode", "avg", ("avg", "max"))
    times = int(call.attribute("sampling_ratio", 0))
    if times < 1:
        raise call.refused("reads as many places as a region is large, which has no meaning here: give a sampling_ratio")
    channels, *space = x.atom.shape[1:]
    out = [int(call.attribute(name, 1)) for name in ("output_height", "output_width")]
    regions = call.wire(1).atom.shape[0]
    ends = [region_places(call, a, size * times, space[a]) for a, size in enumerate(out)]
    count = math.prod(out) * times**2
    wide = (regions, out[0] * times, out[1] * times)
    places = [ops.reshape(ops.spread(p, wide, (0, a + 1)), regions, count) for a, p in enumerate(ends)]
    rows = ops.take(rows_of(x), ops.cast(call.wire(2), "int32"))
    found = read(rows, space, [region_taps(p, m) for p, m in zip(places, space, strict=True)])
    seen = added(found) if mode == "avg" else reduce(ops.maximum, found)
    cells = ops.reshape(ops.transpose(seen, 0, 2, 1), regions, channels, out[0], times, out[1], times)
    return [ops.mean_over(cells, (3, 5)) if mode == "avg" else ops.amax(cells, (3, 5))]


def region_places(call: c.Call, axis: int, count: int, n: int) -> Wire:
    """So many places in each region along one axis, evenly: (R, count)."""
    half = text(call.attribute("coordinate_transformation_mode", "half_pixel")) == "half_pixel" and call.version >= 16
    bounds = call.wire(1) * float(call.attribute("spatial_scale", 1.0)) - (0.5 if half else 0.0)
    start, width = bounds[:, 1 - axis], bounds[:, 3 - axis] - bounds[:, 1 - axis]
    width = width if half else ops.maximum(width, 1.0)
    label = f"{call.name or call.op}/steps/{axis}"
    steps = call.site.constant(label, ((np.arange(count) + 0.5) / count).astype(width.atom.dtype))
    inside = ops.outer(width, steps)
    return inside + ops.spread(start, inside.atom.shape, (0,))


def region_taps(place: Wire, n: int) -> list[Tap]:
    """The pixels on both sides of a place; one that is more than a pixel outside reads nothing."""
    there = (place >= -1.0) & (place <= float(n))
    taps = [border_outside(tap, n) for tap in linear(ops.clamp(place, 0.0, n - 1.0))]
    return [(at, ops.select(there, weight, 0.0)) for at, weight in taps if weight is not None]


TABLE: c.Table = {"DeformConv": deform_conv, "GridSample": grid_sample, "RoiAlign": roi_align}
