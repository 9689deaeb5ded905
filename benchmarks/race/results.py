"""What a race found, as values that are kept in files."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.race.competitors import COMPETITORS


@dataclass
class Row:
    """What one competitor did. Times are in seconds."""

    name: str
    why: str = ""  # it did not run
    versions: dict[str, str] = field(default_factory=dict[str, str])
    imported: float = 0.0
    first: float = 0.0  # making it, and its first call
    cold: float = 0.0  # from starting Python until an epoch is done
    loss: float | None = None
    moved: float = 0.0  # how far all weights together are from where they began
    memory: float | None = None  # the most that its process had, in MiB
    steps: list[float] = field(default_factory=list[float])  # a step, in each round
    busy: list[float] = field(default_factory=list[float])  # the same on processors
    predictions: dict[str, list[float]] = field(default_factory=dict[str, list[float]])  # a call, by the size of the batch
    outputs: dict[str, float] = field(default_factory=dict[str, float])  # the norms of what was predicted

    @property
    def ours(self) -> bool:
        return self.name in COMPETITORS and COMPETITORS[self.name].ours

    @property
    def title(self) -> str:
        return COMPETITORS[self.name].title if self.name in COMPETITORS else self.name

    @property
    def step(self) -> float:
        """The median of rounds."""
        return statistics.median(self.steps)


@dataclass
class Race:
    """A workload on all cores or on one, and all who raced."""

    workload: str
    one_core: bool
    rows: list[Row]
    date: str = ""
    load: tuple[float, float] = (0.0, 0.0)  # of the machine, before and after

    @property
    def key(self) -> str:
        return key(self.workload, self.one_core)

    @property
    def timed(self) -> list[Row]:
        """Those with times, the fastest first."""
        return sorted((r for r in self.rows if r.steps), key=lambda r: r.step)

    def row(self, name: str) -> Row | None:
        """A competitor that has times."""
        return next((r for r in self.timed if r.name == name), None)

    @property
    def best_peer(self) -> Row | None:
        return next((r for r in self.timed if not r.ours), None)


def key(workload: str, one_core: bool) -> str:
    return f"{workload}, one core" if one_core else workload


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Round by round, how many times as long the first took, the least first."""
    return sorted(a / b for a, b in zip(over, under, strict=False))


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of that."""
    return statistics.median(ratios(over, under))


@dataclass
class Found:
    """All races of a machine."""

    machine: dict[str, Any]
    races: dict[str, Race]

    @staticmethod
    def read(path: Path) -> Found:
        """What `write` wrote; nothing where there is no file."""
        if not path.exists():
            return Found({}, {})
        held = json.loads(path.read_text(encoding="utf-8"))
        return Found(held["machine"], {name: race_of(r) for name, r in held["races"].items()})

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = {"machine": self.machine, "races": {name: asdict(r) for name, r in self.races.items()}}
        path.write_text(json.dumps(rounded(held), indent=1) + "\n", encoding="utf-8", newline="\n")


def race_of(held: Mapping[str, Any]) -> Race:
    return Race(**{**held, "rows": [Row(**r) for r in held["rows"]], "load": tuple(held["load"])})


def rounded(value: Any) -> Any:
    """Numbers to seven digits, which is more than they are worth."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list | tuple) else value
