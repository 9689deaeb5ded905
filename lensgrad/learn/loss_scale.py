"""Loss scaling: the loss times a number so large that small gradients survive half precision; the optimizer meets them divided again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.lens import Lens, backward, forward, silent, two, updated
from lensgrad.cat.names import Param, Role, returns
from lensgrad.cat.para import Para, Places, Point, lens
from lensgrad.core import checks
from lensgrad.core.diagram import Family, at, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.learn import init
from lensgrad.learn.optimizers.groups import parameter_groups
from lensgrad.learn.tasks import reached
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Int

LABEL = "loss_scale"
LARGEST = 2.0**24


@dataclass(frozen=True)
class LossScale:
    """A dynamic scale (arXiv 1710.03740, section 3.2): it starts at `start`, doubles after `every` good steps in a row up to 2²⁴, and
    halves where a gradient is not finite; such a step moves nothing. From 1 down nothing is skipped: then it is not the scale.
    """

    start: float = 2.0**15
    every: int = 2000

    def __post_init__(self) -> None:
        start = checks.positive("the start of a loss scale", checks.number("the start of a loss scale", self.start, most=LARGEST))
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "every", checks.whole("the number of good steps after which a loss scale doubles", self.every, 1))

    def after(self, scale: Any, steps: Any, finite: Any) -> tuple[Any, Any]:
        """The next scale, and the number of good steps since it last changed."""
        grown = steps + 1 >= self.every
        larger = ops.select(grown, ops.minimum(scale * 2.0, LARGEST), scale)
        smaller = ops.minimum(scale, ops.maximum(scale * 0.5, 1.0))
        return ops.select(finite, larger, smaller), ops.select(p.And()(finite, p.Not()(grown)), steps + 1, 0)


def loss_scale(start: float = 2.0**15, every: int = 2000) -> LossScale:
    """The rule of a dynamic loss scale, for `supervised(…, precision="float16", loss_scale=…)`."""
    return LossScale(start, every)


def loss_scaled(task: Para, rate: Family | Para, optimizer: Point | Places, rule: LossScale) -> tuple[Para, dict[Any, Point]]:
    """Rate and optimizer with the scale s as a state between them: the loss is answered by s · rate, and the optimizer gets G / s.

    One reparameterization takes s and all weights together, since a step is good or skipped as a whole. `loss_scale` and the
    number of good steps, `loss_scale.steps`, come back from the step like the states of the optimizer.
    """
    start = lens(task)
    atom = start.cod[0].fwd[0] if len(start.cod) == 1 else None
    if not isinstance(atom, Array) or not atom.floating or atom.shape:
        raise TypeMismatch(f"a loss scale is for a loss that is one float, and this loss is {forward(start.cod)}")
    if LABEL in start.names:
        raise BadValue(f"'{LABEL}' is the name of the state of the loss scale, and this learner has a parameter of that name: rename it")
    ob = Ty((atom,))
    scaled = Para.make([Param(LABEL, silent(ob), Role.STATE, init.constant(rule.start)(ob))], times(ob)) >> at(rate, start.cod)
    groups = parameter_groups(start.params, optimizer)
    moving = reached(start.params, groups)
    chosen = [i for i, q in enumerate(start.params) if i in moving or q.role is Role.WEIGHT]
    held = [start.params[i] for i in chosen]
    moved = Para.make(held, Lens.id(product(q.ob for q in held))).reparam(groups)
    flags = [i in moving for i, q in zip(chosen, held, strict=True) for _ in backward(q.ob)]
    if not any(flags):
        told = "a loss scale looks at what comes back to the weights that learn, and this optimizer moves none"
        raise BadValue(f"{told}: give it a weight, or leave loss_scale out")
    point = guarded(moved, ob, flags, rule).told(f"{getattr(optimizer, 'name', '') or 'optimizers'} with a loss scale")
    return scaled, {(*(start.names[i] for i in chosen), LABEL): point}


def times(ob: Ty) -> Lens:
    """(ℝ, I) ⊗ (L, ΔL) → (L, ΔL) whose put multiplies what comes back: (s, l, d) ↦ d · s."""
    get = trace(lambda s, x: x, ob, ob)
    return Lens(silent(ob) @ two(ob), two(ob), get, trace(lambda s, x, d: d * s, ob, ob, ob), "loss scale")


def guarded(moved: Para, ob: Ty, flags: Sequence[bool], rule: LossScale) -> Para:
    """The point that takes weights and scale together: what `moved` does with G / s, unless the gradients marked in `flags` overflow."""
    steps, inner, ports = Int(), moved.arrow, moved.params
    scale = Param(LABEL, updated(ob), Role.STATE, init.constant(rule.start)(ob))
    count = Param(f"{LABEL}.steps", updated(steps), Role.STATE, init.zeros(steps))
    held, back = inner.get.dom, backward(moved.cod)

    def get(s: Any, c: Any, *q: Any) -> Any:
        return flatten([inner.get(*q)]), s

    def put(s: Any, c: Any, *wires: Any) -> Any:
        q, g = wires[: len(held)], wires[len(held) :]
        finite = all_finite([x for x, flag in zip(g, flags, strict=True) if flag])
        found = flatten([inner.put(*q, *(x / like(s, x) for x in g))])
        good = p.Or()(finite, s <= 1.0)
        return *rule.after(s, c, finite), chosen(good, ports, q, found)

    atoms = [Ty((a,)) for a in held]
    arrows = trace(get, ob, steps, *atoms), trace(put, ob, steps, *atoms, *(Ty((a,)) for a in back))
    return Para.make([scale, count, *ports], Lens(product(q.ob for q in (scale, count, *ports)), moved.cod @ silent(ob), *arrows, LABEL))


def chosen(good: Any, ports: Sequence[Param], now: Sequence[Any], found: Sequence[Any]) -> list[Any]:
    """What comes back where the step is good, else what there was; gradients of what does not move are passed on."""
    old, new = split(now, [forward(q.ob) for q in ports]), split(found, [backward(q.ob) for q in ports])
    return [kept(good, x, y) for q, xs, ys in zip(ports, old, new, strict=True) for x, y in zip(xs if returns(q) else ys, ys, strict=True)]


def kept(good: Any, old: Any, new: Any) -> Any:
    """new, or old after an overflow; a key goes on either way."""
    return ops.select(ops.spread(good, new.atom.shape, ()), new, old) if isinstance(new.atom, Array) and new is not old else new


def all_finite(xs: Sequence[Any]) -> Any:
    """Whether no entry is infinite or NaN."""
    found = [ops.amax(ops.absolute(x)) < math.inf for x in xs if x.atom.size]
    for other in found[1:]:
        found[0] = p.And()(found[0], other)
    return found[0]


def like(s: Any, x: Any) -> Any:
    """The scale at every entry of x."""
    return ops.spread(ops.cast(s, x.atom.dtype), x.atom.shape, ())


__all__ = ["LossScale", "loss_scale", "loss_scaled"]
