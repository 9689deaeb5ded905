"""Calls of programs in C: states that go round, data of each step, threads, and what is given stays as it is."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.engine import NumPy
from lensgrad.backends.native import crew, running
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.pace import Pace
from lensgrad.backends.picked import Picked
from lensgrad.core.errors import BadValue, TypeMismatch

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler")


def step(hidden=20, batch=None):
    """A training step, its loop over batches, first values, and data of 30 steps."""
    model = lg.sequential(lg.input(4), lg.dense(hidden, activation="sigmoid"), lg.dense(3))
    learner = lg.supervised(model, lg.half_squared_error, lg.sgd(0.05, momentum=0.9))
    program, rng = learner.step(batch, "numpy"), np.random.default_rng(0)
    lead = (30,) if batch is None else (30, batch)
    rows = {"x": rng.standard_normal((*lead, 4)).astype("f4"), "y": rng.standard_normal((*lead, 3)).astype("f4")}
    loop, values = program.loop(("x", "y")), learner.initial(0)
    held = [{**values, **rows}[p.name] for p in program.inputs]
    return program.diagram, loop, [[held[i] for i in wires] for wires in (loop.states, loop.fixed, loop.rows)]


def same(a, b):
    return all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def test_steps_are_those_of_numpy_and_nothing_given_is_changed():
    f, loop, given = step()
    before = [[np.array(x) for x in part] for part in given]
    found, seen = running.Steps(f, loop).run(*given, 30)
    wanted, looked = NumPy().iterate(f, loop).run(*given, 30)
    for a, b in zip([*found, *seen], [*wanted, *looked], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
        assert a.dtype == np.asarray(b).dtype and a.shape == np.shape(b)
    assert all(same(a, b) for a, b in zip(given, before, strict=True))


def test_a_run_cut_anywhere_is_the_same_to_the_bit():
    f, loop, (states, fixed, rows) = step()
    steps = running.Steps(f, loop)
    whole, seen = steps.run(states, fixed, rows, 30)
    first, left = steps.run(states, fixed, [r[:11] for r in rows], 11)
    second, right = steps.run(first, fixed, [r[11:] for r in rows], 19)
    assert same(whole, second) and same(seen, [np.concatenate(pair) for pair in zip(left, right, strict=True)])


def test_calls_return_before_all_steps_are_taken(monkeypatch):
    f, loop, given = step()
    whole, seen = running.Steps(f, loop).run(*given, 30)
    steps, calls = running.Steps(f, loop), []
    call = steps.call
    steps.call = lambda *args: (calls.append(args[3]), call(*args))[1]
    monkeypatch.setattr(running, "CALL", 0.0)  # no time at all for a call: each step is one
    after, looked = steps.run(*given, 30)
    assert calls == [1] * 30 and same(after, whole) and same(looked, seen)


def test_how_many_steps_there_are_at_once_follows_the_time_they_take():
    f, loop, _ = step()
    steps = running.Steps(f, loop)
    for seconds, most in ((0.0, 16384), (1e-6, 16384), (1e-3, 100), (0.03, 3), (10.0, 2)):
        steps.seconds = seconds
        assert steps.most == most


def test_data_may_lie_anyhow_in_memory():
    f, loop, (states, fixed, rows) = step()
    steps = running.Steps(f, loop)
    spread = [np.asfortranarray(np.repeat(r, 2, axis=0))[::2] for r in rows]
    assert not any(r.flags.c_contiguous for r in spread)
    assert same(steps.run(states, fixed, rows, 30)[0], steps.run(states, fixed, spread, 30)[0])


@pytest.mark.parametrize(
    "spoil",
    [lambda x: x[:29], lambda x: x.astype("f8"), lambda x: x[:, :2]],
    ids=["too few", "another dtype", "another shape"],
)
def test_what_does_not_fit_is_refused_and_never_read(spoil):
    f, loop, (states, fixed, rows) = step()
    with pytest.raises(TypeMismatch, match="a program in C wants 30 rows"):
        running.Steps(f, loop).run(states, fixed, [spoil(r) for r in rows], 30)
    with pytest.raises(TypeMismatch, match="a program in C wants an array of shape"):
        running.Steps(f, loop).run([x[..., :1] for x in states], fixed, rows, 30)


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(threads):
    f, loop, given = step(1024, 128)
    one = running.Steps(f, loop, threads=1)
    assert one.made.parallel
    many = running.Steps(f, loop, threads=threads)
    assert many.threads == threads
    a, b = one.run(*given, 30), many.run(*given, 30)
    assert same(a[0], b[0]) and same(a[1], b[1])


def test_several_threads_of_python_may_run_one_program_at_once():
    f, loop, given = step(1024, 128)
    steps, found = running.Steps(f, loop, threads=2), [None] * 4
    wanted = steps.run(*given, 30)

    def run(k):
        found[k] = steps.run(*given, 30)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(same(after, wanted[0]) and same(seen, wanted[1]) for after, seen in found)


def test_where_no_thread_can_begin_one_goes_alone(monkeypatch):
    class None_:
        def __init__(self, **how): ...

        def start(self):
            raise RuntimeError("can't start new thread")

    f, loop, given = step(1024, 128)
    wanted = running.Steps(f, loop, threads=1).run(*given, 30)
    monkeypatch.setattr(crew, "Thread", None_)
    monkeypatch.setattr(running, "CREW", crew.Crew())
    found = running.Steps(f, loop, threads=4).run(*given, 30)
    assert same(found[0], wanted[0])


def test_threads_meet_in_every_call_and_later_ones_join_them():
    f, loop, given = step(1024, 128)
    wanted, own = running.Steps(f, loop, threads=1).run(*given, 30), crew.Crew()
    steps = running.Steps(f, loop, threads=4)
    for of in (2, 4, 3, 1, 4):
        room = steps.room()
        for (view, *_), x in zip([*room.views, *room.fixed], [*given[0], *given[1]], strict=True):
            view[...] = x
        seen = [np.empty((30, *shape), dtype) for shape, dtype in steps.seen]
        room.point([running.lying(x, atom, 30) for x, atom in zip(given[2], steps.rows, strict=True)], seen)
        own.run(steps.call, room.places, 30, of, room.turnstile)
        assert same([view for view, *_ in room.views], wanted[0]) and same(seen, wanted[1])
    assert own.asked == 3 and not own.lock.locked()


def test_a_step_runs_on_as_many_threads_as_took_least_lately():
    pace, used = Pace(), []

    def calls(n, many):
        for _ in range(n):
            used.append(pace.threads(2))
            pace.note(used[-1], many if used[-1] == 2 else 2.0)
        return used[-n:]

    assert calls(40, 1.0) == [2, 1] + [2] * 38  # alone it takes twice as long: nobody asks again
    assert calls(600, 8.0)[50:].count(2) < 10  # another program has a core: two threads are tried seldom
    assert calls(200, 8.0).count(2) < 5
    pace.note(2, 1.0)
    assert pace.threads(2) == 1  # one lucky call is no reason
    assert pace.threads(1) == 1
    assert calls(300, 1.0)[-200:].count(2) == 200


FORKED = """
import os
import sys

