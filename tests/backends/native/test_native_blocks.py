"""Long products whose sides lie across, in blocks; and arrays put together from parts, each with loops of its own."""

import numpy as np
import pytest
from native_check import differing, divided_always, in_c, in_numpy, once

from lensgrad.backends.native import nests
from lensgrad.backends.native.assemble import assembled
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.linear import Concatenate, Einsum


def arrows(body, dtype, *shapes):
    return trace(body, *(Ty((Array(s, dtype),)) for s in shapes))


def agree(f, dtype, tolerance):
    rng = np.random.default_rng(3)
    xs = [rng.normal(size=a.shape).astype(dtype) for a in f.dom]
    found = in_c(f, xs)
    assert differing(found, in_numpy(f, xs), [tolerance] * len(found)) == []
    assert all(np.array_equal(a, b) for a, b in zip(found, in_c(f, xs, threads=2), strict=True))


@pytest.mark.parametrize(("deep", "rows", "columns"), [(300, 150, 130), (512, 24, 64), (257, 145, 513)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
def test_long_products_in_blocks(dtype, tolerance, deep, rows, columns):
    f = arrows(lambda x, y: Einsum("kr,kc->rc")(x, y) * 0.5, dtype, (deep, rows), (deep, columns))
    assert f"block_f{dtype[-2:]}(block" in assembled(f, once(f)).text
    agree(f, dtype, tolerance)


@pytest.mark.parametrize("axis", [0, 1])
def test_parts_have_loops_of_their_own(axis, monkeypatch):
    divided_always(monkeypatch)
    shapes = [(n, 40) if axis == 0 else (40, n) for n in (17, 64, 33)]
    f = arrows(lambda x, y, z: Concatenate(axis)(x * 2.0, y + 1.0, z * z), "float32", *shapes)
    assert "if (" not in assembled(f, once(f)).text.split("part_0(")[1].split("void run")[0]
    agree(f, "float32", 1e-6)


def test_so_many_loops_are_one_and_no_more():
    """As those that update the biases of a deep network: compilers take far longer for all of them at once."""
    count = 3 * nests.MOST
    f = arrows(lambda *xs: tuple(x * 0.5 for x in xs), "float32", *[(4,)] * count)
    text = assembled(f, once(f)).text.split("void part_0(")[1]
    assert (text.count("* 0.5f"), text.count("part_0((float *)")) == (nests.MOST, 3)
