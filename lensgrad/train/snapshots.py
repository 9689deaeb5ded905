"""The records of a run as plain, immutable data."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lensgrad.core import checks
from lensgrad.core.errors import UnknownParameter, listed

SHOWN = 6  # names that a message tells


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
        found = dict(self.forward)
        if name not in found:
            raise UnknownParameter(f"step {self.step} has no record of {checks.shown(name)}{checks.nearest(name, found) or has(found)}")
        return found[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the wires forward."""
        return (name for name, _ in self.forward)

    @property
    def cotangent(self) -> dict[str, Statistics]:
        """The figures of what flows back, by name."""
        return dict(self.back)

    def __repr__(self) -> str:
        return f"<step {self.step}: {len(self.forward)} wires, {len(self.back)} cotangents>"


def has(names: Collection[str]) -> str:
    """The first of the wires that are recorded."""
    return f"; it has {listed([*names][:SHOWN])}, …" if names else ": no wire is recorded"


__all__ = ["Snapshot", "Statistics"]
