"""MNIST by the network of arXiv 2404.00408 (batch 1, momentum), and by a small modern one: test accuracy after each epoch.

python -m benchmarks.mnist paper --seeds 3 --epochs 4
python -m benchmarks.mnist modern --epochs 5
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any

from lensgrad import recipes
from lensgrad.recipes.recipe import fitting


def accuracies(kind: str, seed: int, epochs: int | None = None, backend: str = "jax") -> list[float]:
    """Accuracy on the 10,000 test images after each epoch. They are only looked at, never used to choose anything."""
    recipe = recipes.task("mnist")
    plan, data, learner = recipe.plan(kind), recipe.data(), recipe.learner(kind, epochs=epochs)
    train, test = (fitting(learner, part) for part in (data.train, data.test))
    seen: list[float] = []

    class Look:
        def on_epoch(self, state: Any) -> None:
            seen.append(state.report["val_accuracy"])
            print(f"{kind}  seed {seed}  epoch {len(seen)}  test accuracy {seen[-1]:.4f}", file=sys.stderr, flush=True)

    fit: dict[str, Any] = {"batch_size": plan.batch_size, "seed": seed, "backend": backend, "progress": False}
    learner.fit(train, validation_data=test, epochs=plan.epochs if epochs is None else epochs, callbacks=[Look()], **fit)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["paper", "modern"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--backend", default="jax")
    chosen = parser.parse_args()
    runs = [accuracies(chosen.kind, seed, chosen.epochs, chosen.backend) for seed in range(chosen.seeds)]
    for epoch, found in enumerate(zip(*runs, strict=True), 1):
        print(f"epoch {epoch}: median {statistics.median(found):.4f}, least {min(found):.4f}")


if __name__ == "__main__":
    main()
