"""Layers against PyTorch: values and the gradients of all parameters and inputs, in float64."""

import numpy as np
import pytest
from layer_checks import at, cotangents, gradients, inputs, outputs, real
from numerics import evaluate

import lensgrad as lg
from lensgrad.learn.batching import batch
from lensgrad.learn.layers.activations import ACTIVATIONS

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")
F = torch.nn.functional


def agree(layer, dom, formula, n=None, rtol=1e-9):
    """The layer's value and gradients are those of `formula` on the same tensors, given in the order of the layer's inputs."""
    f = at(layer, dom) if n is None else batch(at(layer, dom), n)
    xs, dys = inputs(f), cotangents(f)
    tensors = [torch.tensor(x, requires_grad=x.dtype == np.float64) for x in xs]
    y = formula(*tensors)
    np.testing.assert_allclose(outputs(f, xs)[0], y.detach().numpy(), rtol=1e-10, atol=1e-11)
    y.backward(torch.tensor(dys[0]))
    for which, found in gradients(f, xs, dys).items():
        wanted = tensors[which].grad
        wanted = np.zeros_like(xs[which]) if wanted is None else wanted.numpy()
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-10, err_msg=str(which))


def first(x):
    """Channels last, for a batch → channels first."""
    return x.movedim(-1, 1)


def final(x):
    return x.movedim(1, -1)


def kernel(k):
    """(*size, in, out) → (out, in, *size)."""
    return k.movedim((-1, -2), (0, 1))


@pytest.mark.parametrize(
    ("layer", "shape", "options"),
    [
        (lg.conv1d(4, 3, stride=2, padding=1), (9, 2), {"stride": 2, "padding": 1}),
        (lg.conv2d(4, (3, 2), dilation=(1, 2), groups=2), (6, 7, 4), {"dilation": (1, 2), "groups": 2}),
        (lg.conv2d(3, 3, padding="same"), (5, 4, 2), {"padding": "same"}),
        (lg.conv3d(2, 2, stride=(1, 2, 1), padding=(0, 1, 1)), (3, 4, 3, 2), {"stride": (1, 2, 1), "padding": (0, 1, 1)}),
        (lg.depthwise_conv(3, multiplier=2, stride=2), (7, 7, 3), {"stride": 2, "groups": 3}),
    ],
    ids=["1d", "2d", "2d same", "3d", "depthwise"],
)
def test_convolutions(layer, shape, options):
    conv = [F.conv1d, F.conv2d, F.conv3d][len(shape) - 2]
    agree(layer, real(*shape), lambda k, b, x: final(conv(first(x), kernel(k), b, **options)), n=3)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"stride": (2, 3), "groups": 2, "dilation": 2}],
    ids=["plain", "strided", "grouped"],
)
def test_transposed_convolutions(options):
    layer = lg.conv_transpose(4, 3, **options)
    agree(layer, real(4, 5, 2), lambda k, b, x: final(F.conv_transpose2d(first(x), kernel(k), b, **options)), n=2)


@pytest.mark.parametrize("padding", [0, 1])
def test_pools(padding):
    agree(lg.max_pool2d(3, 2, padding), real(7, 6, 2), lambda x: final(F.max_pool2d(first(x), 3, 2, padding)), n=2)
    agree(lg.average_pool2d(3, 2, padding), real(7, 6, 2), lambda x: final(F.avg_pool2d(first(x), 3, 2, padding)), n=2)
    agree(lg.max_pool1d(2, padding=padding), real(7, 2), lambda x: final(F.max_pool1d(first(x), 2, padding=padding)), n=2)
    agree(lg.average_pool3d(2, padding=padding), real(4, 4, 5, 2), lambda x: final(F.avg_pool3d(first(x), 2, padding=padding)), n=2)


TORCH = {
    "elu": F.elu,
    "exp": torch.exp,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "linear": lambda x: x,
    "log_sigmoid": F.logsigmoid,
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "mish": F.mish,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softmax": lambda x: F.softmax(x, -1),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "swish": F.silu,
    "tanh": torch.tanh,
}


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations(name):
    single = 1e-7 if name in ("hard_sigmoid", "hard_swish") else 1e-9  # PyTorch keeps 1/6 in single precision there
    agree(ACTIVATIONS[name], real(4, 7), lambda x: TORCH[name](x * 1.0), rtol=single)


def test_normalizations():
    agree(lg.layer_norm(), real(4, 5), lambda g, b, x: F.layer_norm(x, (5,), g, b), n=2)
    agree(lg.rms_norm(), real(4, 5), lambda g, x: F.rms_norm(x, (5,), g, 1e-5), n=2)
    agree(lg.group_norm(2), real(3, 3, 4), lambda g, b, x: final(F.group_norm(first(x), 2, g, b)), n=2)


