"""Sources of batches: what a run trains on, and how it comes back to any batch of any epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from lensgrad.core.errors import BadValue, listed
from lensgrad.program.values import Values


@runtime_checkable
class Source(Protocol):
    """What a run trains on: the batches of each epoch, from any of them on.

    `examples` is how many examples an epoch has, or None where nobody knows. `batches(epoch, batch_size, seed, start)` gives
    the batches of epoch 0, 1, … from number `start` on: dicts of arrays by name, one row an example, the last one short where
    the size does not divide. Equal arguments give equal batches, so a run resumes from (epoch, start). `batch_size=None`
    gives one example at a time, without the axis of examples; `seed=None` keeps the order. An iterator may hold files or
    a thread: whoever does not read it to its end closes it, as `contextlib.closing` does.
    """

    @property
    def examples(self) -> int | None: ...

    def batches(self, epoch: int, batch_size: int | None, seed: int | None, start: int = 0) -> Iterator[Values]: ...


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Arrays by name with one row an example, in memory or mapped from files; an epoch is one permutation of the rows."""

    arrays: Values

    def __post_init__(self) -> None:
        count(self.arrays)

    @property
    def examples(self) -> int:
        return count(self.arrays)

    def batches(self, epoch: int, batch_size: int | None, seed: int | None, start: int = 0) -> Iterator[Values]:
        for where in positions(self.examples, epoch, batch_size, seed, start):
            yield rows(self.arrays, where)


@dataclass(frozen=True, eq=False)
class Transformed:
    """The batches of another source, each changed by a function of the batch and of a random generator of its own."""

    source: Source
    change: Callable[[Values, np.random.Generator], Values]
    depth: int = 1

    @property
    def examples(self) -> int | None:
        return self.source.examples

    def batches(self, epoch: int, batch_size: int | None, seed: int | None, start: int = 0) -> Iterator[Values]:
        parts = self.source.batches(epoch, batch_size, seed, start)
        try:
            for number, part in enumerate(parts, start):
                # The depth keeps two changes of one source independent, and all of them apart from the shuffle [seed, epoch].
                yield self.change(part, np.random.Generator(np.random.PCG64([seed or 0, epoch, number, self.depth])))
        finally:
            close(parts)


def transform(data: Any, change: Callable[[Values, np.random.Generator], Values]) -> Transformed:
    """Data whose every batch passes through `change(batch, generator)`; what it draws depends on seed, epoch and batch number only."""
    inner = source(data)
    return Transformed(inner, change, inner.depth + 1 if isinstance(inner, Transformed) else 1)


def positions(examples: int, epoch: int, batch_size: int | None, seed: int | None, start: int = 0) -> Iterator[Any]:
    """The rows of each batch of an epoch from batch `start` on; single row numbers without a size."""
    places, size = order(examples, epoch, seed), batch_size or 1
    for first in range(start * size, examples, size):
        yield places[first] if batch_size is None else places[first : first + size]


def order(examples: int, epoch: int, seed: int | None) -> np.ndarray[Any, Any]:
    """The rows of an epoch in the order in which it sees them."""
    return np.arange(examples) if seed is None else np.random.Generator(np.random.PCG64([seed, epoch])).permutation(examples)


def source(data: Any, names: tuple[str, ...] = ("x", "y")) -> Source:
    """Anything one can train on as a source.

    A source as it is; a dict of arrays, a pair (x, y) or a data set as an `ArraySource`; a function that returns an iterator
    of batches, or an iterable of batches, as an `IteratorSource`.
    """
    if isinstance(data, Source):
        return data
    arrays = named(data, names)
    if arrays is not None:
        return ArraySource(arrays)
    arrays_in_no_pair = isinstance(data, tuple | list) and any(isinstance(v, np.ndarray) for v in data)
    if callable(data) or (isinstance(data, Iterable) and not isinstance(data, str | bytes | np.ndarray) and not arrays_in_no_pair):
        from lensgrad.data.stream import IteratorSource

        batches: Any = data
        return IteratorSource(batches, names=names)
    raise BadValue(
        f"data is a pair ({', '.join(names)}), a dict of arrays by name, a data set with .x and .y, "
        f"or an iterator of batches; got {type(data).__name__}"
    )


def named(data: Any, names: tuple[str, ...] = ("x", "y")) -> Values | None:
    """Arrays by name, where data is arrays at all."""
    if hasattr(data, "columns"):
        raise BadValue("a table does not say which column is the target: give lg.data.table(frame, target=…)")
    if isinstance(data, Mapping):
        return {str(k): array(v) for k, v in data.items()}
    if hasattr(data, "x") and hasattr(data, "y"):
        return dict(zip(names, (array(data.x), array(data.y)), strict=False))  # who takes inputs only leaves the labels
    if len(names) == 1 and isinstance(data, np.ndarray):
        return {names[0]: data}
    if isinstance(data, tuple | list) and len(data) == len(names) and not any(isinstance(v, Mapping) for v in data):
        return dict(zip(names, map(array, data), strict=True))
    return None


def array(value: Any) -> np.ndarray[Any, Any]:
    """A value as an array; a mapped file stays mapped."""
    return value if isinstance(value, np.memmap) else np.asarray(value)


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
