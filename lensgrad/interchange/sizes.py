"""Whole numbers that depend on the number of examples N, found from three programs for fixed numbers: a · N + b."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core.errors import NoRule
from lensgrad.interchange.dtypes import Numbers

TRIED = (1009, 1013, 2003)  # primes, so that no other size is one of them by chance
AXIS = "N"


@dataclass(frozen=True)
class Linear:
    """a · N + b, entry by entry."""

    a: Numbers
    b: Numbers

    def __str__(self) -> str:
        a, b = int(self.a), int(self.b)
        times = AXIS if a == 1 else f"{a} * {AXIS}"
        return f"{times} + {b}" if b > 0 else f"{times} - {-b}" if b else times


def refused(what: str) -> NoRule:
    """The error for what depends on the number of examples in another way."""
    told = f"{what} depends on the number of examples, so no file for any number of them can be written"
    return NoRule(f"{told}: give batch=…, the number that it will always take")


def linear(what: str, values: Sequence[Any]) -> Linear | None:
    """Numbers as a · N + b; None where they are the same for all N."""
    first, second, third = (np.asarray(v) for v in values)
    if first.shape != second.shape or first.shape != third.shape:
        raise refused(what)
    if np.array_equal(first, second) and np.array_equal(first, third):
        return None
    wide = [v.astype(np.float64) for v in (first, second, third)]
    a = (wide[2] - wide[0]) / (TRIED[2] - TRIED[0])
    b = wide[0] - a * TRIED[0]
    if not (np.array_equal(a, np.round(a)) and np.array_equal(b, np.round(b)) and np.array_equal(a * TRIED[1] + b, wide[1])):
        raise refused(what)
    return Linear(a.astype(np.int64), b.astype(np.int64))


def together(parts: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The parts of three programs one by one; an error where one program has more."""
    if len({len(p) for p in parts}) > 1:
        raise refused("how many operations there are")
    return list(zip(*parts, strict=True))
