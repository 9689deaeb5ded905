"""What the columns of a table hold, found on its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue
from lensgrad.data.cells import Cells, days, missing, parsed, word
from lensgrad.data.preparation import Column, Preparation

MOST_WORDS = 1000  # of a column that nobody called categorical: names and numbers with a stray character have as many as rows
MISSING = ("refuse", "fill")


def prepared(cells: Cells, target: str | None, categorical: Sequence[str], drop: Sequence[str], empty: str) -> Preparation:
    """How this table is read: each column by what it holds."""
    for name in (*categorical, *drop, *([] if target is None else [target])):
        cells.column(name)
    if not cells.rows:
        raise BadValue("the table has no rows")
    columns = [name for name in cells.columns if name != target and name not in drop]
    found = tuple(column_of(name, cells, name in categorical, empty) for name in columns)
    made = Preparation(found, target, () if target is None else classes_of(target, cells, target in categorical))
    made.checked()
    return made


def column_of(name: str, cells: Cells, words: bool, empty: str) -> Column:
    """What a column holds, and what its empty cells count as."""
    kind = "word" if words else kind_of(name, cells)
    if kind == "word":
        found = categories(name, cells)
        if len(found) > MOST_WORDS and not words:
            told = f"column '{name}' has {len(found):,} different words, and each would be a feature of its own"
            raise BadValue(f"{told}: leave it out with drop=…, or name it in categorical=… if that is meant")
        return Column(name, kind, found, 0.0 if empty == "fill" else None)
    middle = mean(Column(name, kind), cells)
    return Column(name, kind, fill=middle if empty == "fill" else None)


def mean(column: Column, cells: Cells) -> float:
    """The mean of a column of numbers or dates over the cells that are not empty; every cell is read."""
    return float(np.nanmean(replace(column, fill=np.nan).numbers(cells)))


def found_in(how: Preparation, cells: Cells) -> Preparation:
    """The same columns and classes with the words and the fill values of these rows; a column that is empty in all of them is left out."""
    return replace(how, columns=tuple(again(c, cells) for c in how.columns if not all(map(missing, cells.column(c.name)))))


def again(column: Column, cells: Cells) -> Column:
    """A column with the words, or the fill value, of these rows."""
    if column.kind == "word":
        return replace(column, words=categories(column.name, cells))
    return column if column.fill is None else replace(column, fill=mean(column, cells))


def unmet(how: Preparation, cells: Cells) -> dict[int, str]:
    """The rows that a preparation refuses for a word that it does not know, each with the place of the first such word."""
    told = dict[int, str]()
    for column in (c for c in how.columns if c.kind == "word"):
        known, values = set(column.words), cells.column(column.name)
        for k in (k for k, value in enumerate(values) if not missing(value) and word(value) not in known):
            told.setdefault(k, f"{cells.rows[k]}, column '{column.name}': '{checks.clean(word(values[k]))}'")
    return dict(sorted(told.items()))


def classes_of(target: str, cells: Cells, words: bool) -> tuple[str, ...]:
    """The classes of a target of words; none for numbers."""
    for row, value in zip(cells.rows, cells.column(target), strict=True):
        if missing(value):
            raise BadValue(f"{row}, column '{target}': the cell is empty, and a row without a label teaches nothing; leave it out")
    if not words and kind_of(target, cells) != "word":
        return ()
    found = categories(target, cells)
    if len(found) > MOST_WORDS and not words:
        row, value = next((row, value) for row, value in zip(cells.rows, cells.column(target), strict=True) if parsed(value) is None)
        told = f"column '{target}' has {len(found):,} different words, and each would be a class of its own"
        strange = f"if they are numbers, take out what is no part of one, as in '{checks.clean(str(value))}' ({row})"
        raise BadValue(f"{told}: {strange}, or name the column in categorical=… if classes are meant")
    return found


def kind_of(name: str, cells: Cells) -> str:
    """Number, date or word; a mostly numeric column with a strange cell is an error."""
    full = [(row, value) for row, value in zip(cells.rows, cells.column(name), strict=True) if not missing(value)]
    if not full:
        raise BadValue(f"column '{name}' has no values: name it in drop=…")
    strange = [(row, value) for row, value in full if parsed(value) is None]
    if not strange:
        return "number"
    undated = [(row, value) for row, value in full if days(value) is None]
    if not undated:
        return "date"
    if len(full) > 2 * len(undated):
        row, value = undated[0]
        told = f"{row}, column '{name}': '{checks.clean(str(value))}' is no date such as 2024-05-31, and"
        others = f"{len(full) - len(undated)} other cells of the column are"
        raise BadValue(f"{told} {others}; correct it, or name the column in categorical=…")
    if len(full) > 2 * len(strange):
        row, value = strange[0]
        others = f"{len(full) - len(strange)} other cells of the column are"
        told = f"{row}, column '{name}': '{checks.clean(str(value))}' is no number, and {others}"
        raise BadValue(f"{told}; correct it, or name the column in categorical=…")
    return "word"


def categories(name: str, cells: Cells) -> tuple[str, ...]:
    """The words of a column, sorted (as numbers where all are)."""
    found = {word(v) for v in cells.column(name) if not missing(v)}
    sizes = {w: number for w in found if (number := parsed(w)) is not None}
    return tuple(sorted(found, key=lambda w: (sizes[w], w)) if len(sizes) == len(found) else sorted(found))
