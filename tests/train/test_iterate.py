"""Groups of batches, stretches of steps, and going back to one step of a stretch."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.data.source import ArraySource
from lensgrad.train import iterate
from lensgrad.train.iterate import Chunk, checked_rows, chunks, first_wrong, groups, stretch
from lensgrad.train.loop import epoch
from lensgrad.train.plan import Plan
from lensgrad.train.state import Position, State

LEARNER = lg.supervised(lg.dense(3, 2, dtype="float64"), lg.mse, lg.sgd(0.1, momentum=0.9))
RNG = np.random.default_rng(2)
DATA = {"x": RNG.standard_normal((22, 3)), "y": RNG.standard_normal((22, 2))}
NAMES = ("x", "y")


class Limited:
    """A program that runs so many steps at once."""

    def __init__(self, most):
        self.most = most

    def iteration(self, rows):
        return self


class Several:
    """A step as if it ran so many times at once."""

    def __init__(self, program, most):
        self.inputs, self.most, self.engine = program.inputs, most, program.engine

    def iteration(self, rows):
        return self


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(iterate, "PATIENCE", 1e9)


def sizes(most, pause=None, done=0, batch_size=4):
    programs = {}

    def step(n):
        return programs.setdefault(n, Limited(most))

    parts = ArraySource(DATA).batches(0, batch_size, None)
    return [len(group) for _, group in groups(step, parts, batch_size is not None, pause, done)]


def test_batches_of_one_size_are_one_group_and_the_short_last_one_another():
    assert sizes(100) == [5, 1] and sizes(3) == [3, 2, 1] and sizes(1) == [1] * 6
    assert sizes(100, batch_size=None) == [22]


def test_a_group_ends_where_the_run_pauses():
    assert sizes(100, pause=2) == [2, 2, 1, 1] and sizes(100, pause=4, done=3) == [1, 4, 1] and sizes(1, pause=2) == [1] * 6


def test_a_group_ends_where_batches_are_slow_to_come(monkeypatch):
    monkeypatch.setattr(iterate, "PATIENCE", -1.0)
    assert sizes(100) == [1] * 6


def test_no_batches_are_no_groups():
    assert list(groups(lambda _: Limited(3), [], True)) == []


class Elsewhere:
    """The batches of arrays, from somewhere that is no array."""

    def __init__(self, arrays):
        self.examples, self.batches = len(arrays["x"]), ArraySource(arrays).batches


def place(chunk):
    return chunk.epoch, chunk.batch, chunk.steps, chunk.size, chunk.names


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("most", "batch_size", "pause", "start", "done"), [
    (100, 4, None, 0, 0), (3, 4, None, 0, 0), (1, 4, None, 2, 0), (100, None, None, 5, 0), (7, None, None, 0, 0),
    (100, 4, 2, 0, 0), (100, 4, 4, 1, 3), (100, 4, None, 5, 0), (100, 4, None, 6, 0), (100, 22, None, 0, 0), (100, 50, None, 0, 0),
])  # fmt: skip
def test_arrays_are_fed_as_their_batches_would_be(dtype, most, batch_size, pause, start, done):
    """Numbers of another dtype are converted in both."""
    arrays = {"x": DATA["x"].astype(dtype), "y": DATA["y"]}
    programs = {n: Several(LEARNER.step(n), most) for n in (None, 2, 4, 22)}
    plan, at = Plan(2, batch_size, 3), Position(1, start)
    sources = ArraySource(arrays), Elsewhere(arrays)
    at_once, one_by_one = (list(chunks(programs.__getitem__, s, plan, at, done, pause)) for s in sources)
    assert [place(c) for c in at_once] == [place(c) for c in one_by_one]
    assert [c.batch for c in at_once] == list(np.cumsum([start, *(c.steps for c in at_once)])[:-1])
    for ours, theirs in zip(at_once, one_by_one, strict=True):
        assert list(ours.rows) == list(theirs.rows)
        for name, rows in ours.rows.items():
            assert rows.dtype == "float64" and rows.shape == theirs.rows[name].shape and rows.tobytes() == theirs.rows[name].tobytes()


def test_the_first_step_that_observed_no_finite_number():
    seen = [np.zeros(4), np.zeros((4, 2)), np.zeros(4, "int32")]
    assert first_wrong(seen) is None and first_wrong([]) is None
    seen[1][2, 1] = np.nan
    assert first_wrong(seen) == 2
    seen[0][1] = np.inf
    assert first_wrong(seen) == 1


def stacked(program, group):
    return checked_rows(program, {name: [part[name] for part in group] for name in group[0]})


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_stretch_is_its_steps_one_after_the_other(backend):
    if backend == "jax":
        pytest.importorskip("jax")
    step, values = LEARNER.step(4, backend), LEARNER.initial(0)
    group = list(ArraySource(DATA).batches(0, 4, None))[:5]
    done = stretch(step, values, stacked(step, group), 5)
    losses = []
    for part in group:
        values = LEARNER.step(4)({**values, **part})
        losses.append(values.pop("loss"))
    for name, value in values.items():
        np.testing.assert_allclose(done.values[name], value, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(done.seen["loss"], losses, rtol=1e-13)
    assert done.bad is None and np.array_equal(done.row(2)["loss"], done.seen["loss"][2])


def test_a_step_of_a_stretch_is_found_again():
    step, values = LEARNER.step(4), LEARNER.initial(0)
    group = list(ArraySource(DATA).batches(0, 4, None))[:5]
    taken = Chunk(step, stacked(step, group), NAMES, 5, 4, epoch=2, batch=10).taken(values, 3)
    for part in group[:3]:
        values = step({**values, **part})
    assert (taken.epoch, taken.number) == (2, 14)
    assert all(np.array_equal(v, values[n]) for n, v in taken.values.items())
    assert all(np.array_equal(taken.batch[n], group[3][n]) for n in NAMES)


def test_chunks_end_together_where_the_run_pauses():
    pytest.importorskip("jax")
    plan, data = Plan(2, 4), ArraySource(DATA)

    def run(**how):
        state, steps = State(LEARNER, LEARNER.initial(0)), []
        for _ in range(2):
            for later in epoch(lambda n: LEARNER.step(n, "jax"), state, data, plan, **how):
                steps.append(later.steps - state.steps)
                state = later
            state = state.reported(state.position.report, 0.0)
        return steps, state

    (whole, one), (cut, other) = run(), run(pause=4)
    assert whole == [5, 1, 5, 1] and cut == [4, 1, 1, 2, 3, 1]
    assert one.history == other.history and one.position == other.position == Position(2)
    assert all(np.array_equal(v, other.values[n]) for n, v in one.values.items())
