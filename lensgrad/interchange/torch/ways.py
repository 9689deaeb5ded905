"""How an array that others stored becomes the one of a parameter, and back: its axes in another order, each way by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lensgrad.core.checks import is_group, is_tuple, is_whole, shown
from lensgrad.core.errors import BadValue
from lensgrad.interchange.dtypes import Numbers

Way = str | tuple[int | str, ...]  # "", "transpose", "kernel", an order of axes, or ("rotary", heads)
WAYS = "'transpose', 'kernel', an order of axes such as (2, 3, 1, 0), or ('rotary', heads)"


def split(given: Any) -> tuple[str, Way]:
    """An entry of a mapping: a name, or a name and a way."""
    if isinstance(given, str):
        return given, ""
    if is_group(given) and len(given) == 2 and isinstance(given[0], str):
        way: Any = given[1]
        if isinstance(way, str) or is_group(way):
            return given[0], way if isinstance(way, str) else tuple(way)
    raise BadValue(f"a mapping goes from names to names, or to a name and one of {WAYS}, got {shown(given)}")


def order(way: Way, rank: int) -> tuple[int, ...] | None:
    """The order of axes that a way puts; none for what is no order, or does not fit."""
    if way == "":
        return tuple(range(rank))
    if way == "transpose":
        return (1, 0) if rank == 2 else None
    if way == "kernel":
        return (*range(2, rank), 1, 0) if rank > 2 else None
    fits = is_tuple(way) and all(map(is_whole, way)) and sorted(way) == list(range(rank))
    return tuple(int(a) for a in way) if fits else None


def heads(way: Way, shape: Sequence[int]) -> int | None:
    """How many heads are turned by position, if that is what a way says of arrays of this shape."""
    if is_tuple(way) and len(way) == 2 and way[0] == "rotary" and is_whole(way[1]) and way[1] > 0:
        return int(way[1]) if shape and shape[0] % (2 * int(way[1])) == 0 else None
    return None


def taken(name: str, x: Numbers, way: Way) -> Numbers:
    """A stored array as ours."""
    n = heads(way, x.shape)
    if n is not None:
        return half(x, n, 2, x.shape[0] // (2 * n))
    return np.transpose(x, permutation(name, x, way))


def given(name: str, x: Numbers, way: Way) -> Numbers:
    """Ours as it is stored."""
    n = heads(way, x.shape)
    if n is not None:
        return half(x, n, x.shape[0] // (2 * n), 2)
    return np.transpose(x, np.argsort(permutation(name, x, way)).tolist())


def half(x: Numbers, n: int, first: int, second: int) -> Numbers:
    """Rows of each head: two halves ↔ pairs, as rotary positions are stored by Llama's converters and turned here."""
    return x.reshape(n, first, second, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def permutation(name: str, x: Numbers, way: Way) -> tuple[int, ...]:
    found = order(way, x.ndim)
    if found is None:
        raise BadValue(f"'{name}' of shape {[*x.shape]} cannot be taken by {shown(way)}: write one of {WAYS} that fits")
    return found


def spelled(way: Way) -> str:
    """A way in a table."""
    return way if isinstance(way, str) else " ".join(map(str, way))


def suggested(ours: Sequence[int], theirs: Sequence[int]) -> str:
    """A way that makes one shape of the other, to be written into a mapping."""
    for way in ("transpose", "kernel"):
        axes = order(way, len(theirs))
        if axes is not None and [theirs[a] for a in axes] == [*ours]:
            return way
    return ""
