"""Trees, a forest and torchlogix on the same bits."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

RATE = 0.01  # of torchlogix, as its own introduction advises
Rows = Iterator[tuple[str, dict[str, Any]]]
SCRIPT = Path(__file__).resolve().parent / "torchlogix_script.py"


def trees(x: Any, y: Any, u: Any, v: Any, quick: bool) -> Rows:
    """Decision trees of at most so many leaves; `gates` counts their inner nodes, each a choice between two branches."""
    from sklearn.tree import DecisionTreeClassifier

    for leaves in (200,) if quick else (250, 500, 1000, 2000, 4000):
        model = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(x, y)
        yield "scikit-learn tree", {"gates": int(model.get_n_leaves()) - 1, "test": float(model.score(u, v))}


def forests(x: Any, y: Any, u: Any, v: Any, quick: bool) -> Rows:
    """Random forests; `gates` counts the inner nodes of all trees."""
    from sklearn.ensemble import RandomForestClassifier

    for count, leaves in ((5, 100),) if quick else ((10, 200), (20, 400), (50, 500), (50, 1000), (100, None)):
        model = RandomForestClassifier(count, max_leaf_nodes=leaves, random_state=0, n_jobs=1).fit(x, y)
        nodes = sum(int(t.get_n_leaves()) - 1 for t in model.estimators_)
        yield "scikit-learn forest", {"gates": nodes, "test": float(model.score(u, v)), "trees": count}


def torchlogix(x: Any, y: Any, u: Any, v: Any, sizes: list[int], steps: int, python: str) -> Rows:
    """Networks of as many gates in as many steps of as many images, in a process of its own."""
    from benchmarks.digits_in_gates import layers

    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "bits.npz", x=x, y=y, u=u, v=v)
        for gates in sizes:
            start = time.perf_counter()
            call = [python, str(SCRIPT), str(Path(folder) / "bits.npz"), json.dumps(layers(gates)), str(steps), str(RATE)]
            told = subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip().splitlines()[-1]
            seconds = round(time.perf_counter() - start, 1)
            yield "torchlogix", {"gates": gates, **json.loads(told), "steps": steps, "seconds": seconds}
