"""The training loop: shuffled batches, one step each, progress, and a report per epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, listed
from lensgrad.run.compile import Program
from lensgrad.run.values import Values, checked

Report = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """How long to train and on which batches: `batch_size=None` means one unbatched example at a time."""

    epochs: int
    batch_size: int | None
    seed: int = 0
    shuffle: bool = True

    def __post_init__(self) -> None:
        if type(self.epochs) is not int or self.epochs < 0:
            raise BadValue(f"epochs is a whole number ≥ 0, got {self.epochs!r}")
        if self.batch_size is not None and (type(self.batch_size) is not int or self.batch_size < 1):
            raise BadValue(f"batch_size is a whole number ≥ 1, or None for one example at a time, got {self.batch_size!r}")

    def batches(self, epoch: int, examples: int) -> Iterator[Any]:
        """The positions of each batch of an epoch; the last may be short."""
        order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(examples) if self.shuffle else np.arange(examples)
        size = self.batch_size
        for start in range(0, examples, size or 1):
            yield order[start] if size is None else order[start : start + size]


def count(data: Mapping[str, Any]) -> int:
    """The number of examples; all arrays must agree on it."""
    sizes = {name: len(v) for name, v in data.items()}
    if len(set(sizes.values())) != 1:
        raise BadValue(f"all data must have the same number of examples, got {listed([f'{n}: {k}' for n, k in sizes.items()])}")
    found = next(iter(sizes.values()))
    if not found:
        raise BadValue("there is no data: every array has 0 examples")
    return found


def train(
    step: Callable[[int | None], Program],
    state: Values,
    data: Mapping[str, Any],
    plan: Plan,
    on_epoch: Callable[[int, Report, Values], None] = lambda *_: None,
) -> Values:
    """Run the plan from `state`; `step(n)` is the program for a batch of n. Returns the last state; inputs are not changed."""
    examples = count(data)
    for epoch in range(plan.epochs):
        totals: dict[str, float] = {}
        for rows in plan.batches(epoch, examples):
            size = None if plan.batch_size is None else len(rows)
            state, seen = advance(step(size), state, {name: v[rows] for name, v in data.items()})
            for name, value in seen.items():
                totals[name] = totals.get(name, 0.0) + float(np.sum(value)) / share(value, size) * (size or 1)
        on_epoch(epoch, {name: v / examples for name, v in totals.items()}, state)
    return state


def share(value: Any, size: int | None) -> int:
    """How many numbers an observable has per batch: per-example ones are averaged, the others count once."""
    return max(1, np.size(value)) if size is not None else 1


def advance(program: Program, state: Values, batch: Mapping[str, Any]) -> tuple[Values, Values]:
    """One step: the next state, and what was observed."""
    inputs = [checked(p.name, p.ob, batch) if p.name in batch else state[p.name] for p in program.inputs]
    outs = program.run(inputs)
    changed = {n: v for n, v in outs.items() if n in state}
    return {**state, **changed}, {n: v for n, v in outs.items() if n not in state}


def chunks(examples: int, size: int) -> Iterator[slice]:
    """Consecutive slices that cover all examples."""
    for start in range(0, examples, size):
        yield slice(start, min(start + size, examples))


def rows(data: Mapping[str, Any], where: Any) -> Values:
    return {name: v[where] for name, v in data.items()}


__all__: Sequence[str] = ["Plan", "Report", "advance", "chunks", "count", "rows", "train"]
