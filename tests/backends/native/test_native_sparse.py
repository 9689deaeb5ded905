"""Products with a matrix of data that is mostly zeros: only the rest is multiplied, unless that is much or something is not finite."""

import numpy as np
import pytest

from lensgrad.backends.loop import Loop
from lensgrad.backends.native.assemble import assembled
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.running import Steps
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.linear import Einsum

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
ROWS, DEPTH, COLUMNS = 170, 1700, 20
LOOP = Loop(((0, 1), (1, 2)), (), (3, 4))  # the matrix stays, both others go round


def products(dtype):
    """The matrix times one state, and another state times the matrix."""

    def body(x, w, g):
        return w, g, Einsum("mk,nk->mn")(x, w), Einsum("nm,mk->nk")(g, x) * 2.0

    return trace(body, *(Ty((Array(s, dtype),)) for s in ((ROWS, DEPTH), (COLUMNS, DEPTH), (COLUMNS, ROWS))))


def sample(dtype, density, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, DEPTH)) * (rng.random((ROWS, DEPTH)) < density)
    return [a.astype(dtype) for a in (x, rng.normal(size=(COLUMNS, DEPTH)), rng.normal(size=(COLUMNS, ROWS)))]


def agree(seen, x, w, g):
    with np.errstate(invalid="ignore"):
        wanted = [x.astype(float) @ w.T.astype(float), 2.0 * (g.astype(float) @ x.astype(float))]
    for found, right in zip(seen, wanted, strict=True):
        assert np.array_equal(np.isfinite(found[-1]), np.isfinite(right))
        near = np.finfo(x.dtype).eps * 2000  # of sums of 1700 numbers
        assert np.allclose(found[-1], right, rtol=near, atol=near, equal_nan=True)


@pytest.mark.parametrize("density", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_with_few_and_with_many_numbers(dtype, density):
    x, w, g = sample(dtype, density)
    runs = [Steps(products(dtype), LOOP, threads=t).run([w, g], [x], [], 2)[1] for t in (1, 2)]
    agree(runs[0], x, w, g)
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_zero_times_what_is_not_finite_is_not_zero(strange):
    x, w, g = sample("float32", 0.01)
    w[3, 5] = g[2, 7] = strange
    _, seen = Steps(products("float32"), LOOP, threads=1).run([w, g], [x], [], 1)
    agree(seen, x, w, g)


def test_a_matrix_with_strange_entries():
    x, w, g = sample("float32", 0.01)
    x[4, 9] = np.nan
    _, seen = Steps(products("float32"), LOOP, threads=1).run([w, g], [x], [], 1)
    agree(seen, x, w, g)


def test_what_was_made_of_a_matrix_is_made_anew_for_another_one():
    x, w, g = sample("float32", 0.01)
    steps = Steps(products("float32"), LOOP, threads=1)
    agree(steps.run([w, g], [x], [], 2)[1], x, w, g)
    x[0, 1] += 1.0
    agree(steps.run([w, g], [x], [], 1)[1], x, w, g)
    x = sample("float32", 0.9)[0]
    agree(steps.run([w, g], [x], [], 1)[1], x, w, g)


def test_only_what_is_there_is_multiplied():
    text = assembled(products("float32"), LOOP).text
    assert text.count("few_f32(rows,") == 2 and text.count("thin_f32(w") == 2
