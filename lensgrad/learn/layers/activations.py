"""Activations: families A → A, entry by entry unless said otherwise."""

from __future__ import annotations

import math
from typing import Any

from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, listed
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
    return written("leaky_relu", lambda x: ops.select(x > 0.0, x, x * float(slope)))


def elu(alpha: float = 1.0) -> Family:
    """x for x > 0, else α (eˣ − 1) : A → A (arXiv 1511.07289)."""
    return written("elu", lambda x: exponential(x, float(alpha)))


selu = written("selu", lambda x: exponential(x, SELU_ALPHA) * SELU_SCALE)
gelu = written("gelu", lambda x: x * (ops.erf(x * math.sqrt(0.5)) + 1.0) * 0.5)
gelu_tanh = written("gelu_tanh", lambda x: x * (ops.tanh((x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi)) + 1.0) * 0.5)
silu = written("silu", lambda x: x * ops.sigmoid(x))
softplus = written("softplus", soft)
mish = written("mish", lambda x: x * ops.tanh(soft(x)))
relu6 = written("relu6", lambda x: ops.select(x > 0.0, ops.select(x < 6.0, x, 6.0), 0.0))
hard_sigmoid = written("hard_sigmoid", lambda x: ops.select(x > -3.0, ops.select(x < 3.0, x * (1.0 / 6.0) + 0.5, 1.0), 0.0))
log_softmax = written("log_softmax", ops.log_softmax)  # along the last axis, as softmax

ACTIVATIONS: dict[str, Family] = {
    "elu": elu(),
    "exp": ops.exp,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "hard_sigmoid": hard_sigmoid,
    "leaky_relu": leaky_relu(),
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": ops.relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": ops.sigmoid,
    "silu": silu,
    "softmax": ops.softmax,
    "softplus": softplus,
    "swish": silu,
    "tanh": ops.tanh,
}


def activation_named(name: str | Family) -> Family:
    """An activation by name, or as it is."""
    if isinstance(name, Family):
        return name
    if name not in ACTIVATIONS:
        raise BadValue(f"'{name}' is no activation; use one of {listed(sorted(ACTIVATIONS))}, or any arrow A → B")
    return ACTIVATIONS[name]
