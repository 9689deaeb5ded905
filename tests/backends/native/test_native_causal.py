"""Causal attention in C: rows of softmax, and products that leave out what a mask hides, with NaN and infinity where they go in NumPy."""

import math

import numpy as np
import pytest
from native_check import differing, divided_always, in_c, in_numpy, once

from lensgrad.backends.native.assemble import assembled
from lensgrad.cat.reverse import R
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.attention import HIDDEN, softened
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.index import Iota

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def arrow(body, dtype, *shapes):
    return trace(body, *(Ty((Array(s, dtype),)) for s in shapes))


def seen(scores):
    """Scores, those of later steps hidden."""
    shape = scores.atom.shape
    at = Iota(shape[-1])()
    past = ops.spread(at, shape[-2:], (0,)) >= ops.spread(at, shape[-2:], (1,))
    return ops.select(ops.spread(past, shape, (len(shape) - 2, len(shape) - 1)), scores, HIDDEN)


def attention(dtype, steps, heads, width, batch=2):
    """One causal head after the other, as a layer has them, for some examples."""

    def body(q, k, v):
        scores = ops.einsum("Ztgrd,Zsgd->Zgrts", q, k) * (1.0 / math.sqrt(width))
        return ops.einsum("Zgrts,Zsgd->Ztgrd", softened(seen(scores)), v)

    return arrow(body, dtype, (batch, steps, heads, 1, width), *[(batch, steps, heads, width)] * 2)


def drawn(f, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=a.shape).astype(a.dtype) for a in f.dom]


def same(f, xs, dtype):
    """Whether C gives what NumPy does, what is not finite in the same places; and two threads give the same bits."""
    found, wanted = in_c(f, xs), in_numpy(f, xs)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(found, in_c(f, xs, threads=2), strict=True))
    finite = [np.isfinite(w) for w in wanted]
    pairs = list(zip(found, wanted, finite, strict=True))
    alike = all(np.array_equal(y[~there], w[~there], equal_nan=True) for y, w, there in pairs)
    rest = [[np.where(there, v, 0) for v, there in zip(side, finite, strict=True)] for side in (found, wanted)]
    return alike and differing(*rest, [TOLERANCE[dtype]] * len(found)) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [1, 5, 16, 37])
def test_rows_of_softmax(dtype, steps, monkeypatch):
    divided_always(monkeypatch)
    for causal in (False, True):
        f = arrow(lambda x, causal=causal: softened(seen(x * 0.5) if causal else x * 0.5), dtype, (3, 1, steps, steps))
        assert "power = exp_" in assembled(f, once(f)).text
        (x,) = drawn(f)
        assert same(f, [x], dtype)
        for value in (np.nan, np.inf, -np.inf, -4e30, 3e38):
            bad = x.copy()
            bad[0, 0, steps // 2, steps // 3], bad[1, 0, steps // 2], bad[2] = value, value, value
            assert same(f, [bad], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("steps", "heads", "width"), [(37, 2, 8), (128, 1, 32), (50, 3, 20), (270, 1, 4)])
def test_attention_and_its_gradient(dtype, steps, heads, width):
    f = attention(dtype, steps, heads, width)
    assert "memset(tile" in assembled(f, once(f)).text
    whole = R(f)
    assert same(f, drawn(f), dtype)
    assert same(whole, drawn(whole), dtype)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 3e38])
@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_what_is_not_finite_goes_where_it_goes_in_numpy(value, which):
    f = R(attention("float32", 40, 2, 8))
    xs = drawn(f)
    xs[which][1, 23, 1, ..., 3] = value
    assert same(f, xs, "float32")


def test_zeros_are_looked_for():
    """Scores so low that hidden steps count as much as seen ones leave no zeros behind the diagonal."""
    f = attention("float32", 40, 2, 8)
    q, k, v = drawn(f)
    q[..., 0], k[..., 0] = 1e17, -1e17
    found = in_numpy(f, [q, k, v])
    assert np.isfinite(found[0]).all() and q[0, 0, 0, 0, 0] * k[0, 0, 0, 0] < HIDDEN
    assert same(f, [q, k, v], "float32")
