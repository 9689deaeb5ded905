"""Optimizers whose steps hardly depend on the size of the gradient, entry by entry: these carry their rate, and take rate 1."""

from __future__ import annotations

from typing import Any

from lensgrad.learn import init
from lensgrad.learn.optimizers.parts import STEPS, Formula, Optimizer, State, carried, now, share, unbiased, update
from lensgrad.learn.rates import Schedule, scheduled
from lensgrad.theories.smooth import ops


def adagrad(learning_rate: float | Schedule, epsilon: float = 1e-10, initial: float = 0.0) -> Optimizer:
    """s ← s + p′², p ← p − rate · p′ / (√s + ε) (Duchi, Hazan and Singer, JMLR 12, 2011). s starts at `initial`."""

    def put(rate: Any, s: Any, p: Any, dp: Any) -> Any:
        total = s + dp * dp
        return total, p - dp / (ops.sqrt(total) + epsilon) * rate

    states = [State("sum", init.constant(initial))]
    return carried(f"adagrad({scheduled(learning_rate)})", learning_rate, lambda rate, s, p: p, put, states, owns_rate=True)


def adam(learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """m ← β₁ m + (1 − β₁) p′, v ← β₂ v + (1 − β₂) p′², p ← p − rate · m̂ / (√v̂ + ε) (arXiv 1412.6980, algorithm 1).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) are not kept: the states are t, m and v (the lens papers keep m̂ and v̂, which
    is another method and does not converge).
    """
    return decaying(f"adam({scheduled(learning_rate)})", learning_rate, beta1, beta2, epsilon, 0.0)


def adamw(
    learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.01
) -> Optimizer:
    """adam, with p ← p − rate · (m̂ / (√v̂ + ε) + weight_decay · p) (arXiv 1711.05101, algorithm 2)."""
    return decaying(f"adamw({scheduled(learning_rate)})", learning_rate, beta1, beta2, epsilon, weight_decay)


def nadam(learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """adam, whose first moment looks one step ahead: β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) p′ / (1 − β₁ᵗ) for m̂ (Dozat, 2016)."""
    return decaying(f"nadam({scheduled(learning_rate)})", learning_rate, beta1, beta2, epsilon, 0.0, ahead=True)


def decaying(name: str, rate: float | Schedule, beta1: float, beta2: float, epsilon: float, decay: float, ahead: bool = False) -> Optimizer:
    """Adam, and weight decay beside it where there is some."""
    direction = adam_step(name, beta1, beta2, epsilon, ahead)

    def put(t: Any, m: Any, v: Any, p: Any, dp: Any) -> Any:
        first, second, step = direction(t, m, v, dp)
        step = step + p * decay if decay else step
        return t + 1, first, second, p - step * now(rate, t, p)

    return update(name, lambda t, m, v, p: p, put, MOMENTS, owns_rate=True)


MOMENTS = (STEPS, State("mean"), State("square"))


def adam_step(name: str, beta1: float, beta2: float, epsilon: float, ahead: bool = False) -> Formula:
    """(t, m, v, p′) ↦ the next m and v, and the step of adam before its rate."""
    for label, beta in (("beta1", beta1), ("beta2", beta2)):
        share(name, label, beta)

    def step(t: Any, m: Any, v: Any, dp: Any) -> Any:
        first, second = m * beta1 + dp * (1.0 - beta1), v * beta2 + dp * dp * (1.0 - beta2)
        mean = unbiased(first, beta1, t)
        if ahead:
            mean = unbiased(first, beta1, t + 1) * beta1 + unbiased(dp, beta1, t) * (1.0 - beta1)
        return first, second, mean / (ops.sqrt(unbiased(second, beta2, t)) + epsilon)

    return step


def rmsprop(
    learning_rate: float | Schedule, decay: float = 0.99, epsilon: float = 1e-8, momentum: float = 0.0, centered: bool = False
) -> Optimizer:
    """v ← decay · v + (1 − decay) p′², p ← p − rate · p′ / (√v + ε) (Tieleman and Hinton, 2012).

    With `momentum` the quotient goes through a velocity, as in `sgd`; `centered` subtracts the square of the mean of p′ from v.
    """
    name = f"rmsprop({scheduled(learning_rate)})"
    share(name, "decay", decay)

    def put(rate: Any, *wires: Any) -> Any:
        (v, *more), p, dp = wires[:-2], wires[-2], wires[-1]
        square = v * decay + dp * dp * (1.0 - decay)
        mean = [more.pop(0) * decay + dp * (1.0 - decay)] if centered else []
        step = dp / (ops.sqrt(square - mean[0] * mean[0] if mean else square) + epsilon)
        velocity = [more[0] * momentum + step] if momentum else []
        return square, *mean, *velocity, p - (velocity or [step])[0] * rate

    kept = [State("square"), *([State("mean")] if centered else []), *([State("velocity")] if momentum else [])]
    return carried(name, learning_rate, lambda rate, *wires: wires[-1], put, kept, owns_rate=True)


def adadelta(learning_rate: float | Schedule = 1.0, decay: float = 0.9, epsilon: float = 1e-6) -> Optimizer:
    """v ← decay · v + (1 − decay) p′², d = p′ √(u + ε) / √(v + ε), u likewise of d², p ← p − rate · d (arXiv 1212.5701)."""
    name = f"adadelta({scheduled(learning_rate)})"
    share(name, "decay", decay)

    def put(rate: Any, v: Any, u: Any, p: Any, dp: Any) -> Any:
        square = v * decay + dp * dp * (1.0 - decay)
        step = dp * ops.sqrt(u + epsilon) / ops.sqrt(square + epsilon)
        return square, u * decay + step * step * (1.0 - decay), p - step * rate

    states = [State("square"), State("moved")]
    return carried(name, learning_rate, lambda rate, v, u, p: p, put, states, owns_rate=True)


def lion(learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0) -> Optimizer:
    """p ← p − rate · (sign(β₁ m + (1 − β₁) p′) + weight_decay · p), m ← β₂ m + (1 − β₂) p′ (arXiv 2302.06675)."""
    name = f"lion({scheduled(learning_rate)})"
    for label, beta in (("beta1", beta1), ("beta2", beta2)):
        share(name, label, beta)

    def put(rate: Any, m: Any, p: Any, dp: Any) -> Any:
        step = ops.sign(m * beta1 + dp * (1.0 - beta1))
        step = step + p * weight_decay if weight_decay else step
        return m * beta2 + dp * (1.0 - beta2), p - step * rate

    return carried(name, learning_rate, lambda rate, m, p: p, put, [State("mean")], owns_rate=True)
