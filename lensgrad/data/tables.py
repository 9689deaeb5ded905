"""Tables, from CSV files and from data frames: numbers as they are, words as categories."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, MissingData
from lensgrad.core.printed import brief, counted
from lensgrad.data.arrays import array
from lensgrad.data.bundled import Dataset
from lensgrad.data.cells import Cells
from lensgrad.data.columns import MISSING, prepared
from lensgrad.data.lines import Line, check_divided, lines_in
from lensgrad.data.preparation import Preparation, check_delimiter

if TYPE_CHECKING:
    from pathlib import Path


def csv(
    path: str | os.PathLike[str],
    target: str | None,
    *,
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    names: Sequence[str] | None = None,
    like: Dataset | None = None,
    delimiter: str = ",",
    missing: str = "refuse",
) -> Dataset:
    """A CSV file as a data set: x : f32[n, features], y the column `target`.

    A column of numbers is a feature; a column of words becomes one 0/1 feature a word (`color=red`); one of dates (2024-05-31) is days
    since 1970. A target of numbers stays numbers, f32[n, 1]; one of words becomes class numbers i32[n], the classes sorted. How a table is
    read stays with the data set and goes into the run, so `run.predict("people.csv")` takes the same file. Errors name line and column.

    - `path`: the place of the file, text in UTF-8.
    - `target`: the name of the column of labels; None for a file without labels.
    - `categorical`: names of columns of numbers to be read as words, or of more than 1000 words; none unless given.
    - `drop`: names of columns to leave out; none unless given.
    - `names`: the names of all columns, for a file whose first line has none; the first line unless given.
    - `like`: a data set that was read before, as in `like=train`, whose words, classes, means and scale this file is read by; none unless
      given.
    - `delimiter`: the one character between cells; a comma unless given.
    - `missing`: "refuse" refuses empty cells; with "fill" a number or date counts as the mean of its column in this file, and a word as
      none of the words; "refuse" unless given.
    """
    found = dataset(csv_cells(path, delimiter, names), target, categorical, drop, like, missing)
    if found.preparation is None or like is not None:
        return found
    return replace(found, preparation=replace(found.preparation, delimiter=delimiter, names=tuple(names or ())))


def csv_cells(path: str | os.PathLike[str], delimiter: str = ",", names: Sequence[str] | None = None) -> Cells:
    """The columns of a CSV file as text; its first line names them, unless `names` does."""
    where = file_at(path)
    check_delimiter(delimiter)
    return cells(lines_in(where, delimiter), names, str(where), delimiter)


def file_at(path: Any) -> Path:
    """The place of a file that is there."""
    where, told = checks.file("the place of a CSV file", path), f"'{checks.clean(str(path))}'"
    try:
        there, folder = where.is_file(), where.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        there, folder = False, False
    if folder:
        raise BadValue(f"{told} is a folder, and a table is one CSV file")
    if not there:
        raise MissingData(f"there is no file {told}: check its name and the current folder")
    return where


def table(
    frame: Any,
    target: str | None,
    *,
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    like: Dataset | None = None,
    missing: str = "refuse",
) -> Dataset:
    """A pandas data frame (or a dict of columns) as a data set, by the rules of `csv`."""
    return dataset(frame_cells(frame), target, categorical, drop, like, missing)


def frame_cells(frame: Any) -> Cells:
    """The columns of a data frame, or of a dict of columns, as lists of values."""
    keys = list[Any](frame if checks.is_dict(frame) else getattr(frame, "columns", ()))
    if not keys:
        raise BadValue(f"a table must be a data frame or a dict of columns, got {checks.shown(frame)}")
    once([str(key) for key in keys], "the table")
    columns = {str(key): listed_values(key, frame[key]) for key in keys}
    n = len(next(iter(columns.values())))
    ragged = [name for name, values in columns.items() if len(values) != n]
    if ragged:
        raise BadValue(f"column '{brief(ragged[0])}' has {counted(len(columns[ragged[0]]), 'value')}, and the first column has {n:,}")
    return Cells(columns, [f"row {i}" for i in range(n)])


def listed_values(name: Any, column: Any) -> list[Any]:
    """A column as Python's values; moments of time as such."""
    found = array(column, str(name))
    if found.ndim != 1:
        raise BadValue(f"column '{checks.clean(str(name))}' must have one value a row, got an array of shape {found.shape}")
    return (found.astype("datetime64[us]") if found.dtype.kind == "M" else found).tolist()


