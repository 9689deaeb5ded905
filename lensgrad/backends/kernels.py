# pyright: standard
# Not strict: their text is copied into files that need NumPy only, and types would be copied too.
"""What one NumPy call does not say. Generated source copies the functions it uses, so each stands alone with NumPy."""

from __future__ import annotations

import numpy as np


def bf16(x):
    """Round float32 to the nearest bfloat16, ties to even, kept in float32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return np.where(np.isnan(x), np.float32(np.nan), rounded.astype(np.uint32).view(np.float32))


def wide(x):
    """float16 as float32, to compute in."""
    return np.asarray(x, np.float16).astype(np.float32)


def half(x):
    """Round to the nearest float16, ties to even; beyond 65504 it is infinite."""
    return np.asarray(x).astype(np.float16)


def logistic(x):
    """1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def erf(x):
    """The error function: its series of positive terms to 2, its continued fraction beyond, to a few units in the last place."""
    x = np.asarray(x)
    wide = x.astype(np.float64)
    small, t = np.clip(np.abs(wide), 0, 2), np.maximum(np.abs(wide), 2)
    series = np.ones_like(small)
    for n in range(47, 0, -1):
        series = 1 + series * (2 * small * small) / (2 * n + 1)
    fraction = t
    for n in range(60, 0, -1):
        fraction = t + n / 2 / fraction
    tail = 1 - np.exp(-t * t) / (fraction * np.sqrt(np.pi))
    return (np.sign(wide) * np.where(np.abs(wide) < 2, small * series * np.exp(-small * small) * 2 / np.sqrt(np.pi), tail)).astype(x.dtype)


def erfc(x):
    """1 − erf x by its continued fraction beyond 1, with x² in two parts, so that small values are exact too."""
    x = np.asarray(x)
    wide = x.astype(np.float64)
    small, t = np.clip(np.abs(wide), 0, 1), np.clip(np.abs(wide), 1, 40)
    series = np.ones_like(small)
    for n in range(30, 0, -1):
        series = 1 + series * (2 * small * small) / (2 * n + 1)
    fraction = t
    for n in range(200, 0, -1):
        fraction = t + n / 2 / fraction
    near = np.floor(16 * t) / 16
    tail = np.exp(-near * near) * np.exp(-(t - near) * (t + near)) / (fraction * np.sqrt(np.pi))
    above = np.where(np.abs(wide) < 1, 1 - small * series * np.exp(-small * small) * 2 / np.sqrt(np.pi), tail)
    return np.where(np.isnan(wide), wide, np.where(wide < 0, 2 - above, above)).astype(x.dtype)


def spread(x, shape, axes):
    """Repeat x over `shape`, its axes placed at `axes`."""
    x = np.asarray(x)
    placed = [1] * len(shape)
    for axis, size in zip(axes, x.shape, strict=True):
        placed[axis] = size
    return np.broadcast_to(x.reshape(placed), shape)


def pad(x, low, high, interior):
    """Zeros around and between the entries of x."""
    x = np.asarray(x)
    sizes = [a + b + n + max(0, n - 1) * i for n, a, b, i in zip(x.shape, low, high, interior, strict=True)]
    out = np.zeros(sizes, x.dtype)
    out[tuple(slice(a, n - b, i + 1) for n, a, b, i in zip(sizes, low, high, interior, strict=True))] = x
    return out


