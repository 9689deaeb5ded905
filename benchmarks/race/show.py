"""What a terminal shows: how far races are, and their tables."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.race.results import Race, Row, ratio
from benchmarks.race.workloads import WORKLOADS, Workload


def console() -> Console:
    """The terminal; in a file lines may be longer than in the narrowest one."""
    found = Console()
    return found if found.is_terminal else Console(width=140)


class Bar:
    """A bar for each race; where there is no terminal to draw it on, lines that say the same."""

    def __init__(self, console: Console) -> None:
        self.said = ""
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[now]}")
        self.progress = Progress(*columns, console=console)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def begins(self, workload: Workload, parts: int) -> None:
        self.workload = workload.name
        self.task = self.progress.add_task(f"{workload.name}  {workload.title}", total=parts, now="")

    def at(self, what: str) -> None:
        self.progress.update(self.task, now=escape(what))
        part = what.partition(":")[0]
        if not self.progress.console.is_terminal and part != self.said:
            self.said = part
            self.progress.console.print(escape(f"{self.workload}  {part}"), highlight=False)

    def done(self) -> None:
        self.progress.advance(self.task)

    def lost(self, row: Row) -> None:
        """Shown with the table."""


def table(race: Race) -> Table:
    """The times of a race, the fastest first."""
    cores = "one core" if race.one_core else "all cores"
    made = Table(title=f"{race.workload}: {WORKLOADS[race.workload].title}, {cores}")
    for name in ("", "median", "from", "to", "÷ ours", "loss", "cold", "MiB"):
        made.add_column(name, justify="left" if not name else "right")
    ours = race.row("native")
    for row in race.timed:
        taken = [seconds(t) for t in (row.step, min(row.steps), max(row.steps))]
        over = times(ratio(row.steps, ours.steps)) if ours else ""
        loss = "" if row.loss is None else f"{row.loss:.6f}"
        made.add_row(escape(row.title), *taken, over, loss, f"{row.cold:.1f} s", memory(row), style="bold" if row.ours else "")
    return made


def absent(race: Race) -> list[str]:
    """A line for each who did not run."""
    return [f"{row.title}: not run: {row.why}" for row in race.rows if not row.steps]


def memory(row: Row) -> str:
    return "" if row.memory is None else f"{row.memory:.0f}"


def seconds(value: float) -> str:
    """A time to three digits, in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value / 1e-9)} ns"


def times(ratio: float) -> str:
    """How many times as long."""
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"


def amount(value: float) -> str:
    """A large number to three digits."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def digits(value: float) -> str:
    """Three digits of a number that is at least 1."""
    return f"{value:.{max(0, 3 - len(str(int(value))))}f}"
