"""What a learner takes as its loss: a function of the library, a loss made of one, or a function of a user's own on wires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Any

from lensgrad.core.checks import nearest, shown
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, LensgradError, TypeMismatch, listed
from lensgrad.core.graph import Wire
from lensgrad.learn.losses.classes import binary_cross_entropy, cross_entropy, hinge, kl_divergence
from lensgrad.learn.losses.distance import huber, l1, mse
from lensgrad.learn.losses.parts import Loss, loss
from lensgrad.theories.smooth.array import Array

USUAL = "y"  # the name of the label of a loss that was given no other
LABELS = ("label", "labels", "t", "target", "targets", "true", "truth", "y", "y_true")  # what people call a label


LossLike = Loss | Family | str | Callable[..., Family] | Callable[[Wire, Wire], Wire]  # what a learner takes as its loss

LOSSES = {  # losses by the names people know them by
    "bce": binary_cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_crossentropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "crossentropy": cross_entropy,
    "hinge": hinge,
    "huber": huber,
    "kl_divergence": kl_divergence,
    "l1": l1,
    "mae": l1,
    "mean_absolute_error": l1,
    "mean_squared_error": mse,
    "mse": mse,
    "sparse_categorical_crossentropy": cross_entropy,
}


def loss_named(text: str) -> Callable[..., Family]:
    """The loss of a name, in letters of either case."""
    if text.lower() not in LOSSES:
        told = f"a loss is a function such as lg.mse, or one of the names {listed(sorted(LOSSES))}"
        raise BadValue(f"{told}, got {shown(text)}{nearest(text, LOSSES)}")
    return LOSSES[text.lower()]


def loss_at(given: Any, label: str, metrics: Sequence[str]) -> Family:
    """A loss for labels of this name, with these metrics.

    A text is the name of one. A function of two arguments is (prediction, label) ↦ a number on wires; any other function is called
    with the name of the label.
    """
    made = loss_named(given) if isinstance(given, str) else of_function(given) if own(given) else given
    if callable(made) and not isinstance(made, Family):
        made = called(made, label, metrics)
        if isinstance(made, Loss):
            return made
    if isinstance(made, Loss):
        return made.asked(label, metrics)
    if not isinstance(made, Family):
        raise TypeMismatch(f"a loss must be a function such as lg.mse, or what it gives, got {shown(given)}")
    return made


def label_of(given: Any, label: str) -> str:
    """The name of the only label: that of the learner, or where it is the usual one that of the loss."""
    return given.label if isinstance(given, Loss) and label == USUAL else label


def called(make: Callable[..., Any], label: str, metrics: Sequence[str]) -> Any:
    """What a function gives for the name of a label and metrics."""
    try:
        signature(make).bind(label, metrics=tuple(metrics))
    except (TypeError, ValueError) as wrong:
        told = "a loss is a function (prediction, label) → number on wires, or (label, metrics) → loss as lg.mse is"
        raise TypeMismatch(f"{told}; {shown(make)} is neither: {wrong}") from wrong
    return make(label, metrics=tuple(metrics))


def own(given: Any) -> bool:
    """Whether a loss is a function of a prediction and a label: two arguments, none of which is `metrics`."""
    if not callable(given) or isinstance(given, Family | type):
        return False
    try:
        found = signature(given).parameters.values()
    except (TypeError, ValueError):
        return False
    wanted = [p for p in found if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) and p.default is Parameter.empty]
    return len(wanted) == 2 and not any(p.name == "metrics" or p.kind is Parameter.VAR_KEYWORD for p in found)


def of_function(fn: Callable[[Any, Any], Any]) -> Loss:
    """The loss of a function (prediction, label) ↦ a number, read once on wires; its attribute `kind`, if any, says what labels are."""
    name = getattr(fn, "__name__", "")
    name = name if name.isidentifier() else "lambda"
    first = next(iter(signature(fn).parameters))
    if first.lower() in LABELS:
        raise TypeMismatch(f"a loss of your own is a function of (prediction, label), in this order, and {name} begins with '{first}'")

    def formula(truth: Any, predicted: Any) -> Any:
        try:
            value = fn(predicted, truth)
        except LensgradError:
            raise
        except Exception as wrong:
            told = f"the loss {name} cannot be read: it is called once, on wires in the place of arrays, and {type(wrong).__name__} says"
            raise TypeMismatch(f"{told}: {wrong}. Write it with + - * / and functions such as lg.relu, without NumPy") from wrong
        if not isinstance(value, Wire) or not isinstance(value.atom, Array) or value.atom.shape or not value.atom.floating:
            found = str(value.atom) if isinstance(value, Wire) else shown(value)
            raise TypeMismatch(f"the loss {name} gives {found}, and the loss of an example is one float: end it with a sum or a mean")
        return value

    return loss(name, USUAL, formula, kind=getattr(fn, "kind", None))
