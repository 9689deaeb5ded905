"""The page of results: a table for each workload, losing rows and those that did not run included."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.race.results import Found, Race, Row, key, ratio, ratios
from benchmarks.race.show import amount, seconds, times
from benchmarks.race.workloads import WORKLOADS, Workload

PAGE = Path(__file__).resolve().parents[1] / "RESULTS.md"
DATA, PLOT = PAGE.with_suffix(".json"), PAGE.with_suffix(".svg")
COMMAND = "python -m benchmarks.run --write"

ABOUT = """Training steps of this library beside those of its peers. Every competitor has a process of its own and reads the same arrays
of data and first values. All train for some steps first, and whoever's loss or weights then differ from those of most others is not timed.
Then they are timed in turns, each from the first values on, so that a busy machine is busy for all. Times are medians of rounds, with the
least and the most. A ratio is the time of a competitor over ours (native) in the same round: above 1 it is slower than we are, below 1
faster.

*Cold* is from starting Python until the first epoch is done, with nothing compiled in any cache; *first call* is making the network and
its first call, *import* what importing the library takes beyond NumPy, *memory* the most that the process had. *Of the limit* is how
much of the arithmetic that the cores can do a step achieves, if it does all that the workload says; who saves operations can have more.
Whoever trains by `fit` is compared by weights alone, as its history has means over epochs, and predicts by `run.predict`, which chooses
for itself what is worth compiling; the others predict by a compiled program."""


def written(found: Found) -> str:
    """The whole page."""
    parts = [f"# Beside its peers\n\n`{COMMAND}` measured this.", told(found), ABOUT, f"![Peers over ours]({PLOT.name})", *summary(found)]
    for name, workload in WORKLOADS.items():
        if races := [found.races[k] for k in (key(name, False), key(name, True)) if k in found.races]:
            parts += section(workload, races, found.machine)
    return "\n\n".join(parts) + "\n"


def told(found: Found) -> str:
    """On what, when, and with which versions."""
    m, races = found.machine, found.races.values()
    dates, loads = sorted({r.date for r in races}), [load for r in races for load in r.load]
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    load = f"load of the machine beside and with these programs {min(loads):.1f} to {max(loads):.1f}"
    versions = ", ".join(f"{name} {v}" for name, v in sorted(all_versions(found).items()))
    return f"Measured on {when}: {about(m)}; {load}. Versions: {versions}."


def about(machine: dict[str, Any]) -> str:
    """The machine in general terms."""
    vectors = f", vectors of {machine['vectors']} bits" if machine["vectors"] else ""
    memory = f", {machine['memory']} GiB of memory" if machine["memory"] else ""
    return f"{machine['system']}, {machine['cores']} cores{vectors}{memory}, Python {machine['python']}; {peaks(machine)}"


def peaks(machine: dict[str, Any]) -> str:
    """What the machine can do."""
    known = [f"{rate / 1e9:.0f} G on {'one core' if n == '1' else f'{n} cores'}" for n, rate in machine["peak"].items() if rate]
    return f"float32 operations a second in registers: {', '.join(known)}" if known else "no C compiler to measure its limit with"


def all_versions(found: Found) -> dict[str, str]:
    return {name: v for race in found.races.values() for row in race.rows for name, v in row.versions.items()}


# -- tables ------------------------------------------------------------------------------------------------------------


def summary(found: Found) -> list[str]:
    """One row for each workload: the best peer over ours."""
    head = ["", "best peer, all cores", "ours", "peer ÷ ours", "one core: peer ÷ ours", "fit ÷ bare steps", "predict 1", "predict 256"]
    rows = [cells for name in WORKLOADS if (cells := summed(found, name))]
    return ["## Best peer over ours", "\n".join(markdown(head, rows))] if rows else []


def summed(found: Found, name: str) -> list[str]:
    race = found.races.get(key(name, False))
    ours = race and race.row("native")
    if not race or not ours or not race.best_peer:
        return []
    fit, alone = race.row("native-fit"), found.races.get(key(name, True))
    best = race.best_peer
    return [
        f"**{name}** {WORKLOADS[name].title}",
        f"{best.title}, {seconds(best.step)}",
        seconds(ours.step),
        spread(best.steps, ours.steps),
        over_ours(alone) if alone else "",
        times(ratio(fit.steps, ours.steps)) if fit else "",
        *(predicted(race, batch) for batch in ("1", "256")),
    ]


def over_ours(race: Race) -> str:
    """The best peer's time over ours."""
    best, ours = race.best_peer, race.row("native")
    return times(ratio(best.steps, ours.steps)) if best and ours else ""


