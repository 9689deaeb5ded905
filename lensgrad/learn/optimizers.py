"""Optimizers: reparameterizations of a weight (P, ΔP) by lenses from (S × P, S × P) (arXiv 2404.00408, section 3.4).

Each is a function of the parameter it moves, for `reparam({lg.weights: momentum(0.9)})`. Rates are positive; what comes
back is rate × gradient; `descent` subtracts it and `ascent` adds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lensgrad.cat.lens import Lens, Pair, forward, updated
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.cat.structure import need_changes
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.learn import init
from lensgrad.learn.rates import Schedule, scheduled
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Int

Formula = Callable[..., Any]


@dataclass(frozen=True)
class Optimizer:
    """A function from the parameter (P, ΔP) of a lens to the lens (S × P, S × P) → (P, ΔP) that moves it.

    `owns_rate` where the size of what comes back hardly matters, so that a learning rate in front would do nothing.
    """

    name: str
    point: Callable[[Param], Para]
    owns_rate: bool = False

    def __call__(self, param: Param) -> Para:
        return self.point(param)


@dataclass(frozen=True)
class State:
    """One state of an optimizer: the suffix of its label. It has the weight's object and starts at `start`.

    A counter is one whole number for the weight, whatever its object, and starts at 0.
    """

    suffix: str
    start: init.Init = init.zeros
    counter: bool = False

    def port(self, param: Param, weight: Ty) -> Param:
        ob, start = (Int(), init.zeros) if self.counter else (weight, self.start)
        return Param(f"{param.label}.{self.suffix}", updated(ob), Role.STATE, start(ob))


STEPS = State("steps", counter=True)


def update(
    name: str,
    get: Formula,
    put: Formula,
    states: Sequence[State] = (),
    real: bool = True,
    owns_rate: bool = False,
) -> Optimizer:
    """An optimizer from get(s₁, …, p) ↦ the weight the model sees and put(s₁, …, p, p′) ↦ (s₁′, …, next p), atom by atom.

    A counter is met by every atom and must not depend on it. `real` where they multiply by real numbers, which elements of
    a semiring are not.
    """
    lone = [s.counter for s in states]

    def optimizer(param: Param) -> Para:
        weight = moved(name, param, real)
        ports = [*(s.port(param, weight) for s in states), Param(param.label, updated(weight), param.role, param.init)]
        objects = [forward(p.ob) for p in ports]
        arrows = each(get, objects, [*lone, False], [False]), each(put, [*objects, weight], [*lone, False, False], [*lone, False])
        return Para.make(ports, Lens(product(p.ob for p in ports), param.ob, *arrows, name))

    return Optimizer(name, optimizer, owns_rate)


def moved(name: str, param: Param, real: bool = True) -> Ty:
    """The object of a weight that an optimizer can move."""
    if not all(isinstance(a, Pair) for a in param.ob):
        raise TypeMismatch(f"{name} moves the weights of a lens, and '{param.label}' : {param.ob} has no way back: write lens(…) first")
    weight = forward(param.ob)
    need_changes(name, param.label, weight)
    if real and not all(isinstance(a, Array) for a in weight):
        raise NoChange(f"{name} cannot move '{param.label}' : {weight}: it is for floats; over bits use ascent")
    return weight


def each(fn: Formula, objects: Sequence[Ty], lone: Sequence[bool], answers: Sequence[bool]) -> Diagram:
    """`fn` on each atom of the weight, the last object: object-major in and object-major out; what is lone is one for all atoms."""

    def body(*wires: Any) -> Any:
        groups = split(wires, objects)
        columns = zip(*(g * len(objects[-1]) if one else g for g, one in zip(groups, lone, strict=True)), strict=True)
        rows = [r if isinstance(r, tuple) else (r,) for r in (fn(*column) for column in columns)]
        return tuple(r[:1] if one else r for r, one in zip(zip(*rows, strict=True), answers, strict=True))

    return trace(body, *(Ty((a,)) for a in product(objects)))


ascent: Optimizer = update("ascent", lambda p: p, lambda p, dp: p + dp, real=False)
descent: Optimizer = update("descent", lambda p: p, lambda p, dp: p - dp, real=False)


def l2(decay: float) -> Optimizer:
    """(P, ΔP) → (P, ΔP), p′ ↦ p′ + decay · p: the gradient of the penalty ½ decay Σ p², in front of the weight's optimizer.

    `{"first/weight": lg.l2(5e-4), lg.weights: lg.adam(0.01)}` penalizes one weight and moves all. The loss that is reported is
    without the penalty. What comes back is rate · gradient, so with a rate in front, and not in the optimizer, `decay` is to be
    multiplied by it too. For `adamw`, which shrinks weights beside the gradient, this is another method.
    """
    if not isinstance(decay, int | float) or not 0 <= decay < math.inf:
        raise BadValue(f"l2 wants a number ≥ 0, got {decay!r}")

    def point(param: Param) -> Para:
        weight = moved("l2", param)
        arrows = trace(lambda p: p, weight), each(lambda p, dp: dp + p * decay, [weight, weight], [False, False], [False])
        return Para.make([param], Lens(param.ob, param.ob, *arrows, f"l2({decay})"))

    return Optimizer(f"l2({decay})", point)


def momentum(decay: float = 0.9, nesterov: bool = False, paper_sign: bool = False) -> Optimizer:
    """s ← decay · s + p′, p ← p − s; with `nesterov` the model sees p − decay · s.

    The papers print s ← −decay · s + p′, which is the opposite of momentum and diverges on a quadratic; `paper_sign`
    keeps that sign for those who compare.
    """
    keep = -decay if paper_sign else decay

    def get(s: Any, p: Any) -> Any:
        return p - s * decay if nesterov else p

    def put(s: Any, p: Any, dp: Any) -> Any:
        velocity = s * keep + dp
        return velocity, p - velocity

    return update(f"momentum({decay})", get, put, [State("velocity")])


def carried(
    name: str, learning_rate: float | Schedule, get: Formula, put: Formula, states: Sequence[State], owns_rate: bool = False
) -> Optimizer:
    """An optimizer with its rate: get(rate, s₁, …, p) and put(rate, s₁, …, p, p′). A schedule puts a counter before the states."""
    if not isinstance(learning_rate, Schedule):
        return update(name, partial(get, learning_rate), partial(put, learning_rate), states, owns_rate=owns_rate)

    def get_now(t: Any, *wires: Any) -> Any:
        return get(now(learning_rate, t, wires[-1]), *wires)

    def put_now(t: Any, *wires: Any) -> Any:
        found = put(now(learning_rate, t, wires[-1]), *wires)
        return (t + 1, *found) if isinstance(found, tuple) else (t + 1, found)

    return update(name, get_now, put_now, [STEPS, *states], owns_rate=owns_rate)


def now(rate: float | Schedule, t: Any, p: Any) -> Any:
    """The rate after t steps, at every entry of p."""
    return ops.spread(scheduled(rate).at(ops.cast(t, p.atom.dtype)), p.atom.shape, ())


def sgd(learning_rate: float | Schedule, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Descent that carries its own rate, for use with a rate of 1: s ← momentum · s + p′, p ← p − learning_rate · s.

    With `nesterov` the model sees p − momentum · learning_rate · s. A schedule multiplies after the velocity.
    """
    name = f"sgd({scheduled(learning_rate)}{f', momentum={momentum}' if momentum else ''})"
    if momentum == 0.0:
        return carried(name, learning_rate, lambda rate, p: p, lambda rate, p, dp: p - dp * rate, ())

    def get(rate: Any, s: Any, p: Any) -> Any:
        return p - s * (momentum * rate) if nesterov else p

    def put(rate: Any, s: Any, p: Any, dp: Any) -> Any:
        velocity = s * momentum + dp
        return velocity, p - velocity * rate

    return carried(name, learning_rate, get, put, [State("velocity")])


