"""Test accuracy beside PyTorch and Keras: five tasks, equal networks, first weights of one family, one optimizer, several seeds.

    python -m benchmarks.accuracy --keras-python PATH --torch-python PATH [--write]

All peers read the same arrays and the same description of the network; each draws its own first weights and its own order of
examples. Two libraries are compared by the exact permutation test on the difference of their mean accuracies, two-sided over all
ways to deal the runs into two groups, corrected for the number of comparisons by Holm's method. Fewer than six seeds cannot find
anything at the level of 5 % among ten comparisons. Test sets are only looked at after training. MNIST is trained on its first
10,000 images, and Shakespeare on the first 200,000 characters; their test sets are the 10,000 images and the last 50,000 characters.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import lensgrad as lg
from benchmarks.peers import page

OURS = "lensgrad"
LEVEL = 0.05
FIRST = 8  # the first seed; with those from 0 on it was found that an embedding in Keras moved otherwise than the others
PEERS = Path(__file__).resolve().parent / "peers"
Data = dict[str, np.ndarray[Any, Any]]


# -- tasks -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """A network, and how it is trained, as all peers read it."""

    name: str
    layers: tuple[tuple[Any, ...], ...]
    epochs: int
    batch_size: int
    rate: float
    backend: str = "numpy"


TASKS = (
    Task("iris", (("dense", 16, "relu"), ("dense", 3)), 40, 16, 1e-2),
    Task("digits", (("conv", 16, 3, "relu"), ("pool", 2), ("flatten",), ("dense", 10)), 10, 32, 1e-2, "jax"),
    Task("breast cancer", (("dense", 16, "relu"), ("dense", 2)), 15, 32, 1e-2),
    Task(
        "MNIST",
        (("conv", 8, 3, "relu"), ("pool", 2), ("conv", 16, 3, "relu"), ("pool", 2), ("flatten",), ("dense", 10)),
        2, 64, 2e-3, "jax",
    ),
    Task("Shakespeare", (("embedding", 65, 32), ("lstm", 64), ("each dense", 65)), 3, 64, 5e-3, "jax"),
)  # fmt: skip


def iris() -> Data:
    """Every second flower is for testing."""
    x, y = lg.data.iris()
    return parts((x[::2], y[::2]), (x[1::2], y[1::2]))


def breast_cancer() -> Data:
    """Every third row of the table for testing, all standardized by the others."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    test = np.arange(len(x)) % 3 == 2
    scaled = (x - x[~test].mean(0)) / x[~test].std(0)
    return parts((scaled[~test], y[~test]), (scaled[test], y[test]))


def mnist() -> Data:
    train, test = lg.data.mnist()
    return parts((train.x[:10_000], train.y[:10_000]), test)


def shakespeare() -> Data:
    """The next character at every place of pieces of 32."""
    ids, _ = lg.data.shakespeare()
    return parts(lg.data.windows(ids[:200_000], 32), lg.data.windows(ids[-50_000:], 32))


def parts(train: Any, test: Any) -> Data:
    """Arrays by name; fractions in float32, whole numbers in int32."""
    named = zip(("x_train", "y_train", "x_test", "y_test"), (*train, *test), strict=True)
    return {name: v.astype("float32" if v.dtype.kind == "f" else "int32") for name, v in named}


DATA: dict[str, Callable[[], Data]] = {
    "iris": iris,
    "digits": lambda: parts(*lg.data.digits()),
    "breast cancer": breast_cancer,
    "MNIST": mnist,
    "Shakespeare": shakespeare,
}


# -- runs --------------------------------------------------------------------------------------------------------------


