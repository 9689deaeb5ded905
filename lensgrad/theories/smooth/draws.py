"""Randomness on wires: keys, bits, uniform and normal numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import random as _random
from lensgrad.theories.smooth.array import FLOATS, Array, full
from lensgrad.theories.smooth.wires import cast, cos, log, sqrt


def fold_in(key: Wire, number: int) -> Wire:
    """Another key for each whole number."""
    return _random.FoldIn()(key, full(number, Array(key.atom.shape, "int32")))


def split(key: Wire, parts: int = 2) -> tuple[Wire, ...]:
    """Independent keys from one."""
    return tuple(fold_in(key, i) for i in range(parts))


def random_bits(key: Wire, shape: Sequence[int]) -> Wire:
    """Uniform 32-bit words."""
    return _random.RandomBits(tuple(shape))(key)


BITS = {"bfloat16": 8, "float16": 11, "float32": 24}  # of a uniform number: as many as fit exactly, so that none is rounded up to 1


def uniform(key: Wire, shape: Sequence[int], dtype: str = "float32") -> Wire:
    """Uniform in [0, 1): 32 random bits in float64, 24 in float32, 11 in float16, 8 in bfloat16."""
    if dtype not in FLOATS:
        raise TypeMismatch(f"random numbers must be floats, got the dtype {dtype}: draw floats, or give first values of another kind")
    bits = random_bits(key, shape)
    if dtype == "float64":
        return cast(bits, dtype) * 2.0**-32
    return cast(cast(_p.ShiftRight(32 - BITS[dtype])(bits), "float32") * 2.0 ** -BITS[dtype], dtype)


def normal(key: Wire, shape: Sequence[int], dtype: str = "float32") -> Wire:
    """Standard normal, by the transform of Box and Muller; in half precision that of float32, rounded."""
    radius, angle = (uniform(k, shape, "float64" if dtype == "float64" else "float32") for k in split(key))
    return cast(sqrt(log(1.0 - radius) * -2.0) * cos(angle * (2.0 * math.pi)), dtype)
