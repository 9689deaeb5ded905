"""States that are given back as they came, to another place: a step in C copies them before anything is written over them."""

import numpy as np
import pytest

from lensgrad.backends.loop import Loop
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.running import Steps
from lensgrad.core.trace import trace
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Real

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
A, B = np.arange(6, dtype=np.float32), 10 * np.ones(6, np.float32)


def steps(body, n, seen=0):
    """A body on two states, which gives both back and then what is observed, taken n times."""
    f = trace(body, Real(6), Real(6))
    loop = Loop(((0, 0), (1, 1)), (), (2, 2 + seen))
    return Steps(f, loop, threads=1).run([A, B], [], [], n)


def test_states_may_change_places():
    (a, b), _ = steps(lambda a, b: (b, a), 3)
    assert np.array_equal(a, B) and np.array_equal(b, A)


def test_a_state_may_be_what_another_was_before():
    (a, before), _ = steps(lambda a, before: (a + 1.0, a), 3)
    assert np.array_equal(a, A + 3) and np.array_equal(before, A + 2)


def test_what_is_observed_of_a_state_is_what_it_was_before_the_step():
    (a, _), (seen,) = steps(lambda a, b: (a + 1.0, b * 2.0, a), 3, seen=1)
    assert np.array_equal(a, A + 3) and np.array_equal(seen, np.stack([A, A + 1, A + 2]))


def test_a_state_is_read_before_it_is_written_over_where_sums_stand_between():
    def body(count, x):
        before = count
        count = count + 1.0
        total = ops.total(x)
        return count, ops.exp(before) * total

    f = trace(body, Real(), Real(6))
    (count,), (seen,) = Steps(f, Loop(((0, 0),), (1,), (2, 2)), threads=1).run([np.zeros((), np.float32)], [], [np.stack([A, A, A])], 3)
    assert count == 3 and seen == pytest.approx(15 * np.exp([0.0, 1.0, 2.0]), rel=1e-6)


def test_a_state_is_read_before_its_next_value_that_does_not_depend_on_it():
    f = trace(lambda a, x: (x * 2.0, a + 1.0), Real(6), Real(6))
    (a,), (seen,) = Steps(f, Loop(((0, 0),), (1,), (2, 2)), threads=1).run([A], [], [np.stack([B, B])], 2)
    assert np.array_equal(a, 2 * B) and np.array_equal(seen, np.stack([A + 1, 2 * B + 1]))
