"""The recorder: figures of wires at chosen steps, with nothing else changed, in the run and in its file."""

from dataclasses import replace

import going_on
import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, TypeMismatch
from lensgrad.train import recording
from lensgrad.train.recording import plain, statistics
from lensgrad.train.wires import wires_of

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 4)).astype("float32"), RNG.integers(0, 3, 40).astype("int32")
MODEL = lg.sequential(lg.input(4), lg.dense(8, "relu", name="hidden"), lg.dense(3, name="out"))
LEARNER = lg.supervised(MODEL, lg.cross_entropy, lg.adam(0.01))


def fit(**how):
    return LEARNER.fit((X, Y), **{"epochs": 3, "batch_size": 8, "progress": False, "shuffle": False, **how})


def test_the_steps_are_every_so_many_and_nothing_else_changes():
    run, without = fit(record=lg.record(every=4)), fit()
    assert [(r.step, r.epoch) for r in run.records] == [(0, 0), (4, 0), (8, 1), (12, 2)] and without.records == ()
    assert run.history == without.history
    assert all(np.array_equal(run.values[n], v) for n, v in without.values.items())


def test_the_figures_are_those_of_the_wires():
    run = fit(record=lg.record(every=5))
    first = run.records[0]
    w = wires_of(LEARNER, LEARNER.initial(0), (X[:8], Y[:8]))
    for name, found in first.forward:
        x = w[name].astype(float)
        np.testing.assert_allclose(
            [found.mean, found.norm, found.zeros, found.low, found.high],
            [x.mean(), np.linalg.norm(x), (x == 0).mean(), x.min(), x.max()],
            rtol=1e-6,
            atol=1e-12,
        )
        assert sum(found.counts) == x.size and len(found.counts) == 20 and found.not_finite == 0
    assert {"hidden/out", "out/out", "hidden/weight", "objective"} <= set(first) and "nowhere" not in first
    np.testing.assert_allclose(first.cotangent["hidden/weight"].norm, np.linalg.norm(w.cotangent["hidden/weight"]), rtol=1e-6)
    assert first["hidden/out"].zeros > 0 and repr(first).startswith("<step 0: ")


def test_figures_are_plain_numbers():
    assert [type(x) for x in statistics(np.array([0.0, 1.0]), 2).figures] == [float] * 5 + [int]


def test_a_histogram_is_that_of_numpy():
    x = RNG.normal(size=500)
    found = statistics(x, 20)
    assert abs(np.array(found.counts) - np.histogram(x, 20)[0]).max() <= 1
    assert statistics(np.array([np.nan, np.inf, 2.0]), 4).not_finite == 2 and statistics(np.array([np.nan]), 4).counts == (0, 0, 0, 0)
    assert statistics(np.array([3.0, 3.0]), 4).counts == (2, 0, 0, 0)
    assert statistics(np.array([1e300, -1e300]), 2).norm == pytest.approx(np.sqrt(2) * 1e300)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_each_backend_records_the_same_steps(backend):
    if backend == "jax":
        pytest.importorskip("jax")
    run = fit(record=lg.record(every=3, wires="hidden/*"), backend=backend)
    assert [r.step for r in run.records] == [0, 3, 6, 9, 12]
    wanted = fit(record=lg.record(every=3, wires="hidden/*")).records[-1]["hidden/out"]
    np.testing.assert_allclose(run.records[-1]["hidden/out"].figures, wanted.figures, rtol=1e-3)


def test_records_with_weights_of_examples_and_without_batches():
    run = fit(record=lg.record(every=7, wires="hidden/out"), class_weight="balanced")
    assert [r.step for r in run.records] == [0, 7, 14]
    run = fit(record=lg.record(every=50, wires="hidden/out"), batch_size=None)
    assert [r.step for r in run.records] == [0, 50, 100]


def test_they_are_in_the_file_of_the_run(tmp_path):
    run = fit(record=lg.record(every=4))
    run.save(tmp_path / "run.safetensors")
    again = lg.load(tmp_path / "run.safetensors")
    assert again.records == run.records and plain(again.records) == plain(run.records)
    assert lg.load(tmp_path / "run.safetensors").fit((X, Y), progress=False).records == run.records


