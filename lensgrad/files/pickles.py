"""Learners in pickles, as the data that files hold: functions made inside functions cannot be pickled, and recipes hold none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, TypeVar

from lensgrad.core.checks import clean, findable
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.op import Op, concrete
from lensgrad.files.names import Generators
from lensgrad.files.write import Writer, decode, encode, parsed, text

T = TypeVar("T")
More = Mapping[str, tuple[tuple[str, Any], ...]]  # functions by name, for fields that no file holds


def reduced(value: Any, fields: Mapping[str, Any], more: More) -> tuple[Any, ...]:
    """What pickle needs of a value that is made of such fields: how it is made, and of what.

    Generators and functions of a user's own are pickled as pickle does with all code, by the names of their modules. Raises
    `BadCheckpoint` where another process could not find them.
    """
    own = own_generators(dict(fields))
    for cls in own.values():
        found(f"the generator {cls.__name__}", cls)
    for name, function in (each for functions in more.values() for each in functions):
        if isinstance(function, FunctionType | type):
            found(f"the function of '{clean(name)}'", function)
    return made, (type(value), text(encode(dict(fields), own)), own, dict(more))


def made(cls: Callable[..., T], written: str, generators: Generators, more: More) -> T:
    """The value in a pickle."""
    return cls(**decode(parsed(written), generators), **more)


class Collector(Writer):
    """A writer that names each generator of a user's own by its module."""

    def __init__(self) -> None:
        super().__init__(None, True)
        self.own: dict[str, type[Op]] = {}

    def record(self, x: object) -> Any:
        cls = type(x)
        if cls not in self.names and concrete(cls):
            self.names[cls] = f"{cls.__module__}.{cls.__qualname__}"
            self.own[self.names[cls]] = cls
        return super().record(x)


def own_generators(value: Any) -> Generators:
    """The generators in a value that are none of the library's, by the names they have in a pickle."""
    collector = Collector()
    collector.value(value)
    return collector.own


def found(what: str, code: Any) -> None:
    """Refuse what is not where its name says."""
    if not findable(code):
        told = f"another process finds code by its name, and {what} is not at {clean(f'{code.__module__}.{code.__qualname__}')}"
        raise BadCheckpoint(f"this learner cannot be pickled: {told}: define it at the top of a module")
