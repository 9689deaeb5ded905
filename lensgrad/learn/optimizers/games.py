"""Optimizers for games and saddle points: they look at what the last step did, or step twice from one place."""

from __future__ import annotations

from typing import Any

from lensgrad.core.calls import in_words
from lensgrad.learn.optimizers.parts import FOREIGN, Optimizer, State, called, carried, update
from lensgrad.learn.rates import Schedule, positive
from lensgrad.theories.smooth import ops


@in_words(FOREIGN)
def optimistic(learning_rate: float | Schedule) -> Optimizer:
    """s ← rate · p′, p ← p − s; the model sees p − s, as if the last step came again (arXiv 1711.00141).

    The points the model sees are those of y ← y − 2 rate · g + rate · last g. Its lens has the shape of Nesterov's.
    """

    def put(rate: Any, s: Any, p: Any, dp: Any) -> Any:
        step = dp * rate
        return step, p - step

    return carried(called("optimistic", learning_rate), learning_rate, lambda rate, s, p: p - s, put, [State("step")])


@in_words(FOREIGN)
def extragradient(learning_rate: float) -> Optimizer:
    """p̄ = p − rate · g(p), then p ← p − rate · g(p̄) (Korpelevich, 1976): every second step moves, from where the first began.

    The state `phase` is 0 where p is at rest and 1 where it is the point tried; give both steps of a pair the same data.
    Where every step has a batch of its own, as in `fit`, use `lg.gan(…, extragradient=…)` or `lensgrad.lens.extrapolated`.
    """
    learning_rate = positive(learning_rate)

    def put(phase: Any, anchor: Any, p: Any, dp: Any) -> Any:
        trying = ops.spread(phase == 0, p.atom.shape, ())
        start = ops.select(trying, p, anchor)
        return 1 - phase, start, start - dp * learning_rate

    states = [State("phase", counter=True), State("anchor")]
    return update(f"extragradient({learning_rate})", lambda phase, anchor, p: p, put, states)
