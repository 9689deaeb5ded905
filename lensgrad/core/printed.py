"""Text for people, on consoles as they are: where one cannot write a character, an ASCII spelling of it stands in."""

from __future__ import annotations

import sys

ASCII = str.maketrans({
    "→": "->", "×": "x", "⊗": "(x)", "≥": ">=", "≤": "<=", "≠": "!=", "−": "-", "…": "...", "·": "*", "∘": "o", "⟨": "<", "⟩": ">",
    "Δ": "d", "ℝ": "R", "β": "b", "σ": "s", "²": "^2", "½": "1/2", "Σ": "sum", "π": "p", "∂": "d", "—": "-", "–": "-", "√": "sqrt",
})  # fmt: skip


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


__all__ = ["Printed", "encodable", "printable"]
