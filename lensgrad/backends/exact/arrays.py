"""Whole arrays in the exact functor: reductions, indices, windows, draws."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from lensgrad.backends import kernels as untyped
from lensgrad.backends.exact.pointwise import EXP, Entries, Meaning, applied, filled, inverse, null, of, positive
from lensgrad.backends.exact.polynomial import Polynomial
from lensgrad.theories.poly import circuit
from lensgrad.theories.poly.semiring import Semiring
from lensgrad.theories.smooth import array, conv, linear, random

kernels: Any = untyped  # their text is copied into files that need NumPy only


def along(fn: Callable[..., Any]) -> Meaning:
    """`fn(op, entries)` on the entries that a reduction over `op.axes` (or `op.axis`) collects for each result."""

    def meaning(op: Any, x: Entries) -> Entries:
        axes = op.axes if hasattr(op, "axes") else (op.axis,)
        kept = [i for i in range(x.ndim) if i not in axes]
        rows = np.transpose(x, (*kept, *axes)).reshape(*(x.shape[i] for i in kept), -1)
        shape = rows.shape[:-1]
        return filled([fn(op, *rows[at]) for at in np.ndindex(*shape)], shape)

    return meaning


def largest(op: Any, *xs: Polynomial) -> Polynomial:
    def partials(*vs: Polynomial) -> list[Polynomial]:
        hits = [null(v - largest(op, *vs)) for v in vs]
        return [h * inverse(sum(hits[1:], hits[0])) for h in hits]

    return applied("largest", *xs, partials=partials)


def log_sum_exp(op: Any, *xs: Polynomial) -> Polynomial:
    def partials(*vs: Polynomial) -> list[Polynomial]:
        return [of(EXP)(v - log_sum_exp(op, *vs)) for v in vs]

    return applied("logsumexp", *xs, partials=partials)


def log_softmax(op: Any, x: Entries) -> Entries:
    return x - np.expand_dims(along(log_sum_exp)(op, x), op.axis)


def order(op: Any, x: Entries) -> Entries:
    """Positions in sorted order, as atoms of the whole row."""
    rows = x.reshape(-1, x.shape[-1])
    return filled([applied("argsort", *row, k) for row in rows for k in range(len(row))], x.shape)


def take(op: Any, x: Entries, where: Entries) -> Entries:
    """Σⱼ [index = j] xⱼ, with indices outside counted as the nearest inside."""
    shared, m = where.shape[: op.lead], x.shape[op.lead]
    grid = np.empty(where.shape, object)
    for at in np.ndindex(*where.shape):
        rows = x[at[: len(shared)]]
        grid[at] = sum((rows[j] * hit(where[at], j, m) for j in range(1, m)), rows[0] * hit(where[at], 0, m))
    cells = [e for at in np.ndindex(*where.shape) for e in np.asarray(grid[at], object).ravel()]
    return filled(cells, (*where.shape, *x.shape[op.lead + 1 :]))


def hit(i: Polynomial, j: int, m: int) -> Polynomial:
    """1 where the index i, clipped to 0..m−1, is j."""
    low, high = (positive(j - i), positive(i - j))
    if m == 1:
        return Polynomial.number(1)
    return 1 - high if j == 0 else (1 - low if j == m - 1 else null(i - j))


def scatter_add(op: Any, where: Entries, y: Entries) -> Entries:
    inner = y.shape[where.ndim :]
    out = np.full((*where.shape[: op.lead], op.rows, *inner), Polynomial.number(0), object)
    for at in np.ndindex(*where.shape):
        for j in range(op.rows):
            out[(*at[: op.lead], j)] = out[(*at[: op.lead], j)] + y[at] * hit(where[at], j, op.rows)
    return out


def one_hot(op: Any, x: Entries) -> Entries:
    return filled([null(i - k) for i in x.ravel() for k in range(op.n)], (*x.shape, op.n))


def convolve(op: conv.Convolve, a: Entries, b: Entries) -> Entries:
    w = op.window
    name, extra = {"y": (kernels.convolve, ()), "k": (kernels.convolve_kernel, (op.size,)), "x": (kernels.convolve_image, (op.image,))}[
        op.slot
    ]
    return name(a, b, w.stride, w.dilation, w.padding, w.groups, *extra)


def window_argmax(op: conv.WindowArgMax, x: Entries) -> Entries:
    """The position of the first largest entry of each window, as an atom of the entries and their positions."""
    numbers = np.arange(prod(x.shape[1:-1])).reshape(1, *x.shape[1:-1], 1)
    w = op.window
    views: list[Any] = [list(kernels.windows(v, w.stride, w.dilation, w.padding, op.size, fill)) for v, fill in ((x, None), (numbers, -1))]
    cells: list[Entries] = [np.stack([np.broadcast_to(v, views[0][0][1].shape) for _, v in vs], -1) for vs in views]
    shape = cells[0].shape[:-1]
    pairs = ([(n, e) for n, e in zip(cells[1][at].tolist(), cells[0][at], strict=True) if n >= 0] for at in np.ndindex(*shape))
    return filled([applied("first largest", *(e for _, e in c), tuple(n for n, _ in c)) for c in pairs], shape)


def scatter(op: circuit.Scatter, x: Entries, ring: Semiring) -> Entries:
    out = np.full((*x.shape[:-1], op.size), Polynomial(ring, {}), object)
    for i, place in enumerate(op.table.entries):
        out[..., place] = out[..., place] + x[..., i]
    return out


def collect(op: circuit.Collect, x: Entries, ring: Semiring) -> Entries:
    return sum(x, np.full(x.shape[1:], Polynomial(ring, {}), object))


def draw(op: random.RandomBits, key: Entries) -> Entries:
    count = prod(op.shape)
    return filled([applied("bits", k, n) for k in key.ravel() for n in range(count)], (*key.shape, *op.shape))


def fold_in(op: random.FoldIn, key: Entries, data: Entries) -> Entries:
    wide = np.broadcast_to(key.reshape((*key.shape, *[1] * (data.ndim - key.ndim))), data.shape)
    return np.frompyfunc(lambda k, d: applied("fold in", k, d), 2, 1)(wide, data)


def constant(op: array.Full) -> Entries:
    return np.full(op.atom.shape, Polynomial.number(op.value), object)


def one() -> Entries:
    return filled([Polynomial.number(1)], ())


def cast(op: linear.Cast, x: Entries) -> Entries:
    """Between floats nothing happens here, where nothing is rounded."""
    return x if op.dtype in array.FLOATS else np.frompyfunc(lambda v: integer(v), 1, 1)(x)


def integer(x: Polynomial) -> Polynomial:
    known = x.constant is not None and x.constant.denominator == 1
    return x if known else applied("integer", x)
