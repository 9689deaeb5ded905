"""Optimizers made of others: stages one after the other, and what stands before or behind the stage that moves the weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

from lensgrad.cat.lens import Lens, forward
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core.checks import instance, is_a, positive, shown
from lensgrad.core.checks import whole as whole_number
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product
from lensgrad.learn.optimizers.parts import STEPS, Constraint, Optimizer, Stage, State, Transform, behind, length, movable, through, whole
from lensgrad.theories.smooth import ops


@overload
def chain(*stages: Transform) -> Transform: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def chain(*stages: Constraint) -> Constraint: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def chain(*stages: Stage) -> Optimizer: ...
def chain(*stages: Stage) -> Stage:
    """Stages as one: what comes back passes them in the order written, f^α^β^…, one reparameterization after another.

    Transforms of the gradient stand first, then one optimizer, then constraints of the weight it made:
    `chain(clip_norm(1.0), adam(1e-3))` clips, then moves; `chain(adam(1e-3), clip_weights(0.01))` moves, then clips.
    Of transforms alone it is a transform, to be put before an optimizer.
    """
    wrong = [s for s in stages if not is_a(s, Stage)]
    if not stages or wrong:
        raise BadValue(f"a chain needs one or more optimizers, got {shown(wrong[0]) if wrong else 'none'}")
    name = f"chain({', '.join(s.name for s in stages)})"
    moves = ordered(stages)

    def point(*params: Param) -> Para:
        made = Para.make(params, Lens.id(product(p.ob for p in params)))
        for stage in stages:
            made = staged(made, stage, [(p.label, p.role) for p in params])
        return made

    joint = any(s.joint for s in stages)
    if moves:
        return Optimizer(name, point, joint, moves[0].owns_rate)
    return (Transform if isinstance(stages[0], Transform) else Constraint)(name, point, joint)


def ordered(stages: Sequence[Stage]) -> list[Optimizer]:
    """The optimizer among stages, none or one; another order than transforms, optimizer, constraints is refused."""
    moves = [s for s in stages if isinstance(s, Optimizer)]
    right = sorted(stages, key=lambda s: (isinstance(s, Constraint), not isinstance(s, Transform)))
    if len(moves) > 1:
        raise BadValue(f"a chain has one optimizer, which makes the next weight of the gradient; {moves[0]} and {moves[1]} are two")
    if list(stages) != right:
        one, other = next(pair for pair in zip(stages, right, strict=True) if pair[0] is not pair[1])
        told = f"{other} {DOES[type(other)]}, so it stands before {one}, which {DOES[type(one)]}"
        raise BadValue(f"{told}: write chain({', '.join(map(str, right))})")
    if not moves and isinstance(stages[0], Transform) and isinstance(stages[-1], Constraint):
        told = f"{stages[0]} {DOES[Transform]} and {stages[-1]} {DOES[Constraint]}"
        raise BadValue(f"{told}, and a chain of both has an optimizer between them, such as lg.sgd(0.1)")
    return moves


DOES: dict[type[Stage], str] = {
    Transform: "changes the gradient",
    Optimizer: "makes the next weight",
    Constraint: "changes the next weight",
}


def mover(what: str, optimizer: Any) -> Optimizer:
    """The optimizer that something is made of."""
    if isinstance(optimizer, Transform | Constraint):
        raise BadValue(f"{what} is of an optimizer, and {optimizer} moves no weight: write {what}(lg.chain({optimizer}, lg.sgd(0.1)))")
    return instance(f"what {what} is of", optimizer, Optimizer, "an optimizer such as lg.adam(1e-3)")


def staged(made: Para, stage: Stage, weights: Sequence[Any]) -> Para:
    """One more stage in front of the weights, which keep their labels and roles."""
    names = tuple(n for n, p in zip(made.names, made.params, strict=True) if (p.label, p.role) in weights)
    return made.reparam({names: stage} if stage.joint else dict.fromkeys(names, stage))


# -- before the stage that moves: what comes back is changed ------------------------------------------------------------


def clip_value(bound: float) -> Transform:
    """p′ ↦ min(max(p′, −bound), bound), entry by entry: a stage of a `chain`, before the one that moves."""
    size = positive("the bound of clip_value", bound)
    return through(f"clip_value({size})", lambda p, dp: ops.clamp(dp, -size, size))


def clip_norm(bound: float) -> Transform:
    """(p′₁, …, p′ₙ) ↦ (p′₁, …, p′ₙ) · min(1, bound / ‖(p′₁, …, p′ₙ)‖), for all weights that the pattern reaches (arXiv 1211.5063)."""
    size = positive("the bound of clip_norm", bound)
    name = f"clip_norm({size})"

    def put(*wires: Any) -> Any:
        back = wires[len(wires) // 2 :]
        found = length(back)
        share = ops.select(found > size, size / ops.select(found > size, found, 1.0), 1.0)
        return tuple(d * whole(d, ops.cast(share, d.atom.dtype)) for d in back)

    def point(*params: Param) -> Para:
        weights = product(movable(name, p) for p in params)
        ob = product(p.ob for p in params)
        return Para.make(params, Lens(ob, ob, Diagram.id(weights), trace(put, *(Ty((a,)) for a in weights @ weights)), name))

    return Transform(name, point, joint=True)


def weight_decay(amount: float) -> Transform:
    """p′ ↦ p′ + amount · p: the gradient of amount/2 ‖p‖² beside that of the loss. What has its decay apart is `adamw`."""
    size = positive("the amount of weight_decay", amount)
    return through(f"weight_decay({size})", lambda p, dp: dp + p * size)


def maximize(optimizer: Optimizer) -> Optimizer:
    """The optimizer that goes up where the given one goes down: p′ ↦ −p′ before it, as the discriminator of a GAN moves."""
    made = chain(through("negate", lambda p, dp: -dp, real=False), mover("maximize", optimizer))
    return replace(made, name=f"maximize({optimizer.name})")


# -- behind it: what it made of the weight is changed -------------------------------------------------------------------


def clip_weights(bound: float) -> Constraint:
    """Next p ↦ min(max(p, −bound), bound): a stage of a `chain`, behind the one that moves (arXiv 1701.07875, Wasserstein GAN)."""
    size = positive("the bound of clip_weights", bound)
    return behind(f"clip_weights({size})", lambda p, later: ops.clamp(later, -size, size))


# -- around it ---------------------------------------------------------------------------------------------------------


def accumulated(optimizer: Optimizer, steps: int) -> Optimizer:
    """One move every so many steps, on the mean of what came back in them; between moves nothing of the optimizer changes."""
    steps = whole_number("the number of steps of accumulated", steps, 1)
    name = f"accumulated({mover('accumulated', optimizer)}, {steps})"
    if optimizer.joint:
        raise BadValue(f"{name} has a stage that takes all weights as one: write that stage before it, chain(…, accumulated(…))")

    def point(param: Param) -> Para:
        return turns(name, param, optimizer(param), steps)

    return Optimizer(name, point, owns_rate=optimizer.owns_rate)


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
