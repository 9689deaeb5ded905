"""`lensgrad fit`: a network for a CSV file of one's own, and what it reaches on rows that it was not trained on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.cli.console import command, say
from lensgrad.cli.train import writable
from lensgrad.core import checks
from lensgrad.core.errors import BadValue, listed
from lensgrad.core.graph import Wire
from lensgrad.core.printed import counted
from lensgrad.data.bundled import Dataset
from lensgrad.data.columns import prepared
from lensgrad.data.held_back import HeldBack, held_back
from lensgrad.data.split import standardize
from lensgrad.data.tables import csv_cells
from lensgrad.learn.layers.basic import dense
from lensgrad.learn.layers.basic import input as input_layer
from lensgrad.learn.layers.sequence import sequential
from lensgrad.learn.losses import cross_entropy, mse
from lensgrad.learn.optimizers import adam
from lensgrad.train.callbacks import early_stopping
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.run import Run

SHOWN = 3  # places of words that no row to train on has
FEWEST = 10  # rows, of which some choose the epoch and some judge
WIDEST = 4096
CHOOSING = 0.2  # of the rows that are trained on, the share by which the best epoch is chosen
PATIENCE = 20


@dataclass(frozen=True)
class Network:
    """How a network is made and trained: the size of its two hidden layers, its learning rate, and for how long at most."""

    hidden: int = 32
    rate: float = 0.003
    epochs: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        checks.whole("hidden", self.hidden, 1, WIDEST)
        checks.positive("rate", self.rate)
        checks.whole("epochs", self.epochs, 1)
        checks.whole("seed", self.seed, 0, 2**64 - 1)


def fitted(file: Path, target: str, columns: dict[str, Any], how: Network, share: float, place: Path | None) -> int:
    """Train on a table, and say what was measured on the rows that were held back; the exit code."""
    place = None if place is None else writable(place)
    found = parts(file, target, columns, share, how.seed)
    learner = network(found.train, how)
    say(heading(file, found, learner))
    train, test, _ = standardize(found.train, found.test)
    run = learner.fit(
        train,
        epochs=how.epochs,
        seed=how.seed,
        validation_split=CHOOSING,
        early_stopping=early_stopping(patience=PATIENCE),
        progress=sys.stderr.isatty(),
    )
    say(f"{counted(len(run.history), 'epoch')}, values of epoch {run.best_epoch}")
    say(judged(run, train, test))
    return closing(run, file, target, place, not found.refused)


def parts(file: Path, target: str, columns: dict[str, Any], fraction: float, seed: int) -> HeldBack:
    """Rows to train on, and rows to judge by."""
    cells = csv_cells(file, columns["delimiter"])
    categorical, drop = (checks.names(which, columns[which]) for which in ("categorical", "drop"))
    how = replace(prepared(cells, checks.name("target", target), categorical, drop, "fill"), delimiter=columns["delimiter"])
    n, fraction = len(cells.rows), checks.share("held-back", fraction)
    if n < FEWEST or not 1 <= round(fraction * n) <= n - 4:
        raise BadValue(
            f"'{file}' has {counted(n, 'row')}, and {fraction:g} of them are to be held back: it takes {FEWEST} rows, one to judge by, "
            "and four to train on"
        )
    found = held_back(cells, how, fraction, seed)
    if not found.train.features:
        raise BadValue(f"'{file}' has no column beside its target to learn from")
    return found


def network(data: Dataset, how: Network) -> Learner:
    """Two hidden layers, then a score a class; or one number, on the scale of the target."""
    body = sequential(input_layer(len(data.features)), dense(how.hidden, activation="relu"), dense(how.hidden, activation="relu"))
    if data.classes:
        first, *others = data.classes
        if not others:
            raise BadValue(f"the target is '{first}' in every row, so there is nothing to tell apart")
        return supervised(sequential(body, dense(len(data.classes))), cross_entropy, adam(how.rate), metrics=["accuracy"])
    middle, spread = float(data.y.mean(dtype=np.float64)), float(data.y.std(dtype=np.float64)) or 1.0
    return supervised(sequential(body, dense(1), rescaled(spread, middle)), mse, adam(how.rate), metrics=["mae", "rmse", "r2"])


def rescaled(spread: float, middle: float) -> Callable[[Wire], Wire]:
    """The function on wires z ↦ spread · z + middle."""
    return lambda z: z * spread + middle


def heading(file: Path, found: HeldBack, learner: Learner) -> str:
    """What was read of a table, and what is trained on it."""
    how, train, test = found.train.preparation, len(found.train), len(found.test)
    columns = [] if how is None else [f"{c.name} ({c.kind if c.kind != 'word' else told_words(c.words)})" for c in how.columns]
    target = "" if how is None else f"{how.target} ({told_words(how.classes) if how.classes else 'number'})"
    choosing = round(CHOOSING * train)
    counts = f"{counted(train - choosing, 'row')} to train on, {choosing:,} to choose by, {test:,} to judge by"
    return "\n".join([f"{file}: {listed(columns)} → {target}", *left_out(found), f"{counts}, {learner.parameter_count:,} weights"])


def left_out(found: HeldBack) -> list[str]:
    """What of a table is neither trained on nor judged, a line each."""
    told = [f"column '{name}' is left out, since it is empty in all rows to train on" for name in found.empty]
    n, places = len(found.refused), found.refused[:SHOWN]
    more = [f"and {n - SHOWN:,} more"] if n > SHOWN else []
    rows = (
        f"{counted(n, 'row')} held back {'is' if n == 1 else 'are'} not judged: no row to train on has {'its' if n == 1 else 'their'} words"
    )
    return [*told, *([f"{rows}, so predict refuses {'it' if n == 1 else 'them'}, too ({'; '.join([*places, *more])})"] if n else [])]


def told_words(words: Sequence[str], most: int = 4) -> str:
    """A few of the words of a column."""
    return f"{len(words)} words" if len(words) > most else ", ".join(words)


def judged(run: Run, train: Dataset, test: Dataset) -> str:
    """What a run reaches on rows it has not seen, and what a guess without looking reaches."""
    report, n = run.evaluate(test), len(test)
    if not train.classes:
        guess = float(np.sqrt(np.mean(np.square(test.y - train.y.mean()), dtype=np.float64)))
        return f"held-back error {report['rmse']:.4g} (root mean square; always the mean: {guess:.4g}), r2 {report['r2']:.4f}"
    usual = int(np.bincount(train.y).argmax())
    guess = float((test.y == usual).mean())
    right = f"{round(report['accuracy'] * n):,} of {counted(n, 'row')} that {'was' if n == 1 else 'were'} not trained on"
    return f"held-back accuracy {report['accuracy']:.4f}: {right} (always '{train.classes[usual]}': {guess:.4f})"


def closing(run: Run, file: Path, target: str, place: Path | None, readable: bool) -> int:
    """Keep a run, and say what to do next; with the same file where the run reads all of it."""
    if place is None:
        say(f"\nto keep what it learned: {command()} fit {file} --target {target} --save {file.stem}.safetensors")
        return 0
    run.save(place)
    again = f"; next: {command()} predict {place} {file}, or {command()} evaluate {place} {file}" if readable else ""
    say(f"\nsaved in {place}{again}")
    return 130 if run.interrupted else 0


def tested(run: Run, file: Path) -> str:
    """What a saved run reaches on a table such as it was trained on: a metric a word."""
    return "  ".join(f"{name} {value:.4f}" for name, value in run.evaluate(file).items())
