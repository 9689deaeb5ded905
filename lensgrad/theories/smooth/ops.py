"""Smooth as it is written: functions on wires that are also families of arrows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.op import Op
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import conv as _conv
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import random as _random
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.operators import (
    amax as amax,
)
from lensgrad.theories.smooth.operators import (
    common as common,
)
from lensgrad.theories.smooth.operators import (
    einsum as einsum,
)
from lensgrad.theories.smooth.operators import (
    getitem as getitem,
)
from lensgrad.theories.smooth.operators import (
    lifted as lifted,
)
from lensgrad.theories.smooth.operators import (
    matmul as matmul,
)
from lensgrad.theories.smooth.operators import (
    mean_over as mean_over,
)
from lensgrad.theories.smooth.operators import (
    over as over,
)
from lensgrad.theories.smooth.operators import (
    reshape as reshape,
)
from lensgrad.theories.smooth.operators import (
    sum_over as sum_over,
)
from lensgrad.theories.smooth.operators import (
    transpose as transpose,
)


def family(name: str, op: Op) -> Family:
    """A generator as a family: it meets its type in `f >> tanh` or in `tanh(wire)`."""
    return Family(name, lambda dom: Diagram.of(op, dom), type(op).__doc__)


def written(name: str, fn: Callable[..., Any], doc: str = "") -> Family:
    """A function on wires as a family, shown as one box."""
    return Family(name, lambda dom: trace(fn, *(Ty((a,)) for a in dom)).define(name), doc or fn.__doc__)


def traced(name: str, fn: Callable[..., Any], doc: str) -> Family:
    """A function on wires as a family, shown as what it is made of."""
    return Family(name, lambda dom: trace(fn, *(Ty((a,)) for a in dom)), doc)


exp, log, log1p, expm1 = (family(o.name.lower(), o) for o in (_p.Exp(), _p.Log(), _p.Log1p(), _p.Expm1()))
tanh, sigmoid, sin, cos = family("tanh", _p.Tanh()), family("sigmoid", _p.Logistic()), family("sin", _p.Sin()), family("cos", _p.Cos())
erf, sqrt, rsqrt, sign = (family(o.name.lower(), o) for o in (_p.Erf(), _p.Sqrt(), _p.Rsqrt(), _p.Sign()))
absolute, floor, stop_gradient = family("abs", _p.Abs()), family("floor", _p.Floor()), family("stop_gradient", _p.StopGradient())
argsort = family("argsort", _reduce.ArgSort())
axis_mean, batch_size = family("axis_mean", _linear.AxisMean()), family("batch_size", _linear.BatchSize())

# -- pointwise with two or three arguments -----------------------------------------------------------------------------


def maximum(x: Any, y: Any) -> Any:
    """max(x, y); at ties both get half of the cotangent."""
    return _p.Maximum()(*common(x, y))


def minimum(x: Any, y: Any) -> Any:
    """min(x, y); at ties both get half of the cotangent."""
    return _p.Minimum()(*common(x, y))


def equal(x: Any, y: Any) -> Any:
    """x = y, entry by entry."""
    return _p.Compare("==")(*common(x, y))


def select(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; nothing flows back into the branch not taken.

    Both branches are computed and differentiated, so an infinite derivative of the one not taken meets a 0 on its way back and
    gives NaN: `select(x > 0, sqrt(x), 0.0)` has the derivative NaN at 0. Choose the argument first: `sqrt(select(x > 0, x, 1.0))`
    inside the select.
    """
    return _p.Select()(condition, *common(x, y))


def clamp(x: Any, low: float, high: float) -> Any:
    """min(max(x, low), high)."""
    return _p.Clamp(float(low), float(high))(x)


def cast(x: Any, dtype: str) -> Any:
    """The same values in another dtype."""
    return x if x.atom.dtype == dtype else _linear.Cast(dtype)(x)


relu = written("relu", lambda x: select(x > 0.0, x, 0.0), "max(x, 0) : A → A, entry by entry; its derivative at 0 is 0.")

# -- shapes ------------------------------------------------------------------------------------------------------------


