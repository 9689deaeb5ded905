"""Rows of an array that steps read in an order: a backend may read them where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Picked:
    """What each of some steps reads of an array with a row for each example: a batch of `size`, or one example where that is None.

    `where` has the numbers of the rows, one step after the other; without it they are read as they lie, after the last whole batch from
    the first again. Indexing gives the data of one step, and slicing that of some.
    """

    array: Numbers
    steps: int
    size: int | None = None
    where: Numbers | None = None

    def __len__(self) -> int:
        return self.steps

    @property
    def period(self) -> int:
        """The steps after which the same rows come again."""
        return self.steps if self.where is not None else max(1, len(self.array) // (self.size or 1))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.steps, *self.row)

    @property
    def row(self) -> tuple[int, ...]:
        """The shape of what one step reads."""
        return self.array.shape[1:] if self.size is None else (self.size, *self.array.shape[1:])

    def __getitem__(self, at: int | slice) -> Numbers:
        if self.where is None:
            return self.repeated()[at]
        lead = (self.steps,) if self.size is None else (self.steps, self.size)
        return picked(self.array, self.where.reshape(lead)[at])

    def repeated(self) -> Numbers:
        """The data of all steps as it lies: not copied where none of it comes again."""
        size, times = self.size or 1, -(-self.steps // self.period)
        whole = self.array[: min(self.steps, self.period) * size]
        return (np.concatenate([whole] * times) if times > 1 else whole)[: self.steps * size].reshape(self.shape)

    def lies(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
        """Whether the array can be read as it is where rows of this shape and dtype are wanted."""
        flags = self.array.flags
        return (
            len(self.array) >= (self.size or 1) and (self.row, self.array.dtype) == (shape, dtype) and flags.c_contiguous and flags.aligned
        )


def picked(x: Any, where: Any) -> Any:
    """Some rows. NumPy copies short ones many times faster by `take`, and would first copy the whole of an array that is in pieces."""
    whole = hasattr(where, "shape") and hasattr(x, "flags") and x.flags.c_contiguous and x.flags.aligned
    return x.take(where, axis=0) if whole else x[where]


__all__ = ["Picked", "picked"]
