"""Learners from labelled examples: model, loss, rate and optimizer put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.learn.losses.own import LossLike, label_of, loss_at
from lensgrad.learn.model import Model, para
from lensgrad.learn.optimizers.named import NAMED, OptimizerLike, optimizer_named
from lensgrad.learn.rates import rate as rate_of
from lensgrad.learn.tasks import supervised_task
from lensgrad.learn.weighting import together
from lensgrad.program.values import Arrays, Numbers
from lensgrad.train.measures import Function, during, fitted, sorted_metrics, whole
from lensgrad.train.record import check_derivative
from lensgrad.train.run import Learner

if TYPE_CHECKING:
    from lensgrad.learn.loss_scale import LossScale
    from lensgrad.learn.ways.derivatives import Derivative

ModelLike = Para | Diagram
OPTIMIZERS = "lensgrad.learn.optimizers."
FOREIGN = {  # what arguments of supervised are called elsewhere
    "epochs": "epochs are given to fit(data, epochs=…)",
    "learning_rate": "the learning rate belongs to the optimizer, as in lg.adam(0.001)",
    "lr": "the learning rate belongs to the optimizer, as in lg.adam(0.001)",
}


class Options(TypedDict, total=False):
    """What supervised takes by name."""

    metrics: Sequence[str | Function]
    input: str | Sequence[str]
    label: str
    reduction: str
    loss_weights: Mapping[str, float] | None
    precision: str | None
    loss_scale: LossScale | float | None
    derivative: Derivative | None


@overload
def supervised(
    model: ModelLike, loss: Mapping[str, LossLike], optimizer: OptimizerLike, rate: float | Family = 1.0, **how: Unpack[Options]
) -> Learner[Arrays]: ...
@overload
def supervised(
    model: ModelLike, loss: LossLike, optimizer: OptimizerLike, rate: float | Family = 1.0, **how: Unpack[Options]
) -> Learner[Numbers]: ...
@in_words(FOREIGN)
def supervised(
    model: ModelLike,
    loss: LossLike | Mapping[str, LossLike],
    optimizer: OptimizerLike,
    rate: float | Family = 1.0,
    metrics: Sequence[str | Function] = (),
    input: str | Sequence[str] = "x",
    label: str = "y",
    reduction: str = "mean",
    loss_weights: Mapping[str, float] | None = None,
    precision: str | None = None,
    loss_scale: LossScale | float | None = None,
    derivative: Derivative | None = None,
) -> Learner[Any]:
    """The learner of a model from labelled examples.

    - `model`: an arrow P × A → B, as layers give it, for one example.
    - `loss`: one of the loss functions (`lg.cross_entropy`), a loss made of one, a function of prediction and label, or a name. Several
      outputs take a dict of losses in order; its names are those of labels and outputs.
    - `optimizer`: one for all weights, a dict from patterns to optimizers, or a name ("adam" is `lg.adam(0.001)`).
    - `rate`: a positive number, or a rate such as `lg.echo`; optimizers that carry their rate, such as `sgd(0.01)`, take 1; 1 unless given.
    - `metrics`: names or functions. Those that are arrows on one example (accuracy) are reported while training too, the others by
      evaluating on a whole set; none unless given.
    - `input`: the name of what the model takes, or the names where it takes several; "x" unless given.
    - `label`: the name of the labels; that of the input makes an autoencoder, trained on {"x": x}; "y" unless given.
    - `reduction`: "mean" or "sum" over a batch; "mean" unless given.
    - `loss_weights`: numbers by name; what is learned is Σ loss_weights[name] · loss; 1 for each unless given.
    - `precision`: "bfloat16" or "float16" computes products and convolutions in it, and all else, weights too, in float32; that of the
      model unless given.
    - `loss_scale`: a number to start with, or `lg.loss_scale(…)`; float16 has one, and all else none, unless given.
    - `derivative`: a way back other than R: `sam(0.05)`, `newton_cg(10)` or `extrapolated(0.1)` of `lensgrad.lens`; R unless given.
    """
    names = inputs_of(input)
    chosen = optimizer_of(optimizer)
    label = label_of(loss, checks.name("label", label))
    several = checks.is_dict(loss)
    losses: Mapping[str, Any] = loss if checks.is_dict(loss) else {label: loss}
    named, functions = sorted_metrics(list(losses) if several else [], metrics)
    made = {n: loss_at(f, n, during(named, n if several else "")) for n, f in losses.items()}
    one = together(made, shares(losses, loss_weights)) if several else made[label]
    model = para(model) if precision is None else rounded(para(model), precision)
    task = supervised_task(model, one, names)
    if not several and label == names:  # what goes in is the label: an autoencoder (arXiv 2404.00408, by reparameterization along copy)
        task = task.tie(f"{label}.0", f"{label}.1")
    task = fitted(task, named, {n: f.name for n, f in made.items()})
    where = tuple(losses) if several else label
    cap = rate if isinstance(rate, Family) else rate_of(rate)
    scales = loss_scale is not None or precision == "float16"
    if derivative is not None and scales:
        check_derivative(derivative)
        told = f"a loss scale multiplies gradients, and what {derivative} gives does not grow with the loss"
        raise BadValue(f"{told}: use float32 or bfloat16")
    learner = Learner(model, task, cap, chosen, names, where, reduction, whole(task, list(losses), named), derivative, functions)
    return scaled(learner, loss_scale) if scales else learner


def rounded(model: Model, precision: str) -> Model:
    """A model that computes in another precision than it keeps its weights in."""
    from lensgrad.learn.precision import mixed_precision

    return mixed_precision(model, precision)


def scaled(learner: Learner, scale: LossScale | float | None) -> Learner:
    """The same learner with a scale of its loss as a state, the usual one where none is given."""
    from lensgrad.learn.loss_scale import LossScale, loss_scaled

    rule = LossScale() if scale is None else scale if isinstance(scale, LossScale) else LossScale(scale)
    rate, optimizer = loss_scaled(learner.task, learner.rate, learner.optimizer, rule)
    return replace(learner, rate=rate, optimizer=optimizer)


def inputs_of(names: Any) -> str | tuple[str, ...]:
    """The name of what a model takes, or the names."""
    if not checks.is_group(names):
        return checks.name("input", names)
    return tuple(checks.name("a name in input", n) for n in names)


def optimizer_of(optimizer: Any) -> Any:
    """An optimizer, one for each pattern, or that of a name; what makes optimizers is none itself."""
    if checks.is_dict(optimizer):
        return {where: optimizer_of(point) for where, point in optimizer.items()}
    if isinstance(optimizer, str):
        return optimizer_named(optimizer)
    if getattr(optimizer, "__module__", "").startswith(OPTIMIZERS) and isinstance(optimizer, FunctionType):
        name = optimizer.__name__
        raise TypeMismatch(f"lg.{name} makes an optimizer and is none itself: call it, as in lg.{name}({usual(optimizer)})")
    if not moves(optimizer):
        raise TypeMismatch(f"an optimizer must be one such as lg.adam(1e-3), a name, or a dict by pattern, got {checks.shown(optimizer)}")
    return optimizer


def moves(optimizer: Any) -> bool:
    """Whether something may stand where an optimizer does."""
    return callable(optimizer) or isinstance(optimizer, Para | tuple)


def usual(maker: Any) -> str:
    """The rate that an optimizer is usually tried with first, as it is written."""
    return next((f"{rate:g}" for make, rate in NAMED.values() if make is maker), "…")


def shares(losses: Mapping[str, Any], given: Mapping[str, float] | None) -> list[float]:
    """The weight of each loss: 1 for those not named."""
    strange = [n for n in given or {} if n not in losses]
    if strange:
        raise BadValue(f"loss_weights has '{strange[0]}', and the losses are for {listed(list(losses))}")
    return [float((given or {}).get(n, 1.0)) for n in losses]
