"""Features as bits: thermometers for numbers, one bit for each word, and what to call them.

A fitted encoder is a plain value, so the circuit that learned from its bits and the encoder can be kept side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import floor, prod
from typing import Any

import numpy as np

from lensgrad.core.checks import clean, is_number, is_whole, whole
from lensgrad.core.checks import names as checked_names
from lensgrad.core.errors import BadValue, listed, some, warn
from lensgrad.core.printed import brief
from lensgrad.data.arrays import array
from lensgrad.data.cells import Cells, missing, parsed, quoted
from lensgrad.data.forms import oddly_written
from lensgrad.data.tables import csv_cells

__all__ = ["Encoder", "OneHot", "Thermometer", "csv_cells", "encoder", "joined"]

Column = np.ndarray[Any, Any]
Columns = Mapping[str, Column]
FINEST = 6  # decimal places that are looked for in a column of numbers
FINE, WIDEST = 16, 48  # bits of a number that arrives in hardware
NEAR = 1e-6  # how near to a whole number counts as one, since 0.3 / 0.1 is none
WHOLE = re.compile(r"^(-?\d+)\.0+$")  # a whole number with a point
MOST_WORDS = 256  # of a column, since each is an input


@dataclass(frozen=True)
class Thermometer:
    """A column of numbers as bits v > t, one for each threshold, rising.

    In hardware the number arrives as the whole number (v − low) / step; `low`, `high` and `step` are those of the training data.
    """

    name: str
    thresholds: tuple[float, ...]
    low: float = 0.0
    high: float = 1.0
    step: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{joined(self.name)}>{t!r}".removesuffix(".0") for t in self.thresholds)

    def bits(self, column: Column, rows: Sequence[str]) -> Column:
        found = numbers(self.name, column, rows)
        return (found[:, None] > np.array(self.thresholds)).astype(np.uint8)

    def whole(self, value: float) -> int:
        """The whole number in which a value arrives in hardware, cut off at both ends."""
        last = round((self.high - self.low) / self.step)
        return min(max(round((value - self.low) / self.step), 0), last)

    def bound(self, threshold: float) -> int:
        """The largest whole number that is not above a threshold: v > threshold where `whole(v)` > `bound(threshold)`."""
        place = (threshold - self.low) / self.step
        return round(place) if abs(place - round(place)) <= NEAR + 4 * abs(float(np.spacing(place))) else floor(place)

    def faithful(self, values: Column) -> bool:
        """Whether the comparisons of whole numbers say the same as those of the values."""
        arrived = np.clip(np.rint((values - self.low) / self.step), 0, round((self.high - self.low) / self.step))
        return all(((arrived > self.bound(t)) == (values > t)).all() for t in self.thresholds)


@dataclass(frozen=True)
class OneHot:
    """A column of words as one bit for each word of the training data."""

    name: str
    values: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{joined(self.name)}={joined(v)}" for v in self.values)

    def bits(self, column: Column, rows: Sequence[str]) -> Column:
        places = {v: i for i, v in enumerate(self.values)}
        found = words(self.name, column, rows)
        strange = next(((row, v) for row, v in zip(rows, found, strict=True) if v not in places), None)
        if strange is not None:
            raise BadValue(f"{strange[0]}, column '{self.name}': '{brief(strange[1])}' is none of the known values {some(self.values)}")
        return np.eye(len(self.values), dtype=np.uint8)[[places[v] for v in found]]


@dataclass(frozen=True)
class Encoder:
    """Rows of a table → rows of bits: `encoder.encode(rows)` : 𝔹[n, bits]; `names` says what each bit is, as in `petal_width>0.8`."""

    columns: tuple[Thermometer | OneHot, ...]

    def __post_init__(self) -> None:
        twice = [n for k, n in enumerate(self.names) if n in set(self.names[:k])] if len(set(self.names)) < len(self.names) else []
        if twice:
            raise BadValue(f"two bits would be called '{twice[0]}': rename a column, as spaces in names become '_'")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(n for c in self.columns for n in c.names)

    @property
    def possible(self) -> int:
        """How many rows of bits there can be."""
        return prod(len(c.names) + isinstance(c, Thermometer) for c in self.columns)

    def encode(self, rows: Any) -> Column:
        """Bits of a table with the columns that the encoder was fitted to: array, data frame, dict of columns, cells of a file."""
        columns, labels = columns_of(rows, tuple(c.name for c in self.columns))
        absent = [c.name for c in self.columns if c.name not in columns]
        if absent:
            raise BadValue(f"there is no column '{brief(absent[0])}'; the columns are: {some(list(columns))}")
        parts = [c.bits(columns[c.name], labels) for c in self.columns]
        return np.concatenate(parts, 1) if parts else np.zeros((len(labels), 0), np.uint8)

    def data(self) -> list[dict[str, Any]]:
        """The encoder as plain data, which `Encoder.read` takes."""
        return [{"kind": type(c).__name__.lower(), **vars(c)} for c in self.columns]

    @classmethod
    def read(cls, data: Sequence[Mapping[str, Any]]) -> Encoder:
        """The encoder that `data` gave as plain data."""
        try:
            return cls(tuple(column_read(entry) for entry in data))
        except (KeyError, TypeError, ValueError) as wrong:
            raise BadValue(f"this is no encoder as `Encoder.data` writes it: {type(wrong).__name__}, {wrong}") from None


def column_read(entry: Mapping[str, Any]) -> Thermometer | OneHot:
    if entry["kind"] == "onehot":
        return OneHot(entry["name"], tuple(map(str, entry["values"])))
    ends = {key: float(entry[key]) for key in ("low", "high", "step")}
    return Thermometer(entry["name"], tuple(map(float, entry["thresholds"])), **ends)


# -- fitting -----------------------------------------------------------------------------------------------------------


def encoder(
    rows: Any,
    *,
    levels: int = 8,
    thresholds: Sequence[float] | None = None,
    categorical: Sequence[str] | str = (),
    drop: Sequence[str] = (),
    rare: float = 0.0,
) -> Encoder:
    """The encoder of a table (an array, images, a data frame, a dict of columns), fitted to its rows.

    A column of numbers becomes a thermometer of at most `levels` bits. Its thresholds lie between neighboring values of the column:
    all of these places where there are few enough, else those nearest the quantiles k / (levels + 1). `thresholds` gives the
    same ones to every column instead, as for pixels. A column of words, and any named in `categorical` (or "all"), becomes
    one bit for each of its values. A threshold with a share ≤ `rare` of the rows above it, or below, is left out.
    """
    levels = whole("levels, the bits of a thermometer,", levels, 1)
    columns, labels = columns_of(rows)
    if isinstance(categorical, str):
        categorical = categorical if categorical == "all" else [categorical]
    else:
        categorical = checked_names("categorical", categorical)
    drop = [drop] if isinstance(drop, str) else checked_names("drop", drop)
    chosen = [*([] if categorical == "all" else categorical), *drop]
    strange = [name for name in chosen if name not in columns]
    if strange:
        raise BadValue(f"there is no column '{brief(strange[0])}'; the columns are: {some(list(columns))}")
    if not len(labels):
        raise BadValue("the table has no rows, so no encoder can be fitted to it")
    fitted = list[OneHot | Thermometer]()
    for name, column in columns.items():
        if name in drop:
            continue
        meant = categorical == "all" or name in categorical
        if meant or wordy(name, column, labels):
            tell_odd(name, "" if meant else oddly_written(column.tolist()))
            fitted.append(OneHot(name, few(name, sorted_words(words(name, column, labels)))))
        else:
            fitted.append(thermometer(name, numbers(name, column, labels), levels, thresholds, rare))
    return Encoder(tuple(fitted))


def tell_odd(name: str, odd: str) -> None:
    """Warn of a column that is read as words and looks like numbers or dates."""
    if odd:
        warn(f"column '{brief(name)}' is read as words, and {odd}, or name the column in categorical=… if words are meant")


def few(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > MOST_WORDS:
        raise BadValue(f"column '{name}' has {len(values)} different words, and each would be an input: leave it out, or group them")
    return values


def thermometer(name: str, values: Column, levels: int, thresholds: Sequence[float] | None, rare: float) -> Thermometer:
    """The thermometer of a column: thresholds that tell apart values it has."""
    distinct = np.unique(values)
    chosen = between(values, distinct, levels) if thresholds is None else given_thresholds(thresholds)
    shares = [float((values > t).mean()) for t in chosen]
    kept = tuple(t for t, share in zip(chosen, shares, strict=True) if rare < share < 1 - rare)
    return resolved(Thermometer(name, kept, float(distinct[0]), float(distinct[-1])), distinct)


def given_thresholds(thresholds: Sequence[float]) -> list[float]:
    try:
        found = sorted(set(map(float, thresholds)))
    except (TypeError, ValueError):
        raise BadValue(f"thresholds must be numbers, got {thresholds!r}") from None
    if not np.isfinite(found).all():
        raise BadValue(f"thresholds must be finite numbers, got {thresholds!r}")
    return found


def between(values: Column, distinct: Column, levels: int) -> list[float]:
    """Thresholds between neighboring values: all, or those at the quantiles."""
    if len(distinct) - 1 > levels:
        marks = np.quantile(values, np.arange(1, levels + 1) / (levels + 1), method="inverted_cdf")
        places = np.unique(np.minimum(np.searchsorted(distinct, marks), len(distinct) - 2))
    else:
        places = np.arange(len(distinct) - 1)
    return [short(float(distinct[i]), float(distinct[i + 1])) for i in places]


def short(low: float, high: float) -> float:
    """The number of fewest digits near the middle of two and between them, so that rounding to float32 does not matter."""
    middle, margin = low / 2 + high / 2, min(1e-6 * max(abs(low), abs(high)), (high - low) / 4)
    for digits in range(1, 17):
        found = float(f"{middle:.{digits}g}")
        if low + margin < found < high - margin:
            return found
    return low  # no number is between: v > low still tells them apart


def resolved(column: Thermometer, distinct: Column) -> Thermometer:
    """The column with the step in which its numbers arrive: the power of ten of which all values are multiples, where there is one.

    Else it is 1 / 2¹⁶ of the range, or the least distance of a threshold from the values beside it, so that no comparison is
    lost (in at most 48 bits).
    """
    for places in range(FINEST + 1):
        scaled, found = distinct * 10.0**places, replace(column, step=float(f"1e-{places}"))
        rounding = np.clip(np.abs(scaled) * 2.0**-22, NEAR, 0.1)  # of values that were float32 once
        if (np.abs(scaled - np.round(scaled)) <= rounding).all() and found.faithful(distinct):
            return found
    above = [int(np.searchsorted(distinct, t, side="right")) for t in column.thresholds]
    apart = [float(d) for t, k in zip(column.thresholds, above, strict=True) for d in (t - distinct[k - 1], distinct[k] - t) if d > 0]
    span = column.high - column.low
    return replace(column, step=max(min(*apart, span / 2.0**FINE), span / 2.0**WIDEST)) if apart else column


# -- columns -----------------------------------------------------------------------------------------------------------


def columns_of(rows: Any, names: Sequence[str] | None = None) -> tuple[Columns, Sequence[str]]:
    """The columns of a table by name, and what its rows are called in errors."""
    if isinstance(rows, Cells):
        return {name: np.asarray(values, object) for name, values in rows.columns.items()}, rows.rows
    keys = getattr(rows, "columns", rows)
    if keys is not rows or isinstance(rows, Mapping):
        names = [str(name) for name in keys]
        twice = [n for k, n in enumerate(names) if n in names[:k]]
        if twice:
            raise BadValue(f"two columns of the table are called '{twice[0]}': give every column a name of its own")
        columns = {str(name): one_column(str(name), rows[name]) for name in keys}
        sizes = {len(c) for c in columns.values()}
        if len(sizes) > 1:
            raise BadValue(f"the columns of a table are equally long, and these have {listed(sorted(map(str, sizes)))} rows")
        return columns, Rows(sizes.pop() if sizes else 0)
    return array_columns(array(rows, "the table"), names)


def one_column(name: str, values: Any) -> Column:
    found = array(values, name)
    if found.ndim != 1:
        raise BadValue(f"column '{name}' has one value for each row, and this one has shape {found.shape}")
    return found


def array_columns(table: Column, names: Sequence[str] | None) -> tuple[Columns, Sequence[str]]:
    """The columns of an array, called x0, x1, … unless there are names; of images, by their places."""
    if table.ndim < 2:
        raise BadValue(f"a table has rows and columns, and this array has shape {table.shape}")
    flat = table.reshape(len(table), prod(table.shape[1:]))
    if names is None:
        places = product(*(range(n) for n in table.shape[1:] if n > 1 or table.ndim == 2))
        names = ["x" + ",".join(map(str, place)) for place in places]
    if flat.shape[1] != len(names):
        raise BadValue(f"this encoder expects rows of {len(names)} columns ({listed(list(names)[:6])}), got {flat.shape[1]}")
    return {name: flat[:, k] for k, name in enumerate(names)}, Rows(len(flat))


@dataclass(frozen=True)
class Rows(Sequence[str]):
    """`row 0`, `row 1`, …, made when an error asks."""

    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, i: Any) -> Any:
        if not 0 <= i < self.size:
            raise IndexError(i)
        return f"row {i}"


def wordy(name: str, column: Column, rows: Sequence[str]) -> bool:
    """Whether a column has words; one strange cell among numbers is an error instead."""
    if column.dtype.kind in "biuf":
        return False
    strange = [(row, v) for row, v in zip(rows, column.tolist(), strict=True) if not missing(v) and parsed(v) is None]
    if strange and 2 * len(strange) < len(column):
        told = f"{len(column) - len(strange)} other cells of the column are"
        row, value = strange[0]
        raise BadValue(
            f"{row}, column '{name}': '{quoted(value)}' is no number, and {told}; correct it, or name the column in categorical=…"
        )
    return bool(strange)


def numbers(name: str, column: Column, rows: Sequence[str]) -> Column:
    """A column as finite numbers."""
    if column.dtype.kind in "biuf":
        found = np.asarray(column, np.float64)
    else:
        found = np.array([np.nan if missing(v) or (number := parsed(v)) is None else number for v in column.tolist()], np.float64)
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        row, value = rows[int(wrong[0])], column[int(wrong[0])]
        empty = missing(value) or str(value) in ("nan", "NaT", "<NA>")
        told = "the cell is empty; fill it in or leave the row out" if empty else f"'{quoted(value)}' is no finite number"
        raise BadValue(f"{row}, column '{name}': {told}")
    return found


def words(name: str, column: Column, rows: Sequence[str]) -> list[str]:
    """A column as words; whole numbers lose their point."""
    found = list(column) if column.dtype.kind == "f" else column.tolist()  # a number as short as its own precision allows
    absent = next((i for i, v in enumerate(found) if missing(v)), None)
    if absent is not None:
        raise BadValue(f"{rows[absent]}, column '{name}': the cell is empty; fill it in or leave the row out")
    return list(map(word, found))


def word(value: Any) -> str:
    """A value as a word: 1, 1.0 and "1.0" are one."""
    if is_number(value) and not is_whole(value) and float(value).is_integer():
        return str(int(value))
    return WHOLE.sub(r"\1", str(value))


def sorted_words(found: Sequence[str]) -> tuple[str, ...]:
    """Different words, sorted, as numbers where all are."""
    distinct = set(found)
    sizes = {w: n for w in distinct if (n := parsed(w)) is not None}
    return tuple(sorted(distinct, key=lambda w: (sizes[w], w)) if len(sizes) == len(distinct) else sorted(distinct))


def joined(name: str) -> str:
    """A name without spaces, as circuits have them."""
    return "_".join(clean(name).split()) or "_"
