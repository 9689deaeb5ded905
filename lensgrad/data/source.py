"""Sources of batches: what a run trains on, and how it comes back to any batch of any epoch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.para import Para
from lensgrad.core.checks import instance, is_group
from lensgrad.core.checks import names as checked_names
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import array, close, count, named, positions, rows
from lensgrad.data.stream import IteratorSource
from lensgrad.learn.optimizers.parts import Optimizer
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


class Labelled(Protocol):
    """A data set: one row an example, features and labels."""

    @property
    def x(self) -> ArrayLike: ...
    @property
    def y(self) -> ArrayLike: ...


class Frame(Protocol):
    """A table, such as pandas and polars have them."""

    @property
    def columns(self) -> Iterable[object]: ...


Batch = Mapping[str, ArrayLike] | Sequence[ArrayLike]
Batches = Iterable[Batch] | Callable[..., Iterable[Batch]]
Rows = ArrayLike | Mapping[str, ArrayLike] | Frame | os.PathLike[str]  # what a model predicts for
Data = Rows | Sequence[ArrayLike] | Labelled | Source | Batches  # what a run trains on


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Arrays by name with one row an example, in memory or mapped from files; an epoch is one permutation of the rows."""

    arrays: Values
    size: int = field(init=False, repr=False)  # asked for at every epoch

    def __post_init__(self) -> None:
        instance("what an ArraySource holds", self.arrays, Mapping, "a dict of arrays by name")
        object.__setattr__(self, "arrays", {str(n): array(v, str(n)) for n, v in self.arrays.items()})
        object.__setattr__(self, "size", count(self.arrays))

    @property
    def examples(self) -> int:
        return self.size

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


def is_source(data: Any) -> TypeGuard[Source]:
    """Whether something has what a `Source` has; Python's own answer looks through a protocol every time it is asked."""
    return hasattr(data, "batches") and hasattr(data, "examples")


def source(data: Any, names: tuple[str, ...] = ("x", "y")) -> Source:
    """Anything one can train on as a source.

    A source as it is; a dict of arrays, a pair (x, y) or a data set as an `ArraySource`; a function that returns an iterator
    of batches, or an iterable of batches, as an `IteratorSource`.
    """
    names = checked_names("names", names)
    if is_source(data):
        return data
    arrays = named(data, names)
    if arrays is not None:
        return ArraySource(arrays)
    if gives_batches(data):
        return IteratorSource(data, names=names)
    raise BadValue(
        f"data is a pair ({', '.join(names)}), a dict of arrays by name, a data set with .x and .y, "
        f"or an iterator of batches; got {type(data).__name__}{remedy(data, names)}"
    )


def gives_batches(data: Any) -> TypeGuard[Batches]:
    """Whether something is gone through for batches, or called for them."""
    if is_group(data):
        return not any(isinstance(v, np.ndarray) for v in data)
    if isinstance(data, str | bytes | np.ndarray | Diagram | Family | Optimizer | Para):
        return False
    return callable(data) or isinstance(data, Iterable)


def remedy(data: Any, names: tuple[str, ...]) -> str:
    """What to write in the place of data that is none."""
    if isinstance(data, str | os.PathLike):
        return ": read a table with lg.data.csv(path, target=…), and arrays with lg.data.mapped(path)"
    if isinstance(data, np.ndarray):
        return f": give the labels too, as in fit({', '.join(names)})" if len(names) == 2 else f": give all of {', '.join(names)}"
    return f": write fit({', '.join(names)})"