def logsumexp(x, axes):
    """ln of the sum of exponentials, after taking out the largest entry."""
    top = np.max(x, axes, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    return np.log(np.sum(np.exp(x - top), axes)) + np.squeeze(top, axes)


def log_softmax(x, axis):
    """x minus the logsumexp along an axis, the largest entry taken out first."""
    top = np.max(x, axis, keepdims=True)
    x = x - np.where(np.isfinite(top), top, np.zeros_like(top))
    return x - np.log(np.sum(np.exp(x), axis, keepdims=True))


def cumulative_sum(x, axis, backward):
    """Running sums from the start, or from the end."""
    return np.flip(np.cumsum(np.flip(x, axis), axis, x.dtype), axis) if backward else np.cumsum(x, axis, x.dtype)


def take(x, index, lead):
    """Rows of x by number after `lead` common axes; numbers outside are clipped."""
    index = np.clip(index, 0, x.shape[lead] - 1)
    return x[(*common_grid(index, lead), index)]


def scatter_add(index, y, rows, lead):
    """Add the rows of y into zeros by number; numbers outside are clipped."""
    index = np.clip(index, 0, rows - 1)
    out = np.zeros((*index.shape[:lead], rows, *y.shape[index.ndim :]), y.dtype)
    if lead == 0 and y.size > 1000 * rows and y.size > index.size:  # long rows for few numbers: one sum for each
        order = np.argsort(index, None, kind="stable")
        ends = np.searchsorted(index.reshape(-1)[order], np.arange(rows + 1))
        for r in range(rows):
            out[r] = y.reshape(-1, *out.shape[1:])[order[ends[r] : ends[r + 1]]].sum(0, y.dtype)
    else:
        np.add.at(out, (*common_grid(index, lead), index), y)
    return out


def common_grid(index, lead):
    """The numbers of the common axes, shaped to be used beside `index`."""
    return tuple(np.arange(n).reshape([-1 if j == i else 1 for j in range(index.ndim)]) for i, n in enumerate(index.shape[:lead]))


def one_hot(index, n, dtype):
    """Rows of the identity by number; zeros for numbers outside."""
    return (np.asarray(index)[..., None] == np.arange(n)).astype(dtype)


def to_integer(x, dtype):
    """Truncate towards zero into an integer type, NaN as 0 and values outside at the ends."""
    info = np.iinfo(dtype)
    wide = np.nan_to_num(np.asarray(x, np.float64), nan=0.0, posinf=info.max, neginf=info.min)
    return np.clip(np.trunc(wide), info.min, info.max).astype(dtype)


def windows(x, stride, dilation, padding, size, fill):
    """For each kernel position the strided view of the padded image that it meets: pairs (position, view)."""
    x = np.pad(x, [(0, 0), *padding, (0, 0)], constant_values=fill)
    outs = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[1:-1], size, dilation, stride, strict=True)]
    for at in np.ndindex(*size):
        spans = (slice(p * d, p * d + (o - 1) * s + 1, s) for p, d, o, s in zip(at, dilation, outs, stride, strict=True))
        yield at, x[(slice(None), *spans)]


