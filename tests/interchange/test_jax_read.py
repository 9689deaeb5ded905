"""Functions of JAX as arrows: their values and gradients are those of JAX."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch
from lensgrad.lens import Model, R

jax = pytest.importorskip("jax")
jnp, lax, nn = jax.numpy, jax.lax, jax.nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


X, Y, P = normal(3, 4), normal(3, 4), np.abs(normal(3, 4)) + 0.5
U = np.clip(X, -0.9, 0.9)
IMAGE, KERNEL = normal(2, 5, 5, 4), normal(3, 3, 2, 6)

ENTRIES = {
    "add": (lambda x, y: x + y, X, Y),
    "a number": (lambda x: 2.0 * x - 1, X),
    "division": (lambda x, y: x / y, X, P),
    "remainder": (lambda x: lax.rem(x, jnp.full_like(x, 0.7)), X),
    "powers": (lambda x: x**3 + x**-2 + lax.pow(jnp.abs(x) + 1, jnp.full_like(x, 1.5)), X),
    "extremes": (lambda x, y: jnp.maximum(x, y) + jnp.minimum(x, 0.3), X, Y),
    "clip": (lambda x: jnp.clip(x, -0.5, 0.5), X),
    "where": (lambda x, y: jnp.where((x > 0) & ~(y > 0) | (x > y), x, y), X, Y),
    "exclusive or": (lambda x, y: jnp.where(jnp.logical_xor(x > 0, y > 0), x, 2 * y), X, Y),
    "select of three": (lambda x: lax.select_n(jnp.array([[0, 1, 2, 1]] * 3), x, 2 * x, 3 * x), X),
    "trigonometry": (lambda x: jnp.sin(x) + jnp.cos(x) + jnp.tan(x / 2) + jnp.sinh(x) + jnp.cosh(x) + jnp.tanh(x), X),
    "inverses": (lambda x: jnp.arcsin(x) + jnp.arccos(x) + jnp.arctan(x) + jnp.arcsinh(x) + jnp.arctanh(x) + jnp.arccosh(x + 3), U),
    "arctan2": (lambda x, y: jnp.arctan2(x, y), X, P),
    "exponentials": (lambda x: jnp.exp(x) + jnp.expm1(x) + jnp.exp2(x) + nn.sigmoid(x), X),
    "logarithms": (lambda x: jnp.log(x) + jnp.log1p(x) + jnp.sqrt(x) + lax.rsqrt(x) + jnp.cbrt(x), P),
    "errors": (lambda x: lax.erf(x) + lax.erfc(x), X),
    "rounding": (lambda x: jnp.floor(x) + jnp.ceil(x) + jnp.round(x * 3) + jnp.sign(x) + lax.round(x * 3), X),
    "finite": (lambda x: jnp.where(jnp.isfinite(x), x, 0), X),
    "relu": (lambda x: nn.relu(x) + nn.relu6(x * 4), X),
    "activations": (lambda x: nn.gelu(x) + nn.gelu(x, approximate=False) + nn.silu(x) + nn.softplus(x) + nn.elu(x) + nn.selu(x), X),
    "more activations": (lambda x: nn.leaky_relu(x) + nn.hard_tanh(x) + nn.soft_sign(x) + nn.mish(x) + nn.log_sigmoid(x), X),
    "softmax": (lambda x: nn.softmax(x, 0) + nn.log_softmax(x) + nn.logsumexp(x), X),
    "stopped": (lambda x: x * lax.stop_gradient(x), X),
    "casts": (lambda x: x.astype(jnp.int32).astype(jnp.float32) + x.astype(jnp.bfloat16).astype(jnp.float32), X),
    "sums": (lambda x: jnp.sum(x) + jnp.sum(x, 0).mean() + jnp.mean(x, 1).sum(), X),
    "largest": (lambda x: jnp.max(x, 1) + jnp.min(x, 1) + jnp.prod(x, 1), X),
    "all and any": (lambda x: jnp.where(jnp.any(x > 1, 1) | jnp.all(x > -2, 1), x.sum(1), 0), X),
    "variance": (lambda x: jnp.var(x, 1) + jnp.std(x, 1) + jnp.linalg.norm(x, axis=1), X),
    "places": (lambda x: jnp.argmax(x, 1) + jnp.argmin(x, 0).sum(), X),
    "running sums": (lambda x: jnp.cumsum(x, 1) + lax.cumsum(x, 0, reverse=True), X),
    "sort": (lambda x: jnp.sort(x, 0) + jnp.sort(x, 1) + jnp.take_along_axis(x, jnp.argsort(x, 0), 0), X),
    "top": (lambda x: sum(v.sum() for v in lax.top_k(x, 2)), X),
    "shapes": (lambda x: jnp.transpose(x).reshape(2, 6)[:, ::2][..., None].squeeze(2), X),
    "joined": (lambda x, y: jnp.concatenate([x, y], 1)[:, 1:-1] + jnp.stack([x[:, :3], y[:, 1:]], 0).reshape(3, 6), X, Y),
    "split": (lambda x: sum(jnp.split(x, 2, axis=1)), X),
    "padded": (lambda x: jnp.pad(x, ((1, 0), (0, 2))) + jnp.pad(x, ((0, 1), (1, 1)), constant_values=3.0), X),
    "other paddings": (lambda x: lax.pad(x, 2.0, ((-1, 1, 1), (1, -2, 0))), X),
    "flipped": (lambda x: jnp.flip(x, 1) + jnp.roll(x, 1, 0) + jnp.tile(x[:1], (3, 1)), X),
    "triangles": (lambda x: jnp.tril(x) + jnp.triu(x, 1), X),
    "products": (lambda x, y: x @ y.T @ x + jnp.einsum("ij,kj->ik", x, y) @ x, X, Y),
    "products of many": (lambda x, y: jnp.einsum("bhd,bkd->bhk", x.reshape(3, 2, 2), y.reshape(3, 2, 2)), X, Y),
    "outer": (lambda x, y: jnp.outer(x[0], y[0]) + jnp.vdot(x, y), X, Y),
    "rows": (lambda x: x[jnp.array([2, 0, 0])] + jnp.take(x, jnp.array([0, 1, 1]), 0), X),
    "entries": (lambda x: x[jnp.array([0, 2]), jnp.array([1, 3])] + x[1, 2] + x[:, jnp.array([3, 0])].sum(), X),
    "entries outside": (lambda x: jnp.take(x, jnp.array([0, 5]), 1, mode="fill", fill_value=7.0), X),
    "entries that may be outside": (lambda x: jnp.take(x, jnp.argmax(x, 1) * 2, 1, mode="fill", fill_value=-1.0), X),
    "along": (lambda x: jnp.take_along_axis(x, jnp.argmax(x, 1, keepdims=True), 1), X),
    "places from data": (lambda x: lax.dynamic_slice(x, (jnp.argmax(x[:, 0]), jnp.argmax(x[0])), (2, 2)), X),
    "an update": (lambda x, y: lax.dynamic_update_slice(x, y[:2, :2], (jnp.argmax(x[:, 0]), 1)), X, Y),
    "added at": (lambda x, y: x.at[jnp.array([0, 0, 2])].add(y), X, Y),
    "set at": (lambda x, y: x.at[1].set(y[0]).at[:, 2].add(1.0), X, Y),
    "summed by segment": (lambda x: jax.ops.segment_sum(x, jnp.array([0, 2, 0]), 3), X),
    "one hot": (lambda x: nn.one_hot(jnp.argmax(x, 1), 4) * x, X),
    "calls": (lambda x: jax.jit(jnp.tanh)(x) + jax.checkpoint(lambda a: jnp.sin(a) ** 2)(x), X),
    "a known branch": (lambda x: lax.cond(True, jnp.sin, jnp.cos, x), X),
    "a loop": (lambda x: lax.scan(lambda c, r: (c * 0.5 + r, c.sum()), jnp.zeros(4), x)[0], X),
    "a loop with rows": (lambda x, w: lax.scan(lambda c, r: (jnp.tanh(w @ c + r), c), jnp.ones(4), x, reverse=True)[1], X, normal(4, 4)),
    "a loop with a count": (lambda x: lax.fori_loop(0, 3, lambda i, c: c * 1.5 + i, x), X),
    "maps": (lambda x: jax.vmap(jnp.dot)(x, x) + lax.map(lambda r: r.sum(), x), X),
    "gradient inside": (lambda x: jax.grad(lambda a: jnp.sum(jnp.sin(a) * a))(x), X),
    "convolution": (lambda x, k: lax.conv_general_dilated(x, k, (1, 2), ((1, 0), (2, 1)), rhs_dilation=(1, 2), feature_group_count=2,
                    dimension_numbers=("NHWC", "HWIO", "NHWC")), IMAGE, KERNEL),
    "channels first": (lambda x, k: lax.conv(x, k, (2, 1), "SAME"), normal(2, 4, 5, 5), normal(6, 4, 3, 3)),
    "transposed": (lambda x, k: lax.conv_transpose(x, k, (2, 2), "SAME"), IMAGE, normal(3, 3, 4, 6)),
    "max pool": (lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 1, 1), "SAME"), IMAGE),
    "average pool": (lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4, IMAGE),
}  # fmt: skip
DISCRETE = ("places",)


@pytest.mark.parametrize(("function", "xs"), [(f, xs) for f, *xs in ENTRIES.values()], ids=ENTRIES)
def test_a_function_has_the_values_and_gradients_that_jax_gives(function, xs, request):
    clip = request.node.callspec.id in ("sort", "along")
    model, values = lg.from_jax(function, *xs, clip=clip)
    found, wanted = np.asarray(lg.evaluate(model, *xs, values=values)), np.asarray(function(*map(jnp.asarray, xs)))
    assert found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-5, atol=1e-5, equal_nan=True)
    if wanted.dtype != np.float32:
        assert request.node.callspec.id in DISCRETE
        return
    dy = np.random.default_rng(1).normal(size=wanted.shape).astype(np.float32)
    back = lg.evaluate(R(model.arrow), *values.values(), *xs, dy)
    theirs = jax.vjp(function, *map(jnp.asarray, xs))[1](jnp.asarray(dy))
    mine = (back if isinstance(back, tuple) else (back,))[-len(xs) :]
    for a, b in zip(mine, theirs, strict=True):
        assert np.allclose(a, b, rtol=1e-4, atol=1e-4)


def network(params, x):
    h = nn.relu(x @ params["first"]["kernel"] + params["first"]["bias"])
    for layer in params["later"]:
        h = jnp.tanh(h @ layer["kernel"]) + h
    return h @ params["last"]


LATER = [{"kernel": normal(8, 8)}, {"kernel": normal(8, 8)}]
PARAMS = {"first": {"kernel": normal(4, 8), "bias": normal(8)}, "later": LATER, "last": normal(8, 3)}


def test_weights_have_the_names_of_their_paths_and_are_trained_on():
    model, values = lg.from_jax(network, X[:1], weights=PARAMS, batch=True)
    assert type(model) is Model and (model.dom, model.cod) == (lg.Real(4), lg.Real(3))
    assert model.names == ("first/bias", "first/kernel", "last", "later/0/kernel", "later/1/kernel") == tuple(values)
    assert np.allclose(lg.evaluate(model, X[1], values=values), network(PARAMS, X[1:2])[0], atol=1e-5)
    learner = lg.supervised(model, lg.half_squared_error, lg.sgd(0.1))
    target = normal(3, 3)
    run = learner.fit((X, target), epochs=1, batch_size=3, shuffle=False, start=values)

    def loss(params):
        return jnp.mean(0.5 * jnp.sum((network(params, X) - target) ** 2, 1))

    stepped = jax.tree.map(lambda w, g: w - 0.1 * g, PARAMS, jax.grad(loss)(jax.tree.map(jnp.asarray, PARAMS)))
    assert np.allclose(run.weights["later/1/kernel"], stepped["later"][1]["kernel"], atol=1e-5)
    assert np.allclose(run.weights["first/bias"], stepped["first"]["bias"], atol=1e-5)


def test_double_precision_is_kept():
    x = X.astype(np.float64)
    model, values = lg.from_jax(lambda a: jnp.exp(a) * jnp.asarray(np.arange(4.0) / 3), x)
    assert model.cod[0].dtype == "float64" or np.dtype(model.cod[0].dtype) == np.float64
    assert np.allclose(lg.evaluate(model, x, values=values), np.exp(x) * (np.arange(4) / 3), rtol=1e-7)


ONE, FUNCTION = "the JAX primitive", "the function cannot be read at these examples:"
REFUSED = {
    "an unknown branch": (lambda x: lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x),
                          f"{ONE} cond at i32[] has a predicate that is computed from data"),
    "an unknown loop": (lambda x: lax.while_loop(lambda c: c.sum() < 9, lambda c: c + 1, x), f"{ONE} while at"),
    "a place outside": (lambda x: jnp.take(x, jnp.argmax(x, 1), 1), f"{ONE} gather at f32[3,4], i32[3,1] reads at places that data says"),
    "a determinant": (lambda x: jnp.linalg.cholesky(x @ x.T), f"{ONE} cholesky at f32[3,3] has no meaning here"),
    "whole numbers divided": (lambda x: x.astype(jnp.int32) // 2, f"{ONE} div at i32[3,4], int32[] has a meaning for floats only"),
    "shapes that do not fit": (lambda x: x @ x, f"{FUNCTION} dot_general requires contracting dimensions"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "told"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_meaning_is_refused_by_name(function, told):
    with pytest.raises(TypeMismatch) as error:
        lg.from_jax(function, X)
    assert str(error.value).startswith(told)


def test_wrong_calls_are_told():
    with pytest.raises(lg.LensgradError, match=r"^what from_jax reads must be a function of JAX arrays, got 3$"):
        lg.from_jax(3, X)
    with pytest.raises(TypeMismatch, match=r"without a first axis of size 1, so it has no examples: give batch=False$"):
        lg.from_jax(jnp.sin, X, batch=True)
