"""Steps of optimizers in ONNX, from formulas in NumPy."""

import numpy as np
import pytest
from onnx_nodes import floats, means, node, refusal, same

from lensgrad.interchange.onnx.meanings.training import DOMAIN, TABLE

RATE = np.float32(0.1)
X, G, V, H = floats(0, (2, 3), (2, 3), (2, 3), (2, 3))
OTHERS = floats(1, (4,), (4,), (4,), (4,))
H, OTHERS[3] = np.abs(H), np.abs(OTHERS[3])


@pytest.mark.parametrize("t", [0, 3])
def test_adagrad(t):
    found = means(TABLE, node("Adagrad", 5, 2, domain=DOMAIN, norm_coefficient=0.02, decay_factor=0.1, epsilon=1e-5), RATE, t, X, G, H)
    slope = G + 0.02 * X
    squares = H + slope**2
    same(found, [X - RATE / (1 + t * 0.1) * slope / (np.sqrt(squares) + 1e-5), squares])


@pytest.mark.parametrize("t", [0, 3])
def test_adam_of_two_weights(t):
    made = node("Adam", 10, 6, domain=DOMAIN, alpha=0.8, beta=0.95, epsilon=1e-3, norm_coefficient=0.1, norm_coefficient_post=0.2)
    found = means(TABLE, made, RATE, t, *(a for pair in zip((X, G, V, H), OTHERS, strict=True) for a in pair))
    wanted = []
    for x, g, v, h in ((X, G, V, H), OTHERS):
        slope = g + 0.1 * x
        mean, squares = 0.8 * v + 0.2 * slope, 0.95 * h + 0.05 * slope**2
        rate = RATE * np.sqrt(1 - 0.95**t) / (1 - 0.8**t) if t else RATE
        wanted.append([(1 - 0.2) * (x - rate * mean / (np.sqrt(squares) + 1e-3)), mean, squares])
    same(found, [row[k] for k in range(3) for row in wanted])


@pytest.mark.parametrize("mode", ["standard", "nesterov"])
@pytest.mark.parametrize("t", [0, 3])
def test_momentum(t, mode):
    found = means(TABLE, node("Momentum", 5, 2, domain=DOMAIN, alpha=0.9, beta=0.3, norm_coefficient=0.1, mode=mode), RATE, t, X, G, V)
    slope = G + 0.1 * X
    kept = 0.9 * V + (0.3 if t else 1) * slope
    same(found, [X - RATE * (kept if mode == "standard" else slope + 0.9 * kept), kept])


def test_what_is_refused():
    told = "Momentum 'here' must have the mode standard or nesterov, got heavy"
    assert refusal(TABLE, node("Momentum", 5, 2, domain=DOMAIN, mode="heavy"), RATE, 0, X, G, V) == told
    told = "Adam 'here' needs 4 inputs for each weight behind the rate and the count, got 3"
    assert refusal(TABLE, node("Adam", 5, 2, domain=DOMAIN), RATE, 0, X, G, V) == told
    told = "Gradient 'here' differentiates a part of its own graph: import the network without it, and lg.lens.grad gives the gradient"
    assert refusal(TABLE, node("Gradient", 1, domain=DOMAIN, xs=["x0"], y="y"), X) == told
