"""A seed from what scikit-learn calls random_state."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue


def seed_of(random_state: Any) -> int:
    """A seed drawn from a random state: None for the global one, a whole number, or a `RandomState`. It needs scikit-learn."""
    try:
        return int(import_module("sklearn.utils").check_random_state(random_state).randint(2**31 - 1))
    except (TypeError, ValueError):
        told = f"random_state must be None, a whole number from 0 to 2^32 - 1, or a numpy RandomState, got {shown(random_state)}"
        raise BadValue(f"{told}: give a number such as 0, so that the next fit is the same") from None
