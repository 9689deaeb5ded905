"""The lines of a CSV file; a quote that stays open, and cells divided by another character, are told in a sentence."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from lensgrad.core.errors import BadValue

Line = tuple[int, list[str]]  # the number of its last line in the file, and its cells
DELIMITERS = (",", ";", "\t", "|")
END = "end"  # is read after the file, and is a line of its own unless a quote is still open
FEW = 10  # lines by which the delimiter of a file is known
QUOTES = re.compile('"+')


def lines_in(where: Path, delimiter: str) -> list[Line]:
    """The cells of every line of a file that has some."""
    rows, last, first = list[Line](), 0, 1
    with opened(where) as file:
        lines = csv.reader(chain(file, [END]), delimiter=delimiter, skipinitialspace=True)
        try:
            for row in lines:
                last, first = first, lines.line_num + 1
                rows += [(lines.line_num, row)] if row else []
        except UnicodeDecodeError:
            raise BadValue(f"'{where}' is no text in UTF-8: save it as CSV in UTF-8") from None
        except csv.Error as wrong:
            check_closed(where, first, lines.line_num)
            if "field limit" in str(wrong):
                told = f"line {first} of '{where}' has a cell of more than {csv.field_size_limit():,} characters"
                raise BadValue(f"{told}: shorten it, or take its column out of the file") from None
            raise BadValue(f"line {first} of '{where}' is no line of CSV: {wrong}") from None
    if last < rows[-1][0]:  # the end is no line of its own
        check_closed(where, last, rows[-1][0])
    return rows[:-1]


def check_closed(where: Path, first: int, end: int) -> None:
    """Refuse a cell that begins with a quote after line `first` and goes on at line `end`.

    Inside of it quotes stand in pairs, so the last that do not are where it opens.
    """
    with opened(where) as file:
        numbered = enumerate(islice(file, first - 1, end - 1), first)
        odd = [number for number, line in numbered if any(len(quotes) % 2 for quotes in QUOTES.findall(line))]
    if odd:
        raise BadValue(f"line {odd[-1]} of '{where}' opens a quote that is never closed: write a \" at the end of its cell, or take it out")


def opened(where: Path) -> TextIO:
    """A file to be read as it is, without the mark at its beginning."""
    return where.open(encoding="utf-8-sig", newline="")


def check_divided(rows: Sequence[Line], columns: int | None, path: str, delimiter: str) -> None:
    """Refuse a file whose cells are divided by another character; with None its first line says how many columns there are."""
    texts = [delimiter.join(row) for _, row in rows[:FEW]]
    found = len(rows[0][1]) if rows else 0
    if not rows or (found > 1 if columns is None else found == columns):
        return
    for other in DELIMITERS:
        least = texts[0].count(other) if columns is None else columns - 1
        if other != delimiter and least and all(text.count(other) >= least for text in texts):
            told = f"the cells of '{path}' are divided by {other!r}, and {delimiter!r} was expected"
            raise BadValue(f"{told}: give delimiter={other!r}, or save the file with {delimiter!r} between its cells")
