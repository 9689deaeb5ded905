"""Wrong versions of meanings in C that are no mistakes: each computes the same as what it was made from, for the reason given."""

from __future__ import annotations

EQUIVALENT: dict[str, str] = {}
