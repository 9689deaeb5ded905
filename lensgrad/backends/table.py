"""What generators mean in one backend: an immutable table, which is extended into another one and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType, MappingProxyType
from typing import Any, Self

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, NoRule
from lensgrad.core.graph import Generator
from lensgrad.core.op import Op, concrete


@dataclass(frozen=True)
class Hole:
    """A declared gap in a backend's table: the generator is not supported there, and why."""

    reason: str


@dataclass(frozen=True)
class Inside:
    """The meaning of a generator that holds arrows: a function that is first given what runs them, by the same table."""

    meaning: Callable[..., Any]


class Meanings(Mapping[type[Op], Any]):
    """From generators to what they mean in one backend: a text or a function, as that backend needs it, or a `Hole`.

    `table.extended({Cube: "{0} ** 3"})` is another table with a line more; nothing that others hold changes.
    """

    def __init__(self, backend: str, lines: Mapping[type[Op], Any] = MappingProxyType({}), at: str = "") -> None:
        self.backend, self.at = backend, at  # of a table of the library, where it is
        self.lines: Mapping[type[Any], Any] = MappingProxyType(dict(lines))
        self._hash: int | None = None
        self.extends: tuple[Meanings, Mapping[type[Any], Any]] | None = None  # the table that this one was made of, and its further lines

    def extended(self, lines: Mapping[type[Op], Any]) -> Meanings:
        """This table with further lines, or with other ones in the place of its own."""
        checks.instance("what extends a table", lines, Mapping, "a dict from generators to meanings")
        given: Mapping[Any, Any] = lines
        for cls, line in given.items():
            if not isinstance(cls, type) or not concrete(cls):
                raise BadValue(f"a table must have a line for each class marked @generator, got {checks.shown(cls)}")
            if not isinstance(line, str | Hole | Inside) and not callable(line):
                raise BadValue(f"the meaning of {cls.__name__} must be a text, a function or a Hole, got {checks.shown(line)}")
        made = Meanings(self.backend, {**self.lines, **lines})
        made.extends = self, dict(lines)
        return made

    def line(self, op: Generator) -> Any:
        """What a generator means; an error for a gap, with its reason where one is declared."""
        found = self.lines.get(type(op))
        if found is None or isinstance(found, Hole):
            why = f": {found.reason}" if isinstance(found, Hole) else ""
            raise NoRule(f"{op.name} has no meaning in the {self.backend} backend{why}")
        return found

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle needs: where a table of the library is, and the lines that were added."""
        if self.at:
            return table_at, (self.at,)
        for cls, line in (self.extends or (self, self.lines))[1].items():
            for code in (cls, line):
                if isinstance(code, FunctionType | type) and not checks.findable(code):
                    told = f"another process finds code by its name, and what {cls.__name__} means there is not at the top of a module"
                    raise BadValue(f"this backend cannot be pickled: {told}: define it there")
        return (Meanings.extended, self.extends) if self.extends else (Meanings, (self.backend, dict(self.lines)))

    def __getitem__(self, cls: type[Op]) -> Any:
        return self.lines[cls]

    def __iter__(self) -> Iterator[type[Op]]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Meanings) and (self.backend, self.lines) == (other.backend, other.lines)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.backend, frozenset(self.lines.items())))
        return self._hash

    def __repr__(self) -> str:
        return f"<the {self.backend} meanings of {len(self)} generators>"


def table_at(place: str) -> Meanings:
    """A table of the library by the name of its module and its own."""
    module, _, name = place.rpartition(".")
    return getattr(import_module(module), name)


__all__ = ["Hole", "Inside", "Meanings"]
