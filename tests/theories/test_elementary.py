# ruff: noqa: E501  a table of sentences
"""Elementary functions, index notation and entries by number, against NumPy and SciPy."""

import numpy as np
import pytest
from scipy import special

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch, WireError
from lensgrad.lens import grad, trace

ops = lg.ops
LINE, INSIDE, ABOVE = np.linspace(-6, 6, 41), np.linspace(-0.999, 0.999, 41), np.linspace(1.0001, 40, 41)
TINY = np.array([-1e-3, -1e-9, 1e-12, 2e-7])
FUNCTIONS = {
    "tan": (np.tan, lambda x: 1 / np.cos(x) ** 2, LINE, TINY),
    "atan": (np.arctan, lambda x: 1 / (1 + x * x), LINE, TINY),
    "asin": (np.arcsin, lambda x: 1 / np.sqrt(1 - x * x), INSIDE, TINY),
    "acos": (np.arccos, lambda x: -1 / np.sqrt(1 - x * x), INSIDE, TINY),
    "sinh": (np.sinh, np.cosh, LINE, TINY),
    "cosh": (np.cosh, np.sinh, LINE, TINY),
    "asinh": (np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x), LINE, TINY),
    "acosh": (np.arccosh, lambda x: 1 / np.sqrt((x - 1) * (x + 1)), ABOVE, 1 + abs(TINY)),
    "atanh": (np.arctanh, lambda x: 1 / (1 - x * x), INSIDE, TINY),
    "exp2": (np.exp2, lambda x: np.exp2(x) * np.log(2), LINE, TINY),
    "log2": (np.log2, lambda x: 1 / (x * np.log(2)), ABOVE, abs(TINY)),
    "log10": (np.log10, lambda x: 1 / (x * np.log(10)), ABOVE, abs(TINY)),
    "reciprocal": (np.reciprocal, lambda x: -1 / x**2, LINE[:20], TINY),
    "square": (np.square, lambda x: 2 * x, LINE, TINY),
    "erf": (special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), LINE, TINY),
}
STEPS = {"ceil": np.ceil, "floor": np.floor, "round": np.round, "sign": np.sign, "trunc": np.trunc}


def slope(f, *xs):
    """The gradient of the sum of f, by R."""
    return lg.evaluate(grad(trace(lambda *v: f(*v).sum(), *(lg.Real(*x.shape, dtype="float64") for x in xs))), *xs)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_values_and_derivatives(name):
    value, derivative, *places = FUNCTIONS[name]
    for x in places:
        np.testing.assert_allclose(lg.evaluate(getattr(ops, name), x), value(x), rtol=4e-15)
        np.testing.assert_allclose(slope(getattr(ops, name), x), derivative(x), rtol=1e-9 if name == "acosh" else 4e-13)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_steps_have_derivative_0(name):
    x = np.array([-2.5, -1.5, -0.5, -0.2, 0.3, 0.5, 1.5, 2.5, 7.0])
    assert np.array_equal(lg.evaluate(getattr(ops, name), x), STEPS[name](x))
    assert not slope(getattr(ops, name), x).any()


def test_nothing_overflows_before_its_result():
    assert np.isfinite(lg.evaluate(ops.acosh, np.array([1e300]))).all()
    np.testing.assert_allclose(lg.evaluate(ops.sinh, np.array([709.5, -709.5])), np.sinh([709.5, -709.5]), rtol=1e-13)
    np.testing.assert_allclose(lg.evaluate(ops.asinh, np.array([1e200, -1e200])), np.arcsinh([1e200, -1e200]), rtol=1e-15)
    np.testing.assert_allclose(lg.evaluate(ops.atanh, np.array([1e-12 - 1])), np.arctanh([1e-12 - 1]), rtol=1e-13)


def test_two_arguments():
    y, x = np.random.default_rng(0).normal(size=(2, 30))
    np.testing.assert_allclose(lg.evaluate(ops.atan2, y, x), np.arctan2(y, x), rtol=1e-15)
    dy, dx = slope(ops.atan2, y, x)
    np.testing.assert_allclose(np.stack([dy, dx]), np.stack([x, -y]) / (x * x + y * y), rtol=1e-13)
    np.testing.assert_allclose(lg.evaluate(ops.remainder, y, x), np.mod(y, x), atol=1e-15)
    np.testing.assert_allclose(lg.evaluate(lambda v: 2.0**v, x), 2.0**x, rtol=1e-15)
    np.testing.assert_allclose(lg.evaluate(lambda v: v ** np.float32(3), abs(x)), abs(x) ** 3, rtol=1e-14)


