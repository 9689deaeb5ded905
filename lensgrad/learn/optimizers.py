"""Optimizers: reparameterisations of a weight (P, ΔP) by lenses from (S × P, S × P) (arXiv 2404.00408, section 3.4).

Each is a function of the parameter it moves, for `reparam({lg.weights: momentum(0.9)})`. Rates are positive; what comes
back is rate × gradient; `descent` subtracts it and `ascent` adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.lens import Lens, forward, updated
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.cat.structure import need_changes
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.learn import init

Optimizer = Callable[[Param], Para]
Wires = tuple[Any, ...]


@dataclass(frozen=True)
class State:
    """One state of an optimizer: the suffix of its label. It has the weight's object and starts at 0."""

    suffix: str


def update(name: str, get: Callable[..., Any], put: Callable[..., Any], states: Sequence[State] = ()) -> Optimizer:
    """An optimizer from get(s₁, …, p) ↦ the weight the model sees and put(s₁, …, p, p′) ↦ (s₁′, …, next p), atom by atom."""

    def optimizer(param: Param) -> Para:
        weight = forward(param.ob)
        need_changes(name, param.label, weight)
        kept = [Param(f"{param.label}.{s.suffix}", updated(weight), Role.STATE, init.zeros(weight)) for s in states]
        ports = [*kept, Param(param.label, updated(weight), param.role, param.init)]
        whole = [weight] * len(ports)
        lens = Lens(product(p.ob for p in ports), param.ob, each(get, whole, weight), each(put, [*whole, weight], weight), name)
        return Para.make(ports, lens)

    return optimizer


def each(fn: Callable[..., Any], objects: Sequence[Ty], weight: Ty) -> Diagram:
    """`fn` on each atom of the weight: object-major in and object-major out."""

    def body(*wires: Any) -> Any:
        groups = split(wires, objects)
        results = [fn(*column) for column in zip(*groups, strict=True)]
        rows = [r if isinstance(r, tuple) else (r,) for r in results]
        return tuple(zip(*rows, strict=True))

    return trace(body, *(Ty((a,)) for a in product(objects)))


ascent: Optimizer = update("ascent", lambda p: p, lambda p, dp: p + dp)
descent: Optimizer = update("descent", lambda p: p, lambda p, dp: p - dp)


def momentum(decay: float = 0.9, nesterov: bool = False, paper_sign: bool = False) -> Optimizer:
    """s ← decay · s + p′, p ← p − s; with `nesterov` the model sees p − decay · s.

    The papers print s ← −decay · s + p′, which is the opposite of momentum and diverges on a quadratic; `paper_sign`
    keeps that sign for those who compare.
    """
    keep = -decay if paper_sign else decay

    def get(s: Any, p: Any) -> Any:
        return p - s * keep if nesterov else p

    def put(s: Any, p: Any, dp: Any) -> Any:
        velocity = s * keep + dp
        return velocity, p - velocity

    return update(f"momentum({decay})", get, put, [State("velocity")])


def sgd(learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Descent that carries its own rate, for use with a rate of 1: p ← p − learning_rate · s."""
    if momentum == 0.0:
        return update(f"sgd({learning_rate})", lambda p: p, lambda p, dp: p - dp * learning_rate)

    def get(s: Any, p: Any) -> Any:
        return p - s * (momentum * learning_rate) if nesterov else p

    def put(s: Any, p: Any, dp: Any) -> Any:
        velocity = s * momentum + dp
        return velocity, p - velocity * learning_rate

    return update(f"sgd({learning_rate}, momentum={momentum})", get, put, [State("velocity")])
