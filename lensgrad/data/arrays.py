"""Arrays by name: rows of examples, their number, and the order in which an epoch sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from lensgrad.backends.picked import picked
from lensgrad.core.checks import is_dict, is_group
from lensgrad.core.errors import BadValue, OutOfMemory, listed
from lensgrad.data.orders import order
from lensgrad.program.values import Values


def named(data: Any, names: tuple[str, ...] = ("x", "y")) -> Values | None:
    """Arrays by name, where data is arrays at all."""
    if hasattr(data, "columns"):
        raise BadValue("a table does not say which column is the target: give lg.data.table(frame, target=…)")
    if is_dict(data):
        return {str(k): array(v, str(k)) for k, v in data.items()}
    if hasattr(data, "x") and hasattr(data, "y"):
        return dict(zip(names, (array(data.x, "x"), array(data.y, "y")), strict=False))  # who takes inputs only leaves the labels
    if len(names) == 1 and isinstance(data, np.ndarray):
        return {names[0]: array(data, names[0])}
    if is_group(data) and len(data) == len(names) and not in_batches(data, names):
        return {n: array(v, n) for n, v in zip(names, data, strict=True)}
    return None


def in_batches(items: Sequence[Any], names: tuple[str, ...]) -> bool:
    """Whether as many items as there are names are batches, each of them, and not arrays."""
    if any(isinstance(item, Mapping) for item in items):
        return True
    alike = [is_group(v) and len(v) == len(names) > 1 and all(is_array(a) and np.ndim(a) for a in v) for v in items]
    if not all(alike):
        return False
    if isinstance(items, tuple) and all(len({np.shape(a) for a in v}) == 1 for v in items):
        told = f"{len(items)} batches ({', '.join(names)}), or the rows of {' and of '.join(names)}"
        raise BadValue(f"a tuple of tuples of arrays may be {told}: give a list of batches, or each of {listed(names)} as one array")
    return True


def is_array(value: Any) -> bool:
    """Whether something is an array already, of whatever library."""
    return hasattr(value, "shape") and hasattr(value, "__array__")


def is_mapped(value: Any) -> TypeGuard[np.memmap[Any, Any]]:
    """Whether something is an array in a file."""
    return isinstance(value, np.memmap)


def array(value: Any, name: str = "data") -> np.ndarray[Any, Any]:
    """A value as an array; a mapped file stays mapped, and a tensor leaves its gradient and its device behind."""
    if type(value) is np.ndarray or is_mapped(value):
        return value
    if isinstance(value, np.ma.MaskedArray):
        return unmasked(value, name)
    if callable(getattr(value, "detach", None)):
        value = value.detach()
        value = value.cpu() if callable(getattr(value, "cpu", None)) else value
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as wrong:
        told = f"'{name}' makes no array, since its rows differ in length or kind"
        raise BadValue(f"{told}: pad them to one length, as lg.data.pad does") from wrong


def allocated(what: str, shape: tuple[int, ...], dtype: Any, fix: str) -> np.ndarray[Any, Any]:
    """An array of zeros; where the memory does not hold it, that is said with its size and what to do."""
    try:
        return np.zeros(shape, dtype)
    except (MemoryError, OverflowError, ValueError):
        size = math.prod(shape) * np.dtype(dtype).itemsize
        sizes = ",".join(map(str, shape))
        raise OutOfMemory(f"{what} must fit into memory, and {np.dtype(dtype).name}[{sizes}] takes {size:,} bytes: {fix}") from None


def unmasked(value: Any, name: str) -> np.ndarray[Any, Any]:
    """The numbers of a masked array in which nothing is masked."""
    if not np.ma.is_masked(value):
        return np.asarray(value.data)
    row = np.argwhere(np.ma.getmaskarray(value))[0].tolist()
    told = f"leave those rows out with {name}[~{name}.mask.any(1)], fill them in with {name}.filled(…), or weigh them 0 with sample_weight"
    raise BadValue(f"'{name}' has masked entries{f', in row {row[0]} first' if row else ''}, and what is under the mask is no data: {told}")


def count(data: Mapping[str, Any]) -> int:
    """The number of examples; all arrays must agree on it."""
    for name, v in data.items():
        if not np.ndim(v):
            raise BadValue(f"'{name}' is one number, and data has an axis of examples: give an array with one row for each")
    sizes = {name: len(v) for name, v in data.items()}
    if not sizes:
        raise BadValue("there is no data: the dict of arrays is empty")
    if len(set(sizes.values())) != 1:
        told = f"all data must have the same number of examples, got {listed([f'{n}: {k}' for n, k in sizes.items()])}"
        raise BadValue(f"{told}: {matched(data, max(sizes.values()))}")
    found = next(iter(sizes.values()))
    if not found:
        raise BadValue("there is no data: every array has 0 examples, and at least one is wanted: give it")
    return found


def matched(data: Mapping[str, Any], examples: int) -> str:
    """How arrays get one number of examples."""
    turned = [n for n, v in data.items() if np.ndim(v) == 2 and len(v) != examples == np.shape(v)[1]]
    return f"use {turned[0]}.T, whose rows are examples" if turned else "give one row of each for every example"


def rows(data: Mapping[str, Any], where: Any) -> Values:
    """The same rows of every array."""
    return {name: np.asarray(picked(v, where)) for name, v in data.items()}


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
