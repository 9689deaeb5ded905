"""The batch law: a generator on n examples at once is the generator on each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from lensgrad.backends import kernels
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.testing.calculus import Rules, differentiable
from lensgrad.testing.case import Arrays, Facts
from lensgrad.testing.precision import told as in_words
from lensgrad.testing.report import Broken, Skip, close
from lensgrad.theories.smooth.array import Key
from lensgrad.theories.smooth.batch import batch, batch_all
from lensgrad.theories.smooth.random import drawing

Flags = tuple[bool, ...]


def has_examples(facts: Facts) -> None:
    if any(getattr(a, "rows", None) is not None for a in (*facts.case.dom, *facts.f.cod)):
        raise Skip("circuits are batched once, and this has rows")
    if not facts.case.dom:
        raise Skip("no input can differ between examples")


def subsets(facts: Facts) -> Iterator[Flags]:
    """Which inputs are batched: every choice but none, and none as well where something is drawn."""
    for flags in product((True, False), repeat=len(facts.case.dom)):
        if any(flags) or draws(facts):
            yield flags


def draws(facts: Facts) -> bool:
    return drawing(facts.f)


def inputs(facts: Facts, flags: Flags, example: int) -> Arrays:
    """What one example sees: its own batched inputs, the shared ones, and shared keys folded with its number if it draws."""
    own, first = facts.examples[example], facts.examples[0]
    folded = [fold(x, example) if isinstance(a, Key) and draws(facts) else x for a, x in zip(facts.case.dom, first, strict=True)]
    return [x if b else y for b, x, y in zip(flags, own, folded, strict=True)]


def fold(key: Any, example: int) -> Any:
    # Kernels have no types, since programs are printed with their text.
    return kernels.fold_in(key, np.full(key.shape[:-1], example, np.int32))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def stacked(facts: Facts, flags: Flags) -> Arrays:
    """The inputs of the batched generator."""
    return [np.stack(xs) if b else xs[0] for b, xs in zip(flags, zip(*facts.examples, strict=True), strict=True)]


def one_at_a_time(facts: Facts, rules: Rules) -> str:
    """batch(f, n) on stacked examples = f on each, for every choice of batched inputs, to 1e-12 of the norm in float64."""
    has_examples(facts)
    count = 0
    for flags in subsets(facts):
        f, carried = batch(facts.f, len(facts.examples), flags)
        found = facts.runs(f)(*stacked(facts, flags))
        singles = [facts.run(*inputs(facts, flags, i)) for i in range(len(facts.examples))]
        close(f"the batch {told(flags)}", *leveled(facts, found, carried, singles), facts.precision.near(1e-12))
        count += 1
    return f"{count} choice{'s' * (count > 1)} of batched inputs"


def leveled(facts: Facts, found: Any, carried: Flags, singles: list[Arrays]) -> tuple[Arrays, Arrays]:
    """What was found and what is wanted; an output that is not batched must be what every example gives."""
    wanted = [facts.case.together(ys) for ys in zip(*singles, strict=True)]
    if facts.case.together is not np.stack:
        if any(carried):
            raise Broken("one result for all examples is marked as one for each")
        return list(found), wanted
    return [np.asarray(y) if b else np.stack([y] * len(singles)) for y, b in zip(found, carried, strict=True)], wanted


def told(flags: Flags) -> str:
    return f"of inputs {[i for i, b in enumerate(flags) if b]}"


def reversed_batch(facts: Facts, rules: Rules) -> str:
    """R of a batch: each example's own cotangent, and the sum over examples for what they share."""
    has_examples(facts)
    differentiable(facts)
    if facts.case.together is not np.stack:
        raise Skip("its examples are not independent")
    for flags in subsets(facts):
        pulled = R(batch_all(facts.f, len(facts.examples), flags))
        dys = [np.stack(v) for v in zip(*facts.example_dys, strict=True)]
        found = facts.runs(pulled)(*stacked(facts, flags), *dys)
        singles = [rules.pull(inputs(facts, flags, i), facts.example_dys[i]) for i in range(len(facts.examples))]
        close(f"R of the batch {told(flags)}", list(found), gathered(facts, flags, singles), facts.precision.near(1e-11))
    return "shared inputs get the sum"


def gathered(facts: Facts, flags: Flags, singles: list[Arrays]) -> Arrays:
    return [np.stack(dx) if flags[i] else np.sum(dx, 0) for i, dx in zip(facts.moving, zip(*singles, strict=True), strict=True)]


def batched_reverse(facts: Facts, rules: Rules) -> str:
    """A batch of R: R on stacked inputs and cotangents = R on each."""
    has_examples(facts)
    differentiable(facts)
    if facts.case.together is not np.stack:
        raise Skip("its examples are not independent")
    whole = (True,) * len(facts.case.dom)
    f: Diagram = batch_all(rules.reverse, len(facts.examples))
    found = facts.runs(f)(*stacked(facts, whole), *(np.stack(v) for v in zip(*facts.example_dys, strict=True)))
    singles = [rules.pull(inputs(facts, whole, i), facts.example_dys[i]) for i in range(len(facts.examples))]
    close("the batch of R", list(found), [np.stack(dx) for dx in zip(*singles, strict=True)], facts.precision.near(1e-11))
    return in_words(facts.precision.near(1e-11))
