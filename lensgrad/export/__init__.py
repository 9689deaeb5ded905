"""The former name of `lensgrad.circuits`, kept for one release."""

from typing import Any
from warnings import warn

from lensgrad import circuits


def __getattr__(name: str) -> Any:
    if name not in circuits.__all__:
        raise AttributeError(f"module 'lensgrad.export' has no attribute '{name}'")
    warn(f"lensgrad.export is called lensgrad.circuits now: from lensgrad.circuits import {name}", DeprecationWarning, stacklevel=2)
    return getattr(circuits, name)
