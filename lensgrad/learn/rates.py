"""Learning rates: lenses that end a system by turning the loss into a change of it (arXiv 2404.00408, section 3.3).

And schedules: rates by the number of steps, for optimizers that carry their rate, as `adam(cosine(1e-3, steps=1000))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.lens import Lens, Pair, backward, forward
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.checks import is_number, number, plain, shown, whole
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full


def cap(name: str, answer: Callable[[Any], Any], real: bool = True) -> Family:
    """The lens (L, ΔL) → I whose put is l ↦ answer(l); `real` where the answer is made of real numbers."""

    def at(ob: Ty) -> Para:
        if not all(isinstance(a, Pair) for a in ob):
            raise TypeMismatch(f"{name} ends a lens, and this is an arrow to {ob}: write lens(…) first")
        values = forward(ob)
        if backward(ob) != values or (real and not all(isinstance(a, Array) for a in values)):
            hint = "it is for losses of floats; over bits use echo" if real else "a loss has changes, as floats and bits do"
            raise NoChange(f"{name} cannot answer a loss of type {values}: {hint}")

        def put(*ls: Any) -> Any:
            return tuple(answer(x) for x in ls)

        return Para.lift(Lens(ob, Ty(), Diagram.discard(values), trace(put, *(Ty((a,)) for a in values)), name))

    return Family(name, at)


class Rate(Family):
    """A rate that is one number."""

    __slots__ = ("size",)

    def __init__(self, size: float) -> None:
        size = positive(size)
        made = cap(f"rate({size})", lambda loss: full(size, loss.atom))
        super().__init__(made.name, made.build)
        self.size = size


def rate(size: float) -> Family:
    """l ↦ size, whatever the loss is; `size` is positive, `descent` subtracts and `ascent` adds."""
    return Rate(size)


def scaled_rate(size: float) -> Family:
    """l ↦ size · l: steps as large as the loss."""
    size = positive(size)
    return cap(f"scaled_rate({size})", lambda loss: loss * size)


def positive(size: Any) -> float:
    """A rate, if it is one."""
    if not is_number(size) or not 0 < size < math.inf:
        raise BadValue(f"a rate must be a positive number, got {shown(size)}: give one such as 0.01; lg.ascent and lg.maximize(…) go up")
    return plain(size)


echo = cap("echo", lambda loss: loss, real=False)  # l ↦ l, the rate of Boolean circuits (arXiv 2101.10488)

# -- schedules ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Schedule:
    """A rate by the number of steps done: `at` is a formula on a wire of floats, which the optimizer keeps as a state."""

    name: str
    at: Callable[[Any], Any]

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


def scheduled(rate: float | Schedule) -> Schedule:
    """A schedule as it is; a number as the schedule that stays."""
    if isinstance(rate, Schedule):
        return rate
    size = positive(rate)
    return Schedule(str(size), lambda t: full(size, t.atom))


def steps_of(what: str, steps: int) -> float:
    return float(whole(f"the number of steps of {what}", steps, 1))


def done(t: Any, steps: float) -> Any:
    """How much of so many steps is done, up to 1."""
    return ops.minimum(t, steps) * (1.0 / steps)


def falling(t: Any, start: float, end: float, steps: float) -> Any:
    """Half a cosine from start to end."""
    return (ops.cos(done(t, steps) * math.pi) + 1.0) * (0.5 * (start - end)) + end


def cosine(rate: float, steps: int, floor: float = 0.0) -> Schedule:
    """rate · (floor + (1 − floor) (1 + cos π t/steps) / 2), then rate · floor (arXiv 1608.03983, without restarts)."""
    rate, size, low = positive(rate), steps_of("cosine", steps), number("the floor of cosine", floor, 0, 1)
    return Schedule(f"cosine({rate}, {size:.0f})", lambda t: falling(t, rate, rate * low, size))


def linear_decay(rate: float, steps: int, end: float = 0.0) -> Schedule:
    """From rate to end in equal differences over so many steps, then end."""
    rate, size, end = positive(rate), steps_of("linear_decay", steps), number("the end of linear_decay", end, 0)
    return Schedule(f"linear_decay({rate}, {size:.0f})", lambda t: done(t, size) * (end - rate) + rate)


def step_decay(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """rate · factor^⌊t / every⌋."""
    rate, size, shrink = positive(rate), steps_of("step_decay", every), math.log(checks.positive("the factor of step_decay", factor))
    return Schedule(f"step_decay({rate}, {size:.0f})", lambda t: ops.exp(ops.floor(t / size) * shrink) * rate)


def warm_up(rate: float | Schedule, steps: int, start: float = 0.0) -> Schedule:
    """From start to the first value of `rate` in equal differences over so many steps, then `rate` from its beginning."""
    size, later, start = steps_of("warm_up", steps), scheduled(rate), number("the start of warm_up", start, 0)

    def at(t: Any) -> Any:
        first = later.at(t.atom.zero())
        return ops.select(t < size, done(t, size) * (first - start) + start, later.at(ops.maximum(t - size, 0.0)))

    return Schedule(f"warm_up({later}, {size:.0f})", at)


def one_cycle(rate: float, steps: int, rising: float = 0.3, start: float = 1 / 25, end: float = 1e-4) -> Schedule:
    """Half a cosine from rate · start up to rate in ⌊rising · steps⌋ steps, and down to rate · start · end (arXiv 1708.07120)."""
    rate, size, end = positive(rate), steps_of("one_cycle", steps), number("the end of one_cycle", end, 0, 1)
    low = rate * number("the start of one_cycle", start, 0, 1)
    peak = float(math.floor(number("the rising of one_cycle", rising, 0, 1) * size))
    if not 0 < peak < size:
        raise BadValue(f"one_cycle needs a step or more of rising and of falling, and {rising} of {steps} steps is {int(peak)}")

    def at(t: Any) -> Any:
        down = falling(ops.maximum(t - peak, 0.0), rate, low * end, size - peak)
        return ops.select(t < peak, falling(t, low, rate, peak), down)

    return Schedule(f"one_cycle({rate}, {size:.0f})", at)
