"""What a check found: one line for each part, passed, skipped with its reason, or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.core.errors import CheckFailed


class Skip(Exception):
    """A part of the check that does not apply here; the message says why."""


class Broken(Exception):
    """A law that does not hold; the message says what was found instead."""


@dataclass(frozen=True)
class Finding:
    """One part of a check: "passed", "skipped" or "failed", and what there is to say."""

    part: str
    status: str
    detail: str = ""

    def __str__(self) -> str:
        return f"  {self.status:8} {self.part:20} {self.detail}".rstrip()


@dataclass(frozen=True)
class Report:
    """The findings of one check; true when none failed."""

    name: str
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        return self.having("failed")

    @property
    def skipped(self) -> tuple[Finding, ...]:
        return self.having("skipped")

    @property
    def passed(self) -> tuple[Finding, ...]:
        return self.having("passed")

    def having(self, status: str) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.status == status)

    def required(self) -> Report:
        """This report, or `CheckFailed` with all its lines."""
        if self.failed:
            raise CheckFailed(str(self))
        return self

    def __str__(self) -> str:
        return "\n".join([self.name, *map(str, self.findings)])


def close(what: str, found: Sequence[Any], wanted: Sequence[Any], tolerance: float) -> None:
    """Refuse a difference of more than `tolerance` of the norm, array by array; exact for anything but floats."""
    if len(found) != len(wanted):
        raise Broken(f"{what}: {len(found)} arrays where {len(wanted)} are wanted")
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        error = distance(np.asarray(a), np.asarray(b))
        if not error <= tolerance:
            raise Broken(f"{what}: array {k} is off by {error:.2g} of its norm, and {tolerance:.0e} is allowed\n{shown(a, b)}")


def distance(a: Any, b: Any) -> float:
    """‖a − b‖ as a share of the larger norm (of 0.01 at least); infinite for other shapes."""
    if a.shape != b.shape:
        return np.inf
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        return 0.0 if np.array_equal(a, b) else np.inf
    a, b = a.astype(np.float64), b.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, a - b)
    largest = max(norm(a), norm(b), 1e-2)
    return norm(difference) / largest if np.isfinite(largest) else float(norm(difference) > 0) * np.inf if norm(difference) else 0.0


def norm(a: Any) -> float:
    return float(np.sqrt(np.sum(a * a)))


def shown(found: Any, wanted: Any) -> str:
    """Both sides, short."""
    sides = (np.array2string(np.asarray(v), threshold=20, precision=6) for v in (found, wanted))
    return "    found  {}\n    wanted {}".format(*sides)
