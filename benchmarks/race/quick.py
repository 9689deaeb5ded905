"""Whether anything of ours became slower than the written results say, beside the same JAX program in the same run.

On one core, by time on the processor, so that a busy machine does not matter much. What is compared is how many times as long the
twin takes as we do, now and when the results were written.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.race.competitors import COMPETITORS, Competitor
from benchmarks.race.results import Found, Race, Row, key, ratio
from benchmarks.race.workloads import WORKLOADS

MARGIN = 1.3  # times as slow as before, up to which nothing is said
WORKED = [name for name, w in WORKLOADS.items() if not w.heavy]
OURS = ("native", "lensgrad-jax")
TWINS = ("jax-scan", "jax")


def twin(workload: str) -> Competitor:
    """Hand-written JAX, many steps as one program where that works."""
    return next(COMPETITORS[name] for name in TWINS if workload not in COMPETITORS[name].absent)


def runners(workload: str) -> list[Competitor]:
    """Who is looked at, and the twin."""
    return [*(COMPETITORS[name] for name in OURS), twin(workload)]


@dataclass(frozen=True)
class Change:
    """How many times as long the twin takes, before and now."""

    workload: str
    title: str
    before: float
    now: float

    @property
    def slower(self) -> float:
        """Times as slow as before, beside the twin."""
        return self.before / self.now

    def told(self) -> str:
        words = "slower" if self.slower > 1 else "faster"
        by = max(self.slower, 1 / self.slower)
        return (
            f"{self.workload} {self.title}: the twin takes {self.now:.2f} × as long, {self.before:.2f} × when written: {by:.2f} × {words}"
        )


def beside(row: Row, other: Row) -> float:
    """How many times as long another takes, on processors."""
    return ratio(other.busy, row.busy)


def changes(before: Found, now: Race) -> Iterator[Change]:
    """What both the written results and this race have."""
    then, name = before.races.get(key(now.workload, True)), twin(now.workload).name
    if then is None:
        return
    for ours in OURS:
        rows = [race.row(n) for race in (then, now) for n in (ours, name)]
        if all(rows):
            a, b, c, d = (row for row in rows if row)
            yield Change(now.workload, a.title, beside(a, b), beside(c, d))


def missing(now: Race) -> list[Row]:
    """What did not run, which is worse than slow; what was not to run is not meant."""
    return [row for row in now.rows if not row.steps]


def worse(found: list[Change], margin: float) -> list[Change]:
    """Those that are slower by more than a margin."""
    return [change for change in found if change.slower > margin]


def typical(found: list[Change]) -> float:
    """How much slower all are in the middle; far from 1 it is another machine rather than another program."""
    return statistics.median(change.slower for change in found) if found else 1.0
