"""What from_torch takes and refuses, with the whole text, and operators one by one."""

import math

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadValue, NoRule, TypeMismatch

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")
nn, F = torch.nn, torch.nn.functional


class Does(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, *xs):
        return self.fn(*xs)


def agree(fn, *xs, near=1e-12):
    torch.set_num_threads(1)
    given = [torch.tensor(x, dtype=torch.float64 if np.asarray(x).dtype.kind == "f" else None) for x in xs]
    model, values = lg.from_torch(Does(fn), *given, batch=False)
    found = lg.evaluate(model, *[x.numpy() for x in given], values=values)
    wanted = fn(*given)
    found, wanted = (found, wanted) if isinstance(found, tuple) else ((found,), (wanted,))
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == tuple(b.shape) and (a.dtype.kind == b.numpy().dtype.kind)
        np.testing.assert_allclose(a, b.numpy(), rtol=near, atol=near)


X = np.linspace(-2.0, 2.0, 24).reshape(2, 3, 4) + 0.013
P = np.abs(X) * 0.4 + 0.05
K = np.arange(24).reshape(2, 3, 4) % 7 - 3


@pytest.mark.parametrize(
    "name",
    [
        "abs", "asinh", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "floor", "neg", "relu", "round",
        "sigmoid", "sign", "sin", "sinh", "square", "tan", "tanh", "trunc",
    ],
)  # fmt: skip
def test_functions_of_one_number(name):
    agree(getattr(torch, name), X)


@pytest.mark.parametrize(
    "name", ["acos", "acosh", "asin", "atanh", "log", "log10", "log1p", "log2", "logit", "reciprocal", "rsqrt", "sqrt"]
)
def test_functions_of_some_numbers(name):
    agree(getattr(torch, name), P + 1.5 if name == "acosh" else P)


@pytest.mark.parametrize(
    "name",
    [
        "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish", "relu6",
        "selu", "silu", "softplus", "softshrink", "softsign", "tanhshrink",
    ],
)  # fmt: skip
def test_activations(name):
    agree(getattr(F, name), X)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y: x + y[0], lambda x, y: torch.sub(x, y, alpha=3), lambda x, y: 2 - x, lambda x, y: x * 2, lambda x, y: x / y,
        lambda x, y: torch.div(x, y, rounding_mode="floor"), lambda x, y: torch.div(x, y, rounding_mode="trunc"),
        lambda x, y: x % y, torch.fmod, torch.atan2, torch.maximum, torch.minimum, lambda x, y: y**x, lambda x, y: y**-0.5,
        lambda x, y: x**3, lambda x, y: 2.0**x, lambda x, y: y**0.7, lambda x, y: x.clamp(-1, 1), lambda x, y: x.clamp(min=y),
        lambda x, y: torch.where(x > y, x, 0.0), lambda x, y: (x > 0) & (y > 0.3), lambda x, y: (x > 0) ^ (y > 0.3),
        lambda x, y: ~(x >= y) | (x == y), lambda x, y: torch.logical_not(x), lambda x, y: torch.lerp(x, y, 0.3),
        lambda x, y: torch.hypot(x, y), lambda x, y: torch.isnan(x), lambda x, y: torch.addcmul(x, y, y, value=0.5),
        lambda x, y: torch.dist(x, y), lambda x, y: torch.cdist(x, y),
        lambda x, y: torch.isinf(torch.tensor([math.inf, 1.0, -math.inf])), lambda x, y: x.masked_fill(y > 0.5, -1),
    ],
)  # fmt: skip
def test_functions_of_two_numbers(fn):
    agree(fn, X, P)


