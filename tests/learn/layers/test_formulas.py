"""Layers against their formulas, written out with loops in NumPy."""

import math
from itertools import product

import numpy as np
import pytest
from layer_checks import at, inputs, outputs, real
from numerics import evaluate, reals

import lensgrad as lg
from lensgrad.cat.para import Para
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.learn.layers.activations import ACTIVATIONS


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def padded(x, pads):
    return np.pad(x, [*pads, (0, 0)])


def convolved(x, kernel, stride, pads, dilation, groups):
    """The definition, entry by entry."""
    x, size, filters = padded(x, pads), kernel.shape[:-2], kernel.shape[-1]
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape, size, stride, dilation, strict=False)]
    per_in, per_out = kernel.shape[-2], filters // groups
    y = np.zeros((*out, filters))
    for place, offset in product(product(*map(range, out)), product(*map(range, size))):
        pixel = x[tuple(p * s + o * d for p, o, s, d in zip(place, offset, stride, dilation, strict=True))]
        for f in range(filters):
            g = f // per_out
            y[(*place, f)] += pixel[g * per_in : (g + 1) * per_in] @ kernel[(*offset, slice(None), f)]
    return y


@pytest.mark.parametrize(
    ("layer", "shape", "stride", "pads", "dilation", "groups"),
    [
        (lg.conv1d(3, 2, stride=2), (7, 2), (2,), [(0, 0)], (1,), 1),
        (lg.conv1d(4, 3, padding=[(2, 0)], groups=2), (5, 4), (1,), [(2, 0)], (1,), 2),
        (lg.conv2d(3, (2, 3), padding="same"), (4, 5, 2), (1, 1), [(0, 1), (1, 1)], (1, 1), 1),
        (lg.conv2d(2, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2)), (5, 6, 1), (2, 1), [(1, 1), (2, 2)], (1, 2), 1),
        (lg.conv2d(2, 3, stride=2, padding="same"), (5, 5, 1), (2, 2), [(1, 1), (1, 1)], (1, 1), 1),
        (lg.conv3d(2, 2, padding="valid"), (2, 3, 2, 2), (1, 1, 1), [(0, 0)] * 3, (1, 1, 1), 1),
        (lg.depthwise_conv(2, multiplier=2, padding=1), (3, 4, 3), (1, 1), [(1, 1)] * 2, (1, 1), 3),
    ],
    ids=["1d", "1d causal", "2d same", "2d dilated", "2d same strided", "3d", "depthwise"],
)
def test_convolutions(layer, shape, stride, pads, dilation, groups):
    f = at(layer, real(*shape))
    kernel, shift, x = inputs(f)
    close(outputs(f, [kernel, shift, x])[0], convolved(x, kernel, stride, pads, dilation, groups) + shift)


def test_a_transposed_convolution_is_the_adjoint_of_the_convolution():
    f = at(lg.conv_transpose(2, 3, stride=2, padding=1, use_bias=False), real(4, 4, 3))
    kernel, y = inputs(f)
    assert f.cod == real(7, 7, 2)
    (x,) = reals(5, (7, 7, 2))
    there = np.sum(convolved(x, kernel, (2, 2), [(1, 1)] * 2, (1, 1), 1) * y)
    close(np.sum(outputs(f, [kernel, y])[0] * x), there)


def test_sizes_of_transposed_convolutions():
    def size(**options):
        return at(lg.conv_transpose(1, 4, use_bias=False, axes=1, **options), real(5, 1)).cod[0].shape[0]

    assert [size(), size(stride=3), size(stride=3, padding="same"), size(stride=2, padding=1, output_padding=1)] == [8, 16, 15, 11]


KINDS = [(lg.max_pool2d, np.max, -np.inf), (lg.average_pool2d, np.mean, 0.0)]


