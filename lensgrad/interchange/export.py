"""The doors out: a run or a learner into a file of another format, by the ending of its path."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadCheckpoint, BadValue
from lensgrad.core.ty import Ty
from lensgrad.files.checkpoint import noted, packed
from lensgrad.files.place import quoted, ready, write
from lensgrad.interchange.sizes import TRIED
from lensgrad.program.compile import Port, Program

OURS = {"weights": "of a Python file"}  # what the weights of an export say of themselves
HIDDEN = {*sys.stdlib_module_names, "numpy", "safetensors"}  # what the Python file imports, or what these do
HEADER = "A trained model, written by lensgrad: predict(x), with NumPy and safetensors alone; its weights are in {}."


@dataclass(frozen=True)
class Trained:
    """What is written of a run: the program that predicts for each number of examples, its weights, and names.

    `outputs` has a name for each thing that the model gives, where it gives several; `classes` are called so where they have names.
    """

    predictor: Callable[[int], Program]
    weights: Mapping[str, Any]
    inputs: Sequence[str]
    outputs: Sequence[str] = ()
    classes: Sequence[str] = ()

    def program(self, n: int) -> Program:
        """The model on n examples, with a name for each of its outputs."""
        step = self.predictor(n)
        first, *others = step.outputs
        if not self.outputs or len(first.ob) != len(self.outputs):
            return step
        taken = {p.name for p in step.inputs}
        named = [Port(f"output/{o}" if o in taken else o, Ty((a,))) for o, a in zip(self.outputs, first.ob, strict=True)]
        return replace(step, outputs=(*named, *others))


def export(run: Trained, path: Any, batch: int | None) -> None:
    """Write a model as it predicts; the ending of the path says the format."""
    goal = checks.file("path", path)
    save = FORMATS.get(goal.suffix.lower())
    if save is None:
        told = f"the path of an export must end in {', '.join([*FORMATS][:-1])} or {[*FORMATS][-1]}, got {quoted(goal)}"
        raise BadValue(f"{told}; run.save(path) writes a .safetensors file that lg.load reads")
    batch = None if batch is None else checks.whole("batch", batch, 1)
    ready(goal)
    save(run, goal, batch)


def to_onnx(run: Trained, goal: Path, batch: int | None) -> None:
    """An ONNX file with the weights inside, for any number of examples unless one is given."""
    from lensgrad.interchange.onnx.writing.proto import message
    from lensgrad.interchange.onnx.writing.sizes import for_any
    from lensgrad.interchange.onnx.writing.write import net

    made = for_any(lambda n: net(run.program(n), run.weights)) if batch is None else net(run.program(batch), run.weights)
    facts = {"classes": json.dumps(list(run.classes), ensure_ascii=False)} if run.classes else {}
    write(goal, message(made, checks.clean(goal.stem), "A trained model, written by lensgrad.", facts))


def to_python(run: Trained, goal: Path, batch: int | None) -> None:
    """A Python file, and its weights beside it."""
    from lensgrad.interchange.script import script, wires

    if goal.stem in HIDDEN:
        raise BadValue(f"{quoted(goal.name)} would hide the module of Python that is called {goal.stem}: choose another name")
    beside = goal.with_suffix(".safetensors")
    ready(beside)
    if beside.exists() and not exported(beside):
        told = f"{quoted(beside)} is there and was not written by an export"
        raise BadValue(f"{told}: the weights of {quoted(goal.name)} would take its place, so choose another name")
    steps = [run.program(n) for n in (TRIED if batch is None else (batch,))]
    outputs = [name for port in steps[0].outputs for name in wires(port)]
    text = script(steps, run.inputs, outputs, HEADER.format(quoted(beside.name)))
    held = [p for p in steps[0].inputs if p.name not in run.inputs]
    arrays = {n: np.array(v) for p in held for n, v in zip(wires(p), parts(run.weights[p.name], p), strict=True)}
    write(beside, packed(arrays, json.dumps(OURS)))
    write(goal, text.encode())


def exported(file: Path) -> bool:
    """Whether a file holds the weights of an export, which the next one replaces."""
    try:
        return noted(file, file.read_bytes()) == OURS
    except BadCheckpoint:
        return False


def parts(value: Any, port: Port) -> Sequence[Any]:
    """The arrays of a value."""
    return (value,) if len(port.ob) == 1 else value


def to_c(run: Trained, goal: Path, batch: int | None) -> None:
    """A C file of the function `predict`, and its weights beside it; one example a call unless more are given."""
    from lensgrad.interchange.c_file import write_c

    write_c(run.program(batch or 1), goal, "predict", run.inputs, run.weights)


FORMATS: dict[str, Callable[[Trained, Path, int | None], None]] = {".onnx": to_onnx, ".py": to_python, ".c": to_c}


def export_step(step: Program, path: Any) -> None:
    """Write a training step as one ONNX graph."""
    from lensgrad.interchange.onnx.writing.proto import message
    from lensgrad.interchange.onnx.writing.write import NEXT, net

    goal = checks.file("path", path)
    if goal.suffix.lower() != ".onnx":
        raise BadValue(f"the path of a training step must end in .onnx, got {quoted(goal)}; learner.source(batch) is the step in NumPy")
    ready(goal)
    made = net(step, {})
    outputs = {o.name for o in made.outputs}
    returned = {f"{NEXT}{i.name}": i.name for i in made.inputs if f"{NEXT}{i.name}" in outputs}
    told = f"A training step, written by lensgrad: outputs '{NEXT}…' are the next values of the inputs of their names."
    write(goal, message(made, checks.clean(goal.stem), told, {"returns": json.dumps(returned, ensure_ascii=False)}))


__all__ = ["Trained", "export", "export_step"]
