"""A race: workers are started one after the other, compared, and then timed in turns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from benchmarks.race import agree, data
from benchmarks.race.competitors import Competitor
from benchmarks.race.process import Lost, Process, python_of, worker
from benchmarks.race.results import Race, Row
from benchmarks.race.worker import DATA, START
from benchmarks.race.workloads import Workload

BATCHES = (1, 256)  # for which predicting is measured
FEW = 3  # rounds of a heavy workload


@dataclass(frozen=True)
class Plan:
    """How a race is run."""

    rounds: int = 5
    seconds: float = 0.4  # of each competitor in a round
    patience: float = 180.0  # seconds that a worker may be silent
    peers: str = ""  # the Python of the peers
    one_core: bool = False


class Watcher(Protocol):
    """Who is told how far a race is."""

    def begins(self, workload: Workload, parts: int) -> None: ...
    def at(self, what: str) -> None:
        """What is done now."""

    def done(self) -> None:
        """One of the parts is."""

    def lost(self, row: Row) -> None:
        """A competitor does not run."""


Start = Callable[[Competitor, Path, Path], Process]  # (competitor, arrays, caches) → its worker


def run(workload: Workload, competitors: Sequence[Competitor], plan: Plan, watch: Watcher, start: Start | None = None) -> Race:
    """All competitors on a workload."""
    rounds = min(plan.rounds, FEW) if workload.heavy else plan.rounds
    watch.begins(workload, len(competitors) + rounds + (rounds if workload.predicts else 0))
    rows, load = [Row(c.name) for c in competitors], loaded()
    with tempfile.TemporaryDirectory(prefix="race-") as folder, ended() as processes:
        arrays = written(Path(folder), workload)
        for row, competitor in zip(rows, competitors, strict=True):
            watch.at(f"{competitor.title} trains its first epoch")
            make = start or (lambda c, a, f: worker(c, python_of(c, plan.peers), a, workload.name, plan.one_core, f / c.name))
            with losing(row, processes, watch):
                processes[row.name] = make(competitor, arrays, Path(folder))
                first_epoch(row, processes[row.name], plan.patience)
            watch.done()
        refused(rows, processes, watch, lambda running: agree.refuse(running, workload))
        Turns(rows, processes, plan, watch).all(workload, rounds)
    return Race(workload.name, plan.one_core, rows, datetime.now(UTC).date().isoformat(), (load, loaded()))


@contextmanager
def ended() -> Iterator[dict[str, Process]]:
    """Workers by name, none of which is left."""
    processes: dict[str, Process] = {}
    try:
        yield processes
    finally:
        for p in processes.values():
            p.end()


@contextmanager
def losing(row: Row, processes: dict[str, Process], watch: Watcher) -> Iterator[None]:
    """Whoever is lost says why in its row, and takes part no more."""
    try:
        yield
    except (Lost, OSError) as error:
        row.why = str(error)
        leave(row, processes, watch)


def leave(row: Row, processes: dict[str, Process], watch: Watcher) -> None:
    row.steps, row.busy, row.predictions = [], [], {}
    if row.name in processes:
        processes.pop(row.name).end()
    watch.lost(row)


def written(folder: Path, workload: Workload) -> Path:
    """Data and first values as the one file that all workers read."""
    path = folder / "arrays.npz"
    arrays = {f"{DATA}{name}": v for name, v in data.data(workload).items()}
    np.savez(path, **arrays, **{f"{START}{name}": v for name, v in data.start(workload).items()})
    return path


def first_epoch(row: Row, process: Process, patience: float) -> None:
    """What a worker says by itself."""
    begun = process.hear(patience)
    row.imported, row.first, row.versions = begun["import"], begun["make"] + begun["first"], begun["versions"]
    process.hear(patience)
    row.cold = perf_counter() - process.began
    found = process.hear(patience)
    row.loss, row.moved = found["loss"], found["moved"]
    process.hear(patience)  # before it is ready it is at work, beside whoever is next


def refused(rows: Sequence[Row], processes: dict[str, Process], watch: Watcher, refuse: Callable[[Sequence[Row]], None]) -> None:
    """Whoever computes something else takes part no more."""
    running = [row for row in rows if not row.why]
    refuse(running)
    for row in running:
        if row.why:
            leave(row, processes, watch)


@dataclass
class Turns:
    """Rounds, in each of which everybody has a turn."""

    rows: Sequence[Row]
    processes: dict[str, Process]
    plan: Plan
    watch: Watcher

    def all(self, workload: Workload, rounds: int) -> None:
        """Training, predicting, and how much memory it took."""
        for number in range(rounds):
            self.turn(f"round {number + 1} of {rounds}", self.train)
        for number in range(rounds if workload.predicts else 0):
            self.turn(f"predicting, round {number + 1} of {rounds}", self.predict)
        refused(self.rows, self.processes, self.watch, agree.refuse_outputs)
        self.turn("the end", self.ask_memory, counts=False)

    def turn(self, what: str, job: Callable[[Row, Process], None], counts: bool = True) -> None:
        for row in [r for r in self.rows if r.name in self.processes]:
            self.watch.at(f"{what}: {row.title}")
            with losing(row, self.processes, self.watch):
                job(row, self.processes[row.name])
        if counts:
            self.watch.done()

    def train(self, row: Row, process: Process) -> None:
        found = process.ask(self.plan.patience, train=self.plan.seconds)
        row.steps.append(found["seconds"])
        row.busy.append(found["busy"])

    def predict(self, row: Row, process: Process) -> None:
        for batch in BATCHES:
            found = process.ask(self.plan.patience, predict=batch, seconds=self.plan.seconds / 2)
            row.predictions.setdefault(str(batch), []).append(found["seconds"])
            row.outputs[str(batch)] = found["outputs"]

    def ask_memory(self, row: Row, process: Process) -> None:
        row.memory = process.ask(self.plan.patience, end=True)["memory"]


def loaded() -> float:
    """How many programs wanted a processor in the last minute; 0 where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def left_out(workload: Workload, competitors: Sequence[Competitor]) -> list[Row]:
    """Those who do not run on a workload unless named, with the reason."""
    return [Row(c.name, why=c.absent[workload.name]) for c in competitors if workload.name in c.absent]


__all__: list[Any] = ["Plan", "Watcher", "left_out", "run"]
