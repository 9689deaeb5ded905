"""Splitting data in two, and putting features on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from math import prod
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.core.checks import flag, is_dict, is_sequence, name, number, whole
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import allocated, count, named
from lensgrad.data.source import Labelled

Numbers = np.ndarray[Any, Any]
Pair = tuple[Numbers, Numbers]
Set = TypeVar("Set", bound=Labelled)
Names = str | Sequence[str]
AT_ONCE = 1 << 22  # numbers that are worked on in float64


@overload
def split(data: Set, fraction: float = 0.2, seed: int = 0, stratify: bool = True, label: Names = "y") -> tuple[Set, Set]: ...
@overload
def split(
    data: Mapping[str, ArrayLike], fraction: float = 0.2, seed: int = 0, stratify: bool = True, label: Names = "y"
) -> tuple[dict[str, Numbers], dict[str, Numbers]]: ...
@overload
def split(
    data: Sequence[ArrayLike], fraction: float = 0.2, seed: int = 0, stratify: bool = True, label: Names = "y"
) -> tuple[Pair, Pair]: ...
def split(data: Any, fraction: float = 0.2, seed: int = 0, stratify: bool = True, label: Names = "y") -> tuple[Any, Any]:
    """Data in two parts of the same kind, the second with round(fraction · n) examples; the order within a part is kept.

    Where labels are class numbers and `stratify` is set, every class is divided in this proportion, up to one example; with several
    names in `label` every combination of classes is. Any other labels have no classes, and the rows are divided as a whole.
    """
    arrays = named(data)
    if arrays is None:
        raise BadValue(f"split divides arrays: a pair (x, y), a dict of arrays or a data set; got {type(data).__name__}")
    wanted = [name("a label", n) for n in names_of(label)]
    labels = [arrays[n] for n in wanted if n in arrays] if flag("stratify", stratify) else []
    classes = [v for v in labels if v.ndim == 1 and v.dtype.kind in "iub"]
    first, second = divided(count(arrays), classes, number("the fraction of a split", fraction), whole("a seed", seed))
    return picked(data, first), picked(data, second)


def names_of(label: Any) -> tuple[str, ...]:
    """The name of the labels, or the names."""
    if is_sequence(label):
        return tuple(name("a name in label", n) for n in label)
    return (name("label", label),)


def divided(examples: int, classes: Sequence[Numbers], fraction: float, seed: int) -> tuple[Numbers, Numbers]:
    """The rows of two parts, every combination of classes in proportion."""
    wanted = round(min(max(fraction, 0), 1) * examples)
    if not 0 < wanted < examples:
        raise BadValue(f"a fraction of {fraction} of {examples} examples leaves one part empty: give a share between 0 and 1, such as 0.25")
    random = np.random.Generator(np.random.PCG64([seed, 0x5911]))
    groups = combinations(examples, classes)
    if len(classes) > 1:  # many combinations have few examples, so none is to be first where rounding decides
        groups = [groups[int(k)] for k in random.permutation(len(groups))]
    second = chosen(groups, wanted, fraction, random)
    return np.setdiff1d(np.arange(examples), second), second


def combinations(examples: int, classes: Sequence[Numbers]) -> list[Numbers]:
    """The rows of each combination of classes that occurs, in order."""
    if not classes:
        return [np.arange(examples)]
    which = np.unique(np.stack(classes, 1), axis=0, return_inverse=True)[1].reshape(-1)
    return [np.flatnonzero(which == k) for k in range(which.max() + 1)]


def chosen(groups: list[Numbers], wanted: int, fraction: float, random: np.random.Generator) -> Numbers:
    """Rows of every group in proportion; what rounding leaves goes to the largest remainders, earlier groups first."""
    shares = [fraction * len(g) for g in groups]
    sizes = [int(s) for s in shares]
    order = sorted(range(len(groups)), key=lambda i: sizes[i] - shares[i])
    for i in order[: wanted - sum(sizes)]:
        sizes[i] += 1
    return np.sort(np.concatenate([random.permutation(g)[:k] for g, k in zip(groups, sizes, strict=True)]))


def picked(data: Any, where: Numbers) -> Any:
    """Some rows, in the form the data has."""
    if is_dict(data):
        return {k: np.asarray(v)[where] for k, v in data.items()}
    if hasattr(data, "x"):
        return changed(data, x=np.asarray(data.x)[where], y=np.asarray(data.y)[where])
    return tuple(np.asarray(v)[where] for v in data)


def changed(data: Any, **fields: Any) -> Any:
    """The same data set with other arrays."""
    if not is_dataclass(data) or isinstance(data, type):
        raise BadValue(f"a data set must be a dataclass to be divided or scaled, got {type(data).__name__}: give the pair (x, y)")
    return replace(data, **fields)


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation of each feature: `scale(x)` = (x − mean) / std."""

    mean: Numbers
    std: Numbers

    def __call__(self, x: Any) -> Numbers:
        x = np.asarray(x)
        if x.shape[x.ndim - self.mean.ndim :] != self.mean.shape:
            raise BadValue(f"this scale is for {self.mean.size} features, and the data has rows of shape {x.shape[1:]}")
        kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        if x.ndim == self.mean.ndim:
            return ((x - self.mean) / self.std).astype(kind)
        found = allocated("features on a scale", x.shape, kind, "scale fewer rows at a time")
        for part in parts(x):  # in float64, and so some rows at a time
            found[part] = (x[part] - self.mean) / self.std
        return found


