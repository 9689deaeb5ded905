"""Text as numbers: a vocabulary of characters, windows for predicting the next one, and padding to one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, listed
from lensgrad.data.arrays import allocated, array
from lensgrad.data.bundled import Dataset

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Characters:
    """A vocabulary: characters numbered 0, 1, … in the order of `symbols`."""

    symbols: str

    def __post_init__(self) -> None:
        if not checks.is_text(self.symbols):
            raise BadValue(f"a vocabulary must be text, got {checks.shown(self.symbols)}")
        if len(set(self.symbols)) != len(self.symbols):
            raise BadValue(f"a vocabulary must have every character once, got {self.symbols!r:.60}")

    @classmethod
    def of(cls, text: str) -> Characters:
        """The characters of a text, in the order of their code points."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> Numbers:
        """Text → i32[len(text)]."""
        places = {c: i for i, c in enumerate(self.symbols)}
        try:
            return np.fromiter((places[c] for c in text), np.int32, len(text))
        except KeyError as strange:
            c = strange.args[0]
            raise BadValue(f"character {c!r} at position {text.index(c)} is not among the {len(self)} of this vocabulary") from None

    def decode(self, ids: Any) -> str:
        """i32[n] → text."""
        ids = np.asarray(ids)
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self):
            raise BadValue(f"numbers run from {ids.min()} to {ids.max()}, and the {len(self)} characters are numbered 0 to {len(self) - 1}")
        return "".join(self.symbols[i] for i in ids.ravel())


def windows(ids: Any, length: int, stride: int | None = None) -> Dataset:
    """Pieces of a sequence and the same pieces one step later: x, y : [n, length] with y[i, t] = x[i, t + 1].

    A piece begins every `stride` tokens (`length` unless given, so that none overlap). Nothing is copied.
    """
    ids = array(ids, "ids")
    length = checks.whole("the length of a window", length, 1)
    step = length if stride is None else checks.whole("stride", stride, 1)
    if ids.ndim != 1:
        raise BadValue(f"windows expects one sequence, an array of one axis, got shape {ids.shape}")
    if len(ids) <= length:
        raise BadValue(f"a window of {length} tokens and its next one need {length + 1}, and the sequence has {len(ids)}")
    views = np.lib.stride_tricks.sliding_window_view(ids, length)
    return Dataset(views[:-1:step], views[1::step])


def filling(value: float | np.bool[Any]) -> float:
    """What padding is made of: a number or a truth value."""
    if isinstance(value, bool | np.bool):
        return bool(value)
    number = checks.number("value, what pad fills up with,", value)
    if isinstance(number, int) and abs(number) >= 2**31:
        raise BadValue(f"value, what pad fills up with, must be a number that 32 bits hold, got {checks.shown(value)}")
    return number


def kind_of(rows: Sequence[Numbers]) -> np.dtype[Any]:
    """The dtype that holds all sequences."""
    strange = next((r for r in rows if r.dtype.kind not in "biuf"), None)
    if strange is not None:
        raise BadValue(f"pad expects sequences of numbers, got one of dtype {strange.dtype}")
    return np.result_type(*rows)


def pad(sequences: Sequence[Any], length: int | None = None, value: Any = 0, names: tuple[str, str] = ("x", "mask")) -> dict[str, Numbers]:
    """Sequences of different lengths as two arrays by name: x : [n, length, …], and mask : bool[n, length], true where x is theirs.

    What is left of a row is `value`; `length` is that of the longest when not given. Layers that read a mask beside a sequence
    (`lg.masked(lg.lstm(…))`, attention, pooling) pass over padding: a padded batch has the loss and gradients of its sequences alone.
    """
    rows = [array(s, "a sequence") for s in checks.listing("what pad takes", sequences, "a list of sequences")]
    if not rows:
        raise BadValue("pad expects at least one sequence, got none")
    if any(r.ndim == 0 or r.shape[1:] != rows[0].shape[1:] for r in rows):
        raise BadValue(f"sequences differ in their first axis only, got shapes {listed(sorted({str(r.shape) for r in rows}))}")
    longest = max(map(len, rows))
    steps = longest if length is None else length
    if not checks.is_whole(steps) or not max(longest, 1) <= steps < 2**31:
        raise BadValue(
            f"length={checks.shown(length)} cannot hold the longest sequence, of {longest} steps: cut the sequences or give more"
        )
    shape, fix = (len(rows), int(steps), *rows[0].shape[1:]), "cut the longest sequences, or pad fewer at a time"
    rest, x = filling(value), allocated("padded sequences", shape, kind_of(rows), fix)
    mask = allocated("the mask of padded sequences", shape[:2], np.bool_, fix)
    if rest:
        np.copyto(x, rest, casting="unsafe")
    for k, row in enumerate(rows):
        x[k, : len(row)], mask[k, : len(row)] = row, True
    return {names[0]: x, names[1]: mask}