A, B, C = (np.random.default_rng(k).normal(size=s) for k, s in enumerate([(2, 3, 4), (2, 4, 5), (3, 4, 3)]))


@pytest.mark.parametrize(
    ("spec", "xs"),
    [
        ("...ij,...jk->...ik", (A, B)),
        ("bij,...jk->b...ik", (A, B)),
        ("...i->...", (A,)),
        ("iji->ij", (C,)),
        ("iji->", (C,)),
        ("iji,ii->j", (C, C[:, 0])),
        ("b i j, b j k -> b i k", (A, B)),
    ],
)
def test_index_notation(spec, xs):
    np.testing.assert_allclose(lg.evaluate(lambda *v: ops.einsum(spec, *v), *xs), np.einsum(spec, *xs), atol=1e-13)


def test_the_gradient_of_a_trace_is_the_identity():
    assert np.array_equal(slope(lambda v: ops.einsum("ii->", v), C[:, 0]), np.eye(3))


def test_entries_along_any_axis():
    x, at = C, np.array([[2, 0], [1, 1]])
    for axis in (0, 1, 2, -1):
        assert np.array_equal(lg.evaluate(lambda v, i, a=axis: ops.take(v, i, a), x, at), np.take(x, at, axis))
    for axis, n in enumerate(x.shape):
        index = np.random.default_rng(axis).integers(-n, n, [2 if k == axis else m for k, m in enumerate(x.shape)])
        assert np.array_equal(lg.evaluate(lambda v, i, a=axis: ops.take_along(v, i, a), x, index), np.take_along_axis(x, index, axis))


def test_reductions():
    for axes in ((0,), (1,), (0, 2), None):
        np.testing.assert_allclose(lg.evaluate(lambda v, a=axes: ops.product(v, a), A), np.prod(A, axes), rtol=1e-13)
        assert np.array_equal(lg.evaluate(lambda v, a=axes: ops.amin(v, a), A), np.min(A, axes))
        np.testing.assert_allclose(lg.evaluate(lambda v, a=axes: ops.variance(v, a, 1), A), np.var(A, axes, ddof=1), rtol=1e-13)
    assert np.array_equal(slope(ops.product, np.array([2.0, 0.0, 5.0])), [0.0, 10.0, 0.0])


def test_what_wires_offer():
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(lg.evaluate(lambda v: v.T @ v, x), x.T @ x)
    assert lg.evaluate(lambda v: v.sum() * float(len(v) + v.shape[1]), x) == x.sum() * 5
    assert np.array_equal(lg.evaluate(lambda v: abs(v.mean(0) - v.max(axis=0)), x), abs(x.mean(0) - x.max(0)))
    assert np.array_equal(lg.evaluate(lambda v: v.reshape(-1)[1:4] + np.float32(1), x), [2.0, 3.0, 4.0])
    assert np.array_equal(lg.evaluate(lambda v: ops.select((v > 1) & ~(v > 4) | (v == 0), v, -v), x), [[0, -1, 2], [3, 4, -5]])
    assert np.array_equal(lg.evaluate(lambda v: np.float32(2) * v - np.int64(1), x), 2 * x - 1)


@pytest.mark.parametrize(
    ("kind", "fn", "text"),
    [
        (WireError, np.tanh, "NumPy's tanh works on numbers, and this wire (f64[2,3]) has none yet: use lg.ops instead"),
        (WireError, lambda v: float(v), "this wire (f64[2,3]) has no number while the function is traced: use lg.ops in place of math and NumPy"),
        (WireError, lambda v: len(v.sum()), "a wire of type f64[] has no length"),
        (TypeMismatch, lambda v: ops.einsum("ii->i", v), "einsum reads a diagonal of axes 'i' of one size, got 2 and 3 in f64[2,3]"),
        (TypeMismatch, lambda v: ops.einsum("ij", v), "einsum 'ij' names the axes of each of 1 arguments, and after -> those of the result, as 'ij,j->i'"),
        (TypeMismatch, lambda v: ops.argmax(v, 0) + 0.5, "0.5 meets a wire of whole numbers (i32[3]), which cannot hold it: cast the wire to floats first"),
    ],
)  # fmt: skip
def test_what_wires_refuse(kind, fn, text):
    with pytest.raises(kind) as error:
        lg.evaluate(fn, np.ones((2, 3)))
    assert str(error.value) == text
