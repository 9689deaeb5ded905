"""Functions in C whose weights stay: panels of them are made once while nobody can write to them, and a few rows take none."""

import numpy as np
import pytest
from native_check import differing, in_numpy

from lensgrad.backends.loop import Loop
from lensgrad.backends.native.assemble import assembled
from lensgrad.backends.native.running import Once, unwritten
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.linear import Einsum
from lensgrad.theories.smooth.pointwise import Tanh

TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


def layers(n, dtype="float32"):
    """tanh of x W′ twice, on n rows: the inputs are x and the weights."""
    f = trace(
        lambda x, v, w: Einsum("bi,oi->bo")(Tanh()(Einsum("bi,oi->bo")(x, v)), w) * 2.0,
        *(Ty((Array(s, dtype),)) for s in ((n, 333), (130, 333), (70, 130))),
    )
    rng = np.random.default_rng(n)
    return f, [rng.normal(size=a.shape).astype(dtype) * (0.1 if k else 1.0) for k, a in enumerate(f.dom)]


def read_only(x):
    found = x.copy()
    found.flags.writeable = False
    return found


def text(n):
    f, _ = layers(n)
    return assembled(f, Loop((), (0, 1, 2), (3, 1), (1, 2))).text.split("part_0(")[1]


@pytest.mark.parametrize("n", [1, 3, 4, 7, 24, 150])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_sizes_of_a_batch_agree_with_numpy_and_with_two_threads(n, dtype):
    f, xs = layers(n, dtype)
    wanted = in_numpy(f, xs)
    for given in (xs, [xs[0], *map(read_only, xs[1:])]):
        alone, both = Once(f, rows=(0,)), Once(f, rows=(0,))
        alone.steps.wanted, both.steps.wanted = 1, 2
        for _ in range(2):  # with panels made now, and with those that are there
            found = alone(*given)
            assert differing(found, wanted, [TOLERANCE[dtype]]) == []
            assert np.array_equal(found[0], both(*given)[0])


def test_weights_are_packed_before_the_step_and_a_few_rows_need_none():
    assert "dots_f32(" in text(3) and "pack_f32(" not in text(3)
    before, _, step = text(150).partition("void run(")
    assert before.count("pack_f32(") == 2 and "gate[48]" in step


@pytest.mark.parametrize("kept", [lambda x: x, read_only, lambda x: view_of(x)], ids=["written", "read-only", "a read-only view"])
def test_other_weights_are_seen(kept):
    f, (x, v, w) = layers(40)
    run = Once(f, rows=(0,))
    v, w = kept(v), kept(w)
    first = run(x, v, w)[0]
    (v if v.base is None else v.base).flags.writeable = True
    (v if v.base is None else v.base)[0] += 1.0
    assert differing(run(x, v, w), in_numpy(f, [x, v, w]), [2e-5]) == []
    assert not np.array_equal(first, run(x, v, w)[0])
    assert np.array_equal(run(x, v, read_only(w)), run(x, v, w))
    assert differing(run(x, v, read_only(2.0 * w)), in_numpy(f, [x, v, 2.0 * w]), [2e-5]) == []


def view_of(x):
    found = x[:]
    found.flags.writeable = False
    return found


def test_arrays_that_nobody_can_write_to_are_told_from_others():
    x = np.ones(3, np.float32)
    still = read_only(x)
    assert [unwritten(v) for v in (still, still[:2], np.frombuffer(b"1234", np.uint8))] == [True] * 3
    assert [unwritten(v) for v in (x, view_of(x), np.frombuffer(bytearray(b"1234"), np.uint8))] == [False] * 3
