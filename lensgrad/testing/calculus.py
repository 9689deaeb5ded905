"""What R of a generator of Smooth must satisfy, numerically: in float64, where the generator takes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from lensgrad.cat.reverse import R
from lensgrad.core.extras import extra
from lensgrad.core.op import Standing
from lensgrad.testing.case import Arrays, Facts, gradient, pairing
from lensgrad.testing.precision import told
from lensgrad.testing.report import Broken, Skip, close
from lensgrad.theories.smooth.array import Array


class Rules:
    """R and R of R of a case, by the rules of its generator as they are now."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def reverse(self) -> Any:
        return R(self.facts.f)

    @cached_property
    def pull(self) -> Callable[..., Arrays]:
        """(x, dy) ↦ dx."""
        run = self.facts.runs(self.reverse)

        def call(xs: Arrays, dys: Arrays) -> Arrays:
            return run(*xs, *dys)

        return call

    @cached_property
    def pull_twice(self) -> Callable[..., tuple[Arrays, Arrays]]:
        """(x, dy, dx) ↦ (∂⟨R(x, dy), dx⟩/∂x, ∂f · dx)."""
        run = self.facts.runs(R(self.reverse))
        held = len(self.facts.moving)

        def call(xs: Arrays, dys: Arrays, dxs: Arrays) -> tuple[Arrays, Arrays]:
            found = run(*xs, *dys, *dxs)
            return found[:held], found[held:]

        return call


def applies(facts: Facts) -> None:
    """Skip what has no derivative to check, with the reason."""
    if any(not isinstance(facts.case.dom[i], Array) for i in facts.moving):
        raise Skip("for arrays; over a semiring all values are tried instead")
    if not facts.moving:
        raise Skip("no input has changes")
    if not facts.seen:
        raise Skip("no output has changes")


def differentiable(facts: Facts) -> None:
    applies(facts)
    if facts.case.op.standing is Standing.CHOSEN:
        raise Skip(f"the backward is chosen: {facts.case.op.kinks}")


def against_differences(facts: Facts, rules: Rules) -> str:
    """R = central differences, to 1e-5 of the norm in float64."""
    differentiable(facts)
    facts.precision.differing()
    close("R against central differences", rules.pull(facts.xs, facts.dys), facts.central, facts.precision.differences)
    return told(facts.precision.differences)


def against_jax(facts: Facts, rules: Rules) -> str:
    """R = jax.vjp of the meaning in JAX, to 1e-10 of the norm in float64."""
    differentiable(facts)
    has_meaning(facts)
    close("R against jax.vjp", rules.pull(facts.xs, facts.dys), facts.oracle[1], facts.precision.near(1e-10))
    return told(facts.precision.near(1e-10))


def has_meaning(facts: Facts) -> None:
    """Skip where JAX cannot say what the generator means."""
    from lensgrad.backends.table import Hole
    from lensgrad.core.diagram import Definition
    from lensgrad.core.errors import MissingExtra

    try:
        extra("jax", "check", "the oracle")
    except MissingExtra as missing:
        raise Skip("JAX is not installed, so there is no oracle: pip install 'lensgrad[check]'") from missing
    entry = facts.in_jax().table.get(type(facts.case.op))
    if isinstance(entry, Hole):
        raise Skip(f"the JAX backend has none: {entry.reason}")
    if entry is None and not isinstance(facts.case.op, Definition):
        raise Skip("the JAX backend has no line for it, so there is no oracle")


def linear(facts: Facts, rules: Rules) -> str:
    """R(x, ·) is linear, to 1e-12 of the norm in float64, and exactly 0 at 0."""
    applies(facts)
    a, b = 1.25, -0.75
    first, second = (rules.pull(facts.xs, dys) for dys in (facts.dys, facts.other_dys))
    mixed = rules.pull(facts.xs, combined(a, facts.dys, b, facts.other_dys))
    close("R(x, av + bw) against aR(x, v) + bR(x, w)", mixed, combined(a, first, b, second), facts.precision.near(1e-12))
    none = rules.pull(facts.xs, combined(0.0, facts.dys, 0.0, facts.dys))
    if any((dx != 0).any() for dx in none):
        raise Broken("R(x, 0) is not 0")
    return told(facts.precision.near(1e-12))


def combined(a: float, xs: Arrays, b: float, ys: Arrays) -> Arrays:
    return [a * x + b * y for x, y in zip(xs, ys, strict=True)]


def second_order(facts: Facts, rules: Rules) -> str:
    """R of R: symmetric (RD.7), the derivative of R, and with the derivative of f as its other half (RD.6)."""
    differentiable(facts)
    facts.precision.differing()
    off, rounding = facts.precision.differences, facts.precision.near(1e-10)
    curved, pushed = rules.pull_twice(facts.xs, facts.dys, facts.dxs)
    other, _ = rules.pull_twice(facts.xs, facts.dys, facts.other_dxs)
    close("the second derivative, both ways round", [pairing(curved, facts.other_dxs)], [pairing(other, facts.dxs)], 10 * rounding)
    central = gradient(lambda *xs: pairing(rules.pull(list(xs), facts.dys), facts.dxs), facts.xs, facts.moving, facts.precision.step)
    close("R of R against central differences of R", curved, central, off)
    close("the forward derivative in R of R against central differences", pushed, facts.central_along, off)
    return f"symmetric, and {told(off)}"


def at_kinks(facts: Facts, rules: Rules) -> str:
    """Where the derivative does not exist, R gives exactly what is declared."""
    kinks = facts.case.kinks
    if not kinks:
        raise Skip("no answer is declared")
    for kink in kinks:
        close("R at a kink", rules.pull(kink.inputs, kink.cotangents), kink.answer, 0.0)
    return f"{len(kinks)} declared answer{'s' * (len(kinks) > 1)}"
