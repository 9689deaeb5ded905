"""Generators: the small classes from which every arrow is built."""

from __future__ import annotations

import struct
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Self, TypeGuard, TypeVar, dataclass_transform

from lensgrad.core.errors import BadValue
from lensgrad.core.graph import Wire, apply
from lensgrad.core.sealed import Sealed
from lensgrad.core.ty import Ty

C = TypeVar("C", bound="type[Op]")


class Standing(Enum):
    """How much the reverse rule of a generator may be trusted."""

    EXACT = "exact"
    ALMOST_EVERYWHERE = "almost everywhere"
    CHOSEN = "chosen backward"


@dataclass_transform(frozen_default=True, eq_default=False)
def generator(cls: C) -> C:
    """Make a subclass of `Op` a record: the attributes it declares are its fields, given once when it is built."""
    # No frozen dataclass: that compiles three methods for each class, a third of the time it took to import the library.
    own = [name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind).split("[")[0]]
    cls.fields = (*cls.fields, *own)
    cls.defaults = cls.defaults | {name: vars(cls)[name] for name in own if name in vars(cls)}
    return cls


class Op(Sealed):
    """A generator A₁ ⊗ … ⊗ Aₙ → B. Subclasses give `type`, and for calculus `reverse` or `adjoint`.

    Two generators are equal when class and attributes are equal *by type, and floats by their bits*: 1, 1.0 and
    True differ, so do 0.0 and -0.0. Large arrays are never attributes; fixed integer wiring is a `Table`.
    """

    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    standing: ClassVar[Standing] = Standing.EXACT
    kinks: ClassVar[str] = ""  # where an almost-everywhere rule fails, and what holds there instead

    def __init__(self, *values: Any, **named: Any) -> None:
        given = dict(zip(self.fields, values, strict=False)) | named
        whole = self.defaults | given
        if len(given) < len(values) + len(named) or whole.keys() != set(self.fields):
            raise TypeError(f"{type(self).__name__} must be built from ({', '.join(self.fields)}), got {call(values, named)}")
        self.__dict__.update(whole)

    @property
    def _record(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.fields}

    def replace(self, **named: Any) -> Self:
        """The same generator with other values of some fields."""
        return type(self)(**(self._record | named))

    def type(self, *dom: Any) -> Ty:
        """The codomain for these atoms; raises `TypeMismatch` for atoms the generator does not accept."""
        raise NotImplementedError

    def __call__(self, *args: Any) -> Any:
        """Apply to wires of a traced function."""
        return apply(self, args)

    @property
    def name(self) -> str:
        return type(self).__name__

    @cached_property
    def key(self) -> tuple[Any, ...]:
        return (type(self), *map(exactly, self._record.values()))

    @cached_property
    def _hash(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Op) and self.key == other.key)

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        # Hashes of classes and texts differ between processes, so what is cached stays here.
        return self._record

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value}" for name, value in self._record.items())
        return f"{self.name}({inside})" if inside else self.name

    __repr__ = __str__


def concrete(cls: type[Any]) -> TypeGuard[type[Op]]:
    """Whether a class is itself marked `@generator`: what it inherits is only a base of generators."""
    return cls is not Op and issubclass(cls, Op) and "fields" in vars(cls)


def call(values: tuple[Any, ...], named: dict[str, Any]) -> str:
    """Arguments as they were written."""
    return f"({', '.join([*map(repr, values), *(f'{name}={value!r}' for name, value in named.items())])})"


def exactly(value: Any) -> Any:
    """A hashable stand-in for an attribute that compares by type and, for floats, by bits."""
    if isinstance(value, float):
        if value != value:
            raise BadValue("a NaN attribute never equals itself, so it cannot be part of a generator")
        return float, struct.pack("<d", value)
    if isinstance(value, tuple):
        return tuple(exactly(v) for v in value)  # pyright: ignore[reportUnknownVariableType]
    return type(value), value


class Table(Sealed):
    """Fixed integer wiring or a truth table: immutable 32-bit integers, compared by digest.

    `Table([2, 0, 1])`, or `Table.of(raw)` for little-endian int32 bytes.
    """

    __slots__ = ("_ends", "digest", "raw")
    raw: bytes
    digest: bytes
    _ends: tuple[int, int]

    def __init__(self, entries: Any) -> None:
        values = list(entries)
        try:
            self._set(struct.pack(f"<{len(values)}i", *values))
        except struct.error as wrong:
            raise BadValue(f"a table holds whole numbers of 32 bits, got {values!r:.60}") from wrong

    @classmethod
    def of(cls, raw: bytes) -> Table:
        if len(raw) % 4:
            raise BadValue(f"a table holds 32-bit integers, and {len(raw)} bytes are no whole number of them")
        table = cls.__new__(cls)
        table._set(raw)
        return table

    def _set(self, raw: bytes) -> None:
        from hashlib import sha256

        self.raw = raw
        self.digest = sha256(raw).digest()
        entries = self.entries
        self._ends = (min(entries), max(entries)) if entries else (0, -1)

    def within(self, size: int) -> bool:
        """Whether every entry is one of 0..size−1."""
        low, high = self._ends
        return low >= 0 and high < size

    def __reduce__(self) -> tuple[Any, ...]:
        return Table.of, (self.raw,)

    @property
    def entries(self) -> tuple[int, ...]:
        return struct.unpack(f"<{len(self)}i", self.raw)

    def __len__(self) -> int:
        return len(self.raw) // 4

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        return str(list(self.entries)) if len(self) <= 8 else f"table of {len(self)}, {self.digest.hex()[:8]}"

    __repr__ = __str__


__all__ = ["Op", "Standing", "Table", "Wire", "generator"]
