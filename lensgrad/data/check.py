"""What is wrong with data, said before training in one sentence with the fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue, TypeMismatch, listed, some
from lensgrad.data.arrays import count
from lensgrad.learn.losses.kind import Kind
from lensgrad.program.values import Values
from lensgrad.theories.smooth.array import Array

Numbers = np.ndarray[Any, Any]
SHOWN = 20  # classes in a sentence


def check(
    arrays: Values,
    objects: Mapping[str, Any],
    *,
    batch_size: int | None = None,
    classes: Mapping[str, int] | None = None,
    ranges: Mapping[str, int] | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> tuple[str, ...]:
    """Refuse data that cannot be trained on; what is returned are sentences worth showing.

    `objects` are the atoms that the learner takes for one example, by name, and `classes` says how many classes the labels
    of a name may have, `ranges` how many numbers a table has that another name reads; `kinds` is what the losses say about labels.
    Refused: nothing, unequal lengths, rows of another shape, NaN and infinities, labels and tokens out of range, as whole numbers or
    as floats, and labels that their loss does not take.
    """
    examples = count(arrays)
    for name, value in arrays.items():
        if isinstance(objects.get(name), Array):
            check_rows(name, objects[name], value)
        check_finite(name, value)
    said = {**{n: Kind("classes", "class", k) for n, k in (classes or {}).items()}, **(kinds or {})}
    check_values(arrays, said, ranges or {})
    absent = [never(n, arrays[n], k) for n, k in said.items() if n in arrays]
    return tuple(filter(None, [short(examples, batch_size), *absent]))


def check_values(arrays: Values, kinds: Mapping[str, Kind], ranges: Mapping[str, int]) -> None:
    """Refuse labels that their loss does not take, and numbers that choose rows which a table has not; `arrays` may be a batch."""
    for name, kind in kinds.items():
        if name in arrays:
            check_labels(name, arrays[name], kind)
    check_ranges(arrays, {n: size for n, size in ranges.items() if n not in kinds or kinds[n].labels != "class" or not kinds[n].classes})


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


def check_labels(name: str, labels: Any, kind: Kind) -> None:
    """Labels must be what their loss takes."""
    labels = np.asarray(labels)
    if labels.dtype.kind in "OSU" and kind.labels != "any":
        fix = "number them with names, y = np.unique(y, return_inverse=True)" if kind.labels == "class" else "give numbers"
        raise BadValue(
            f"'{name}' holds {shown(labels.reshape(-1)[:1].tolist()[0] if labels.size else labels)}, and labels are numbers: {fix}"
        )
    if labels.size and labels.dtype.kind in "biuf":
        CHECKS[kind.labels](name, labels, kind)


def check_classes(name: str, labels: Numbers, kind: Kind) -> None:
    """Class numbers must be 0 … classes − 1, whole, or the one that is ignored."""
    if not kind.classes:
        return
    check_whole(
        name, labels, f"class numbers are whole, from 0 to {kind.classes - 1}: round them, or use a loss of numbers, such as lg.mse"
    )
    counted = labels if kind.ignored is None else labels[labels != kind.ignored]
    low, high = (int(counted.min()), int(counted.max())) if counted.size else (0, 0)
    if low < 0 or high >= kind.classes:
        held = f"'{name}' holds class numbers from {low} to {high}"
        has = f"and the model has {kind.classes} classes, numbered 0 to {kind.classes - 1}"
        raise BadValue(f"{held}, {has}: {renumbering(name, low, high, kind.classes)}")


def renumbering(name: str, low: int, high: int, classes: int) -> str:
    """How class numbers come into their range."""
    if low > 0 and high - low < classes:
        return f"use {name} - {low}, or give the last layer {high + 1} outputs"
    return f"give the last layer {high + 1} outputs, or relabel the data" if low >= 0 else "relabel the data"


def check_whole(name: str, values: Numbers, told: str) -> None:
    """Refuse floats between whole numbers."""
    if values.dtype.kind == "f" and not np.array_equal(values, np.trunc(values)):
        raise BadValue(f"{holds(name, values, values != np.trunc(values))}, and {told}")


def check_shares(name: str, labels: Numbers, kind: Kind) -> None:
    """Labels from 0 to 1, up to rounding."""
    outside = ~((labels >= -ROUNDING) & (labels <= 1 + ROUNDING))
    if not outside.any():
        return
    if kind.problem == "classes":
        told = "and metrics of classes are of one-hot rows: for numbers use mae, rmse or r2"
        raise BadValue(f"{holds(name, labels, outside)}, {told}")
    raise BadValue(f"{holds(name, labels, outside)}, and this loss takes labels from 0 to 1: {to_shares(name, labels)}")


def to_shares(name: str, labels: Numbers) -> str:
    """How labels become numbers from 0 to 1."""
    found = set(np.unique(labels[: 2**20]).tolist())
    if found <= {-1, 1}:
        return f"use ({name} + 1) / 2, or lg.hinge, which takes -1 and 1"
    if found <= {1, 2}:
        return f"use {name} - 1"
    if 2 < len(found) <= 1000 and found == set(range(len(found))):
        return f"for {len(found)} classes use lg.cross_entropy, and give the last layer {len(found)} outputs"
    return f"use {name} / 255" if labels.min() >= 0 and 2 < labels.max() <= 255 else "bring them between 0 and 1"


def check_sides(name: str, labels: Numbers, _: Kind) -> None:
    """Labels −1 and 1."""
    outside = (labels != -1) & (labels != 1)
    if outside.any():
        half = set(np.unique(labels[: 2**20]).tolist()) <= {0, 1}
        fix = f"use 2 * {name} - 1, or lg.binary_cross_entropy, which takes 0 and 1" if half else "make each of them -1 or 1"
        raise BadValue(f"{holds(name, labels, outside)}, and this loss takes the labels -1 and 1: {fix}")


def check_counts(name: str, labels: Numbers, _: Kind) -> None:
    """Labels ≥ 0."""
    if (labels < 0).any():
        raise BadValue(f"{holds(name, labels, labels < 0)}, and this loss takes counts, which are 0 or more")


def check_distributions(name: str, labels: Numbers, _: Kind) -> None:
    """Rows of numbers ≥ 0 that add up to 1, up to rounding."""
    rows = labels.reshape(-1, labels.shape[-1]) if labels.ndim else labels.reshape(1, 1)
    if (rows < -ROUNDING).any():
        raise BadValue(f"{holds(name, labels, labels < -ROUNDING)}, and the label of an example is one distribution: numbers ≥ 0")
    sums = rows.sum(1, dtype=np.float64)
    if (abs(sums - 1) > 1e-3).any():
        row = int(np.argmax(abs(sums - 1) > 1e-3))
        told = f"the numbers of '{name}' in row {row} add up to {sums[row]:.6g}, and the label of an example is one distribution"
        raise BadValue(f"{told}: divide each row by its sum")


ROUNDING = 1e-6  # how far a label may be outside
CHECKS: dict[str, Callable[[str, Numbers, Kind], None]] = {
    "any": lambda name, labels, kind: None,
    "class": check_classes,
    "count": check_counts,
    "distribution": check_distributions,
    "share": check_shares,
    "side": check_sides,
}


def holds(name: str, values: Numbers, where: Numbers) -> str:
    """`'y' holds -1 in row 3, entry 2`: the first value of those marked, and its place."""
    place = np.argwhere(where)[0].tolist()
    entry = f", entry {', '.join(map(str, place[1:]))}" if place[1:] else ""
    return f"'{name}' holds {values[tuple(place)].item():g}{f' in row {place[0]}' if place else ''}{entry}"


def check_ranges(arrays: Values, ranges: Mapping[str, int]) -> None:
    """Numbers that choose rows of a table must be 0 … rows − 1, and whole."""
    for name, rows in ranges.items():
        given = np.asarray(arrays.get(name, ()))
        if not given.size or given.dtype.kind not in "iuf":
            continue
        check_whole(name, given, f"the model reads whole numbers from 0 to {rows - 1}")
        if given.min() < 0 or given.max() >= rows:
            raise BadValue(out_of_range(name, given, rows))


def out_of_range(name: str, given: Numbers, rows: int) -> str:
    """Which number is out of range, where, and what to do."""
    outside = (given < 0) | (given >= rows)
    value = int(given[outside][0])
    fix = f"give the embedding a vocabulary of {int(given.max()) + 1}, or renumber the data" if value >= 0 else "renumber the data"
    return f"{holds(name, given, outside)}, and the model reads numbers from 0 to {rows - 1}: {fix}"


def never(name: str, labels: Any, kind: Kind) -> str:
    """A sentence on classes that no example has, or nothing."""
    labels = np.asarray(labels)
    if kind.problem != "classes" or not kind.values or labels.dtype.kind not in "iuf" or labels.ndim != 1:
        return ""
    present, whole = np.zeros(kind.classes, bool), labels.astype(np.int64, copy=False)
    present[whole[(whole >= 0) & (whole < kind.classes)]] = True
    absent = np.flatnonzero(~present).tolist()
    more = f" and {len(absent) - SHOWN:,} more" if len(absent) > SHOWN else ""
    which = f"class {absent[0]} has" if len(absent) == 1 else f"classes {listed([str(c) for c in absent[:SHOWN]])}{more} have"
    return f"{which} no example in '{name}', so the model cannot learn {'it' if len(absent) == 1 else 'them'}" if absent else ""


def unseen(train: Any, other: Any, names: Sequence[str] = (), what: str = "validation data") -> str:
    """A sentence on classes that occur in other labels and never in the training labels, or nothing."""
    train, other = np.asarray(train), np.asarray(other)
    if train.dtype.kind not in "iu" or other.dtype.kind not in "iu":
        return ""
    new = sorted(set(np.unique(other).tolist()) - set(np.unique(train).tolist()))
    if not new:
        return ""
    shown = some([f"'{names[c]}' ({c})" if 0 <= c < len(names) else str(c) for c in new], SHOWN)
    which = "class" if len(new) == 1 else "classes"
    return f"the {what} has {which} {shown}, never seen in training: no model can learn what it is not shown"


def short(examples: int, batch_size: int | None) -> str:
    """A sentence on a batch size beyond the data, or nothing."""
    if batch_size is None or batch_size <= examples:
        return ""
    return f"batch_size {batch_size} is more than the {examples} examples, so every epoch is one batch of {examples}"
