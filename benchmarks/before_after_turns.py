"""The workloads of `before_after`, in words that trees of this library have in common: one process prepares one and takes its turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Turn = Callable[[], Any]


def iris() -> Any:
    """The network of the Iris pages, on NumPy."""
    import lensgrad as lg

    model = lg.sequential(lg.input(4), lg.dense(16, activation="relu"), lg.dense(3))
    return lg.supervised(model, lg.cross_entropy, lg.adam(1e-2), metrics=["accuracy"])


def flowers() -> tuple[Any, Any]:
    """The 150 flowers."""
    import lensgrad as lg

    x, y = lg.data.iris()
    return np.asarray(x), np.asarray(y)


QUIET = {"progress": False, "backend": "numpy"}


def batches() -> Iterator[tuple[Any, Any]]:
    """The flowers in batches of 30."""
    x, y = flowers()
    yield from ((x[k : k + 30], y[k : k + 30]) for k in range(0, 150, 30))


def fit(epochs: int, **more: Any) -> Callable[[], Turn]:
    def made() -> Turn:
        learner, data = iris(), flowers()
        return lambda: learner.fit(data, epochs=epochs, **QUIET, **more)

    return made


def fit_iterator() -> Turn:
    learner = iris()
    return lambda: learner.fit(batches, epochs=100, **QUIET)


def fit_validated() -> Turn:
    learner, (x, y) = iris(), flowers()
    return lambda: learner.fit((x[::2], y[::2]), validation_data=(x[1::2], y[1::2]), epochs=100, **QUIET)


def evaluate() -> Turn:
    run, data = iris().fit(flowers(), epochs=1, **QUIET), flowers()
    return lambda: [run.evaluate(data) for _ in range(200)]


def predict() -> Turn:
    run, (x, _) = iris().fit(flowers(), epochs=1, **QUIET), flowers()
    return lambda: [run.predict(x) for _ in range(400)]


def transformer(blocks: int = 12) -> Any:
    """A character model of 12 blocks."""
    import lensgrad as lg

    layers = [lg.transformer_block(4, causal=True, name=f"block{k}") for k in range(blocks)]
    ends = lg.embedding(65, 64, name="embed"), lg.unembed(65, name="out")
    model = lg.sequential(lg.input(32, dtype="int32"), ends[0], *layers, ends[1])
    return lg.supervised(model, lg.cross_entropy, lg.adam(1e-3))


def build() -> Turn:
    return lambda: transformer().lens(batch=8)


def source() -> Turn:
    return lambda: transformer(2).source(8)


def imported() -> Turn:
    def turn() -> None:
        import lensgrad  # noqa: F401  # pyright: ignore[reportUnusedImport]

    return turn


def first_call() -> Turn:
    import lensgrad as lg

    del lg
    data = flowers()
    return lambda: iris().fit(data, epochs=1, **QUIET)


ONCE: dict[str, Callable[[], Turn]] = {"import": imported, "first call": first_call}
WORKLOADS: dict[str, Callable[[], Turn]] = {
    "fit": fit(400),
    "one by one": fit(20, batch_size=None),
    "iterator": fit_iterator,
    "validated": fit_validated,
    "evaluate": evaluate,
    "predict": predict,
    "build": build,
    "source": source,
}


def main(workload: str) -> None:
    turn = {**ONCE, **WORKLOADS}[workload]()
    if workload in WORKLOADS:
        turn()
    for _ in sys.stdin:
        began = time.process_time()
        turn()
        print(1000 * (time.process_time() - began), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