def spread(x: Any, shape: Sequence[int], axes: Sequence[int] | None = None) -> Any:
    """Repeat x over `shape`, its axes placed at `axes` (the last ones when not given)."""
    shape = tuple(shape)
    axes = tuple(range(len(shape) - x.atom.rank, len(shape))) if axes is None else tuple(axes)
    return x if x.atom.shape == shape else _linear.Spread(shape, axes)(x)


total = traced("total", sum_over, "The sum of all entries : A → ℝ.")
mean = traced("mean", mean_over, "The mean of all entries : A → ℝ.")
flatten = traced(
    "flatten", lambda x: reshape(x, -1), "Any shape → one axis, row-major. It is a layer as it is: `lg.flatten` and `lg.flatten()` are one."
)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join along an axis."""
    return _linear.Concatenate(axis)(*xs)


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join along a new axis."""
    shape = xs[0].atom.shape
    return concatenate([reshape(x, *shape[:axis], 1, *shape[axis:]) for x in xs], axis)


def pad(x: Any, low: Sequence[int], high: Sequence[int]) -> Any:
    """Zeros before and after each axis."""
    return _linear.Pad(tuple(low), tuple(high), (0,) * x.atom.rank)(x)


def flip(x: Any, axes: int | Sequence[int] | None = None) -> Any:
    """Reverse the order along axes."""
    return _linear.Flip(over(x, axes))(x)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Running sums."""
    return _linear.CumulativeSum(over(x, axis)[0])(x)


# -- reductions, order, indices ----------------------------------------------------------------------------------------


def logsumexp(x: Any, axes: int | Sequence[int] | None = None) -> Any:
    """ln Σ eˣ over axes, without overflow."""
    return _reduce.LogSumExp(over(x, axes))(x)


def argmax(x: Any, axis: int = -1) -> Any:
    """Where the first largest entry is."""
    return _reduce.ArgMax(over(x, axis)[0])(x)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """x − ln Σ eˣ along an axis."""
    return _reduce.LogSoftmax(over(x, axis)[0])(x)


softmax = written("softmax", lambda x: _p.Exp()(log_softmax(x)), "eˣ / Σ eˣ along the last axis : A → A, without overflow.")


def take(x: Any, index: Any) -> Any:
    """Rows of x by integer wires: x[index]. Indices outside are clipped."""
    return _index.Take(0)(x, index)


def take_along(x: Any, index: Any) -> Any:
    """Entries of the last axis by integer wires of equal leading shape."""
    return _index.Take(x.atom.rank - 1)(x, index)


def sort(x: Any) -> Any:
    """The last axis in increasing order; the gradient follows each entry."""
    return take_along(x, argsort(x))


def one_hot(index: Any, n: int, dtype: str = "float32") -> Any:
    """k ↦ e_k."""
    return _index.OneHot(n, dtype)(index)


def scatter_add(rows: int, index: Any, values: Any) -> Any:
    """Add rows into zeros by number."""
    return _index.ScatterAdd(rows)(index, values)


# -- windows -----------------------------------------------------------------------------------------------------------


def window(axes: int, size: Sequence[int], stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> _conv.Window:
    """A window from the usual arguments: numbers or one per space axis; padding also "same" or pairs."""
    stride, dilation = (tuple(v) if isinstance(v, tuple | list) else (v,) * axes for v in (stride, dilation))
    if padding == "same":
        spans = [(k - 1) * d for k, d in zip(size, dilation, strict=True)]
        pairs = tuple((s // 2, s - s // 2) for s in spans)
    else:
        each = padding if isinstance(padding, tuple | list) else (padding,) * axes
        pairs = tuple((p, p) if isinstance(p, int) else tuple(p) for p in each)
    return _conv.Window(tuple(stride), tuple(dilation), pairs, groups)


def convolve(x: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """(N, *space, C) ∗ (*size, C/groups, O) → (N, *out, O): correlation, channels last."""
    size = kernel.atom.shape[:-2]
    win = window(len(size), size, stride, padding, dilation, groups)
    return _conv.Convolve("y", win, x.atom.shape[1:-1], size)(x, kernel)


def max_pool(x: Any, size: Sequence[int], stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Any:
    """Largest entry of each window of (N, *space, C); ties go to the first in row-major order, padding is never chosen."""
    win = window(len(size), size, stride or size, padding, dilation)
    win = _conv.ceiled(win, x.atom.shape[1:-1], tuple(size)) if ceil_mode else win
    where = _conv.WindowArgMax(win, tuple(size))(x)
    picked = _index.Take(2)(channel_rows(x), channel_rows(where))
    n, *space, channels = where.atom.shape
    return transpose(reshape(picked, n, channels, *space), 0, *range(2, len(space) + 2), 1)


def channel_rows(x: Any) -> Any:
    """(N, *space, C) → (N, C, positions)."""
    n, *space, channels = x.atom.shape
    return reshape(transpose(x, 0, len(space) + 1, *range(1, len(space) + 1)), n, channels, math.prod(space))


def average_pool(
    x: Any,
    size: Sequence[int],
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Mean of each window of (N, *space, C): of all its entries with padding as zeros, or of those in the image only."""
    win = window(len(size), size, stride or size, padding, dilation)
    space, wide = x.atom.shape[1:-1], _conv.ceiled(win, x.atom.shape[1:-1], tuple(size)) if ceil_mode else win
    even = wide.padding == win.padding and (count_include_pad or not any(map(any, win.padding)))
    scale = 1.0 / math.prod(size) if even else 1.0
    sums = window_sums(x, wide, tuple(size), scale)
    return (
        sums
        if even
        else sums / spread(counts(x, space, win, wide, tuple(size), count_include_pad), sums.atom.shape, (1, 2, 3)[: len(space)])
    )