def once(names: Sequence[str], where: str, fix: str = "") -> None:
    """Refuse two columns of one name."""
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise BadValue(f"two columns of {where} are called '{brief(twice)}': rename one{fix}")


def table_cells(given: Any, delimiter: str = ",", names: Sequence[str] | None = None) -> Cells:
    """The cells of a table in any form: the path of a CSV file, a data frame, a dict of columns."""
    return csv_cells(given, delimiter, names) if checks.is_path(given) else frame_cells(given)


def cells(rows: Sequence[Line], names: Sequence[str] | None, path: str, delimiter: str) -> Cells:
    """Lines as columns; every line must have as many cells as there are names."""
    names = None if names is None else checks.names("names", names)
    if names == ():
        raise BadValue("names must be the names of all columns, got none: give one for each, or None for those in the first line")
    check_divided(rows, None if names is None else len(names), path, delimiter)
    if names is None:
        names, rows = checks.names("names", first_line(rows, path)), rows[1:]
    once(names, f"'{path}'", ", or give names=…")
    for line, row in rows:
        if len(row) != len(names):
            told = f"has {counted(len(row), 'cell')}, and there {'is' if len(names) == 1 else 'are'} {counted(len(names), 'column')}"
            raise BadValue(f"line {line} of '{path}' {told}: give every line one cell for each column")
    columns = {name: [row[i].strip() for _, row in rows] for i, name in enumerate(names)}
    return Cells(columns, [f"line {line}" for line, _ in rows])


def first_line(rows: Sequence[Line], path: str) -> list[str]:
    """The names of the columns in the first line of a file."""
    if not rows:
        raise BadValue(f"'{path}' is empty: its first line names the columns")
    names = [name.strip() for name in rows[0][1]]
    if "" in names:
        told = f"column {names.index('') + 1} of '{path}' has no name in the first line"
        raise BadValue(f"{told}: give it one there, or all of them as names=… (a data frame is written without its index by index=False)")
    return names


def dataset(
    cells: Cells, target: str | None, categorical: Sequence[str], drop: Sequence[str], like: Dataset | None, missing: str
) -> Dataset:
    """Features and labels of a table, read as it is or like another one."""
    checks.one_of("missing", missing, MISSING)
    target = None if target is None else checks.name("target", target)
    categorical, drop = checks.names("categorical", categorical), checks.names("drop", drop)
    if like is not None:
        checks.instance("like", like, Dataset, "a data set that was read from a table")
    if like is None:
        how = prepared(cells, target, categorical, drop, missing)
    elif like.preparation is None:
        raise BadValue("like=… is a data set that was read from a table by lg.data.csv or lg.data.table")
    else:
        check_like(like.preparation, target, categorical, drop, missing)
        how = like.preparation if target is not None else replace(like.preparation, target=None)
    return Dataset(how.inputs(cells, True), how.labels(cells, True), how.features, how.classes, how.categories, how)


def check_like(how: Preparation, target: str | None, categorical: Sequence[str], drop: Sequence[str], missing: str) -> None:
    """Refuse what is said of a table beside another one that it is read like, where that says otherwise."""
    kinds = {c.name: c.kind for c in how.columns} | ({how.target: "word"} if how.target and how.classes else {})
    other = next((name for name in categorical if kinds.get(name) != "word"), None)
    dropped = next((name for name in drop if name in kinds or name == how.target), None)
    if target is not None and target != how.target:
        own = "has no target" if how.target is None else f"has the target '{brief(how.target)}'"
        raise BadValue(f"like=… {own}, got target='{brief(target)}': give the same one, or None for a table without labels")
    if other is not None:
        raise BadValue(f"like=… does not read column '{brief(other)}' as words, got it in categorical=…: leave categorical away")
    if dropped is not None:
        raise BadValue(f"like=… reads column '{brief(dropped)}', got it in drop=…: leave drop away, or read both tables without the column")
    if missing == "fill" and how.columns and all(c.fill is None for c in how.columns):
        raise BadValue("like=… refuses empty cells, got missing='fill': leave missing away, or read the first table with missing='fill'")