# -- steps that hardly depend on the size of the gradient: these must carry their rate ---------------------------------


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


def decaying(name: str, rate: float | Schedule, beta1: float, beta2: float, epsilon: float, decay: float) -> Optimizer:
    """Adam, and weight decay beside it where there is some."""
    for label, beta in (("beta1", beta1), ("beta2", beta2)):
        if not 0 <= beta < 1:
            raise BadValue(f"{name} wants {label} from 0 up to, but not including, 1, got {beta!r}")

    def put(t: Any, m: Any, v: Any, p: Any, dp: Any) -> Any:
        first, second = m * beta1 + dp * (1.0 - beta1), v * beta2 + dp * dp * (1.0 - beta2)
        step = unbiased(first, beta1, t) / (ops.sqrt(unbiased(second, beta2, t)) + epsilon)
        step = step + p * decay if decay else step
        return t + 1, first, second, p - step * now(rate, t, p)

    return update(name, lambda t, m, v, p: p, put, [STEPS, State("mean"), State("square")], owns_rate=True)


def unbiased(m: Any, beta: float, t: Any) -> Any:
    """m / (1 − βⁿ) with n = t + 1; the difference is computed without cancellation."""
    if beta == 0.0:
        return m
    share = -ops.expm1((ops.cast(t, m.atom.dtype) + 1.0) * math.log(beta))
    return m / ops.spread(share, m.atom.shape, ())
