"""`lensgrad fit`: a network for a CSV file of one's own, and what it reaches on rows that it was not trained on."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lensgrad.cli.console import command, say
from lensgrad.cli.train import savable
from lensgrad.core import checks
from lensgrad.core.errors import BadValue, some
from lensgrad.core.graph import Wire
from lensgrad.core.printed import brief, counted
from lensgrad.data.bundled import Dataset
from lensgrad.data.columns import prepared
from lensgrad.data.held_back import HeldBack, held_back
from lensgrad.data.tables import csv_cells
from lensgrad.learn.layers.basic import dense
from lensgrad.learn.layers.basic import input as input_layer
from lensgrad.learn.layers.sequence import sequential
from lensgrad.learn.losses import cross_entropy, mse
from lensgrad.learn.optimizers import adam
from lensgrad.train.callbacks import early_stopping
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.run import Run

SHOWN_COLUMNS = 40  # in a heading
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


@dataclass(frozen=True)
class Table:
    """A table to learn from: its file, what of it is read and how, and the share of its rows that is held back."""

    file: Path
    target: str
    categorical: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    delimiter: str = ","
    share: float = 0.2


def fitted(table: Table, how: Network, place: Path | None) -> int:
    """Train on a table, and say what was measured on the rows that were held back; the exit code."""
    place = None if place is None else savable(place, table.file)
    found = parts(table, how.seed)
    learner = network(found.train, how)
    say(heading(table, found, learner))
    run = learner.fit(
        found.train,
        epochs=how.epochs,
        seed=how.seed,
        validation_split=CHOOSING,
        early_stopping=early_stopping(patience=PATIENCE),
        progress=sys.stderr.isatty(),
    )
    say(ending(run, how))
    say(judged(run, found.train, found.test))
    return closing(run, table, how, place, not found.refused)


def ending(run: Run, how: Network) -> str:
    """How long a run has trained, and which values it has."""
    if run.interrupted:
        return f"stopped in epoch {run.position['epoch'] + 1} of at most {how.epochs:,}, values of its last step"
    best = f", values of epoch {run.best_epoch}" if run.best_epoch else ""
    return f"{counted(len(run.history), 'epoch')}{best}"


def parts(table: Table, seed: int) -> HeldBack:
    """Rows to train on, and rows to judge by."""
    cells = csv_cells(table.file, table.delimiter)
    categorical, drop = checks.names("--categorical", table.categorical), checks.names("--drop", table.drop)
    how = replace(prepared(cells, checks.name("--target", table.target), categorical, drop, "fill"), delimiter=table.delimiter)
    check_rows(table, len(cells.rows))
    if not how.columns:
        raise BadValue(f"'{table.file}' has no column beside its target to learn from")
    found = held_back(cells, how, table.share, seed, on_scale=True)
    if not found.train.features:
        empty = f"{some(found.empty)} {'is' if len(found.empty) == 1 else 'are'} empty in all rows to train on"
        raise BadValue(f"'{table.file}' has no column to learn from: {empty}; fill in more cells, or give another --seed")
    return found


def check_rows(table: Table, rows: int) -> None:
    """Refuse a table of too few rows, and a share of which too few are left on one side."""
    if rows < FEWEST:
        raise BadValue(f"'{table.file}' has {counted(rows, 'row')}, and a network is fitted to {FEWEST} or more: give more of them")
    if not 0 < table.share < 1 or not 1 <= round(table.share * rows) <= rows - 4:
        told = f"leaves one row to judge by and four to train on, got {table.share:g} of {counted(rows, 'row')}"
        raise BadValue(f"--held-back must be a share between 0 and 1 that {told}: give one such as 0.2")


def network(data: Dataset, how: Network) -> Learner:
    """Two hidden layers, then a score a class; or one number, on the scale of the target."""
    body = sequential(input_layer(len(data.features)), dense(how.hidden, activation="relu"), dense(how.hidden, activation="relu"))
    if data.classes:
        first, *others = data.classes
        if not others:
            raise BadValue(f"the target is '{first}' in every row, so there is nothing to tell apart")
        return supervised(sequential(body, dense(len(data.classes))), cross_entropy, adam(how.rate), metrics=["accuracy"])
    if not np.ptp(data.y):
        raise BadValue(f"the target is {data.y[0, 0]:g} in every row to train on, so there is nothing to learn")
    middle, spread = float(data.y.mean(dtype=np.float64)), float(data.y.std(dtype=np.float64)) or 1.0
    return supervised(sequential(body, dense(1), rescaled(spread, middle)), mse, adam(how.rate), metrics=["mae", "rmse", "r2"])


def rescaled(spread: float, middle: float) -> Callable[[Wire], Wire]:
    """The function on wires z ↦ spread · z + middle."""
    return lambda z: z * spread + middle


def heading(table: Table, found: HeldBack, learner: Learner) -> str:
    """What was read of a table, and what is trained on it."""
    how, train, test = found.train.preparation, len(found.train), len(found.test)
    columns = [] if how is None else [f"{c.name} ({c.kind if c.kind != 'word' else told_words(c.words)})" for c in how.columns]
    target = "" if how is None else f"{how.target} ({told_words(how.classes) if how.classes else 'number'})"
    choosing = round(CHOOSING * train)
    counts = f"{counted(train - choosing, 'row')} to train on, {choosing:,} to choose by, {test:,} to judge by"
    lines = [f"{table.file}: {some(columns, SHOWN_COLUMNS)} → {target}", *left_out(found), *two_numbers(table, found.train)]
    return "\n".join([*lines, f"{counts}, {learner.parameter_count:,} weights"])


def two_numbers(table: Table, train: Dataset) -> list[str]:
    """A hint where a target of numbers looks like two classes."""
    values: list[float] = [] if train.classes else np.unique(train.y).tolist()
    if len(values) != 2:
        return []
    option = shlex.quote(",".join((*table.categorical, table.target)))
    return [f"the target is {values[0]:g} or {values[1]:g}, read as numbers: if these are classes, add --categorical {option}"]


def left_out(found: HeldBack) -> list[str]:
    """What of a table is neither trained on nor judged, a line each."""
    told = [f"column '{brief(name)}' is left out, since it is empty in all rows to train on" for name in found.empty[:SHOWN_COLUMNS]]
    n, places = len(found.refused), found.refused[:SHOWN]
    more = [f"and {n - SHOWN:,} more"] if n > SHOWN else []
    rows = (
        f"{counted(n, 'row')} held back {'is' if n == 1 else 'are'} not judged: no row to train on has {'its' if n == 1 else 'their'} words"
    )
    return [*told, *([f"{rows}, so predict refuses {'it' if n == 1 else 'them'}, too ({'; '.join([*places, *more])})"] if n else [])]


def told_words(words: Sequence[str], most: int = 4) -> str:
    """A few of the words of a column."""
    return f"{len(words)} words" if len(words) > most else ", ".join(map(brief, words))


def judged(run: Run, train: Dataset, test: Dataset) -> str:
    """What a run reaches on rows it has not seen, and what a guess without looking reaches."""
    report, n = run.evaluate(test), len(test)
    if not train.classes:
        guess = float(np.sqrt(np.mean(np.square(test.y - train.y.mean()), dtype=np.float64)))
        return f"held-back error {report['rmse']:.4g} (root mean square; always the mean: {guess:.4g}), r2 {report['r2']:.4f}"
    usual = int(np.bincount(train.y).argmax())
    guess = float((test.y == usual).mean())
    right = f"{round(report['accuracy'] * n):,} of {counted(n, 'row')} that {'was' if n == 1 else 'were'} not trained on"
    return f"held-back accuracy {report['accuracy']:.4f}: {right} (always '{brief(train.classes[usual])}': {guess:.4f})"


def closing(run: Run, table: Table, how: Network, place: Path | None, readable: bool) -> int:
    """Keep a run, and say what to do next; with the same file where the run reads all of it. The exit code."""
    if place is None:
        say(f"\nto keep what it learned: {command()} {shlex.join(line(table, how))}")
    else:
        run.save(place)
        again = f"; next: {command()} {shlex.join(['predict', str(place), str(table.file)])}" if readable else ""
        say(f"\nsaved in {place}{again}")
    return 130 if run.interrupted else 0


def line(table: Table, how: Network) -> list[str]:
    """The words that fit this network to this table once more and keep it."""
    usual, plain = Network(), Table(table.file, table.target)
    given = {
        "--categorical": (",".join(table.categorical), ""),
        "--drop": (",".join(table.drop), ""),
        "--delimiter": ("tab" if table.delimiter == "\t" else table.delimiter, plain.delimiter),
        "--held-back": (table.share, plain.share),
        **{f"--{name}": (getattr(how, name), getattr(usual, name)) for name in ("hidden", "rate", "epochs", "seed")},
    }
    options = [word for option, (value, default) in given.items() if value != default for word in (option, str(value))]
    return ["fit", str(table.file), "--target", table.target, *options, "--save", f"{table.file.stem}.safetensors"]


def tested(run: Run, file: Path) -> str:
    """What a saved run reaches on a table such as it was trained on: a metric a word."""
    return "  ".join(f"{name} {value:.4f}" for name, value in run.evaluate(file).items())
