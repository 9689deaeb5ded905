"""Values by name as one vector of numbers, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lensgrad.program.values import Values


def flat(values: Mapping[str, Any], names: list[str]) -> np.ndarray[Any, Any]:
    """Arrays as one vector, in float64."""
    return np.concatenate([np.asarray(values[n], np.float64).ravel() for n in names])


def shaped(vector: np.ndarray[Any, Any], like: Mapping[str, Any], names: list[str], dtype: Any = None) -> Values:
    """One vector as arrays, of the shapes and dtypes of others."""
    parts = np.split(vector, np.cumsum([np.size(like[n]) for n in names])[:-1])
    return {n: part.reshape(np.shape(like[n])).astype(dtype or np.asarray(like[n]).dtype) for n, part in zip(names, parts, strict=True)}
