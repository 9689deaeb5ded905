"""How a table becomes numbers: found on one table, kept with the data set and the run, and applied alike to every table after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, listed

Numbers = np.ndarray[Any, Any]
WHOLE = re.compile(r"([+-]?\d+)\.0+")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MISSING = ("refuse", "fill")
HINT = "fill it in, leave the row out, or say missing='fill'"


@dataclass(frozen=True)
class Cells:
    """The columns of a table as lists of values, and how to say where a row stands."""

    columns: Mapping[str, Sequence[Any]]
    rows: Sequence[str]  # "line 7" or "row 5"

    def column(self, name: str) -> Sequence[Any]:
        if name not in self.columns:
            raise BadValue(f"there is no column '{name}'; the columns are: {listed(list(self.columns))}")
        return self.columns[name]


@dataclass(frozen=True)
class Column:
    """One column: what it holds, the words it may have, and what an empty cell counts as (None: it is refused).

    Numbers are one feature each, dates one feature in days since 1970, words one 0/1 feature each. An empty cell of words is
    none of them.
    """

    name: str
    kind: str  # "number", "date" or "word"
    words: tuple[str, ...] = ()
    fill: float | None = None

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={word}" for word in self.words) if self.kind == "word" else (self.name,)

    def numbers(self, cells: Cells) -> Numbers:
        """f64[rows, features] : the cells of this column."""
        if self.kind == "word":
            places = {known: k for k, known in enumerate(self.words)}
            none = [np.zeros((1, len(self.words)))]  # an empty cell is the last row
            return np.concatenate([np.eye(len(self.words)), *none])[self.each(cells, lambda value, where: self.place(value, where, places))]
        return np.array(self.each(cells, self.one), np.float64)[:, None]

    def each(self, cells: Cells, read: Callable[[Any, str], Any]) -> list[Any]:
        return [read(value, f"{row}, column '{self.name}'") for row, value in zip(cells.rows, cells.column(self.name), strict=True)]

    def one(self, value: Any, where: str) -> float:
        """A number, or a date in days."""
        if missing(value):
            return self.filled(where)
        found = parsed(value) if self.kind == "number" else days(value)
        if found is None:
            raise BadValue(f"{where}: {checks.shown(value)} is no {self.kind}{'' if self.kind == 'number' else ' such as 2024-05-31'}")
        return found

    def place(self, value: Any, where: str, places: Mapping[str, int]) -> int:
        """The number of a word; of an empty cell the number after the last."""
        if missing(value):
            self.filled(where)
            return len(self.words)
        if word(value) not in places:
            raise BadValue(f"{where}: '{checks.clean(word(value))}' is none of the known values {listed(list(self.words))}")
        return places[word(value)]

    def filled(self, where: str) -> float:
        if self.fill is None:
            raise BadValue(f"{where}: the cell is empty; {HINT}")
        return self.fill


@dataclass(frozen=True)
class Preparation:
    """Table → x : f32[rows, features], y: the columns that are read and how, the target and its classes, and a scale for the features.

    Columns are found by name, in any order; others are passed over. `y` is class numbers where the target was words.
    """

    columns: tuple[Column, ...]
    target: str | None = None
    classes: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    delimiter: str = ","
    names: tuple[str, ...] = ()  # of the columns of a file whose first line does not name them

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(f for column in self.columns for f in column.features)

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        return {column.name: column.words for column in self.columns if column.kind == "word"}

    def inputs(self, cells: Cells) -> Numbers:
        """x : f32[rows, features], on the scale that was found in training."""
        if not cells.rows:
            raise BadValue("the table has no rows")
        found = np.concatenate([np.zeros((len(cells.rows), 0)), *(column.numbers(cells) for column in self.columns)], 1)
        x = found.astype(np.float32)  # first, as in training, so that one row gives the same numbers always
        return ((x - np.array(self.mean)) / np.array(self.std)).astype(np.float32) if self.mean else x

    def labels(self, cells: Cells) -> Numbers:
        """The labels: i32[rows] class numbers, or f32[rows, 1] numbers."""
        if self.target is None:
            return np.zeros((len(cells.rows), 0), np.float32)
        column = Column(self.target, "word" if self.classes else "number", self.classes)
        found = column.numbers(cells)
        return found.argmax(1).astype(np.int32) if self.classes else found.astype(np.float32)

    def scaled(self, mean: Numbers, std: Numbers) -> Preparation:
        """The same, with x moved by a mean and divided by a standard deviation once more."""
        if np.shape(mean) != (len(self.features),):
            return self
        before, by = np.array(self.mean or np.zeros(len(mean))), np.array(self.std or np.ones(len(mean)))
        return replace(self, mean=tuple((before + by * mean).tolist()), std=tuple((by * std).tolist()))

    def data(self) -> dict[str, Any]:
        """This preparation as plain data for a file."""
        return asdict(self)

    @staticmethod
    def read(data: Any) -> Preparation:
        """The preparation that `data()` gave; what describes none is refused."""
        try:
            columns = tuple(Column(c["name"], c["kind"], tuple(c["words"]), amount(c["fill"])) for c in data["columns"])
            mean, std = (tuple(checks.number("a scale", v) for v in data[name]) for name in ("mean", "std"))
            names = tuple(data.get("names", ()))
            found = Preparation(columns, data["target"], tuple(data["classes"]), mean, std, data.get("delimiter", ","), names)
        except (AttributeError, TypeError, KeyError, ValueError) as wrong:
            raise BadValue(f"this says nothing about how a table is read: {checks.shown(data)}") from wrong
        found.checked()
        return found

    def checked(self) -> None:
        """Refuse names that are none, and a scale of another length."""
        check_delimiter(self.delimiter)
        for name in [*(c.name for c in self.columns), *([] if self.target is None else [self.target]), *self.names]:
            checks.name("the name of a column", name)
        for name, words in [*((c.name, c.words) for c in self.columns), (self.target, self.classes)]:
            for word in words:
                checks.name(f"a word of column '{name}'", word)
        for column in self.columns:
            checks.one_of("the kind of a column", column.kind, ("number", "date", "word"))
        if len(self.mean) != len(self.std) or len(self.mean) not in (0, len(self.features)):
            raise BadValue(f"a table of {len(self.features)} features has a scale of {len(self.mean)} and {len(self.std)} numbers")
        if not all(s > 0 for s in self.std):
            raise BadValue("a scale divides by numbers above 0")


def check_delimiter(delimiter: Any) -> None:
    """Refuse what cannot stand between two cells."""
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n" ' or not delimiter.isascii():
        raise BadValue(f"delimiter must be one character such as ',' or ';', got {checks.shown(delimiter)}")


def amount(fill: Any) -> float | None:
    """What an empty cell counts as, in a file."""
    return None if fill is None else checks.number("what an empty cell counts as", fill)


# -- what a table holds ------------------------------------------------------------------------------------------------


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
        return Column(name, kind, categories(name, cells), 0.0 if empty == "fill" else None)
    values = Column(name, kind, fill=np.nan).numbers(cells)
    return Column(name, kind, fill=float(np.nanmean(values)) if empty == "fill" else None)


def classes_of(target: str, cells: Cells, words: bool) -> tuple[str, ...]:
    """The classes of a target of words; none for numbers."""
    for row, value in zip(cells.rows, cells.column(target), strict=True):
        if missing(value):
            raise BadValue(f"{row}, column '{target}': the cell is empty, and a row without a label teaches nothing; leave it out")
    return categories(target, cells) if words or kind_of(target, cells) == "word" else ()


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


def word(value: Any) -> str:
    """A value as a word; whole numbers are written without their point, so that 1 and 1.0 are one word."""
    text = str(value)
    whole = WHOLE.fullmatch(text)
    return whole[1] if whole else text


def days(value: Any) -> float | None:
    """A date, or date and time, in days since 1970-01-01; None for anything else. Times without a zone count as UTC."""
    try:
        found = value if isinstance(value, date) else datetime.fromisoformat(value) if DAY.match(value) else None
    except (TypeError, ValueError):
        return None
    if found is None:
        return None
    moment = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86400
