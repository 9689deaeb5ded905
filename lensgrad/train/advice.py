"""What people meet first: labels in another form than the loss takes, text in the place of numbers, and what goes but not well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lensgrad.cat.para import Para
from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.data.check import advice
from lensgrad.learn.losses.kind import Kind
from lensgrad.program.values import Values
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.pointwise import Exp, Logistic
from lensgrad.theories.smooth.reduce import LogSoftmax
from lensgrad.train.record import Record

LOOKED_AT = 1000  # entries or rows that are looked at for what is no error


def forms(learner: Record, arrays: Values) -> None:
    """Refuse what is no numbers, and labels in another form than their loss takes, saying how to get there."""
    atoms, kinds = learner.examples(), learner.kinds()
    for name, value in arrays.items():
        numbers(name, value, kinds.get(name) if name not in learner.inputs else None)
        atom = atoms.get(name)
        if isinstance(atom, Array) and name in learner.labels and name not in learner.inputs:
            label_shape(name, np.asarray(value), atom, kinds.get(name, Kind()))


def numbers(name: str, value: Any, kind: Kind | None) -> None:
    """Refuse text, complex numbers and Python objects."""
    dtype = getattr(value, "dtype", np.dtype(float))
    entry = next((v for v in np.asarray(value).flat[:LOOKED_AT] if isinstance(v, str)), None) if dtype.kind in "USO" else None
    if entry is not None:
        fix = "lg.data.table(frame, target=…) makes numbers of columns of text"
        if kind is not None:
            fix = f"number the classes with names, {name} = np.unique({name}, return_inverse=True)"
        raise BadValue(f"'{name}' holds text, such as {shown(str(entry))}, and a model reads numbers: {fix}")
    if dtype.kind == "O":
        raise BadValue(f"'{name}' holds Python objects in the place of numbers: convert it with {name}.astype(np.float32)")
    if dtype.kind == "c":
        raise BadValue(f"'{name}' holds complex numbers, and a model reads real ones: give {name}.real and {name}.imag side by side")


def label_shape(name: str, value: Any, atom: Array, kind: Kind) -> None:
    """Refuse labels of another shape than their loss takes."""
    given, wanted = value.shape[1:], atom.shape
    if given != wanted:
        told = f"'{name}' has labels of shape {given}, and the loss takes {atom} for each example"
        raise TypeMismatch(f"{told}: {label_fix(name, value, wanted, kind)}")


def label_fix(name: str, value: Any, wanted: tuple[int, ...], kind: Kind) -> str:
    """How labels get from one form to the other, or which loss takes them as they are."""
    given = value.shape[1:]
    if kind.problem == "classes" and kind.labels == "class" and given == (*wanted, kind.classes):
        return (
            f"give class numbers, np.argmax({name}, -1), or the loss lg.cross_entropy({name!r}, labels='probabilities'), which takes rows"
        )
    if kind.problem == "classes" and kind.labels == "distribution" and (*given, kind.classes) == wanted:
        return f"give one-hot rows, lg.data.one_hot({name}, {kind.classes}), or the loss lg.cross_entropy, which takes class numbers"
    if kind.problem == "regression" and not given and len(wanted) == 1 and wanted[0] > 1:
        classes = f"for class numbers use the loss lg.cross_entropy, or one-hot rows, lg.data.one_hot({name}, {wanted[0]})"
        return f"{classes}; for one number each end the model with lg.dense(1) and give {name}[:, None]"
    if np.prod(given) == np.prod(wanted):
        return advice(name, given, wanted)
    return "change the labels, or the last layer of the model, so that there is one output for each number of a label"


# -- what goes, but not well -------------------------------------------------------------------------------------------


def hints(learner: Record, arrays: Values) -> list[str]:
    """Sentences on what a person hardly meant."""
    return [*filter(None, (pixels(name, arrays.get(name)) for name in learner.inputs)), *twice(learner)]


def pixels(name: str, value: Any) -> str:
    """A sentence on inputs that look like bytes of pictures, or nothing."""
    if value is None:
        return ""
    first = np.asarray(value[:LOOKED_AT])
    looks = first.ndim > 1 and first.size and first.dtype.kind in "iuf" and first.min() >= 0 and 200 < first.max() <= 255
    if not looks or not np.array_equal(first, np.trunc(first)):
        return ""
    return f"'{name}' holds whole numbers up to {int(first.max())}, as pixels are: networks learn better from {name} / 255"


def twice(learner: Record) -> list[str]:
    """Sentences on outputs that are made probabilities by the model, and once more by the loss."""
    ends = dict(zip(learner.labels, learner.kept("endings", lambda: endings(learner.model)), strict=False))
    same = [(name, kind.link) for name, kind in learner.kinds().items() if kind.link and kind.link == ends.get(name)]
    told = "the loss of '{}' takes scores and applies {} itself, and the model ends in {}: leave it out, or training is slow"
    return [told.format(name, link, link) for name, link in same]


def endings(model: Para) -> list[str]:
    """How each output of a model is made: "softmax", "sigmoid", or "" for anything else."""
    f: Any = unfold(model.arrow)
    made: dict[int, Any] = {}
    place = len(f.dom)
    for node in f.nodes:
        made.update((place + k, node) for k in range(len(node.cod)))
        place += len(node.cod)
    return [ending(w, made) for w in f.outs]


def ending(wire: int, made: Mapping[int, Any]) -> str:
    """How one wire is made: softmax is exp after log softmax."""
    node = made.get(wire)
    if node is None:
        return ""
    before = made.get(node.args[0]) if isinstance(node.op, Exp) else None
    if before is not None and isinstance(before.op, LogSoftmax):
        return "softmax"
    return "sigmoid" if isinstance(node.op, Logistic) else ""
