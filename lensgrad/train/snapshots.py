"""The records of a run as plain, immutable data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the finite numbers on a wire: mean, norm √Σx², the share that is 0, the smallest and the largest, and how many there are in each
    of equal ranges between these; and how many numbers are not finite.
    """

    mean: float
    norm: float
    zeros: float
    low: float
    high: float
    not_finite: int
    counts: tuple[int, ...]

    @property
    def figures(self) -> tuple[float, float, float, float, float, int]:
        """All but the counts, in order."""
        return self.mean, self.norm, self.zeros, self.low, self.high, self.not_finite


@dataclass(frozen=True)
class Snapshot:
    """A recorded step of a call of fit, and its epoch, both counted from 0: figures of wires forward, and of cotangents, by name."""

    step: int
    epoch: int
    forward: tuple[tuple[str, Statistics], ...]
    back: tuple[tuple[str, Statistics], ...]

    def __getitem__(self, name: str) -> Statistics:
        """The figures of a wire forward."""
        return dict(self.forward)[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the wires forward."""
        return (name for name, _ in self.forward)

    @property
    def cotangent(self) -> dict[str, Statistics]:
        """The figures of what flows back, by name."""
        return dict(self.back)

    def __repr__(self) -> str:
        return f"<step {self.step}: {len(self.forward)} wires, {len(self.back)} cotangents>"


__all__ = ["Snapshot", "Statistics"]
