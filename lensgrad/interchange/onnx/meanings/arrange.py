"""Operators that move, repeat and cut entries."""

from __future__ import annotations

import math

import numpy as np

from lensgrad.core.checks import is_whole, shown
from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.call import Call, Table
from lensgrad.interchange.onnx.meanings.parts import axes_of, axis_of, same, table, whole_axis, wholes
from lensgrad.interchange.onnx.tensors import dtype_of
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops


def reshape(call: Call) -> list[Wire]:
    """Reshape: one size of −1 is what is left, and one of 0 that of the input."""
    x, shape = call.wire(0), wholes(call, 1, "shape", "the shape") or []
    if not call.attribute("allowzero", 0):
        shape = [x.atom.shape[k] if n == 0 else n for k, n in enumerate(shape)]
    return [ops.reshape(x, *shape)]


def flatten(call: Call) -> list[Wire]:
    """Flatten: the axes before one, and those from it on, as two."""
    x, axis = call.wire(0), call.attribute("axis", 1)
    before = math.prod(x.atom.shape[: axis if axis >= 0 else axis + x.atom.rank])
    return [ops.reshape(x, before, x.atom.size // before if before else math.prod(x.atom.shape[axis:]))]


def transpose(call: Call) -> list[Wire]:
    """Transpose: by an order of the axes, or backward."""
    x = call.wire(0)
    order = call.attribute("perm") or [*reversed(range(x.atom.rank))]
    return [ops.transpose(x, *order) if x.atom.rank else x]


def squeeze(call: Call) -> list[Wire]:
    """Squeeze: axes of size 1 go."""
    x = call.wire(0)
    axes = axes_of(call, 1, x.atom.rank)
    gone = [a for a, n in enumerate(x.atom.shape) if n == 1] if axes is None else axes
    if any(x.atom.shape[a] != 1 for a in gone):
        raise call.refused(f"takes axes of size 1 away, and {x.atom} has others at {gone}")
    return [ops.reshape(x, *(n for a, n in enumerate(x.atom.shape) if a not in gone))]


def unsqueeze(call: Call) -> list[Wire]:
    """Unsqueeze: new axes of size 1."""
    x, given = call.wire(0), wholes(call, 1, "axes", "axes") or []
    rank = x.atom.rank + len(given)
    new = {whole_axis(call, a, rank) for a in given}
    if len(new) < len(given):
        raise call.refused(f"must have each new axis once, got {given}")
    sizes = iter(x.atom.shape)
    return [ops.reshape(x, *(1 if a in new else next(sizes) for a in range(rank)))]


def concat(call: Call) -> list[Wire]:
    """Concat: along an axis."""
    xs = call.wires()
    return [ops.concatenate(xs, axis_of(call, xs[0].atom.rank, 1))]


def split(call: Call) -> list[Wire]:
    """Split: parts of given sizes, or of equal ones, the last of which may be smaller."""
    x = call.wire(0)
    axis = axis_of(call, x.atom.rank, 0)
    n, sizes = x.atom.shape[axis], wholes(call, 1, "split", "the sizes")
    if sizes is None:
        parts = call.attribute("num_outputs", len(call.outputs))
        each = -(-n // parts)
        sizes = [max(0, min(each, n - k * each)) for k in range(parts)]
    return [*ops.split(x, sizes, axis)]


def cut(call: Call) -> list[Wire]:
    """Slice: x[start:stop:step] on some axes, backward where the step is negative."""
    x = call.wire(0)
    starts, stops = wholes(call, 1, "starts", "the start"), wholes(call, 2, "ends", "the end")
    given = wholes(call, 3, "axes", "axes")
    axes = [*range(len(starts or []))] if given is None else [whole_axis(call, a, x.atom.rank) for a in given]
    steps = wholes(call, 4, "steps", "the step") or [1] * len(axes)
    slices, flipped = [slice(None)] * x.atom.rank, list[int]()
    for a, start, stop, step in zip(axes, starts or [], stops or [], steps, strict=True):
        n = x.atom.shape[a]
        places = range(*slice(start, stop, step).indices(n))
        if step > 0:
            slices[a] = slice(places.start, max(places.start, places.stop), step)
        else:
            flipped.append(a)
            slices[a] = slice(n - 1 - places.start, n - 1 - places.start + len(places) * -step, -step) if len(places) else slice(0, 0)
    y = ops.flip(x, flipped) if flipped else x
    return [y[tuple(slices)] if slices else y]


def pad(call: Call) -> list[Wire]:
    """Pad: by one number, or by entries of the array itself; negative widths cut."""
    x, mode = call.wire(0), call.attribute("mode", "constant")
    axes = axes_of(call, 3, x.atom.rank) if call.given(3) else [*range(x.atom.rank)]
    widths = wholes(call, 1, "pads", "the widths") or wholes(call, 1, "paddings", "the widths") or []
    for a, low, high in zip(axes or [], widths[: len(widths) // 2], widths[len(widths) // 2 :], strict=True):
        n = x.atom.shape[a]
        x = x[(*(slice(None),) * a, slice(max(0, -low), n - max(0, -high)))] if low < 0 or high < 0 else x
        low, high = max(0, low), max(0, high)
        if (low or high) and mode == "constant":
            x = bordered(call, x, a, low, high)
        elif low or high:
            x = ops.take(x, table(beyond(mode, x.atom.shape[a], low, high)), a)
    return [x]


def beyond(mode: str, n: int, low: int, high: int) -> Numbers:
    """The places that a padded axis of n entries reads from."""
    at, period = np.arange(-low, n + high), 2 * (n - 1)
    if mode == "reflect":
        return np.abs((at + n - 1) % period - (n - 1)) if period else np.zeros_like(at)
    if mode == "wrap":
        return at % n
    return {"edge": np.clip(at, 0, n - 1)}[mode]


def bordered(call: Call, x: Wire, axis: int, low: int, high: int) -> Wire:
    """One number before and after an axis."""
    value = call.wire(2) if call.given(2) else same(call.attribute("value", 0.0), x, ())
    sides = [[*x.atom.shape[:axis], n, *x.atom.shape[axis + 1 :]] for n in (low, high)]
    before, after = (spread_to(ops.reshape(value), shape) for shape in sides)
    return ops.concatenate([*([before] if low else []), x, *([after] if high else [])], axis)


def expand(call: Call) -> list[Wire]:
    """Expand: to the shape that its own and the given one are spread to."""
    x, shape = call.wire(0), wholes(call, 1, "shape", "the shape") or []
    return [spread_to(x, np.broadcast_shapes(x.atom.shape, tuple(shape)))]


def tile(call: Call) -> list[Wire]:
    """Tile: so many times along each axis."""
    return [ops.tile(call.wire(0), wholes(call, 1, "repeats", "the repeats") or [])]


# -- blocks ------------------------------------------------------------------------------------------------------------


def block(call: Call) -> int:
    """The size of a block."""
    b = call.attribute("blocksize")
    if not is_whole(b) or b < 1:
        raise call.refused(f"must have a blocksize ≥ 1, got {shown(b)}")
    return int(b)


def depth_to_space(call: Call) -> list[Wire]:
    """DepthToSpace: channels become blocks of pixels."""
    x, b = call.wire(0), block(call)
    n, c, h, w = x.atom.shape
    if call.attribute("mode", "DCR") == "DCR":
        y = ops.transpose(ops.reshape(x, n, b, b, c // (b * b), h, w), 0, 3, 4, 1, 5, 2)
    else:
        y = ops.transpose(ops.reshape(x, n, c // (b * b), b, b, h, w), 0, 1, 4, 2, 5, 3)
    return [ops.reshape(y, n, c // (b * b), h * b, w * b)]


def space_to_depth(call: Call) -> list[Wire]:
    """SpaceToDepth: blocks of pixels become channels."""
    x, b = call.wire(0), block(call)
    n, c, h, w = x.atom.shape
    y = ops.transpose(ops.reshape(x, n, c, h // b, b, w // b, b), 0, 3, 5, 1, 2, 4)
    return [ops.reshape(y, n, c * b * b, h // b, w // b)]


# -- triangles and sequences -------------------------------------------------------------------------------------------


def trilu(call: Call) -> list[Wire]:
    """Trilu: the upper or the lower triangle of matrices."""
    x = call.wire(0)
    offset = int(call.constant(1, "the diagonal").ravel()[0]) if call.given(1) else 0
    if not x.atom.size:
        return [x]
    return [(ops.triu if call.attribute("upper", 1) else ops.tril)(x, offset)]


def eye_like(call: Call) -> list[Wire]:
    """EyeLike: 1 on a diagonal, in the shape of a matrix."""
    x = call.wire(0)
    rows, columns = x.atom.shape
    kind = call.attribute("dtype")
    dtype = x.atom.dtype if kind is None else dtype_of("EyeLike", kind).name
    return [call.site.constant(call.outputs[0], np.eye(rows, columns, call.attribute("k", 0)).astype(dtype))]


def reverse_sequence(call: Call) -> list[Wire]:
    """ReverseSequence: the first entries of each line, as many as are given for it, backward."""
    x, lengths = call.wire(0), call.wire(1)
    time, lines = call.attribute("time_axis", 0), call.attribute("batch_axis", 1)
    moved = ops.transpose(x, lines, time, *(a for a in range(x.atom.rank) if a not in (lines, time)))
    n, steps = moved.atom.shape[:2]
    at, ends = ops.spread(table(np.arange(steps)), (n, steps), [1]), ops.spread(lengths, (n, steps), [0])
    places = ops.select(at < ends, ends - at - same(1, at), at)
    flat = ops.reshape(moved, n * steps, *moved.atom.shape[2:])
    rows = places + ops.spread(table(np.arange(n) * steps), (n, steps), [0])
    back = ops.take(flat, rows, 0)
    order = [lines, time, *(a for a in range(x.atom.rank) if a not in (lines, time))]
    return [ops.transpose(back, *np.argsort(order).tolist())]


def compress(call: Call) -> list[Wire]:
    """Compress: the entries along an axis whose condition, which is fixed, holds."""
    x, condition = call.wire(0), call.constant(1, "the condition")
    axis = call.attribute("axis")
    flat = ops.reshape(x, -1) if axis is None else x
    at = 0 if axis is None else whole_axis(call, axis, x.atom.rank)
    return [ops.take(flat, table(np.flatnonzero(condition)), at)]


def from_sizes(call: Call) -> list[Wire]:
    """Operators that the file itself computes, but where their sizes are those of data."""
    call.constant(0, "a size")
    raise call.refused("has a size that is computed from data, and shapes are fixed here: give the input a value by constants={…}")


TABLE: Table = {
    "Compress": compress,
    "Concat": concat,
    "DepthToSpace": depth_to_space,
    "MelWeightMatrix": from_sizes,
    "Expand": expand,
    "EyeLike": eye_like,
    "Flatten": flatten,
    "Pad": pad,
    "Reshape": reshape,
    "ReverseSequence": reverse_sequence,
    "Slice": cut,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Trilu": trilu,
    "Unsqueeze": unsqueeze,
}