def test_a_run_that_goes_on_keeps_them_and_adds_its_own():
    run = fit(record=lg.record(every=10))
    longer = run.fit((X, Y), epochs=1, record=lg.record(every=2, wires="objective"), progress=False)
    assert longer.records[: len(run.records)] == run.records and len(longer.records) == len(run.records) + 3


@pytest.mark.parametrize("batches", [1, 4, 7])
def test_a_run_that_is_stopped_and_resumed_has_its_record_whole(tmp_path, batches):
    path, how = tmp_path / "run.safetensors", {"record": lg.record(every=2), "epochs": 3}
    whole = going_on.fit(**how)
    with pytest.raises(going_on.Stop):
        going_on.fit(going_on.after(batches, going_on.fail), checkpoint=lg.checkpoint(path, steps=1), **how)
    again = going_on.fit(checkpoint=lg.checkpoint(path, steps=1), resume=True, **how)
    going_on.same(again, whole)
    assert plain(again.records) == plain(whole.records) and [r.step for r in again.records] == [0, 2, 4, 6, 8]
    assert plain(lg.load(path).records) == plain(whole.records)


def test_a_run_resumed_without_recording_keeps_what_was_recorded(tmp_path):
    path = tmp_path / "run.safetensors"
    first = going_on.fit(epochs=2, checkpoint=path, record=lg.record(every=3))
    assert going_on.fit(epochs=3, checkpoint=path, resume=True).records == first.records == lg.load(path).records != ()


def test_a_file_with_odd_records_is_refused(tmp_path):
    run = fit(record=lg.record(every=4))
    bad = replace(run, records=())
    object.__setattr__(bad, "position", {**bad.position, "records": [[0, 0, [["x", 1.0]], []]]})
    bad.save(tmp_path / "bad.safetensors")
    with pytest.raises(BadCheckpoint, match="the entry 'records' must hold a name, six figures and counts for each wire"):
        lg.load(tmp_path / "bad.safetensors")


def test_too_many_are_refused_before_the_first_step():
    with pytest.raises(
        BadValue, match=r"the records of this run would be [\d,]+ numbers, and a run holds 400,000: write lg.record\(every="
    ):
        fit(record=lg.record(every=1, bins=1000), epochs=50)


def test_where_nobody_knows_how_many_there_are_recording_stops_and_says_so(monkeypatch):
    monkeypatch.setattr(recording, "MOST", 300)
    parts = [{"x": X[i : i + 8], "y": Y[i : i + 8]} for i in range(0, 40, 8)]
    with pytest.warns(UserWarning, match="the records of this run are full after 1 of its steps"):
        run = LEARNER.fit(parts, record=lg.record(every=1, wires="hidden/out", bins=100), progress=False)
    assert len(run.records) == 1


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (lambda: lg.record(every=0), BadValue, "every must be a whole number ≥ 1"),
        (lambda: lg.record(bins=0), BadValue, "bins must be a whole number"),
        (lambda: lg.record(wires=[]), BadValue, "record needs the name or the pattern of a wire"),
        (lambda: fit(record=lg.record(wires="nothing")), BadValue, "record reaches no wire with nothing; wires are called x, "),
        (lambda: fit(record=lg.record(wires=["x", "o/otu"])), BadValue, "record reaches no wire with o/otu; wires are called x, "),
        (lambda: fit(record=10), TypeMismatch, "record must be a rule, as lg.record(every=50) makes it, got 10"),
    ],
)
def test_what_is_wrong_gets_a_sentence(call, kind, told):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value).startswith(told)


def test_all_weights_are_recorded_unless_wires_are_named():
    model = lg.sequential(lg.input(4), lg.layer_norm(name="norm"), lg.dense(3, name="out"))
    learner = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))
    first = learner.fit((X, Y), progress=False, record=lg.record(every=9)).records[0]
    assert set(learner.model_names) <= {*first} and "norm/scale" in first.cotangent
    named = learner.fit((X, Y), progress=False, record=lg.record(every=9, wires="norm/out")).records[0]
    assert [*named] == ["norm/out"]
