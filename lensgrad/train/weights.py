"""Weights of examples: one for each, by class, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, listed
from lensgrad.data.source import ArraySource, Source, transform
from lensgrad.program.values import Values
from lensgrad.train.record import Record

WEIGHT = "sample_weight"


def with_weights(train: Source, weights: Any) -> Source:
    """Arrays with one more column: the weight of each example."""
    if not isinstance(train, ArraySource):
        raise BadValue("the weights of a source of batches are in its batches: give their name there as sample_weight")
    given = np.asarray(weights)
    if given.ndim != 1 or given.dtype.kind not in "fiub" or (given < 0).any():
        raise BadValue(f"sample_weight is one number ≥ 0 for each example, got {given.dtype.name} data of shape {given.shape}")
    return ArraySource({**train.arrays, WEIGHT: given.astype(np.float64)})


def without(held: Source | None, weight: str | None) -> Source | None:
    """Validation data without the weights: it counts every example once."""
    if isinstance(held, ArraySource) and weight in held.arrays:
        return ArraySource({n: v for n, v in held.arrays.items() if n != weight})
    return held


def by_class(learner: Record, train: Source, given: Any, weight: str | None) -> Source:
    """The same batches, every example with the weight of its class (times its own, if it has one)."""
    label, classes = learner.labels[0], next(iter(learner.classes().values()), 0)
    table = class_table(given, classes, train.arrays.get(label) if isinstance(train, ArraySource) else None)

    def change(batch: Values, _: np.random.Generator) -> Values:
        found = table[batch[label]]
        return {**batch, weight or WEIGHT: found * batch[weight] if weight else found}

    return transform(train, change)


def class_table(given: Any, classes: int, labels: Any) -> np.ndarray[Any, Any]:
    """A weight for each class; 1 for classes that a dict leaves out. "balanced" is n / (classes · how often a class occurs)."""
    if not classes:
        raise BadValue("class_weight is by class, and the labels of this learner are no class numbers: give sample_weight")
    if isinstance(given, str) and given == "balanced" and labels is not None:
        times = np.bincount(labels, minlength=classes)
        return len(labels) / (np.count_nonzero(times) * np.maximum(times, 1.0))
    if isinstance(given, Mapping):
        strange = [c for c in given if (type(c) is not int and not isinstance(c, np.integer)) or not 0 <= c < classes]
        if strange:
            raise BadValue(f"class_weight has {listed([repr(c) for c in strange])}, and the classes are numbered 0 to {classes - 1}")
        given = [given.get(c, 1.0) for c in range(classes)]
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray) or len(given) != classes:
        raise BadValue(f"class_weight is a dict from classes to numbers, {classes} numbers, or 'balanced' for arrays, got {given!r:.60}")
    table = np.asarray(given, np.float64)
    if not np.isfinite(table).all() or (table < 0).any():
        raise BadValue(f"a class weight is a number ≥ 0, got {given!r:.60}")
    return table
