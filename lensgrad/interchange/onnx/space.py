"""Images as ONNX has them, (N, C, *space), and the windows that its nodes move over them."""

from __future__ import annotations

from collections.abc import Sequence

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx.call import Call
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.conv import Window

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def channels_last(x: Wire) -> Wire:
    """(N, C, *space) → (N, *space, C)."""
    return ops.transpose(x, 0, *range(2, x.atom.rank), 1)


def channels_first(x: Wire) -> Wire:
    """(N, *space, C) → (N, C, *space)."""
    return ops.transpose(x, 0, x.atom.rank - 1, *range(1, x.atom.rank - 1))


def along_axis(v: Wire, x: Wire, axis: int = 1) -> Wire:
    """A vector repeated over the shape of x, its entries along one axis."""
    return ops.spread(v, x.atom.shape, (axis,))


def image_space(call: Call, x: Wire) -> Sizes:
    """The space axes of an image."""
    if x.atom.rank < 3:
        raise call.refused(f"needs an image (N, C, *space), got {x.atom}")
    return tuple(x.atom.shape[2:])


def per_axis(call: Call, name: str, axes: int, default: int = 1) -> Sizes:
    """An attribute with one number for each space axis."""
    given = tuple(int(n) for n in call.attribute(name) or (default,) * axes)
    if len(given) != axes:
        raise call.refused(f"must have {axes} {name}, one for each space axis, got {list(given)}")
    return given


def window_of(call: Call, space: Sizes, size: Sizes, groups: int = 1) -> Window:
    """The window that a node moves over an image: its strides, dilations, and the padding that it names or that "SAME" gives."""
    axes = len(space)
    stride, dilation = per_axis(call, "strides", axes), per_axis(call, "dilations", axes)
    return Window(stride, dilation, padding_of(call, space, spans(size, dilation), stride), groups)


def spans(size: Sizes, dilation: Sizes) -> Sizes:
    """How many entries each axis of a window covers."""
    return tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))


def padding_of(call: Call, space: Sizes, span: Sizes, stride: Sizes) -> Pairs:
    """How many zeros stand before and after each axis."""
    rule = automatic(call)
    if rule == "NOTSET":
        return padding_pairs(call, len(space))
    if rule == "VALID":
        return ((0, 0),) * len(space)
    missing = [(-(-n // s) - 1) * s + k - n for n, k, s in zip(space, span, stride, strict=True)]
    if min(missing) < -1 and call.op.endswith("Pool"):
        raise call.refused("has windows smaller than its strides and auto_pad SAME, which runtimes read differently: give its pads")
    return halves([max(0, m) for m in missing], rule == "SAME_LOWER")


def automatic(call: Call) -> str:
    """What the node says of its padding."""
    rule = text(call.attribute("auto_pad", "NOTSET")) or "NOTSET"
    if rule not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise call.refused(f"must have auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {rule}")
    return rule


def padding_pairs(call: Call, axes: int) -> Pairs:
    """The attribute `pads`, as a pair for each axis."""
    pads = [int(n) for n in call.attribute("pads") or (0,) * (2 * axes)]
    if len(pads) != 2 * axes or min(pads) < 0:
        raise call.refused(f"must have {2 * axes} pads ≥ 0, those before each space axis and then those after, got {pads}")
    return tuple(zip(pads[:axes], pads[axes:], strict=True))


def halves(total: Sequence[int], lower: bool) -> Pairs:
    """Padding on both sides of each axis; where it is odd, the larger half stands before the image or after it."""
    return tuple((t - t // 2, t // 2) if lower else (t // 2, t - t // 2) for t in total)


def text(value: object) -> str:
    """An attribute that is text, which files hold as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value or "")
