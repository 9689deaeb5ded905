"""Trees, a forest and torchlogix on the same bits."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

RATE = 0.01  # of torchlogix: the best of 0.01, 0.03 and 0.1 on the images held back, at 6,000 gates
SCRIPT = Path(__file__).resolve().parent / "torchlogix_script.py"


def measured(x: Any, y: Any, u: Any, v: Any, sizes: list[int], steps: int, python: str, quick: bool) -> dict[str, list[dict[str, Any]]]:
    """The accuracy of each peer on the test images, with its size."""
    found = {"scikit-learn tree": trees(x, y, u, v, quick), "scikit-learn forest": forests(x, y, u, v, quick)}
    if python:
        found["torchlogix"] = torchlogix(x, y, u, v, sizes, steps, python)
    return found


def trees(x: Any, y: Any, u: Any, v: Any, quick: bool) -> list[dict[str, Any]]:
    """Decision trees of at most so many leaves; `gates` counts their inner nodes, each a choice between two branches."""
    from sklearn.tree import DecisionTreeClassifier

    rows = []
    for leaves in (200,) if quick else (250, 500, 1000, 2000, 4000):
        model = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(x, y)
        rows.append({"gates": int(model.get_n_leaves()) - 1, "test": float(model.score(u, v))})
        print("scikit-learn tree", rows[-1], flush=True)
    return rows


def forests(x: Any, y: Any, u: Any, v: Any, quick: bool) -> list[dict[str, Any]]:
    """Random forests; `gates` counts the inner nodes of all trees."""
    from sklearn.ensemble import RandomForestClassifier

    rows = []
    for count, leaves in ((5, 100),) if quick else ((10, 200), (20, 400), (50, 500), (50, 1000), (100, None)):
        model = RandomForestClassifier(count, max_leaf_nodes=leaves, random_state=0, n_jobs=1).fit(x, y)
        nodes = sum(int(t.get_n_leaves()) - 1 for t in model.estimators_)
        rows.append({"gates": nodes, "test": float(model.score(u, v)), "trees": count})
        print("scikit-learn forest", rows[-1], flush=True)
    return rows


def torchlogix(x: Any, y: Any, u: Any, v: Any, sizes: list[int], steps: int, python: str) -> list[dict[str, Any]]:
    """Networks of as many gates in as many steps of as many images, in a process of its own."""
    from benchmarks.digits_in_gates import layers

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "bits.npz", x=x, y=y, u=u, v=v)
        for gates in sizes:
            start = time.perf_counter()
            call = [python, str(SCRIPT), str(Path(folder) / "bits.npz"), json.dumps(layers(gates)), str(steps), str(RATE)]
            told = subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip().splitlines()[-1]
            rows.append({"gates": gates, **json.loads(told), "steps": steps, "seconds": round(time.perf_counter() - start, 1)})
            print("torchlogix", rows[-1], flush=True)
    return rows
