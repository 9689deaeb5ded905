"""Recurrent layers of ONNX: values as the runtime has them, derivatives as differences have them, and what is refused."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, means, node, refusal, runtime, same, smooth

from lensgrad.interchange.onnx.meanings.recurrent import TABLE

T, N, WIDTH, H = 4, 3, 2, 5
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
LENGTHS = np.array([4, 2, 3], np.int32)


def weights(op: str, directions: int) -> list[np.ndarray]:
    """x, W, R, β and the first state of a node."""
    g = GATES[op] * H
    return floats(0, (T, N, WIDTH), (directions, g, WIDTH), (directions, g, H), (directions, 2 * g), (directions, N, H))


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op", list(GATES))
def test_all_directions_biases_first_states_and_lengths(op, direction):
    x, w, r, b, h = weights(op, 2 if direction == "bidirectional" else 1)
    outputs = 3 if op == "LSTM" else 2
    more = {"linear_before_reset": 1} if op == "GRU" else {}
    for named in ({}, more) if more else ({},):
        how = {"hidden_size": H, "direction": direction} | named
        agrees(TABLE, node(op, "x0,x1,x2", outputs, **how), x, w, r, oracle=runtime)
        agrees(TABLE, node(op, "x0,x1,x2,x3,,x4", outputs, **how), x, w, r, b, h, oracle=runtime)
        agrees(TABLE, node(op, "x0,x1,x2,x3,x4,x5", outputs, **how), x, w, r, b, LENGTHS, h, oracle=runtime)


@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_peepholes_and_first_cells(direction):
    d = 2 if direction == "bidirectional" else 1
    x, w, r, b, h = weights("LSTM", d)
    c, p = floats(1, (d, N, H), (d, 3 * H))
    made = node("LSTM", "x0,x1,x2,x3,x4,x5,x6,x7", 3, hidden_size=H, direction=direction)
    agrees(TABLE, made, x, w, r, b, LENGTHS, h, c, p, oracle=runtime)


@pytest.mark.parametrize("op", list(GATES))
def test_examples_first(op):
    x, w, r, b, h = weights(op, 1)
    outputs = 3 if op == "LSTM" else 2
    found = means(TABLE, node(op, "x0,x1,x2,x3,,x4", outputs, hidden_size=H, layout=1), x.transpose(1, 0, 2), w, r, b, h.transpose(1, 0, 2))
    wanted = runtime(node(op, "x0,x1,x2,x3,,x4", outputs, hidden_size=H), x, w, r, b, h)
    same(found, [wanted[0].transpose(2, 0, 1, 3), *(s.transpose(1, 0, 2) for s in wanted[1:])])


def test_activations_and_clip():
    x, w, r, b, h = weights("RNN", 2)
    for acts in (
        {"activations": ["Relu", "HardSigmoid"], "activation_alpha": [0.3], "activation_beta": [0.4]},
        {"activations": ["Elu", "ScaledTanh"], "activation_alpha": [0.7, 1.1], "activation_beta": [0.9]},
        {"activations": ["LeakyRelu", "Softsign"], "activation_alpha": [0.2]},
        {"activations": ["ThresholdedRelu", "Softplus"], "activation_alpha": [0.1]},
        {"activations": ["Affine", "Tanh"], "activation_alpha": [0.5], "activation_beta": [0.1], "clip": 0.5},
    ):
        made = node("RNN", "x0,x1,x2,x3,,x4", 2, hidden_size=H, direction="bidirectional", **acts)
        agrees(TABLE, made, x, w, r, b, h, oracle=runtime)
    x, w, r, b, h = weights("GRU", 1)
    made = node("GRU", "x0,x1,x2,x3,,x4", 2, hidden_size=H, clip=0.6, activations=["HardSigmoid", "Softsign"])
    agrees(TABLE, made, x, w, r, b, h, oracle=runtime)
    x, w, r, b, h = weights("LSTM", 1)
    agrees(TABLE, node("LSTM", "x0,x1,x2,x3,,x4", 3, hidden_size=H, clip=0.3), x, w, r, b, h, oracle=runtime)


@pytest.mark.parametrize("op", list(GATES))
def test_derivatives_through_time(op):
    x, w, r, b, h = weights(op, 2)
    made = node(op, "x0,x1,x2,x3,x4,x5", 2, hidden_size=H, direction="bidirectional")
    smooth(TABLE, made, x, w, r, b, LENGTHS, h)


def test_what_is_refused():
    x, w, r, b, _ = weights("LSTM", 1)
    told = "LSTM 'here' couples its input and forget gates, which has no meaning here: write the gates as nodes of their own"
    assert refusal(TABLE, node("LSTM", 4, input_forget=1), x, w, r, b) == told
    told = "LSTM 'here' must have the direction forward, reverse or bidirectional, got both"
    assert refusal(TABLE, node("LSTM", 4, direction="both"), x, w, r, b) == told
    told = (
        "LSTM 'here' has the activation exp: use 3 for each direction, of affine, elu, hardsigmoid, leakyrelu, relu, scaledtanh, "
        "sigmoid, softplus, softsign, tanh, thresholdedrelu"
    )
    assert refusal(TABLE, node("LSTM", 4, activations=["Exp", "Tanh", "Tanh"]), x, w, r, b) == told