@pytest.mark.parametrize("shape", [(3,), (4, 2, 3)], ids=["features", "images"])
def test_batch_norm_trains_predicts_and_remembers(shape):
    def train(g, b, mean, variance, x):
        return final(F.batch_norm(first(x), mean.detach().clone(), variance.detach().clone(), g, b, training=True))

    agree(lg.batch_norm(), real(*shape), train, n=5)
    f = batch(at(lg.batch_norm(momentum=0.3), real(*shape)), 5)
    xs = inputs(f)
    layer = (torch.nn.BatchNorm2d if len(shape) > 1 else torch.nn.BatchNorm1d)(3, momentum=0.3, dtype=torch.float64)
    layer.running_mean[:], layer.running_var[:] = torch.tensor(xs[2]), torch.tensor(xs[3])
    layer(first(torch.tensor(xs[4])))
    _, mean, variance = evaluate(f.arrow, *xs)
    np.testing.assert_allclose(mean, layer.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(variance, layer.running_var.numpy(), rtol=1e-12)
    still = batch(lg.predict(at(lg.batch_norm(), real(*shape))), 5)
    g, b, m, v, x = map(torch.tensor, xs)
    np.testing.assert_allclose(outputs(still, xs)[0], final(F.batch_norm(first(x), m, v, g, b)).numpy(), rtol=1e-12)


def test_embedding_and_output_layer():
    agree(lg.embedding(6, 3, dtype="float64"), lg.Int(4), lambda w, k: F.embedding(k, w))
    agree(lg.unembed(6), real(4, 3), lambda w, x: F.linear(x, w))


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal):
    def formula(*tensors):
        qw, qb, kw, kb, vw, vb, ow, ob, x, mask = tensors
        hidden = ~mask[:, None, :].repeat(2, 4, 1)
        hidden = hidden | torch.ones(4, 4).triu(1).bool() if causal else hidden
        return F.multi_head_attention_forward(
            *[x.movedim(0, 1)] * 3, 6, 2, torch.cat([qw, kw, vw]), torch.cat([qb, kb, vb]), None, None, False, 0.0, ow, ob,
            attn_mask=hidden, need_weights=False,
        )[0].movedim(0, 1)  # fmt: skip

    agree(lg.multi_head_attention(2, causal=causal), real(4, 6) @ lg.Bool(4), formula, n=1)


def test_grouped_attention():
    def formula(qw, kw, vw, ow, x):
        q, k, v = ((x @ w.T).unflatten(-1, (-1, 3)).movedim(-2, -3) for w in (qw, kw, vw))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).movedim(-3, -2).flatten(-2) @ ow.T

    agree(lg.multi_head_attention(4, width=3, key_value_heads=2, causal=True, use_bias=False), real(5, 6), formula, n=2)


def recurrent(kind, gates, units=3, **options):
    """A recurrent layer of PyTorch on given weights; its two biases are ours and zero, but for the new gate of a GRU."""

    def formula(w, u, b, *rest):
        *extra, x = rest
        zero = torch.zeros(gates * units, dtype=torch.float64)
        inner = torch.cat([zero[: 2 * units], extra[0]]) if extra else zero
        layer = kind(x.shape[-1], units, batch_first=True, dtype=torch.float64, **options)
        values = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), (w, u, b, inner), strict=True))
        return torch.func.functional_call(layer, values, (x,))[0]

    return formula


def test_recurrent_layers():
    agree(lg.simple_rnn(3), real(5, 4), recurrent(torch.nn.RNN, 1), n=2)
    agree(lg.simple_rnn(3, activation="relu"), real(5, 4), recurrent(torch.nn.RNN, 1, nonlinearity="relu"), n=2)
    agree(lg.lstm(3), real(5, 4), recurrent(torch.nn.LSTM, 4), n=2)
    agree(lg.gru(3), real(5, 4), recurrent(torch.nn.GRU, 3), n=2)
    agree(lg.lstm(3, last=True), real(5, 4), lambda *t: recurrent(torch.nn.LSTM, 4)(*t)[:, -1], n=2)


def test_transformer_block_as_pytorch_writes_it():
    def formula(g1, b1, qw, qb, kw, kb, vw, vb, ow, ob, g2, b2, uw, ub, dw, db, x):
        layer = torch.nn.TransformerEncoderLayer(6, 2, 5, 0.0, F.gelu, batch_first=True, norm_first=True, dtype=torch.float64)
        values = {
            "self_attn.in_proj_weight": torch.cat([qw, kw, vw]), "self_attn.in_proj_bias": torch.cat([qb, kb, vb]),
            "self_attn.out_proj.weight": ow, "self_attn.out_proj.bias": ob, "linear1.weight": uw, "linear1.bias": ub,
            "linear2.weight": dw, "linear2.bias": db, "norm1.weight": g1, "norm1.bias": b1, "norm2.weight": g2, "norm2.bias": b2,
        }  # fmt: skip
        mask = torch.ones(4, 4, dtype=torch.float64).triu(1) * -1e30
        return torch.func.functional_call(layer, values, (x, mask))

    agree(lg.transformer_block(2, 5, causal=True), real(4, 6), formula, n=2)


def test_losses():
    agree(lg.cross_entropy(), real(5, 4), lambda t, z: F.cross_entropy(z, t.long()))
    agree(lg.cross_entropy(mask="m"), real(5, 4), lambda t, m, z: F.cross_entropy(z[m], t.long()[m]))
    agree(lg.binary_cross_entropy(), real(5, 4), lambda t, z: F.binary_cross_entropy_with_logits(z, t))
