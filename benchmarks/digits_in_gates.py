"""MNIST's ten digits in gates: accuracy against size, from 2,000 to 48,000 gates, hardened, beside trees, a forest and torchlogix.

    python -m benchmarks.digits_in_gates [--sizes 2000 6000 …] [--steps 8000] [--torchlogix-python PYTHON] [--write]
    python -m benchmarks.digits_in_gates --choose 6000       accuracy of some plans on the last sixth of the training images
    python -m benchmarks.digits_in_gates --quick             a minute: one small network on few images

Every model reads the same bits: each pixel > 127, of those that are neither 0 nor 1 on nearly all training images. Plans were chosen by
10,000 of the 60,000 training images; what is reported learned from all 60,000 and meets the 10,000 test images once, as the
circuit itself: its ANDs are counted with the comparators of the pixels and the vote. LUT6 and depth in LUT6 are those of
`abc -c "if -K 6"`, where abc is on PATH. --write keeps the figures in docs/digits-in-gates.json, draws docs/digits-in-gates.svg, and
writes the table in docs/circuits-walk.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lensgrad as lg
from benchmarks.digits import peers, picture
from lensgrad import circuits
from lensgrad.circuits import METHODS, LearnedCircuit, Plan, Problem, output_names
from lensgrad.data.encode import Encoder
from lensgrad.learn.circuits.near import near
from lensgrad.learn.circuits.soft import sigmoid_tables

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZES = (2000, 4000, 6000, 12000, 24000, 48000)
DIGITS = tuple("0123456789")


def layers(gates: int) -> tuple[int, ...]:
    """Few gates in two layers, more in three, chosen on the images held back; the last has equally many for each digit."""
    last = gates // (2 if gates <= 2000 else 3) // 10 * 10
    first = gates - last
    return (first, last) if gates <= 2000 else (first // 2, first - first // 2, last)


def plan(gates: int, steps: int, encoder: Encoder, seed: int) -> Plan:
    """The plan for so many gates; votes are divided by a quarter of the root of how many bits a class has."""
    sizes = layers(gates)
    return Plan(
        sizes, steps, 128, 0.05, (sizes[-1] / 10) ** 0.5 / 4, sigmoid_tables(1.0, 0.5),
        wiring=near(places(encoder), sizes[0], 3, seed), seed=seed, backend=BACKEND,
    )  # fmt: skip


BACKEND = "numpy"


def places(encoder: Encoder) -> list[tuple[int, int]]:
    """Row and column of the pixel of each bit."""
    return [tuple(map(int, re.findall(r"\d+", name)[:2])) for name in encoder.names]  # pyright: ignore[reportReturnType]


def data(quick: bool) -> tuple[Any, Any, Any, Any, Encoder]:
    """Bits and digits to train on and to test on, and the encoder, fitted to the training images."""
    train, test = lg.data.mnist("uint8")
    n = 3000 if quick else len(train.x)
    encoder = lg.data.encoder(train.x[:n], thresholds=[127], rare=0.005)
    return encoder.encode(train.x[:n]), train.y[:n], encoder.encode(test.x), test.y, encoder


def learned(x: Any, y: Any, encoder: Encoder, gates: int, steps: int, seed: int) -> tuple[LearnedCircuit, float]:
    """A circuit of so many gates, and the seconds it took to learn."""
    problem = Problem(x, y, encoder.names, output_names("digit", DIGITS), 10)
    start = time.perf_counter()
    found = METHODS["soft"](problem, plan(gates, steps, encoder, seed))
    seconds = time.perf_counter() - start
    return LearnedCircuit(encoder, found.circuit, DIGITS, "digit", "soft"), seconds


def accuracy(circuit: Any, x: Any, y: Any) -> float:
    return float((circuit.run(x).argmax(1) == y).mean())


def measured(gates: int, steps: int, parts: Any, seed: int) -> dict[str, Any]:
    """Train, test, count."""
    x, y, u, v, encoder = parts
    model, seconds = learned(x, y, encoder, gates, steps, seed)
    whole = circuits.chained(bytes_to_bits(encoder), model.circuit).tidy()
    return {"gates": gates, "layers": layers(gates), "test": accuracy(model.circuit, u, v), "train": accuracy(model.circuit, x, y),
            "ands": whole.size, "depth": whole.depth, "steps": steps, "seconds": round(seconds, 1), **in_luts(whole)}  # fmt: skip


def bytes_to_bits(encoder: Encoder) -> circuits.Circuit:
    """The comparators of the pixels, each of which arrives as a byte."""
    whole = Encoder(tuple(replace(c, low=0.0, high=255.0, step=1.0) for c in encoder.columns))  # pyright: ignore[reportCallIssue]
    return circuits.encoder_circuit(whole)


def in_luts(circuit: circuits.Circuit) -> dict[str, int]:
    """Six-input lookup tables and their depth, by abc; nothing where it is not on PATH."""
    tool = shutil.which("abc") or shutil.which("berkeley-abc")
    if tool is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        circuits.write(circuit, Path(folder) / "c.aig")
        script = "read_aiger c.aig; dc2; dch; if -K 6; print_stats"
        told = subprocess.run([tool, "-q", script], cwd=folder, capture_output=True, text=True, check=True, timeout=1800).stdout
    stats = re.search(r"nd =\s*(\d+).*lev =\s*(\d+)", told)
    return {"lut6": int(stats[1]), "lut6_depth": int(stats[2])} if stats else {}


# -- choosing ----------------------------------------------------------------------------------------------------------


def choose(gates: int, steps: int, parts: Any) -> None:
    """The accuracy of some plans on images held back from training."""
    x, y, _, _, encoder = parts
    base, kept = plan(gates, steps, encoder, 0), len(x) * 5 // 6
    print(f"{gates} gates, {steps} steps, on the last {len(x) - kept} training images")
    problem = Problem(x[:kept], y[:kept], encoder.names, output_names("digit", DIGITS), 10)
    for name, other in alternatives(base, encoder):
        found = METHODS["soft"](problem, other)
        print(f"{accuracy(found.circuit, x[kept:], y[kept:]):.4f}  {name}", flush=True)


def alternatives(base: Plan, encoder: Encoder) -> list[tuple[str, Plan]]:
    """The plan, and it with one thing changed at a time."""
    deeper = [
        (f"{n} layers", replace(base, layers=(size,) * n, wiring=near(places(encoder), size, 3, 0)))
        for n in (2, 3, 6) if n != len(base.layers) for size in (sum(base.layers) // n // 10 * 10,)
    ]  # fmt: skip
    warmer = [(f"temperature × {f}", replace(base, temperature=base.temperature * f)) for f in (0.7, 1.5)]
    return [
        ("as planned", base), ("first layer reads any two pixels", replace(base, wiring=None)),
        ("never straight through", replace(base, straight=0.0)), ("always straight through", replace(base, straight=1.0)), *deeper, *warmer,
    ]  # fmt: skip


# -- all ---------------------------------------------------------------------------------------------------------------


def main(args: list[str] | None = None) -> int:
    """Measure and print, and with --write keep each figure as it comes."""
    asked = options().parse_args(args)
    parts, steps = data(asked.quick), 300 if asked.quick else asked.steps
    sizes = [600] if asked.quick else asked.sizes
    if asked.choose:
        choose(asked.choose, steps, parts)
        return 0
    print(f"{len(parts[0])} training images, {len(parts[2])} test images, {len(parts[4].names)} bits, {os.cpu_count()} cores", flush=True)
    for name, row in rows(asked, parts, sizes, steps):
        print(name, "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)
        if asked.write:
            keep(name, row)
    return 0


def rows(asked: Any, parts: Any, sizes: list[int], steps: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each figure with the name of its model."""
    if "lensgrad" in asked.models:
        yield from (("lensgrad", measured(gates, steps, parts, asked.seed)) for gates in sizes)
    if "scikit-learn" in asked.models:
        yield from peers.trees(*parts[:4], asked.quick)
        yield from peers.forests(*parts[:4], asked.quick)
    if "torchlogix" in asked.models and asked.torchlogix_python:
        yield from peers.torchlogix(*parts[:4], sizes, steps, asked.torchlogix_python)


def keep(name: str, row: dict[str, Any]) -> None:
    """A figure among those measured before, and the picture of all."""
    file = DOCS / "digits-in-gates.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    kept = {r["gates"]: r for r in found.get(name, [])} | {row["gates"]: row}
    found[name] = [kept[k] for k in sorted(kept)]
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (DOCS / "digits-in-gates.svg").write_text(picture.drawn(found), encoding="utf-8")
    page = DOCS / "circuits-walk.md"
    if page.exists():
        page.write_text(picture.placed(page.read_text(encoding="utf-8"), picture.table(found)), encoding="utf-8", newline="\n")


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--choose", type=int, default=0, metavar="GATES")
    parser.add_argument("--torchlogix-python", default="", help="a Python that has torchlogix")
    parser.add_argument("--models", nargs="*", default=["lensgrad", "scikit-learn", "torchlogix"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
