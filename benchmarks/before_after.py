"""CPU time of this tree beside another one of the same library, for instance the state before a change.

python -m benchmarks.before_after /path/to/the/other/tree [workload …]

Each tree has a process of its own, and they take turns, so that a busy machine is busy for both. Printed are the shortest CPU
times of both in milliseconds, the ratio of this tree to the other, and how far the ratio moves between odd and even turns,
which is the noise. What happens once in a process (import, first call) is measured in a new process each time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve()
LIMIT = 1.05


class Tree:
    """A tree of the library, and a process that runs workloads in it."""

    def __init__(self, path: Path) -> None:
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": tempfile.mkdtemp(prefix="before_after")}  # as installed
        self.env = {**os.environ, **single, **compiled, "PYTHONPATH": str(path)}

    def turn(self, workload: str, process: subprocess.Popen[str] | None = None) -> float:
        """Milliseconds of one turn, in a new process where none is given."""
        own = process or self.start(workload)
        assert own.stdin and own.stdout
        print(file=own.stdin, flush=True)
        found = float(own.stdout.readline())
        if process is None:
            own.communicate()
        return found

    def start(self, workload: str) -> subprocess.Popen[str]:
        """A process that has prepared a workload and waits for its turn."""
        child = [sys.executable, "-P", str(HERE.parent / "before_after_turns.py"), workload]
        return subprocess.Popen(child, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def compared(workload: str, trees: Sequence[Tree], turns: int, fresh: bool) -> list[list[float]]:
    """The times of all trees, turn by turn."""
    processes = [None if fresh else tree.start(workload) for tree in trees]
    found = [[tree.turn(workload, p) for tree, p in zip(trees, processes, strict=True)] for _ in range(turns)]
    for p in processes:
        if p is not None:
            p.communicate()
    return [list(times) for times in zip(*found, strict=True)]


def told(workload: str, new: Sequence[float], old: Sequence[float]) -> float:
    """The ratio of two rows of times, printed."""
    ratio = min(new) / min(old)
    halves = [min(new[k::2]) / min(old[k::2]) for k in (0, 1)]
    mark = "" if ratio <= LIMIT else "  slower"
    print(f"{workload:12} {min(old):9.2f} {min(new):9.2f}   {ratio:5.2f} ± {max(abs(h - ratio) for h in halves):.2f}{mark}", flush=True)
    return ratio


def main() -> None:
    from benchmarks.before_after_turns import ONCE, WORKLOADS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the tree to compare with")
    parser.add_argument("workloads", nargs="*", help=", ".join((*ONCE, *WORKLOADS)))
    parser.add_argument("--turns", type=int, default=16)
    given = parser.parse_args()
    trees = Tree(HERE.parent.parent), Tree(given.other.resolve())
    print("workload        before       now   ratio, CPU time in ms")
    chosen = given.workloads or (*ONCE, *WORKLOADS)
    ratios = [told(w, *compared(w, trees, given.turns, w in ONCE)) for w in chosen]
    sys.exit(any(r > LIMIT for r in ratios))


if __name__ == "__main__":
    main()
