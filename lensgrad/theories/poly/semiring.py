"""Commutative semirings, by their tables."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Semiring:
    """(S, +, 0, ×, 1) on the numbers 0..size−1. Equality is that of the name; `negative` is None where + has no inverses."""

    name: str
    size: int
    add: Callable[[int, int], int] = field(compare=False, repr=False)
    mul: Callable[[int, int], int] = field(compare=False, repr=False)
    zero: int = field(default=0, compare=False, repr=False)
    one: int = field(default=1, compare=False, repr=False)
    negative: Callable[[int], int] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name

    @property
    def elements(self) -> range:
        return range(self.size)


Z2 = Semiring("Z2", 2, operator.xor, operator.and_, negative=operator.pos)
LOGIC = Semiring("OR/AND", 2, operator.or_, operator.and_)
SEMIRINGS = {s.name: s for s in (Z2, LOGIC)}
