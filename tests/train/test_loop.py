"""The training loop: plans, batches, checks of names, and the guard that stops a run at the first number that is not finite."""

import warnings
from itertools import accumulate

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, UnknownParameter
from lensgrad.data.arrays import count
from lensgrad.data.source import ArraySource
from lensgrad.train.loop import epoch
from lensgrad.train.plan import Plan, slices
from lensgrad.train.state import Position, State, in_turn, means

X, Y = np.random.default_rng(0).standard_normal((2, 10, 3)).astype("float32")


def learner(size=0.1, **how):
    return lg.supervised(lg.dense(3, 3, **how), lg.half_squared_error, lg.descent, rate=size)


def batches(plan, epoch=0, examples=10):
    return [np.atleast_1d(b).tolist() for b in plan.batches(epoch, examples)]


@pytest.mark.parametrize("batch_size", [None, 1, 3, 5, 10, 11])
def test_an_epoch_sees_every_example_once(batch_size):
    found = batches(Plan(1, batch_size))
    assert sorted(i for b in found for i in b) == list(range(10))
    size = batch_size or 1
    assert [len(b) for b in found] == [size] * (10 // size) + ([10 % size] if 10 % size else [])


def test_examples_come_in_another_order_each_epoch_and_seed():
    plan = Plan(2, 10, seed=1)
    assert batches(plan, 0) == batches(Plan(5, 10, seed=1), 0), "whatever the number of epochs"
    assert batches(plan, 0) != batches(plan, 1) and batches(plan, 0) != batches(Plan(2, 10, seed=2), 0)
    assert batches(Plan(1, 4, shuffle=False)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("epochs", [-1, 1.0, True, None, "3"], ids=str)
def test_epochs_are_counted(epochs):
    with pytest.raises(BadValue) as error:
        learner().fit((X, Y), epochs=epochs, progress=False)
    assert str(error.value) == f"epochs must be a whole number ≥ 0, got {epochs!r}"


@pytest.mark.parametrize("batch_size", [-1, 0, 2.0, True, "3"], ids=str)
def test_a_batch_size_is_a_whole_number(batch_size):
    told = f"batch_size must be a whole number ≥ 1, or None for one example at a time, got {batch_size!r}"
    run = learner().fit((X, Y), epochs=0, progress=False)
    for call in (
        lambda: learner().fit((X, Y), batch_size=batch_size, progress=False),
        lambda: run.predict(X, batch_size),
        lambda: run.evaluate(X, Y, batch_size=batch_size),
    ):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == told


def test_slices_cover_all_examples():
    assert list(slices(5, 2)) == [(2, slice(0, 2)), (2, slice(2, 4)), (1, slice(4, 5))]
    assert list(slices(2, None)) == [(None, 0), (None, 1)] and list(slices(0, 3)) == []


# -- data --------------------------------------------------------------------------------------------------------------


def refused(data, kind=BadValue, **how):
    with pytest.raises(kind) as error:
        learner().fit(data, progress=False, **how)
    return str(error.value)


def test_all_arrays_have_one_row_for_each_example():
    assert refused((X, Y[:4])) == "all data must have the same number of examples, got x: 10, y: 4: give one row of each for every example"
    assert refused((3.0, Y)) == "'x' is one number, and data has an axis of examples: give an array with one row for each"


def test_there_has_to_be_data():
    assert refused((X[:0], Y[:0])) == "there is no data: every array has 0 examples, and at least one is wanted: give it"
    assert refused({}) == "there is no data: the dict of arrays is empty"


READ = "read a table with lg.data.csv(path, target=…), and arrays with lg.data.mapped(path)"
FIXES = [(X, "give the labels too, as in fit(x, y)"), *[(d, "write fit(x, y)") for d in ((X,), (X, Y, Y), 3, None)], ("data", READ)]


@pytest.mark.parametrize(("data", "fix"), FIXES, ids=lambda d: type(d).__name__)
def test_data_has_one_of_four_forms(data, fix):
    forms = "a pair (x, y), a dict of arrays by name, a data set with .x and .y, or an iterator of batches"
    assert refused(data) == f"data is {forms}; got {type(data).__name__}: {fix}"


def test_data_is_named_by_the_ports_of_the_learner():
    assert refused({"x": X}, UnknownParameter) == "no value for 'y' : f32[10,3]; data is given for x: give it under that name"
    assert refused({"x": X, "y": Y, "z": Y}, UnknownParameter) == "the data has 'z', and this learner takes x, y"


def test_what_a_learner_moves_is_not_data():
    moving = lg.supervised(lg.dense(3, 3), lg.mse, {"x": lg.descent}, rate=0.1)
    told = "'x' is moved or started by this learner, so it cannot also be data, which differs from step to step"
    with pytest.raises(BadValue) as error:
        moving.fit((X, Y), progress=False)
    assert str(error.value) == told
    assert refused((X, Y), start={"x": np.zeros(3)}, batch_size=None) == told


def test_an_input_may_be_learned_from_a_given_start():
    """Deep dreaming with the ordinary learner: x is state, y is data (arXiv 2404.00408, section 4)."""
    dream = lg.supervised(lg.dense(3, 3), lg.half_squared_error, {"x": lg.descent}, rate=0.1)
    w = np.diag([1.0, 2.0, 3.0]).astype("float32")
    run = dream.fit({"y": Y[:1]}, epochs=300, batch_size=None, start={"x": np.zeros(3), "weight": w}, progress=False)
    np.testing.assert_allclose(w @ run.values["x"], Y[0], atol=1e-5)
    np.testing.assert_array_equal(run.values["weight"], w)


def test_count_is_the_number_of_rows():
    assert count({"x": X, "y": Y}) == 10


# -- the guard ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("port", "batch_size"), [("x", None), ("y", None), ("x", 3), ("y", 4)])
def test_a_number_in_the_data_that_is_not_finite_is_named_with_its_row(bad, port, batch_size):
    x, y = X.copy(), Y.copy()
    (x if port == "x" else y)[7, 1] = bad
    told = refused((x, y), batch_size=batch_size)
    assert told == f"'{port}' holds {bad} in row 7, entry 1: training needs finite numbers, so fill it in or leave the row out"


def test_divergence_stops_the_run_and_says_when():
    with pytest.raises(BadValue) as error:
        learner(size=1e12).fit((X, Y), epochs=50, batch_size=5, shuffle=False, progress=False)
    where = "Mul : f32[5,3] gave an infinite number from finite numbers; use a smaller learning rate, or scale the data"
    where += "; lg.why(learner, error.values, error.batch, 'loss') says more"
    assert str(error.value) == f"'loss' is not finite after step 1 of epoch 2: {where}"


def test_a_weight_that_is_not_finite_stops_the_run_although_the_loss_was():
    with pytest.raises(BadValue) as error:
        learner(size=1e39, dtype="float64").fit((X.astype(float) * 1e150, Y.astype(float) * 1e150), batch_size=10, progress=False)
    where = "Einsum : f64[3,3] in the way back through dense gave an infinite number from finite numbers; "
    where += "use a smaller learning rate, or scale the data"
    where += "; lg.why(learner, error.values, error.batch, 'weight') says more"
    assert str(error.value) == f"'weight' is not finite after step 1 of epoch 1: {where}"


def test_overflow_is_told_by_the_guard_and_not_by_warnings():
    with warnings.catch_warnings(record=True) as caught, pytest.raises(BadValue):
        warnings.simplefilter("always")
        learner(size=1e12).fit((X, Y), epochs=50, progress=False)
    assert caught == []


DATA = ArraySource({"x": X, "y": Y})


def through(made, state, plan):
    """The states of a run to the end of its epochs; those at the end of an epoch have its report."""
    found = []
    while state.position.epoch < plan.epochs:
        found += epoch(made.step, state, DATA, plan)
        state = found[-1] if found else state
        state = state.reported(state.position.report, 0.0)
        found.append(state)
    return found


def test_there_is_a_state_after_each_step_and_a_report_after_each_epoch():
    made = learner()
    start = made.initial(0)
    found = through(made, State(made, start), Plan(3, 4))
    assert [(s.position.epoch, s.position.batch) for s in found] == [(e + (b == 0), b) for e in range(3) for b in (1, 2, 3, 0)]
    assert [s.epoch for s in found] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3] and [s.steps for s in found] == [
        1,
        2,
        3,
        3,
        4,
        5,
        6,
        6,
        7,
        8,
        9,
        9,
    ]
    assert found[2].position.examples == 10 and found[3].report == found[2].position.report
    assert found[3].values is found[2].values and start.keys() == found[-1].values.keys()
    assert (found[-1].values["weight"] != found[3].values["weight"]).any()


def test_a_run_goes_on_from_any_state():
    made = learner()
    found = through(made, State(made, made.initial(0)), Plan(3, 4))
    for k, at in enumerate(found):
        rest = through(made, at, Plan(3, 4))
        if at.position.batch == 3:
            assert rest[0].report == found[k + 1].report, "the epoch is done, and only its report is missing"
        assert [s.position for s in rest] == [s.position for s in found[k + 1 :]]
        assert all(s.values["weight"].tobytes() == t.values["weight"].tobytes() for s, t in zip(rest, found[k + 1 :], strict=True))


def test_a_report_weighs_every_batch_of_an_epoch_by_its_examples():
    """Also the later ones: 4, 4 and 2 examples, each batch with another mean."""
    at = Position()
    for size, mean in ((4, 1.0), (4, 2.0), (2, 7.0)):
        at = at.after({"loss": np.array([mean])}, size, 1)
    assert at.examples == 10 and at.report == {"loss": (4 * 1.0 + 4 * 2.0 + 2 * 7.0) / 10}
    whole = Position().after({"loss": np.array([1.0, 2.0])}, 4, 2).after({"loss": np.array([7.0])}, 2, 1)
    assert whole == Position(0, 3, 10, {"loss": 26.0}) == at
    run = learner(0.0001).fit((X, Y), batch_size=4, shuffle=False, progress=False)
    small = [learner(0.0001).fit((X, Y), epochs=0, progress=False).evaluate((X[i : i + 4], Y[i : i + 4]))["loss"] for i in (0, 4, 8)]
    assert run.history[0]["loss"] == pytest.approx((4 * small[0] + 4 * small[1] + 2 * small[2]) / 10, rel=1e-3)


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 109])
@pytest.mark.parametrize("size", [1, 9, 150, 5000])
def test_sums_of_rows_are_added_up_in_turn(rows, size):
    given = np.random.default_rng(0).standard_normal((rows, size))
    wanted = [[*accumulate(row)][-1] for row in given.tolist()]
    assert in_turn(given).tolist() == wanted


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2,), (7,), (8,), (128,), (129,), (3, 50), (20_000,)])
def test_means_of_rows_are_those_of_each_row_alone(shape, dtype):
    given = (np.random.default_rng(0).standard_normal((5, *shape)) * 10).astype(dtype)
    assert means(given).astype(float).tolist() == [float(np.sum(row)) / max(1, row.size) for row in given]
