"""Arrays by name: rows of examples, their number, and the order in which an epoch sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue, listed
from lensgrad.program.values import Values


def named(data: Any, names: tuple[str, ...] = ("x", "y")) -> Values | None:
    """Arrays by name, where data is arrays at all."""
    if hasattr(data, "columns"):
        raise BadValue("a table does not say which column is the target: give lg.data.table(frame, target=…)")
    if isinstance(data, Mapping):
        return {str(k): array(v) for k, v in data.items()}
    if hasattr(data, "x") and hasattr(data, "y"):
        return dict(zip(names, (array(data.x), array(data.y)), strict=False))  # who takes inputs only leaves the labels
    if len(names) == 1 and isinstance(data, np.ndarray):
        return {names[0]: array(data)}
    if isinstance(data, tuple | list) and len(data) == len(names) and not any(isinstance(v, Mapping) for v in data):
        return dict(zip(names, map(array, data), strict=True))
    return None


def array(value: Any) -> np.ndarray[Any, Any]:
    """A value as an array; a mapped file stays mapped. An array with masked entries is refused, since its mask would be lost."""
    if isinstance(value, np.ma.MaskedArray):
        told = "leave those rows out with a[~a.mask.any(1)], fill them in with a.filled(…)"
        raise BadValue(f"this is a masked array, and what its mask hides would be trained on: {told}, or weigh them 0 with sample_weight")
    try:
        return value if isinstance(value, np.memmap) else np.asarray(value)
    except ValueError as wrong:
        raise BadValue(f"data is in rows of one length, and {shown(value)} is none: {wrong}") from wrong


def count(data: Mapping[str, Any]) -> int:
    """The number of examples; all arrays must agree on it."""
    for name, v in data.items():
        if not np.ndim(v):
            raise BadValue(f"'{name}' is one number, and data has an axis of examples: give an array with one row for each")
    sizes = {name: len(v) for name, v in data.items()}
    if not sizes:
        raise BadValue("there is no data: the dict of arrays is empty")
    if len(set(sizes.values())) != 1:
        raise BadValue(f"all data must have the same number of examples, got {listed([f'{n}: {k}' for n, k in sizes.items()])}")
    found = next(iter(sizes.values()))
    if not found:
        raise BadValue("there is no data: every array has 0 examples")
    return found


def rows(data: Mapping[str, Any], where: Any) -> Values:
    """The same rows of every array."""
    return {name: np.asarray(v[where]) for name, v in data.items()}


def close(iterator: Any) -> None:
    """End an iterator that knows how to end."""
    ending = getattr(iterator, "close", None)
    if callable(ending):
        ending()


def positions(examples: int, epoch: int, batch_size: int | None, seed: int | None, start: int = 0) -> Iterator[Any]:
    """The rows of each batch of an epoch from batch `start` on; single row numbers without a size."""
    places, size = order(examples, epoch, seed), batch_size or 1
    for first in range(start * size, examples, size):
        yield places[first] if batch_size is None else places[first : first + size]


def order(examples: int, epoch: int, seed: int | None) -> np.ndarray[Any, Any]:
    """The rows of an epoch in the order in which it sees them."""
    return np.arange(examples) if seed is None else np.random.Generator(np.random.PCG64([seed, epoch])).permutation(examples)
