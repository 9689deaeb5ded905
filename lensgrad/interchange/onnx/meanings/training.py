"""Steps of optimizers, of the domain ai.onnx.preview.training: inputs are the rate, the count of steps, and then lists of arrays."""

from __future__ import annotations

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.space import text
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import full

DOMAIN = "ai.onnx.preview.training"


def lists(call: c.Call, n: int) -> list[list[Wire]]:
    """The arrays behind rate and count, cut into n lists of one length, and grouped by weight."""
    wires = [call.wire(k) for k in range(2, len(call.inputs))]
    size = len(wires) // n
    if not size or size * n != len(wires):
        raise call.refused(f"needs {n} inputs for each weight behind the rate and the count, got {len(wires)}")
    return [[wires[k * size + w] for k in range(n)] for w in range(size)]


def regrouped(found: list[list[Wire]]) -> list[Wire]:
    """The results of each weight as the node orders them: all weights, then all that is kept beside them."""
    return [row[k] for k in range(len(found[0])) for row in found]


def number(call: c.Call, name: str, default: float = 0.0) -> float:
    return float(call.attribute(name, default))


def regularized(call: c.Call, x: Wire, g: Wire) -> Wire:
    """The gradient, and that of ½ λ ‖x‖²."""
    by = number(call, "norm_coefficient")
    return g + x * by if by else g


def count(call: c.Call, like: Wire) -> Wire:
    """How many steps there were, as a number."""
    return ops.reshape(ops.cast(call.wire(1), like.atom.dtype))


def rate(call: c.Call) -> Wire:
    """The learning rate, a number."""
    return ops.reshape(call.wire(0))


def adagrad(call: c.Call) -> list[Wire]:
    """h ← h + g², x ← x − r g / (√h + ε), with r = rate / (1 + count · decay)."""

    def step(x: Wire, g: Wire, h: Wire) -> list[Wire]:
        slope = regularized(call, x, g)
        squares = h + slope * slope
        by = rate(call) / (count(call, x) * number(call, "decay_factor") + 1.0)
        return [x - spread_to(by, x.atom.shape) * slope / (ops.sqrt(squares) + number(call, "epsilon", 1e-6)), squares]

    return regrouped([step(*row) for row in lists(call, 3)])


def adam(call: c.Call) -> list[Wire]:
    """v ← α v + (1 − α) g, h ← β h + (1 − β) g², x ← x − r v / (√h + ε), with r freed of the start at 0."""
    alpha, beta = number(call, "alpha", 0.9), number(call, "beta", 0.999)

    def step(x: Wire, g: Wire, v: Wire, h: Wire) -> list[Wire]:
        slope = regularized(call, x, g)
        mean, squares = v * alpha + slope * (1 - alpha), h * beta + slope * slope * (1 - beta)
        by = spread_to(unbiased(call, x, alpha, beta), x.atom.shape)
        moved = x - by * mean / (ops.sqrt(squares) + number(call, "epsilon", 1e-6))
        return [moved * (1 - number(call, "norm_coefficient_post")), mean, squares]

    return regrouped([step(*row) for row in lists(call, 4)])


def unbiased(call: c.Call, x: Wire, alpha: float, beta: float) -> Wire:
    """rate · √(1 − βᵗ) / (1 − αᵗ) for t > 0 steps, else the rate."""
    begun = count(call, x) > 0.0
    t = ops.select(begun, count(call, x), 1.0)
    powers = [1.0 - full(base, t.atom) ** t if base else full(1.0, t.atom) for base in (alpha, beta)]
    return ops.select(begun, rate(call) * ops.sqrt(powers[1]) / powers[0], rate(call))


def momentum(call: c.Call) -> list[Wire]:
    """v ← α v + β g, x ← x − r v, or x − r (g + α v) as Nesterov has it; β is 1 in the first step."""
    mode, alpha = text(call.attribute("mode")), number(call, "alpha")
    if mode not in ("standard", "nesterov"):
        raise call.refused(f"must have the mode standard or nesterov, got {mode}")

    def step(x: Wire, g: Wire, v: Wire) -> list[Wire]:
        slope, begun = regularized(call, x, g), count(call, x) > 0.0
        by = ops.select(begun, full(number(call, "beta"), rate(call).atom), 1.0)
        kept = v * alpha + spread_to(by, x.atom.shape) * slope
        return [x - spread_to(rate(call), x.atom.shape) * (kept if mode == "standard" else slope + kept * alpha), kept]

    return regrouped([step(*row) for row in lists(call, 3)])


def gradient(call: c.Call) -> list[Wire]:
    """No meaning here."""
    raise call.refused("differentiates a part of its own graph: import the network without it, and lg.lens.grad gives the gradient")


TABLE: c.Table = {
    f"{DOMAIN}.{name}": f for name, f in (("Adagrad", adagrad), ("Adam", adam), ("Gradient", gradient), ("Momentum", momentum))
}
