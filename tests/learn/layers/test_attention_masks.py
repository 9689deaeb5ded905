"""Attention with masks of pairs, with numbers added to its scores, and to another sequence: the same numbers from NumPy alone."""

import math

import numpy as np
import pytest
from layer_checks import at, inputs, outputs, real
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.ty import Ty


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attended(p, x, memory, heads, shared, added):
    """Head by head; `added` is what stands beside the scores."""
    q, k, v = (y @ p[f"{n}/weight"].T + p[f"{n}/bias"] for n, y in (("query", x), ("key", memory), ("value", memory)))
    width, mixed = q.shape[1] // heads, []
    for h in range(heads):
        g = h * shared // heads
        qh, kh, vh = q[:, h * width :][:, :width], k[:, g * width :][:, :width], v[:, g * width :][:, :width]
        mixed.append(softmax(qh @ kh.T / math.sqrt(width) + added) @ vh)
    return np.concatenate(mixed, 1) @ p["out/weight"].T + p["out/bias"]


def parts(f, beside=None):
    """Values of a layer, by name, its inputs, and what it gives with another last input."""
    values = inputs(f)
    values = values if beside is None else [*values[:-1], beside]
    n = len(f.params)
    return dict(zip(f.names, values, strict=False)), values[n:], outputs(f, values)[0]


PAIRS = np.array([[True, False, False, True], [True, True, False, False], [False, True, True, False], [False, False, False, True]])


def test_a_mask_of_pairs_hides_each_pair_that_is_false():
    p, (x, mask), y = parts(at(lg.multi_head_attention(2), real(4, 6) @ lg.Bool(4, 4)), PAIRS)
    np.testing.assert_allclose(y, attended(p, x, x, 2, 2, np.where(mask, 0.0, -np.inf)), rtol=1e-12)


def test_numbers_are_added_to_the_scores():
    p, (x, added), y = parts(at(lg.multi_head_attention(3, causal=True), real(4, 6) @ real(4, 4)))
    past = np.where(np.tri(4, dtype=bool), 0.0, -np.inf)
    np.testing.assert_allclose(y, attended(p, x, x, 3, 3, added + past), rtol=1e-12)


def test_minus_infinity_hides_and_rows_that_see_nothing_stay_finite():
    f = at(lg.multi_head_attention(2), real(4, 6) @ real(4, 4))
    p, (x, _), y = parts(f, np.where(PAIRS, 0.0, -np.inf))
    np.testing.assert_allclose(y, attended(p, x, x, 2, 2, np.where(PAIRS, 0.0, -np.inf)), rtol=1e-12)
    assert np.isfinite(parts(f, np.full((4, 4), -np.inf))[2]).all()


SEEN = np.array([[True, False, False], [True, True, False], [False, True, True], [False, False, True]])
BESIDE = {
    "nothing": (Ty(), None, np.zeros((4, 3))),
    "steps": (lg.Bool(3), SEEN[2], np.where(SEEN[2], np.zeros((4, 3)), -np.inf)),
    "pairs": (lg.Bool(4, 3), SEEN, np.where(SEEN, 0.0, -np.inf)),
    "numbers": (real(4, 3), np.arange(12.0).reshape(4, 3) / 7, np.arange(12.0).reshape(4, 3) / 7),
}


@pytest.mark.parametrize(("heads", "shared"), [(2, 2), (4, 2), (3, 1)])
@pytest.mark.parametrize("mask", BESIDE)
def test_another_sequence_is_attended_to(heads, shared, mask):
    ob, beside, added = BESIDE[mask]
    f = at(lg.cross_attention(heads, width=2, key_value_heads=shared), real(4, 6) @ real(3, 5) @ ob)
    p, (x, memory, *_), y = parts(f, beside)
    np.testing.assert_allclose(y, attended(p, x, memory, heads, shared, added), rtol=1e-12)


def test_a_sequence_that_attends_to_itself_is_self_attention():
    alone, other = at(lg.multi_head_attention(2), real(4, 6)), at(lg.cross_attention(2), real(4, 6) @ real(4, 6))
    values = inputs(alone)
    np.testing.assert_array_equal(outputs(other, [*values, values[-1]])[0], outputs(alone, values)[0])


def test_a_decoder_learns_with_two_inputs():
    left, right = (lg.sequential(lg.input(*shape), lg.layer_norm(name=name)) for name, shape in (("q", (4, 6)), ("m", (3, 5))))
    model = left.tensor(right) >> lg.cross_attention(2, name="see") >> lg.flatten() >> lg.dense(1)
    rng = np.random.default_rng(0)
    data = {"target": rng.normal(size=(16, 4, 6)), "source": rng.normal(size=(16, 3, 5)), "y": rng.normal(size=(16, 1))}
    learner = lg.supervised(model, lg.mse, lg.adam(1e-2), input=("target", "source"))
    run = learner.fit(data, epochs=30, progress=False)
    assert run.history[-1]["loss"] < run.history[0]["loss"] / 3 and "see/key/weight" in run.weights


@pytest.mark.parametrize(
    ("layer", "dom", "text"),
    [
        (
            lambda: lg.multi_head_attention(2),
            lg.Real(4, 6) @ lg.Bool(3),
            "multi_head_attention expects a mask bool[4], true for each step that is seen, bool[4,4], or f32[4,4], which is added to the "
            "scores, got bool[3]",
        ),
        (
            lambda: lg.cross_attention(2),
            lg.Real(4, 6) @ lg.Real(3, 5) @ lg.Bool(4),
            "cross_attention expects a mask bool[3], true for each step that is seen, bool[4,3], or f32[4,3], which is added to the "
            "scores, got bool[4]",
        ),
        (
            lambda: lg.cross_attention(2),
            lg.Real(4, 6),
            "cross_attention expects two sequences beside one another, got f32[4,6]: what is attended to comes second",
        ),
        (
            lambda: lg.cross_attention(2),
            lg.Real(4, 6) @ real(3, 5),
            "cross_attention expects two sequences of one dtype, got f32[4,6] and f64[3,5]",
        ),
        (
            lambda: lg.cross_attention(2),
            lg.Real(4, 6) @ lg.Real(5),
            "cross_attention expects an array of axes (steps, features), got f32[5]",
        ),
    ],
)
def test_what_is_refused(layer, dom, text):
    assert told(TypeMismatch, lambda: at(layer(), dom)) == text
