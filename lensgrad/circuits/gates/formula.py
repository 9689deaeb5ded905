"""Circuits written as Python expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.circuits.gates.circuit import Builder, Circuit, names_in
from lensgrad.core.checks import function, shown
from lensgrad.core.errors import BadValue, WireError
from lensgrad.core.trace import called


@dataclass(frozen=True)
class Bit:
    """A value that is not there yet: `&`, `|`, `^` and `~` make gates."""

    made: Builder
    literal: int

    def _joined(self, name: str, other: Any) -> Bit:
        if not isinstance(other, Bit) or other.made is not self.made:
            raise WireError(f"a bit of a formula must be joined with bits of the same formula, got {shown(other)}")
        return Bit(self.made, getattr(self.made, name)(self.literal, other.literal))

    def __and__(self, other: Any) -> Bit:
        return self._joined("conj", other)

    def __or__(self, other: Any) -> Bit:
        return self._joined("disj", other)

    def __xor__(self, other: Any) -> Bit:
        return self._joined("xor", other)

    def __invert__(self) -> Bit:
        return Bit(self.made, self.literal ^ 1)

    def __bool__(self) -> bool:
        raise WireError("a bit of a formula has no value yet: write & | ~ where Python has and, or, not")

    def __repr__(self) -> str:
        return f"Bit({self.literal})"


def formula(inputs: Sequence[str], written: Callable[[Mapping[str, Bit]], Mapping[str, Bit]]) -> Circuit:
    """The circuit of a function from bits by name to bits by name, called once, now."""
    made = Builder(names_in("input", inputs))
    function("what a formula is written as", written, "a function from bits by name to bits by name")
    bits = {name: Bit(made, x) for name, x in zip(made.inputs, made.literals, strict=True)}
    found = bits_in(called(written, "the function of a formula", [bits]), made)
    return made.finish(list(found), [bit.literal for bit in found.values()])


def bits_in(found: Any, made: Builder) -> dict[str, Bit]:
    """What a formula returns, checked: bits of its own by name."""
    bits: dict[Any, Any] = {**found} if isinstance(found, Mapping) else {"": None}
    if not all(isinstance(v, Bit) and v.made is made for v in bits.values()):
        raise BadValue(f"a formula must return a dict from names of outputs to bits, got {shown(found)}")
    return bits
