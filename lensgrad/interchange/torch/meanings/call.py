"""What the meaning of an operator of PyTorch is given beside its arguments, and what many meanings do first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.interchange.shapes import alike
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import FLOATS, Array


@dataclass(frozen=True)
class Out:
    """The types that an operator gives, as PyTorch computed them."""

    atoms: tuple[Array, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.atoms[0].shape

    @property
    def dtype(self) -> str:
        return self.atoms[0].dtype


Meaning = Callable[..., Any]  # (out, *arguments as the schema has them) ↦ a wire, or a tuple of wires
Table = dict[str, Meaning]  # by the name of an operator of ATen, all overloads alike


def is_wire(x: Any) -> bool:
    return isinstance(x, Wire)


def level(dtype: str, *xs: Any) -> list[Wire]:
    """Wires and numbers as wires of one dtype and shape, spread as PyTorch does."""
    wires = alike(*(ops.cast(x, dtype) for x in xs if is_wire(x)))
    return ops.common(*(wires.pop(0) if is_wire(x) else x for x in [*xs])) if wires else []


def promoted(*xs: Any) -> str:
    """The dtype in which PyTorch compares wires and numbers: floats before whole numbers before truth values, arrays before numbers."""
    atoms = [x.atom for x in xs if is_wire(x)]
    ranked = max(kind(a.dtype) for a in atoms)
    numbers = max((2 if isinstance(x, float) else 0 if isinstance(x, bool) else 1 for x in xs if not is_wire(x)), default=0)
    if numbers > ranked:
        return "float32" if numbers == 2 else "int32"
    best = [a for a in atoms if kind(a.dtype) == ranked]
    shaped = [a for a in best if a.rank] or best
    return max((a.dtype for a in shaped), key=WIDTH.index)


WIDTH = ["bool", "uint8", "uint32", "int32", "float16", "bfloat16", "float32", "float64"]


def kind(dtype: str) -> int:
    """0 for truth values, 1 for whole numbers, 2 for floats."""
    return 2 if dtype in FLOATS else int(dtype != "bool")


def axis(x: Wire, dim: int) -> int:
    """An axis by its number from 0; a number has one axis, as PyTorch sees it."""
    return dim % max(1, x.atom.rank)


def axes(x: Wire, dims: Any) -> tuple[int, ...]:
    """Axes in order; all of them for none."""
    given = [dims] if isinstance(dims, int) else dims
    return tuple(sorted(axis(x, d) for d in given)) if given else tuple(range(x.atom.rank))


def listed(value: Any, n: int) -> list[int]:
    """One number for each of n axes, where one may stand for all."""
    given = [value] if isinstance(value, int) else [*value]
    return [int(v) for v in (given * n if len(given) == 1 else given)]


def refused(told: str) -> TypeMismatch:
    """The error for an argument that has no meaning; whoever catches it says where."""
    return TypeMismatch(told)