def predicted(race: Race, batch: str) -> str:
    """The best peer's time over ours for a prediction."""
    peers = [r.predictions[batch] for r in race.timed if not r.ours and batch in r.predictions]
    ours = race.row("native")
    if not ours or not peers or batch not in ours.predictions:
        return ""
    return times(ratio(min(peers, key=statistics.median), ours.predictions[batch]))


def spread(over: Sequence[float], under: Sequence[float]) -> str:
    """A ratio, and from where to where it goes in rounds."""
    each = ratios(over, under)
    return f"{times(statistics.median(each))} ({times(each[0])} … {times(each[-1])})"


def section(workload: Workload, races: Sequence[Race], machine: dict[str, Any]) -> Iterator[str]:
    yield f"## {workload.name}: {workload.title}"
    compared = f"Losses after {workload.check} steps agree to {workload.digits} digits. {amount(workload.operations)} operations a step."
    yield f"{workload.about} {compared}"
    for race in races:
        if len(races) > 1 or race.one_core:
            yield "On one core:" if race.one_core else "On all cores:"
        yield "\n".join(steps_table(race, workload, machine))
        if any(r.predictions for r in race.timed):
            yield "Predicting, from NumPy to NumPy:"
            yield "\n".join(predictions_table(race))


def steps_table(race: Race, workload: Workload, machine: dict[str, Any]) -> list[str]:
    head = ["", "a step", "least … most", "÷ ours", "of the limit", "loss", "import", "first call", "cold", "memory"]
    ours = race.row("native")
    rows = [step_cells(row, race, workload, machine, ours) for row in race.timed]
    rows += [[plain(r.title), f"not run: {plain(r.why)}", *[""] * (len(head) - 2)] for r in race.rows if not r.steps]
    return markdown(head, rows)


def percent(share: float) -> str:
    """A share in two digits, or in all that it has before the point."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def step_cells(row: Row, race: Race, workload: Workload, machine: dict[str, Any], ours: Row | None) -> list[str]:
    top = machine["peak"].get("1" if race.one_core else str(machine["cores"]))
    return [
        f"**{plain(row.title)}**" if row.ours else plain(row.title),
        seconds(row.step),
        f"{seconds(min(row.steps))} … {seconds(max(row.steps))}",
        times(ratio(row.steps, ours.steps)) if ours else "",
        percent(workload.operations / row.step / top) if top else "",
        "by weights" if row.loss is None else f"{row.loss:.6f}",
        seconds(row.imported),
        seconds(row.first),
        seconds(row.cold),
        f"{row.memory:.0f} MiB" if row.memory else "",
    ]


def predictions_table(race: Race) -> list[str]:
    """Times of predictions, the fastest of the smallest batch first."""
    rows = [r for r in race.timed if r.predictions]
    batches = list(rows[0].predictions)
    ours = race.row("native")
    head = ["", *(cell for b in batches for cell in (f"batch {b}", "÷ ours"))]
    rows.sort(key=lambda r: statistics.median(r.predictions[batches[0]]))
    return markdown(head, [predicted_cells(row, batches, ours) for row in rows])


def predicted_cells(row: Row, batches: Sequence[str], ours: Row | None) -> list[str]:
    cells = [f"**{plain(row.title)}**" if row.ours else plain(row.title)]
    for batch in batches:
        taken = row.predictions[batch]
        cells += [seconds(statistics.median(taken)), times(ratio(taken, ours.predictions[batch])) if ours else ""]
    return cells


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def plain(text: str) -> str:
    """Text that means nothing to a table or to HTML."""
    found = " ".join(text.split())
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "'"), ("*", "\\*"), ("_", "\\_")):
        found = found.replace(sign, instead)
    return found


__all__ = ["DATA", "PAGE", "PLOT", "about", "written"]
