"""Training in onnxruntime beside ours: `python -m tools.onnx_steps 1000` runs each learner's step on the same data in both.

It prints the largest difference of a weight, a state and the loss after so many steps, in parts of the largest number of each, the sizes
of the files, and how long a step takes in both. Each learner begins from its first values, and every step goes on from its own.

Where a network has kinks in the middle of its data, as max-pooling has at ties, rounding decides now and then where a gradient goes, and
two runs part: so do ours and JAX. Such a learner is shown and not judged.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import lensgrad as lg

Values = dict[str, Any]
Rng = np.random.Generator
STEPS = 1000


@dataclass(frozen=True)
class Subject:
    """A learner, the batch it steps on, and the data of a step."""

    learner: Any
    batch: int
    draw: Callable[[Rng], Values]
    judged: bool = True


def pictures(n: int, *shape: int) -> Callable[[Rng], Values]:
    """Handwritten digits, three times as large and with a border, so that they are of the size of those of MNIST."""
    x, y = digits()

    def draw(rng: Rng) -> Values:
        rows = rng.integers(0, len(y), n)
        return {"x": x[rows].reshape(n, *shape), "y": y[rows]}

    return draw


@cache
def digits() -> tuple[Any, Any]:
    """All digits, (n, 28, 28), and their class numbers. Noise makes pixels differ: where max-pooling meets ties, rounding decides."""
    data = lg.data.digits()[0]
    large = np.repeat(np.repeat(np.asarray(data.x).reshape(-1, 8, 8), 3, 1), 3, 2)
    noise = np.random.default_rng(5).uniform(0, 0.3, (len(large), 28, 28))
    return (np.pad(large, [(0, 0), (2, 2), (2, 2)]) + noise).astype(np.float32), np.asarray(data.y).astype(np.int32)


def nearest(size: int, classes: int, n: int) -> Callable[[Rng], Values]:
    """Random inputs, labelled by which of some fixed directions they are nearest to."""
    aims = np.random.default_rng(7).standard_normal((size, classes)).astype(np.float32)

    def draw(rng: Rng) -> Values:
        x = rng.standard_normal((n, size)).astype(np.float32)
        return {"x": x, "y": (x @ aims).argmax(1).astype(np.int32)}

    return draw


def read(length: int, letters: int, n: int) -> Callable[[Rng], Values]:
    """Random texts in which each letter says what comes next."""

    def draw(rng: Rng) -> Values:
        x = rng.integers(0, letters, (n, length)).astype(np.int32)
        return {"x": x, "y": (x * 5 + 3) % letters}

    return draw


def mlp() -> Subject:
    model = lg.sequential(lg.input(784), lg.dense(128, activation="relu"), lg.dense(10))
    return Subject(lg.supervised(model, lg.cross_entropy, lg.sgd(0.01), metrics=["accuracy"]), 32, pictures(32, 784))


def cnn(activation: str = "tanh", pool: Any = None, judged: bool = True) -> Subject:
    first, pool = lg.conv2d(8, 3, activation=activation), lg.average_pool2d(2) if pool is None else pool
    layers = first, pool, lg.conv2d(16, 3, stride=2, activation=activation), lg.flatten, lg.dense(10)
    made = lg.supervised(lg.sequential(lg.input(28, 28, 1), *layers), lg.cross_entropy, lg.sgd(0.02))
    return Subject(made, 16, pictures(16, 28, 28, 1), judged)


def max_pooled() -> Subject:
    return cnn("relu", lg.max_pool2d(2), judged=False)


def norm() -> Subject:
    layers = lg.dense(32, use_bias=False), lg.batch_norm(), lg.relu, lg.dropout(0.3), lg.dense(5)
    made = lg.supervised(lg.sequential(lg.input(20), *layers), lg.cross_entropy, lg.adam(lg.cosine(1e-3, steps=STEPS)))
    return Subject(made, 16, nearest(20, 5, 16))


def lstm() -> Subject:
    layers = lg.embedding(12, 8), lg.lstm(16), lg.each(lg.dense(12))
    made = lg.supervised(lg.sequential(lg.input(6, dtype="int32"), *layers), lg.cross_entropy, lg.adam(lg.one_cycle(3e-3, STEPS)))
    return Subject(made, 8, read(6, 12, 8))


def transformer() -> Subject:
    layers = (
        lg.embedding(12, 16),
        lg.learned_positions(),
        lg.transformer_block(2, causal=True, dropout_rate=0.1, use_bias=False),
        lg.layer_norm(),
    )
    model = lg.sequential(lg.input(8, dtype="int32"), *layers, lg.each(lg.dense(12)))
    made = lg.supervised(model, lg.cross_entropy, lg.adamw(lg.warm_up(lg.cosine(1e-3, steps=STEPS), 50), weight_decay=0.1))
    return Subject(made, 8, read(8, 12, 8))


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "mlp": mlp,
    "cnn": cnn,
    "max-pool": max_pooled,
    "batch norm": norm,
    "lstm": lstm,
    "transformer": transformer,
}


@dataclass(frozen=True)
class Found:
    """What came of steps in both: differences, seconds a step, and bytes."""

    differences: dict[str, float]
    seconds: tuple[float, float]
    bytes: int

    @property
    def largest(self) -> float:
        return max(self.differences.values())


class Trained:
    """A training step in onnxruntime: values in, next values and what is observed out."""

    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = [i.name for i in self.session.get_inputs()]
        self.outputs = [o.name for o in self.session.get_outputs()]

    def __call__(self, values: Values) -> Values:
        found = self.session.run(None, {name: values[name] for name in self.inputs})
        return {name.removeprefix("next/"): value for name, value in zip(self.outputs, found, strict=True)}


def compared(subject: Subject, steps: int, folder: Path) -> Found:
    """So many steps of a learner in both."""
    file = folder / "step.onnx"
    subject.learner.export_step(file, batch=subject.batch)
    both: list[Callable[[Values], Values]] = [subject.learner.step(subject.batch), Trained(file)]
    values = [dict(subject.learner.initial(0)) for _ in both]
    reports: list[Values] = [{}, {}]
    rng, seconds = np.random.default_rng(1), [0.0, 0.0]
    for _ in range(steps):
        data = subject.draw(rng)
        for k, step in enumerate(both):
            start = time.perf_counter()
            reports[k] = step({**values[k], **data})
            seconds[k] += time.perf_counter() - start
            values[k] = {name: reports[k].get(name, value) for name, value in values[k].items()}
    differences = {name: difference(reports[0][name], reports[1][name]) for name in reports[0]}
    return Found(differences, (seconds[0] / steps, seconds[1] / steps), file.stat().st_size)


def difference(ours: Any, theirs: Any) -> float:
    """How far two arrays are apart, in parts of the largest number or of 1."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return float(np.max(np.abs(a - b), initial=0.0) / max(1.0, np.max(np.abs(a), initial=0.0)))


def main() -> int:
    """Compare and print; 1 where a learner differs by more than 1e-5."""
    steps, worst = int(sys.argv[1]) if len(sys.argv) > 1 else STEPS, 0.0
    for name, make in SUBJECTS.items():
        subject = make()
        with tempfile.TemporaryDirectory() as folder:
            found = compared(subject, steps, Path(folder))
            run = subject.learner.fit(subject.draw(np.random.default_rng(1)), batch_size=subject.batch, progress=False)
            run.export(Path(folder) / "model.onnx")
            size = (Path(folder) / "model.onnx").stat().st_size
        worst = max(worst, found.largest) if subject.judged else worst
        ours, theirs = (f"{s * 1e3:.2f} ms" for s in found.seconds)
        where = max(found.differences, key=lambda n: found.differences[n])
        told = f"{steps} steps, largest difference {found.largest:.1e} (of {where})"
        print(f"{name:<12} {told}; a step {ours} here, {theirs} there; step {found.bytes:,} bytes, model {size:,} bytes", flush=True)
    return int(worst > 1e-5)


if __name__ == "__main__":
    sys.exit(main())
