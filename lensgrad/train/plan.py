"""What a run is to do: how long to train, and on which batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lensgrad.core.checks import flag, is_whole, shown, whole
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import positions


@dataclass(frozen=True)
class Plan:
    """How long to train and on which batches: `batch_size=None` means one unbatched example at a time.

    With `accumulate` = k a step goes through its batch in k parts, one after the other.
    """

    epochs: int
    batch_size: int | None
    seed: int = 0
    shuffle: bool = True
    accumulate: int = 1

    def __post_init__(self) -> None:
        plain = {
            "epochs": whole("epochs", self.epochs),
            "batch_size": size_of(self.batch_size),
            "seed": whole("seed", self.seed, 0, 2**64 - 1),
            "shuffle": flag("shuffle", self.shuffle),
            "accumulate": whole("accumulate", self.accumulate, 1),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if self.accumulate > (self.batch_size or 1):
            raise BadValue(f"accumulate={self.accumulate} cuts a batch of {self.batch_size or 1} into more parts than it has examples")

    @property
    def order(self) -> int | None:
        """The seed of the order of examples; None keeps the order of the data."""
        return self.seed if self.shuffle else None

    def batches(self, epoch: int, examples: int) -> Iterator[Any]:
        """The positions of each batch of an epoch; the last may be short."""
        return positions(examples, epoch, self.batch_size, self.order)


def size_of(batch_size: Any) -> int | None:
    """A batch size, or a refusal of what is none."""
    if batch_size is None:
        return None
    if not is_whole(batch_size) or batch_size < 1:
        raise BadValue(f"batch_size must be a whole number ≥ 1, or None for one example at a time, got {shown(batch_size)}")
    return int(batch_size)


def slices(examples: int, size: int | None) -> Iterator[tuple[int | None, Any]]:
    """Consecutive slices that cover all examples, each with its length; one number and None at a time without a size."""
    for start in range(0, examples, size or 1):
        stop = min(start + (size or 1), examples)
        yield (None, start) if size is None else (stop - start, slice(start, stop))
