"""Where a run stands, as a file says it."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint
from lensgrad.files import checkpoint

X, Y = np.arange(24, dtype=np.float32).reshape(8, 3) / 24, np.arange(8) % 2


@pytest.fixture(scope="module")
def run():
    model = lg.sequential(lg.input(3), lg.dense(2))
    return lg.supervised(model, lg.cross_entropy, lg.sgd(0.1)).fit((X, Y), batch_size=4, progress=False)


WHOLE = "must be a whole number from"
TOLD = [
    ("epoch", "two", f"{WHOLE} 0 to 2^53 - 1, got 'two'"),
    ("batch_size", 2.5, f"{WHOLE} 1 to 2^53 - 1, got 2.5"),
    ("shuffle", 1, "must be True or False, got 1"),
]


@pytest.mark.parametrize(("name", "value", "told"), TOLD)
def test_a_position_of_other_types_is_refused(tmp_path, run, name, value, told):
    path = tmp_path / "bad.safetensors"
    checkpoint.save(path, run.learner, run.values, position={**run.position, name: value})
    with pytest.raises(BadCheckpoint) as refused:
        lg.load(path)
    assert str(refused.value) == f"'{path}' is damaged: the entry '{name}' {told}; take another copy of the file, or train again"


def test_a_position_comes_back_and_goes_on(tmp_path, run):
    run.save(tmp_path / "run.safetensors")
    again = lg.load(tmp_path / "run.safetensors")
    assert again.position == run.position
    here, there = (r.fit((X, Y), epochs=2, progress=False) for r in (run, again))
    assert here.position == there.position and here.position["batch_size"] == 4 and here.position["epoch"] == 3
    assert all(np.array_equal(here.values[n], there.values[n]) for n in here.values)


def test_a_run_of_a_file_without_a_position_begins_with_what_fit_takes(tmp_path, run):
    path = tmp_path / "bare.safetensors"
    checkpoint.save(path, run.learner, run.values)
    assert lg.load(path).position == {"epoch": 0, "batch": 0, "examples": 0, "totals": {}}
    assert lg.load(path).fit((X, Y), progress=False).position["batch_size"] == 32


def test_a_run_that_says_no_more_stands_at_the_end_of_its_history(tmp_path, run):
    bare = lg.Run(run.learner, run.values, run.history)
    assert bare.position == {"epoch": 1, "batch": 0, "examples": 0, "totals": {}}
    checkpoint.save(tmp_path / "bare.safetensors", run.learner, run.values, history=run.history)
    assert lg.load(tmp_path / "bare.safetensors").position == bare.position
    more = bare.fit((X, Y), batch_size=4, progress=False)
    whole = run.learner.fit((X, Y), epochs=2, batch_size=4, progress=False)
    again = run.learner.fit((X, Y), epochs=2, batch_size=4, checkpoint=tmp_path / "bare.safetensors", resume=True, progress=False)
    for found in (more, again):
        assert found.history == whole.history and found.position == whole.position
