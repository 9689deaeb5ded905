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
    `joint` where it moves all the parameters that a pattern reaches as one, as clipping by a global norm does.
    """

    name: str
    point: Callable[..., Para]
    owns_rate: bool = False
    joint: bool = False

    def __call__(self, *params: Param) -> Para:
        return self.point(*params)


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
    return Optimizer(name, lambda param: moved(name, param, get, put, states, updated(movable(name, param, real))), owns_rate)


def through(name: str, put: Formula, real: bool = True) -> Optimizer:
    """A lens (P, P′) → (P, P′) that changes what comes back, by put(p, p′), atom by atom: a stage of a `chain`."""

    def point(param: Param) -> Para:
        movable(name, param, real)
        return moved(name, param, lambda p: p, put, (), param.ob)

    return Optimizer(name, point)


def movable(name: str, param: Param, real: bool = True) -> Ty:
    """The object of a weight that has a way back and can change."""
    if not all(isinstance(a, Pair) for a in param.ob):
        raise TypeMismatch(f"{name} moves the weights of a lens, and '{param.label}' : {param.ob} has no way back: write lens(…) first")
    weight = forward(param.ob)
    need_changes(name, param.label, weight)
    if real and not all(isinstance(a, Array) for a in weight):
        raise NoChange(f"{name} cannot move '{param.label}' : {weight}: it is for floats; over bits use ascent")
    return weight


def moved(name: str, param: Param, get: Formula, put: Formula, states: Sequence[State], ob: Ty) -> Para:
    """The lens (S × P, S × P) → (P, P′) of these formulas, with the weight a parameter of type `ob`."""
    lone, weight = [s.counter for s in states], forward(param.ob)
    ports = [*(s.port(param, weight) for s in states), Param(param.label, ob, param.role, param.init)]
    objects = [forward(p.ob) for p in ports]
    arrows = each(get, objects, [*lone, False], [False]), each(put, [*objects, weight], [*lone, False, False], [*lone, False])
    return Para.make(ports, Lens(product(p.ob for p in ports), param.ob, *arrows, name))


def each(fn: Formula, objects: Sequence[Ty], lone: Sequence[bool], answers: Sequence[bool]) -> Diagram:
    """`fn` on each atom of the weight, the last object: object-major in and object-major out; what is lone is one for all atoms."""

    def body(*wires: Any) -> Any:
        groups = split(wires, objects)
        columns = zip(*(g * len(objects[-1]) if one else g for g, one in zip(groups, lone, strict=True)), strict=True)
        rows = [r if isinstance(r, tuple) else (r,) for r in (fn(*column) for column in columns)]
        return tuple(r[:1] if one else r for r, one in zip(zip(*rows, strict=True), answers, strict=True))

    return trace(body, *(Ty((a,)) for a in product(objects)))


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


def unbiased(m: Any, beta: float, t: Any) -> Any:
    """m / (1 − βⁿ) with n = t + 1; the difference is computed without cancellation."""
    if beta == 0.0:
        return m
    share = -ops.expm1((ops.cast(t, m.atom.dtype) + 1.0) * math.log(beta))
    return m / ops.spread(share, m.atom.shape, ())


def share(what: str, label: str, beta: float) -> float:
    """What an average keeps of its past, if it is a share below 1."""
    if not isinstance(beta, int | float) or not 0 <= beta < 1:
        raise BadValue(f"{what} wants {label} from 0 up to, but not including, 1, got {beta!r}")
    return float(beta)


def limit(what: str, value: float) -> float:
    """A bound above 0."""
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise BadValue(f"{what} wants a number > 0, got {value!r}")
    return float(value)


def whole(p: Any, value: Any) -> Any:
    """A single number at every entry of p."""
    return ops.spread(value, p.atom.shape, ())


def norm(x: Any) -> Any:
    """√Σ x²."""
    return ops.sqrt(ops.sum_over(x * x))
