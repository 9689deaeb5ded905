"""The activations of recurrent layers, by the names that ONNX has for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx.call import Call
from lensgrad.interchange.onnx.space import text
from lensgrad.learn.layers.activations import exponential, soft
from lensgrad.theories.smooth import ops

Activation = Callable[[Wire], Wire]
Made = Callable[[float, float], Activation]  # of α and β

NAMED: dict[str, tuple[Made, float, float]] = {  # with what α and β are unless the node says it
    "affine": (lambda a, b: lambda x: x * a + b, 1.0, 0.0),
    "elu": (lambda a, b: lambda x: exponential(x, a), 1.0, 0.0),
    "hardsigmoid": (lambda a, b: lambda x: ops.clamp(x * a + b, 0.0, 1.0), 0.2, 0.5),
    "leakyrelu": (lambda a, b: lambda x: ops.select(x > 0.0, x, x * a), 0.01, 0.0),
    "relu": (lambda a, b: ops.relu, 0.0, 0.0),
    "scaledtanh": (lambda a, b: lambda x: ops.tanh(x * b) * a, 1.0, 1.0),
    "sigmoid": (lambda a, b: ops.sigmoid, 0.0, 0.0),
    "softplus": (lambda a, b: soft, 0.0, 0.0),
    "softsign": (lambda a, b: lambda x: x / (ops.absolute(x) + 1.0), 0.0, 0.0),
    "tanh": (lambda a, b: ops.tanh, 0.0, 0.0),
    "thresholdedrelu": (lambda a, b: lambda x: ops.select(x > a, x, 0.0), 1.0, 0.0),
}
WITH_ALPHA = ("affine", "elu", "hardsigmoid", "leakyrelu", "scaledtanh", "thresholdedrelu")
WITH_BETA = ("affine", "hardsigmoid", "scaledtanh")


def activations(call: Call, direction: int, default: Sequence[str]) -> list[Activation]:
    """The activations of one direction, those of gates behind the clip that the node names; what an LSTM gives is not clipped."""
    n, named = len(default), [text(a).lower() for a in call.attribute("activations") or ()]
    names = named or [d.lower() for d in default] * (direction + 1)
    unknown = [a for a in names if a not in NAMED]
    if unknown or len(names) < n * (direction + 1):
        told = f"the activation {unknown[0]}" if unknown else f"{len(names)} activations"
        raise call.refused(f"has {told}: use {n} for each direction, of {', '.join(NAMED)}")
    alphas, betas = ([float(v) for v in call.attribute(f"activation_{greek}") or ()] for greek in ("alpha", "beta"))
    made = [activation(name, alphas, betas) for name in names]
    own = made[n * direction : n * (direction + 1)]
    return [clipped(call, f) if k < 2 else f for k, f in enumerate(own)]


def activation(name: str, alphas: list[float], betas: list[float]) -> Activation:
    """An activation, which takes its α and β from the front of the lists where it has them."""
    make, alpha, beta = NAMED[name]
    a = alphas.pop(0) if alphas and name in WITH_ALPHA else alpha
    b = betas.pop(0) if betas and name in WITH_BETA else beta
    return make(a, b)


def clipped(call: Call, f: Activation) -> Activation:
    """f of what is clipped to ± `clip`."""
    bound = call.attribute("clip")
    return f if not bound else lambda x: f(ops.clamp(x, -float(bound), float(bound)))
