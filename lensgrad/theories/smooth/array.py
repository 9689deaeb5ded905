"""Objects of Smooth: arrays of fixed shape and dtype, and random keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import operators
from lensgrad.theories.smooth.shape import FLOATS, SHORT, Full, Shaped, arity, arrays, check_shape, floats, full, numbers, sizes


@dataclass(frozen=True, slots=True)
class Array(Shaped):
    """ℝ^shape (or its integers, or its bits): an atom, whose wires have the operators of Python and the usual methods."""

    def infix(self, name: str, *args: Any) -> Any:
        """What `+`, `*`, … on wires of this type mean; see `operators.INFIX`."""
        return operators.infix(self, name, *args)


@dataclass(frozen=True, slots=True)
class Key:
    """A random key (or an array of keys): an atom with Δ = I. Copying a key means equal randomness."""

    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_shape(self.shape)

    @property
    def change(self) -> None:
        return None

    def __str__(self) -> str:
        return f"key[{','.join(map(str, self.shape))}]" if self.shape else "key"


def Real(*shape: int | Sequence[int], dtype: str = "float32") -> Ty:
    """ℝ^shape: `Real()` is a number, `Real(28, 28, 1)` an image."""
    return Ty((Array(sizes(shape), dtype),))


def Int(*shape: int | Sequence[int], dtype: str = "int32") -> Ty:
    """Integers, for labels and tokens; Δ = I."""
    return Ty((Array(sizes(shape), dtype),))


def Bool(*shape: int | Sequence[int]) -> Ty:
    """Truth values; Δ = I."""
    return Ty((Array(sizes(shape), "bool"),))


__all__ = [
    "FLOATS", "SHORT", "Array", "Bool", "Full", "Int", "Key", "Real", "arity", "arrays", "floats", "full", "numbers", "sizes",
]  # fmt: skip
