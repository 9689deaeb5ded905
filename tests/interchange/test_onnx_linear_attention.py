"""Linear attention of ONNX, step by step in NumPy."""

import numpy as np
import pytest
from onnx_nodes import floats, means, node, refusal, same, smooth

from lensgrad.interchange.onnx.meanings.linear_attention import TABLE

Q, K, V, STATE, DECAY, RATE = floats(0, (2, 3, 8), (2, 3, 4), (2, 3, 6), (2, 2, 2, 3), (2, 3, 2), (2, 3, 2))
INPUTS = {"linear": "", "gated": ",x4", "delta": ",,x5", "gated_delta": ",x4,x5"}


def by_steps(rule: str) -> list[np.ndarray]:
    """The outputs and the last state, one example, head and step after the other."""
    state, out = STATE.copy(), np.zeros((2, 3, 12), np.float32)
    for n, t, h in np.ndindex(2, 3, 2):
        k, v = K[n, t].reshape(2, 2)[h], V[n, t].reshape(2, 3)[h]
        if "gated" in rule:
            state[n, h] *= np.exp(DECAY[n, t, h])
        if "delta" in rule:
            v = RATE[n, t, h] * (v - state[n, h].T @ k)
        state[n, h] += np.outer(k, v)
        for q in (2 * h, 2 * h + 1):
            out[n, t, 3 * q : 3 * q + 3] = 0.5 * Q[n, t].reshape(4, 2)[q] @ state[n, h]
    return [out, state]


@pytest.mark.parametrize("rule", list(INPUTS))
def test_all_rules(rule):
    made = node("LinearAttention", "x0,x1,x2,x3" + INPUTS[rule], 2, q_num_heads=4, kv_num_heads=2, update_rule=rule, scale=0.5)
    more = [DECAY] * ("gated" in rule) + [RATE] * ("delta" in rule)
    same(means(TABLE, made, Q, K, V, STATE, *more), by_steps(rule))


def test_derivatives_through_the_steps():
    made = node("LinearAttention", 6, 2, q_num_heads=4, kv_num_heads=2)
    smooth(TABLE, made, Q, K, V, STATE, DECAY, RATE)


def test_what_is_refused():
    told = "LinearAttention 'here' must have the rule linear, gated, delta, gated_delta and the gates of its rule, got delta"
    made = node("LinearAttention", 6, 2, update_rule="delta", q_num_heads=4, kv_num_heads=2)
    assert refusal(TABLE, made, Q, K, V, STATE, DECAY, RATE) == told
    told = "LinearAttention 'here' cannot share 2 heads of keys among 1 heads of queries"
    assert refusal(TABLE, node("LinearAttention", 3, 2, update_rule="linear", q_num_heads=1, kv_num_heads=2), Q, K, V) == told
