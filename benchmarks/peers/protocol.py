"""What every peer does alike: read tasks, say its versions, train once for each seed, and print what came of it as lines of JSON.

A peer runs with a Python of its own, so this file needs NumPy only and is found beside the script that is run.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

Task = dict[str, Any]
Data = dict[str, np.ndarray[Any, Any]]
Trained = Callable[[Task, Data, int], Any]  # scores of the test set : [n, …, classes]


def main(versions: dict[str, str], trained: Trained) -> None:
    """Train every task of a folder; a line for each seed."""
    folder = Path(sys.argv[1])
    say(versions=versions | {"Python": platform.python_version(), "NumPy": np.__version__})
    for task in json.loads((folder / "tasks.json").read_text(encoding="utf-8")):
        with np.load(folder / f"{task['name']}.npz") as arrays:
            data = {name: arrays[name] for name in arrays.files}
        for seed in task["seeds"]:
            began = time.perf_counter()
            scores = trained(task, data, seed)
            say(task=task["name"], seed=seed, accuracy=accuracy(scores, data["y_test"]), seconds=time.perf_counter() - began)


def accuracy(scores: Any, labels: Any) -> float:
    """The share of labels whose score is the largest, over all positions."""
    return float(np.mean(np.argmax(np.asarray(scores), -1) == labels))


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def missing(error: ImportError) -> None:
    """Say that this Python cannot run the peer, and end."""
    say(missing=str(error))
    sys.exit(0)


def parts(n: int, size: int) -> Iterable[slice]:
    """Consecutive slices that cover n rows."""
    return (slice(start, start + size) for start in range(0, n, size))
