"""Kill a training run at random moments, resume it, and compare with the run that nobody killed, bit for bit.

`python -m tools.kills 50` does so on NumPy, `python -m tools.kills 50 jax` on JAX.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import lensgrad as lg

ROOT = Path(__file__).resolve().parent.parent
EPOCHS, SIZE = 20, 40  # 10 steps an epoch


def told(batch: Any, _: Any) -> Any:
    """A dot for each batch, so that who reads them knows where the run is."""
    os.write(1, b".")
    return batch


def learner() -> lg.Learner:
    """Something with all kinds of state: weights, Adam's moments and counter, batch statistics, a key for dropout."""
    layers = [lg.dense(16, activation="relu"), lg.batch_norm(), lg.dropout(0.2), lg.dense(4)]
    return lg.supervised(lg.sequential(lg.input(8), *layers), lg.cross_entropy, lg.adam(1e-2), metrics=["accuracy", "f1"])


def data() -> tuple[Any, Any]:
    numbers = np.random.default_rng(0)
    x = numbers.standard_normal((500, 8)).astype("float32")
    y = (x[:, :2] > 0).astype("int32") @ np.array([1, 2], "int32")
    return (x[:400], y[:400]), (x[400:], y[400:])


def train(path: str | None, backend: str = "numpy", speak: bool = True) -> lg.Run:
    """The run: validated, early stopped, and written every step; from its checkpoint where there is one."""
    train, test = data()
    source = lg.data.transform(train, told) if speak else train
    rule = None if path is None else lg.checkpoint(path, steps=1)
    stop = lg.early_stopping("val_loss", patience=EPOCHS)
    how: dict[str, Any] = {"validation_data": test, "early_stopping": stop, "checkpoint": rule, "resume": rule is not None}
    how["record"] = lg.record(every=40, wires="**/out", bins=4)
    return learner().fit(source, epochs=EPOCHS, batch_size=SIZE, seed=3, progress=False, backend=backend, **how)


def same(a: lg.Run, b: lg.Run) -> bool:
    """Whether two runs are equal to the last bit: values, history, best epoch, position, records."""
    values = list(a.values) == list(b.values) and all(bits(a.values[n]) == bits(b.values[n]) for n in a.values)
    told = (a.history, a.best_epoch, a.position, a.records) == (b.history, b.best_epoch, b.position, b.records)
    return values and told


def bits(value: Any) -> Any:
    return [(v.dtype, v.tobytes()) for v in map(np.asarray, value if isinstance(value, tuple) else (value,))]


def started(path: Path, backend: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tools.kills", "--child", str(path), backend]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def kill(path: Path, backend: str, batches: int, numbers: np.random.Generator) -> int:
    """Start the run, or go on with it, and kill it after so many batches and a part of one; how many there were."""
    with started(path, backend) as child:
        assert child.stdout is not None
        done = len(child.stdout.read(batches))
        spin(int(numbers.integers(0, 5_000_000)))
        child.kill()
    return done


def killed(times: int, backend: str = "numpy", seed: int = 0) -> tuple[bool, list[int]]:
    """Whether one run killed so many times ends as the one that was not; and after how many batches of each attempt it was killed."""
    numbers = np.random.default_rng(seed)
    most = max(2, 2 * EPOCHS * 10 // (times + 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        moments = [kill(path, backend, int(numbers.integers(1, most)), numbers) for _ in range(times)]
        return same(train(str(path), backend, speak=False), train(None, backend, speak=False)), moments


def survivors(times: int, backend: str = "numpy", seed: int = 1) -> int:
    """Of so many runs, each killed once at a random moment, how many end as the one that was not."""
    numbers, whole, found = np.random.default_rng(seed), train(None, backend, speak=False), 0
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.safetensors"
            kill(path, backend, int(numbers.integers(1, EPOCHS * 10)), numbers)
            found += same(train(str(path), backend, speak=False), whole)
    return found


def spin(nanoseconds: int) -> None:
    """Wait a part of a step, so that a kill falls anywhere in it."""
    end = time.perf_counter_ns() + nanoseconds
    while time.perf_counter_ns() < end:
        pass


def interrupted(batches: int = 25) -> tuple[float, str]:
    """Ctrl-C after so many batches of a run: seconds until it has returned, and what it says then."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "run.safetensors", "numpy") as child:
        assert child.stdout is not None
        child.stdout.read(batches)
        start = time.perf_counter()
        child.send_signal(signal.SIGINT)
        line = child.stdout.readline().decode()
        return time.perf_counter() - start, line.strip(".\n")


def main(args: list[str]) -> int:
    if args[:1] == ["--child"]:
        run = train(args[1], args[2])
        print(f"interrupted: {run.interrupted}, epochs: {len(run.history)}")
        return 0
    times, backend = int(args[0]) if args else 5, args[1] if len(args) > 1 else "numpy"
    equal, moments = killed(times, backend)
    print(f"one run on {backend} killed {times} times, after {moments} batches: {'bit-identical' if equal else 'DIFFERENT'}", flush=True)
    found = survivors(times, backend)
    print(f"{times} runs on {backend} killed once each: {found} of {times} bit-identical")
    return 0 if equal and found == times else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
