"""Numbers and dates in forms that are not read: a column of them is told, since it would be words otherwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.data.cells import parsed, quoted

NEARLY = 0.9  # of the cells of a column, by which it is known
MERGED = 0.1  # of the steps between numbers that are not whole, which may vanish unsaid
APART = " '\u2019\u00a0\u202f"  # what is written between thousands, beside a comma or a point


@dataclass(frozen=True)
class Form:
    """A form of numbers or dates: how it is known, what such a cell looks like, and how it is to be written."""

    pattern: re.Pattern[str]
    looks: str
    better: Callable[[str], str]


def pointed(text: str) -> str:
    """A number with a decimal comma, with a point."""
    return re.sub(f"[{APART}.]", "", text).replace(",", ".") if "," in text else text


def together(text: str) -> str:
    """A number whose thousands are apart, in one piece."""
    return re.sub(f"[{APART},]", "", text.replace(".", "") if text.count(".") > 1 else text)


def plainly(text: str) -> str:
    """A number that Python reads, in the digits 0 to 9."""
    return f"{float(text):.15g}"


def other(text: str) -> bool:
    """Whether Python reads a number where nobody else would: 1_000, or digits of another script."""
    try:
        return np.isfinite(float(text)) and parsed(text) is None
    except ValueError:
        return False


PERCENT = Form(re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)? ?%"), "a percentage", lambda text: pointed(text.rstrip("% ")))
DATE = Form(re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})"), "a date", lambda _: "2024-05-31, year first,")
THOUSANDS = rf"[+-]?[0-9]{{1,3}}(?:([{APART},])[0-9]{{3}}(?:\1[0-9]{{3}})*(?:\.[0-9]+)?|(?:\.[0-9]{{3}}){{2,}})"
GROUPED = Form(re.compile(THOUSANDS), "a number whose thousands are apart", together)
COMMA = Form(re.compile(rf"[+-]?(?:[0-9]*|[0-9]{{1,3}}(?:[{APART}.][0-9]{{3}})+),[0-9]+"), "a number with a decimal comma", pointed)
STRANGE = Form(re.compile(r"[^,%]+"), "a number in other signs than 0 to 9", plainly)
FORMS = (PERCENT, DATE, GROUPED, COMMA)


def form_of(value: Any) -> Form | None:
    """The form that a cell has; none for a word and for a plain number."""
    text = value.strip() if isinstance(value, str) else ""
    found = next((form for form in FORMS if form.pattern.fullmatch(text)), None)
    return found or (STRANGE if other(text) else None)


def oddly_written(values: Sequence[Any]) -> str:
    """What nearly all cells of a column look like, with one of them and how it is to be written; nothing where they are words."""
    forms = [(value, form) for value in values if parsed(value) is None and (form := form_of(value)) is not None]
    plain = sum(parsed(value) is not None for value in values)
    if not forms or len(forms) + plain < NEARLY * len(values):
        return ""
    most = COMMA if any(form is COMMA for _, form in forms) else Counter(form for _, form in forms).most_common(1)[0][0]
    value = next(value for value, form in forms if form is most)
    return f"'{quoted(value)}' looks like {most.looks}: write it as {most.better(str(value).strip())}"


def merged(values: np.ndarray[Any, Any]) -> tuple[float, float] | None:
    """Two different numbers of a column that are one in float32: of whole numbers any, of others where that happens often."""
    values = np.unique(values)
    lost = np.flatnonzero(np.diff(values.astype(np.float32)) == 0)
    if not len(lost) or (len(lost) <= MERGED * len(values) and not np.array_equal(values, np.trunc(values))):
        return None
    return float(values[lost[0]]), float(values[lost[0] + 1])
