# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Reductions, running sums and orderings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.torch.meanings.call import Meaning, Out, Table, axes, axis, kind
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import rotated


def over(fn: Callable[..., Wire]) -> Meaning:
    """A reduction over some axes, or all; numbers are in the dtype of the result first."""

    def meaning(out: Out, x: Wire, dim: Any = None, keepdim: bool = False, **options: Any) -> Wire:
        found = axes(x, dim)
        y = ops.cast(x, out.dtype)
        return ops.reshape(fn(y, found), *out.shape) if x.atom.rank else y

    return meaning


def truths(fn: Callable[..., Wire]) -> Meaning:
    """Whether any, or all, of the entries are not 0."""

    def meaning(out: Out, x: Wire, dim: Any = None, keepdim: bool = False) -> Wire:
        seen = ops.cast(x if x.atom.dtype == "bool" else x != 0, "int32")
        return ops.reshape(fn(seen, axes(x, dim)) if x.atom.rank else seen, *out.shape) == 1

    return meaning


def variance(out: Out, x: Wire, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None) -> Wire:
    """The mean of squared distances, divided by n − correction."""
    less = (1 if unbiased else 0) if correction is None else int(correction)
    return ops.reshape(ops.variance(x, axes(x, dim), less), *out.shape)


def variance_and_mean(out: Out, x: Wire, dim: Any = None, *rest: Any, **options: Any) -> tuple[Wire, Wire]:
    mean = ops.reshape(ops.mean_over(x, axes(x, dim)), *out.shape)
    return variance(out, x, dim, *rest, **options), mean


def best(out: Out, x: Wire, dim: int | None = None, keepdim: bool = False, sign: int = 1) -> Wire:
    """Where the first largest entry is, or, with the sign −1, the first smallest."""
    flat = ops.reshape(x, -1) if dim is None else x
    return ops.reshape((ops.argmax if sign > 0 else ops.argmin)(flat, axis(flat, dim or 0)), *out.shape) if x.atom.rank else zero(x)


def zero(x: Wire) -> Wire:
    """The only place in a number."""
    return ops.argmax(ops.reshape(x, 1), 0)


def extreme(sign: int) -> Meaning:
    """The largest or smallest entries and, along one axis, where they are."""

    def meaning(out: Out, x: Wire, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is None:
            return (ops.amax if sign > 0 else ops.amin)(x) if x.atom.rank else x
        place = axis(x, dim)
        where = (ops.argmax if sign > 0 else ops.argmin)(x, place, keepdims=True)
        picked = ops.take_along(x, where, place)
        return ops.reshape(picked, *out.shape), ops.reshape(where, *out.shape)

    return meaning


def sort(out: Out, x: Wire, dim: int = -1, descending: bool = False, stable: Any = None) -> tuple[Wire, Wire]:
    """The entries of an axis in order, and where they are."""
    return largest(out, x, x.atom.shape[axis(x, dim)] if x.atom.rank else 1, dim, descending)


def largest(out: Out, x: Wire, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Wire, Wire]:
    """The first entries in order along an axis, and where they are."""
    place, last = axis(x, dim), x.atom.rank - 1
    line = rotated(x, place, last)
    where = ops.argsort(-line if largest else line)[(*[slice(None)] * last, slice(0, k))]
    picked = ops.take_along(line, where, last)
    return rotated(picked, last, place), rotated(where, last, place)


def running(fn: Callable[..., Wire]) -> Meaning:
    return lambda out, x, dim, **_: fn(ops.cast(x, out.dtype), axis(x, dim)) if x.atom.rank else ops.cast(x, out.dtype)


def soft(fn: Callable[..., Wire]) -> Meaning:
    """Softmax and its logarithm along an axis."""
    return lambda out, x, dim, *_, **__: fn(ops.log_softmax(ops.cast(x, out.dtype), axis(x, dim)))


def logsumexp(out: Out, x: Wire, dim: Any, keepdim: bool = False) -> Wire:
    return ops.reshape(ops.logsumexp(x, axes(x, dim)), *out.shape)


def floats(x: Wire, found: Any) -> Wire:
    """The mean, of floats."""
    return ops.mean_over(x, found) if kind(x.atom.dtype) == 2 else x


TABLE: Table = {
    "sum": over(ops.sum_over),
    "mean": over(floats),
    "amax": over(ops.amax),
    "amin": over(ops.amin),
    "prod": over(ops.product),
    "any": truths(ops.amax),
    "all": truths(ops.amin),
    "var": variance,
    "var_mean": variance_and_mean,
    "argmax": best,
    "argmin": lambda out, x, dim=None, keepdim=False: best(out, x, dim, keepdim, -1),
    "max": extreme(1),
    "min": extreme(-1),
    "sort": sort,
    "topk": largest,
    "cumsum": running(ops.cumsum),
    "cumprod": running(ops.cumprod),
    "_softmax": soft(ops.exp),
    "_safe_softmax": soft(ops.exp),
    "_log_softmax": soft(lambda x: x),
    "logsumexp": logsumexp,
}
