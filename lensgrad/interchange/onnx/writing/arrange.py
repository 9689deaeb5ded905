"""Arrays moved, padded, read and written by number."""

from __future__ import annotations

from collections.abc import Sequence

from lensgrad.interchange.onnx.writing.sheet import Value, counted, size


def spread(x: Value, rank: int, shape: Sequence[int], axes: Sequence[int]) -> Value:
    """Axes of a wire of this rank at their places among others; nothing is repeated before an operator needs it."""
    own = (*[1] * (rank - x.rank), *x.shape)
    placed = [1] * len(shape)
    for axis, n in zip(axes, own, strict=True):
        placed[axis] = n
    lead = next((i for i, n in enumerate(placed) if n != 1), len(placed))
    return x.reshaped(*placed[lead:])


def pad(x: Value, low: Sequence[int], high: Sequence[int], interior: Sequence[int]) -> Value:
    """Zeros around and between the entries: each entry becomes the first of a row, and the last row loses what is behind it."""
    axes = [a for a in range(x.rank) if interior[a] and x.shape[a] > 1]
    if axes:
        rows = [(n, 1) if a in axes else (n,) for a, n in enumerate(x.shape)]
        behind = [(0, interior[a]) if a in axes else (0,) for a in range(x.rank)]
        apart = x.reshaped(*(n for row in rows for n in row))
        wide = apart.padded([0] * apart.rank, [n for row in behind for n in row])
        whole = wide.reshaped(*(n * (1 + interior[a]) if a in axes else n for a, n in enumerate(x.shape)))
        stop = [m - interior[a] if a in axes else m for a, m in enumerate(whole.shape)]
        x = whole.sliced([0] * x.rank, stop, [1] * x.rank)
    return x.padded(low, high)


def clipped(index: Value, n: int) -> Value:
    """Indices into an axis of n, those outside at the ends."""
    return index.to("int64").on("Max", 0).on("Min", n - 1)


def take(x: Value, index: Value, lead: int) -> Value:
    """Rows by number after `lead` common axes."""
    at, shape = clipped(index, x.shape[lead]), (*index.shape, *x.shape[lead + 1 :])
    if lead == 0:
        return x.sheet.add("Gather", [x, at], x.dtype, shape, axis=0)
    return x.sheet.add("GatherND", [x, at.reshaped(*at.shape, 1)], x.dtype, shape, batch_dims=lead)


def scatter_add(index: Value, y: Value, rows: int, lead: int) -> Value:
    """Rows added into zero rows by number: common axes and rows are counted as one axis."""
    common, rest = index.shape[:lead], y.shape[index.rank :]
    at = clipped(index, rows)
    if lead:
        block = counted(y.sheet, size(common)).reshaped(*common, *[1] * (index.rank - lead))
        at = block * rows + at
    blank = y.like(0).wide((size(common) * rows, *rest))
    places, given = at.reshaped(size(index.shape), 1), y.reshaped(size(index.shape), *rest)
    found = y.sheet.add("ScatterND", [blank, places, given], y.dtype, blank.shape, reduction="add")
    return found.reshaped(*common, rows, *rest)


def one_hot(index: Value, n: int) -> Value:
    """k ↦ e_k as truth values."""
    wide = index.to("int64")
    return wide.reshaped(*wide.shape, 1).equals(counted(index.sheet, n))


def cumulative_sum(x: Value, axis: int, backward: bool) -> Value:
    """Running sums from the start, or from the end."""
    return x.sheet.add("CumSum", [x, x.sheet.constant(axis, "int64")], x.dtype, x.shape, reverse=int(backward))


def argmax(x: Value, axis: int) -> Value:
    """Where the first largest entry along an axis is."""
    shape = [n for i, n in enumerate(x.shape) if i != axis]
    return x.sheet.add("ArgMax", [x], "int64", shape, axis=axis, keepdims=0)


def argsort(x: Value) -> Value:
    """The order that sorts the last axis upwards; equal entries stay as they stand, as `TopK` promises."""
    k = x.sheet.sizes(x.shape[-1])
    return x.sheet.adds("TopK", [x, k], [(x.dtype, x.shape), ("int64", x.shape)], axis=-1, largest=0, sorted=1)[1]
