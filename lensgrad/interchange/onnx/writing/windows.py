"""Convolution in its three slots, and where windows have their largest entry; space axes last, as ONNX has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lensgrad.core.errors import NoRule
from lensgrad.interchange.onnx.writing.arrange import pad
from lensgrad.interchange.onnx.writing.sheet import Value, size

Pads = Sequence[tuple[int, int]]


def convolved(op: Any, a: Value, b: Value) -> Value:
    """The slot that the generator names."""
    win = op.window
    if op.slot == "y":
        return last(correlated(first(a), kernel(b), win.stride, win.dilation, win.padding, win.groups))
    return image(op, a, b) if op.slot == "x" else kernels(op, a, b)


def first(x: Value) -> Value:
    """(N, *space, C) to (N, C, *space)."""
    return x.transposed(0, x.rank - 1, *range(1, x.rank - 1))


def last(x: Value) -> Value:
    """(N, C, *space) to (N, *space, C)."""
    return x.transposed(0, *range(2, x.rank), 1)


def kernel(k: Value) -> Value:
    """(*size, C, O) to (O, C, *size)."""
    return k.transposed(k.rank - 1, k.rank - 2, *range(k.rank - 2))


def correlated(x: Value, k: Value, stride: Sequence[int], dilation: Sequence[int], pads: Pads, groups: int) -> Value:
    """(N, C, *space) with (O, C/g, *size): `Conv` in float32, and a product of matrices in dtypes that runtimes have no `Conv` for."""
    if x.dtype == "float32":
        return conv(x, k, stride, dilation, pads, groups)
    found, space = columns(x, k.shape[2:], stride, dilation, pads, groups)
    rows = k.reshaped(groups, k.shape[0] // groups, size(k.shape[1:]))
    return rows.product(found).reshaped(x.shape[0], k.shape[0], *space)


def conv(x: Value, k: Value, stride: Sequence[int], dilation: Sequence[int], pads: Pads, groups: int) -> Value:
    """The operator itself."""
    space = spaces(x.shape[2:], k.shape[2:], stride, dilation, pads)
    how = {"strides": list(stride), "dilations": list(dilation), "pads": [p[0] for p in pads] + [p[1] for p in pads], "group": groups}
    return x.sheet.add("Conv", [x, k], x.dtype, (x.shape[0], k.shape[0], *space), kernel_shape=list(k.shape[2:]), **how)


def spaces(image: Sequence[int], size: Sequence[int], stride: Sequence[int], dilation: Sequence[int], pads: Pads) -> tuple[int, ...]:
    """How many positions there are along each axis."""
    axes = zip(image, size, stride, dilation, pads, strict=True)
    return tuple((n + low + high - (k - 1) * d - 1) // s + 1 for n, k, s, d, (low, high) in axes)


def columns(
    x: Value, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], pads: Pads, groups: int
) -> tuple[Value, tuple[int, ...]]:
    """What each position of a kernel meets, (N, g, C/g · K, P), and the P positions by axis."""
    space = spaces(x.shape[2:], kernel, stride, dilation, pads)
    x = x.padded([0, 0, *(p[0] for p in pads)], [0, 0, *(p[1] for p in pads)])
    views: list[Value] = []
    for at in np.ndindex(*kernel):
        start = [0, 0, *(int(p) * d for p, d in zip(at, dilation, strict=True))]
        stop = [*x.shape[:2], *(a + (o - 1) * s + 1 for a, o, s in zip(start[2:], space, stride, strict=True))]
        views.append(x.sliced(start, stop, [1, 1, *stride]).reshaped(*x.shape[:2], 1, size(space)))
    one, *rest = views
    together = one.joined(*rest, axis=2) if rest else one
    return together.reshaped(x.shape[0], groups, x.shape[1] // groups * len(views), size(space)), space


def image(op: Any, y: Value, k: Value) -> Value:
    """The adjoint in the image: y with zeros between its entries, correlated with the turned kernel."""
    win, g, axes = op.window, op.window.groups, range(len(op.size))
    inner, outer = k.shape[-2:]
    turned = k.flipped(axes).reshaped(*op.size, inner, g, outer // g)
    weights = turned.transposed(len(axes) + 1, len(axes), len(axes) + 2, *axes).reshaped(g * inner, outer // g, *op.size)
    low = [(s - 1) * d - p[0] for s, d, p in zip(op.size, win.dilation, win.padding, strict=True)]
    spread = pad(first(y), [0] * y.rank, [0] * y.rank, [0, 0, *(s - 1 for s in win.stride)])
    reach = [n + (s - 1) * d for n, s, d in zip(op.image, op.size, win.dilation, strict=True)]
    high = [r - m - a for r, m, a in zip(reach, spread.shape[2:], low, strict=True)]
    start = [0, 0, *(max(0, -a) for a in low)]
    stop = [*spread.shape[:2], *(m - max(0, -b) for m, b in zip(spread.shape[2:], high, strict=True))]
    met = spread.sliced(start, stop, [1] * spread.rank)
    pads = [(max(0, a), max(0, b)) for a, b in zip(low, high, strict=True)]
    return last(correlated(met, weights, [1] * len(axes), win.dilation, pads, g))


def kernels(op: Any, x: Value, y: Value) -> Value:
    """The adjoint in the kernel: examples are what is summed over, so they take the place of channels."""
    win, g, n, axes = op.window, op.window.groups, x.shape[0], range(len(op.size))
    inner, outer = x.shape[-1] // g, y.shape[-1]
    if x.dtype != "float32":
        met, space = columns(first(x), op.size, win.stride, win.dilation, win.padding, g)
        rows = first(y).reshaped(n, g, outer // g, size(space))
        found = rows.product(met.transposed(0, 1, 3, 2)).reduced("ReduceSum", [0])
        return found.reshaped(outer, inner, *op.size).transposed(*(a + 2 for a in axes), 1, 0)
    split = x.reshaped(*x.shape[:-1], g, inner)
    images = split.transposed(len(axes) + 2, len(axes) + 1, 0, *(a + 1 for a in axes)).reshaped(inner, g * n, *op.image)
    weights = y.transposed(y.rank - 1, 0, *(a + 1 for a in axes))
    wide = conv(images, weights, win.dilation, win.stride, win.padding, g)
    found = wide.sliced([0] * wide.rank, [*wide.shape[:2], *op.size], [1] * wide.rank)
    return found.transposed(*(a + 2 for a in axes), 0, 1)


def argmax(op: Any, x: Value) -> Value:
    """Where in its image the first largest entry of each window is: `MaxPool` numbers the entries of all images in a row."""
    win, images = op.window, first(x if x.dtype in ("float32", "float64") else x.to("float64"))
    if any(max(p) >= s for p, s in zip(win.padding, op.size, strict=True)):
        raise NoRule(f"WindowArgMax has no meaning in the ONNX backend where padding {win.padding} is as wide as the window {op.size}")
    space = spaces(images.shape[2:], op.size, win.stride, win.dilation, win.padding)
    shape = (*images.shape[:2], *space)
    how: dict[str, Any] = {"strides": list(win.stride), "dilations": list(win.dilation), "kernel_shape": list(op.size)}
    pads = [p[0] for p in win.padding] + [p[1] for p in win.padding]
    _, places = x.sheet.adds("MaxPool", [images], [(images.dtype, shape), ("int64", shape)], pads=pads, **how)
    return last(places.on("Mod", size(images.shape[2:])))
