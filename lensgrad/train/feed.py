"""What a run is fed with: its data, its validation data, and the weights of its examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lensgrad.core.checks import share
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import rows
from lensgrad.data.check import check, check_values, unseen
from lensgrad.data.contents import contents
from lensgrad.data.meaning import Meaning
from lensgrad.data.source import ArraySource, Source, source, transform
from lensgrad.data.split import divided as halves
from lensgrad.program.values import Values
from lensgrad.theories.smooth.array import Array
from lensgrad.train.advice import forms, hints
from lensgrad.train.plan import Plan
from lensgrad.train.record import Record
from lensgrad.train.weights import WEIGHT, by_class, one_class, weighting, with_weights, without


@dataclass(frozen=True)
class Feed:
    """Training data, validation data, the name of the weights among the data if there are any, and sentences worth showing."""

    train: Source
    validation: Source | None
    weight: str | None
    told: tuple[str, ...] = ()
    meaning: Meaning = field(default_factory=Meaning)  # what the numbers stand for, where the data says it
    contents: str | None = None  # what the data holds, as a short text, where its rows can be asked for
    weighting: str = ""  # how examples are weighted, in words that are others for other weights


def feed(learner: Record, plan: Plan, data: Any, validation: Any, part: float, class_weight: Any, sample_weight: Any) -> Feed:
    """The feed of a run, checked."""
    train, meaning = source(data, learner.ports), Meaning.of(data)
    held_in = contents(train, meaning)
    train = train if isinstance(train, ArraySource) else watched(train, learner)
    weight = sample_weight if isinstance(sample_weight, str) else None
    if sample_weight is not None and weight is None:
        train, weight = with_weights(train, sample_weight), WEIGHT
    train, held = divided(learner, train, validation, share("validation_split", part), plan.seed)
    told = checked(learner, train, held, plan, weight)
    if class_weight is not None:
        (train, more), weight = by_class(learner, train, class_weight, weight), weight or WEIGHT
        told += more
    return Feed(train, without(held, weight), weight, told, meaning, held_in, weighting(class_weight, sample_weight))


def divided(learner: Record, train: Source, validation: Any, part: float, seed: int) -> tuple[Source, Source | None]:
    """Training and validation data: what is given, or a share of the arrays."""
    if validation is not None and part:
        raise BadValue("validation_data and validation_split are two ways to say the same: give one of them")
    if validation is not None:
        return train, read(learner, validation)
    if not part:
        return train, None
    if not isinstance(train, ArraySource):
        raise BadValue("validation_split divides arrays, and this is a source of batches: give validation_data")
    first, second = halves(train.examples, strata(learner, train), part, seed)
    return ArraySource(rows(train.arrays, first)), ArraySource(rows(train.arrays, second))


def strata(learner: Record, train: ArraySource) -> list[np.ndarray[Any, Any]]:
    """The labels that are one class for each example: validation data has every class, and every combination, in proportion."""
    found: list[np.ndarray[Any, Any]] = []
    for name, kind in learner.kinds().items():
        labels = train.arrays.get(name)
        if labels is not None and one_class(learner, name, kind) and labels.size == train.examples and labels.dtype.kind in "biuf":
            row = labels.reshape(train.examples)
            found.append(row if kind.problem == "classes" else row > sum(kind.values) / 2)
    return found


def checked(learner: Record, train: Source, held: Source | None, plan: Plan, weight: str | None) -> tuple[str, ...]:
    """Refuse arrays that cannot be trained on; sentences on what will not go well."""
    if not isinstance(train, ArraySource):
        return tuple(hints(learner, {}))
    forms(learner, train.arrays)
    objects = {**learner.examples(), **({weight: Array((), "float32")} if weight else {})}
    told = list(check(train.arrays, objects, batch_size=plan.batch_size, kinds=learner.kinds(), ranges=learner.ranges()))
    others = held.arrays if isinstance(held, ArraySource) else {}
    told += [unseen(train.arrays[n], others[n]) for n in learner.labels if n in train.arrays and n in others]
    return (*filter(None, told), *hints(learner, train.arrays))


def read(learner: Record, data: Any, batch_size: int | None = None) -> Source:
    """Data for a learner as a source; arrays are checked."""
    found = source(data, learner.ports)
    if isinstance(found, ArraySource):
        forms(learner, found.arrays)
        check(found.arrays, learner.examples(), kinds=learner.kinds(), ranges=learner.ranges())
        return found
    return watched(found, learner)


def watched(data: Source, learner: Record) -> Source:
    """A source of batches whose labels and tokens are checked as they come."""
    kinds, ranges = learner.kinds(), learner.ranges()
    if not kinds and not ranges:
        return data

    def change(batch: Values, _: np.random.Generator) -> Values:
        check_values(batch, kinds, ranges)
        return batch

    return transform(data, change)
