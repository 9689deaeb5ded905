"""Which optimizer moves which weight: a learner's dict of patterns, where the more specific pattern has a weight, else the later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lensgrad.cat.names import Param, Role, Together, select, unique, weights
from lensgrad.cat.para import Para, Places, Point
from lensgrad.core.checks import clean, is_a, shown
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter
from lensgrad.learn.optimizers.parts import Constraint, Transform

Reach = tuple[int, ...]  # the positions of the parameters that a pattern reaches


def parameter_groups(params: Sequence[Param], optimizer: Point | Places) -> dict[Any, Point]:
    """What a learner's optimizer puts where, for `reparam`: at all weights, or by patterns, with one optimizer for each weight.

    Of two patterns that reach a weight, the one whose weights are among the other's has it; if neither is, the later.
    An empty dict says that no weight moves: what is learned then is states, or nothing.
    """
    points = {where: moving(point) for where, point in entries(optimizer).items()}
    reach = {where: found for where in points if (found := reached_by(params, where))}
    sets = {where: frozenset(group) for where, group in reach.items()}
    owners = {i: owner(sets, i) for group in reach.values() for i in group}
    groups = dict[Any, Point]()
    for where, point in points.items():
        groups.update(left(params, where, point, reach, owners) if where in reach else {where: point})
    return groups


def entries(optimizer: Any) -> Mapping[Any, Any]:
    """What stands where; one optimizer is for all weights."""
    return optimizer if is_a(optimizer, Mapping) else {weights: optimizer}


def moving(point: Any) -> Any:
    """An optimizer; what moves no weight is refused."""
    if isinstance(point, Transform):
        raise BadValue(f"{point} changes the gradient and moves no weight: write lg.chain({point}, lg.sgd(0.1)), or another optimizer")
    if isinstance(point, Constraint):
        raise BadValue(f"{point} changes the next weight and makes none: write lg.chain(lg.sgd(0.1), {point}), or another optimizer")
    if not callable(point) and not is_a(point, (Para, tuple)):
        raise TypeMismatch(f"an optimizer must be one such as lg.adam(1e-3), or a dict from patterns to these, got {shown(point)}")
    return point


def reached_by(params: Sequence[Param], where: Any) -> Reach:
    """The positions that a pattern reaches, in a learner without optimizers; none for a state that an optimizer makes."""
    try:
        return tuple(i for group in select(params, where) for i in group)
    except UnknownParameter:
        return ()


def owner(reach: Mapping[Any, frozenset[int]], i: int) -> Any:
    """The pattern that has a weight."""
    first, *others = (where for where, group in reach.items() if i in group)
    for where in others:
        first = first if reach[first] < reach[where] else where
    return first


def left(params: Sequence[Param], where: Any, point: Point, reach: Mapping[Any, Reach], owners: Mapping[int, Any]) -> dict[Any, Point]:
    """What is left of an entry when other patterns have taken theirs; as it was where only earlier ones did, which `reparam` passes by."""
    order = list(reach)
    mine = [i for i in reach[where] if owners[i] == where]
    lost = [owners[i] for i in reach[where] if owners[i] != where]
    if not mine:
        raise BadValue(f"the optimizer at {told(where)} has no weight left: {told(lost[-1])} takes what it reaches; leave one of them out")
    pattern = not isinstance(where, tuple | Together)
    if not lost or (pattern and all(order.index(o) < order.index(where) for o in lost)):
        return {where: point}
    if not pattern or isinstance(point, tuple):
        both = f"{told(where)} and {told(lost[-1])} reach one weight"
        raise BadValue(f"{both}, and those of {told(where)} are taken together: leave it out of one of the two")
    names = unique([p.label for p in params])
    chosen = [names[i] for i in mine]
    return {tuple(chosen): point} if getattr(point, "joint", False) else dict.fromkeys(chosen, point)


def told(where: Any) -> str:
    """A place for a message."""
    if isinstance(where, tuple):
        return f"({', '.join(map(told, where))})"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return f"lg.{where.value}s" if isinstance(where, Role) else f"'{clean(str(where))}'"


__all__ = ["moving", "parameter_groups"]
