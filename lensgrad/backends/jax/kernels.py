# pyright: standard
# Not strict: JAX leaves the types of its functions open.
"""What one JAX call does not say: convolution and its adjoints, indexing, Threefry, and conversions."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def to_integer(x: Any, dtype: str) -> Any:
    """Truncate towards zero into an integer type, NaN as 0 and values outside at the ends."""
    low, high = jnp.iinfo(dtype).min, jnp.iinfo(dtype).max
    x = x.astype(jnp.float32) if x.dtype == jnp.float16 else x  # the bounds are beyond half precision
    inside = jnp.where((x > low) & (x < high + 1.0), x, 0).astype(dtype)
    return jnp.where(x <= low, jnp.array(low, dtype), jnp.where(x >= high + 1.0, jnp.array(high, dtype), inside))


def pad(x: Any, low: Any, high: Any, interior: Any) -> Any:
    """Zeros around and between the entries of x."""
    return lax.pad(x, jnp.zeros((), x.dtype), list(zip(low, high, interior, strict=True)))


def convolve(window: Any, x: Any, k: Any) -> Any:
    """(N, *space, C) with kernel (*size, C/g, O) to (N, *out, O)."""
    space = tuple(range(1, x.ndim - 1))
    image = (0, x.ndim - 1, *space)
    kernel = (k.ndim - 1, k.ndim - 2, *range(k.ndim - 2))
    return lax.conv_general_dilated(
        x,
        k,
        window.stride,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=lax.ConvDimensionNumbers(image, kernel, image),
        feature_group_count=window.groups,
    )


def convolve_image(window: Any, image: Any, y: Any, k: Any) -> Any:
    """The adjoint of `convolve` in its image: result and kernel to image."""
    x = jax.ShapeDtypeStruct((y.shape[0], *image, k.shape[-2] * window.groups), y.dtype)
    return jax.linear_transpose(lambda x: convolve(window, x, k), x)(y)[0]


def convolve_kernel(window: Any, size: Any, x: Any, y: Any) -> Any:
    """The adjoint of `convolve` in its kernel: image and result to kernel."""
    k = jax.ShapeDtypeStruct((*size, x.shape[-1] // window.groups, y.shape[-1]), x.dtype)
    return jax.linear_transpose(lambda k: convolve(window, x, k), k)(y)[0]


def patches(window: Any, size: Any, x: Any) -> Any:
    """(N, *space, C) to (N, *out, K · C): what each of the K kernel positions meets, side by side."""
    x = jnp.pad(x, [(0, 0), *window.padding, (0, 0)])
    outs = window.out(tuple(n - a - b for n, (a, b) in zip(x.shape[1:-1], window.padding, strict=True)), size)
    steps = list(zip(window.stride, window.dilation, outs, strict=True))
    spans = [[slice(k * d, k * d + (o - 1) * s + 1, s) for k, (s, d, o) in zip(at, steps, strict=True)] for at in np.ndindex(*size)]
    return jnp.concatenate([x[(slice(None), *span)] for span in spans], -1)


def product(window: Any, x: Any, k: Any) -> Any:
    """`convolve`, without groups, as one product of matrices."""
    return patches(window, k.shape[:-2], x) @ k.reshape(-1, k.shape[-1])


def product_image(window: Any, image: Any, y: Any, k: Any) -> Any:
    """The adjoint of `product` in its image."""
    x = jax.ShapeDtypeStruct((y.shape[0], *image, k.shape[-2]), y.dtype)
    return jax.linear_transpose(lambda x: product(window, x, k), x)(y)[0]


def product_kernel(window: Any, size: Any, x: Any, y: Any) -> Any:
    """The adjoint of `product` in its kernel."""
    rows = patches(window, size, x)
    return (rows.reshape(-1, rows.shape[-1]).T @ y.reshape(-1, y.shape[-1])).reshape(*size, x.shape[-1], y.shape[-1])


def window_argmax(window: Any, size: Any, x: Any) -> Any:
    """The image position (row-major) of the first largest entry of each window."""
    small = math.prod(size) <= SMALL and not any(map(any, window.padding))
    return (argmax_of_slices if small else argmax_of_windows)(window, size, x)


SMALL = 16  # entries of a window, up to which a comparison for each entry is quicker than a reduction of windows


def argmax_of_slices(window: Any, size: Any, x: Any) -> Any:
    """The same where nothing is padded: entry after entry of all windows at once."""
    space = x.shape[1:-1]
    outs, x = window.out(space, size), lax.stop_gradient(x)
    best, found = jnp.full((x.shape[0], *outs, x.shape[-1]), lowest(x)), jnp.int32(math.prod(space))
    where = jnp.arange(math.prod(space), dtype=jnp.int32).reshape(1, *space, 1)
    steps = list(zip(window.stride, window.dilation, outs, strict=True))
    for at in np.ndindex(*size):
        span = (slice(None), *(slice(k * d, k * d + (o - 1) * s + 1, s) for k, (s, d, o) in zip(at, steps, strict=True)))
        here = x[span]
        better = (here > best) | ((here == best) & (where[span] < found))
        best, found = jnp.where(better, here, best), jnp.where(better, where[span], found)
    return jnp.broadcast_to(found, best.shape)


def lowest(x: Any) -> Any:
    """What no entry is below."""
    return jnp.array(-jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min, x.dtype)


def argmax_of_windows(window: Any, size: Any, x: Any) -> Any:
    """The same by reducing windows of pairs."""
    count = math.prod(x.shape[1:-1])
    where = jnp.arange(count, dtype=jnp.int32).reshape(1, *x.shape[1:-1], 1)
    start = (lowest(x), jnp.array(count, jnp.int32))

    def better(a: Any, b: Any) -> Any:
        later = (b[0] > a[0]) | ((b[0] == a[0]) & (b[1] < a[1]))
        return tuple(jnp.where(later, q, p) for p, q in zip(a, b, strict=True))

    x = lax.stop_gradient(x)  # positions have no derivative, and JAX has no rule that says so
    spans = [(1, *v, 1) for v in (size, window.stride, window.dilation)]
    pairs = (x, jnp.broadcast_to(where, x.shape))
    return lax.reduce_window(pairs, start, better, spans[0], spans[1], [(0, 0), *window.padding, (0, 0)], window_dilation=spans[2])[1]


def grid(index: Any, lead: int) -> tuple[Any, ...]:
    """The numbers of the first `lead` axes, shaped to be used beside `index`."""
    return tuple(jnp.arange(n).reshape([-1 if j == i else 1 for j in range(index.ndim)]) for i, n in enumerate(index.shape[:lead]))


def clipped(index: Any, n: int) -> Any:
    """Indices into an axis of n, those outside at the ends."""
    wide = index.astype(jnp.uint32 if index.dtype == jnp.uint32 else jnp.int32)
    return jnp.clip(wide, 0, n - 1).astype(jnp.int32)


def take(x: Any, index: Any, lead: int) -> Any:
    """Rows of x by number after `lead` common axes; numbers outside are clipped."""
    return x[(*grid(index, lead), clipped(index, x.shape[lead]))]


def scatter_add(index: Any, y: Any, rows: int, lead: int) -> Any:
    """Add the rows of y into zeros by number; numbers outside are clipped."""
    zeros = jnp.zeros((*index.shape[:lead], rows, *y.shape[index.ndim :]), y.dtype)
    return zeros.at[(*grid(index, lead), clipped(index, rows))].add(y)


def threefry(key: Any, count0: Any, count1: Any) -> tuple[Any, Any]:
    """Threefry-2x32 with 20 rounds: two words of key and two of counter to two random words."""
    k0, k1 = key[..., 0], key[..., 1]
    keys = (k0, k1, k0 ^ k1 ^ jnp.uint32(0x1BD11BDA))
    x0, x1 = count0 + k0, count1 + k1
    for block in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            x0 = x0 + x1
            x1 = x0 ^ ((x1 << jnp.uint32(turn)) | (x1 >> jnp.uint32(32 - turn)))
        x0 = x0 + keys[(block + 1) % 3]
        x1 = x1 + keys[(block + 2) % 3] + jnp.uint32(block + 1)
    return x0, x1


def fold_in(key: Any, data: Any) -> Any:
    """A key for each whole number."""
    key = key.reshape(*key.shape[:-1], *[1] * (data.ndim - (key.ndim - 1)), 2)
    data = data.astype(jnp.uint32)
    return jnp.stack(threefry(key, data, jnp.ones_like(data)), -1)


def random_bits(key: Any, shape: tuple[int, ...]) -> Any:
    """Uniform 32-bit words, one counter an entry."""
    count = jnp.arange(math.prod(shape), dtype=jnp.uint32)
    words, _ = threefry(key[..., None, :], count, jnp.zeros_like(count))
    return words.reshape(*key.shape[:-1], *shape)
