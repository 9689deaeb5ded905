"""Arrays of other people's dtypes, in ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.theories.smooth.array import SHORT, Array

Numbers = np.ndarray[Any, np.dtype[Any]]
WIDER = {  # what carries dtypes we have not
    "int2": "int32", "int4": "int32", "int8": "int32", "int16": "int32", "int64": "int32",
    "uint2": "int32", "uint4": "int32", "uint16": "int32", "uint64": "uint32",
}  # fmt: skip


def carried_dtype(what: str, dtype: str) -> str:
    """The dtype of ours that carries another one."""
    found = WIDER.get(dtype, dtype)
    if found not in SHORT:
        raise BadValue(f"{what} is of dtype {dtype}, which has no meaning here; arrays are {', '.join(SHORT)}")
    return found


def carried(what: str, array: Numbers) -> Numbers:
    """An array in the dtype of ours that carries it; a whole number that does not fit is refused."""
    dtype = carried_dtype(what, array.dtype.name)
    if dtype == array.dtype.name:
        return array
    limits = np.iinfo(dtype)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise BadValue(f"{what} has whole numbers beyond {dtype}, from {array.min()} to {array.max()}: they have no meaning here")
    return array.astype(dtype)


def atom_of(array: Numbers) -> Array:
    """The type of an array."""
    return Array(array.shape, array.dtype.name)
