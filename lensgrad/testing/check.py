"""One call checks one generator: its typing, its meaning, its reverse rule and its batching rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from lensgrad.core.checks import is_a, shown, table
from lensgrad.core.errors import LensgradError, TypeMismatch
from lensgrad.core.op import Op
from lensgrad.testing import batched, calculus, exhaustive, meaning
from lensgrad.testing.calculus import Rules
from lensgrad.testing.case import Case, Facts, flat
from lensgrad.testing.report import Broken, Finding, Report, Skip
from lensgrad.theories.smooth.array import Array

Part = Callable[[Facts, Rules], str]

PARTS: dict[str, Part] = {
    "types": meaning.typed,
    "refusals": meaning.refused,
    "backends": meaning.agrees,
    "tables": exhaustive.by_tables,
    "kinks": calculus.at_kinks,
    "jax.vjp": calculus.against_jax,
    "finite differences": calculus.against_differences,
    "linear": calculus.linear,
    "second order": calculus.second_order,
    "exact differences": exhaustive.by_differences,
    "additive": exhaustive.additive,
    "batch": batched.one_at_a_time,
    "R of batch": batched.reversed_batch,
    "batch of R": batched.batched_reverse,
}


def check(what: Op | Case, *dom: Any, **about: Any) -> Report:
    """Check everything there is to check about a generator at one type, and say what was checked and what was skipped.

    `check(op, *atoms)` draws inputs by their type, given as atoms or as objects such as `lg.Real(3)`; the fields of `Case` may
    be given by name, such as `values=[positive]` to keep away from kinks, or `check(Case(...))` says all at once. A generator of
    your own needs backends that know it, the reference first, and has an oracle where JAX is one of them:
    `check(Cube(), atom, backends=(backend("numpy").extended({Cube: "{0} ** 3"}), backend("jax").extended({Cube: lambda n, x: x**3})))`.
    All of them must agree; without `backends`, all that are installed.

    Everything is in float64, also where the atoms are float32, if the generator takes it. One that exists in float32 only is checked there,
    with larger steps of differences and as exactly as its digits allow; in half precision there are no differences.
    Raises `CheckFailed` with the whole report when a law does not hold.
    """
    if not is_a(what, (Op, Case)):
        raise TypeMismatch(f"check expects a generator, an object of a class marked @generator, got {shown(what)}")
    given: dict[str, Any] = {**table("what check is told about a case", about, [f.name for f in fields(Case)][2:])}
    return examine(what if isinstance(what, Case) else Case(what, widened(what, flat(dom)), **given)).required()


def widened(op: Op, dom: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays of float32 as float64 where the generator takes them, since differences need the digits; their own types are checked too."""
    wide = tuple(a.with_dtype("float64") if isinstance(a, Array) and a.dtype == "float32" else a for a in dom)
    try:
        op.type(*wide)
    except LensgradError:
        return dom
    return wide


def examine(case: Case, parts: Iterable[str] = PARTS, facts: Facts | None = None) -> Report:
    """The same without raising: a report of all parts, or of some. `facts` may be kept from an earlier examination."""
    facts = facts or Facts(case)
    rules = Rules(facts)
    return Report(case.name, tuple(finding(name, facts, rules) for name in parts))


def finding(name: str, facts: Facts, rules: Rules) -> Finding:
    """Run one part; an exception of any kind is a failure."""
    if name in facts.case.without:
        return Finding(name, "skipped", facts.case.without[name])
    try:
        return Finding(name, "passed", PARTS[name](facts, rules))
    except Skip as reason:
        return Finding(name, "skipped", str(reason))
    except Broken as failure:
        return Finding(name, "failed", str(failure))
    except Exception as error:
        return Finding(name, "failed", f"{type(error).__name__}: {error}")
