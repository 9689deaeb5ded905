"""Optimizers whose step is as large as the gradient: descent, ascent, momentum and Nesterov (arXiv 2404.00408, section 3.4)."""

from __future__ import annotations

from typing import Any

from lensgrad.core.calls import in_words
from lensgrad.core.checks import flag, share
from lensgrad.learn.optimizers.parts import FOREIGN, Optimizer, State, called, carried, update
from lensgrad.learn.rates import Schedule

ascent: Optimizer = update("ascent", lambda p: p, lambda p, dp: p + dp, real=False)
descent: Optimizer = update("descent", lambda p: p, lambda p, dp: p - dp, real=False)


@in_words(FOREIGN)
def momentum(decay: float = 0.9, nesterov: bool = False, paper_sign: bool = False) -> Optimizer:
    """s ← decay · s + p′, p ← p − s; with `nesterov` the model sees p − decay · s.

    The papers print s ← −decay · s + p′, which is the opposite of momentum and diverges on a quadratic; `paper_sign`
    keeps that sign for those who compare.
    """
    decay = share("decay of momentum", decay)
    nesterov, paper_sign = flag("nesterov", nesterov), flag("paper_sign", paper_sign)
    keep = -decay if paper_sign else decay

    def get(s: Any, p: Any) -> Any:
        return p - s * decay if nesterov else p

    def put(s: Any, p: Any, dp: Any) -> Any:
        velocity = s * keep + dp
        return velocity, p - velocity

    told = [f"{label}=True" for label, on in (("nesterov", nesterov), ("paper_sign", paper_sign)) if on]
    return update(f"momentum({', '.join([str(decay), *told])})", get, put, [State("velocity")])


@in_words(FOREIGN)
def sgd(learning_rate: float | Schedule, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Descent that carries its own rate, for use with a rate of 1: s ← momentum · s + p′, p ← p − learning_rate · s.

    With `nesterov` the model sees p − momentum · learning_rate · s. A schedule multiplies after the velocity.
    """
    momentum, nesterov = share("momentum of sgd", momentum), flag("nesterov", nesterov)
    name = called("sgd", learning_rate, momentum=(momentum, 0.0), nesterov=(nesterov, False))
    if momentum == 0.0:
        return carried(name, learning_rate, lambda rate, p: p, lambda rate, p, dp: p - dp * rate, ())

    def get(rate: Any, s: Any, p: Any) -> Any:
        return p - s * (momentum * rate) if nesterov else p

    def put(rate: Any, s: Any, p: Any, dp: Any) -> Any:
        velocity = s * momentum + dp
        return velocity, p - velocity * rate

    return carried(name, learning_rate, get, put, [State("velocity")])
