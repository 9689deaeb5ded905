"""Every generator of the library, found mechanically, and the cases that check it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from lensgrad import theories
from lensgrad.backends.engine import Jax, installed
from lensgrad.core import diagram as core
from lensgrad.core.op import Op, concrete
from lensgrad.testing.case import Case
from lensgrad.testing.cases_array import CASTS, INDEX, LINEAR, RANDOM, REDUCE
from lensgrad.testing.cases_loop import BOXES, LOOPS, WINDOWS
from lensgrad.testing.cases_pointwise import POINTWISE
from lensgrad.testing.cases_poly import POLY
from lensgrad.testing.check import examine
from lensgrad.testing.meaning import ALONE
from lensgrad.testing.report import Finding, Report

CASES: tuple[Case, ...] = (*POINTWISE, *LINEAR, *CASTS, *REDUCE, *INDEX, *RANDOM, *WINDOWS, *LOOPS, *BOXES, *POLY)


def generators() -> list[type[Op]]:
    """All concrete generators of `lensgrad.theories` and `lensgrad.core`, by module and name."""
    for module in pkgutil.walk_packages(theories.__path__, f"{theories.__name__}."):
        import_module(module.name)
    ours = (f"{theories.__name__}.", core.__name__)
    return sorted((c for c in descendants(Op) if c.__module__.startswith(ours) and concrete(c)), key=named)


def descendants(cls: type[Op]) -> Iterator[type[Op]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from descendants(sub)


def named(cls: type[Op]) -> str:
    """`smooth.linear.Sum`."""
    return f"{cls.__module__}.{cls.__name__}".removeprefix("lensgrad.").removeprefix("theories.")


def cases_of(cls: type[Op]) -> list[Case]:
    """The cases of one generator."""
    return [c for c in CASES if type(c.op) is cls]


def generator_checks() -> Iterator[tuple[str, str]]:
    """Check generator after generator, yielding (what was checked, failure); an empty failure means that all laws hold."""
    oracle = "" if any(isinstance(b, Jax) for b in installed()) else f": {ALONE}"
    for cls in generators():
        report = generator_report(cls)
        yield f"{report.name:32} {len(cases_of(cls))} cases{oracle}", "" if report else str(report)


def generator_report(cls: type[Op]) -> Report:
    """One report for all cases of a generator."""
    return merged(named(cls), [examine(case) for case in cases_of(cls)])


def merged(name: str, reports: list[Report]) -> Report:
    """One report for several cases: what failed and where; else each part once."""
    if not reports:
        return Report(name, (Finding("cases", "failed", "no case checks this generator"),))
    failures = [Finding(f.part, "failed", f"{r.name}: {f.detail}") for r in reports for f in r.failed]
    passed = {f.part: sum(g.part == f.part for r in reports for g in r.passed) for r in reports for f in r.passed}
    skipped = {f.part: f for r in reports for f in r.skipped if f.part not in passed}
    counted = [Finding(part, "passed", f"{n} of {len(reports)} cases") for part, n in passed.items()]
    return Report(name, (*failures, *counted, *skipped.values()))