@pytest.mark.parametrize(
    "fn",
    [
        lambda k: k // 2, lambda k: k % 3, lambda k: k / 2, lambda k: k**2, lambda k: torch.fmod(k, 3), lambda k: k.clamp(-1, 1),
        lambda k: k.sum(1), lambda k: k.abs().max(), lambda k: (k > 0).any(1), lambda k: (k > -9).all(), lambda k: k * 1.5,
        lambda k: k.float().mean(), lambda k: -k + torch.arange(4), lambda k: (k > 0) * k, lambda k: k.cumsum(0), lambda k: k == 1.0,
    ],
)  # fmt: skip
def test_whole_numbers(fn):
    agree(fn, K, near=1e-6)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x.sum((0, 2)), lambda x: x.mean(1, keepdim=True), lambda x: x.amax(-1), lambda x: x.amin((0, 1)), lambda x: x.max(),
        lambda x: tuple(x.max(1)), lambda x: tuple(x.min(-1, keepdim=True)), lambda x: x.argmax(2), lambda x: x.argmin(),
        lambda x: x.prod(1),
        lambda x: x.var(1), lambda x: x.std((0, 2), unbiased=False), lambda x: tuple(torch.var_mean(x, 1)), lambda x: x.norm(dim=1),
        lambda x: torch.logsumexp(x, (1, 2)), lambda x: x.cumsum(1), lambda x: x.cumprod(2), lambda x: x.softmax(1),
        lambda x: x.log_softmax(0),
        lambda x: tuple(x.sort(1, descending=True)), lambda x: tuple(x.topk(2, 2)), lambda x: tuple(torch.aminmax(x)),
        lambda x: tuple(x.topk(2, 1, largest=False)), lambda x: torch.count_nonzero(x > 0, 1),
    ],
)  # fmt: skip
def test_reductions_and_orders(fn):
    agree(fn, X)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x.view(4, -1), lambda x: x.permute(2, 0, 1), lambda x: x.transpose(0, -1), lambda x: x[:, 1], lambda x: x[..., ::2],
        lambda x: x[:, -1:], lambda x: x.chunk(2, 2), lambda x: x.split([1, 2], 1), lambda x: x.unbind(1), lambda x: x.flip(0, 2),
        lambda x: x.roll((1, 2), (0, 2)), lambda x: x.repeat(2, 1, 3), lambda x: x.expand(5, 2, 3, 4), lambda x: torch.cat([x, x[:1]], 0),
        lambda x: torch.stack([x, x], -1), lambda x: F.pad(x, (1, 2, 0, 1)), lambda x: F.pad(x, (1, -1), value=3.0), lambda x: x.tril(),
        lambda x: F.pad(x, (1, 2), mode="reflect"), lambda x: F.pad(x, (1, 2), mode="replicate"),
        lambda x: F.pad(x, (1, 2), mode="circular"),
        lambda x: x.triu(1), lambda x: x.diagonal(0, 1, 2), lambda x: x[:, [2, 0]], lambda x: x[[0, 1], :, [3, 1]],
        lambda x: x[[0, -1], [1, 2]],
        lambda x: x.index_select(2, torch.tensor([3, 0])), lambda x: x.gather(1, torch.tensor([[[0, 1, 2, 0]]])),
        lambda x: x.unfold(2, 2, 1),
        lambda x: x.scatter_add(2, torch.tensor([[[0, 0, 3]]]), x[:1, :1, :3]), lambda x: x.scatter(2, torch.tensor([[[1], [2]]]), 5.0),
        lambda x: x.movedim(0, 2), lambda x: torch.meshgrid(x[0, 0], x[0, 1], indexing="ij"),
        lambda x: torch.zeros_like(x) + torch.ones(4),
        lambda x: x + torch.arange(0.5, 4.0), lambda x: x * torch.eye(3, 4), lambda x: x + torch.linspace(0, 1, 4, dtype=torch.float64),
        lambda x: F.one_hot(torch.tensor([0, 2]), 3) + x[0, :2, :3], lambda x: x.detach() + x,
        lambda x: torch.full((2,), 3.0) + x[:, 0, 0],
    ],
)  # fmt: skip
def test_entries_are_moved(fn):
    agree(fn, X)


def test_writing_in_place_is_written_as_a_new_array():
    def fn(x):
        y = x.clone()
        y[:, 1] = 0.0
        y[0] += 1.0
        y[..., 1:3] *= 2.0
        return y

    agree(fn, X)


