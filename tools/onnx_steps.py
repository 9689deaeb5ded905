"""Training in onnxruntime beside ours: `python -m tools.onnx_steps 1000` runs each learner's step on the same data in both.

Three things are asked of a learner, each within 1e-5, in parts of the largest number of a weight, a state or the loss. *Steps*: from equal
values, each of the steps gives equal values. *Runs*: from equal first values, each program going on from its own, all steps do. *In
float64*: the runs of the same learner in float64.

Where a network has kinks, rounding decides now and then on which side of one a number is, and two runs part there: so do ours and
JAX. Where a learner says where its kinks are, they are watched in float64: the step at which the two programs part is printed with the
unit and its numbers in both, and the runs are equal up to it. A learner that cannot say so, as one with max-pooling, is held to
its steps and to float64.
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
CLOSE = 1e-5
KINDS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint32)": "uint32",
}


@dataclass(frozen=True)
class Subject:
    """A learner, the batch it steps on, and the data of a step.

    `kinks` gives, in float64, the numbers that a kink at 0 asks the sign of; a learner whose runs are not `judged` has others.
    """

    learner: Any
    batch: int
    draw: Callable[[Rng], Values]
    judged: bool = True
    kinks: Callable[[Values], np.ndarray] | None = None


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


def mlp(kind: str = "float32", activation: str = "tanh", kinks: Any = None) -> Subject:
    """The learner of MNIST, smooth: no rounding decides anything."""
    model = lg.sequential(lg.input(784, dtype=kind), lg.dense(128, activation=activation), lg.dense(10))
    return Subject(lg.supervised(model, lg.cross_entropy, lg.sgd(0.01), metrics=["accuracy"]), 32, pictures(32, 784), kinks=kinks)


def relus(kind: str = "float32") -> Subject:
    """The learner of MNIST with relus, and the numbers that they are of."""
    return mlp(kind, "relu", lambda v: float64(v["x"]) @ float64(v["weight.0"]).T + float64(v["bias.0"]))


def cnn(kind: str = "float32", activation: str = "tanh", pool: Any = None, judged: bool = True) -> Subject:
    first, pool = lg.conv2d(8, 3, activation=activation), lg.average_pool2d(2) if pool is None else pool
    layers = first, pool, lg.conv2d(16, 3, stride=2, activation=activation), lg.flatten, lg.dense(10)
    made = lg.supervised(lg.sequential(lg.input(28, 28, 1, dtype=kind), *layers), lg.cross_entropy, lg.sgd(0.02))
    return Subject(made, 16, pictures(16, 28, 28, 1), judged)


def max_pooled(kind: str = "float32") -> Subject:
    return cnn(kind, "relu", lg.max_pool2d(2), judged=False)


def norm(kind: str = "float32") -> Subject:
    layers = lg.dense(32, use_bias=False), lg.batch_norm(), lg.relu, lg.dropout(0.3), lg.dense(5)
    made = lg.supervised(lg.sequential(lg.input(20, dtype=kind), *layers), lg.cross_entropy, lg.adam(lg.cosine(1e-3, steps=STEPS)))
    return Subject(made, 16, nearest(20, 5, 16))


def lstm(kind: str = "float32") -> Subject:
    layers = lg.embedding(12, 8, dtype=kind), lg.lstm(16), lg.each(lg.dense(12))
    made = lg.supervised(lg.sequential(lg.input(6, dtype="int32"), *layers), lg.cross_entropy, lg.adam(lg.one_cycle(3e-3, STEPS)))
    return Subject(made, 8, read(6, 12, 8))


def transformer(kind: str = "float32") -> Subject:
    layers = (
        lg.embedding(12, 16, dtype=kind),
        lg.learned_positions(),
        lg.transformer_block(2, causal=True, dropout_rate=0.1, use_bias=False),
        lg.layer_norm(),
    )
    model = lg.sequential(lg.input(8, dtype="int32"), *layers, lg.each(lg.dense(12)))
    made = lg.supervised(model, lg.cross_entropy, lg.adamw(lg.warm_up(lg.cosine(1e-3, steps=STEPS), 50), weight_decay=0.1))
    return Subject(made, 8, read(8, 12, 8))


SUBJECTS: dict[str, Callable[..., Subject]] = {
    "mlp": mlp,
    "relu mlp": relus,
    "cnn": cnn,
    "max-pool": max_pooled,
    "batch norm": norm,
    "lstm": lstm,
    "transformer": transformer,
}


@dataclass(frozen=True)
class Parted:
    """The first step at which two runs are on two sides of a kink: where, and its number in both."""

    step: int
    place: tuple[int, ...]
    ours: float
    theirs: float

    def __str__(self) -> str:
        place = ", ".join(map(str, self.place))
        return f"a kink parts them at step {self.step}: number ({place}) is {self.ours:.2e} here and {self.theirs:.2e} there, in float64"


@dataclass(frozen=True)
class Found:
    """What came of steps in both: differences of steps from equal values and of runs, and up to a kink; seconds a step, and bytes."""

    steps: float
    runs: dict[str, float]
    before: float
    parted: Parted | None
    seconds: tuple[float, float]
    bytes: int

    @property
    def largest(self) -> float:
        return max(self.runs.values())

    @property
    def holds(self) -> bool:
        """Whether steps are equal, and runs are: all of them, or up to a number that is 0 but for rounding."""
        kink = 0.0 if self.parted is None else max(abs(self.parted.ours), abs(self.parted.theirs))
        return max(self.steps, self.before, kink) <= CLOSE


class Trained:
    """A training step in onnxruntime: values in, next values and what is observed out."""

    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: KINDS[i.type] for i in self.session.get_inputs()}
        self.outputs = [o.name for o in self.session.get_outputs()]

    def __call__(self, values: Values) -> Values:
        found = self.session.run(None, {name: np.asarray(values[name], kind) for name, kind in self.inputs.items()})
        return {name.removeprefix("next/"): value for name, value in zip(self.outputs, found, strict=True)}


def compared(subject: Subject, steps: int, folder: Path) -> Found:
    """So many steps of a learner in both."""
    file = folder / "step.onnx"
    subject.learner.export_step(file, batch=subject.batch)
    ours, theirs = subject.learner.step(subject.batch), Trained(file)
    a = {name: np.asarray(value) for name, value in subject.learner.initial(0).items()}
    b, rng, seconds = dict(a), np.random.default_rng(1), [0.0, 0.0]
    worst, before, parted, runs = 0.0, 0.0, None, dict[str, float]()
    for k in range(steps):
        data = subject.draw(rng)
        parted = parted or part(subject, k, {**a, **data}, {**b, **data})
        here, seconds[0] = timed(ours, {**a, **data}, seconds[0])
        there, seconds[1] = timed(theirs, {**b, **data}, seconds[1])
        from_ours = theirs({**a, **data})
        worst = max(worst, *(difference(here[n], from_ours[n]) for n in here))
        runs = {n: max(runs.get(n, 0.0), difference(here[n], there[n])) for n in here}
        before = before if parted else max(runs.values())
        a, b = ({n: np.asarray(found.get(n, v)) for n, v in values.items()} for values, found in ((a, here), (b, there)))
    return Found(worst, runs, before, parted, (seconds[0] / steps, seconds[1] / steps), file.stat().st_size)


def timed(step: Callable[[Values], Values], values: Values, before: float) -> tuple[Values, float]:
    """What a step gives, and the seconds so far."""
    start = time.perf_counter()
    return {n: np.array(v) for n, v in step(values).items()}, before + time.perf_counter() - start


def part(subject: Subject, step: int, ours: Values, theirs: Values) -> Parted | None:
    """Where two runs are on two sides of a kink, if they are."""
    if subject.kinks is None:
        return None
    a, b = subject.kinks(ours), subject.kinks(theirs)
    places = np.argwhere((a > 0) != (b > 0))
    if not len(places):
        return None
    place = tuple(map(int, places[0]))
    return Parted(step, place, float(a[place]), float(b[place]))


def float64(x: Any) -> np.ndarray:
    return np.asarray(x, np.float64)


def difference(ours: Any, theirs: Any) -> float:
    """How far two arrays are apart, in parts of the largest number or of 1."""
    a, b = float64(ours), float64(theirs)
    return float(np.max(np.abs(a - b), initial=0.0) / max(1.0, np.max(np.abs(a), initial=0.0)))


def looked_at(name: str, steps: int) -> bool:
    """Print what is found of one learner; whether it is equal."""
    subject = SUBJECTS[name]()
    with tempfile.TemporaryDirectory() as folder:
        found = compared(subject, steps, Path(folder))
        run = subject.learner.fit(subject.draw(np.random.default_rng(1)), batch_size=subject.batch, progress=False)
        run.export(Path(folder) / "model.onnx")
        size = (Path(folder) / "model.onnx").stat().st_size
        exact = compared(SUBJECTS[name]("float64"), steps, Path(folder))
    good = (found.holds if subject.judged else found.steps <= CLOSE) and exact.largest <= CLOSE
    ours, theirs = (f"{s * 1e3:.2f} ms" for s in found.seconds)
    where = max(found.runs, key=lambda n: found.runs[n])
    print(f"{name}: {'equal' if good else 'DIFFERENT'}, {steps} steps")
    print(f"  steps from equal values {found.steps:.1e}; runs {found.largest:.1e} (of {where}){'' if subject.judged else ', not judged'}")
    if found.parted:
        print(f"  {found.parted}; runs up to it {found.before:.1e}")
    print(f"  in float64: steps {exact.steps:.1e}; runs {exact.largest:.1e}")
    print(f"  a step {ours} here, {theirs} there; step {found.bytes:,} bytes, model {size:,} bytes", flush=True)
    return good


def main(words: list[str]) -> int:
    """Compare and print; 1 where a learner differs by more than 1e-5."""
    steps = int(words[0]) if words else STEPS
    good = [looked_at(name, steps) for name in words[1:] or SUBJECTS]
    print(f"{sum(good)} of {len(good)} equal")
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
