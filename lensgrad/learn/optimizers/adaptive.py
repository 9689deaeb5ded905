"""Optimizers whose steps hardly depend on the size of the gradient, entry by entry: these carry their rate, and take rate 1."""

from __future__ import annotations

from typing import Any

from lensgrad.core.calls import in_words
from lensgrad.core.checks import flag, number, share
from lensgrad.core.graph import Operand, Wire
from lensgrad.learn import init
from lensgrad.learn.optimizers.parts import FOREIGN, STEPS, Optimizer, State, called, carried, now, unbiased, update
from lensgrad.learn.rates import Schedule
from lensgrad.theories.smooth import ops


@in_words(FOREIGN)
def adagrad(learning_rate: float | Schedule, epsilon: float = 1e-10, initial: float = 0.0) -> Optimizer:
    """s ← s + p′², p ← p − rate · p′ / (√s + ε) (Duchi, Hazan and Singer, JMLR 12, 2011). s starts at `initial`."""

    epsilon, initial = number("epsilon of adagrad", epsilon, 0), number("the initial sum of adagrad", initial, 0)
    name = called("adagrad", learning_rate, epsilon=(epsilon, 1e-10), initial=(initial, 0.0))

    def put(rate: Any, s: Any, p: Any, dp: Any) -> Any:
        total = s + dp * dp
        return total, p - dp / (ops.sqrt(total) + epsilon) * rate

    states = [State("sum", init.constant(initial))]
    return carried(name, learning_rate, lambda rate, s, p: p, put, states, owns_rate=True)