sys.path[:0] = sys.argv[1:]

from lensgrad.backends.native import running
from test_native_calls import same, step

f, loop, given = step(1024, 128)
steps = running.Steps(f, loop, threads=2)
wanted = steps.run(*given, 30)
child = os.fork()
if not child:
    os._exit(0 if same(steps.run(*given, 30)[0], wanted[0]) else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_threads_of_its_own():
    said = subprocess.run(
        [sys.executable, "-c", FORKED, str(Path(__file__).parent)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (said.stdout, said.returncode) == ("0\n", 0), said.stderr


def test_threads_are_as_many_as_are_asked_for(monkeypatch):
    monkeypatch.delenv("LENSGRAD_THREADS", raising=False)
    assert crew.threads() == crew.processors() >= 1
    monkeypatch.setenv("LENSGRAD_THREADS", "3")
    assert crew.threads() == 3
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("LENSGRAD_THREADS", wrong)
        with pytest.raises(BadValue) as error:
            crew.threads()
        assert str(error.value) == f"LENSGRAD_THREADS must be a whole number from 1 to 1024, got '{wrong}'"


def test_a_number_of_threads_that_is_none_is_refused_for_small_steps_too(monkeypatch):
    monkeypatch.setenv("LENSGRAD_THREADS", "two")
    f, loop, _ = step()
    with pytest.raises(BadValue, match="LENSGRAD_THREADS must be a whole number from 1 to 1024, got 'two'"):
        running.Steps(f, loop)


@pytest.mark.parametrize(("text", "wanted"), [("max 100000", 8), ("250000 100000", 2), ("1000 100000", 1), ("", 8)])
def test_a_container_that_may_use_fewer_processors_has_fewer(monkeypatch, tmp_path, text, wanted):
    place = tmp_path / "cpu.max"
    place.write_text(text, encoding="utf-8")
    monkeypatch.setattr(crew, "QUOTA", place)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert crew.processors() == wanted


def test_a_function_takes_arrays_and_keeps_nothing():
    model = lg.sequential(lg.input(4), lg.dense(20, activation="tanh"), lg.dense(3))
    learner = lg.supervised(model, lg.mse, lg.sgd(0.1))
    program = learner.predictor(5, "native")
    given = {**learner.initial(0), "x": np.random.default_rng(0).standard_normal((5, 4)).astype("f4")}
    found = program(given)["output"]
    np.testing.assert_allclose(found, learner.predictor(5, "numpy")(given)["output"], rtol=1e-5, atol=1e-6)
    again = program({**given, "x": 2 * given["x"]})["output"]
    assert not np.allclose(found, again) and same([found], [program(given)["output"]])


def test_small_matrices_lie_in_rows_of_whole_vectors_and_short_rows_as_columns():
    f, loop, given = step()
    steps = running.Steps(f, loop)
    lie = {shape: (slot.room, slot.turned) for slot, (shape, _) in zip(steps.made.states, steps.states, strict=True)}
    assert lie == {(20, 4): (24, True), (20,): (0, False), (3, 20): (24, False), (3,): (0, False)}
    wanted, _ = NumPy().iterate(f, loop).run(*given, 30)
    for found, want in zip(steps.run(*given, 30)[0], wanted, strict=True):
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, want, rtol=2e-5, atol=2e-6)


def test_matrices_that_kernels_read_lie_as_they_are_given():
    steps = running.Steps(*step(1024, 128)[:2])
    assert not any(slot.room for slot in steps.made.states)


def function():
    """A model as a function in C, and its arguments: a row and weights."""
    learner = lg.supervised(lg.dense(4, 3, name="layer"), lg.half_squared_error, lg.sgd(0.05))
    program, values = learner.predictor(None, "native"), learner.initial(0)
    held = {**values, "x": np.arange(4, dtype="f4")}
    return program.function, [held[p.name] for p in program.inputs], learner.predictor(None, "numpy").function


@pytest.mark.parametrize("shape", [lambda x: x, np.asfortranarray, lambda x: x.tolist()], ids=["as it is", "by columns", "a list"])
def test_a_function_reads_what_was_changed_since_its_last_call(shape):
    f, xs, wanted = function()
    k = next(k for k, x in enumerate(xs) if x.ndim == 2)
    typed = [np.asarray(x, "f4") for x in xs]
    xs[k] = shape(xs[k])
    if isinstance(xs[k], list):
        xs[k] = Rows(xs[k])
    for _ in range(3):
        typed[k] = np.array(xs[k], "f4")
        np.testing.assert_allclose(f(*xs)[0], wanted(*typed)[0], rtol=1e-5)
        xs[k][1][2] += 5.0
    assert xs[k][1][2] > 10.0


class Rows(list):
    """Rows that are an array of 32 bits where somebody asks for one."""

    def __array__(self, dtype=None, copy=None):
        return np.array(list(self), "f4")


def test_a_function_lets_go_of_arrays_that_others_took_the_place_of():
    f, xs, wanted = function()
    for n in (1.0, 2.0):
        scaled = [x * np.float32(n) for x in xs]
        np.testing.assert_allclose(f(*scaled)[0], wanted(*scaled)[0], rtol=1e-5)


# -- rows that are read where they lie -----------------------------------------------------------------------------------


def examples(batch, hidden=20):
    """A step with its first values, arrays of 24 examples, and orders of those for some epochs."""
    f, loop, (states, fixed, rows) = step(hidden, batch)
    arrays = [r.reshape(-1, *r.shape[1 if batch is None else 2 :])[: 8 * (batch or 3)] for r in rows]
    n = len(arrays[0])
    return f, loop, states, fixed, arrays, np.concatenate([np.random.default_rng(k).permutation(n) for k in range(3)])


@pytest.mark.parametrize("call", [0.05, 0.0], ids=["at once", "one by one"])
@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("batch", [None, 1, 4, 30])
def test_rows_are_read_where_they_lie(monkeypatch, batch, shuffled, call):
    monkeypatch.setattr(running, "CALL", call)
    f, loop, states, fixed, arrays, where = examples(batch)
    n = len(where) // (batch or 1)
    given = [Picked(x, n, batch, where if shuffled else None) for x in arrays]
    steps, places = running.Steps(f, loop), where if shuffled else np.tile(np.arange(len(arrays[0])), 3)
    copies = [x[places.reshape(n, *([batch] if batch else []))] for x in arrays]
    for picked, copy in zip(given, copies, strict=True):
        assert np.array_equal(picked[:], copy) and np.array_equal(picked[n - 1], copy[n - 1]) and picked.shape == copy.shape
    (a, b), (c, d) = steps.run(states, fixed, given, n), steps.run(states, fixed, copies, n)
    assert same(a, c) and same(b, d)


def test_examples_are_brought_together_by_all_threads():
    f, loop, states, fixed, arrays, where = examples(128, 1024)
    given = [Picked(x, 24, 128, where) for x in arrays]
    one, two = (running.Steps(f, loop, threads=t) for t in (1, 2))
    wanted = one.run(states, fixed, [g[:] for g in given], 24)
    for steps in (one, two):
        found = steps.run(states, fixed, given, 24)
        assert same(found[0], wanted[0]) and same(found[1], wanted[1])


@pytest.mark.parametrize(
    "form", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2], lambda x: x], ids=["columns", "apart", "as it is"]
)
def test_what_cannot_be_read_where_it_lies_is_copied(form):
    f, loop, states, fixed, arrays, where = examples(4)
    places = where.astype(np.int32)
    found = running.Steps(f, loop).run(states, fixed, [Picked(form(x), 24, 4, places) for x in arrays], 24)
    wanted = running.Steps(f, loop).run(states, fixed, [x[where.reshape(24, 4)] for x in arrays], 24)
    assert same(found[0], wanted[0]) and same(found[1], wanted[1])


def test_rows_that_do_not_fit_are_refused_and_never_read():
    f, loop, states, fixed, arrays, where = examples(4)
    for wrong in (Picked(arrays[0].astype("f8"), 24, 4, where), Picked(arrays[0], 24, 2, where[:48]), Picked(arrays[0], 23, 4, where[:92])):
        with pytest.raises(TypeMismatch, match="a program in C wants 24 rows"):
            running.Steps(f, loop).run(states, fixed, [wrong, Picked(arrays[1], 24, 4, where)], 24)
