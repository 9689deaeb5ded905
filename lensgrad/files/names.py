"""The classes that data may name: the library's generators and records, by short names that do not depend on files."""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from lensgrad import theories
from lensgrad.cat.lens import Delta, Pair
from lensgrad.cat.names import Together
from lensgrad.core import diagram as core
from lensgrad.core.checks import is_tuple, mapping, shown
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.graph import Generator
from lensgrad.core.op import Op, concrete
from lensgrad.learn.losses.kind import Kind
from lensgrad.learn.ways.derivatives import Derivative, Extrapolated, NewtonCG, Sam
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth.array import Array, Key
from lensgrad.theories.smooth.conv import Window

ATOMS = (Array, Key, Vector, Pair, Delta)
RECORDS = (*ATOMS, Extrapolated, Kind, NewtonCG, Sam, Together, Window)
LATE = {"Derivative": Derivative, "Diagram": Diagram}  # what modules of records import for type checkers only
Generators = Mapping[str, type[Op]]  # generators of a user's own, by the names they have in files


@cache
def library() -> dict[str, type[Any]]:
    """`smooth.Sum`, `poly.Add`, `core.Definition`, …: every generator by its theory and class; and the records by class."""
    return {**{c.__name__: c for c in RECORDS}, **{short(c): c for c in generators()}}


def generators() -> Iterator[type[Op]]:
    """The concrete generators that the core and the theories define, module by module."""
    names = [m.name for m in pkgutil.walk_packages(theories.__path__, f"{theories.__name__}.")]
    for module in (core, *map(import_module, names)):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and concrete(value):
                yield value


def short(cls: type[Op]) -> str:
    """`smooth.Sum` for `lensgrad.theories.smooth.linear.Sum`."""
    theory = cls.__module__.removeprefix("lensgrad.").removeprefix("theories.").split(".")[0]
    return f"{theory}.{cls.__name__}"


def classes(own: Generators | None) -> dict[str, type[Any]]:
    """All classes by name: the library's, and a user's own."""
    given = dict[str, Any]() if own is None else mapping("generators", own, "a dict of classes by name")
    for name, cls in given.items():
        if name in library() or not (isinstance(cls, type) and concrete(cls)):
            raise BadCheckpoint(f"generators={{{shown(name)}: …}} must give a new name to a class marked @generator, got {shown(cls)}")
    return {**library(), **given}


def names(value: Any) -> tuple[str, ...]:
    """The fields of a record or generator, or of its class, in order."""
    return tuple(f.name for f in dataclasses.fields(value)) if dataclasses.is_dataclass(value) else value.fields


def bodies(op: Generator) -> list[Diagram]:
    """The arrows that a generator holds."""
    return [v for v in (getattr(op, name) for name in names(op)) if isinstance(v, Diagram)]


@cache
def hints(cls: type[Any]) -> dict[str, Any]:
    """The declared types of a record's fields; none where a user's class declares them by names of its own function."""
    try:
        return get_type_hints(cls, localns=LATE)
    except NameError:
        return {}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has a declared type; whole numbers are welcome where floats are."""
    kind, args = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(fits(value, a) for a in args)
    if kind is tuple:
        return is_tuple(value) and fit_all(value, args)
    if hint is Any or not isinstance(hint, type):
        return True
    return type(value) in (hint, int) if hint is float else isinstance(value, hint) and (type(value) is not bool or hint is bool)


def fit_all(values: tuple[Any, ...], args: tuple[Any, ...]) -> bool:
    """The same for the entries of a tuple."""
    if args[-1] is Ellipsis:
        return all(fits(v, args[0]) for v in values)
    return len(values) == len(args) and all(map(fits, values, args))
