"""The cells of a table: where they stand, and what one of them says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from lensgrad.core.errors import BadValue, some
from lensgrad.core.printed import brief

WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Cells:
    """The columns of a table as lists of values, and how to say where a row stands."""

    columns: Mapping[str, Sequence[Any]]
    rows: Sequence[str]  # "line 7" or "row 5"

    def column(self, name: str) -> Sequence[Any]:
        if name not in self.columns:
            raise BadValue(f"there is no column '{brief(name)}'; the columns are: {some(list(self.columns))}")
        return self.columns[name]

    def at(self, places: Sequence[int]) -> Cells:
        """Some of the rows."""
        return Cells({name: [values[k] for k in places] for name, values in self.columns.items()}, [self.rows[k] for k in places])


def missing(value: Any) -> bool:
    """An empty cell, or what data frames put there: None, NaN, NaT, NA."""
    if isinstance(value, str):
        return not value
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


def parsed(value: Any) -> float | None:
    """A number, or None. Of text a plain one counts, as in -1.5e3, and no 1_000 or digits of other scripts; too large is infinite."""
    if isinstance(value, str):
        return float(value) if PLAIN.fullmatch(value.strip()) else None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def quoted(value: Any) -> str:
    """What stands in a cell, for a message: on one line, and cut where it is long."""
    try:
        return brief(str(value))
    except ValueError:  # Python writes no whole number of so many digits
        return "a number of thousands of digits"


def word(value: Any) -> str:
    """A value as a word; whole numbers are written without their point, so that 1 and 1.0 are one word."""
    try:
        text = str(value)
    except ValueError:
        raise BadValue(f"a word must be text or a short number, got {quoted(value)}: correct it") from None
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
