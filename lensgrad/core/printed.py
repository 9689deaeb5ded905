"""Text for people, on consoles as they are: where one cannot write a character, an ASCII spelling of it stands in."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence

ASCII = str.maketrans({
    "→": "->", "×": "x", "⊗": "(x)", "≥": ">=", "≤": "<=", "≠": "!=", "−": "-", "…": "...", "·": "*", "∘": "o", "⟨": "<", "⟩": ">",
    "Δ": "d", "ℝ": "R", "β": "b", "σ": "s", "²": "^2", "½": "1/2", "Σ": "sum", "π": "p", "∂": "d", "—": "-", "–": "-", "√": "sqrt",
    "─": "-", "╌": "-", "│": "|", "╎": ":", **dict.fromkeys("┌┐└┘├┤┬┴┼⊕", "+"), "▶": ">", "◀": "<", "▲": "^", "▼": "v", "●": "o",
    "∧": "and", "∨": "or", "¬": "not", "÷": "/",
})  # fmt: skip


SHOWN = 60  # characters of what stands in a message


class Printed(str):
    """A text that `print` writes on any console. It is the same text in comparisons, in files, and wherever else texts are."""

    __slots__ = ()

    def __str__(self) -> str:
        return printable(self[:])


def printable(text: str) -> str:
    """A text as the console of this program can write it."""
    return encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8")


def encodable(text: str, encoding: str) -> str:
    """A text in which an encoding has every character: as it is, or else in ASCII."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


def clean(text: str) -> str:
    """Text without characters that steer a terminal or end a line: each becomes its escape."""
    return text if text.isprintable() else "".join(ascii(c)[1:-1] if unprintable(c) else c for c in text)


def brief(text: str, most: int = SHOWN) -> str:
    """A text for a message: on one line, and cut where it is long."""
    text = clean(text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def unprintable(c: str) -> bool:
    """Whether a character steers, breaks lines, or stands for nothing; the joiners of letters are allowed, since languages need them."""
    return c not in "\u200c\u200d" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


def few(names: Sequence[str], most: int = 8) -> str:
    """The first of some names, and whether there are more."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


def counted(n: int, thing: str) -> str:
    """A number of things whose plural has an s: 1 cell, 2 cells."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


__all__ = ["Printed", "brief", "clean", "counted", "encodable", "few", "printable", "unprintable"]