M = np.sin(np.arange(24.0)).reshape(2, 4, 3)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y: x @ y, lambda x, y: x[0] @ y[0], lambda x, y: x[0, 0] @ y[0], lambda x, y: x[0] @ y[0, :, 0],
        lambda x, y: torch.einsum("bij,bjk->bik", x, y), lambda x, y: torch.einsum("bii->b", x[..., :3]),
        lambda x, y: torch.outer(x[0, 0], y[0, 0]),
        lambda x, y: torch.baddbmm(x @ y, x, y, beta=0.5, alpha=2.0), lambda x, y: torch.tensordot(x, y, dims=([2], [1])),
        lambda x, y: F.linear(x, y[0].T, y[0, 0]), lambda x, y: F.linear(x[0, 0], y[0].T),
        lambda x, y: F.bilinear(x, x, torch.ones(2, 4, 4, dtype=x.dtype)),
        lambda x, y: F.scaled_dot_product_attention(x, x, x, is_causal=True),
        lambda x, y: F.scaled_dot_product_attention(x, x, x, x @ x.mT > 0, scale=0.3),
        lambda x, y: F.scaled_dot_product_attention(x[None].repeat(1, 2, 1, 1), x[None], x[None], enable_gqa=True),
    ],
)  # fmt: skip
def test_products(fn):
    agree(fn, X, M)


