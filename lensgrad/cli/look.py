"""`lensgrad evaluate`, `predict`, `export` and `show`: what a saved run reaches, answers, becomes elsewhere, and is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad import recipes
from lensgrad.backends.engine import backend as engine
from lensgrad.backends.numpy import host
from lensgrad.cli.console import command
from lensgrad.cli.opening import Given
from lensgrad.cli.table import tested
from lensgrad.cli.train import known, model_name
from lensgrad.core.errors import BadValue
from lensgrad.data.bundled import Dataset
from lensgrad.data.cells import parsed, quoted
from lensgrad.data.mapped import existing, npy
from lensgrad.data.pictures import ENDINGS, picture
from lensgrad.learn.losses.kind import Kind
from lensgrad.program.summary import summary
from lensgrad.recipes.recipe import Recipe, Sampling, fitting, likeliest, softmax
from lensgrad.theories.smooth.array import Array
from lensgrad.train.learner import Learner
from lensgrad.train.loading import load
from lensgrad.train.run import Run

WHOLE = ("precision", "recall", "f1")  # of the whole test set, beside what a run reports itself


def evaluated(file: Path, name: str, backend: str) -> str:
    """The verdict of a task on a run, and the metrics of its test part; of a table of one's own the metrics."""
    if name not in recipes.TASKS and (Path(name).suffix or Path(name).exists()):
        return tested(asked(opened(file), backend), Path(name))
    recipe, run = recipes.task(name), asked(opened(file), backend)
    if model_name(recipe, run.learner) is None:
        check_shapes(run.learner, recipe.learner(), file, name)
    data = recipe.data()
    lines = [recipe.verdict(run, data)]
    if isinstance(data.test, Dataset):
        lines.append(measured(run, fitting(run.learner, data.test)))
    return "\n".join(lines)


def opened(file: Path) -> Run:
    """The run in a file; the name of a task is none."""
    if str(file) in recipes.TASKS and not file.exists():
        made = f"{command()} train {file} --save {file}.safetensors"
        raise BadValue(f"FILE must be the file of a saved run, got the task '{file}': {made} makes one")
    return load(file)


def asked(run: Run, backend: str) -> Run:
    """A run that answers on a backend: one that is named has all of it, where only its own, by name, gives way to NumPy for little work."""
    return replace(run, backend=backend if backend == "auto" else engine(backend))


def check_shapes(learner: Learner, wanted: Learner, file: Path, name: str) -> None:
    """Refuse a run whose model takes or gives something else than the task's own."""
    (a, b), (c, d) = ((m.model.dom, m.model.cod) for m in (learner, wanted))
    if (a, b) != (c, d) or learner.inputs != wanted.inputs:
        raise BadValue(f"'{file}' holds a model {a} → {b}, and {name} needs one {c} → {d}: evaluate it on its own task")


def measured(run: Run, data: Any) -> str:
    """Loss, accuracy, and the metrics of classes, each the mean over classes."""
    learner = replace(run.learner, metrics=WHOLE)
    report = replace(run, learner=learner).evaluate(data)
    return "  ".join(f"{name} {value:.4f}" for name, value in report.items())


def predicted(file: Path, given: Sequence[str], how: Sampling, backend: str) -> str:
    """What a saved run answers: to the rows of a file, to pictures, or to a text where its task takes one."""
    run = asked(opened(file), backend)
    recipe = known(run.learner)
    pictures = all(Path(word).suffix.lower() in ENDINGS for word in given)
    if len(given) != 1 and not pictures:
        raise BadValue(f"one INPUT is answered at a time, unless all are pictures ({', '.join(ENDINGS)}): got {len(given)}")
    if recipe is not None and recipe.answer is not None:
        if len(given) != 1:
            raise BadValue(f"this run goes on from one text, got {len(given)} INPUTs")
        return recipe.answer(run, given[0], how)
    if "" in given:
        raise BadValue(f"INPUT must be the name of a file, got '': this run expects {run.learner.model.dom}")
    classes = run.meaning.classes or (recipe.classes if recipe is not None else ())
    if pictures:
        return told(run, rows_for(run.learner, lambda shape: np.stack([picture(Path(word), shape) for word in given])), classes, given)
    table = run.meaning.preparation is not None and Path(given[0]).suffix.lower() not in (".npy", *ENDINGS)
    rows: Any = Path(given[0]) if table else read_rows(Path(given[0]), run.learner, recipe)
    if table:
        preparation, cells = run.meaning.cells(rows)
        return told(run, preparation.inputs(cells), classes, cells.rows)
    return told(run, rows, classes, [f"row {k}" for k in range(1, len(rows) + 1)])


def read_rows(file: Path, learner: Learner, recipe: Recipe | None) -> Any:
    """The rows of a .csv or .npy file in the shape that a model takes."""

    def read(shape: Sequence[int]) -> Any:
        table, size = numbers(file), prod(shape)
        if not table.size:
            raise BadValue(
                f"'{file}' has no numbers, and this model expects rows of {size} ({learner.model.dom}): give a row for each example"
            )
        if table.size % size or (table.ndim > 1 and prod(table.shape[1:]) != size and table.size != size):
            raise BadValue(f"'{file}' has numbers of shape {table.shape}, and this model expects rows of {size} ({learner.model.dom})")
        if recipe is not None and len(shape) == 3 and table.dtype != np.uint8:
            check_pixels(file, table, recipe)
        return table.reshape(-1, *shape)

    return rows_for(learner, read)


