"""A table divided into rows to train on and rows to judge by, of which only the first say how both are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.data.bundled import Dataset
from lensgrad.data.cells import Cells
from lensgrad.data.columns import found_in, odd_in, scaled, unmet
from lensgrad.data.preparation import Preparation
from lensgrad.data.split import split


@dataclass(frozen=True)
class HeldBack:
    """Rows to train on and rows to judge by; columns without a value in the first; and, of the second, what could not be read.

    `refused` says for each row that is not judged which of its words no row to train on has: `predict` refuses such rows, too.
    """

    train: Dataset
    test: Dataset
    empty: tuple[str, ...]
    refused: tuple[str, ...]


def held_back(cells: Cells, how: Preparation, fraction: float, seed: int, on_scale: bool = False) -> HeldBack:
    """The parts of a table, divided as `lg.data.split` divides it.

    The kinds of the columns and the classes are those of all rows; words, fill values and the scale are those of the rows to train on.
    """
    y = how.labels(cells, True)
    (first, _), (second, _) = split((np.arange(len(y)), y), fraction, seed)
    mine, others = cells.at(first.tolist()), cells.at(second.tolist())
    known = found_in(how, mine)
    known = scaled(known, mine) if on_scale else known
    refused = unmet(known, others)
    judged = others.at([k for k in range(len(others.rows)) if k not in refused])
    if not judged.rows:
        told = f"every row that is held back has a word that no row to train on has, such as {next(iter(refused.values()))}"
        odd = next(filter(None, (odd_in(c.name, cells) for c in how.columns if c.kind == "word")), "")
        raise BadValue(f"{told}; {odd}" if odd else f"{told}: leave columns of names out with drop=…")
    empty = [c.name for c in how.columns if c.name not in {k.name for k in known.columns}]
    return HeldBack(read(known, mine), read(known, judged), tuple(empty), tuple(refused.values()))


def read(how: Preparation, cells: Cells) -> Dataset:
    """The rows of a table as a data set."""
    return Dataset(how.inputs(cells), how.labels(cells), how.features, how.classes, how.categories, how)
