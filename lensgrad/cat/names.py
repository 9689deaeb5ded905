"""Labels, roles and patterns: how parameters are named and found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lensgrad.core import checks
from lensgrad.core.errors import NameClash, UnknownParameter, listed
from lensgrad.core.ty import Ty


class Role(Enum):
    """What a parameter is for. Batching batches `DATA` only; globs and `weights` reach `WEIGHT` only."""

    WEIGHT = "weight"
    DATA = "data"
    STATE = "state"
    KEY = "key"


weights = Role.WEIGHT  # `reparam({weights: descent})`: every weight that has no optimizer yet


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a parametric arrow: its label, its object, its role.

    `init` is an arrow Key → A that gives its first value, and `about` says what its values mean to those who feed and measure
    (the kind of a loss, at its label); both are carried along and not compared.
    """

    label: str
    ob: Ty
    role: Role = Role.WEIGHT
    init: Any = field(default=None, compare=False, repr=False)
    about: Any = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        checks.path("the name of a parameter", self.label)
        checks.instance(f"the object of '{self.label}'", self.ob, Ty, "an object, such as lg.Real(3)")


@dataclass(frozen=True, slots=True)
class Together:
    """All parameters that a pattern reaches, as one group: `reparam({Together(weights): clip_norm(1.0)})`."""

    where: Any

    def __str__(self) -> str:
        return str(self.where.value if isinstance(self.where, Role) else self.where)


Where = str | tuple[str, ...] | Role | Together  # a name or a pattern, a group of names, or all of a role


def unique(labels: Sequence[str]) -> tuple[str, ...]:
    """Names from labels: a repeated label w becomes w.0, w.1, …; computed from the whole list, so `>>` stays associative."""
    if len(set(labels)) == len(labels):
        return tuple(labels)
    total, seen = Counter(labels), Counter[str]()
    names: list[str] = []
    for label in labels:
        names.append(label if total[label] == 1 else f"{label}.{seen[label]}")
        seen[label] += 1
    clash = [name for name, times in Counter(names).items() if times > 1]
    if clash:
        raise NameClash(f"the name '{clash[0]}' is given to one parameter and computed for another; rename or scope one of them")
    return tuple(names)


def free(param: Param) -> bool:
    """Whether a glob or a role may reach this parameter: a weight that nothing returns yet."""
    return param.role is Role.WEIGHT and not returns(param)


def returns(param: Param) -> bool:
    """Whether a step gives this parameter back: its backward object equals its forward object."""
    return bool(len(param.ob)) and all(getattr(a, "fwd", None) == getattr(a, "bwd", ()) for a in param.ob)


def written(params: Sequence[Param], labels: Sequence[str]) -> list[int | None]:
    """For each observable, by its label, the position of the state or key it writes back; None for what is reported.

    A label may repeat: the k-th observable of a label writes the k-th state or key of that label.
    """
    places: dict[str, list[int]] = {}
    for i, p in enumerate(params):
        if p.role in (Role.STATE, Role.KEY):
            places.setdefault(p.label, []).append(i)
    total, seen = Counter(labels), Counter[str]()
    found: list[int | None] = []
    for label in labels:
        own = places.get(label, [])
        found.append(own[seen[label]] if len(own) == total[label] else None)
        seen[label] += 1
    return found


def select(params: Sequence[Param], where: Where) -> list[tuple[int, ...]]:
    """The parameters a pattern reaches, as groups of positions: one each, or one group for a tuple of names or what is taken together."""
    if isinstance(where, Together):
        return [tuple(i for group in select(params, where.where) for i in group)]
    if isinstance(where, tuple):
        group = tuple(_one(params, str(w)) for w in where)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if len(set(group)) < len(group):
            raise NameClash(f"the group {listed([str(w) for w in where])} names one parameter twice")  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return [group]
    names = unique([p.label for p in params])
    if isinstance(where, Role):
        found = [i for i, p in enumerate(params) if p.role is where and not returns(p)]
    elif where in names:
        found = [names.index(where)]
    else:
        shape = glob(str(where))
        found = [i for i, (n, p) in enumerate(zip(names, params, strict=True)) if free(p) and shape.fullmatch(n)]
    if not found:
        raise _unknown(params, names, where)
    return [(i,) for i in found]


def _one(params: Sequence[Param], where: str) -> int:
    groups = select(params, where)
    if len(groups) > 1:
        names = unique([p.label for p in params])
        raise UnknownParameter(f"'{where}' in a group must reach one parameter, and reaches {listed([names[i] for (i,) in groups])}")
    return groups[0][0]


def glob(pattern: str) -> re.Pattern[str]:
    """`*` stays within one level, `**` crosses levels, and `**/` also matches no level at all."""
    out = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.compile(out)


def _meant(names: Sequence[str], where: Any) -> str:
    """A pattern that reaches something, for one that is nearly it: all of a layer, or all that have one name."""
    last = str(where).rpartition("/")[2]
    for pattern in (f"{where}/**", f"{last}.*", f"**/{last}.*"):
        if "*" not in last and any(map(glob(pattern).fullmatch, names)):
            return f"; did you mean '{pattern}'?"
    return ""


def _unknown(params: Sequence[Param], names: Sequence[str], where: Any) -> UnknownParameter:
    if isinstance(where, Role):
        gone = where is Role.WEIGHT and any(p.role is Role.STATE or returns(p) for p in params)
        if where is Role.WEIGHT and not gone and not any(p.role is Role.WEIGHT for p in params):
            return UnknownParameter(f"there are no weights here that could be learned, only {listed(names)}: add a layer that has some")
        note = "; all that could be are frozen or have an optimizer" if gone else ""
        return UnknownParameter(f"no parameter of role {where.value} is left to reparameterize; this arrow has: {listed(names)}{note}")
    shape = glob(str(where))
    hidden = [n for n, p in zip(names, params, strict=True) if shape.fullmatch(n) and not free(p)]
    note = (
        f"; patterns reach weights without an optimizer only, name {listed(hidden)} exactly to reach it" if hidden else _meant(names, where)
    )
    return UnknownParameter(f"no parameter matches '{where}'; use a name of this arrow, or a pattern of some: {listed(names)}{note}")
