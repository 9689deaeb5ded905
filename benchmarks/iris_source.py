"""The printed training step as a file of its own: without the library it must repeat the training bit for bit."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lensgrad import recipes
from lensgrad.train.plan import Plan

# A process in which importing the library fails, so the file stands on NumPy alone.
ALONE = "import sys, runpy; sys.modules['lensgrad'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def differing(epochs: int = 400, seed: int = 0) -> list[str]:
    """The names of the weights that differ, in any bit, between `fit` and the printed file after the same steps."""
    learner, data = recipes.iris_learner(), recipes.iris_data()
    ours = learner.fit(data, epochs=epochs, batch_size=None, seed=seed, progress=False).weights
    plan = Plan(epochs, None, seed)
    order = [int(i) for epoch in range(epochs) for i in plan.batches(epoch, len(data))]
    with tempfile.TemporaryDirectory() as folder:
        step, start, end = (Path(folder) / name for name in ("step.py", "start.npz", "end.npz"))
        step.write_text(learner.source(), encoding="utf-8")
        np.savez(start, x=data.x[order], y=data.y[order], **learner.initial(seed))
        subprocess.run([sys.executable, "-c", ALONE, str(step), str(start), str(end)], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        with np.load(end) as found:
            return [name for name, value in ours.items() if found[name].tobytes() != value.tobytes()]


def main(args: Sequence[str] | None = None) -> int:
    """Say what differs; 1 where something does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 epochs")
    wrong = differing(5 if parser.parse_args(args).quick else 400)
    print(f"these weights differ: {', '.join(wrong)}" if wrong else "every weight is equal bit for bit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
