"""Where the entries of a moved array come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.backends.native.flat import Value
from lensgrad.backends.native.integers import Index, reshaped
from lensgrad.backends.native.scope import Where

Dom = Sequence[Value]


def same(op: Any, dom: Dom, index: Where) -> Where:
    return index


def spread(op: Any, dom: Dom, index: Where) -> Where:
    axes: tuple[int, ...] = op.axes
    return tuple(index[a] for a in axes)


def transposed(op: Any, dom: Dom, index: Where) -> Where:
    order: tuple[int, ...] = op.order
    return tuple(index[order.index(i)] for i in range(len(order)))


def words_transposed(op: Any, dom: Dom, index: Where) -> Where:
    return (*transposed(op, dom, index[:-1]), index[-1])


def reshape(op: Any, dom: Dom, index: Where) -> Where:
    return reshaped(index, op.shape, dom[0].shape)


def sliced(op: Any, dom: Dom, index: Where) -> Where:
    return tuple(i * step + start for i, start, step in zip(index, op.start, op.step, strict=True))


def flipped(op: Any, dom: Dom, index: Where) -> Where:
    return tuple(Index(n - 1) - i if a in op.axes else i for a, (i, n) in enumerate(zip(index, dom[0].shape, strict=True)))


def key_spread(op: Any, dom: Dom, index: Where) -> Where:
    return (*index[: op.axis], *index[op.axis + 1 :])
