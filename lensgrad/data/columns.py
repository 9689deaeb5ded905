"""What the columns of a table hold, found on its rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, warn
from lensgrad.core.printed import brief
from lensgrad.data.cells import Cells, days, missing, parsed, quoted, word
from lensgrad.data.forms import oddly_written
from lensgrad.data.preparation import Column, Preparation, check_words

MOST_WORDS = 1000  # of a column that nobody called categorical: names and numbers with a stray character have as many as rows
MISSING = ("refuse", "fill")
NOTHING = ("na", "n/a", "nan", "null", "none", "nil", "-", "--", "?", ".")  # how other programs write an empty cell


def prepared(cells: Cells, target: str | None, categorical: Sequence[str], drop: Sequence[str], empty: str) -> Preparation:
    """How this table is read: each column by what it holds."""
    for name in (*categorical, *drop, *([] if target is None else [target])):
        cells.column(name)
    if not cells.rows:
        raise BadValue("the table has no rows")
    both = next((name for name in drop if name in categorical or name == target), None)
    if both is not None:
        told = "is the target" if both == target else "is in categorical=…, too"
        raise BadValue(f"drop=… names '{brief(both)}', which {told}: take it out of one of the two")
    columns = [name for name in cells.columns if name != target and name not in drop]
    found = tuple(column_of(name, cells, name in categorical, empty) for name in columns)
    made = Preparation(found, target, () if target is None else classes_of(target, cells, target in categorical))
    check_words(found)
    made.checked()
    tell_odd(made, cells, categorical)
    return made


def column_of(name: str, cells: Cells, words: bool, empty: str) -> Column:
    """What a column holds, and what its empty cells count as."""
    kind = "word" if words else kind_of(name, cells)
    if kind == "word":
        found = categories(name, cells)
        if len(found) > MOST_WORDS and not words:
            told = f"column '{brief(name)}' has {len(found):,} different words, and each would be a feature of its own"
            odd = odd_in(name, cells)
            fix = f"{odd}, or leave it out with drop=…" if odd else "leave it out with drop=…"
            raise BadValue(f"{told}: {fix}, or name it in categorical=… if that is meant")
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
            told.setdefault(k, f"{cells.rows[k]}, column '{brief(column.name)}': '{brief(word(values[k]))}'")
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
        told = f"column '{brief(target)}' has {len(found):,} different words, and each would be a class of its own"
        strange = odd_in(target, cells) or f"if they are numbers, take out what is no part of one, as in '{quoted(value)}' ({row})"
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
        told = f"{row}, column '{brief(name)}': '{quoted(value)}' is no date such as 2024-05-31, and"
        others = f"{len(full) - len(undated)} other cells of the column are"
        raise BadValue(f"{told} {others}; correct it{emptied(value)}, or name the column in categorical=…")
    if len(full) > 2 * len(strange):
        row, value = strange[0]
        others = f"{len(full) - len(strange)} other cells of the column are"
        told = f"{row}, column '{brief(name)}': '{quoted(value)}' is no number, and {others}"
        raise BadValue(f"{told}; correct it{emptied(value)}, or name the column in categorical=…")
    return "word"


def odd_in(name: str, cells: Cells) -> str:
    """What a column of words looks like, where its cells are numbers or dates in a form that is not read."""
    return oddly_written([value for value in cells.column(name) if not missing(value)])


def tell_odd(how: Preparation, cells: Cells, meant: Sequence[str]) -> None:
    """Warn of columns that are read as words and look like numbers or dates."""
    words = [(c.name, "words") for c in how.columns if c.kind == "word"] + [(how.target or "", "classes")] * bool(how.classes)
    for name, kind in words:
        odd = "" if name in meant else odd_in(name, cells)
        if odd:
            warn(f"column '{brief(name)}' is read as {kind}, and {odd}, or name the column in categorical=… if {kind} are meant")


def scaled(how: Preparation, cells: Cells) -> Preparation:
    """The same columns on a scale by which these rows have mean 0 and standard deviation 1, found in float64; constants become 0."""
    middles, spreads = list[float](), list[float]()
    for column in how.columns:
        found = column.numbers(cells)
        if column.kind == "word":
            shares = np.bincount(found.astype(np.int64), minlength=len(column.words) + 1)[:-1] / len(found)
            middles += shares.tolist()
            spreads += np.sqrt(shares * (1 - shares)).tolist()
        else:
            middles.append(float(found.mean()))
            spreads.append(float(found.std()) if np.ptp(found) else 0.0)
    return replace(how.scaled(np.array(middles), np.array([s or 1.0 for s in spreads])), exact=True)


def emptied(value: Any) -> str:
    """A further way to mend a cell that says that nothing is known."""
    return ", leave the cell empty if nothing is known" if quoted(value).strip().lower() in NOTHING else ""


def check_readable(name: str, words: Collection[str], cells: Cells) -> None:
    """Refuse words that are long texts, or have characters that nobody can read, at the place of the first."""
    for one in words:
        try:
            checks.name(f"a word of column '{brief(name)}'", one)
        except BadValue as wrong:
            row = next(row for row, value in zip(cells.rows, cells.column(name), strict=True) if not missing(value) and word(value) == one)
            raise BadValue(f"{row}: {wrong}; correct the cell, or leave the column out with drop=…") from None


def categories(name: str, cells: Cells) -> tuple[str, ...]:
    """The words of a column, sorted (as numbers where all are)."""
    found = {word(v) for v in cells.column(name) if not missing(v)}
    check_readable(name, found, cells)
    sizes = {w: number for w in found if (number := parsed(w)) is not None}
    return tuple(sorted(found, key=lambda w: (sizes[w], w)) if len(sizes) == len(found) else sorted(found))
