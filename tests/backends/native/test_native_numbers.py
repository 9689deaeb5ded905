"""The functions of numbers in C: how far they are from the exact value over all floats, and what they give at the ends."""

import numpy as np
import pytest
from native_check import in_c, in_numpy

from lensgrad.backends import kernels
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import linear, reduce, special
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array

MANY = 1 << 18
ENDS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1.5, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1e-38, 3e38, -3e38, 16777215.0]


def logistic(x):
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


UNARY = {
    p.Exp: np.exp, p.Expm1: np.expm1, p.Log: np.log, p.Log1p: np.log1p, p.Tanh: np.tanh, p.Logistic: logistic, p.Sin: np.sin,
    p.Cos: np.cos, p.Atan: np.arctan, p.Asinh: np.arcsinh, p.Erf: kernels.erf, special.Erfc: kernels.erfc, p.Sqrt: np.sqrt,
    p.Rsqrt: lambda x: 1 / np.sqrt(x), p.Floor: np.floor, p.Round: np.round, p.Abs: np.abs, p.Sign: np.sign,
}  # fmt: skip
BINARY = {p.Power: np.power, p.Atan2: np.arctan2, p.Maximum: np.maximum, p.Minimum: np.minimum, p.Div: np.divide}
REDUCED = (
    *(reduce.LogSumExp((1,)), reduce.LogSoftmax(1), reduce.AMax((1,)), reduce.AMax((0,)), reduce.ArgMax(1), reduce.ArgMax(0)),
    *(reduce.ArgSort(), linear.Sum((1,)), linear.CumulativeSum(1)),
)
OWN_64 = (p.Exp, p.Expm1, p.Log, p.Tanh, p.Logistic)


def floats(n, seed=0):
    """So many floats of every size: one from each stretch of bit patterns."""
    step = 2**32 // n
    bits = np.arange(n, dtype=np.uint64) * step + np.random.default_rng(seed).integers(0, step, n, dtype=np.uint64)
    return bits.astype(np.uint32).view(np.float32)


def found(ops, *xs):
    """What each of some functions gives in C."""
    dom = Ty(tuple(Array(x.shape, str(x.dtype)) for x in xs))
    return in_c(Diagram.tensor(*(Diagram.of(op(), dom) for op in ops)), [*xs] * len(ops))


def ulps(found, exact):
    """How many units in the last place each number is off: of a dtype, against numbers with more digits."""
    kind = np.finfo(found.dtype)
    with np.errstate(all="ignore"):
        rounded = exact.astype(found.dtype)
        unit = np.spacing(np.maximum(np.abs(rounded), kind.tiny))
        off = np.abs(found.astype(exact.dtype) - exact) / unit
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    return np.where(same, 0.0, np.where(np.isfinite(off), off, np.inf))


@pytest.fixture(scope="module")
def dense():
    x = floats(MANY)
    return x, dict(zip(UNARY, found(UNARY, x), strict=True))


@pytest.mark.parametrize("op", UNARY)
def test_a_function_of_one_number_is_right_to_four_units(op, dense):
    x, ys = dense
    with np.errstate(all="ignore"):
        off = ulps(ys[op], UNARY[op](x.astype(np.float64)))
    assert off.max() <= 4, (x[off.argmax()], ys[op][off.argmax()])


def test_functions_of_two_numbers_are_right_to_four_units():
    x, y = floats(MANY), floats(MANY, 1)[::-1].copy()
    x[::3], y[::3] = np.abs(x[::3]), np.random.default_rng(2).standard_normal(len(y[::3])) * 4
    x[1::3] = np.exp(np.random.default_rng(3).standard_normal(len(x[1::3])))
    y[1::3] = np.random.default_rng(4).integers(-40, 40, len(y[1::3]))
    for (op, exact), z in zip(BINARY.items(), found(BINARY, x, y), strict=True):
        with np.errstate(all="ignore"):
            off = ulps(z, exact(x.astype(np.float64), y.astype(np.float64)))
        assert off.max() <= 4, (op, x[off.argmax()], y[off.argmax()], z[off.argmax()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_are_those_of_numpy(dtype):
    ends = np.array(ENDS, dtype)
    x, y = (np.ascontiguousarray(v.reshape(-1)) for v in np.meshgrid(ends, ends))
    results = found(UNARY, ends), found(BINARY, x, y)
    with np.errstate(all="ignore"):
        wanted = [f(ends) for f in UNARY.values()], [f(x, y) for f in BINARY.values()]
    for op, a, b in zip([*UNARY, *BINARY], [*results[0], *results[1]], [*wanted[0], *wanted[1]], strict=True):
        assert np.array_equal(np.isnan(a), np.isnan(b)) and np.array_equal(np.isinf(a), np.isinf(b)), op
        assert np.allclose(a, b, rtol=1e-6, atol=2e-45, equal_nan=True) and np.array_equal(a == 0, b == 0), op


def test_own_functions_in_64_bits_are_right_to_three_units():
    rng = np.random.default_rng(5)
    x = np.concatenate(
        [rng.uniform(-745, 709, MANY), rng.standard_normal(MANY), np.exp(rng.uniform(-700, 700, MANY)), rng.normal(0, 1e-3, MANY)]
    )
    for op, y in zip(OWN_64, found(OWN_64, x), strict=True):
        with np.errstate(all="ignore"):
            off = ulps(y, UNARY[op](x.astype(np.longdouble)))
        assert off.max() <= 3, (op, x[off.argmax()], y[off.argmax()])


def test_rows_of_infinite_and_missing_numbers():
    rows = np.array([[-np.inf, -np.inf, -np.inf], [np.inf, 1.0, np.inf], [np.nan, 1.0, np.inf], [1.0, 2.0, np.nan], [-np.inf, 0.5, 0.25]])
    f = Diagram.tensor(*(Diagram.of(op, Ty((Array((5, 3), "float64"),))) for op in REDUCED))
    found, wanted = in_c(f, [rows] * len(REDUCED)), in_numpy(f, [rows] * len(REDUCED))
    for op, y, w in zip(REDUCED, found, wanted, strict=True):
        assert np.allclose(y, w, rtol=1e-12, equal_nan=True), op
