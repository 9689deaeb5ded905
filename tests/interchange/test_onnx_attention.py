"""Attention and rotary positions of ONNX, with shared heads, masks, and keys from before."""

from typing import Any

import numpy as np
import pytest
from onnx_nodes import agrees, floats, node, refusal, smooth

from lensgrad.interchange.onnx.meanings.attention import TABLE

Q, K, V = floats(0, (2, 4, 3, 6), (2, 2, 5, 6), (2, 2, 5, 8))
FLAT = floats(1, (2, 3, 24), (2, 5, 12), (2, 5, 16))
MASK = np.random.default_rng(2).random((2, 1, 3, 5)) < 0.7
MASK[..., 0] = True
FORMS: list[dict[str, Any]] = [{}, {"softcap": 1.5}, {"scale": 0.3}]


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_attention_is_that_of_the_reference(mode):
    for more in FORMS:
        how = more | {"qk_matmul_output_mode": mode}
        agrees(TABLE, node("Attention", "x0,x1,x2,x3", 4 if mode else 1, **how), Q, K, V, MASK)
        added = np.where(MASK, 0.5, -2.0).astype(np.float32)
        agrees(TABLE, node("Attention", "x0,x1,x2,x3", **how), Q, K, V, added[0, 0])
    agrees(TABLE, node("Attention", 3, q_num_heads=4, kv_num_heads=2, is_causal=1), *FLAT)


def test_keys_from_before_and_lengths():
    k, v = floats(3, (2, 2, 4, 6), (2, 2, 4, 8))
    agrees(TABLE, node("Attention", "x0,x1,x2,,x4,x5", 3, is_causal=1), Q, K, V, k, v)
    agrees(TABLE, node("Attention", "x0,x1,x2,x3,,,x6", 1), Q, K, V, MASK, np.array([3, 5]))
    agrees(TABLE, node("Attention", "x0,x1,x2,x3", 1), Q, K, V, MASK[..., :3])


def test_derivatives_of_attention():
    smooth(TABLE, node("Attention", "x0,x1,x2,x3", softcap=2.0), Q, K, V, MASK)


@pytest.mark.parametrize("more", [{}, {"interleaved": 1}, {"rotary_embedding_dim": 4}, {"rotary_embedding_dim": 4, "interleaved": 1}])
def test_rotary_positions(more):
    half = more.get("rotary_embedding_dim", 6) // 2
    cosine, sine, flat = floats(4, (7, half), (7, half), (2, 3, 24))
    places = np.array([[0, 3, 6], [1, 1, 2]])
    agrees(TABLE, node("RotaryEmbedding", 4, **more), Q, cosine, sine, places)
    agrees(TABLE, node("RotaryEmbedding", 4, num_heads=4, **more), flat, cosine, sine, places)
    agrees(TABLE, node("RotaryEmbedding", 3, **more), Q, cosine[places], sine[places])
    smooth(TABLE, node("RotaryEmbedding", 4, **more), Q, cosine, sine, places)


def test_what_is_refused():
    told = "Attention 'here' cannot cut f32[2,3,24] into 0 heads: give (N, length, heads · width) and the number of heads"
    assert refusal(TABLE, node("Attention", 3), *FLAT) == told
    told = "Attention 'here' cannot share 3 heads of keys among 4 heads of queries"
    assert refusal(TABLE, node("Attention", 3), Q, *floats(5, (2, 3, 5, 6), (2, 3, 5, 8))) == told
    cosine, sine = floats(6, (2, 3, 2), (2, 3, 2))
    told = "RotaryEmbedding 'here' needs cosines and sines of shape [2, 3, 3] for f32[2,4,3,6], got f32[2,3,2]"
    assert refusal(TABLE, node("RotaryEmbedding", 3), Q, cosine, sine) == told
