"""Shapes and dtypes, as generators read them; `array.py` gives arrays their operators, which are made of these generators."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from lensgrad.core import checks
from lensgrad.core.checks import clean, shown
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire, atom_of
from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty

FLOATS = ("float32", "float64", "bfloat16", "float16")
SHORT = {
    "float32": "f32", "float64": "f64", "bfloat16": "bf16", "float16": "f16",
    "int32": "i32", "uint8": "u8", "uint32": "u32", "bool": "bool",
}  # fmt: skip
LIMITS = {"int32": (-(2**31), 2**31 - 1), "uint8": (0, 255), "uint32": (0, 2**32 - 1), "bool": (0, 1)}  # of the others
LARGEST = 2**63  # what no size of an axis reaches on any machine
ENTRIES = 2**60  # nor the entries of an array, of eight bytes each


def kind(what: str, dtype: Any) -> str:
    """The name of a dtype: `the dtype of cast must be one of float32, …, got 'float'`."""
    return checks.one_of(what, dtype, SHORT)


def check_shape(shape: Any) -> None:
    """Refuse what is no shape, and that of an array which no machine can address."""
    entries = 1
    for n in shape if type(shape) is tuple and checks.is_group(shape) else (None,):
        if type(n) is not int or not 0 <= n < LARGEST:
            span = "below 2^63" if type(n) is int and n > 0 else "≥ 0"
            raise BadValue(f"a shape must be made of whole numbers {span}, got {shown(shape)}")
        entries *= n or 1
    if entries >= ENTRIES:
        raise BadValue(f"an array must have fewer than 2^60 entries, got the shape {shown(shape)}")


@dataclass(frozen=True, slots=True)
class Shaped:
    """What generators read of an array: its shape and its dtype. Floats have changes Δ = the same arrays; other dtypes have Δ = I."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    def __post_init__(self) -> None:
        dtype: Any = self.dtype
        if not isinstance(dtype, str) or dtype not in SHORT:
            given = f"'{clean(dtype)}'" if isinstance(dtype, str) else shown(dtype)
            raise BadValue(f"{given} is no dtype here; use one of {', '.join(SHORT)}")
        check_shape(self.shape)

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATS

    @property
    def change(self) -> Self | None:
        return self if self.floating else None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    def zero(self) -> Wire:
        """0 : I → A."""
        return full(0.0 if self.floating else 0, self)

    def one(self) -> Wire:
        """1 : I → ℝ, for scalars: the cotangent a gradient starts from."""
        if self.shape:
            raise TypeMismatch(f"a gradient starts from a scalar, and this is {self}: sum or average it first")
        return full(1.0, self)

    def with_shape(self, *shape: int) -> Self:
        return type(self)(tuple(shape), self.dtype)

    def with_dtype(self, dtype: str) -> Self:
        return type(self)(self.shape, dtype)

    def __str__(self) -> str:
        return f"{SHORT[self.dtype]}[{','.join(map(str, self.shape))}]"


def sizes(shape: Sequence[Any]) -> tuple[int, ...]:
    """A shape as it was written: sizes one by one, or in one list."""
    given = shape[0] if len(shape) == 1 and checks.is_group(shape[0]) else shape
    return tuple(int(n) if checks.is_whole(n) else n for n in given)


@generator
class Full(Op):
    """`value` everywhere: I → A."""

    value: float | int | bool
    atom: Shaped

    def type(self, *dom: Any) -> Ty:
        arity("a constant", dom, 0)
        check_constant(self.value, self.atom)
        return Ty((self.atom,))

    def reverse(self) -> tuple[()]:
        return ()


def full(value: float | int | bool, atom: Shaped) -> Wire:
    """The constant array, as a closed wire; the number is stored in the atom's own kind."""
    return Full(held(value, atom), atom)()


def held(value: float | int | bool, atom: Shaped) -> float | int | bool:
    """A number in the kind of an array's entries, if they hold it."""
    if value != value:
        raise BadValue(f"{shown(value)} meets a wire of type {atom}, and is no number: give another, or make it data")
    if type(value) is float and atom.floating:
        return value  # most constants are such numbers, and a float is within the limits of floats
    check_constant(value, atom)
    if atom.floating:
        return float(value)
    low, high = LIMITS[atom.dtype]
    if low <= value <= high and value == int(value):
        return bool(value) if atom.dtype == "bool" else int(value)
    kind = "truth values" if atom.dtype == "bool" else "whole numbers"
    raise TypeMismatch(f"{shown(value)} meets a wire of {kind} ({atom}), which cannot hold it: cast the wire to floats first")


def array(what: str, x: Any, argument: str = "") -> Shaped:
    """The type of a wire of an array, or an error for anything else."""
    atom = atom_of(what, x, argument)
    arrays(what, atom)
    return atom


def check_constant(value: Any, atom: Shaped) -> None:
    """Refuse a number that no array of this type holds."""
    low, high = LIMITS.get(atom.dtype, (-sys.float_info.max, sys.float_info.max))
    if isinstance(value, int) and not low <= value <= high:
        told = "a float" if atom.floating else f"from {low} to {high}"
        raise BadValue(
            f"a constant of {atom} must be {told}, got {shown(value)}{'' if atom.floating else ': cast the wire to floats first'}"
        )


def arity(what: str, dom: tuple[Any, ...], n: int) -> None:
    """Refuse another number of inputs."""
    if len(dom) != n:
        raise TypeMismatch(f"{what} expects {n} input{'s' * (n != 1)}, got {Ty(dom)}")


def floats(what: str, *atoms: Any) -> None:
    """Refuse anything but arrays of floats."""
    for atom in atoms:
        if not isinstance(atom, Shaped) or not atom.floating:
            raise TypeMismatch(f"{what} expects floats, got {atom}; cast it first")


def numbers(what: str, *atoms: Any) -> None:
    """Refuse anything but arrays of floats or whole numbers."""
    for atom in atoms:
        if not isinstance(atom, Shaped) or atom.dtype == "bool":
            raise TypeMismatch(f"{what} expects numbers, got {atom}; cast it first")


def arrays(what: str, *atoms: Any) -> None:
    """Refuse anything but arrays."""
    for atom in atoms:
        if not isinstance(atom, Shaped):
            raise TypeMismatch(f"{what} expects an array, got {atom}")


@dataclass(frozen=True)
class Batched:
    """What a batching rule answers when not all its outputs are batched."""

    wires: tuple[Any, ...]
    flags: tuple[bool, ...]
