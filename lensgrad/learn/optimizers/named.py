"""Optimizers by the names people know them by, each with the rate it is usually tried with first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lensgrad.cat.names import Role, Where
from lensgrad.cat.para import Para
from lensgrad.core.checks import is_a, nearest, shown
from lensgrad.core.errors import BadValue, listed
from lensgrad.learn.optimizers.adaptive import adadelta, adagrad, adam, adamw, lion, nadam, rmsprop
from lensgrad.learn.optimizers.layerwise import adafactor, lamb
from lensgrad.learn.optimizers.parts import Optimizer
from lensgrad.learn.optimizers.plain import sgd
from lensgrad.learn.rates import Schedule

Maker = Callable[[float | Schedule], Optimizer]
Mover = Optimizer | Para | str | Callable[..., Para]  # an optimizer, its name, or a lens of one's own
Movers = Mapping[str, Mover] | Mapping[Role, Mover] | Mapping[tuple[str, ...], Mover] | Mapping[Where, Mover]
OptimizerLike = Mover | Movers  # one for all weights, or one for each place

NAMED: dict[str, tuple[Maker, float]] = {
    "adadelta": (adadelta, 1.0),
    "adafactor": (adafactor, 0.01),
    "adagrad": (adagrad, 0.01),
    "adam": (adam, 0.001),
    "adamw": (adamw, 0.001),
    "lamb": (lamb, 0.001),
    "lion": (lion, 0.0001),
    "momentum": (lambda rate: sgd(rate, momentum=0.9), 0.01),
    "nadam": (nadam, 0.001),
    "nesterov": (lambda rate: sgd(rate, momentum=0.9, nesterov=True), 0.01),
    "rmsprop": (rmsprop, 0.001),
    "sgd": (sgd, 0.01),
}


def optimizer_named(text: str, learning_rate: float | Schedule | None = None) -> Optimizer:
    """The optimizer of a name, in letters of either case, with its usual rate or the one given: "adam" is `adam(0.001)`."""
    if not is_a(text, str) or text.lower() not in NAMED:
        told = f"an optimizer must be one such as lg.adam(1e-3), or one of the names {listed(sorted(NAMED))}, got {shown(text)}"
        raise BadValue(told + nearest(text, NAMED))
    make, usual = NAMED[text.lower()]
    return make(usual if learning_rate is None else learning_rate)


__all__ = ["NAMED", "optimizer_named"]
