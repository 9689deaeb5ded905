"""Values by name: what programs take and give, and the checks at that door."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from lensgrad.backends import numpy as backend
from lensgrad.cat.lens import forward
from lensgrad.cat.names import Param, Role, unique
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter, listed
from lensgrad.core.ty import Ty
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth.array import Array, Key

Values = dict[str, Any]
Numbers = np.ndarray[Any, np.dtype[Any]]
Value = Numbers | tuple[Numbers, ...]  # of one object: an array, or one for each of its atoms
Arrays = dict[str, Numbers]  # values as one reads them; the type leaves out that a weight of several arrays, as of weight_norm, is a tuple


def is_numbers(value: Any) -> TypeGuard[Numbers]:
    """Whether something is an array of NumPy."""
    return isinstance(value, np.ndarray)


def by_name(values: Any) -> Mapping[str, Any]:
    """Values as they are, if they have names at all."""
    if not checks.is_dict(values):
        raise TypeMismatch(f"values must be given as a dict by name, got {checks.shown(values)}")
    return values


def checked(name: str, ob: Ty, values: Mapping[str, Any]) -> Any:
    """The value of this name as arrays of the right shape and dtype; never broadcast, never rounded from float to integer."""
    if name not in values:
        raise UnknownParameter(f"no value for '{name}' : {ob}; values are given for {listed(list(values))}")
    value = values[name]
    if len(ob) == 1:
        return array(name, ob[0], value)
    if not checks.is_group(value) or len(value) != len(ob):
        raise TypeMismatch(f"'{name}' : {ob} expects {len(ob)} arrays, got {type(value).__name__}")
    return tuple(array(f"{name}.{i}", a, v) for i, (a, v) in enumerate(zip(ob, value, strict=True)))


def carrier(ob: Ty) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Shape and dtype of the one array that carries an object; None where that is not all to look at."""
    return backend.host(ob[0]) if len(ob) == 1 and not isinstance(ob[0], Vector) else None


def array(name: str, atom: Any, value: Any) -> np.ndarray[Any, Any]:
    """One value as the array that carries `atom`."""
    shape = backend.host(atom)[0]
    given = given_array(name, atom, value)
    if given.shape != shape:
        raise TypeMismatch(shape_message(name, atom, shape, given.shape))
    if isinstance(atom, Vector):
        elements(name, atom, given)
    return converted(name, atom, given)


def converted(name: str, atom: Any, given: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array, or several in a row, with the dtype of the array that carries `atom`."""
    dtype = backend.host(atom)[1]
    if given.dtype.name == "bfloat16":
        given = given.astype("float32")
    if given.dtype == dtype:
        return given
    if given.dtype.kind in "fc" and dtype.kind in "iub" and not np.array_equal(given, np.trunc(given)):
        raise BadValue(f"'{name}' needs {atom}, and some of the numbers given are not whole")
    if given.dtype.kind not in "fiub":
        raise BadValue(f"'{name}' expects {atom}, got {given.dtype.name} data")
    return given.astype(dtype)


def given_array(name: str, atom: Any, value: Any) -> np.ndarray[Any, Any]:
    """What is given, as an array; an error where its rows are of different lengths, or where it hands out no numbers."""
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        raise BadValue(f"'{name}' needs {atom}, and {checks.shown(value)} is no array of numbers: its rows may differ in length") from None


def elements(name: str, atom: Vector, given: np.ndarray[Any, Any]) -> None:
    """Refuse numbers that are no elements of the semiring."""
    bounded = given.dtype.kind in "fiub" and given.size and atom.semiring.finite
    if bounded and not 0 <= given.min() <= given.max() < atom.semiring.size:
        raise BadValue(f"'{name}' expects elements 0..{atom.semiring.size - 1} of {atom.semiring}, got {given.min()} to {given.max()}")


def shape_message(name: str, atom: Any, wanted: Sequence[int], given: Sequence[int]) -> str:
    """What is wrong with a shape, with the fix for the usual confusion of (N, 1) and (N,)."""
    text = f"'{name}' expects {atom}, got an array of shape {tuple(given)}"
    if [n for n in wanted if n != 1] == [n for n in given if n != 1]:
        return f"{text}: they differ in axes of length 1, and nothing is broadcast silently; reshape it to {tuple(wanted)}"
    return f"{text}: give it in the shape {tuple(wanted)}"


def key(seed: int) -> Numbers:
    """A random key from a seed."""
    seed = checks.whole("a seed", seed, 0, 2**64 - 1)
    return np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)


def fold_in(base: Numbers, number: int) -> Numbers:
    """Another key for each whole number, by the same rule as on wires."""
    # Kernels have no types: their text is copied into files that need NumPy only.
    from lensgrad.backends.kernels import fold_in as kernel  # pyright: ignore[reportUnknownVariableType]

    return kernel(base, np.uint32(number & 0xFFFFFFFF))  # pyright: ignore[reportUnknownVariableType]


def initial(params: Sequence[Param], seed: int = 0, given: Sequence[str] = ()) -> Values:
    """First values of weights, states and keys from one seed; data has none, and those given by name are left out.

    Each parameter draws from its own key: the seed's, folded with its position among those of its role and with its label.
    """
    values: Values = {}
    functions: dict[Diagram, Any] = {}
    places: dict[Role, int] = {}
    for name, p in zip(unique([p.label for p in params]), params, strict=True):
        place = places[p.role] = places.get(p.role, -1) + 1
        if p.role is Role.DATA or name in given:
            continue
        own = fold_in(fold_in(key(seed), place), zlib.crc32(p.label.encode()))
        values[name] = own if forward_object(p) == Ty((Key(),)) else started(p, own, functions)
    return values


def started(p: Param, own: Any, functions: dict[Diagram, Any]) -> Any:
    """The first value of one parameter, its initializer compiled once."""
    if p.init is None:
        raise BadValue(f"'{p.label}' has no initializer, so its first value must be given")
    if p.init not in functions:
        functions[p.init] = backend.function(p.init)
    try:
        arrays = [np.array(v, backend.host(a)[1]) for v, a in zip(functions[p.init](own), p.init.cod, strict=True)]
    except MemoryError:
        raise backend.too_large(f"the first value of '{p.label}'", p.init.cod, "make the sizes of its layer smaller") from None
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def forward_object(p: Param) -> Ty:
    """The object of a parameter, in C or in Lens(C)."""
    return forward(p.ob) if len(p.ob) and hasattr(p.ob[0], "fwd") else p.ob


def size(ob: Ty) -> int:
    """How many numbers an object has."""
    return sum(a.size if isinstance(a, Array) else a.total if isinstance(a, Vector) else 2 for a in ob)
