"""Activations: families A → A, entry by entry unless said otherwise."""

from __future__ import annotations

import math
from typing import Any

from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, listed
from lensgrad.learn.layers.own import layer_of
from lensgrad.theories.smooth import ops

written = ops.written
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # arXiv 1706.02515, equation 14


def exponential(x: Any, alpha: float) -> Any:
    """x for x > 0, else α (eˣ − 1); the exponential sees no positive number, so nothing overflows."""
    return ops.select(x > 0.0, x, ops.expm1(ops.select(x > 0.0, 0.0, x)) * alpha)


def soft(x: Any) -> Any:
    """ln(1 + eˣ), from the larger of x and 0 so that nothing overflows."""
    return ops.maximum(x, 0.0) + ops.log1p(ops.exp(-ops.absolute(x)))


def leaky_relu(slope: float = 0.01) -> Family:
    """x for x > 0, else slope · x : A → A."""
    by = checks.number("the slope of leaky_relu", slope)
    return written("leaky_relu", lambda x: ops.select(x > 0.0, x, x * float(by)), leaky_relu.__doc__ or "")


def elu(alpha: float = 1.0) -> Family:
    """x for x > 0, else α (eˣ − 1) : A → A (arXiv 1511.07289)."""
    by = checks.number("alpha of elu", alpha)
    return written("elu", lambda x: exponential(x, float(by)), elu.__doc__ or "")


selu = written(
    "selu",
    lambda x: exponential(x, SELU_ALPHA) * SELU_SCALE,
    "1.0507 x for x > 0, else 1.0507 · 1.6733 (eˣ − 1) : A → A (arXiv 1706.02515).",
)
gelu = written(
    "gelu",
    lambda x: x * (ops.erf(x * math.sqrt(0.5)) + 1.0) * 0.5,
    "x Φ(x) with the normal distribution function Φ : A → A (arXiv 1606.08415).",
)
gelu_tanh = written(
    "gelu_tanh",
    lambda x: x * (ops.tanh((x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi)) + 1.0) * 0.5,
    "x Φ(x) with Φ approximated by tanh : A → A, as GPT-2 has it (arXiv 1606.08415).",
)
silu = written(
    "silu",
    lambda x: x * ops.sigmoid(x),
    "x · sigmoid(x) : A → A, also called swish (arXiv 1702.03118).",
)
softplus = written(
    "softplus",
    soft,
    "ln(1 + eˣ) : A → A, without overflow.",
)
mish = written(
    "mish",
    lambda x: x * ops.tanh(soft(x)),
    "x · tanh(softplus(x)) : A → A (arXiv 1908.08681).",
)
relu6 = written(
    "relu6",
    lambda x: ops.select(x > 0.0, ops.select(x < 6.0, x, 6.0), 0.0),
    "min(max(x, 0), 6) : A → A.",
)
hard_sigmoid = written(
    "hard_sigmoid",
    lambda x: ops.select(x > -3.0, ops.select(x < 3.0, x * (1.0 / 6.0) + 0.5, 1.0), 0.0),
    "min(max(x/6 + ½, 0), 1) : A → A.",
)
log_softmax = written(
    "log_softmax",
    ops.log_softmax,
    "x − ln Σ eˣ along the last axis : A → A, without overflow.",
)
log_sigmoid = written("log_sigmoid", lambda x: -soft(-x), "ln(1 / (1 + e⁻ˣ)) : A → A, without overflow.")
softsign = written("softsign", lambda x: x / (ops.absolute(x) + 1.0), "x / (1 + |x|) : A → A.")
hard_tanh = written("hard_tanh", lambda x: ops.select(x > -1.0, ops.select(x < 1.0, x, 1.0), -1.0), "min(max(x, −1), 1) : A → A.")
hard_swish = written("hard_swish", lambda x: x * hard_sigmoid(x), "x · hard_sigmoid(x) : A → A (arXiv 1905.02244).")
linear = Family("linear", Diagram.id, "The identity : A → A, for those who name it.")

ACTIVATIONS: dict[str, Family] = {
    "elu": elu(),
    "exp": ops.exp,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": hard_swish,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu(),
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": ops.relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": ops.sigmoid,
    "silu": silu,
    "softmax": ops.softmax,
    "softplus": softplus,
    "softsign": softsign,
    "swish": silu,
    "tanh": ops.tanh,
}


def activation_named(given: Any, what: str = "an activation must be") -> Any:
    """An activation by its name, or a layer as it is."""
    if not isinstance(given, str):
        return layer_of(what, given)
    if given not in ACTIVATIONS:
        known = f"use one of {listed(sorted(ACTIVATIONS))}, or any arrow A → B{checks.nearest(given, ACTIVATIONS)}"
        raise BadValue(f"'{checks.clean(given)}' is no activation; {known}")
    return ACTIVATIONS[given]
