"""Optional packages of the checks, imported when first needed."""

from __future__ import annotations

from typing import Any

from lensgrad.core.extras import extra


def hypothesis() -> Any:
    """The package that draws random arrows."""
    extra("hypothesis.strategies", "check", "drawing random arrows")
    return extra("hypothesis", "check", "drawing random arrows")
