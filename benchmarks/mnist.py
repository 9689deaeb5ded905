"""MNIST by the network of arXiv 2404.00408 (batch 1, momentum), and by a small modern one: test accuracy after each epoch.

    python -m benchmarks.mnist paper --seeds 3 --epochs 4
    python -m benchmarks.mnist modern --epochs 5
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

import lensgrad as lg
from benchmarks.workloads import mnist


def modern() -> lg.Learner:
    """Two convolutions of 16 and 32 channels and a dense layer, cross-entropy, Adam."""
    model = lg.sequential(
        lg.input(28, 28, 1),
        lg.conv2d(16, 3, padding="same", activation="relu", name="first"),
        lg.max_pool2d(2),
        lg.conv2d(32, 3, padding="same", activation="relu", name="second"),
        lg.max_pool2d(2),
        lg.flatten(),
        lg.dense(128, activation="relu", name="third"),
        lg.dense(10, name="output"),
    )
    return lg.supervised(model, lg.cross_entropy, lg.adam(1e-3), metrics=["accuracy"])


def paper() -> lg.Learner:
    """The paper's network and optimizer, reporting its accuracy."""
    plain = mnist.learner()
    return lg.supervised(plain.model, lg.half_squared_error, lg.momentum(mnist.MOMENTUM), mnist.RATE, metrics=["accuracy"])


def accuracies(kind: str, seed: int, epochs: int, backend: str) -> list[float]:
    """Accuracy on the 10,000 test images after each epoch. They are only looked at, never used to choose anything."""
    train, test = lg.data.mnist()
    learner, batch = (paper(), None) if kind == "paper" else (modern(), 128)
    if kind == "paper":
        train, test = train.one_hot(), test.one_hot()
    seen: list[float] = []

    class Look:
        def on_epoch(self, state: Any) -> None:
            seen.append(state.report["val_accuracy"])
            print(f"{kind}  seed {seed}  epoch {len(seen)}  test accuracy {seen[-1]:.4f}", flush=True)

    fit: dict[str, Any] = {"epochs": epochs, "batch_size": batch, "seed": seed, "backend": backend, "progress": False}
    learner.fit(train, validation_data=test, callbacks=[Look()], **fit)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["paper", "modern"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--backend", default="jax")
    chosen = parser.parse_args()
    runs = [accuracies(chosen.kind, seed, chosen.epochs, chosen.backend) for seed in range(chosen.seeds)]
    for epoch, found in enumerate(zip(*runs, strict=True), 1):
        print(f"epoch {epoch}: median {statistics.median(found):.4f}, least {min(found):.4f}")


if __name__ == "__main__":
    main()
