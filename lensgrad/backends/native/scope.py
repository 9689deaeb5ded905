"""The body of a loop in the making: entries of values at an index, each written once, as lines of C."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call, Chosen, Flat, Value, line
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.core.checks import clean
from lensgrad.core.errors import BadValue

Where = tuple[Index, ...]
Load = tuple[int, Where]  # a value that is kept, and where it is read
SHORT = {"float32": "f32", "float64": "f64", "int32": "i32", "uint32": "u32", "uint8": "u8", "bool": "b8"}


@dataclass(frozen=True)
class Moved:
    """The meaning of a generator that only moves entries: where an entry of the result stands in the argument."""

    place: Callable[[Any, Sequence[Value], Where], Where]

    def __call__(self, op: Any, dom: Sequence[Value], index: Where) -> Where:
        return self.place(op, dom, index)


@dataclass(frozen=True)
class Pulled:
    """The meaning of a generator whose entries are computed one by one from entries of its arguments.

    `cost` is about how many additions one entry takes; `again` says that entries of arguments are read more than once.
    """

    entry: Callable[[Here], str]
    cost: int = 1
    again: bool = False

    def __call__(self, here: Here) -> str:
        return self.entry(here)


@dataclass(frozen=True)
class Whole:
    """The meaning of a generator that computes an array as a whole: `nest(flat, call)` says by which loops."""

    nest: Callable[[Flat, Call], Any]

    def __call__(self, flat: Flat, call: Call) -> Any:
        return self.nest(flat, call)


def meaning_of(flat: Flat, call: Call) -> Any:
    """What a call means, its types known."""
    if call.outs and call.outs[0] in flat.special:
        return flat.special[call.outs[0]]
    found = line(flat.table, call.op)
    return found(call.op, flat.dom(call)) if isinstance(found, Chosen) else found


@dataclass
class Names:
    """Numbers for the names of one function."""

    count: int = 0

    def new(self, letter: str = "x") -> str:
        self.count += 1
        return f"{letter}{self.count}"


@dataclass
class Reading:
    """How entries are found: the calls that make values, the values that have arrays, and what they are called.

    `text` gives an array's entry at an index; a value that is not kept is computed where it is read.
    """

    flat: Flat
    makers: Mapping[int, tuple[Call, int]]
    kept: Container[int]
    text: Callable[[int, Where], str]
    rows: dict[int, Callable[[Where], str]] = field(default_factory=dict[int, Callable[[Where], str]])  # values of one row alone
    loads: list[Load] = field(default_factory=list[Load])
    names: Names = field(default_factory=Names)
    edges: dict[Atom, set[int]] = field(default_factory=dict[Atom, set[int]])  # values of variables where another part begins

    def edge(self, place: Index) -> None:
        """Note that a part begins where a place is 0."""
        if len(place.terms) == 1 and place.terms[0][1] == 1 and 0 < -place.constant < place.terms[0][0].size:
            self.edges.setdefault(place.terms[0][0], set()).add(-place.constant)


@dataclass
class Scope:
    """The lines of one loop body. What an outer body knows is known in it."""

    reading: Reading
    outer: Scope | None = None
    lines: list[str] = field(default_factory=list[str])
    known: dict[Load, str] = field(default_factory=dict[Load, str])

    def inside(self) -> Scope:
        """The body of a loop or of a condition in this one."""
        return Scope(self.reading, self)

    def found(self, key: Load) -> str | None:
        return self.known.get(key) or (self.outer.found(key) if self.outer else None)

    def at(self, wire: int, index: Where) -> str:
        """The entry of a value at an index."""
        key = (wire, index)
        text = self.found(key)
        if text is None:
            text = self.known[key] = self.read(wire, index)
        return text

    def read(self, wire: int, index: Where) -> str:
        reading, value = self.reading, self.reading.flat.values[wire]
        if wire in reading.kept:
            reading.loads.append((wire, index))
            return self.let(reading.rows[wire](index) if wire in reading.rows else reading.text(wire, index), value.dtype)
        call, number = reading.makers[wire]
        meaning = meaning_of(reading.flat, call)
        if isinstance(meaning, Moved):
            return self.at(call.args[0], meaning(call.op, reading.flat.dom(call), index))
        here = Here(self, call, number, index)
        return meaning(here) if isinstance(meaning, Pulled) else here.written(meaning)

    def let(self, text: str, dtype: str) -> str:
        """A name for a number."""
        name = self.reading.names.new()
        self.lines.append(f"const {local(dtype)} {name} = {text};")
        return name

    def whole(self, text: str, size: int) -> Index:
        """A name for a whole number from 0 to size − 1, to stand in an index."""
        name = self.reading.names.new("n")
        self.lines.append(f"const int {name} = {text};")
        return of(Atom(name, size))


@dataclass(frozen=True)
class Here:
    """What a meaning may use to write one entry of a result."""

    scope: Scope
    call: Call
    out: int
    index: Where

    @property
    def op(self) -> Any:
        return self.call.op

    @property
    def dom(self) -> tuple[Value, ...]:
        return self.scope.reading.flat.dom(self.call)

    @property
    def cod(self) -> Value:
        return self.scope.reading.flat.values[self.call.outs[self.out]]

    def arg(self, number: int, index: Where | None = None) -> str:
        """The entry of an argument, at the same index if not given."""
        return self.scope.at(self.call.args[number], self.index if index is None else index)

    def let(self, text: str) -> str:
        return self.scope.let(text, self.cod.dtype)

    def written(self, template: str) -> str:
        """The entry that a template gives: `{0}` is the first argument, `{t}` its kind as in `exp_{t}`."""
        args = [self.arg(i) for i in range(len(self.call.args))]
        kind = SHORT[self.dom[-1].dtype] if args else SHORT[self.cod.dtype]
        try:
            text = template.format(*args, op=self.op, t=kind)
        except (LookupError, ValueError, AttributeError):
            given = f"{{0}} to {{{len(args) - 1}}}, {{t}} and {{op}}" if args else "{t} and {op}"
            raise BadValue(f"what {self.op.name} means in C, '{clean(template)}', is no formula of {given}") from None
        return self.let(text)

    def number(self, value: float) -> str:
        return literal(value, self.cod.dtype)


def local(dtype: str) -> str:
    """The C type of a number that is in no array: truth values are as wide as a float, so that both stand side by side in a vector."""
    return "int32_t" if dtype == "bool" else TYPES[dtype]


def literal(value: Any, dtype: str) -> str:
    """A number as C reads it back to the bit."""
    if dtype not in ("float32", "float64"):
        return f"{int(value)}u" if dtype == "uint32" else "(-2147483647 - 1)" if int(value) == -(2**31) else str(int(value))
    if value != value or value in (float("inf"), float("-inf")):
        name = "NAN" if value != value else "INFINITY"
        return f"(({TYPES[dtype]}){'-' if value < 0 else ''}{name})"
    text = shortest(float(value), dtype)
    return f"({text})" if text.startswith("-") else text


def shortest(value: float, dtype: str) -> str:
    """The fewest digits that mean the same number of this dtype."""
    import numpy as np

    text = str(np.float32(value)) if dtype == "float32" else repr(value)
    text = text if any(c in text for c in ".e") else f"{text}.0"
    if "inf" in text:
        return f"{'-' if value < 0 else ''}INFINITY"
    return text + ("f" if dtype == "float32" else "")
