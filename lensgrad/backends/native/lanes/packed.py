"""Bits in NumPy, 64 rows to a machine word: the same as the lanes in C, a vector of elements at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import fold
from lensgrad.core.graph import Node
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Z

Numbers = np.ndarray[Any, Any]
NEAR = 1 << 20  # bytes of a wire that stay in the cache of one core


@dataclass(frozen=True)
class Words:
    """Bits of many rows, 64 to a word: `words` is (elements, words), and bit k of word j is row 64 j + k.

    Bits behind the last row mean nothing. An element has a multiple of 8 words, so that a vector of them is never cut. Functions
    of the lanes that are given words instead of bytes give words.
    """

    words: Numbers
    rows: int

    @staticmethod
    def of(x: Any) -> Words:
        """From (rows, elements) of 0 and 1."""
        x = np.asarray(x, np.uint8)
        made = np.zeros((x.shape[1], 64 * -(-x.shape[0] // 512)), np.uint8)
        made[:, : -(-x.shape[0] // 8)] = np.packbits(x, axis=0, bitorder="little").T
        return Words(made.view("<u8"), x.shape[0])

    def bytes(self) -> Numbers:
        """To (rows, elements) of 0 and 1."""
        found = np.unpackbits(np.ascontiguousarray(self.words).view(np.uint8), axis=1, count=self.rows, bitorder="little")
        return np.ascontiguousarray(found.T)


def packed(body: Diagram) -> Callable[..., tuple[Any, ...]]:
    """A circuit over Z2 as a function on arrays of bits, one a wire. Within it a wire with rows is an array (elements, words)."""
    atoms = [*body.dom, *(a for n in body.nodes for a in n.cod)]
    rows = next((a.rows for a in atoms if a.rows is not None), 0)
    block = max(8, NEAR // (64 * max(1, *(a.size for a in atoms))) * 8)
    starts = range(0, 8 * -(-rows // 512), block) or range(1)

    def call(*arrays: Any) -> tuple[Any, ...]:
        given = [x if isinstance(x, Words) else Words.of(x) if a.rows is not None else x for x, a in zip(arrays, body.dom, strict=True)]
        parts = [part(body, given, start, block, min(64 * block, rows - 64 * start)) for start in starts]
        words = any(isinstance(x, Words) for x in arrays)
        return tuple(joined(ys, a, rows, words) for ys, a in zip(zip(*parts, strict=True), body.cod, strict=True))

    return call


def part(body: Diagram, given: Sequence[Any], start: int, block: int, rows: int) -> list[Numbers]:
    """The body on some of the rows, few enough for a wire to stay in the cache."""

    def rule(node: Node, xs: list[Numbers]) -> list[Numbers]:
        return [PACKED[type(node.op)](node.op, rows, *xs) if node_has_rows(node) else plain(node, xs)]

    return fold(body, [x.words[:, start : start + block] if isinstance(x, Words) else np.asarray(x) for x in given], rule)


def joined(ys: Sequence[Numbers], atom: z.Vector, rows: int, words: bool) -> Any:
    """One output of all parts together: rows side by side, sums added."""
    if atom.rows is None:
        return sum(ys[1:], ys[0]) if atom.semiring == Z else np.bitwise_xor.reduce(ys)
    made = Words(np.concatenate(ys, 1), rows)
    return made if words else made.bytes()


def node_has_rows(node: Node) -> bool:
    return node.cod[0].rows is not None or isinstance(node.op, z.Collect | z.Count)


def plain(node: Node, xs: list[Numbers]) -> Numbers:
    """A generator without rows, in bytes."""
    dom = Ty(tuple(z.Vector(node.cod[0].semiring, len(x)) for x in xs))
    return numpy_backend.function(Diagram.of(node.op, dom))(*xs)[0]


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
    return np.repeat(np.negative(np.asarray(x).astype(np.uint64))[:, None], 8 * -(-rows // 512), 1)


Rule = Callable[[Any, int, Numbers], Numbers] | Callable[[Any, int, Numbers, Numbers], Numbers]
PACKED: dict[type[Any], Rule] = {
    z.Add: lambda op, rows, x, y: x ^ y,
    z.Mul: lambda op, rows, x, y: x & y,
    z.Gather: lambda op, rows, x: x[np.frombuffer(op.table.raw, "<i4")],
    z.Scatter: scatter,
    z.Repeat: repeat,
    z.Collect: lambda op, rows, x: (count(x, rows) & 1).astype(np.uint8),
    z.Count: lambda op, rows, x: count(x, rows),
}
