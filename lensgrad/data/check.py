"""What is wrong with data, said before training in one sentence with the fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.data.arrays import count
from lensgrad.program.values import Values
from lensgrad.theories.smooth.array import Array

Numbers = np.ndarray[Any, Any]


def check(
    arrays: Values,
    objects: Mapping[str, Any],
    *,
    batch_size: int | None = None,
    classes: Mapping[str, int] | None = None,
    ranges: Mapping[str, int] | None = None,
) -> tuple[str, ...]:
    """Refuse data that cannot be trained on; what is returned are sentences worth showing.

    `objects` are the atoms that the learner takes for one example, by name, and `classes` says how many classes the labels
    of a name may have, `ranges` how many numbers a table has that another name reads. Refused: nothing, unequal lengths, rows of
    another shape, NaN and infinities, labels and tokens out of range.
    """
    examples = count(arrays)
    for name, value in arrays.items():
        if isinstance(objects.get(name), Array):
            check_rows(name, objects[name], value)
        check_finite(name, value)
    for name, number in (classes or {}).items():
        if name in arrays:
            check_labels(name, arrays[name], number)
    check_ranges(arrays, {n: size for n, size in (ranges or {}).items() if n not in (classes or {})})
    unseen = [never(name, arrays[name], n) for name, n in (classes or {}).items() if name in arrays]
    return tuple(filter(None, [short(examples, batch_size), *unseen]))


def check_rows(name: str, atom: Array, value: Any) -> None:
    """Every example must have the shape of the object it is for."""
    given, wanted = tuple(np.shape(value)[1:]), atom.shape
    if given != wanted:
        told = f"'{name}' has examples of shape {given}, and the model takes {atom}"
        raise TypeMismatch(f"{told}: {advice(name, given, wanted)}")


def advice(name: str, given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """How to get from one shape to the other."""
    if not given:
        return f"give one row for each example, as {name}[:, None] does for single numbers"
    if (*given, 1) == wanted:
        return f"add the axis of channels with {name}[..., None]"
    if given == (*wanted, 1):
        return f"take away the last axis with {name}[..., 0]"
    if len(wanted) > 1 and (*given[1:], given[0]) == wanted:
        return f"channels come last here, so move them with np.moveaxis({name}, 1, -1)"
    if np.prod(given) == np.prod(wanted):
        return f"if only the form differs, use {name}.reshape({', '.join(map(str, (-1, *wanted)))})"
    if len(given) == len(wanted) == 3:
        return f"resize the images, or begin the model with lg.input({', '.join(map(str, given))})"
    return f"change the data, or begin the model with lg.input({', '.join(map(str, given))})"


def check_finite(name: str, value: Any) -> None:
    """Floats must be finite; a mapped file is not read as a whole for that, its batches meet the guard of the loop."""
    if isinstance(value, np.memmap) or np.asarray(value).dtype.kind not in "fc":
        return
    finite = np.isfinite(value)
    if not finite.all():
        row, *inside = np.argwhere(~finite)[0].tolist()
        entry = f", entry {', '.join(map(str, inside))}" if inside else ""
        found = f"'{name}' holds {np.asarray(value)[row, *inside]} in row {row}{entry}"
        raise BadValue(f"{found}: training needs finite numbers, so fill it in or leave the row out")


def check_labels(name: str, labels: Any, classes: int) -> None:
    """Class numbers must be 0 … classes − 1."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or not labels.size:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        fix = f"give the last layer {high + 1} outputs, or relabel the data" if low >= 0 else "relabel the data"
        told = f"'{name}' holds class numbers from {low} to {high}"
        raise BadValue(f"{told}, and the model has {classes} classes, numbered 0 to {classes - 1}: {fix}")


def check_ranges(arrays: Values, ranges: Mapping[str, int]) -> None:
    """Numbers that choose rows of a table must be 0 … rows − 1."""
    for name, rows in ranges.items():
        given = np.asarray(arrays.get(name, ()))
        if given.size and given.dtype.kind in "iu" and (given.min() < 0 or given.max() >= rows):
            raise BadValue(out_of_range(name, given, rows))


def out_of_range(name: str, given: Numbers, rows: int) -> str:
    """Which number is out of range, where, and what to do."""
    place = np.argwhere((given < 0) | (given >= rows))[0].tolist()
    value, where = int(given[tuple(place)]), f" in row {place[0]}" if place else ""
    where += f", entry {', '.join(map(str, place[1:]))}" if place[1:] else ""
    fix = f"give the embedding a vocabulary of {int(given.max()) + 1}, or renumber the data" if value >= 0 else "renumber the data"
    return f"'{name}' holds {value}{where}, and the model reads numbers from 0 to {rows - 1}: {fix}"


def never(name: str, labels: Any, classes: int) -> str:
    """A sentence on classes that no example has, or nothing."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        return ""
    absent = sorted(set(range(classes)) - set(np.unique(labels).tolist()))
    which = f"class {absent[0]} has" if len(absent) == 1 else f"classes {listed([str(c) for c in absent])} have"
    return f"{which} no example in '{name}', so the model cannot learn {'it' if len(absent) == 1 else 'them'}" if absent else ""


def unseen(train: Any, other: Any, names: Sequence[str] = (), what: str = "validation data") -> str:
    """A sentence on classes that occur in other labels and never in the training labels, or nothing."""
    train, other = np.asarray(train), np.asarray(other)
    if train.dtype.kind not in "iu" or other.dtype.kind not in "iu":
        return ""
    new = sorted(set(np.unique(other).tolist()) - set(np.unique(train).tolist()))
    if not new:
        return ""
    shown = listed([f"'{names[c]}' ({c})" if 0 <= c < len(names) else str(c) for c in new])
    which = "class" if len(new) == 1 else "classes"
    return f"the {what} has {which} {shown}, never seen in training: no model can learn what it is not shown"


def short(examples: int, batch_size: int | None) -> str:
    """A sentence on a batch size beyond the data, or nothing."""
    if batch_size is None or batch_size <= examples:
        return ""
    return f"batch_size {batch_size} is more than the {examples} examples, so every epoch is one batch of {examples}"
