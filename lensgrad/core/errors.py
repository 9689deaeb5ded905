"""Every error a user can meet: one class per kind, each message a sentence with what to do about it."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from lensgrad.core.printed import brief, clean

PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SIZE = r"(?<=[\[,])\d+"  # one axis inside the brackets of an array type


class LensgradError(Exception):
    """The common ancestor: `except LensgradError` catches what the library refuses, and nothing else.

    What a message quotes may be anything; what steers a terminal stands in it as an escape.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*("\n".join(map(clean, a.split("\n"))) if isinstance(a, str) else a for a in args))


class TypeMismatch(LensgradError, TypeError):
    """Two objects had to be equal and are not."""


class WireError(LensgradError, TypeError):
    """A wire of a traced function was used as if it were a value."""


class UnknownParameter(LensgradError, LookupError):
    """A pattern reached no parameter."""

    def __str__(self) -> str:
        return str(self.args[0])


class OutOfRange(LensgradError, IndexError):
    """A sequence has no such place."""


class NoAttribute(LensgradError, AttributeError):
    """Something was looked for where it is not, and it is known where it is; `hasattr` answers False as ever."""


class NameClash(LensgradError, ValueError):
    """A computed name would collide with a name given by the user."""


class NoRule(LensgradError, TypeError):
    """A transformation has no rule for a generator."""


class NoChange(LensgradError, TypeError):
    """An object has no changes, or changes without negatives, where a rule for learning needs them."""


class NotAReverse(LensgradError, TypeError):
    """A lens was asked for the arrow it is the reverse derivative of, and is none."""


class BadValue(LensgradError, ValueError):
    """Data or an attribute that is not allowed where it was given."""


class TooLarge(LensgradError, OverflowError):
    """A whole number that the machine words of a backend do not hold."""


class OutOfMemory(LensgradError, MemoryError):
    """Arrays that the memory of this machine does not hold."""


class BadCheckpoint(LensgradError, ValueError):
    """A learner that cannot be written to a file, or a file that is damaged, foreign, newer, or of another learner."""


class CheckFailed(LensgradError, AssertionError):
    """A law that a generator promises does not hold."""


class MissingData(LensgradError, FileNotFoundError):
    """A data file is on no place where it is looked for."""


class MissingExtra(LensgradError, ImportError):
    """An optional dependency is not installed."""


class LensgradWarning(UserWarning):
    """What somebody should know who goes on: training does not stop for it."""


@dataclass(frozen=True)
class Piece:
    """What an error says about one component: its name, where it was written, and how to retype it.

    `accept` and `produce` are call texts with `{}` for the size that would fit, such as `dense({}, …)`.
    """

    name: str
    where: str = ""
    accept: str = ""
    produce: str = ""

    def scoped(self, prefix: str) -> Piece:
        return Piece(f"{prefix}/{self.name}" if self.name else prefix, self.where, self.accept, self.produce)

    @property
    def shown(self) -> str:
        return self.name or "arrow"


def caller() -> str:
    """`file.py:line` of the innermost frame outside the library, or an empty string."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if frame is not None else ""


def warn(text: str) -> None:
    """Say something at the line of the caller outside the library."""
    level, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, LensgradWarning, stacklevel=level + 1)


def mismatch(left: Piece, gives: str, right: Piece, wants: str) -> TypeMismatch:
    """The error for `left >> right` where the types do not meet: both pieces, both types, axis and fix."""
    names = f"{left.shown}/out", f"{right.shown}/in"
    width, types = max(map(len, names)), (gives, wants)
    lines = [f"cannot compose  {left.shown} >> {right.shown}"]
    lines += [f"  {n.ljust(width)}  {v}  {t}" for n, v, t in zip(names, ("gives", "wants"), types, strict=True)]
    axis = differing_axis(gives, wants)
    if axis is not None:
        index, have, want, column = axis
        lines.append(" " * (2 + width + 9 + column) + "^" * len(want) + f" axis {index}: {have} is not {want}")
    lines += met(left.shown, parts(gives), parts(wants), right.shown)
    lines.append("  fix: " + fixes(left, right, axis))
    return TypeMismatch("\n".join(lines))


def parts(text: str) -> list[str]:
    """The factors of a type: `f32[3] × (f32[2] × f32[2], I)` has two."""
    found, depth = [""], 0
    for word in [] if text == "I" else text.split(" "):
        if word == "×" and not depth:
            found.append("")
            continue
        depth += word.count("(") - word.count(")")
        found[-1] = f"{found[-1]} {word}".strip()
    return [part for part in found if part]


def met(left: str, gives: Sequence[str], wants: Sequence[str], right: str) -> list[str]:
    """A picture of two ends of several wires, wire by wire, so that it is seen which of them do not meet; none for one wire."""
    size = max(len(gives), len(wants))
    rows = [(brief(a), brief(b)) for a, b in zip_longest(gives, wants, fillvalue="")][:WIRES]
    names = ["arrow" if n.startswith("(") else brief(n) for n in (left, right)]
    sides = [max(len(row[k]) for row in rows) if rows else 0 for k in (0, 1)]
    if size < 2 or sum(map(len, names)) + sum(sides) > ROOM:
        return []
    drawn = [
        f"  {(names[0] if not k else '').rjust(len(names[0]))} {wire(*row, *sides)} {'' if k else names[1]}" for k, row in enumerate(rows)
    ]
    return [line.rstrip() for line in drawn] + [f"  … {size - WIRES:,} more wires"] * (size > WIRES)


def wire(a: str, b: str, wide: int, far: int) -> str:
    """A wire from a type to a type, broken where they differ or one is missing."""
    ahead = f"├─ {a} {'─' * (wide - len(a))}" if a else f"│{' ' * (wide + 3)}"
    behind = f"{'─' * (far - len(b))} {b} ─┤" if b else f"{' ' * (far + 3)}│"
    return ahead + ("──▶" if a == b else f"{'─' if a else ' '}╳{'─' if b else ' '}") + behind


WIRES, ROOM = 4, 90  # of a picture of two ends: wires, and characters of names and types in a row
Axis = tuple[int, str, str, int]  # its number, the size on the left and on the right, and its column in the right type


def differing_axis(gives: str, wants: str) -> Axis | None:
    """The first axis in which two types differ that are otherwise written alike."""
    ours, theirs = list(re.finditer(SIZE, gives)), list(re.finditer(SIZE, wants))
    if re.sub(SIZE, "", gives) != re.sub(SIZE, "", wants) or len(ours) != len(theirs):
        return None
    for a, b in zip(ours, theirs, strict=True):
        if a.group() != b.group():
            inside = wants[wants.rindex("[", 0, b.start()) : b.start()]
            return inside.count(","), a.group(), b.group(), b.start()
    return None


def fixes(left: Piece, right: Piece, axis: Axis | None) -> str:
    """The smallest changes that would make the two sides meet, where the pieces say how."""
    if axis is None:
        return "make the two types equal, or put a reshape, flatten or cast between them"
    _, have, want, _ = axis
    options = [(right.accept, have, right), (left.produce, want, left)]
    told = [f"{call.replace('{}', size)} in {p.shown}" + (f" ({p.where})" if p.where else "") for call, size, p in options if call]
    return ", or ".join(told) or f"make both sizes {have}, or both {want}"


def listed(names: Sequence[str]) -> str:
    """Names for a message: all of them, separated by commas."""
    return ", ".join(map(str, names)) or "none"


def some(names: Sequence[str], most: int = 20) -> str:
    """The first of many names for a message, each cut where it is long: `a, b and 980 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return listed([brief(str(name)) for name in names[:most]]) + more
