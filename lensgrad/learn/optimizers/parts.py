"""Optimizers: reparameterizations of a weight (P, ΔP) by lenses from (S × P, S × P) (arXiv 2404.00408, section 3.4).

Each is a function of the parameter it moves, for `reparam({lg.weights: momentum(0.9)})`. Rates are positive; what comes
back is rate × gradient; `descent` subtracts it and `ascent` adds it.

Three kinds of lenses stand before a weight, and their types say which: a transform (P, ΔP) → (P, ΔP) changes the gradient, an
optimizer (P, P) → (P, ΔP) makes the next weight of it, and a constraint (P, P) → (P, P) changes the next weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lensgrad.cat.lens import Lens, Pair, forward, updated
from lensgrad.cat.names import Param, Role, returns
from lensgrad.cat.para import Para
from lensgrad.cat.structure import need_changes
from lensgrad.core.checks import instance
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch, listed
from lensgrad.core.graph import OnWires, Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.learn import init
from lensgrad.learn.rates import Schedule, positive, scheduled
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Int

FOREIGN = {  # what arguments of optimizers are called elsewhere
    "lr": "it is learning_rate here, and comes first, as in lg.adam(0.001)",
    "betas": "give beta1 and beta2",
    "eps": "it is epsilon here",
    "rho": "it is decay here",
    "params": "an optimizer is given no weights: supervised(model, loss, optimizer) moves those of the model",
    "weight_decay": "use lg.adamw, or write lg.chain(lg.weight_decay(…), optimizer)",
    "clipnorm": "write lg.chain(lg.clip_norm(…), optimizer)",
    "clipvalue": "write lg.chain(lg.clip_value(…), optimizer)",
}


@dataclass(frozen=True, repr=False)
class Stage:
    """A function from parameters of a lens to the lens that stands before them.

    `joint` where it takes all the parameters that a pattern reaches as one, as clipping by a global norm does.
    """

    name: str
    point: Callable[..., Para]
    joint: bool = False

    def __call__(self, *params: Param) -> Para:
        if not params:
            raise TypeMismatch(f"{self} moves weights: write lg.supervised(model, loss, lg.{self})")
        for p in params:
            instance(f"what {self} moves", p, Param, "a parameter of a learner, as lg.supervised(model, loss, optimizer) gives it")
        if len(params) > 1 and not self.joint:
            labels = listed([p.label for p in params])
            raise BadValue(f"{self} is for one weight at a time, and {labels} are one group: write a pattern, or an entry for each")
        for p in params:
            self.check(p)
        return self.point(*params)

    def check(self, param: Param) -> None:
        """Refuse a parameter to which something else comes back than this stage takes."""

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


class Transform(Stage):
    """Gradient to gradient : (P, ΔP) → (P, ΔP). It moves nothing: it stands in a `chain` before an optimizer."""

    def check(self, param: Param) -> None:
        if returns(param):
            told = f"{self} changes the gradient, and what comes back to '{param.label}' is its next value, since an optimizer moves it"
            raise TypeMismatch(f"{told}: write chain({self}, the optimizer)")


@dataclass(frozen=True, repr=False)
class Optimizer(Stage):
    """Gradient to next weight : (S × P, S × P) → (P, ΔP).

    `owns_rate` where the size of what comes back hardly matters, so that a learning rate in front would do nothing.
    """

    owns_rate: bool = False

    def check(self, param: Param) -> None:
        if returns(param):
            told = f"{self} makes the next weight of a gradient, and what comes back to '{param.label}' is its next value already"
            raise TypeMismatch(f"{told}: a weight has one optimizer")


class Constraint(Stage):
    """Next weight to next weight : (P, P) → (P, P). It stands in a `chain` behind an optimizer."""

    def check(self, param: Param) -> None:
        if not returns(param):
            told = f"{self} changes what an optimizer made of '{param.label}', and none has moved it yet"
            raise TypeMismatch(f"{told}: write chain(an optimizer, {self})")


@dataclass(frozen=True)
class State:
    """One state of an optimizer: the suffix of its label. It has the weight's object and starts at `start`.

    A counter is one whole number for the weight, whatever its object, and starts at 0. `shape` where a state is smaller
    than its weight, array by array.
    """

    suffix: str
    start: init.Init = init.zeros
    counter: bool = False
    shape: Callable[[Array], Array] = lambda a: a

    def port(self, param: Param, weight: Ty) -> Param:
        ob, start = (Int(), init.zeros) if self.counter else (Ty(tuple(map(self.shape, weight))), self.start)
        return Param(f"{param.label}.{self.suffix}", updated(ob), Role.STATE, start(ob))


STEPS = State("steps", counter=True)


def update(
    name: str,
    get: OnWires,
    put: OnWires,
    states: Sequence[State] = (),
    real: bool = True,
    owns_rate: bool = False,
) -> Optimizer:
    """An optimizer from get(s₁, …, p) ↦ the weight the model sees and put(s₁, …, p, p′) ↦ (s₁′, …, next p), atom by atom.

    A counter is met by every atom and must not depend on it. `real` where they multiply by real numbers, which elements of
    a semiring are not.
    """

    def point(param: Param) -> Para:
        return moved(name, param, get, put, states, updated(movable(name, param, real)))

    return Optimizer(name, point, owns_rate=owns_rate)


def through(name: str, put: OnWires, real: bool = True) -> Transform:
    """The transform put(p, p′) of the gradient p′, atom by atom."""
    return Transform(name, partial(kept, name, put, real))


def behind(name: str, put: OnWires) -> Constraint:
    """The constraint put(p, next p) of the next weight, atom by atom."""
    return Constraint(name, partial(kept, name, put, True))


def kept(name: str, put: OnWires, real: bool, param: Param) -> Para:
    """The lens (P, P′) → (P, P′) that changes what comes back."""
    movable(name, param, real)
    return moved(name, param, lambda p: p, put, (), param.ob)


def movable(name: str, param: Param, real: bool = True) -> Ty:
    """The object of a weight that has a way back and can change."""
    if not all(isinstance(a, Pair) for a in param.ob):
        raise TypeMismatch(f"{name} moves the weights of a lens, and '{param.label}' : {param.ob} has no way back: write lens(…) first")
    weight = forward(param.ob)
    need_changes(name, param.label, weight)
    if real and not all(isinstance(a, Array) for a in weight):
        raise NoChange(f"{name} cannot move '{param.label}' : {weight}: it is for floats; over bits use ascent")
    return weight


def moved(name: str, param: Param, get: OnWires, put: OnWires, states: Sequence[State], ob: Ty) -> Para:
    """The lens (S × P, S × P) → (P, P′) of these formulas, with the weight a parameter of type `ob`."""
    lone, weight = [s.counter for s in states], forward(param.ob)
    ports = [*(s.port(param, weight) for s in states), Param(param.label, ob, param.role, param.init)]
    objects = [forward(p.ob) for p in ports]
    arrows = each(get, objects, [*lone, False], [False]), each(put, [*objects, weight], [*lone, False, False], [*lone, False])
    return Para.make(ports, Lens(product(p.ob for p in ports), param.ob, *arrows, name))


def each(fn: Callable[..., Any], objects: Sequence[Ty], lone: Sequence[bool], answers: Sequence[bool]) -> Diagram:
    """`fn` on each atom of the weight, the last object: object-major in and object-major out; what is lone is one for all atoms."""

    def body(*wires: Any) -> Any:
        groups = split(wires, objects)
        columns = zip(*(g * len(objects[-1]) if one else g for g, one in zip(groups, lone, strict=True)), strict=True)
        rows = [flatten([fn(*column)]) for column in columns]
        return tuple(r[:1] if one else r for r, one in zip(zip(*rows, strict=True), answers, strict=True))

    return trace(body, *(Ty((a,)) for a in product(objects)))


def carried(
    name: str, learning_rate: float | Schedule, get: OnWires, put: OnWires, states: Sequence[State], owns_rate: bool = False
) -> Optimizer:
    """An optimizer with its rate: get(rate, s₁, …, p) and put(rate, s₁, …, p, p′). A schedule puts a counter before the states."""
    if not isinstance(learning_rate, Schedule):
        size = positive(learning_rate)
        return update(name, partial(get, size), partial(put, size), states, owns_rate=owns_rate)

    def at_rate(fn: Callable[..., Any], t: Wire, wires: Sequence[Wire]) -> list[Wire]:
        return flatten([fn(now(learning_rate, t, wires[-1]), *wires)])

    def get_now(t: Wire, *wires: Wire) -> Wire:
        return at_rate(get, t, wires)[0]

    def put_now(t: Wire, *wires: Wire) -> tuple[Wire, ...]:
        return t + 1, *at_rate(put, t, wires)

    return update(name, get_now, put_now, [STEPS, *states], owns_rate=owns_rate)


def called(name: str, rate: float | Schedule, **others: tuple[Any, Any]) -> str:
    """`adam(0.001, beta1=0.8)` : a call as it is written, without what is as usual, given as (value, usual value)."""
    changed = [f"{label}={value}" for label, (value, usual) in others.items() if value != usual]
    return f"{name}({', '.join([str(scheduled(rate)), *changed])})"


def now(rate: float | Schedule, t: Any, p: Any) -> Any:
    """The rate after t steps, at every entry of p."""
    return ops.spread(scheduled(rate).at(ops.cast(t, p.atom.dtype)), p.atom.shape, ())


def unbiased(m: Any, beta: float, t: Any) -> Any:
    """m / (1 − βⁿ) with n = t + 1; the difference is computed without cancellation."""
    if beta == 0.0:
        return m
    share = -ops.expm1((ops.cast(t, m.atom.dtype) + 1.0) * math.log(beta))
    return m / ops.spread(share, m.atom.shape, ())


def whole(p: Any, value: Any) -> Any:
    """A single number at every entry of p."""
    return ops.spread(value, p.atom.shape, ())


def norm(x: Any) -> Any:
    """√Σ x²."""
    return length([x])


def length(xs: Sequence[Any]) -> Any:
    """√Σ x² over several arrays, in the dtype of the first. Entries are divided by the largest, so that no square overflows or vanishes."""
    full = [x for x in xs if x.atom.size]
    if not full:
        return ops.sum_over(xs[0])
    most = largest([ops.cast(ops.amax(ops.absolute(x)), full[0].atom.dtype) for x in full])
    there = most > 0.0
    scale = ops.select(there, most, 1.0)
    parts = [x / whole(x, ops.cast(scale, x.atom.dtype)) for x in full]
    return ops.select(there, scale * ops.sqrt(ops.select(there, total([ops.sum_over(x * x) for x in parts]), 1.0)), 0.0)


def largest(values: Sequence[Any]) -> Any:
    """The largest of several numbers."""
    found, *others = values
    for v in others:
        found = ops.maximum(found, v)
    return found


def total(values: Sequence[Any]) -> Any:
    """Their sum, in the dtype of the first."""
    return sum((ops.cast(v, values[0].atom.dtype) for v in values[1:]), values[0])


def unit(x: Any) -> Any:
    """x / ‖x‖, and 0 where x is 0."""
    size = norm(x)
    return x / whole(x, ops.select(size > 0.0, size, 1.0))
