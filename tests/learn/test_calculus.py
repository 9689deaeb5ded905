"""Jacobians of arrows that take data beside their parameters, against finite differences and JAX."""

import numpy as np
import pytest
from numerics import differences
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter
from lensgrad.lens import batch, corner, jacobian, lens, trace
from lensgrad.theories.smooth import ops

MODEL = lg.sequential(lg.input(3, dtype="float64"), lg.dense(4, activation="tanh", name="a"), lg.dense(2, name="b"))
VALUES = {
    n: np.random.default_rng(i).standard_normal(p.ob[0].shape) for i, (n, p) in enumerate(zip(MODEL.names, MODEL.params, strict=True))
}
X = np.random.default_rng(9).standard_normal((5, 3))


def predicted(x, **changed):
    v = {**VALUES, **{k.replace("_", "/"): value for k, value in changed.items()}}
    return np.tanh(x @ v["a/weight"].T + v["a/bias"]) @ v["b/weight"].T + v["b/bias"]


@pytest.mark.parametrize("name", MODEL.names)
def test_each_parameter_against_differences(name):
    found = lg.evaluate(batch(jacobian(MODEL, name), 5), X, values=VALUES)
    known = differences(lambda v: predicted(X, **{name.replace("/", "_"): v}), [VALUES[name]], 0)
    assert found.shape == (5, 2, *VALUES[name].shape)
    np.testing.assert_allclose(found, known.reshape(found.shape), rtol=1e-7, atol=1e-9)


def test_all_weights_against_jax():
    jax = pytest.importorskip("jax")

    def one(v, x):
        return jax.numpy.tanh(v["a/weight"] @ x + v["a/bias"]) @ v["b/weight"].T + v["b/bias"]

    with jax.enable_x64(True):
        known = jax.vmap(jax.jacrev(one), (None, 0))(VALUES, X)
    found = lg.evaluate(batch(jacobian(MODEL), 5), X, values=VALUES)
    for name, slope in zip(MODEL.names, found, strict=True):
        np.testing.assert_allclose(slope, known[name], rtol=1e-12, atol=1e-14)


def test_with_respect_to_the_input_by_a_corner():
    task = corner(MODEL.dom, "x") >> MODEL
    found = lg.evaluate(jacobian(task, "x"), values={**VALUES, "x": X[0]})
    np.testing.assert_allclose(found, differences(predicted, [X[0]], 0).reshape(2, 3), rtol=1e-7, atol=1e-9)


def test_inputs_of_a_plain_arrow_are_given_by_number_in_the_order_asked():
    f = trace(lambda a, x: ops.exp(a) * x, lg.Real(2, dtype="float64"), lg.Real(2, dtype="float64"))
    x, a = lg.evaluate(jacobian(f, 1, 0), np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    np.testing.assert_allclose(x, np.diag([1.0, np.e]), rtol=1e-15)
    np.testing.assert_allclose(a, np.diag([2.0, 3 * np.e]), rtol=1e-15)


def test_what_is_refused():
    assert told(BadValue, lambda: jacobian(MODEL, "a/bias", "a/*")) == "the Jacobian is asked for twice with respect to 'a/bias'"
    assert "by number" in told(TypeMismatch, lambda: jacobian(trace(lambda a, x: a * x, lg.Real(), lg.Real())))
    assert told(BadValue, lambda: jacobian(trace(ops.exp, lg.Real()), 1)).startswith(
        "the number of an input must be a whole number from 0 to 0"
    )
    assert told(TypeMismatch, lambda: jacobian(lens(MODEL), "a/bias")).endswith("is a lens: take it before lens(…)")
    told(UnknownParameter, lambda: jacobian(MODEL, "c"))
