"""Training steps of this library beside PyTorch, JAX, Flax and Keras on the same workloads, in interleaved rounds.

    python -m benchmarks.run --peers-python PATH --write           everything, into benchmarks/RESULTS.md
    python -m benchmarks.run W1 W3 --peers native torch --rounds 3 some of it, shown only
    python -m benchmarks.run --quick                               whether something became slower than RESULTS says

Each race that ends is kept in build/race; with --resume those that are there are not run again. A competitor that is not installed,
fails, takes too long or computes something else is shown with the reason. --quick ends with 1 where something became slower.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

if not __package__:  # run as a file, which finds only what is beside it
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.race import driver, limit, page, plot, quick, show
from benchmarks.race.competitors import COMPETITORS, Competitor
from benchmarks.race.driver import Plan
from benchmarks.race.process import ROOT
from benchmarks.race.results import Found, Race, key
from benchmarks.race.workloads import WORKLOADS

KEPT = ROOT / "build" / "race"
ONE_CORE = ("native", "lensgrad-jax", "torch", "jax", "jax-scan")
FAILED, STOPPED = 1, 130


def main(args: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 where something became slower, or ours computes something else or not at all."""
    given, console = parsed(args), show.console()
    try:
        return quickly(given, console) if given.quick else wholly(given, console)
    except KeyboardInterrupt:
        console.print("stopped; with --resume the races that ended are not run again")
        return STOPPED


def parsed(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all if not given")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help=f"who races, of {', '.join(COMPETITORS)}")
    parser.add_argument("--peers-python", default=sys.executable, metavar="PATH", help="a Python that has the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each competitor in a round")
    parser.add_argument("--patience", type=float, default=180, help="seconds that a competitor may be silent")
    parser.add_argument("--cores", choices=["all", "one", "both"], default="both")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md, its plot and its numbers")
    parser.add_argument("--resume", action="store_true", help="take races that are in build/race from there")
    parser.add_argument("--quick", action="store_true", help="look for what became slower, in less than five minutes")
    parser.add_argument("--margin", type=float, default=quick.MARGIN, help="times as slow, up to which --quick says nothing")
    given = parser.parse_args(args)
    for what, names, known in (("workload", given.workloads, WORKLOADS), ("competitor", given.peers or (), COMPETITORS)):
        if strange := [name for name in names if name not in known]:
            parser.error(f"'{strange[0]}' is no {what}; there are {', '.join(known)}")
    for name in ("rounds", "seconds", "patience", "margin"):
        if not getattr(given, name) > 0:
            parser.error(f"--{name} must be above 0, got {getattr(given, name)}")
    return given


# -- everything --------------------------------------------------------------------------------------------------------


def wholly(given: argparse.Namespace, console: Console) -> int:
    """All races, their tables, and the page where it is wanted."""
    found, good = Found(limit.machine(), {}), True
    console.print(page.about(found.machine), highlight=False)
    with show.Bar(console) as bar:
        for name in given.workloads or WORKLOADS:
            for one_core in cores(name, given):
                race = kept(name, one_core, given) or raced(name, one_core, given, bar)
                found.races[race.key] = race
                good &= not [r for r in race.rows if r.ours and not r.steps and name not in COMPETITORS[r.name].absent]
                console.print(show.table(race))
                console.print(*map(escape, show.absent(race)), sep="\n", style="yellow", highlight=False)
    if given.write:
        write(found, console)
    return 0 if good else FAILED


def cores(workload: str, given: argparse.Namespace) -> list[bool]:
    """Whether on one core: for what is heavy only where that is asked for."""
    both = [False] if WORKLOADS[workload].heavy else [False, True]
    return {"all": [False], "one": [True], "both": both}[given.cores]


def file_of(workload: str, one_core: bool) -> Path:
    return KEPT / f"{workload}-{'one' if one_core else 'all'}.json"


def kept(workload: str, one_core: bool, given: argparse.Namespace) -> Race | None:
    """A race that was run before, where those are to be taken."""
    if not given.resume:
        return None
    return Found.read(file_of(workload, one_core)).races.get(key(workload, one_core))


def raced(name: str, one_core: bool, given: argparse.Namespace, bar: show.Bar) -> Race:
    """A race, kept in its file when it ends."""
    workload = WORKLOADS[name]
    chosen = [COMPETITORS[n] for n in given.peers] if given.peers else default(one_core)
    absent = [] if given.peers else driver.left_out(workload, chosen)
    running: list[Competitor] = [c for c in chosen if given.peers or name not in c.absent]
    plan = Plan(given.rounds, given.seconds, given.patience, given.peers_python, one_core)
    race = driver.run(workload, running, plan, bar)
    race.rows += absent
    Found({}, {race.key: race}).write(file_of(name, one_core))
    return race


def default(one_core: bool) -> list[Competitor]:
    return [COMPETITORS[name] for name in (ONE_CORE if one_core else COMPETITORS)]


def write(found: Found, console: Console) -> None:
    """The page, its plot and its numbers; races that were not run now stay as they were."""
    before = Found.read(page.DATA)
    held = Found(found.machine, before.races | found.races)
    held.write(page.DATA)
    page.PAGE.write_text(page.written(held), encoding="utf-8", newline="\n")
    plot.draw(held, page.PLOT)
    console.print(f"written: {page.PAGE.relative_to(ROOT)}, and its plot and numbers beside it")


# -- quickly -----------------------------------------------------------------------------------------------------------


def quickly(given: argparse.Namespace, console: Console) -> int:
    """Ours and the twin on one core, beside what was written."""
    before, changes, lost = Found.read(page.DATA), list[quick.Change](), 0
    plan = Plan(3, 0.2, 60, given.peers_python, one_core=True)
    with show.Bar(console) as bar:
        for name in given.workloads or quick.WORKED:
            race = driver.run(WORKLOADS[name], quick.runners(name), plan, bar)
            changes += quick.changes(before, race)
            lost += len(quick.missing(race))
    for change in changes:
        console.print(change.told(), style="bold red" if change.slower > given.margin else "", highlight=False)
    found = quick.worse(changes, given.margin)
    console.print(f"slower by more than {given.margin} ×: {len(found)} of {len(changes)}; not run: {lost}", highlight=False)
    if not changes:
        console.print(f"{page.DATA.name} has nothing to compare with: run with --write first", highlight=False)
    return FAILED if found or lost else 0


if __name__ == "__main__":
    sys.exit(main())
