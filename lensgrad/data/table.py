"""Tables, from CSV files and from data frames: numbers as they are, words as categories."""

from __future__ import annotations

import csv as reader
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, MissingData, listed
from lensgrad.data.bundled import Dataset

Column = np.ndarray[Any, Any]
Kinds = dict[str, tuple[str, ...]]  # the words of columns of words


@dataclass(frozen=True)
class Cells:
    """The columns of a table as lists of values, and how to say where a row stands."""

    columns: dict[str, list[Any]]
    rows: Sequence[str]  # "line 7" or "row 5"


def csv(
    path: str | Path,
    target: str | None,
    *,
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    names: Sequence[str] | None = None,
    like: Dataset | None = None,
    delimiter: str = ",",
) -> Dataset:
    """A CSV file as a data set: x : f32[n, features], y the column `target`.

    The first line names the columns, unless `names` does. A column of numbers is a feature; a column of words becomes one
    0/1 feature a word (`color=red`). A target of numbers stays numbers, f32[n, 1]; one of words becomes class numbers i32[n], the
    classes sorted. `categorical` names columns of numbers to be read as words. `like=train` reads a second file with the
    categories and classes of the first. `target=None` is for a file without labels. Errors name line and column.
    """
    return dataset(csv_cells(path, delimiter, names), target, categorical, drop, like)


def csv_cells(path: str | Path, delimiter: str = ",", names: Sequence[str] | None = None) -> Cells:
    """The columns of a CSV file as text; its first line names them, unless `names` does."""
    where = Path(path)
    if not where.is_file():
        raise MissingData(f"there is no file '{where}'")
    try:
        with where.open(encoding="utf-8-sig", newline="") as file:
            lines = reader.reader(file, delimiter=delimiter)
            rows = [(lines.line_num, row) for row in lines if row]
    except UnicodeDecodeError:
        raise BadValue(f"'{where}' is no text in UTF-8: save it as CSV in UTF-8") from None
    except reader.Error as wrong:
        raise BadValue(f"'{where}' is no CSV file: {wrong}") from None
    return cells(rows, names, str(where))


def table(
    frame: Any,
    target: str | None,
    *,
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    like: Dataset | None = None,
) -> Dataset:
    """A pandas data frame (or a dict of columns) as a data set, by the rules of `csv`."""
    columns = {str(name): np.asarray(frame[name]).tolist() for name in (frame.columns if hasattr(frame, "columns") else frame)}
    n = len(next(iter(columns.values()), []))
    ragged = [name for name, values in columns.items() if len(values) != n]
    if ragged:
        raise BadValue(f"column '{ragged[0]}' has {len(columns[ragged[0]])} values, and the first column has {n}")
    return dataset(Cells(columns, [f"row {i}" for i in range(n)]), target, categorical, drop, like)


def cells(rows: Sequence[tuple[int, Sequence[str]]], names: Sequence[str] | None, path: str) -> Cells:
    """Lines as columns; every line must have as many cells as there are names."""
    if names is None:
        if not rows:
            raise BadValue(f"'{path}' is empty: its first line names the columns")
        names, rows = [name.strip() for name in rows[0][1]], rows[1:]
    twice = [name for name in names if list(names).count(name) > 1]
    if twice:
        raise BadValue(f"two columns of '{path}' are called '{twice[0]}': rename one, or give names=…")
    for line, row in rows:
        if len(row) != len(names):
            raise BadValue(f"line {line} of '{path}' has {len(row)} cells, and there are {len(names)} columns")
    columns = {name: [row[i].strip() for _, row in rows] for i, name in enumerate(names)}
    return Cells(columns, [f"line {line}" for line, _ in rows])


