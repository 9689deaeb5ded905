"""What one function of PyTorch does not say: windows, indices and random words. Unsigned words are carried in int64."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from lensgrad.core.errors import NoRule
from lensgrad.interchange.torch.package import torch
from lensgrad.theories.smooth.shape import LIMITS

F: Any = torch.nn.functional
MASK = 0xFFFFFFFF
DTYPES: dict[str, Any] = {
    "float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16,
    "int32": torch.int32, "uint8": torch.uint8, "uint32": torch.int64, "bool": torch.bool,
}  # fmt: skip


def cast(x: Any, dtype: str) -> Any:
    """Between dtypes; floats to whole numbers truncate towards 0, NaN as 0 and values outside at the ends."""
    if dtype not in LIMITS or dtype == "bool" or not x.is_floating_point():
        wide = x.to(DTYPES[dtype])
        return wide & MASK if dtype == "uint32" else wide
    low, high = LIMITS[dtype]
    inside = torch.nan_to_num(x.double(), nan=0.0, posinf=high, neginf=low).clamp(low, high)
    return inside.trunc().to(DTYPES[dtype])


def spread(x: Any, shape: Sequence[int], axes: Sequence[int]) -> Any:
    """Repeat x over `shape`, its axes placed at `axes`."""
    placed = [1] * len(shape)
    for axis, size in zip(axes, x.shape, strict=True):
        placed[axis] = size
    return x.reshape(placed).expand(*shape)


def pad(x: Any, low: Sequence[int], high: Sequence[int], interior: Sequence[int]) -> Any:
    """Zeros around and between the entries of x."""
    sizes = [a + b + n + max(0, n - 1) * i for n, a, b, i in zip(x.shape, low, high, interior, strict=True)]
    out = x.new_zeros(sizes)
    out[tuple(slice(a, n - b, i + 1) for n, a, b, i in zip(sizes, low, high, interior, strict=True))] = x
    return out


def padded(x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """Zeros around the space axes of (N, C, *space)."""
    return F.pad(x, [n for pair in reversed(pads) for n in pair]) if any(map(any, pads)) else x


def first(x: Any) -> Any:
    """(N, *space, C) → (N, C, *space)."""
    return x.movedim(-1, 1)


def last(x: Any) -> Any:
    """(N, C, *space) → (N, *space, C)."""
    return x.movedim(1, -1)


def kernel(k: Any) -> Any:
    """(*size, C/g, O) → (O, C/g, *size)."""
    return k.movedim((-1, -2), (0, 1))


def by_axes(kind: str, op: Any) -> Any:
    """The convolution of so many space axes."""
    n = len(op.size)
    if not 1 <= n <= 3:
        raise NoRule(f"{op.name} over {n} space axes has no meaning in PyTorch, which convolves over 1 to 3")
    return getattr(F if kind != "weight" else torch.nn.grad, f"conv{n}d_weight" if kind == "weight" else f"{kind}{n}d")


def convolve(op: Any, x: Any, k: Any) -> Any:
    """(N, *space, C) with kernel (*size, C/g, O) to (N, *out, O)."""
    w = op.window
    y = by_axes("conv", op)(padded(first(x), w.padding), kernel(k), None, w.stride, 0, w.dilation, w.groups)
    return last(y)


def convolve_image(op: Any, y: Any, k: Any) -> Any:
    """The adjoint of `convolve` in its image: onto the padded image, from which the padding is cut."""
    w = op.window
    room = [n + a + b for n, (a, b) in zip(op.image, w.padding, strict=True)]
    spans = [(o - 1) * s + (size - 1) * d + 1 for o, s, size, d in zip(y.shape[1:-1], w.stride, op.size, w.dilation, strict=True)]
    x = by_axes("conv_transpose", op)(first(y), kernel(k), None, w.stride, 0, 0, w.groups, w.dilation)
    wide = padded(x, [(0, r - s) for r, s in zip(room, spans, strict=True)])
    return last(wide)[(slice(None), *(slice(a, a + n) for n, (a, _) in zip(op.image, w.padding, strict=True)))]


def convolve_kernel(op: Any, x: Any, y: Any) -> Any:
    """The adjoint of `convolve` in its kernel."""
    w = op.window
    size = (y.shape[-1], x.shape[-1] // w.groups, *op.size)
    k = by_axes("weight", op)(padded(first(x), w.padding), size, first(y).contiguous(), w.stride, 0, w.dilation, w.groups)
    return k.movedim((0, 1), (-1, -2))


def views(x: Any, window: Any, size: Sequence[int], outs: Sequence[int]) -> Iterator[Any]:
    """For each kernel position the strided view of a padded image that it meets."""
    for at in itertools.product(*map(range, size)):
        steps = zip(at, window.dilation, outs, window.stride, strict=True)
        yield x[(slice(None), *(slice(p * d, p * d + (o - 1) * s + 1, s) for p, d, o, s in steps))]


def window_argmax(window: Any, size: Sequence[int], x: Any) -> Any:
    """The image position (row-major) of the first largest entry of each window."""
    space = x.shape[1:-1]
    outs = window.out(tuple(space), tuple(size))
    numbers = torch.arange(math.prod(space), dtype=torch.int32).reshape(1, *space, 1)
    wide, where = edged(x.detach(), window, lowest(x.dtype)), edged(numbers, window, -1)
    best, found = None, None
    for view, number in zip(views(wide, window, size, outs), views(where, window, size, outs), strict=True):
        if best is None or found is None:
            best, found = view, number.expand(view.shape)
            continue
        better = (number >= 0) & ((view > best) | (found < 0))
        best, found = torch.where(better, view, best), torch.where(better, number, found)
    return found


def edged(x: Any, window: Any, value: Any) -> Any:
    """A number around the space axes of (N, *space, C)."""
    pads = [0, 0, *(n for pair in reversed(window.padding) for n in pair)]
    return F.pad(x, pads, value=value)


def lowest(dtype: Any) -> Any:
    """What no entry is below."""
    return -math.inf if dtype.is_floating_point else torch.iinfo(dtype).min


def grid(index: Any, lead: int) -> tuple[Any, ...]:
    """The numbers of the first `lead` axes, shaped to be used beside `index`."""
    return tuple(torch.arange(n).reshape([-1 if j == i else 1 for j in range(index.ndim)]) for i, n in enumerate(index.shape[:lead]))


def take(x: Any, index: Any, lead: int) -> Any:
    """Rows of x by number after `lead` common axes; numbers outside are clipped."""
    return x[(*grid(index, lead), index.long().clamp(0, x.shape[lead] - 1))]


def scatter_add(index: Any, y: Any, rows: int, lead: int) -> Any:
    """Add the rows of y into zeros by number; numbers outside are clipped."""
    zeros = y.new_zeros((*index.shape[:lead], rows, *y.shape[index.ndim :]))
    return zeros.index_put((*grid(index, lead), index.long().clamp(0, rows - 1)), y, accumulate=True)


def threefry(key: Any, count0: Any, count1: Any) -> tuple[Any, Any]:
    """Threefry-2x32 with 20 rounds: two words of key and two of counter to two random words."""
    k0, k1 = key[..., 0], key[..., 1]
    keys = (k0, k1, k0 ^ k1 ^ 0x1BD11BDA)
    x0, x1 = (count0 + k0) & MASK, (count1 + k1) & MASK
    for block in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            x0 = (x0 + x1) & MASK
            x1 = x0 ^ (((x1 << turn) & MASK) | (x1 >> (32 - turn)))
        x0 = (x0 + keys[(block + 1) % 3]) & MASK
        x1 = (x1 + keys[(block + 2) % 3] + block + 1) & MASK
    return x0, x1


def fold_in(key: Any, data: Any) -> Any:
    """A key for each whole number."""
    key = key.reshape(*key.shape[:-1], *[1] * (data.ndim - (key.ndim - 1)), 2)
    data = data.long() & MASK
    return torch.stack(threefry(key, data, torch.ones_like(data)), -1)


def random_bits(key: Any, shape: tuple[int, ...]) -> Any:
    """Uniform 32-bit words, one counter an entry."""
    count = torch.arange(math.prod(shape))
    words, _ = threefry(key[..., None, :], count, torch.zeros_like(count))
    return words.reshape((*key.shape[:-1], *shape))


def scan(run: Any, op: Any, xs: Sequence[Any]) -> tuple[Any, ...]:
    """The last carries, the stacked outputs, and the carries each step began with."""
    held = op.carries + op.shared
    carry, fixed, stacks = tuple(xs[: op.carries]), xs[op.carries : held], xs[held:]
    rows, starts = list[Any](), list[Any]()
    for t in reversed(range(op.n)) if op.backward else range(op.n):
        starts.append(carry)
        out = run(op.body, (*carry, *fixed, *(s[t] for s in stacks)))
        carry = tuple(out[: op.carries])
        rows.append(out[op.carries :])
    order = -1 if op.backward else 1
    stacked = (torch.stack(v[::order]) for steps in (rows, starts) for v in zip(*steps, strict=True))
    return (*carry, *stacked)