@dataclass
class Peer:
    """A library, the Python that runs it, and what it said."""

    name: str
    script: str
    python: str
    versions: dict[str, str] = field(default_factory=dict)
    missing: str = ""
    found: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    def run(self, folder: Path) -> None:
        """Train all tasks; a Python without the library says so, and any other failure ends the benchmark."""
        began = time.perf_counter()
        command = [self.python, str(PEERS / self.script), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as process:
            for line in process.stdout or ():
                self.read(json.loads(line))
            errors = process.stderr.read() if process.stderr else ""
        if process.returncode:
            raise SystemExit(f"{self.name} failed:\n{errors}")
        self.seconds = time.perf_counter() - began

    def read(self, said: dict[str, Any]) -> None:
        self.missing = said.get("missing", self.missing)
        self.versions |= said.get("versions", {})
        if "task" in said:
            self.found.setdefault(said["task"], []).append(said["accuracy"])
            told = f"{self.name}  {said['task']}  seed {said['seed']}  accuracy {said['accuracy']:.4f}  {said['seconds']:.1f} s"
            print(told, file=sys.stderr, flush=True)


def environment() -> dict[str, str]:
    """This environment, in which peers find this library and not each other's packages."""
    root = str(PEERS.parent.parent)
    return {**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "utf-8"}


def write_tasks(folder: Path, tasks: Sequence[Task], seeds: int) -> None:
    told = [asdict(task) | {"seeds": list(range(FIRST, FIRST + seeds))} for task in tasks]
    (folder / "tasks.json").write_text(json.dumps(told), encoding="utf-8")
    for task in tasks:
        np.savez(folder / f"{task.name}.npz", **DATA[task.name]())  # pyright: ignore[reportArgumentType]


# -- comparison --------------------------------------------------------------------------------------------------------


def permutation(a: Sequence[float], b: Sequence[float]) -> float:
    """The share of all ways to deal the runs into two groups whose means differ at least as much: exact, two-sided."""
    both, n = np.array([*a, *b]), len(a)
    sums = np.array([both[list(part)].sum() for part in combinations(range(len(both)), n)])
    apart = np.abs(sums / n - (both.sum() - sums) / len(b))
    seen = abs(float(np.mean(a)) - float(np.mean(b)))
    return float(np.mean(apart >= seen - 1e-12))


def holm(ps: Sequence[float]) -> list[float]:
    """p-values of several tests, so that all of them together err with the level (Holm, Scand. J. Statistics 6, 1979)."""
    out, worst = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        worst = max(worst, min(1.0, (len(ps) - rank) * ps[i]))
        out[i] = worst
    return out


def interval(a: Sequence[float], b: Sequence[float]) -> float:
    """Half the width of Welch's 95 % interval of the difference of means."""
    from scipy.special import stdtrit

    errors = [statistics.variance(v) / len(v) for v in (a, b)]
    if not sum(errors):
        return 0.0
    freedom = sum(errors) ** 2 / sum(e**2 / (len(v) - 1) for e, v in zip(errors, (a, b), strict=True))
    return float(stdtrit(freedom, 1 - LEVEL / 2)) * math.sqrt(sum(errors))


def comparisons(tasks: Sequence[Task], ours: Peer, others: Sequence[Peer]) -> dict[tuple[str, str], float]:
    """Corrected p-values by task and peer."""
    pairs = [(task.name, peer) for task in tasks for peer in others if not peer.missing]
    ps = holm([permutation(ours.found[name], peer.found[name]) for name, peer in pairs])
    return {(name, peer.name): p for (name, peer), p in zip(pairs, ps, strict=True)}


def table(tasks: Sequence[Task], ours: Peer, others: Sequence[Peer], seeds: int) -> list[str]:
    """A row for each task and library, then how many differ and who did not run."""
    ps = comparisons(tasks, ours, others)
    head = ["task", "library", "mean", "spread", "least", "most", "difference", "p (Holm)"]
    rows = [row(task.name, ours, peer, ps) for task in tasks for peer in (ours, *others)]
    absent = [peer for peer in others if peer.missing]
    least = 2 / math.comb(2 * seeds, seeds) * len(ps)
    told = f"{len(ps)} comparisons over {seeds} seeds from {FIRST} on, {sum(p < LEVEL for p in ps.values())} with a difference "
    told += f"beyond noise (p < {LEVEL})"
    told += f"; {least:.2g} is the least p that so many seeds can give" if ps else ""
    told += f"; not run: {len(absent)}" + "".join(f", {peer.name} ({peer.missing})" for peer in absent)
    return [*map(page.row, (head, ["---"] * len(head), *rows)), "", f"{told}."]


def row(task: str, ours: Peer, peer: Peer, ps: dict[tuple[str, str], float]) -> list[str]:
    if peer.missing:
        return [task, peer.name, "not run", *[""] * 5]
    found = peer.found[task]
    numbers = [statistics.mean(found), statistics.stdev(found), min(found), max(found)]
    cells = [task, peer.name, *(f"{v:.4f}" for v in numbers)]
    if peer is ours:
        return [*cells, "", ""]
    difference = statistics.mean(found) - statistics.mean(ours.found[task])
    return [*cells, f"{difference:+.4f} ± {interval(found, ours.found[task]):.4f}", f"{ps[task, peer.name]:.2f}"]


ABOUT = [
    "Mean and spread (standard deviation) of test accuracy over seeds; of Shakespeare, of the next character. Equal networks, Glorot "
    "weights and zero biases, Adam with one rate, batch size and epochs for all; own draws of weights and order. The difference is to "
    "lensgrad, with half the width of Welch's 95 % interval; p is of the exact permutation test on the difference of means, corrected "
    "by Holm's method. Keras reads its embedding through a product, since its own on TensorFlow moves otherwise than the others: Adam "
    "adds up squares of rows there that the others add before they square. MNIST is trained on 10,000 of its images and tested on its "
    "10,000 others.",
    "",
]


def main(args: Sequence[str] | None = None) -> int:
    """Train, compare, print; 1 where a difference is beyond noise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help=f"all if not given: {', '.join(DATA)}")
    parser.add_argument("--seeds", type=int, default=8, choices=range(2, 13), metavar="2…12")
    parser.add_argument("--keras-python", default=sys.executable, help="a Python that has Keras and TensorFlow")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--write", action="store_true", help="write the table into docs/peers.md")
    given = parser.parse_args(args)
    if strange := [name for name in given.tasks if name not in DATA]:
        parser.error(f"'{strange[0]}' is no task; there are {', '.join(DATA)}")
    tasks = [task for task in TASKS if not given.tasks or task.name in given.tasks]
    ours, *others = peers = [
        Peer(OURS, "lensgrad_peer.py", sys.executable),
        Peer("PyTorch", "torch_peer.py", given.torch_python),
        Peer("Keras", "keras_peer.py", given.keras_python),
    ]
    with TemporaryDirectory() as folder:
        write_tasks(Path(folder), tasks, given.seeds)
        for peer in peers:
            peer.run(Path(folder))
    if ours.missing:
        raise SystemExit(f"lensgrad did not run: {ours.missing}")
    lines = table(tasks, ours, others, given.seeds)
    times = "Seconds in all: " + ", ".join(f"{p.name} {p.seconds:.0f}" for p in peers if not p.missing) + "."
    print("\n".join([*lines, times]))
    if given.write:
        command = "python -m benchmarks.accuracy --keras-python PATH --torch-python PATH --write"
        page.write("Accuracy", command, {k: v for p in reversed(peers) for k, v in p.versions.items()}, [*ABOUT, *lines, "", times])
    return int(any(p < LEVEL for p in comparisons(tasks, ours, others).values()))


if __name__ == "__main__":
    sys.exit(main())
