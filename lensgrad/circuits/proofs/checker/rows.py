"""Circuits of few inputs compared on all rows, each bit of a number being one row."""

from __future__ import annotations

from collections.abc import Iterable

from .clauses import matched
from .files import Circuit, require


def same_on_all_rows(left: Circuit, right: Circuit, care: Circuit | None) -> int:
    """How many rows there are; rejected where an output differs on one that counts."""
    n = len(left[0])
    counts = (1 << (1 << n)) - 1
    if care:
        counts = values(care, matched(care[0], left[0], "i"), n)[0]
    ours = values(left, range(n), n)
    theirs = values(right, matched(right[0], left[0], "i"), n)
    order = matched(left[1], right[1], "o")
    require(not any((a ^ theirs[k]) & counts for a, k in zip(ours, order, strict=True)), "the circuits differ on some row")
    return 1 << n


def values(circuit: Circuit, places: Iterable[int], n: int) -> list[int]:
    """The outputs of a circuit on all rows, its inputs being those at these places."""
    ones = (1 << (1 << n)) - 1
    found = [0, *(column(k, n) for k in places)]
    for a, b in circuit[2]:
        found.append((found[a >> 1] ^ -(a & 1)) & (found[b >> 1] ^ -(b & 1)) & ones)
    return [(found[r >> 1] ^ -(r & 1)) & ones for r in circuit[3]]


def column(k: int, n: int) -> int:
    """Input k on all rows."""
    found, width = ((1 << (1 << k)) - 1) << (1 << k), 2 << k
    while width < 1 << n:
        found, width = found | found << width, 2 * width
    return found
