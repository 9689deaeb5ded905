"""Convolutions of one image (*space, C), channels last. An image has N = 1 here; batching makes it the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from lensgrad.cat.names import Param
from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.own import Activation
from lensgrad.learn.layers.parts import FOREIGN, fill, layer, one_whole, ranked, titled, weight, whole
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.conv import Convolve, Window
from lensgrad.theories.smooth.windows import padded

SPACE = (("length",), ("height", "width"), ("depth", "height", "width"))
Sizes = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]  # "same", a number, one or a pair for each axis


class Options(TypedDict, total=False):
    """What `convolution` takes beside filters and kernel."""

    stride: Sizes
    padding: Padding
    dilation: Sizes
    groups: int
    activation: Activation | None
    use_bias: bool
    weights: init.Init
    name: str


class DepthwiseOptions(TypedDict, total=False):
    """The same for `depthwise_conv`, whose groups are its channels."""

    stride: Sizes
    padding: Padding
    dilation: Sizes
    activation: Activation | None
    use_bias: bool
    weights: init.Init


def space_axes(what: str, axes: Any) -> int:
    """How many space axes there are."""
    if not checks.is_whole(axes) or axes not in (1, 2, 3):
        raise BadValue(f"{what} must have 1, 2 or 3 space axes, got {checks.shown(axes)}")
    return int(axes)


def image(what: str, dom: Ty, axes: int) -> Array:
    """The only input, an image with this many space axes and channels last."""
    names = (*SPACE[axes - 1], "channels")
    one = len(dom) == 1 and isinstance(dom[0], Array) and dom[0].rank == axes
    fix = f"add the axis of channels with lg.reshape({', '.join(map(str, dom[0].shape))}, 1)" if one else ""
    return ranked(what, dom, names, fix)


def fits(what: str, win: Window, space: Sequence[int], size: Sequence[int]) -> None:
    """Refuse an image that is smaller than the window, by the layer's name."""
    try:
        win.out(tuple(space), tuple(size))
    except TypeMismatch as error:
        raise TypeMismatch(f"{what}: {error}; use a smaller kernel, padding='same', or larger images") from None


def grouped(what: str, groups: int, **channels: int) -> None:
    """Refuse channels that do not divide into groups."""
    for name, n in channels.items():
        if n % groups:
            raise TypeMismatch(f"{what} cannot divide {n} {name} channels into {groups} groups")


def biased(ob: Ty, use_bias: bool) -> list[Param]:
    return [weight("bias", ob, init.zeros)] if use_bias else []


def finished(body: Model, activation: Any) -> Model:
    return body if activation is None else body >> activation


