"""Convolutions and pooling, in whatever order their axes stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.jax.meanings.shapes import padded
from lensgrad.interchange.jax.step import Step, Table
from lensgrad.theories.smooth import linear, ops


def convolution(step: Step) -> Wire:
    """x ∗ k with axes as `dimension_numbers` says; gaps in the image are entries of 0."""
    x, kernel = step.wires()
    given, told = step.params, step.params["dimension_numbers"]
    if given["batch_group_count"] != 1:
        raise step.refused("has groups of examples, which have no meaning here")
    n, channels, *space = told.lhs_spec
    out, into, *size = told.rhs_spec
    image = linear.Transpose((n, *space, channels))(x)
    sides = [(low, high, gap - 1) for (low, high), gap in zip(given["padding"], given["lhs_dilation"], strict=True)]
    spread = any(gap for _, _, gap in sides) or any(low < 0 or high < 0 for low, high, _ in sides)
    image = padded(step, image, [(0, 0, 0), *sides, (0, 0, 0)]) if spread else image
    pads = 0 if spread else tuple(given["padding"])
    kernels = linear.Transpose((*size, into, out))(kernel)
    made = ops.convolve(image, kernels, tuple(given["window_strides"]), pads, tuple(given["rhs_dilation"]), given["feature_group_count"])
    where = told.out_spec
    order = [0] * made.atom.rank
    for own, its in zip([0, made.atom.rank - 1, *range(1, made.atom.rank - 1)], where, strict=True):
        order[its] = own
    made = linear.Transpose(tuple(order))(made)
    dtype = given.get("preferred_element_type")
    return made if dtype is None else ops.cast(made, str(dtype))


def rows(x: Wire, axes: Sequence[int]) -> tuple[Wire, list[int]]:
    """(rest, *axes, 1), and the order that this made."""
    rest = [a for a in range(x.atom.rank) if a not in axes]
    order = [*rest, *axes]
    shape = x.atom.shape
    return ops.reshape(linear.Transpose(tuple(order))(x), math.prod(shape[a] for a in rest), *(shape[a] for a in axes), 1), order


def pooled(step: Step, pool: Any) -> Wire:
    """A reduction in windows over whichever axes have one."""
    x, given = step.wire(), step.params
    if any(d != 1 for d in given["base_dilation"]):
        raise step.refused("has gaps between entries, which have no meaning here")
    size, stride, pads, gaps = (tuple(given[n]) for n in ("window_dimensions", "window_strides", "padding", "window_dilation"))
    axes = [a for a in range(x.atom.rank) if size[a] != 1 or stride[a] != 1 or any(pads[a])]
    if not axes:
        return x
    image, order = rows(x, axes)
    made = pool(image, *(tuple(v[a] for a in axes) for v in (size, stride, pads, gaps)))
    rest = [x.atom.shape[a] for a in order[: x.atom.rank - len(axes)]]
    made = ops.reshape(made, *rest, *made.atom.shape[1:-1])
    return linear.Transpose(tuple(order.index(a) for a in range(x.atom.rank)))(made)


def window_sum(x: Wire, size: Any, stride: Any, pads: Any, gaps: Any) -> Wire:
    return ops.window_sums(x, ops.window(len(size), size, stride, pads, gaps), size, 1.0)


TABLE: Table = {
    "conv_general_dilated": convolution,
    "reduce_window_max": lambda step: pooled(step, ops.max_pool),
    "reduce_window_sum": lambda step: pooled(step, window_sum),
}
