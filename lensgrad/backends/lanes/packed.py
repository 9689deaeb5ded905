"""Bits in NumPy, 64 rows to a machine word: the same as the lanes in C, a vector of elements at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import fold
from lensgrad.core.graph import Node
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z

Numbers = np.ndarray[Any, Any]


def packed(body: Diagram) -> Callable[..., tuple[Numbers, ...]]:
    """A circuit over Z2 as a function on arrays of bits, one a wire. Within it a wire with rows is an array (elements, words)."""

    rows = next((a.rows for a in (*body.dom, *(a for n in body.nodes for a in n.cod)) if a.rows is not None), 0)

    def call(*arrays: Any) -> tuple[Numbers, ...]:
        ins = [pack(x) if a.rows is not None else np.asarray(x) for x, a in zip(arrays, body.dom, strict=True)]

        def rule(node: Node, xs: list[Numbers]) -> list[Numbers]:
            return [PACKED[type(node.op)](node.op, rows, *xs) if node_has_rows(node) else plain(node, xs)]

        outs = fold(body, ins, rule)
        return tuple(unpack(y, a.rows) if a.rows is not None else y for y, a in zip(outs, body.cod, strict=True))

    return call


def node_has_rows(node: Node) -> bool:
    return node.cod[0].rows is not None or isinstance(node.op, z.Collect | z.Count)


def plain(node: Node, xs: list[Numbers]) -> Numbers:
    """A generator without rows, in bytes."""
    dom = Ty(tuple(z.Vector(node.cod[0].semiring, len(x)) for x in xs))
    return numpy_backend.function(Diagram.of(node.op, dom))(*xs)[0]


def pack(x: Any) -> Numbers:
    """(rows, elements) of 0 and 1 to (elements, words)."""
    x = np.asarray(x, np.uint8)
    made = np.zeros((x.shape[1], 8 * -(-x.shape[0] // 64)), np.uint8)
    made[:, : -(-x.shape[0] // 8)] = np.packbits(x, axis=0, bitorder="little").T
    return made.view("<u8")


def unpack(words: Numbers, rows: int) -> Numbers:
    """(elements, words) to (rows, elements)."""
    return np.ascontiguousarray(np.unpackbits(words.view(np.uint8), axis=1, count=rows, bitorder="little").T)


def scatter(op: z.Scatter, _: int, x: Numbers) -> Numbers:
    """Where places differ, by assignment."""
    places = np.frombuffer(op.table.raw, "<i4")
    out = np.zeros((op.size, x.shape[1]), x.dtype)
    if len(np.unique(places)) == len(places):
        out[places] = x
    else:
        order = np.argsort(places, kind="stable")
        starts = np.flatnonzero(np.diff(places[order], prepend=-1))
        out[places[order][starts]] = np.bitwise_xor.reduceat(x[order], starts, axis=0)
    return out


def count(x: Numbers, rows: int) -> Numbers:
    """How many rows have a 1. Bits behind the last row do not count."""
    full, rest = divmod(rows, 64)
    ones = np.bitwise_count(x[:, :full]).sum(1, np.int64)
    return ones + np.bitwise_count(x[:, full] & np.uint64((1 << rest) - 1)) if rest else ones


def repeat(op: z.Repeat, rows: int, x: Numbers) -> Numbers:
    return np.repeat(np.negative(np.asarray(x).astype(np.uint64))[:, None], -(-rows // 64), 1)


PACKED: dict[type[Any], Callable[..., Numbers]] = {
    z.Add: lambda op, rows, x, y: x ^ y,
    z.Mul: lambda op, rows, x, y: x & y,
    z.Gather: lambda op, rows, x: x[np.frombuffer(op.table.raw, "<i4")],
    z.Scatter: scatter,
    z.Repeat: repeat,
    z.Collect: lambda op, rows, x: (count(x, rows) & 1).astype(np.uint8),
    z.Count: lambda op, rows, x: count(x, rows),
}