@in_words(FOREIGN)
def adam(learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """m ← β₁ m + (1 − β₁) p′, v ← β₂ v + (1 − β₂) p′², p ← p − rate · m̂ / (√v̂ + ε) (arXiv 1412.6980, algorithm 1).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) are not kept: the states are t, m and v (the lens papers keep m̂ and v̂, which
    is another method and does not converge).
    """
    rule = Moments("adam", beta1, beta2, epsilon)
    return decaying(rule.called(learning_rate), learning_rate, rule)


@in_words(FOREIGN)
def adamw(
    learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.01
) -> Optimizer:
    """adam, with p ← p − rate · (m̂ / (√v̂ + ε) + weight_decay · p) (arXiv 1711.05101, algorithm 2)."""
    rule, decay = Moments("adamw", beta1, beta2, epsilon), number("weight_decay of adamw", weight_decay, 0)
    return decaying(rule.called(learning_rate, weight_decay=(decay, 0.01)), learning_rate, rule, decay)


@in_words(FOREIGN)
def nadam(learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """adam, whose first moment looks one step ahead: β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) p′ / (1 − β₁ᵗ) for m̂ (Dozat, 2016)."""
    rule = Moments("nadam", beta1, beta2, epsilon, ahead=True)
    return decaying(rule.called(learning_rate), learning_rate, rule)


class Moments:
    """The running means of the gradient and of its square, and the step that they give before the rate."""

    def __init__(self, name: str, beta1: float, beta2: float, epsilon: float, ahead: bool = False, usual: float = 1e-8) -> None:
        self.name, self.ahead, self.usual = name, ahead, usual
        self.beta1, self.beta2 = share(f"beta1 of {name}", beta1), share(f"beta2 of {name}", beta2)
        self.epsilon = number(f"epsilon of {name}", epsilon, 0)

    def called(self, rate: float | Schedule, **others: tuple[Any, Any]) -> str:
        """The call that made it."""
        kept = {"beta1": (self.beta1, 0.9), "beta2": (self.beta2, 0.999), "epsilon": (self.epsilon, self.usual)}
        return called(self.name, rate, **kept, **others)

    def step(self, t: Any, m: Any, v: Any, dp: Any) -> Any:
        """(t, m, v, p′) ↦ the next m and v, and the step."""
        first = m * self.beta1 + dp * (1.0 - self.beta1)
        second = v * self.beta2 + dp * dp * (1.0 - self.beta2)
        mean = unbiased(first, self.beta1, t)
        if self.ahead:
            mean = unbiased(first, self.beta1, t + 1) * self.beta1 + unbiased(dp, self.beta1, t) * (1.0 - self.beta1)
        return first, second, mean / (ops.sqrt(unbiased(second, self.beta2, t)) + self.epsilon)


MOMENTS = (STEPS, State("mean"), State("square"))


def decaying(name: str, rate: float | Schedule, moments: Moments, decay: float = 0.0) -> Optimizer:
    """Adam, and weight decay beside it where there is some."""

    def put(t: Any, m: Any, v: Any, p: Any, dp: Any) -> Any:
        first, second, step = moments.step(t, m, v, dp)
        step = step + p * decay if decay else step
        return t + 1, first, second, p - step * now(rate, t, p)

    return update(name, lambda t, m, v, p: p, put, MOMENTS, owns_rate=True)


@in_words(FOREIGN)
def rmsprop(
    learning_rate: float | Schedule, decay: float = 0.99, epsilon: float = 1e-8, momentum: float = 0.0, centered: bool = False
) -> Optimizer:
    """v ← decay · v + (1 − decay) p′², p ← p − rate · p′ / (√v + ε) (Tieleman and Hinton, 2012).

    With `momentum` the quotient goes through a velocity, as in `sgd`; `centered` subtracts the square of the mean of p′ from v.
    """
    decay, momentum = share("decay of rmsprop", decay), share("momentum of rmsprop", momentum)
    epsilon, centered = number("epsilon of rmsprop", epsilon, 0), flag("centered of rmsprop", centered)
    more = {"decay": (decay, 0.99), "epsilon": (epsilon, 1e-8), "momentum": (momentum, 0.0), "centered": (centered, False)}
    name = called("rmsprop", learning_rate, **more)

    def put(rate: Any, *wires: Any) -> Any:
        (v, *held), p, dp = wires[:-2], wires[-2], wires[-1]
        square = v * decay + dp * dp * (1.0 - decay)
        mean = [held.pop(0) * decay + dp * (1.0 - decay)] if centered else []
        spread = ops.maximum(square - mean[0] * mean[0], 0.0) if mean else square  # rounding makes a variance of 0 negative
        step = dp / (ops.sqrt(spread) + epsilon)
        velocity = [held[0] * momentum + step] if momentum else []
        return square, *mean, *velocity, p - (velocity or [step])[0] * rate

    kept = [State("square"), *([State("mean")] if centered else []), *([State("velocity")] if momentum else [])]
    return carried(name, learning_rate, as_it_is, put, kept, owns_rate=True)


def as_it_is(rate: Operand, *wires: Wire) -> Wire:
    """The model sees the weight, which is the last wire."""
    return wires[-1]


@in_words(FOREIGN)
def adadelta(learning_rate: float | Schedule = 1.0, decay: float = 0.9, epsilon: float = 1e-6) -> Optimizer:
    """v ← decay · v + (1 − decay) p′², d = p′ √(u + ε) / √(v + ε), u likewise of d², p ← p − rate · d (arXiv 1212.5701)."""
    decay, epsilon = share("decay of adadelta", decay), number("epsilon of adadelta", epsilon, 0)
    name = called("adadelta", learning_rate, decay=(decay, 0.9), epsilon=(epsilon, 1e-6))

    def put(rate: Any, v: Any, u: Any, p: Any, dp: Any) -> Any:
        square = v * decay + dp * dp * (1.0 - decay)
        step = dp * ops.sqrt(u + epsilon) / ops.sqrt(square + epsilon)
        return square, u * decay + step * step * (1.0 - decay), p - step * rate

    states = [State("square"), State("moved")]
    return carried(name, learning_rate, lambda rate, v, u, p: p, put, states, owns_rate=True)


@in_words(FOREIGN)
def lion(learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0) -> Optimizer:
    """p ← p − rate · (sign(β₁ m + (1 − β₁) p′) + weight_decay · p), m ← β₂ m + (1 − β₂) p′ (arXiv 2302.06675)."""
    beta1, beta2 = share("beta1 of lion", beta1), share("beta2 of lion", beta2)
    weight_decay = number("weight_decay of lion", weight_decay, 0)
    name = called("lion", learning_rate, beta1=(beta1, 0.9), beta2=(beta2, 0.99), weight_decay=(weight_decay, 0.0))

    def put(rate: Any, m: Any, p: Any, dp: Any) -> Any:
        step = ops.sign(m * beta1 + dp * (1.0 - beta1))
        step = step + p * weight_decay if weight_decay else step
        return m * beta2 + dp * (1.0 - beta2), p - step * rate

    return carried(name, learning_rate, lambda rate, m, p: p, put, [State("mean")], owns_rate=True)
