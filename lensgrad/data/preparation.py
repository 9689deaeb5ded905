"""How a table becomes numbers: found on one table, kept with the data set and the run, and applied alike to every table after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, some, warn
from lensgrad.core.printed import brief
from lensgrad.data.arrays import allocated
from lensgrad.data.cells import Cells, days, missing, parsed, quoted, word
from lensgrad.data.forms import merged

Numbers = np.ndarray[Any, Any]
LARGEST = float(np.finfo(np.float32).max)
ROWS = 1024  # that are scaled at a time
MOST_FEATURES = 20_000  # that words may become, of all columns together
SHOWN = 3  # of the columns with most words
HINT = "fill it in, leave the row out, or say missing='fill'"


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
        """f64[rows] : numbers as they are, dates in days, and of words their places in `words`, an empty cell after the last."""
        if self.kind == "word":
            places = {known: k for k, known in enumerate(self.words)}
            return np.array(self.each(cells, lambda value, where: self.place(value, where, places)), np.float64)
        return np.array(self.each(cells, self.one), np.float64)

    def write(self, found: Numbers, x: Numbers, mean: Numbers, std: Numbers) -> None:
        """Write the numbers of this column into its features, which are 0, on their scale, if there is one."""
        if self.kind != "word":
            x[:, 0] = (found - mean) / std if len(mean) else found
            return
        known = np.flatnonzero(found < len(self.words))
        x[known, found[known].astype(np.int64)] = 1
        for part in range(0, len(x) if len(mean) else 0, ROWS):
            x[part : part + ROWS] = (x[part : part + ROWS] - mean) / std

    def each(self, cells: Cells, read: Callable[[Any, str], Any]) -> list[Any]:
        column = f", column '{brief(self.name)}'"
        return [read(value, row + column) for row, value in zip(cells.rows, cells.column(self.name), strict=True)]

    def one(self, value: Any, where: str) -> float:
        """A number, or a date in days."""
        if missing(value):
            return self.filled(where)
        found = parsed(value) if self.kind == "number" else days(value)
        if found is None:
            raise BadValue(f"{where}: {checks.shown(value)} is no {self.kind}{'' if self.kind == 'number' else ' such as 2024-05-31'}")
        if abs(found) > LARGEST:
            told = f"a number must be from {-LARGEST:.4g} to {LARGEST:.4g}, which float32 holds, got {quoted(value)}"
            raise BadValue(f"{where}: {told}; correct it, or give the column in a larger unit")
        return found

    def place(self, value: Any, where: str, places: Mapping[str, int]) -> int:
        """The number of a word; of an empty cell the number after the last."""
        if missing(value):
            self.filled(where)
            return len(self.words)
        if word(value) not in places:
            raise BadValue(f"{where}: '{brief(word(value))}' is none of the known values {some(self.words)}")
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
    exact: bool = False  # whether the scale is of the numbers as they stand, and not of those that float32 made of them

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(f for column in self.columns for f in column.features)

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        return {column.name: column.words for column in self.columns if column.kind == "word"}

    def inputs(self, cells: Cells, tell: bool = False) -> Numbers:
        """x : f32[rows, features], on the scale that was found in training; with `tell` numbers that become equal are told."""
        if not cells.rows:
            raise BadValue("the table has no rows")
        shape, start = (len(cells.rows), len(self.features)), 0  # one array, since words may make it large
        x = allocated("the features of a table", shape, np.float32, "take fewer rows, or leave columns out with drop=…")
        mean, std = np.array(self.mean), np.array(self.std)
        for column in self.columns:
            found, end = column.numbers(cells), start + len(column.features)
            if tell and column.kind != "word" and not self.mean:
                tell_merged(column.name, found)
            read = found if self.exact else found.astype(np.float32).astype(np.float64)  # as in training
            column.write(read, x[:, start:end], mean[start:end], std[start:end])
            start = end
        return x

    def labels(self, cells: Cells, tell: bool = False) -> Numbers:
        """The labels: i32[rows] class numbers, or f32[rows, 1] numbers."""
        if self.target is None:
            return np.zeros((len(cells.rows), 0), np.float32)
        column = Column(self.target, "word" if self.classes else "number", self.classes)
        found = column.numbers(cells)
        if self.classes:
            return found.astype(np.int32)
        if tell:
            tell_merged(self.target, found)
        return found.astype(np.float32)[:, None]

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
        made = Preparation(
            tuple(map(column_in, several(entry(data, "columns"), "columns"))),
            entry(data, "target"),
            several(entry(data, "classes"), "classes"),
            *(tuple(float(checks.number("a scale", v)) for v in several(entry(data, name), name)) for name in ("mean", "std")),
            delimiter=entry(data, "delimiter", ","),
            names=several(entry(data, "names", ()), "names"),
            exact=checks.flag("whether a scale is exact", entry(data, "exact", False)),
        )
        made.checked()
        return made

    def checked(self) -> None:
        """Refuse names that are none, and a scale of another length."""
        check_delimiter(self.delimiter)
        for name in [*(c.name for c in self.columns), *([] if self.target is None else [self.target]), *self.names]:
            checks.name("the name of a column", name)
        for name, words in [*((c.name, c.words) for c in self.columns), (self.target, self.classes)]:
            for one in words:
                checks.name(f"a word of column '{name}'", one)
        for column in self.columns:
            checks.one_of("the kind of a column", column.kind, ("number", "date", "word"))
        if len(self.mean) != len(self.std) or len(self.mean) not in (0, len(self.features)):
            raise BadValue(f"a table of {len(self.features)} features has a scale of {len(self.mean)} and {len(self.std)} numbers")
        if not all(s > 0 for s in self.std):
            raise BadValue("a scale divides by numbers above 0")


def tell_merged(name: str, found: Numbers) -> None:
    """Warn of different numbers that are one number in float32."""
    pair = merged(found)
    if pair is not None:
        told = f"column '{brief(name)}' has different numbers that are one in float32, such as {pair[0]:.17g} and {pair[1]:.17g}"
        warn(f"{told}: subtract the smallest of them from all, or leave the column out with drop=…")


def check_words(columns: tuple[Column, ...]) -> None:
    """Refuse words that become more features than anybody means."""
    widest = sorted((c for c in columns if c.kind == "word"), key=lambda c: -len(c.words))
    total = sum(len(c.words) for c in widest)
    if total > MOST_FEATURES:
        shown = ", ".join(f"'{brief(c.name)}' ({len(c.words):,})" for c in widest[:SHOWN])
        told = f"words become at most {MOST_FEATURES:,} features, one each, and the columns of this table have {total:,}"
        raise BadValue(f"{told}, most of them {shown}: leave such columns out with drop=…, or group their words")


def check_delimiter(delimiter: Any) -> None:
    """Refuse what cannot stand between two cells."""
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n" ' or not delimiter.isascii():
        raise BadValue(f"delimiter must be one character such as ',' or ';', got {checks.shown(delimiter)}")


# -- from plain data ---------------------------------------------------------------------------------------------------


def entry(data: Any, name: str, *usual: Any) -> Any:
    """What plain data says under a name, or the usual where it may say nothing."""
    if not checks.is_dict(data) or (name not in data and not usual):
        raise BadValue(f"this says nothing about how a table is read, since it has no '{name}': {checks.shown(data)}")
    return data.get(name, *usual)


def several(value: Any, what: str) -> tuple[Any, ...]:
    """The items of a list in plain data; a text is none."""
    if not checks.is_sequence(value):
        raise BadValue(f"the {what} of a table must be a list, got {checks.shown(value)}")
    return tuple(value)


def column_in(data: Any) -> Column:
    """A column of plain data."""
    fill = entry(data, "fill")
    amount = None if fill is None else float(checks.number("what an empty cell counts as", fill))
    return Column(entry(data, "name"), entry(data, "kind"), several(entry(data, "words"), "words"), amount)
