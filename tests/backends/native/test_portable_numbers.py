"""The functions of numbers in C99: how far those of 64 bits are from more exact ones, and what they give at the ends."""

import math

import numpy as np
import pytest
from native_check import in_numpy
from portable_check import in_c99, needs_compiler
from test_native_numbers import ENDS, UNARY, floats, ulps

from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth import special
from lensgrad.theories.smooth.array import Array

pytestmark = [needs_compiler]
MANY = 1 << 14
EXACT = {
    p.Exp: np.exp, p.Expm1: np.expm1, p.Log: np.log, p.Log1p: np.log1p, p.Tanh: np.tanh, p.Sin: np.sin, p.Cos: np.cos, p.Atan: np.arctan,
    p.Asinh: np.arcsinh, p.Sqrt: np.sqrt, p.Floor: np.floor, p.Round: np.round, p.Abs: np.abs,
}  # fmt: skip
LIMITS = {p.Sqrt: 0.51, p.Floor: 0, p.Round: 0, p.Abs: 0}
wide = pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 60, reason="long double is no wider than double here")


def doubles():
    """Numbers of every size, and many of usual ones."""
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2**64, MANY, dtype=np.uint64).view(np.float64)
    return np.concatenate([bits, rng.standard_normal(MANY) * 3, rng.uniform(-1, 1, MANY) * 10.0 ** rng.uniform(-9, 6, MANY), ENDS])


@wide
def test_functions_of_64_bits_are_right_to_four_units(tmp_path):
    x = doubles()
    found = in_c99(Diagram.tensor(*(Diagram.of(op(), Ty((Array(x.shape, "float64"),))) for op in EXACT)), [x] * len(EXACT), tmp_path, "-O2")
    for (op, exact), y in zip(EXACT.items(), found, strict=True):
        with np.errstate(all="ignore"):
            off = ulps(y, exact(x.astype(np.longdouble)))
        assert off.max() <= LIMITS.get(op, 4), (op.__name__, off.max(), x[off.argmax()], y[off.argmax()])


@wide
def test_powers_and_angles_of_64_bits_are_right_to_four_units(tmp_path):
    x, y = doubles(), doubles()[::-1].copy()
    rng = np.random.default_rng(9)
    x[MANY:] = np.where(rng.random(len(x) - MANY) < 0.5, np.abs(x[MANY:]), np.exp(rng.standard_normal(len(x) - MANY)))
    y[-MANY:] = rng.integers(-40, 40, MANY)
    dom = Ty((Array(x.shape, "float64"),) * 2)
    power, angle = in_c99(Diagram.tensor(Diagram.of(p.Power(), dom), Diagram.of(p.Atan2(), dom)), [x, y] * 2, tmp_path, "-O2")
    with np.errstate(all="ignore"):
        wanted = np.power(x.astype(np.longdouble), y.astype(np.longdouble)), np.arctan2(x.astype(np.longdouble), y.astype(np.longdouble))
    for found, exact in zip((power, angle), wanted, strict=True):
        off = ulps(found, exact)
        normal = (np.abs(exact) > 2.3e-308) | ~(off > 4)
        assert off[normal].max() <= 4, (off.max(), x[off.argmax()], y[off.argmax()], found[off.argmax()], exact[off.argmax()])


def test_error_functions_of_64_bits_are_right_to_sixteen_units(tmp_path):
    x = np.concatenate([np.linspace(-6, 26, MANY), ENDS])
    ops = p.Erf, special.Erfc
    found = in_c99(Diagram.tensor(*(Diagram.of(op(), Ty((Array(x.shape, "float64"),))) for op in ops)), [x] * 2, tmp_path, "-O2")
    for y, exact in zip(found, (math.erf, math.erfc), strict=True):
        off = ulps(y, np.array([exact(v) for v in x]).astype(np.longdouble))
        assert off.max() <= 16, (exact, off.max(), x[off.argmax()], y[off.argmax()])


def test_functions_of_32_bits_are_right_to_four_units(tmp_path):
    x = np.concatenate([floats(1 << 16), np.array(ENDS, np.float32)])
    found = in_c99(Diagram.tensor(*(Diagram.of(op(), Ty((Array(x.shape, "float32"),))) for op in UNARY)), [x] * len(UNARY), tmp_path, "-O2")
    for (op, exact), y in zip(UNARY.items(), found, strict=True):
        with np.errstate(all="ignore"):
            off = ulps(y, exact(x.astype(np.float64)))
        assert off.max() <= 4, (op.__name__, off.max(), x[off.argmax()], y[off.argmax()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_larger_and_the_smaller_one_are_those_of_numpy(dtype, tmp_path):
    x, y = (np.array(v, dtype) for v in zip(*((a, b) for a in ENDS for b in ENDS), strict=True))
    dom = Ty((Array(x.shape, dtype),) * 2)
    f = Diagram.tensor(Diagram.of(p.Maximum(), dom), Diagram.of(p.Minimum(), dom))
    for found, wanted in zip(in_c99(f, [x, y] * 2, tmp_path), in_numpy(f, [x, y] * 2), strict=True):
        assert np.array_equal(found, wanted, equal_nan=True)
