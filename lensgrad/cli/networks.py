"""`lensgrad show net.onnx` and `lensgrad convert`: what a network in a file of another format is made of, and the same in one more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.cli.console import command
from lensgrad.core.checks import clean, is_tuple
from lensgrad.core.errors import BadValue, LensgradError
from lensgrad.data.cells import quoted
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.export import Trained, export
from lensgrad.interchange.imported import Imported
from lensgrad.interchange.onnx.file import File, opened
from lensgrad.interchange.onnx.read import from_onnx
from lensgrad.learn.batching import batch
from lensgrad.learn.model import Model
from lensgrad.learn.predict import predict
from lensgrad.learn.tasks import input_of
from lensgrad.program.compile import Program, program
from lensgrad.program.evaluate import evaluate
from lensgrad.program.summary import summary
from lensgrad.theories.smooth.array import Array
from lensgrad.train.loading import load

ONNX = ".onnx"
EXAMPLES = 4  # on which the network that was written is compared with the one that was read


def described(path: Path) -> str:
    """The operators of an ONNX file, most frequent first, then its layers; why it has no meaning here, where it has none."""
    file = opened(path)
    graph = file.model.graph
    counted = Counter(node.op_type for node in graph.node)
    told = ", ".join(f"{clean(name)} {n}" for name, n in counted.most_common())
    versions = ", ".join(f"{domain or 'ai.onnx'} {n}" for domain, n in sorted(file.versions.items()))
    lines = [f"{clean(path.name)}: {len(graph.node)} nodes, operator sets {versions}", told or "no operators"]
    return "\n".join([*lines, "", layers(file)])


def layers(file: File) -> str:
    """The summary of a network, or why it cannot be read."""
    try:
        return summary(from_onnx(file.model).model)
    except LensgradError as why:
        return f"not readable as a model: {why}"


def converted(source: Path, target: Path, examples: int | None) -> str:
    """A network in another format, and how far what was written is from what was read."""
    network, names = read(source)
    entrance = input_of(network.model.dom, names)

    def predictor(n: int) -> Program:
        return program(batch(predict(entrance >> network.model), n))

    export(Trained(predictor, network.values, (names,) if isinstance(names, str) else names), target, examples)
    python = target.suffix.lower() == ".py"
    places = [target, target.with_suffix(".safetensors")] if python else [target]
    return "\n".join([*(f"{place}  {place.stat().st_size:,} bytes" for place in places), *compared(network, target, examples)])


def read(source: Path) -> tuple[Imported, str | tuple[str, ...]]:
    """The network of a file, and what its inputs are called."""
    if source.suffix.lower() == ONNX:
        found = from_onnx(source)
        several = len(found.model.dom) > 1
        return found, tuple(f"input.{k}" for k in range(len(found.model.dom))) if several else "input"
    if source.suffix.lower() != ".safetensors":
        made = f"{command()} convert net.onnx net.py"
        raise BadValue(f"convert reads a network in .onnx or a saved run in .safetensors, got {quoted(source)}: for example {made}")
    run = load(source)
    return Imported(run.learner.model, run.weights), run.learner.input


def compared(network: Imported, target: Path, examples: int | None) -> list[str]:
    """The largest difference on random examples, where what was written can be read again here."""
    dom = network.model.dom
    if target.suffix.lower() != ONNX or not all(isinstance(a, Array) and a.floating for a in dom):
        return []
    again, draws = from_onnx(target), np.random.default_rng(0)
    n = examples or EXAMPLES
    rows = [draws.normal(size=(n, *a.shape)).astype(a.dtype) for a in dom]
    ours = by_one(predict(network.model), rows, network.values)
    found = by_one(again.model, rows, again.values) if examples is None else arrays(evaluate(again.model, *rows, values=again.values))
    far = max(apart(a, b) for a, b in zip(ours, found, strict=True))
    return [f"read again, it gives the same numbers up to {far:.1e} of the largest, on {n} random examples"]


def by_one(model: Model, rows: list[Numbers], values: dict[str, Numbers]) -> list[Numbers]:
    """The results of a model on examples, one by one, each output stacked."""
    found = [arrays(evaluate(model, *x, values=values)) for x in zip(*rows, strict=True)]
    return [np.stack(column) for column in zip(*found, strict=True)]


def arrays(found: Any) -> list[Numbers]:
    """One result, or several, as a list."""
    return [np.asarray(x) for x in (found if is_tuple(found) else (found,))]


def apart(a: Numbers, b: Numbers) -> float:
    """The largest difference, as a share of the largest number."""
    a, b = (v.astype(np.float64) for v in (a, b))
    return float(np.abs(a - b).max(initial=0) / max(np.abs(a).max(initial=0), 1e-30))
