"""The learner behind an estimator: dense layers of given sizes, or a model of the user's, with an optimizer by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from lensgrad.cat.para import Para
from lensgrad.core.checks import is_sequence, one_of, shown
from lensgrad.core.diagram import Family
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import called
from lensgrad.learn.layers.basic import dense, input
from lensgrad.learn.layers.sequence import sequential
from lensgrad.learn.losses.own import LossLike
from lensgrad.learn.optimizers import adagrad, adam, adamw, sgd
from lensgrad.theories.smooth.array import Array
from lensgrad.train.learner import Learner, supervised

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adagrad": adagrad,
    "adam": adam,
    "adamw": adamw,
    "momentum": partial(sgd, momentum=0.9),
    "nesterov": partial(sgd, momentum=0.9, nesterov=True),
    "sgd": sgd,
}


@lru_cache(maxsize=8)
def standard(
    hidden: tuple[int, ...], activation: str, optimizer: str, rate: float, inputs: int, outputs: int, loss: LossLike, dtype: str
) -> Learner:
    """The learner of dense layers, of plain values only."""
    return made(built(network(hidden, activation, outputs), inputs, outputs, dtype), loss, optimizer, rate)


def network(hidden: Sequence[int], activation: str | Family, outputs: int) -> Family:
    """Dense layers."""
    first, *rest = (*(dense(n, activation=activation, name=f"hidden{k}") for k, n in enumerate(hidden, 1)), dense(outputs, name="output"))
    return sequential(first, *rest)


def written(model: Any, inputs: int, outputs: int) -> Any:
    """A model or layers as they are, or what a function gives for so many inputs and outputs."""
    if callable(model) and not isinstance(model, Para | Family):
        return called(model, "model, a function of how many inputs and outputs,", [inputs, outputs])
    return model


def built(model: Any, inputs: int, outputs: int, dtype: str) -> Para:
    """A model, a list of layers, or what a function gives for so many inputs and outputs, as a model."""
    found = written(model, inputs, outputs)
    found = sequential([*found]) if is_sequence(found) else found
    found = input(inputs, dtype=dtype) >> found if isinstance(found, Family) else found
    if not isinstance(found, Para):
        raise TypeMismatch(f"model must be a model, a list of layers, or a function (inputs, outputs) → layers, got {shown(found)}")
    return fitting(found, inputs, outputs)


def fitting(model: Para, inputs: int, outputs: int) -> Para:
    """The model, if it takes so many numbers and gives so many."""
    if len(model.dom) != 1 or not isinstance(model.dom[0], Array) or model.dom[0].size != inputs:
        raise TypeMismatch(f"the model takes {model.dom}, and X has {inputs} features: begin it with lg.input({inputs})")
    if len(model.cod) != 1 or not isinstance(model.cod[0], Array) or model.cod[0].shape != (outputs,):
        raise TypeMismatch(f"the model gives {model.cod}, and y needs {outputs} outputs: end it with lg.dense({outputs})")
    return model


def made(model: Para, loss: LossLike, optimizer: Any, rate: Any) -> Learner:
    """The learner of a model, with an optimizer by its name."""
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[one_of("optimizer, unless it is one such as lg.adam(1e-3),", optimizer, sorted(OPTIMIZERS))](rate)
    return supervised(model, loss, optimizer)
