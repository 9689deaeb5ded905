"""Pooling of one image (*space, C), channels last."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, Unpack

from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Family
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.convolution import Padding, Sizes, fits, image
from lensgrad.learn.layers.parts import FOREIGN, layer, one_array, titled, with_mask
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.windows import padded

Pool = Callable[..., Any]  # (image with N, size, stride, padding, dilation, ceil_mode) ↦ image


class Options(TypedDict, total=False):
    """What pooling takes beside size, stride and padding.

    `dilation` is the distance of the entries of a window. With `ceil_mode` a last window may reach beyond the padding, as long as it
    begins in the image or in front of it. `count_include_pad=False` takes means over the entries of the image only.
    """

    dilation: Sizes
    ceil_mode: bool


class AverageOptions(Options, total=False):
    """The same for means."""

    count_include_pad: bool


def pooling(
    kind: str,
    axes: int,
    pool: Pool,
    size: Sizes,
    stride: Sizes | None,
    padding: Padding,
    name: str,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    **means: Any,
) -> Family:
    """A window moved over each channel; the stride is the size when not given."""
    what = titled(kind, name)
    sizes = checks.per_axis(f"the size of {what}", size, axes)
    steps = sizes if stride is None else checks.per_axis(f"the stride of {what}", stride, axes)
    gaps, pads = checks.per_axis(f"the dilation of {what}", dilation, axes), padded(what, padding, axes)
    ceil, flags = checks.flag("ceil_mode", ceil_mode), {label: checks.flag(label, value) for label, value in means.items()}

    def pooled(x: Wire) -> Wire:
        return single(pool(ops.reshape(x, 1, *x.atom.shape), sizes, steps, pads, gaps, ceil, **flags))

    def build(dom: Ty) -> Model:
        x = image(what, dom, axes)
        fits(what, ops.window(axes, sizes, steps, pads, gaps), x.shape[:-1], sizes)
        return parametric([], dom, pooled)

    return layer(kind, name, build)


def single(x: Any) -> Any:
    """Take off the axis N = 1."""
    return ops.reshape(x, *x.atom.shape[1:])


@in_words(FOREIGN)
def max_pool1d(size: Sizes, stride: Sizes | None = None, padding: Padding = 0, name: str = "", **options: Unpack[Options]) -> Family:
    """Largest entry of each window : ℝ^(l, C) → ℝ^(l′, C); ties go to the first, padding is never chosen."""
    return pooling("max_pool1d", 1, ops.max_pool, size, stride, padding, name, **options)


@in_words(FOREIGN)
def max_pool2d(size: Sizes, stride: Sizes | None = None, padding: Padding = 0, name: str = "", **options: Unpack[Options]) -> Family:
    """Largest entry of each window : ℝ^(h, w, C) → ℝ^(h′, w′, C); ties go to the first in row-major order."""
    return pooling("max_pool2d", 2, ops.max_pool, size, stride, padding, name, **options)


@in_words(FOREIGN)
def max_pool3d(size: Sizes, stride: Sizes | None = None, padding: Padding = 0, name: str = "", **options: Unpack[Options]) -> Family:
    """Largest entry of each window : ℝ^(d, h, w, C) → ℝ^(d′, h′, w′, C); ties as in 2d."""
    return pooling("max_pool3d", 3, ops.max_pool, size, stride, padding, name, **options)


@in_words(FOREIGN)
def average_pool1d(
    size: Sizes, stride: Sizes | None = None, padding: Padding = 0, name: str = "", **options: Unpack[AverageOptions]
) -> Family:
    """Mean of each window : ℝ^(l, C) → ℝ^(l′, C); padding counts as zeros, unless `count_include_pad=False`."""
    return pooling("average_pool1d", 1, ops.average_pool, size, stride, padding, name, **options)


@in_words(FOREIGN)
def average_pool2d(
    size: Sizes, stride: Sizes | None = None, padding: Padding = 0, name: str = "", **options: Unpack[AverageOptions]
) -> Family:
    """Mean of each window : ℝ^(h, w, C) → ℝ^(h′, w′, C); padding counts as zeros, unless `count_include_pad=False`."""
    return pooling("average_pool2d", 2, ops.average_pool, size, stride, padding, name, **options)


@in_words(FOREIGN)
def average_pool3d(
    size: Sizes, stride: Sizes | None = None, padding: Padding = 0, name: str = "", **options: Unpack[AverageOptions]
) -> Family:
    """Mean of each window : ℝ^(d, h, w, C) → ℝ^(d′, h′, w′, C); padding counts as zeros, unless `count_include_pad=False`."""
    return pooling("average_pool3d", 3, ops.average_pool, size, stride, padding, name, **options)


def over_space(kind: str, name: str, reduce: Callable[[Wire, Sequence[int]], Wire], shown: Callable[[Wire, Wire], Wire]) -> Family:
    """All axes but the last reduced; of a sequence with a mask beside it, the steps that are shown."""
    what = titled(kind, name)

    def beside_mask(wires: tuple[Wire, Wire]) -> Wire:
        return shown(*wires)

    def whole_space(x: Wire) -> Wire:
        return reduce(x, range(x.atom.rank - 1))

    def build(dom: Ty) -> Model:
        if len(dom) == 2:
            with_mask(what, dom, ("steps", "features"))
            return parametric([], dom, beside_mask)
        x = one_array(what, dom)
        if x.rank < 2:
            raise TypeMismatch(f"{what} expects at least one space axis in front of the channels, got {x}")
        return parametric([], dom, whole_space)

    return layer(kind, name, build)


def global_average_pool(name: str = "") -> Family:
    """Mean over all space axes : ℝ^(*space, C) → ℝ^C (arXiv 1312.4400).

    With a mask beside a sequence, ℝ^(T, C) × bool[T] → ℝ^C, the mean over the steps that are true; 0 where none is.
    """

    def shown(x: Any, mask: Any) -> Any:
        count = ops.maximum(ops.sum_over(ops.cast(mask, x.atom.dtype)), 1.0)
        return ops.sum_over(only(x, mask, 0.0), 0) / ops.spread(count, x.atom.shape[1:], ())

    return over_space("global_average_pool", name, ops.mean_over, shown)


def global_max_pool(name: str = "") -> Family:
    """Largest entry over all space axes : ℝ^(*space, C) → ℝ^C; equal entries share the gradient.

    With a mask beside a sequence, ℝ^(T, C) × bool[T] → ℝ^C, the largest of the steps that are true; 0 where none is.
    """

    def shown(x: Any, mask: Any) -> Any:
        top = ops.amax(only(x, mask, -math.inf), 0)
        return ops.select(top > -math.inf, top, 0.0)

    return over_space("global_max_pool", name, ops.amax, shown)


def only(x: Any, mask: Any, other: float) -> Any:
    """The steps of x that are shown, and a number in place of the others."""
    return ops.select(ops.spread(mask, x.atom.shape, (0,)), x, other)
