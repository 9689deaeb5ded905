"""The cells of a table: where they stand, and what one of them says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from lensgrad.core.errors import BadValue, listed

WHOLE = re.compile(r"([+-]?\d+)\.0+")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Cells:
    """The columns of a table as lists of values, and how to say where a row stands."""

    columns: Mapping[str, Sequence[Any]]
    rows: Sequence[str]  # "line 7" or "row 5"

    def column(self, name: str) -> Sequence[Any]:
        if name not in self.columns:
            raise BadValue(f"there is no column '{name}'; the columns are: {listed(list(self.columns))}")
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
    """A finite number, or None."""
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


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
