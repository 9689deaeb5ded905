"""Values of adapted models: those of the model before, exactly, and masks by magnitude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.names import select
from lensgrad.cat.para import Para, Places, parametrized
from lensgrad.core import checks
from lensgrad.core.diagram import flatten
from lensgrad.core.errors import BadValue
from lensgrad.program.compile import program
from lensgrad.program.values import Arrays, Numbers, Values


def merge(model: Para, points: Places, values: Mapping[str, ArrayLike]) -> Arrays:
    """Values of `model` from those of `model.reparam(points)`: each point is evaluated, so LoRA merges back to plain weights.

    The same numbers are computed as in the adapted model, so on NumPy both predict the same to the bit.
    """
    made = parametrized("what merge takes", model)
    stages = list[tuple[Para, Any, tuple[Para, ...]]]()
    checks.instance("points", points, Mapping, "a dict from patterns to points, as reparam takes it")
    checks.instance("values", values, Mapping, "a dict by name")
    for where, point in points.items():
        for group, ready in made.made({where: point}).items():
            stages.append((made, group, ready))
            made = made.reparam({group: ready})
    known: Values = {n: values[n] for n in made.names if n in values}
    for before, where, ready in reversed(stages):
        known = undone(before, where, ready, known)
    return known


def undone(before: Para, where: Any, ready: tuple[Para, ...], values: Mapping[str, Any]) -> Values:
    """The values before one entry of a reparameterization."""
    names, found = before.names, dict(values)
    after = before.reparam({where: ready})
    groups = select(before.params, where)
    start, kept, taken = 0, dict[int, Values](), {i for g in groups for i in g}
    for i in range(len(names)):
        point = next((q for g, q in zip(groups, ready, strict=True) if g[0] == i), None)
        size = len(point.params) if point is not None else int(i not in taken)
        own, start = after.names[start : start + size], start + size
        if point is None:
            if own and own[0] in values:
                found[names[i]] = values[own[0]]
            continue
        given = {q: values[n] for q, n in zip(point.names, own, strict=True)}
        kept[i] = program(point)(given)
    for g in groups:
        out = kept[g[0]]["output"]
        parts = flatten(out)
        for i in g:
            width = len(before.params[i].ob)
            found[names[i]], parts = (parts[0] if width == 1 else tuple(parts[:width])), parts[width:]
    return {n: found[n] for n in names if n in found}


def numbers(weight: Any) -> np.ndarray[Any, Any]:
    """A weight as an array of numbers."""
    try:
        return np.asarray(weight, np.float64 if not hasattr(weight, "dtype") else None).astype(np.float64)
    except (ValueError, TypeError):
        raise BadValue(f"magnitude_mask expects an array of numbers, got {checks.shown(weight)}") from None


def magnitude_mask(weight: ArrayLike, share: float) -> Numbers:
    """True at the entries of a weight to keep when so large a share of them, the smallest, is pruned; the first of equal ones stay."""
    share = checks.number("the share that magnitude_mask prunes", share, 0, 1)
    values = np.abs(numbers(weight))
    order = np.argsort(-values, axis=None, kind="stable")
    mask = np.zeros(values.size, bool)
    mask[order[: values.size - int(share * values.size)]] = True
    return mask.reshape(values.shape)
