"""Randomness on wires: keys, bits, uniform and normal numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lensgrad.core import checks
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire, atom_of
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import random as _random
from lensgrad.theories.smooth.array import FLOATS, Array, full
from lensgrad.theories.smooth.wires import cast, cos, log, sqrt


def fold_in(key: Wire, number: int) -> Wire:
    """Another key for each whole number."""
    atom = _random.key_atom("fold_in", atom_of("fold_in", key))
    number = checks.whole("the number of fold_in", number, -(2**31), 2**31 - 1)
    return _random.FoldIn()(key, full(number, Array(atom.shape, "int32")))


def split(key: Wire, parts: int = 2) -> tuple[Wire, ...]:
    """Independent keys from one."""
    _random.key_atom("split", atom_of("split", key))
    return tuple(fold_in(key, i) for i in range(checks.whole("the parts of split", parts, 0, 2**20)))


def random_bits(key: Wire, shape: Sequence[int]) -> Wire:
    """Uniform 32-bit words."""
    _random.key_atom("a draw", atom_of("a draw", key))
    return _random.RandomBits(checks.wholes("the shape of random_bits", shape))(key)


BITS = {"bfloat16": 8, "float16": 11, "float32": 24}  # of a uniform number: as many as fit exactly, so that none is rounded up to 1


def drawn(dtype: Any) -> None:
    """Refuse a dtype that random numbers do not have."""
    if not isinstance(dtype, str) or dtype not in FLOATS:
        told = dtype if isinstance(dtype, str) else checks.shown(dtype)
        raise TypeMismatch(f"random numbers must be floats, got the dtype {told}: draw floats, or give first values of another kind")


def uniform(key: Wire, shape: Sequence[int], dtype: str = "float32") -> Wire:
    """Uniform in [0, 1): 32 random bits in float64, 24 in float32, 11 in float16, 8 in bfloat16."""
    drawn(dtype)
    bits = random_bits(key, checks.wholes("the shape of uniform", shape))
    if dtype == "float64":
        return cast(bits, dtype) * 2.0**-32
    return cast(cast(_p.ShiftRight(32 - BITS[dtype])(bits), "float32") * 2.0 ** -BITS[dtype], dtype)


def normal(key: Wire, shape: Sequence[int], dtype: str = "float32") -> Wire:
    """Standard normal, by the transform of Box and Muller; in half precision that of float32, rounded."""
    drawn(dtype)
    sizes = checks.wholes("the shape of normal", shape)
    radius, angle = (uniform(k, sizes, "float64" if dtype == "float64" else "float32") for k in split(key))
    return cast(sqrt(log(1.0 - radius) * -2.0) * cos(angle * (2.0 * math.pi)), dtype)