def grouped(x, groups):
    """Split the channels (last axis) into groups, in front of them."""
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def convolve(x, k, stride, dilation, padding, groups):
    """(N, *space, C) with kernel (*size, C/g, O) to (N, *out, O)."""
    size, inner, outer = k.shape[:-2], k.shape[-2], k.shape[-1]
    total = 0
    for at, view in windows(x, stride, dilation, padding, size, 0):
        if groups == 1:
            total = total + view @ k[at]
        else:
            weights = k[at].reshape(inner, groups, outer // groups).transpose(1, 0, 2)
            product = np.matmul(grouped(view, groups)[..., None, :], weights)
            total = total + product.reshape(*view.shape[:-1], outer)
    return total


def convolve_kernel(x, y, stride, dilation, padding, groups, size):
    """The adjoint of convolve in its kernel: image and result to kernel."""
    left, right = x.shape[-1] // groups, y.shape[-1] // groups
    out = np.empty((*size, left, groups, right), x.dtype)
    rows = grouped(y, groups).reshape(-1, groups, right).transpose(1, 0, 2)
    for at, view in windows(x, stride, dilation, padding, size, 0):
        columns = grouped(view, groups).reshape(-1, groups, left).transpose(1, 2, 0)
        out[at] = np.matmul(columns, rows).transpose(1, 0, 2)
    return out.reshape(*size, left, groups * right)


def convolve_image(y, k, stride, dilation, padding, groups, image):
    """The adjoint of convolve in its image: result and kernel to image."""
    size, inner, outer = k.shape[:-2], k.shape[-2], k.shape[-1]
    out = np.zeros((y.shape[0], *(n + a + b for n, (a, b) in zip(image, padding, strict=True)), inner * groups), y.dtype)
    for at in np.ndindex(*size):
        weights = k[at].reshape(inner, groups, outer // groups).transpose(1, 2, 0)
        product = np.matmul(grouped(y, groups)[..., None, :], weights) if groups > 1 else y @ k[at].T
        spans = (slice(p * d, p * d + (o - 1) * s + 1, s) for p, d, o, s in zip(at, dilation, y.shape[1:-1], stride, strict=True))
        out[(slice(None), *spans)] += product.reshape(*y.shape[:-1], inner * groups)
    inside = (slice(a, a + n) for n, (a, _) in zip(image, padding, strict=True))
    return out[(slice(None), *inside)]


def window_argmax(x, stride, dilation, padding, size):
    """The image position (row-major) of the first largest entry of each window."""
    numbers = np.arange(int(np.prod(x.shape[1:-1])), dtype=np.int32).reshape(1, *x.shape[1:-1], 1)
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    pairs = zip(windows(x, stride, dilation, padding, size, lowest), windows(numbers, stride, dilation, padding, size, -1), strict=True)
    (_, best), (_, where) = next(pairs)
    for (_, view), (_, number) in pairs:
        better = (number >= 0) & ((view > best) | (where < 0))
        best, where = np.where(better, view, best), np.where(better, number, where)
    return np.broadcast_to(where, best.shape)


def threefry(key, count0, count1):
    """Threefry-2x32 with 20 rounds: two words of key and two of counter to two random words."""
    with np.errstate(over="ignore"):  # words wrap around
        k0, k1 = key[..., 0], key[..., 1]
        keys = (k0, k1, k0 ^ k1 ^ np.uint32(0x1BD11BDA))
        x0, x1 = count0 + k0, count1 + k1
        for block in range(5):
            for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
                x0 = x0 + x1
                x1 = (x1 << np.uint32(turn)) | (x1 >> np.uint32(32 - turn))
                x1 = x0 ^ x1
            x0 = x0 + keys[(block + 1) % 3]
            x1 = x1 + keys[(block + 2) % 3] + np.uint32(block + 1)
    return x0, x1


def fold_in(key, data):
    """A key for each whole number."""
    key = key.reshape(*key.shape[:-1], *[1] * (np.ndim(data) - (key.ndim - 1)), 2)
    data = np.asarray(data).astype(np.uint32)
    return np.stack(threefry(key, data, np.full_like(data, 1)), -1)


def random_bits(key, shape):
    """Uniform 32-bit words, one counter an entry."""
    count = np.arange(int(np.prod(shape)), dtype=np.uint32)
    words, _ = threefry(key[..., None, :], count, np.zeros_like(count))
    return words.reshape((*key.shape[:-1], *shape))


def scan(step, n, carries, shared, backward, *args):
    """Run a step n times over stacked inputs; last carries, stacked outputs, stacked starting carries."""
    carry, fixed, stacks = args[:carries], args[carries : carries + shared], args[carries + shared :]
    rows, starts = [], []
    for t in reversed(range(n)) if backward else range(n):
        starts.append(carry)
        out = step(*carry, *fixed, *(s[t] for s in stacks))
        carry = out[:carries]
        rows.append(out[carries:])
    order = -1 if backward else 1
    return (*carry, *(np.stack(v[::order]) for v in zip(*rows, strict=True)), *(np.stack(v[::order]) for v in zip(*starts, strict=True)))


def scatter_words(x, places, size, zero, merge):
    """Entries merged by `merge` into zeros at fixed places."""
    out = np.full((*x.shape[:-1], size), zero, x.dtype)
    merge.at(out, (..., places), x)
    return out


def scatter_by_table(x, places, size, elements, zero, sums):
    """Entries added by a table of sums into zeros at fixed places."""
    out = np.full((*x.shape[:-1], size), zero, x.dtype)
    for i, place in enumerate(places):
        out[..., place] = sums[out[..., place] * np.uint16(elements) + x[..., i]]
    return out


def collect_by_table(x, elements, zero, sums):
    """Rows added by a table of sums."""
    out = np.full(x.shape[1:], zero, x.dtype)
    for row in x:
        out = sums[out * np.uint16(elements) + row]
    return out


def whole(x, bound, sizes):
    """x, made over Z in 64 bits: an error where a number could pass 2^62, by a bound of all entries or, if that is too coarse, of each."""
    if not (bound < 2.0**62 or np.max(sizes(), initial=0) < 2.0**62):
        raise OverflowError(
            "a sum or product over Z could pass 2^62, and 64 bits end at 2^63: use smaller numbers or fewer examples, or modulo(2**64) "
            "to go around on purpose"
        )
    return x


def largest(x):
    """The largest absolute value."""
    return max(float(np.max(x, initial=0)), -float(np.min(x, initial=0)))


def add_whole(x, y):
    """x + y over Z."""
    return whole(x + y, largest(x) + largest(y), lambda: np.abs(x.astype(float)) + np.abs(y.astype(float)))


def multiply_whole(x, y):
    """x · y over Z."""
    return whole(x * y, largest(x) * largest(y), lambda: np.abs(x.astype(float) * y))


def sum_whole(x):
    """Σ over the first axis, over Z."""
    return whole(np.sum(x, 0, np.int64), largest(x) * len(x), lambda: np.sum(np.abs(x.astype(float)), 0))


def scatter_whole(x, places, size):
    """Entries added into zeros at fixed places, over Z."""
    y = scatter_words(x, places, size, 0, np.add)
    return whole(y, largest(x) * len(places), lambda: scatter_words(np.abs(x.astype(float)), places, size, 0, np.add))