def check_pixels(file: Path, table: Any, recipe: Recipe) -> None:
    """Refuse pixels on another scale than a ready-made task is trained on."""
    low, high = float(table.min()), float(table.max())
    if low < 0 or high > 1:
        told = f"'{file}' has numbers from {low:g} to {high:g}, and {recipe.name} expects pixels from 0 to 1"
        raise BadValue(f"{told}: divide them by the largest that a pixel can be, such as 255")


def rows_for(learner: Learner, read: Callable[[Sequence[int]], Any]) -> Any:
    """What `read` finds for the shape of an example, as a model takes it; bytes are scaled to [0, 1], as they are for training."""
    if len(learner.model.dom) != 1:
        raise BadValue(f"this model expects {len(learner.model.dom)} arrays ({', '.join(learner.inputs)}): call run.predict from Python")
    shape, dtype = host(learner.model.dom[0])
    table = read(shape)
    scaled = table / np.float32(255) if table.dtype == np.uint8 and dtype.kind == "f" else table
    return scaled.astype(dtype)


def numbers(file: Path) -> Any:
    """The array in a file, by its ending."""
    if file.suffix not in (".csv", ".npy"):
        told = "a .csv file with a row of numbers for each example, a .npy file, or pictures such as .png"
        raise BadValue(f"'{file}' is no input: give {told}")
    found = npy(existing(file)) if file.suffix == ".npy" else table_of(file)
    if found.dtype.kind not in "fiub" or not np.isfinite(found).all():
        raise BadValue(f"'{file}' holds what are no finite numbers, of type {found.dtype}")
    return found


def table_of(file: Path) -> Any:
    """Rows of numbers with commas between; a first line of names is passed over."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadValue(f"'{file}' is no text in UTF-8: save it as CSV in UTF-8") from None
    lines = [(k, line.split(",")) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and not any(parsed(word) is not None for word in lines[0][1]):
        lines = lines[1:]
    for k, line in lines:
        strange = next((word for word in line if parsed(word) is None), None)
        if strange is not None:
            other = next((d for d in ";\t|" if d in strange), None)
            fix = "correct it" if other is None else f"save the file with ',' between its cells, and not {other!r}"
            raise BadValue(f"line {k} of '{file}': '{quoted(strange.strip())}' is no number; {fix}")
    if len({len(line) for _, line in lines}) > 1:
        raise BadValue(f"'{file}' cannot be read as numbers: its rows have different lengths")
    return np.array([[parsed(word) for word in line] for _, line in lines], np.float64)


def told(run: Run, rows: Any, classes: Sequence[str], names: Sequence[str]) -> str:
    """A line for each row: the likeliest classes with their shares, or the numbers that the model gives."""
    out, label = run.learner.model.cod, run.learner.examples().get("y")
    if len(out) != 1:
        raise BadValue(f"this model gives {len(out)} arrays ({out}): call run.predict from Python")
    if run.learner.kinds().get("y", Kind()).link:
        shares = run.predict_proba(rows)
        if shares.ndim == 2:
            return likeliest(names, shares, classes or [f"class {k}" for k in range(shares.shape[1])])
    found = run.predict(rows)
    if found.ndim != 2 or found.shape[1] < 2 or not isinstance(label, Array) or (label.floating and not classes):
        return "\n".join(f"{name}  " + "  ".join(f"{v:.6g}" for v in row.ravel()) for name, row in zip(names, found, strict=True))
    shares = found if label.floating else softmax(found)
    return likeliest(names, shares, classes or [f"class {k}" for k in range(found.shape[1])])


def exported(file: Path, target: Path, step: bool, batch: int | None) -> str:
    """Write a saved run, or its training step, in another format; what was written, and of how many bytes."""
    run = load(file)
    size = run.position.get("batch_size") if batch is None else batch
    if step and target.suffix.lower() == ".c":
        run.learner.export_c(target, size, {n: run.values[n] for n in run.learner.objects()})
    elif step:
        run.learner.export_step(target, size)
    else:
        run.export(target, batch)
    beside = {".py": ".safetensors", ".c": ".bin"}.get(target.suffix.lower())
    written = [target, *([target.with_suffix(beside)] if beside else [])]
    return "\n".join(f"{place}  {place.stat().st_size:,} bytes" for place in written)


def shown(what: str, model: str | None, source: bool, diagram: bool, how: Given) -> str:
    """A task's learner, or that of a file: its layers, the diagram of its model, the source of its step; a network of another format."""
    if Path(what).suffix.lower() == ".onnx":
        from lensgrad.cli.networks import described

        if source or diagram or model is not None:
            raise BadValue(f"'{what}' is a network without a learner: leave --source, --diagram and --model away")
        return described(Path(what), how)
    learner, batch, table = subject(what, model)
    parts = [str(learner.model.arrow)] if diagram else []
    parts += [learner.source(batch)] if source else []
    return "\n\n".join(parts or [table])


def subject(what: str, model: str | None) -> tuple[Learner, int | None, str]:
    """A learner by the name of a task or of a file, the batch it steps on, and its summary."""
    if Path(what).suffix or Path(what).is_file():
        if model is not None:
            raise BadValue(f"'{what}' holds one model: leave --model away")
        run = load(what)
        return run.learner, run.position.get("batch_size"), run.summary()
    if what not in recipes.TASKS:
        told = ", ".join(recipes.TASKS)
        raise BadValue(f"'{what}' is nothing that can be shown; use one of {told}, or the file of a saved run")
    recipe = recipes.task(what)
    learner = recipe.learner(model)
    return learner, recipe.plan(model).batch_size, summary(learner.model)
