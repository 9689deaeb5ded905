"""Optimizers that look at a weight as a whole: LAMB by its norm, Adafactor by its rows and columns."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.lens import forward
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core.calls import in_words
from lensgrad.core.checks import number, positive, share
from lensgrad.learn.optimizers.adaptive import MOMENTS, Moments
from lensgrad.learn.optimizers.parts import FOREIGN, STEPS, Optimizer, State, called, movable, norm, now, update, whole
from lensgrad.learn.rates import Schedule, scheduled
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array

PRECISION = {"float64": 2.0**-52, "float32": 2.0**-23, "bfloat16": 2.0**-7}  # one unit in the last place of 1


@in_words(FOREIGN)
def lamb(
    learning_rate: float | Schedule, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-6, weight_decay: float = 0.0
) -> Optimizer:
    """p ← p − rate · (‖p‖ / ‖u‖) u with u = m̂ / (√v̂ + ε) + weight_decay · p (arXiv 1904.00962, algorithm 2).

    The quotient is 1 where either norm is 0.
    """
    rule = Moments("lamb", beta1, beta2, epsilon, usual=1e-6)
    weight_decay = number("weight_decay of lamb", weight_decay, 0)
    name = rule.called(learning_rate, weight_decay=(weight_decay, 0.0))

    def put(t: Any, m: Any, v: Any, p: Any, dp: Any) -> Any:
        first, second, step = rule.step(t, m, v, dp)
        step = step + p * weight_decay if weight_decay else step
        return t + 1, first, second, p - step * whole(p, trust(norm(p), norm(step))) * now(learning_rate, t, p)

    return update(name, lambda t, m, v, p: p, put, MOMENTS, owns_rate=True)


def trust(size: Any, step: Any) -> Any:
    """size / step, and 1 where either is 0."""
    there = step > 0.0
    quotient = ops.select(there, size / ops.select(there, step, 1.0), 1.0)
    return ops.select(size > 0.0, quotient, 1.0)


@in_words(FOREIGN)
def adafactor(
    learning_rate: float | Schedule = 0.01, decay: float = 0.8, epsilon: float = 1e-3, clipping: float = 1.0, weight_decay: float = 0.0
) -> Optimizer:
    """Steps relative to the size of the weight, whose second moment is kept as one row and one column (arXiv 1804.04235, algorithm 4).

    With t steps and β = 1 − t^−decay: v is the running mean of p′² (of its rows and columns where there are two axes or more),
    u = p′ / √v, divided by max(1, rms(u) / clipping), and p ← p − max(ε, rms(p)) · min(rate, 1/√t) · u.
    """
    decay, epsilon = share("decay of adafactor", decay), number("epsilon of adafactor", epsilon, 0)
    clipping = positive("clipping of adafactor", clipping)
    weight_decay = number("weight_decay of adafactor", weight_decay, 0)
    more = {"decay": (decay, 0.8), "epsilon": (epsilon, 1e-3), "clipping": (clipping, 1.0), "weight_decay": (weight_decay, 0.0)}
    name = called("adafactor", learning_rate, **more)
    rule = Factored(learning_rate, decay, epsilon, clipping, weight_decay)
    flat = update(name, lambda t, v, p: p, rule.put_flat, [STEPS, State("square")], owns_rate=True)
    states = [STEPS, State("rows", shape=lambda a: a.with_shape(*a.shape[:-1])), State("columns", shape=columns)]
    factored = update(name, lambda t, r, c, p: p, rule.put_factored, states, owns_rate=True)

    def point(param: Param) -> Para:
        movable(name, param)
        return (factored if all(a.rank > 1 for a in forward(param.ob)) else flat)(param)

    return Optimizer(name, point, owns_rate=True)


def columns(a: Array) -> Array:
    """An array without its last axis but one."""
    return a.with_shape(*a.shape[:-2], *a.shape[-1:])


class Factored:
    """The formulas of Adafactor, with their settings."""

    def __init__(self, rate: float | Schedule, decay: float, epsilon: float, clipping: float, weight_decay: float) -> None:
        self.rate, self.decay, self.epsilon, self.clipping, self.weight_decay = rate, decay, epsilon, clipping, weight_decay

    def put_flat(self, t: Any, v: Any, p: Any, dp: Any) -> Any:
        square = self.mixed(t, v, dp * dp)
        return t + 1, square, self.moved(t, square, p, dp)

    def put_factored(self, t: Any, rows: Any, cols: Any, p: Any, dp: Any) -> Any:
        rank, square = p.atom.rank, dp * dp
        r, c = self.mixed(t, rows, ops.mean_over(square, -1)), self.mixed(t, cols, ops.mean_over(square, -2))
        kept = tuple(range(rank - 2))
        mean = ops.maximum(ops.mean_over(r, -1), PRECISION[p.atom.dtype])
        wide = ops.spread(r, p.atom.shape, (*kept, rank - 2)) * ops.spread(c, p.atom.shape, (*kept, rank - 1))
        return t + 1, r, c, self.moved(t, wide / ops.spread(mean, p.atom.shape, kept), p, dp)

    def mixed(self, t: Any, old: Any, new: Any) -> Any:
        """The running mean, which forgets less and less."""
        fresh = (ops.cast(t, old.atom.dtype) + 1.0) ** -self.decay
        return old + (new - old) * whole(old, fresh)

    def moved(self, t: Any, square: Any, p: Any, dp: Any) -> Any:
        """The next weight."""
        time, least = ops.cast(t, p.atom.dtype), PRECISION[p.atom.dtype]
        step = dp * ops.rsqrt(ops.maximum(square, least * least))
        rate = scheduled(self.rate).at(time)
        size = ops.maximum(rms(p), self.epsilon) * ops.minimum(rate, ops.rsqrt(time + 1.0))
        kept = p - p * whole(p, rate * self.weight_decay) if self.weight_decay else p
        return kept - step * whole(p, size / ops.maximum(rms(step) * (1.0 / self.clipping), 1.0))


def rms(x: Any) -> Any:
    """√(Σ x² / n)."""
    return ops.sqrt(ops.mean_over(x * x))
