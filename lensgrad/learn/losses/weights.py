"""Weights inside a loss: of classes, and of a yes against a no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lensgrad.core.checks import is_a, is_number, is_whole, number, shown
from lensgrad.core.errors import BadValue
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full

ClassWeights = Mapping[int, float] | Sequence[float] | None
PositiveWeight = float | Sequence[float] | None
Weights = dict[int, float] | list[float]


def check_weights(given: Any) -> Weights | None:
    """Weights of classes as plain numbers, a dict by class or one for each."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        by_class: dict[Any, Any] = {**given}
        return {class_number(c): weight(w) for c, w in by_class.items()}
    return [weight(w) for w in row("class_weights must be numbers, one for each class, or a dict by class", given)]


def class_number(c: Any) -> int:
    if not is_whole(c) or c < 0:
        raise BadValue(f"class_weights must be given by class number, 0 or more, got {shown(c)}")
    return int(c)


def weight(value: Any) -> float:
    return float(number("a class weight", value, 0))


def row(what: str, given: Any) -> list[Any]:
    """A list, tuple or array of one axis as a list."""
    found = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(found, str) or not is_a(found, Sequence):
        raise BadValue(f"{what}, got {shown(given)}")
    return list(found)


def weights_of(given: Weights, n: int) -> list[float]:
    """One weight for each of n classes; 1 for those that a dict leaves out."""
    if isinstance(given, dict):
        beyond = [c for c in given if c >= n]
        if beyond:
            raise BadValue(f"class_weights has class {beyond[0]}, and the model has {n} classes, numbered 0 to {n - 1}")
        return [given.get(c, 1.0) for c in range(n)]
    if len(given) != n:
        raise BadValue(f"class_weights has {len(given)} numbers, and the model has {n} classes: give one for each")
    return given


def check_positive(given: Any) -> float | list[float]:
    """The weight of a yes: a number, or one for each label."""
    if is_number(given):
        return float(number("pos_weight", given, 0))
    return [float(number("pos_weight", w, 0)) for w in row("pos_weight is a number, or one for each label", given)]


def along(given: float | list[float], atom: Array) -> Any:
    """A number, or numbers along the last axis, as a constant that multiplies arrays of this type."""
    if not isinstance(given, list):
        return full(given, atom)
    if not atom.rank or len(given) != atom.shape[-1]:
        raise BadValue(f"pos_weight has {len(given)} numbers, and the model gives {atom}: give one for each label along the last axis")
    return constants(given, atom)


def constants(values: Sequence[float], atom: Array) -> Any:
    """Numbers along the last axis of arrays of this type."""
    each = [full(v, atom.with_shape(1)) for v in values]
    return ops.spread(ops.concatenate(each) if len(each) > 1 else each[0], atom.shape, (atom.rank - 1,))
