"""Whole networks in ONNX files beside onnxruntime: `python -m tools.onnx_networks FOLDER [pattern]`.

Each file in the folder and below it is read by `lg.from_onnx` and run on random inputs, in both; outputs are equal where they are
within 1e-4 of the largest of them. Sizes that a file leaves open are 1, or those of `--size NAME=N` by the names of axes, or those of
`--shape INPUT=1,3,48,320` by the names of inputs; `--constant INPUT=16000` fixes an input.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import lensgrad as lg
from lensgrad.core.errors import LensgradError

CLOSE = 1e-4
KINDS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}


@dataclass
class Asked:
    """What is known of the inputs of all files: sizes of axes, shapes and constants, by name."""

    sizes: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


def asked(words: list[str]) -> tuple[Asked, list[str]]:
    """Options from a command line, and the other words."""
    found, rest, left = Asked(), [], [*words]
    while left:
        word = left.pop(0)
        if word in ("--size", "--shape", "--constant"):
            name, _, value = left.pop(0).rpartition("=")
            numbers = tuple(map(int, value.split(",")))
            {"--size": found.sizes, "--shape": found.shapes, "--constant": found.constants}[word][name] = (
                numbers if word == "--shape" else numbers[0]
            )
        else:
            rest.append(word)
    return found, rest


def inputs(session: Any, given: Asked, rng: np.random.Generator) -> dict[str, Any]:
    """An array for each input: of normal numbers, or of small whole ones."""
    found: dict[str, Any] = {}
    for v in session.get_inputs():
        wanted = given.shapes.get(v.name, (1,) * len(v.shape))
        shape = tuple(n if isinstance(n, int) and n > 0 else given.sizes.get(n, m) for n, m in zip(v.shape, wanted, strict=True))
        kind = KINDS[v.type]
        drawn = rng.normal(size=shape) * 0.5 if kind.startswith("f") else rng.integers(0, 2 if kind == "bool" else 100, size=shape)
        found[v.name] = np.asarray(given.constants.get(v.name, drawn), kind)
    return found


def distance(ours: Any, theirs: list[Any]) -> float:
    """The largest difference of the outputs, relative to the largest entry of each."""
    outs = ours if isinstance(ours, tuple) else (ours,)
    worst = 0.0
    for a, b in zip(outs, theirs, strict=True):
        if np.asarray(a).shape != b.shape:
            return float("inf")
        worst = max(worst, float(np.abs(np.asarray(a, "float64") - b).max(initial=0)) / max(1.0, float(np.abs(b).max(initial=0))))
    return worst


def compared(path: Path, given: Asked) -> str:
    """What is said of one network."""
    onnxruntime.set_default_logger_severity(4)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    arrays = inputs(session, given, np.random.default_rng(0))
    try:
        theirs = session.run(None, arrays)
    except Exception as wrong:  # onnxruntime has classes of errors that it does not name
        return f"not run by onnxruntime on these shapes: {str(wrong)[:150]}"
    fixed = {name: x for name, x in arrays.items() if name in given.constants}
    data: Mapping[str, Any] = {name: x for name, x in arrays.items() if name not in fixed}
    began = time.perf_counter()
    model, values = lg.from_onnx(path, batch=False, constants=fixed, sizes={name: x.shape for name, x in data.items()})
    read = time.perf_counter() - began
    far = distance(lg.evaluate(model, *data.values(), values=values), theirs)
    weights = sum(np.asarray(v).size for v in values.values())
    return f"{'equal' if far <= CLOSE else 'WRONG'}  {far:.1e}  {weights:,} numbers in {len(values)} parameters, read in {read:.1f} s"


def main(words: list[str]) -> int:
    """Compare each network of a folder; 1 where one is wrong."""
    given, (folder, *pattern) = asked(words)
    worst = 0
    for path in sorted(p for p in Path(folder).rglob("*.onnx") if re.search(pattern[0] if pattern else "", str(p))):
        try:
            told = compared(path, given)
        except LensgradError as refused:
            told = f"refused: {refused}"
        worst |= "WRONG" in told
        print(f"{path.name}: {told}", flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
