"""Weights of examples: one for each, by class, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from lensgrad.core.checks import clean, is_dict, is_sequence, is_text, number, shown
from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.data.arrays import array
from lensgrad.data.source import ArraySource, Source, transform
from lensgrad.learn.losses.kind import Kind
from lensgrad.program.values import Values, is_numbers
from lensgrad.theories.smooth.array import Array
from lensgrad.train.record import Record

Numbers = np.ndarray[Any, Any]
WEIGHT = "sample_weight"


def with_weights(train: Source, weights: Any) -> Source:
    """Arrays with one more column: the weight of each example."""
    if not isinstance(train, ArraySource):
        raise BadValue("the weights of a source of batches are in its batches: give their name there as sample_weight")
    given = array(weights)
    if given.ndim != 1 or given.dtype.kind not in "fiub" or (given < 0).any():
        raise BadValue(f"sample_weight must be one number ≥ 0 for each example, got {given.dtype.name} data of shape {given.shape}")
    return ArraySource({**train.arrays, WEIGHT: given.astype(np.float64)})


def without(held: Source | None, weight: str | None) -> Source | None:
    """Validation data without the weights: it counts every example once."""
    if isinstance(held, ArraySource) and weight in held.arrays:
        return ArraySource({n: v for n, v in held.arrays.items() if n != weight})
    return held


def by_class(learner: Record, train: Source, given: Any, weight: str | None) -> tuple[Source, tuple[str, ...]]:
    """The same batches, every example with the weight of its class (times its own, if it has one); and what is worth saying.

    With weights by class for several labels they multiply: an example has one weight, for all its losses.
    """
    arrays = train.arrays if isinstance(train, ArraySource) else {}
    tables = {name: class_table(name, kind, how, arrays.get(name)) for name, (kind, how) in asked(learner, given).items()}

    def change(batch: Values, _: np.random.Generator) -> Values:
        if weight is not None and weight not in batch:
            raise UnknownParameter(f"sample_weight names '{clean(weight)}', and the data has {listed(list(batch))}")
        left = next((name for name in tables if name not in batch), None)
        if left is not None:
            raise UnknownParameter(f"class_weight is by the classes of '{left}', and the data has {listed(list(batch))}")
        found = np.prod([table.of(batch[name]) for name, table in tables.items()], axis=0)
        return {**batch, weight or WEIGHT: found * batch[weight] if weight else found}

    return transform(train, change), tuple(filter(None, (table.told for table in tables.values())))


@dataclass(frozen=True)
class Table:
    """The weights of the classes of a label, in the order of its classes, and a sentence on those that were left out."""

    label: str
    values: Sequence[int]
    weights: Numbers
    told: str = ""

    def of(self, labels: Any) -> Numbers:
        """The weight of each example."""
        return self.weights[places(self.label, self.values, labels)]


def places(label: str, values: Sequence[int], labels: Any) -> Numbers:
    """For each example the place of its label among the classes."""
    given = np.asarray(labels).reshape(len(labels))
    found = np.searchsorted(values, given).clip(0, len(values) - 1)
    strange = np.asarray(values)[found] != given
    if strange.any():
        told = f"'{label}' holds {given[strange][0]}, and class_weight is for the classes {listed([str(v) for v in values])}"
        raise BadValue(f"{told}: give sample_weight")
    return found


def asked(learner: Record, given: Any) -> dict[str, tuple[Kind, Any]]:
    """Which labels have weights by class, and which: those named, or those of the only label that is a class."""
    kinds = learner.kinds()
    classed = [name for name in learner.labels if name in kinds and one_class(learner, name, kinds[name])]
    if is_dict(given) and given and all(isinstance(k, str) for k in given):
        strange = [k for k in given if k not in classed]
        if strange:
            raise BadValue(f"class_weight has '{strange[0]}', and {no_class(learner, strange[0])}")
        return {name: (kinds[name], how) for name, how in given.items()}
    if len(classed) > 1:
        told = f"class_weight could be of {listed(classed)}: give a dict by label"
        raise BadValue(f"{told}, such as class_weight={{{classed[0]!r}: 'balanced'}}")
    if not classed:
        raise BadValue(f"class_weight is by class, and {no_class(learner, learner.labels[0])}")
    return {classed[0]: (kinds[classed[0]], given)}


def one_class(learner: Record, name: str, kind: Kind) -> bool:
    """Whether a label is one class for each example."""
    atom = learner.examples().get(name)
    return bool(kind.values) and isinstance(atom, Array) and atom.shape in ((), (1,))


def no_class(learner: Record, name: str) -> str:
    """Why a label has no weights by class, and what to do."""
    kind = learner.kinds().get(name)
    if name not in learner.labels:
        return f"the labels are {listed(list(learner.labels))}"
    if kind is not None and kind.problem == "classes" and kind.values:
        return f"'{name}' has a class at each of several places: give lg.cross_entropy(class_weights=…) as the loss"
    if kind is not None and kind.problem in ("binary", "multilabel") and kind.labels == "share":
        return f"'{name}' holds several labels for each example: give lg.binary_cross_entropy(pos_weight=…) as the loss"
    return f"the labels '{name}' are no class numbers: give sample_weight"


def sizes(row: Numbers | Sequence[Any]) -> tuple[int, ...]:
    """The shape of an array, or the length of a list."""
    return row.shape if is_numbers(row) else (len(row),)


def class_table(label: str, kind: Kind, given: Any, labels: Any) -> Table:
    """A weight for each class; 1 for classes that a dict leaves out. "balanced" is n / (classes · how often a class occurs)."""
    values = kind.values
    if isinstance(given, str) and given == "balanced" and labels is not None:
        times = np.bincount(places(label, values, labels), minlength=len(values))
        return Table(label, values, len(labels) / (np.count_nonzero(times) * np.maximum(times, 1.0)))
    told = missed(label, values, given, labels) if is_dict(given) else ""
    row = [given.get(c, 1.0) for c in values] if is_dict(given) else given
    if not (is_sequence(row) or is_numbers(row)) or sizes(row) != (len(values),):
        count = f"{len(values)} numbers, or 'balanced' for arrays"
        raise BadValue(f"class_weight must be a dict from classes to numbers, {count}, got {shown(given)}")
    return Table(label, values, np.array([number("a class weight", w, 0) for w in row], np.float64), told)


def missed(label: str, values: Sequence[int], given: Mapping[Any, Any], labels: Any) -> str:
    """Refuse classes that there are not; a sentence on those that a dict leaves out."""
    strange = [c for c in given if isinstance(c, bool) or c not in values]
    if strange:
        numbered = f"numbered 0 to {values[-1]}" if values[0] == 0 else listed([str(v) for v in values])
        raise BadValue(f"class_weight has {listed([shown(c) for c in strange])}, and the classes of '{label}' are {numbered}")
    there = values if labels is None else np.unique(np.asarray(labels)).tolist()
    left = [str(c) for c in values if c not in given and c in there]
    which = f"class {left[0]}" if len(left) == 1 else f"classes {listed(left)}"
    return f"class_weight says nothing about {which} of '{label}', whose examples weigh 1" if left else ""


def weighting(class_weight: Any, sample_weight: Any) -> str:
    """How examples are weighted, in words that are others for other weights."""
    by_class = "" if class_weight is None else f"class_weight={brief(class_weight)}"
    each = "" if sample_weight is None else f"sample_weight={brief(sample_weight)}"
    return " ".join(filter(None, (by_class, each)))


def brief(given: Any) -> str:
    """Weights as they were written, or a short digest of many."""
    text = repr(given) if is_text(given) or is_dict(given) else repr(np.asarray(given, np.float64).tolist())
    return text if len(text) <= 60 else f"{text[:20]}… ({crc32(text.encode()):08x})"
