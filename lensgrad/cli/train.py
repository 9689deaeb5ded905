"""`lensgrad train`: a ready-made task from its data to what it reaches; kept in a file, and gone on with from there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lensgrad import recipes
from lensgrad.cli.console import command, say
from lensgrad.core.errors import BadValue
from lensgrad.files.place import replaceable
from lensgrad.recipes.recipe import Data, Recipe, fitting
from lensgrad.train.callbacks import Checkpoint, checkpoint
from lensgrad.train.learner import Learner
from lensgrad.train.loading import load
from lensgrad.train.run import Run

WRITES = 20  # about so many times a run is written to its file


@dataclass(frozen=True)
class Job:
    """A training run as it was asked for: the learner, what of it is shown, and how it goes through its data."""

    recipe: Recipe
    learner: Learner
    told: str
    epochs: int
    batch_size: int | None
    seed: int
    backend: str = "auto"
    file: Path | None = None
    resume: bool = False

    def run(self, data: Data) -> Run:
        """Train, with a line for each epoch or a bar."""
        held = None if data.validation is None else fitting(self.learner, data.validation)
        how: dict[str, Any] = {"epochs": self.epochs, "batch_size": self.batch_size, "seed": self.seed, "backend": self.backend}
        return self.learner.fit(
            fitting(self.learner, data.train), validation_data=held, checkpoint=self.rule, resume=self.resume, progress=True, **how
        )

    def on(self, backend: str) -> Job:
        """The same run on a backend."""
        return replace(self, backend=backend)

    @property
    def rule(self) -> Checkpoint | None:
        """When the run is written."""
        return None if self.file is None else checkpoint(self.file, epochs=max(1, -(-self.epochs // WRITES)))

    def heading(self, data: Data) -> str:
        """What is trained on what, and how."""
        each = "one example a step" if self.batch_size is None else f"batches of {self.batch_size}"
        times = "epoch" if self.epochs == 1 else "epochs"
        model = f"{self.recipe.title}, {self.told}: {data.told}, {self.learner.parameter_count:,} weights"
        on = "" if self.backend == "auto" else f", on {self.backend}"
        return f"{model}\n{self.epochs} {times}, {each}, seed {self.seed}{on}"


def new(
    recipe: Recipe, model: str | None, epochs: int | None, batch_size: int | None, rate: float | None, seed: int, file: Path | None
) -> Job:
    """A run from the beginning; what is not given is that of the plan."""
    plan = recipe.plan(model)
    epochs, batch_size = plan.epochs if epochs is None else epochs, plan.batch_size if batch_size is None else batch_size
    learner = recipe.learner(model, rate, epochs, batch_size)
    told = f"{recipe.default if model is None else model} model"
    return Job(recipe, learner, told, epochs, batch_size, seed, file=None if file is None else savable(file))


def resumed(recipe: Recipe, file: Path, epochs: int | None) -> Job:
    """The run in a file, to go on with up to so many epochs in all: its learner, batches and seed are those of the file."""
    if not file.exists():
        raise BadValue(f"there is no run in '{file}' to go on from: start one with --save {file}")
    run = load(file)
    kind = model_name(recipe, run.learner)
    if kind is None:
        raise BadValue(f"'{file}' holds a run of another task than {recipe.name}: say which it is, or start a new one with --save")
    done = run.position["epoch"]
    epochs = recipe.plan(kind).epochs if epochs is None else epochs
    if epochs <= done:
        raise BadValue(f"the run in '{file}' has done {done} epochs: give a larger number in all, such as --epochs {2 * done}")
    size, seed = run.position.get("batch_size"), run.position.get("seed", 0)
    return Job(recipe, run.learner, f"{kind} model from epoch {done + 1}", epochs, size, seed, file=file, resume=True)


def model_name(recipe: Recipe, learner: Learner) -> str | None:
    """Which of a task's models a learner has: arrows are compared by what they are, not by a name in a file."""
    return next((kind for kind in recipe.plans if recipe.learner(kind).model == learner.model), None)


def known(learner: Learner) -> Recipe | None:
    """The ready-made task that a learner's model is of."""
    types = learner.model.dom, learner.model.cod
    for recipe in recipes.TASKS.values():
        for kind in recipe.plans:
            model = recipe.learner(kind).model
            if (model.dom, model.cod) == types and model == learner.model:
                return recipe
    return None


def writable(file: Path) -> Path:
    """A place for a file, refused now if it cannot be one, and not after the first epoch."""
    if not file.parent.is_dir():
        raise BadValue(f"cannot save to '{file}': there is no folder '{file.parent}'")
    if file.is_dir():
        raise BadValue(f"cannot save to '{file}': it is a folder")
    return file


def savable(file: Path, table: Path | None = None) -> Path:
    """A place for a run, where no other file is that would be lost: not that of the table it is trained on, either."""
    if table is not None and file.exists() and table.exists() and file.samefile(table):
        told = "it is the table that is trained on"
        raise BadValue(f"cannot save to '{file}': {told}; choose another name, such as {table.stem}.safetensors")
    replaceable(writable(file))
    return file


def engine(recipe: Recipe, backend: str | None) -> str:
    """The backend asked for; if none is, JAX for large tasks where it is installed, and what suits the work elsewhere."""
    if backend is not None:
        return backend
    return "jax" if recipe.large and find_spec("jax") is not None else "auto"


def finish(job: Job, run: Run, data: Data) -> int:
    """What came of a run, and what to do next; the exit code."""
    name, file, kept = job.recipe.name, job.file, shlex.quote(str(job.file))
    if run.interrupted:
        more = f"go on with: {command()} train {name} --resume {kept} --epochs {job.epochs}"
        say(more if file else "add --save FILE to go on later")
        return 130
    say(job.recipe.verdict(run, data))
    if job.recipe.closing is not None:
        say(job.recipe.closing(run, job.seed))
    if file is None:
        say(f"\nto keep what it learned: {command()} train {name} --save {name}.safetensors")
    else:
        say(f"\nsaved in {file}; next: {command()} evaluate {kept} {name}, or {command()} predict {kept} INPUT")
    return 0
