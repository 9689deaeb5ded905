"""Every entry of a run file is checked where it is read: who changes one by hand gets a sentence that names it."""

import numpy as np
import pytest
from saved_runs import AGAIN, forged, refused

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint
from lensgrad.files.write import decode, encode

EPOCHS = "the entry '{0}' says {1}, and there are reports on 2 epochs"
ENTRIES = {
    "accumulate": (0, "the entry 'accumulate' must be a whole number from 1 to 2^53 - 1, got 0"),
    "batch": (10**30, f"the entry 'batch' must be a whole number from 0 to 2^53 - 1, got {10**30}"),
    "batch_size": ("8", "the entry 'batch_size' must be a whole number from 1 to 2^53 - 1, got '8'"),
    "best_epoch": (3, EPOCHS.format("best_epoch", 3)),
    "contents": ("x" * 5000, "the entry 'contents' has 1 to 4000 characters, got 5000: '" + "x" * 58 + "…"),
    "data_size": (True, "the entry 'data_size' must be a whole number from 0 to 2^53 - 1, got True"),
    "ended": (1, "the entry 'ended' must be True or False, got 1"),
    "epoch": (1, EPOCHS.format("epoch", 1)),
    "examples": (-1, "the entry 'examples' must be a whole number from 0 to 2^53 - 1, got -1"),
    "seconds": ((1.0, "2"), "each of the entry 'seconds' must be a number ≥ 0, got '2'"),
    "seed": (2**64, f"the entry 'seed' must be a whole number from 0 to 2^64 - 1, got {2**64}"),
    "shuffle": ((), "the entry 'shuffle' must be True or False, got ()"),
    "since": (5, EPOCHS.format("since", 5)),
    "totals": ({"loss": "a"}, "'loss' in the entry 'totals' must be a number, got 'a'"),
    "weighting": (3, "the entry 'weighting' must be text, got 3"),
    "meaning": (
        {"preparation": 3},
        "the entry 'meaning' says nothing sensible of its data: this says nothing about how a table is read, since it has no 'columns': 3",
    ),
}


def said(**entries):
    """A change of what a file says of its run."""

    def change(facts):
        facts["run"] = encode({**decode(facts["run"]), **entries})

    return change


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_of_the_position_is_named(name, path, run):
    value, told = ENTRIES[name]
    run.save(path)
    forged(path, said(position={**run.position, name: value}))
    told = f"'{path}' is damaged: {told}{AGAIN}"
    assert refused(path) == told
    with pytest.raises(BadCheckpoint) as error:
        run.learner.fit(data(), epochs=3, checkpoint=path, resume=True, progress=False)
    assert str(error.value) == told


def data():
    return np.zeros((8, 4), np.float32), np.zeros((8, 3), np.float32)


HISTORIES = {
    "text": ("ab", "its entry 'history' must be a list of reports, got 'ab'"),
    "numbers": ((1.0, {}), "its entry 'history' is damaged: the report on epoch 1 must be a dict of numbers by name, got 1.0"),
    "truth": (({}, {"loss": True}), "its entry 'history' is damaged: 'loss' in the report on epoch 2 must be a number, got True"),
    "too large": (
        ({"loss": 10**400},),
        "its entry 'history' is damaged: 'loss' in the report on epoch 1 must be a number, got 1" + "0" * 58 + "…",
    ),
    "no name": (({3: 1.0},), "its entry 'history' is damaged: each name in the report on epoch 1 must be text, got 3"),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_reports_of_numbers(name, path, run):
    value, told = HISTORIES[name]
    run.save(path)
    forged(path, said(history=value))
    assert refused(path) == f"'{path}' cannot be read: {told}{AGAIN}"


def test_values_are_objects_by_name(path, run):
    run.save(path)
    forged(path, said(values={"a": 3}))
    assert refused(path) == f"'{path}' cannot be read: its entry 'values' says of 'a' what is no object: 3{AGAIN}"
    run.save(path)
    forged(path, said(others=(1,)))
    assert refused(path) == f"'{path}' cannot be read: its entry 'others' must be a dict by name, got (1,){AGAIN}"


def test_the_values_of_the_best_epoch_are_the_learners(path, run):
    stopped = lg.load(saved(path, run))
    assert stopped.kept is not None and stopped.kept.epoch == 1
    forged(path, said(position={**run.position, "ended": False}))
    told = f"it has values of the best epoch, and its entry 'best_epoch' is missing{AGAIN}"
    assert refused(path) == f"'{path}' holds no learner that can be trained: {told}"


def saved(path, run):
    """A checkpoint of a run that goes on, with values of its best epoch."""
    from lensgrad.files import checkpoint

    best = {f"best:{name}": v for name, v in run.values.items()}
    position = {**run.position, "best_epoch": 1, "ended": False}
    checkpoint.save(path, run.learner, {**run.values, **best}, history=run.history, position=position)
    return path


def test_a_damaged_learner_is_told_from_a_damaged_run(path, run):
    run.save(path)
    forged(path, lambda facts: facts["learner"].pop("root"), told=False)
    shape = "this is no arrow or learner as lensgrad writes them: format, bodies and root are expected"
    assert refused(path) == f"'{path}' cannot be read: its entry 'learner' is damaged: {shape}{AGAIN}"
    run.save(path)
    forged(path, lambda facts: facts["run"].pop("root"))
    assert refused(path) == f"'{path}' cannot be read: its entry 'run' is damaged: {shape}{AGAIN}"


def test_a_run_that_went_wrong_is_read(path, run):
    """Numbers of a history may be infinite or none: they were written so."""
    run.save(path)
    forged(path, said(history=({"loss": float("nan")}, {"loss": float("inf")})))
    assert str(lg.load(path).history) == "({'loss': nan}, {'loss': inf})"
