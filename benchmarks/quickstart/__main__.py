"""Seconds from `python quickstart.py` to the printed accuracy: the README's program on digits, and the same in Keras and PyTorch.

    python -m benchmarks.quickstart --keras-python PATH --torch-python PATH [--write]

Ours is the block of the README itself, on NumPy. Each run is a process of its own, with imports and compilation; rounds go round
all libraries, so that a busy machine is busy for all. One round before those that count puts files into the system's cache.
The peers read the arrays from a file; ours unpacks the bundled table.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import lensgrad as lg
from benchmarks.peers import page
from tools.readme import BLOCK, README

HERE = Path(__file__).resolve().parent
SAID = re.compile(r"accuracy on unseen digits: (\d\.\d+)")
ASK = "import sys, importlib; print(*(importlib.import_module(name).__version__ for name in sys.argv[1:]))"


@dataclass
class Library:
    """A script, the Python that runs it, and what its runs gave."""

    name: str
    packages: dict[str, str]
    python: str
    script: str
    versions: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def ask(self) -> None:
        """Which versions are there; none where one of its packages cannot be imported."""
        command = [self.python, "-c", ASK, *self.packages.values()]
        found = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        if not found.returncode:
            self.versions = dict(zip(self.packages, found.stdout.split(), strict=True))

    def run(self, folder: Path) -> tuple[float, float]:
        """Seconds until the accuracy is printed, and the accuracy."""
        (folder / "quickstart.py").write_text(self.script, encoding="utf-8")
        began = time.perf_counter()
        options = {"cwd": folder, "env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([self.python, "quickstart.py"], **options) as process:
            for line in process.stdout:
                if found := SAID.search(line):
                    took = time.perf_counter() - began
                    process.communicate()
                    return took, float(found[1])
            raise SystemExit(f"{self.name} printed no accuracy:\n{process.stderr.read()}")


def environment() -> dict[str, str]:
    """Of every script: output at once, this library on the path, no graphics card, and TensorFlow quiet."""
    plain = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return {**os.environ, **plain, "PYTHONPATH": str(README.parent)}


def ours() -> str:
    """The block of the README that trains on digits, as a program."""
    blocks = [found[2] for found in BLOCK.finditer(README.read_text(encoding="utf-8")) if found[1] == "python"]
    return "import lensgrad as lg\n\n" + next(b for b in blocks if "lg.data.digits()" in b)


def libraries(keras: str, torch: str) -> list[Library]:
    scripts = {name: (HERE / f"{name}_script.py").read_text(encoding="utf-8") for name in ("keras", "torch")}
    found = [
        Library("lensgrad", {"lensgrad": "lensgrad", "NumPy": "numpy"}, sys.executable, ours()),
        Library("PyTorch", {"PyTorch": "torch"}, torch, scripts["torch"]),
        Library("Keras", {"Keras": "keras", "TensorFlow": "tensorflow"}, keras, scripts["keras"]),
    ]
    for library in found:
        library.ask()
    return found


def measure(found: Sequence[Library], rounds: int, folder: Path) -> None:
    """Rounds over all libraries, the first of which does not count."""
    (x, y), (x_test, y_test) = lg.data.digits()
    np.savez(folder / "digits.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    for number in range(rounds + 1):
        for library in found:
            if library.versions:
                seconds, accuracy = library.run(folder)
                print(f"round {number}  {library.name}  {seconds:.2f} s  accuracy {accuracy:.3f}", file=sys.stderr, flush=True)
                if number:
                    library.seconds.append(seconds)
                    library.accuracies.append(accuracy)


def table(found: Sequence[Library]) -> list[str]:
    """A row for each library, and who did not run."""
    rows = [["library", "median seconds", "least", "most", "accuracy"], ["---"] * 5]
    for library in found:
        if not library.versions:
            rows.append([library.name, "not run", "", "", ""])
            continue
        times = [statistics.median(library.seconds), min(library.seconds), max(library.seconds)]
        seen = sorted({f"{a:.3f}" for a in library.accuracies})
        rows.append([library.name, *(f"{t:.2f}" for t in times), seen[0] if len(seen) == 1 else f"{seen[0]} … {seen[-1]}"])
    absent = [library.name for library in found if not library.versions]
    told = f"Cold runs of each: {len(found[0].seconds)}; not run: {len(absent)}" + "".join(f", {name}" for name in absent)
    return [*(page.row(cells) for cells in rows), "", f"{told}."]


ABOUT = [
    "From `python quickstart.py` to the printed accuracy: importing, training 20 epochs on 1298 images with validation on 144, saving, "
    "loading, testing on 355 unseen ones. Ours is the README's program on digits, word for word. Every run is a new process.",
    "",
]


def main(args: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keras-python", default=sys.executable, help="a Python that has Keras and TensorFlow")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--write", action="store_true", help="write the table into docs/peers.md")
    given = parser.parse_args(args)
    if given.rounds < 1:
        parser.error(f"--rounds must be a whole number ≥ 1, got {given.rounds}")
    found = libraries(given.keras_python, given.torch_python)
    with TemporaryDirectory() as folder:
        measure(found, given.rounds, Path(folder))
    lines = table(found)
    print("\n".join(lines))
    if given.write:
        command = "python -m benchmarks.quickstart --keras-python PATH --torch-python PATH --write"
        page.write("Quickstart", command, {name: v for library in found for name, v in library.versions.items()}, [*ABOUT, *lines])


if __name__ == "__main__":
    main()