def dataset(cells: Cells, target: str | None, categorical: Sequence[str], drop: Sequence[str], like: Dataset | None) -> Dataset:
    """Features and labels of a table."""
    wanted = [*categorical, *drop, *([] if target is None else [target])]
    strange = [name for name in wanted if name not in cells.columns]
    if strange:
        raise BadValue(f"there is no column '{strange[0]}'; the columns are: {listed(list(cells.columns))}")
    if not cells.rows:
        raise BadValue("the table has no rows")
    words = {name for name in cells.columns if name in categorical or numbers(name, cells) is None}
    columns = [name for name in cells.columns if name != target and name not in drop]
    x, features, kinds = features_of(columns, cells, words, like)
    if like is not None and features != like.features:
        raise BadValue(f"this table has the features {listed(features)}, and the one it must be like has {listed(like.features)}")
    y, classes = target_of(target, cells, words, like)
    return Dataset(x, y, features, classes, kinds)


def features_of(names: Sequence[str], cells: Cells, words: set[str], like: Dataset | None) -> tuple[Column, tuple[str, ...], Kinds]:
    """Columns side by side: numbers as one feature, words as one 0/1 feature each; what the features are called; the words."""
    parts, labels, kinds = [np.zeros((len(cells.rows), 0), np.float32)], list[str](), Kinds()
    for name in names:
        known = like.categories.get(name) if like is not None else None
        if name in words or known is not None:
            kinds[name] = known or categories(name, cells)
            parts.append(np.eye(len(kinds[name]), dtype=np.float32)[numbered(name, cells, kinds[name])])
            labels += [f"{name}={kind}" for kind in kinds[name]]
        else:
            parts.append(np.asarray(numbers(name, cells), np.float32)[:, None])
            labels.append(name)
    return np.concatenate(parts, 1), tuple(labels), kinds


def target_of(target: str | None, cells: Cells, words: set[str], like: Dataset | None) -> tuple[Column, tuple[str, ...]]:
    """The labels: class numbers for words, a column of numbers for numbers."""
    classes = like.classes if like is not None else ()
    if target is None:
        return np.zeros((len(cells.rows), 0), np.float32), classes
    if classes or target in words:
        classes = classes or categories(target, cells)
        return numbered(target, cells, classes).astype(np.int32), classes
    return np.asarray(numbers(target, cells), np.float32)[:, None], ()


def numbers(name: str, cells: Cells) -> list[float] | None:
    """A column as numbers, or None where it is one of words; a mostly numeric column with a strange cell is an error."""
    found, strange = [], []
    for row, value in zip(cells.rows, cells.columns[name], strict=True):
        if missing(value):
            raise BadValue(f"{row}, column '{name}': the cell is empty; fill it in or leave the row out")
        number = parsed(value)
        if number is None:
            strange.append((row, value))
        else:
            found.append(number)
    if strange and len(found) > len(strange):
        row, value = strange[0]
        others = f"{len(found)} other cells of the column are"
        raise BadValue(f"{row}, column '{name}': '{value}' is no number, and {others}; correct it, or name the column in categorical=…")
    return None if strange else found


def missing(value: Any) -> bool:
    """An empty cell, or what data frames put there: None, NaN, NaT, NA."""
    if isinstance(value, str):
        return not value
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


def parsed(value: Any) -> float | None:
    """A finite number, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def categories(name: str, cells: Cells) -> tuple[str, ...]:
    """The words of a column, sorted (as numbers where all are)."""
    found = {str(v) for v in cells.columns[name]}
    sizes = {word: number for word in found if (number := parsed(word)) is not None}
    return tuple(sorted(found, key=lambda word: (sizes[word], word)) if len(sizes) == len(found) else sorted(found))


def numbered(name: str, cells: Cells, kinds: Sequence[str]) -> Column:
    """Words as their numbers among the categories."""
    places = {kind: i for i, kind in enumerate(kinds)}
    for row, value in zip(cells.rows, cells.columns[name], strict=True):
        if missing(value):
            raise BadValue(f"{row}, column '{name}': the cell is empty; fill it in or leave the row out")
        if str(value) not in places:
            raise BadValue(f"{row}, column '{name}': '{value}' is none of the known values {listed(list(kinds))}")
    return np.array([places[str(v)] for v in cells.columns[name]], np.int64)