I = np.cos(np.arange(2 * 4 * 9 * 7.0)).reshape(2, 4, 9, 7)  # noqa: E741


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, k: F.conv2d(x, k, stride=2, padding=1), lambda x, k: F.conv2d(x, k[:, :2], groups=2, dilation=2),
        lambda x, k: F.conv2d(x, k, padding="same"),
        lambda x, k: F.conv_transpose2d(x, k, k[:, 0, 0, 0], 2, 1, 1), lambda x, k: F.conv_transpose2d(x, k, groups=2, dilation=2),
        lambda x, k: F.conv2d(x[0], k),
        lambda x, k: F.conv1d(x[:, :, 0], k[..., 0]), lambda x, k: F.conv3d(x[:, None], k[:, :1, None]),
        lambda x, k: F.max_pool2d(x, 3, 2, 1),
        lambda x, k: F.max_pool2d(x, 2, return_indices=True), lambda x, k: F.max_pool2d(x, 2, ceil_mode=True),
        lambda x, k: F.max_pool1d(x[:, :, 0], 3),
        lambda x, k: F.avg_pool2d(x, 3, 2, 1), lambda x, k: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        lambda x, k: F.avg_pool2d(x, 2, ceil_mode=True),
        lambda x, k: F.avg_pool2d(x, 2, divisor_override=3), lambda x, k: F.adaptive_avg_pool2d(x, (4, 3)),
        lambda x, k: F.adaptive_max_pool2d(x, (4, 1)),
        lambda x, k: F.adaptive_avg_pool1d(x[0], 5), lambda x, k: F.interpolate(x, (5, 9)),
        lambda x, k: F.interpolate(x, scale_factor=2, mode="bicubic"),
        lambda x, k: F.interpolate(x, (12, 4), mode="bilinear", align_corners=True), lambda x, k: F.pixel_shuffle(x, 2),
        lambda x, k: F.unfold(x, 3),
        lambda x, k: F.instance_norm(x), lambda x, k: F.group_norm(x, 2), lambda x, k: F.layer_norm(x, (9, 7)),
        lambda x, k: F.local_response_norm(x, 3),
        lambda x, k: F.normalize(x, dim=1), lambda x, k: F.rms_norm(x, (7,)), lambda x, k: F.lp_pool2d(x, 2, 3),
        lambda x, k: F.channel_shuffle(x, 2),
    ],
)  # fmt: skip
def test_windows_and_norms(fn):
    agree(fn, I, np.sin(np.arange(4 * 4 * 3 * 3.0)).reshape(4, 4, 3, 3), near=1e-10)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(
    ("kind", "options"), [("RNN", {"nonlinearity": "relu"}), ("GRU", {"bias": False}), ("LSTM", {"num_layers": 2, "bidirectional": True})]
)
def test_recurrent_networks(kind, options, batch_first):
    torch.manual_seed(0)
    net = getattr(nn, kind)(4, 3, batch_first=batch_first, **options).double()

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            y, last = self.net(x)
            return (y, *last) if isinstance(last, tuple) else (y, last)

    x = torch.randn(2, 3, 4, dtype=torch.float64)
    model, values = lg.from_torch(Flat(), x, batch=False)
    for ours, theirs in zip(lg.evaluate(model, x.numpy(), values=values), Flat()(x), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_names_roles_and_what_is_shared():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
            self.again = self.body[0]
            self.fixed = nn.Parameter(torch.ones(3), requires_grad=False)

        def forward(self, x):
            return self.again(self.body(x)) * self.fixed

    net = Net().train()
    model, values = lg.from_torch(net, torch.randn(1, 3))
    assert net.training and net.body[1].training  # modes are as they were
    roles = dict(zip(model.names, (p.role for p in model.params), strict=True))
    weights = ["body/0/weight", "body/0/bias", "body/1/weight", "body/1/bias"]
    states = ["body/1/running_mean", "body/1/running_var", "fixed"]
    assert roles == {**dict.fromkeys(weights, Role.WEIGHT), **dict.fromkeys(states, Role.STATE)} and [*values] == [*model.names]
    assert (model.dom, model.cod) == (lg.Real(3), lg.Real(3))


def refused(kind, module, *examples, batch=False):
    with pytest.raises(kind) as error:
        lg.from_torch(module, *examples, batch=batch)
    return str(error.value)


X1 = torch.ones(2, 3)


def test_what_has_no_meaning_is_named_with_its_place():
    net = nn.Sequential(nn.Linear(3, 3), Does(lambda x: torch.linalg.inv(x[:, :2])))
    assert refused(NoRule, net, X1) == (
        "the operator aten.linalg_inv_ex.default in '1' (Does) of the module Sequential has no meaning here"
    )
    assert refused(NoRule, Does(lambda x: F.dropout(x, training=True)), X1) == (
        "the operator aten.native_dropout.default of the module Does has no meaning here: it draws random numbers, and here these come "
        "from keys: take the module in eval mode, and train with lensgrad's own dropout"
    )
    told = refused(TypeMismatch, Does(lambda x: x.int() & 3), X1)
    assert told == (
        "the operator aten.bitwise_and.Scalar of the module Does cannot be written here: the bits of whole numbers (int32) have no "
        "meaning, those of truth values do"
    )


def test_what_depends_on_numbers_or_writes_is_refused():
    told = refused(BadValue, Does(lambda x: x if x.sum() > 0 else -x), X1)
    assert told.startswith("torch.export cannot write the module Does as one graph (") and told.endswith(
        "): what it does may not depend on the numbers it is given"
    )

    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            self.seen += 1
            return x * self.seen

    assert refused(BadValue, Counts(), X1) == (
        "the module Counts writes its buffer 'seen' while it predicts, which has no meaning here: return the new value as an output"
    )
    assert refused(BadValue, Does(lambda x: x.add_(1)), X1).startswith("the module Does writes '")


def test_examples_are_alone_in_a_batch():
    mixing = Does(lambda x: x - x.mean(0))
    assert refused(BadValue, mixing, torch.randn(3, 2), batch=True) == (
        "the module Does gives for an example another answer than for it among others: give batch=False to keep all axes"
    )
    assert lg.from_torch(mixing, torch.randn(3, 2), batch=False).model.dom == lg.Real(3, 2)
    assert refused(TypeMismatch, Does(torch.add), torch.ones(2, 3), torch.ones(3), batch=True) == (
        "the examples must have one first axis, that of examples, got tensors of shapes [2, 3] and [3]: or give batch=False"
    )
    assert refused(TypeMismatch, Does(lambda x: x.sum()), X1[:1], batch=True) == (
        "the module Does has an output f32[] without a first axis of size 1, so it has no examples: give batch=False"
    )


def test_what_is_no_module_or_has_no_examples_is_refused():
    assert refused(TypeMismatch, 3, X1) == "from_torch expects a torch.nn.Module, got 3"
    assert refused(TypeMismatch, nn.Linear(3, 2)) == (
        "from_torch expects the inputs of the module Linear as examples: lg.from_torch(module, torch.randn(1, 3, 32, 32))"
    )
    assert refused(BadValue, nn.Linear(3, 2).bfloat16(), X1.bfloat16()) == (
        "'weight' is of dtype bfloat16, which has no array in NumPy: take module.float() first"
    )
