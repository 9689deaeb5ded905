"""Optimizers made of others: stages one after the other, and what stands before or behind the stage that moves the weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lensgrad.cat.lens import Lens, forward
from lensgrad.cat.names import Param, returns
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product
from lensgrad.learn.optimizers.parts import STEPS, Optimizer, State, limit, movable, through, whole
from lensgrad.theories.smooth import ops


def chain(*stages: Optimizer) -> Optimizer:
    """Stages as one optimizer: what comes back passes them in the order written, f^α^β^…, one reparameterization after another.

    `chain(clip_norm(1.0), adam(1e-3))` clips, then moves; `chain(adam(1e-3), clip_weights(0.01))` moves, then clips.
    """
    wrong = [s for s in stages if not isinstance(s, Optimizer)]
    if not stages or wrong:
        raise BadValue(f"a chain is of optimizers, one or more, got {f'{wrong[0]!r:.60}' if wrong else 'none'}")
    name = f"chain({', '.join(s.name for s in stages)})"

    def point(*params: Param) -> Para:
        made = Para.make(params, Lens.id(product(p.ob for p in params)))
        for stage in stages:
            made = staged(made, stage, [(p.label, p.role) for p in params])
        return made

    return Optimizer(name, point, any(s.owns_rate for s in stages), any(s.joint for s in stages))


def staged(made: Para, stage: Optimizer, weights: Sequence[Any]) -> Para:
    """One more stage in front of the weights, which keep their labels and roles."""
    names = tuple(n for n, p in zip(made.names, made.params, strict=True) if (p.label, p.role) in weights)
    return made.reparam({names: stage} if stage.joint else dict.fromkeys(names, stage))


# -- before the stage that moves: what comes back is changed ------------------------------------------------------------


def clip_value(bound: float) -> Optimizer:
    """p′ ↦ min(max(p′, −bound), bound), entry by entry: a stage of a `chain`, before the one that moves."""
    size = limit("clip_value", bound)
    return through(f"clip_value({bound})", lambda p, dp: ops.clamp(dp, -size, size))


def clip_norm(bound: float) -> Optimizer:
    """(p′₁, …, p′ₙ) ↦ (p′₁, …, p′ₙ) · min(1, bound / ‖(p′₁, …, p′ₙ)‖), for all weights that the pattern reaches (arXiv 1211.5063)."""
    name, size = f"clip_norm({bound})", limit("clip_norm", bound)

    def put(*wires: Any) -> Any:
        back = wires[len(wires) // 2 :]
        length = ops.sqrt(total([ops.sum_over(d * d) for d in back]))
        share = ops.select(length > size, size / ops.select(length > size, length, 1.0), 1.0)
        return tuple(d * whole(d, ops.cast(share, d.atom.dtype)) for d in back)

    def point(*params: Param) -> Para:
        weights = product(movable(name, p) for p in params)
        ob = product(p.ob for p in params)
        return Para.make(params, Lens(ob, ob, Diagram.id(weights), trace(put, *(Ty((a,)) for a in weights @ weights)), name))

    return Optimizer(name, point, joint=True)


def total(values: Sequence[Any]) -> Any:
    """Their sum, in the dtype of the first."""
    return sum((ops.cast(v, values[0].atom.dtype) for v in values[1:]), values[0])


def weight_decay(amount: float) -> Optimizer:
    """p′ ↦ p′ + amount · p: the gradient of amount/2 ‖p‖² beside that of the loss. What has its decay apart is `adamw`."""
    size = limit("weight_decay", amount)
    return through(f"weight_decay({amount})", lambda p, dp: dp + p * size)


def maximize(optimizer: Optimizer) -> Optimizer:
    """The optimizer that goes up where the given one goes down: p′ ↦ −p′ before it, as the discriminator of a GAN moves."""
    made = chain(through("negate", lambda p, dp: -dp, real=False), optimizer)
    return replace(made, name=f"maximize({optimizer.name})")


# -- behind it: what it made of the weight is changed -------------------------------------------------------------------


def clip_weights(bound: float) -> Optimizer:
    """Next p ↦ min(max(p, −bound), bound): a stage of a `chain`, behind the one that moves (arXiv 1701.07875, Wasserstein GAN)."""
    size = limit("clip_weights", bound)
    return behind(through(f"clip_weights({bound})", lambda p, later: ops.clamp(later, -size, size)))


def behind(stage: Optimizer) -> Optimizer:
    """The same stage, refused where nothing has moved the weight yet."""

    def point(param: Param) -> Para:
        if not returns(param):
            told = f"{stage.name} changes what an optimizer made of '{param.label}', and none has moved it yet"
            raise TypeMismatch(f"{told}: write chain(an optimizer, {stage.name})")
        return stage(param)

    return Optimizer(stage.name, point)


# -- around it ---------------------------------------------------------------------------------------------------------


def accumulated(optimizer: Optimizer, steps: int) -> Optimizer:
    """One move every so many steps, on the mean of what came back in them; between moves nothing of the optimizer changes."""
    if type(steps) is not int or steps < 1:
        raise BadValue(f"accumulated wants a whole number of steps ≥ 1, got {steps!r}")
    name = f"accumulated({optimizer.name}, {steps})"
    if optimizer.joint:
        raise BadValue(f"{name} has a stage that takes all weights as one: write that stage before it, chain(…, accumulated(…))")

    def point(param: Param) -> Para:
        return turns(name, param, optimizer(param), steps)

    return Optimizer(name, point, optimizer.owns_rate)


def turns(name: str, param: Param, inner: Para, steps: int) -> Para:
    """The lens of an optimizer that moves at every so many steps, from that of the one that always moves."""
    weight = movable(name, param)
    ports = [STEPS.port(param, weight), State("sum").port(param, weight), *inner.params]
    objects = [Ty((a,)) for a in product(forward(p.ob) for p in ports)]
    width = len(weight)

    def put(t: Any, *wires: Any) -> Any:
        sums, held, back = wires[:width], wires[width:-width], wires[-width:]
        sums = [s + d for s, d in zip(sums, back, strict=True)]
        moved = flatten([inner.arrow.put(*held, *(s * (1.0 / steps) for s in sums))])
        now = t == steps - 1
        later = [ops.select(spread(now, m), m, h) for m, h in zip(moved, held, strict=True)]
        empty = [ops.select(spread(now, s), 0.0, s) for s in sums]
        return ops.select(now, 0, t + 1), empty, later

    def get(*wires: Any) -> Any:
        return inner.arrow.get(*wires[1 + width :])

    whole_lens = Lens(product(p.ob for p in ports), param.ob, trace(get, *objects), trace(put, *objects, *(Ty((a,)) for a in weight)), name)
    return Para.make(ports, whole_lens)


def spread(condition: Any, like: Any) -> Any:
    """One truth value at every entry."""
    return ops.spread(condition, like.atom.shape, ())