def window_sums(x: Any, win: _conv.Window, size: tuple[int, ...], scale: float) -> Any:
    """`scale` times the sum of each window, channel by channel."""
    channels = x.atom.shape[-1]
    kernel = full(scale, Array((*size, 1, channels), x.atom.dtype))
    alone = _conv.Window(win.stride, win.dilation, win.padding, channels)
    return _conv.Convolve("y", alone, x.atom.shape[1:-1], size)(x, kernel)


def counts(x: Any, space: Sequence[int], win: _conv.Window, wide: _conv.Window, size: tuple[int, ...], padded: bool) -> Any:
    """How many entries of the image, or of the image with its own padding, are in each window of `wide`."""
    own = win.padding if padded else ((0, 0),) * len(space)
    rest = tuple((a - b, c - d) for (a, c), (b, d) in zip(wide.padding, own, strict=True))
    ones = full(1.0, Array((1, *(n + a + b for n, (a, b) in zip(space, own, strict=True)), 1), x.atom.dtype))
    found = window_sums(ones, _conv.Window(wide.stride, wide.dilation, rest), size, 1.0)
    return reshape(found, *found.atom.shape[1:-1])


# -- randomness --------------------------------------------------------------------------------------------------------


def fold_in(key: Any, number: int) -> Any:
    """Another key for each whole number."""
    return _random.FoldIn()(key, full(number, Array(key.atom.shape, "int32")))


def split(key: Any, parts: int = 2) -> tuple[Any, ...]:
    """Independent keys from one."""
    return tuple(fold_in(key, i) for i in range(parts))


def random_bits(key: Any, shape: Sequence[int]) -> Any:
    """Uniform 32-bit words."""
    return _random.RandomBits(tuple(shape))(key)


BITS = {"bfloat16": 8, "float16": 11, "float32": 24}  # of a uniform number: as many as fit exactly, so that none is rounded up to 1


def uniform(key: Any, shape: Sequence[int], dtype: str = "float32") -> Any:
    """Uniform in [0, 1): 32 random bits in float64, 24 in float32, 11 in float16, 8 in bfloat16."""
    bits = random_bits(key, shape)
    if dtype == "float64":
        return cast(bits, dtype) * 2.0**-32
    return cast(cast(_p.ShiftRight(32 - BITS[dtype])(bits), "float32") * 2.0 ** -BITS[dtype], dtype)


def normal(key: Any, shape: Sequence[int], dtype: str = "float32") -> Any:
    """Standard normal, by the transform of Box and Muller; in half precision that of float32, rounded."""
    radius, angle = (uniform(k, shape, "float64" if dtype == "float64" else "float32") for k in split(key))
    return cast(sqrt(log(1.0 - radius) * -2.0) * cos(angle * (2.0 * math.pi)), dtype)
