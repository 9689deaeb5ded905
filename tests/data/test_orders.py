"""The orders in which epochs see the rows: NumPy's for [seed, epoch], however many are found at once."""

import numpy as np
import pytest

from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.drawing import drawn
from lensgrad.data.orders import EPOCHS, Known, order, orders

SEEDS = [0, 7, 2**32 - 1, 2**32, 2**64, 2**130 + 11]


def numpys(examples, epoch, seed):
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(examples)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("epoch", [0, 1, EPOCHS - 1, EPOCHS, 2**32 - 1, 2**32])
def test_a_stream_is_that_of_numpy(seed, epoch):
    np.random.bit_generator.ISeedSequence.register(Known)  # as `order` does
    assert np.random.PCG64(Known(seed, epoch)).state == np.random.PCG64([seed, epoch]).state
    assert np.random.MT19937(Known(seed, epoch)).state["state"]["key"].tolist() == (
        np.random.MT19937(np.random.SeedSequence([seed, epoch])).state["state"]["key"].tolist()
    )


def test_an_order_is_that_of_numpy_and_rows_as_they_stand_without_a_seed():
    assert order(10, 3, 5).tolist() == numpys(10, 3, 5).tolist()
    assert order(4, 3, None).tolist() == [0, 1, 2, 3]


@pytest.mark.skipif(compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("examples", [1, 2, 3, 64, 65, 150, 257, 513, 70_000])
def test_c_draws_the_orders_of_numpy(examples):
    start = EPOCHS - 2  # over the end of a block
    wanted = np.concatenate([numpys(examples, e, 11) for e in range(start, start + 5)])
    found = []
    got = orders(examples, start, 5, 11, lambda words, n: found.append(drawn(words, n)) or found[0])
    assert np.array_equal(found[0], wanted) and np.array_equal(got, wanted)


OTHERS = {"no": None, "none": lambda words, n: None, "other": lambda words, n: np.tile(np.arange(n), len(words))}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_draws_otherwise_than_numpy_is_not_used(other):
    wanted = np.concatenate([numpys(20, e, 11) for e in range(3, 7)])
    assert np.array_equal(orders(20, 3, 4, 11, other), wanted)