@pytest.mark.parametrize(("layer", "reduce", "empty"), KINDS, ids=["max", "average"])
@pytest.mark.parametrize(("size", "stride", "padding"), [(2, None, 0), ((2, 3), 1, 1), (3, 2, (0, 1))])
def test_pools(layer, reduce, empty, size, stride, padding):
    f = at(layer(size, stride=stride, padding=padding), real(5, 6, 2))
    (x,) = inputs(f)
    (h, w), (p, q) = (s if isinstance(s, tuple) else (s, s) for s in (size, padding))
    s, t = (stride or h, stride or w)
    wide = np.pad(x, [(p, p), (q, q), (0, 0)], constant_values=empty)
    rows, columns = ((n - k) // d + 1 for n, k, d in zip(wide.shape, (h, w), (s, t), strict=False))
    found = [[reduce(wide[i * s : i * s + h, j * t : j * t + w], (0, 1)) for j in range(columns)] for i in range(rows)]
    close(outputs(f, [x])[0], found)


def test_global_pools():
    (x,) = reals(0, (2, 3, 4))
    close(outputs(at(lg.global_average_pool(), real(2, 3, 4)), [x])[0], x.mean((0, 1)))
    close(outputs(at(lg.global_max_pool(), real(2, 3, 4)), [x])[0], x.max((0, 1)))


def test_the_digits_network_is_written_as_planned():
    model = lg.sequential(lg.input(8, 8, 1), lg.conv2d(16, kernel=3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dense(10))
    assert (model.dom, model.cod) == (lg.Real(8, 8, 1), lg.Real(10))
    assert [str(n.op) for n in model.arrow.nodes] == ["conv2d", "max_pool2d", "Reshape(shape=(144,))", "dense"]


# -- activations -------------------------------------------------------------------------------------------------------

ERF = np.vectorize(math.erf)
FORMULAS = {
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "exp": np.exp,
    "gelu": lambda x: x * (1 + ERF(x / np.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -np.log(1 + np.exp(-x)),
    "log_softmax": lambda x: np.log(softmax(x)),
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softmax": softmax,
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * sigmoid(x),
    "tanh": np.tanh,
}


def test_every_activation_has_a_formula():
    assert set(FORMULAS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_activations(name):
    x = np.linspace(-8, 8, 24).reshape(3, 8)
    close(evaluate(at(ACTIVATIONS[name], real(3, 8)).arrow, x), FORMULAS[name](x))


@pytest.mark.parametrize("name", [n for n in sorted(FORMULAS) if n not in ("exp", "log_softmax", "softmax")])
def test_activations_stay_finite_with_their_gradients(name):
    x = np.array([-1e4, -800.0, -100.0, -1.0, 0.0, 1.0, 100.0, 800.0, 1e4])
    arrow = at(ACTIVATIONS[name], real(9)).arrow
    assert np.isfinite(evaluate(arrow, x)).all() and np.isfinite(evaluate(R(arrow), x, np.ones(9))).all()


def test_softplus_has_slope_one_half_at_zero():
    assert evaluate(R(at(lg.softplus, real(1)).arrow), np.zeros(1), np.ones(1)).tolist() == [0.5]


# -- normalizations ----------------------------------------------------------------------------------------------------


def standardized(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def test_layer_rms_and_group_norm():
    f = at(lg.layer_norm(epsilon=0.1), real(3, 5))
    scale, shift, x = inputs(f)
    close(outputs(f, [scale, shift, x])[0], standardized(x, -1, 0.1) * scale + shift)
    f = at(lg.rms_norm(epsilon=0.1), real(3, 5))
    scale, x = inputs(f)
    close(outputs(f, [scale, x])[0], x / np.sqrt((x**2).mean(-1, keepdims=True) + 0.1) * scale)
    f = at(lg.group_norm(2, epsilon=0.1), real(2, 3, 4))
    scale, shift, x = inputs(f)
    wide = standardized(x.reshape(2, 3, 2, 2), (0, 1, 3), 0.1).reshape(2, 3, 4)
    close(outputs(f, [scale, shift, x])[0], wide * scale + shift)
    assert at(lg.layer_norm(use_bias=False), real(3, 5)).names == ("scale",)


# -- sequences ---------------------------------------------------------------------------------------------------------


def named(f: Para, values):
    return dict(zip(f.names, values, strict=False)), values[len(f.params) :]


def test_embeddings_read_rows():
    f = at(lg.embedding(5, 3, dtype="float64", name="e") >> lg.unembed(5, name="u"), lg.Int(4))
    table, scores, tokens = inputs(f)
    close(outputs(f, [table, scores, tokens])[0], table[tokens] @ scores.T)


def test_positions():
    (x,) = reals(0, (5, 6))
    wanted = np.zeros((5, 6))
    for t, j in product(range(5), range(3)):
        angle = t / 100.0 ** (2 * j / 6)
        wanted[t, 2 * j : 2 * j + 2] = math.sin(angle), math.cos(angle)
    close(outputs(at(lg.sinusoidal_positions(base=100.0), real(5, 6)), [x])[0], x + wanted)
    turned = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * np.arange(5)[:, None] * 100.0 ** (-np.arange(3) / 3))
    found = outputs(at(lg.rotary_positions(base=100.0), real(5, 6)), [x])[0]
    close(found[:, 0::2], turned.real)
    close(found[:, 1::2], turned.imag)
    f = at(lg.learned_positions(), real(5, 6))
    w, x = inputs(f)
    close(outputs(f, [w, x])[0], x + w)


def attended(p, x, heads, shared, mask=None, causal=False):
    """Head by head; each query head reads the key and value head of its group."""
    steps = len(x)
    q, k, v = (x @ p[f"{n}/weight"].T + p[f"{n}/bias"] for n in ("query", "key", "value"))
    width, mixed = q.shape[1] // heads, []
    for h in range(heads):
        g = h * shared // heads
        qh, kh, vh = q[:, h * width :][:, :width], k[:, g * width :][:, :width], v[:, g * width :][:, :width]
        scores = qh @ kh.T / math.sqrt(width)
        shown = np.ones((steps, steps), bool) if mask is None else np.tile(mask, (steps, 1))
        shown = shown & np.tri(steps, dtype=bool) if causal else shown
        mixed.append(softmax(np.where(shown, scores, -np.inf)) @ vh)
    return np.concatenate(mixed, 1) @ p["out/weight"].T + p["out/bias"]


@pytest.mark.parametrize(("heads", "shared"), [(1, 1), (3, 3), (4, 2), (4, 1)])
@pytest.mark.parametrize("causal", [False, True])
def test_attention(heads, shared, causal):
    f = at(lg.multi_head_attention(heads, key_value_heads=shared, width=2, causal=causal), real(5, 6))
    values = inputs(f)
    p, (x,) = named(f, values)
    close(outputs(f, values)[0], attended(p, x, heads, shared, causal=causal))


def test_a_block_of_llama_2():
    """x + attention, then x + W₂ (silu(W₁ x) · W₃ x), each behind an RMS norm; queries and keys turned as complex numbers."""
    options = {"norm": "rms", "gated": True, "activation": "silu", "rotary": True, "causal": True, "use_bias": False}
    f = at(lg.transformer_block(2, 7, key_value_heads=1, **options), real(5, 8))
    values = inputs(f)
    p, (x,) = named(f, values)

    def normal(v, scale):
        return v / np.sqrt((v**2).mean(1, keepdims=True) + 1e-5) * scale

    def turned(v):
        pairs = v.reshape(5, -1, 2, 2) @ np.array([1, 1j])
        pairs = pairs * np.exp(1j * np.arange(5)[:, None, None] * 10000.0 ** (-np.arange(2) / 2))
        return np.stack([pairs.real, pairs.imag], -1).reshape(5, -1, 4)

    h = normal(x, p["attention_norm/scale"])
    q, k = turned(h @ p["attention/query/weight"].T), turned(h @ p["attention/key/weight"].T)[:, 0]
    v = h @ p["attention/value/weight"].T
    scores = [np.where(np.tri(5) > 0, q[:, i] @ k.T / 2, -np.inf) for i in range(2)]
    x = x + np.concatenate([softmax(s) @ v for s in scores], 1) @ p["attention/out/weight"].T
    h = normal(x, p["mlp_norm/scale"])
    gate, up = h @ p["mlp/gate/weight"].T, h @ p["mlp/up/weight"].T
    close(outputs(f, values)[0], x + (gate * sigmoid(gate) * up) @ p["mlp/down/weight"].T)


def test_attention_with_a_mask_sees_what_is_shown_only():
    f = at(lg.multi_head_attention(2, causal=True), real(4, 6) @ lg.Bool(4))
    *values, _ = inputs(f)
    p, (x,) = named(f, values)
    mask = np.array([True, False, True, True])
    close(outputs(f, [*values, mask])[0], attended(p, x, 2, 2, mask, causal=True))
    blind = outputs(f, [*values, np.zeros(4, bool)])[0]
    assert np.isfinite(blind).all()


def test_a_padded_sequence_is_the_sequence_alone():
    for layer in (lg.multi_head_attention(2), lg.transformer_block(2, norm="rms", gated=True, rotary=True), lg.gru(3), lg.lstm(3)):
        long, short = at(layer, real(5, 4) @ lg.Bool(5)), at(layer, real(3, 4))
        values = inputs(short)
        x, mask = np.concatenate([values[-1], np.full((2, 4), 7.0)]), np.array([True] * 3 + [False] * 2)
        close(outputs(long, [*values[:-1], x, mask])[0][:3], outputs(short, values)[0])


def lstm_by_loop(w, u, b, x, mask):
    h = c = np.zeros(u.shape[1])
    out = []
    for row, shown in zip(x, mask, strict=True):
        i, f, g, o = np.split(w @ row + u @ h + b, 4)
        new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h, c = (sigmoid(o) * np.tanh(new), new) if shown else (h, c)
        out.append(h)
    return np.array(out)


def test_lstm():
    f = at(lg.lstm(3), real(5, 4) @ lg.Bool(5))
    values = inputs(f)
    wanted = lstm_by_loop(*values)
    assert not values[-1].all()
    close(outputs(f, values)[0], wanted)
    close(outputs(at(lg.lstm(3, last=True), real(5, 4) @ lg.Bool(5)), values)[0], wanted[-1])
    reversed_values = [*values[:3], values[3][::-1], values[4][::-1]]
    close(outputs(at(lg.lstm(3, backward=True), real(5, 4) @ lg.Bool(5)), reversed_values)[0], wanted[::-1])


def test_gru_and_simple_rnn():
    f = at(lg.gru(3), real(5, 4))
    w, u, b, shift, x = inputs(f)
    h, out = np.zeros(3), []
    for row in x:
        (r1, z1, n1), (r2, z2, n2) = np.split(w @ row + b, 3), np.split(u @ h, 3)
        z, n = sigmoid(z1 + z2), np.tanh(n1 + sigmoid(r1 + r2) * (n2 + shift))
        h = (1 - z) * n + z * h
        out.append(h)
    close(outputs(f, [w, u, b, shift, x])[0], out)
    f = at(lg.simple_rnn(3, activation="relu"), real(5, 4))
    w, u, b, x = inputs(f)
    h, out = np.zeros(3), []
    for row in x:
        h = np.maximum(w @ row + u @ h + b, 0)
        out.append(h)
    close(outputs(f, [w, u, b, x])[0], out)


def test_graph_convolution_by_matrix_and_by_edges():
    f = at(lg.graph_conv(2), real(4, 3) @ real(4, 4))
    w, b, x, a = inputs(f)
    wanted = a @ x @ w.T + b
    close(outputs(f, [w, b, x, a])[0], wanted)
    targets, sources = (v.ravel() for v in np.indices((4, 4)))
    g = at(lg.graph_conv(2), real(4, 3) @ lg.Int(16) @ lg.Int(16) @ real(16))
    close(outputs(g, [w, b, x, sources, targets, a.ravel()])[0], wanted)


def test_graph_convolutions_hand_their_edges_on_in_order():
    n, sources, targets = 4, np.array([0, 1, 2, 3, 0]), np.array([1, 1, 0, 2, 3])
    f = at(lg.masked(lg.graph_conv(3, use_bias=False)) >> lg.graph_conv(2, use_bias=False), real(n, 3) @ lg.Int(5) @ lg.Int(5) @ real(5))
    w, u, x, _, _, values = inputs(f)
    a = np.zeros((n, n))
    np.add.at(a, (targets, sources), values)
    close(outputs(f, [w, u, x, sources, targets, values])[0], a @ (a @ x @ w.T) @ u.T)


# -- how layers are put together ---------------------------------------------------------------------------------------


def test_residual_adds_what_it_takes():
    f = at(lg.residual(lg.dense(4, activation="tanh", name="d")), real(4))
    w, b, x = inputs(f)
    close(outputs(f, [w, b, x])[0], x + np.tanh(w @ x + b))
    assert at(lg.residual(lg.dense(4), name="r"), real(4)).names == ("r/weight", "r/bias")


def test_each_is_batching_inside_a_model():
    f = at(lg.each(lg.dense(3)), real(5, 4))
    w, b, x = inputs(f)
    close(outputs(f, [w, b, x])[0], x @ w.T + b)


def test_masked_hands_the_mask_on_and_beside_leaves_it_alone():
    dom = real(4, 6) @ lg.Bool(4)
    stack = at(lg.masked(lg.gru(3, name="a")) >> lg.beside(lg.layer_norm(name="n")) >> lg.lstm(2, name="b"), dom)
    values = inputs(stack)
    hidden = outputs(at(lg.gru(3), dom), [*values[:4], *values[-2:]])[0]
    hidden = outputs(at(lg.layer_norm(), real(4, 3)), [*values[4:6], hidden])[0]
    close(outputs(stack, values)[0], lstm_by_loop(*values[6:9], hidden, values[-1]))


def test_tied_embeddings_keep_one_parameter():
    embed, norm, out = lg.embedding(7, 3, name="embed"), lg.layer_norm(name="norm"), lg.unembed(7, name="out")
    model = lg.sequential(lg.input(4, dtype="int32"), embed, norm, out)
    tied = model.reparam({("embed/weight", "out/weight"): lambda e, _: Para.make([e], Diagram.copy(e.ob))})
    assert tied.names == ("embed/weight", "norm/scale", "norm/bias")
    table, scale, shift, tokens = inputs(tied)
    np.testing.assert_array_equal(outputs(tied, [table, scale, shift, tokens])[0], outputs(model, [table, scale, shift, table, tokens])[0])


def test_reshape_and_families_compose():
    body = lg.reshape(2, -1) >> lg.each(lg.dense(3) >> lg.relu) >> lg.flatten() >> lg.dense(1)
    assert (lg.input(8) >> body).cod == lg.Real(1)
    assert outputs(lg.input(4) >> lg.reshape(2, 2), [np.arange(4.0)])[0].tolist() == [[0, 1], [2, 3]]
