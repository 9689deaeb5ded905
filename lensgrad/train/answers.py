"""What a run says of a table or of arrays, in the words of its data: inputs and labels from columns, probabilities, names of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lensgrad.core.checks import is_dict
from lensgrad.core.errors import BadValue, listed
from lensgrad.data.meaning import Meaning
from lensgrad.learn.losses.kind import Kind
from lensgrad.theories.smooth.array import Array
from lensgrad.train.record import Record

Numbers = np.ndarray[Any, Any]


def inputs_from(learner: Record, meaning: Meaning, given: Any) -> Any:
    """What a model takes: arrays as they are, a table by its columns."""
    if not meaning.is_table(given, learner.inputs):
        return given
    how, cells = meaning.cells(given)
    return {one_input(learner): how.inputs(cells)}


def examples_from(learner: Record, meaning: Meaning, given: Any) -> Any:
    """Inputs and labels: data as it is, a table by its columns."""
    if not meaning.is_table(given, learner.ports):
        return given
    how, cells = meaning.cells(given)
    if how.target is None:
        raise BadValue("this run was trained on a table without a target, so there is no column of labels: give (x, y)")
    label = learner.labels[0]
    return {one_input(learner): how.inputs(cells), label: labels_as(learner, label, how.labels(cells), len(how.classes))}


def one_input(learner: Record) -> str:
    """The input that a table is."""
    first, *more = learner.inputs
    if more:
        raise BadValue(f"a table is one input, and this model expects {listed(learner.inputs)}: give a dict of arrays")
    return first


def labels_as(learner: Record, label: str, y: Numbers, classes: int) -> Numbers:
    """Labels of a column in the form that the loss reads: class numbers, unit vectors, yes or no, or numbers."""
    kind, atom = learner.kinds().get(label, Kind()), learner.examples().get(label)
    if not isinstance(atom, Array) or not classes:
        return y
    if kind.problem == "binary":
        found = 2.0 * y - 1.0 if kind.labels == "side" else y
        return found.reshape(len(y), *atom.shape).astype(atom.dtype)
    if not atom.floating or atom.rank != 1:
        return y
    from lensgrad.data.bundled import one_hot

    return one_hot(y, classes, atom.dtype)


# -- what outputs say --------------------------------------------------------------------------------------------------


def kind_for(learner: Record, wanted: str) -> Kind:
    """What the one loss says about outputs, where they say classes."""
    label, *more = learner.labels
    if more:
        raise BadValue(f"this model has several outputs, for {listed(learner.labels)}: take predict(x) and decide for each of them")
    kind = learner.kinds().get(label, Kind())
    if not kind.decides:
        raise BadValue(f"this run was trained with a loss that tells no classes apart, so there are no {wanted}: take predict(x)")
    return kind


def probabilities(learner: Record, outputs: Any) -> Numbers:
    """The share of each class along the last axis, (*s, classes); of labels that hold together, of each on its own (*s, labels)."""
    kind = kind_for(learner, "probabilities")
    scores = main(outputs).astype(np.float64)
    if kind.link == "softmax":
        weights = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
        return weights / weights.sum(-1, keepdims=True)
    if kind.link == "sigmoid":
        yes = np.exp(-np.logaddexp(0, -scores))
        return two(yes) if kind.problem == "binary" else yes
    raise BadValue("the loss of this run gives scores and no probabilities: take predict(x) or predict_classes(x)")


def two(yes: Numbers) -> Numbers:
    """The shares of no and yes, of one score a place."""
    one = yes if yes.shape[1:] and yes.shape[-1] == 1 else yes[..., None]
    return np.concatenate([1 - one, one], -1)


def decided(learner: Record, meaning: Meaning, outputs: Any) -> Numbers:
    """The likeliest class of each place, by its name where that is known; yes or no of each label, where several hold together."""
    kind, scores = kind_for(learner, "classes"), main(outputs)
    if kind.problem in ("binary", "multilabel"):
        found = (scores > kind.threshold).astype(np.int32)
        if kind.problem == "multilabel":
            return found
        found = found[..., 0] if found.shape[1:] and found.shape[-1] == 1 else found
        return named(found, meaning.names(2), kind.values)
    return named(scores.argmax(-1).astype(np.int32), meaning.names(scores.shape[-1]), ())


def named(numbers: Numbers, names: tuple[str, ...], values: Sequence[int]) -> Numbers:
    """Class numbers by their names, or by the labels that they stand for."""
    return np.array(names or values)[numbers] if names or values else numbers


def main(outputs: Any) -> Numbers:
    """The output that the loss compares with the label: the first, where a mask comes beside it."""
    return np.asarray(next(iter(outputs.values())) if is_dict(outputs) else outputs)
