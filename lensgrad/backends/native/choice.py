"""Whether a program is one for C, and whether it is worth compiling."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from lensgrad.backends.loop import applications, work
from lensgrad.backends.numpy import NUMPY
from lensgrad.backends.table import Meanings
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram

NODE = 3e-6  # seconds that NumPy takes for a generator, however small
ENTRY = 0.5e-9  # and for a multiply-add or an entry
START = 0.2  # seconds that a compiler takes for any program
EACH = 5e-3  # and for a generator
DOUBT = 2.0  # by so much both may be wrong
WHEN = ("auto", "always", "never")


def when() -> str:
    """When "auto" compiles, by LENSGRAD_COMPILE: "auto" where it is worth it, "always" where it is possible, or "never"."""
    given = os.environ.get("LENSGRAD_COMPILE") or "auto"
    return checks.one_of("LENSGRAD_COMPILE", given, WHEN)


def worth(seconds: tuple[float, float], times: float) -> bool:
    """Whether so many runs take NumPy longer than twice what compiling takes, both in seconds by an estimate from the program alone.

    It is the same on every machine and does not ask what is compiled already, so that a run that is repeated runs alike.
    """
    run, compiled = seconds
    return when() == "always" or (when() == "auto" and run * times > DOUBT * compiled)


def numpy_seconds(f: Diagram) -> float:
    """About how long a program takes in NumPy."""
    return NODE * sum(times for _, _, times in applications(f)) + ENTRY * work(f)


def compile_seconds(f: Diagram) -> float:
    """About how long a program takes to compile."""
    return START + EACH * sum(1 for _ in applications(f))


def foreign(f: Diagram, table: Meanings, own: Meanings) -> list[str]:
    """The generators of a program whose meaning in NumPy is a user's own, while they have none in C, by name."""
    strange = {cls for cls, line in table.items() if NUMPY.get(cls) != line} - {*own} if table is not NUMPY else set[Any]()
    return sorted({op.name for op in generators(f) if type(op) in strange}) if strange else []


def generators(f: Diagram) -> Iterator[Any]:
    """All generators of a program, those inside the bodies of others too."""
    for node in f.nodes:
        yield node.op
        body = getattr(node.op, "body", None)
        if isinstance(body, Diagram):
            yield from generators(body)


__all__ = ["compile_seconds", "foreign", "numpy_seconds", "when", "worth"]