@in_words(FOREIGN)
def convolution(
    axes: int,
    filters: int,
    kernel: Sizes,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    activation: Activation | None = None,
    use_bias: bool = True,
    weights: init.Init = init.glorot,
    name: str = "",
) -> Family:
    """σ(x ∗ K + β) : ℝ^(*space, C) → ℝ^(*out, filters), a correlation; K : (*size, C/groups, filters).

    An output axis has ⌊(n + padding − dilation (k − 1) − 1) / stride⌋ + 1 positions; padding is a number for both sides,
    a pair for each axis, or "same" (⌈n / stride⌉ positions: dilation (k − 1) in all, the larger half after; TensorFlow pads less
    where the stride is above 1, which is written as pairs). `weights` starts K (Glorot), β starts at 0.
    """
    kind = f"conv{axes}d"
    what = titled(kind, name)
    made, parts = whole(what, filters=filters, groups=groups)
    act, biases = None if activation is None else activation_named(activation), checks.flag("use_bias", use_bias)
    size = checks.per_axis(f"the kernel of {what}", kernel, axes)
    steps, gaps = checks.per_axis(f"the stride of {what}", stride, axes), checks.per_axis(f"the dilation of {what}", dilation, axes)
    win = ops.window(axes, size, steps, padded(what, padding, axes), gaps, parts)

    def build(dom: Ty) -> Model:
        x = image(what, dom, axes)
        grouped(what, parts, input=x.shape[-1], output=made)
        fits(what, win, x.shape[:-1], size)
        convolve = Convolve("y", win, x.shape[:-1], size)
        kernels = weight("kernel", Real(*size, x.shape[-1] // parts, made, dtype=x.dtype), weights)
        return finished(windowed(convolve, [kernels, *biased(Real(made, dtype=x.dtype), biases)], dom), act)

    return layer(kind, name, build)


def windowed(op: Convolve, params: Sequence[Param], dom: Ty, more: Sequence[int] = ()) -> Model:
    """x ∗ K, and + β if there is one, with the axis N = 1 put on and taken off; `more` zeros behind each space axis of x."""

    def body(*wires: Any) -> Any:
        kernels, *rest, x = wires
        x = ops.pad(x, (0,) * x.atom.rank, (*more, 0)) if any(more) else x
        y = op(ops.reshape(x, 1, *x.atom.shape), kernels)
        y = ops.reshape(y, *y.atom.shape[1:])
        return y + fill(rest[0], y) if rest else y

    return parametric(params, dom, body)


@in_words(FOREIGN)
def conv1d(filters: int, kernel: Sizes, **options: Unpack[Options]) -> Family:
    """Convolution of sequences : ℝ^(length, C) → ℝ^(length′, filters); its arguments are those of `conv2d`, on one axis."""
    return convolution(1, filters, kernel, **options)


@in_words(FOREIGN)
def conv2d(filters: int, kernel: Sizes, **options: Unpack[Options]) -> Family:
    """Convolution of images : ℝ^(height, width, C) → ℝ^(height′, width′, filters), σ(x ∗ K + β), which is a correlation.

    K has the shape (*kernel, C / groups, filters). An output axis has ⌊(n + padding − dilation (k − 1) − 1) / stride⌋ + 1 positions.
    Sizes are whole numbers of pixels, one for both axes or a pair (height, width).

    - `filters`: channels of the result, a whole number ≥ 1.
    - `kernel`: the size of a window, ≥ 1.
    - `stride`: how far windows are apart, ≥ 1; 1 unless given.
    - `padding`: zeros on both sides of each axis, ≥ 0, or for each axis a pair (before, after). "same" gives ⌈n / stride⌉ positions
      (dilation (k − 1) in all, the larger half after; TensorFlow pads less where the stride is above 1, which is written as pairs), and
      "valid" is 0; 0 unless given.
    - `dilation`: the distance between the pixels that a window reads, ≥ 1; 1 unless given.
    - `groups`: the parts in which channels and filters are convolved on their own, a whole number that divides both; 1 unless given.
    - `activation`: σ, a name such as "relu", or a layer; none unless given.
    - `use_bias`: whether β : ℝ^filters is added, which starts at 0; True unless given.
    - `weights`: what K starts from; `lg.glorot` unless given.
    - `name`: what stands before the names of its parameters, as in `name/kernel`; nothing unless given.
    """
    return convolution(2, filters, kernel, **options)


@in_words(FOREIGN)
def conv3d(filters: int, kernel: Sizes, **options: Unpack[Options]) -> Family:
    """Convolution of volumes : ℝ^(depth, height, width, C) → ℝ^(depth′, height′, width′, filters); its arguments are those of `conv2d`."""
    return convolution(3, filters, kernel, **options)


@in_words(FOREIGN)
def depthwise_conv(kernel: Sizes, multiplier: int = 1, axes: int = 2, name: str = "", **options: Unpack[DepthwiseOptions]) -> Family:
    """Each channel by its own kernels : ℝ^(*space, C) → ℝ^(*out, C · multiplier): a convolution in C groups.

    Options as for `conv2d`, without `groups`.
    """
    what = titled("depthwise_conv", name)
    times, space = one_whole(what, multiplier=multiplier), space_axes(what, axes)
    convolution(space, 1, kernel, name=what, **options)  # options that do not fit are refused now

    def build(dom: Ty) -> Model:
        channels = image(what, dom, space).shape[-1]
        # One box and one name: the inner layer is asked for its parametric arrow only.
        return unboxed(convolution(space, channels * times, kernel, groups=channels, **options).at(dom))

    return layer("depthwise_conv", name, build)


def unboxed(f: Model) -> Model:
    """A layer that is one box as what is in the box."""
    return Model.make(f.params, f.arrow.nodes[0].op.body, f.cod, f.observables)


@in_words(FOREIGN)
def conv_transpose(
    filters: int,
    kernel: Sizes,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    output_padding: Sizes = 0,
    activation: Activation | None = None,
    use_bias: bool = True,
    weights: init.Init = init.glorot,
    axes: int = 2,
    name: str = "",
) -> Family:
    """The image adjoint of a convolution, + β : ℝ^(*space, C) → ℝ^(*image, filters); K : (*size, filters/groups, C).

    An output axis has (n − 1) stride − padding + dilation (k − 1) + 1 + output_padding entries, and n · stride with "same".
    """
    what = titled("conv_transpose", name)
    made, parts = whole(what, filters=filters, groups=groups)
    act, biases = None if activation is None else activation_named(activation), checks.flag("use_bias", use_bias)
    rank = space_axes(what, axes)
    size = checks.per_axis(f"the kernel of {what}", kernel, rank)
    steps, gaps = checks.per_axis(f"the stride of {what}", stride, rank), checks.per_axis(f"the dilation of {what}", dilation, rank)
    extra = checks.per_axis(f"the output_padding of {what}", output_padding, rank, 0)
    pads = padded(what, padding, rank)
    if pads == "same" and any(extra):
        raise BadValue(f"{what} with padding='same' gives n · stride entries, so it takes no output_padding, got {output_padding}")
    win, more = ops.window(rank, size, steps, pads, gaps, parts), [e // s for e, s in zip(extra, steps, strict=True)]

    def build(dom: Ty) -> Model:
        x = image(what, dom, rank)
        grouped(what, parts, input=x.shape[-1], output=made)
        adjoint = Convolve("x", win, enlarged(what, win, x.shape[:-1], size, extra, pads == "same"), size)
        kernels = weight("kernel", Real(*size, made // parts, x.shape[-1], dtype=x.dtype), weights)
        return finished(windowed(adjoint, [kernels, *biased(Real(made, dtype=x.dtype), biases)], dom, more), act)

    return layer("conv_transpose", name, build)


def enlarged(what: str, win: Window, space: Sequence[int], size: Sequence[int], extra: Sequence[int], same: bool) -> tuple[int, ...]:
    """The image sizes whose convolution has `space` positions."""
    if same:
        return tuple(n * s for n, s in zip(space, win.stride, strict=True))
    pads, spans = [a + b for a, b in win.padding], [(k - 1) * d + 1 for k, d in zip(size, win.dilation, strict=True)]
    made = tuple((n - 1) * s - p + k + e for n, s, p, k, e in zip(space, win.stride, pads, spans, extra, strict=True))
    if min(made) < 1 or any(e >= max(s, d) for e, s, d in zip(extra, win.stride, win.dilation, strict=True) if e):
        fix = "use less padding, and output_padding below the stride or the dilation"
        raise TypeMismatch(f"{what} of an image {tuple(space)} would give {made}: {fix}")
    return made
