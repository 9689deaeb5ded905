"""Orders of rows as NumPy draws them, many at once in C."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.backends.native.library import program
from lensgrad.core.errors import NoRule

ORDERS = Path(__file__).with_name("orders.c")


@cache
def drawing() -> Callable[..., None] | None:
    """The program that draws orders; None on a machine without numbers of 128 bits, or where nothing compiles it."""
    try:
        return program(ORDERS.read_text(encoding="utf-8"))
    except NoRule:
        return None


def drawn(words: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any] | None:
    """Orders of n rows, one for each four words of a seed, one after the other; None where nothing compiles what draws them."""
    words, found = np.ascontiguousarray(words), np.empty(len(words) * n, np.int64)
    call = drawing()
    if call is None:
        return None
    call(words.ctypes.data, found.ctypes.data, None, n, len(words), 0, None)
    return found


__all__ = ["drawn"]
