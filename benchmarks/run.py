"""Training steps of this library beside the same written by hand in JAX, in one interleaved run.

Every competitor has a process of its own; rounds go round all of them, so that a busy machine is busy for all. Printed are
medians of microseconds a step, and the ratio to the twin: below 1 is faster than the twin.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

if not __package__:  # run as a file, which finds only what is beside it
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

WORKLOADS = {"W1": "iris", "W2": "mnist"}
TWIN = "twin, JAX scan"
LIMIT = 1.1

EPOCHS = 20  # of a call of `fit`, whose beginning and end are not steps but count
Turn = Callable[[], int]  # trains for an epoch or more, and says how many steps that were


def data_of(workload: Any) -> dict[str, Any]:
    """Real data, or random images where MNIST is not at hand."""
    if hasattr(workload, "random_rows") and not os.environ.get("LENSGRAD_DATA"):
        return workload.random_rows()
    return workload.rows()


def ours(backend: str) -> Callable[[Any], Turn]:
    """Our step as `fit` runs it, its data where the backend keeps it."""

    def make(workload: Any) -> Turn:
        from lensgrad.train.iterate import first_wrong

        step, rows = workload.learner().step(None, backend), data_of(workload)
        iteration = step.iteration(tuple(rows))
        n = len(rows["x"])
        held = {**workload.learner().initial(0, workload.start()), **rows}
        arrays = [held[p.name] for p in step.inputs]
        own = [filled(arrays[i], iteration.most, step.engine) for i in iteration.loop.rows]
        fixed = [step.engine.place(arrays[i]) for i in iteration.loop.fixed]
        now = [[step.engine.place(arrays[i]) for i in iteration.loop.states]]

        def turn() -> int:
            for start in range(0, n, iteration.most):
                part = own if iteration.most >= n else [r[start:] for r in own]
                now[0], seen = iteration.run(now[0], fixed, part, min(iteration.most, n - start))
                if first_wrong(seen) is not None:
                    raise SystemExit("a step observed a number that is not finite")
            return n

        return turn

    return make


def filled(rows: Any, most: int, engine: Any) -> Any:
    """Rows up to the length that a program is compiled for, placed once."""
    missing = max(0, most - len(rows)) if most > 1 else 0
    return engine.place(np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)]))


def fitted(backend: str) -> Callable[[Any], Turn]:
    """Calls of `fit` that go on from one run: shuffling, checks, the guard and reports included."""

    def make(workload: Any) -> Turn:
        learner, rows = workload.learner(), data_of(workload)
        run = learner.fit(rows, batch_size=None, start=workload.start(), backend=backend, progress=False)

        def turn() -> int:
            run.fit(rows, epochs=EPOCHS, progress=False)
            return EPOCHS * len(rows["x"])

        return turn

    return make


def by_hand(kind: str) -> Callable[[Any], Turn]:
    """The twin: an epoch as one program, or a call for each step."""

    def make(workload: Any) -> Turn:
        import jax
        import jax.numpy as jnp

        from benchmarks.workloads.jax_twin import dispatched, scanned

        step = workload.step(products=True) if kind == "products" else workload.step()
        now = [workload.twin_state(workload.start())]
        x, y = (jnp.asarray(v) for v in workload.twin_rows(data_of(workload)))
        run, rows = (dispatched(step), list(zip(x, y, strict=True))) if kind == "jit" else (scanned(step), [(x, y)])

        def turn() -> int:
            losses: Any = None
            for row in rows:
                now[0], losses = run(now[0], row)
            jax.block_until_ready((now[0], losses))
            return len(x)

        return turn

    return make


COMPETITORS: dict[str, Callable[[Any], Turn]] = {
    TWIN: by_hand("scan"),
    "twin, JAX jit": by_hand("jit"),
    "twin, products": by_hand("products"),
    "ours, jax": ours("jax"),
    "ours, jax fit": fitted("jax"),
    "ours, numpy": ours("numpy"),
}


def competitors(workload: str) -> list[str]:
    """Those that make sense: only a convolution can be written as a product."""
    return [name for name in COMPETITORS if workload == "W2" or name != "twin, products"]


def work(workload: str, name: str) -> None:
    """One competitor in its process: it says when it is ready, then runs for so many seconds whenever asked."""
    module = import_module(f"benchmarks.workloads.{WORKLOADS[workload]}")
    turn = COMPETITORS[name](module)
    print(json.dumps([turn(), turn()]), flush=True)
    for line in sys.stdin:
        print(json.dumps(timed(turn, float(line))), flush=True)


def timed(turn: Turn, seconds: float) -> float:
    """Microseconds a step: the median of turns, so that one that waited for a processor does not count."""
    end, found = time.perf_counter() + seconds, list[float]()
    while (began := time.perf_counter()) < end or not found:
        steps = turn()
        found.append((time.perf_counter() - began) / steps * 1e6)
    return statistics.median(found)


def started(workload: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--worker", workload, name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def compare(workload: str, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Microseconds a step of every competitor, a number for each round."""
    processes = {name: started(workload, name) for name in competitors(workload)}
    try:
        for p in processes.values():
            json.loads(answer(p))
        found: dict[str, list[float]] = {name: [] for name in processes}
        for _ in range(rounds):
            for name, p in processes.items():
                found[name].append(json.loads(answer(p, seconds)))
        return found
    finally:
        for p in processes.values():
            p.kill()
            p.communicate()


def answer(process: Any, seconds: float | None = None) -> str:
    """The next line of a competitor, asked to run for so many seconds."""
    if seconds is not None:
        process.stdin.write(f"{seconds}\n")
        process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a competitor ended before its time; its message is above")
    return line


def table(workload: str, found: dict[str, list[float]]) -> str:
    """Medians, ranges, and the median over rounds of the ratio to the twin in the same round."""
    title = import_module(f"benchmarks.workloads.{WORKLOADS[workload]}").NAME
    lines = [f"{title:<32}{'us a step':>12}{'from':>10}{'to':>10}{'ratio':>8}"]
    for name, times in found.items():
        ratio = ratio_of(found, name)
        lines.append(f"  {name:<30}{statistics.median(times):>12.2f}{min(times):>10.2f}{max(times):>10.2f}{ratio:>8.2f}")
    return "\n".join(lines)


def ratio_of(found: dict[str, list[float]], name: str) -> float:
    return statistics.median(a / b for a, b in zip(found[name], found[TWIN], strict=True))


def main(args: Sequence[str] | None = None) -> int:
    """Print a table for each workload; 1 where our JAX step is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="W1 W2", help="all if not given")
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--worker", nargs=2, metavar=("WORKLOAD", "NAME"), help=argparse.SUPPRESS)
    given = parser.parse_args(args)
    if given.worker:
        work(*given.worker)
        return 0
    if strange := [w for w in given.workloads if w not in WORKLOADS]:
        parser.error(f"'{strange[0]}' is no workload; there are {', '.join(WORKLOADS)}")
    rounds, seconds = (3, 0.2) if given.quick else (given.rounds, given.seconds)
    good = True
    for workload in given.workloads or WORKLOADS:
        found = compare(workload, rounds, seconds)
        good &= ratio_of(found, "ours, jax") <= LIMIT
        print(table(workload, found), flush=True)
    if hasattr(os, "getloadavg"):
        print(f"{rounds} rounds of {seconds} s; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
