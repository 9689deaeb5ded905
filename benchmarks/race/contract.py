"""What every peer is: a network in training, made from data and first values, that takes as many steps as it is asked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from benchmarks.race.workloads import Workload

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


class Peer(Protocol):
    """A network in training. Batch k of the data is that of step k; after the last one the first comes again."""

    quantum: int  # the least number of steps that a call takes, of which every number is a multiple
    at_once: int  # the steps that a call takes best, being one program

    def reset(self) -> None:
        """Begin anew from the first values, without compiling again."""

    def run(self, n: int) -> float:
        """Take n steps and wait for them; the loss that the last of them saw."""
        ...

    def weights(self) -> Sequence[Array]:
        """All that learns, in an order and layout of the peer's own."""
        ...

    def predict(self, x: Array) -> Array:
        """The outputs for a batch at the first values, from NumPy to NumPy."""
        ...


Make = Callable[[Workload, str, Arrays, Arrays], Peer]