def standardize(train: Any, *others: Any) -> tuple[Any, ...]:
    """(train, *others, scale) with every feature of `train` at mean 0 and standard deviation 1, and the others moved alike.

    The last axis of x is the features (the channels of images). The numbers come from `train` only, in float64, so nothing of
    a test set leaks; a constant feature becomes 0.
    """
    arrays = named(train)
    if arrays is None or "x" not in arrays:
        raise BadValue(f"standardize expects data sets, pairs (x, y) or dicts with 'x', got {type(train).__name__}")
    count(arrays)
    moved = [named(d) for d in others]
    if any(a is None or "x" not in a for a in moved):
        raise BadValue("what standardize moves alike are data sets, pairs (x, y) or dicts with 'x', as the training data")
    x = arrays["x"]
    if x.dtype.kind not in "biuf" or not x.ndim:
        raise BadValue(f"standardize expects features that are numbers, got {x.dtype.name} data")
    mean, std = moments(x)
    scale = Scale(mean, np.where(std > 0, std, 1.0))
    return (*(rescaled(d, scale) for d in (train, *others)), scale)


def moments(x: Numbers) -> Pair:
    """Mean and standard deviation of each feature, in float64: of many rows some at a time, so that they are not copied as a whole."""
    axes = tuple(range(max(1, x.ndim - 1)))
    if x.size <= AT_ONCE:
        x = x.astype(np.float64)
        return x.mean(axes), x.std(axes)
    n = prod(x.shape[axis] for axis in axes)
    mean = np.asarray(sum(x[part].sum(axes, dtype=np.float64) for part in parts(x)) / n)
    return mean, np.sqrt(sum(np.square(x[part] - mean).sum(axes) for part in parts(x)) / n)


def parts(x: Numbers) -> list[slice]:
    """The rows of an array, some at a time."""
    rows = max(1, AT_ONCE // max(1, x[:1].size))
    return [slice(start, start + rows) for start in range(0, len(x), rows)]


def rescaled(data: Any, scale: Scale) -> Any:
    """The same data with x on the scale."""
    if is_dict(data):
        return {**data, "x": scale(data["x"])}
    if hasattr(data, "x"):
        known = getattr(data, "preparation", None)
        return changed(data, x=scale(data.x), **({"preparation": known.scaled(scale.mean, scale.std)} if known else {}))
    return (scale(data[0]), *data[1:])
