"""A run that is killed, interrupted or continued is the run that was not, to the last bit."""

import pytest
from going_on import Stop, X, Y, after, fail, fit, learner, same

import lensgrad as lg
from tools import kills

# -- killed ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_happened(backend):
    if backend == "jax":
        pytest.importorskip("jax", reason="this is about the JAX backend")
    equal, moments = kills.killed(5 if backend == "numpy" else 1, backend)
    assert equal, moments


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("batches", [1, 2, 4, 6, 7, 11, 12])
def test_a_run_goes_on_from_its_last_checkpoint(tmp_path, steps, batches):
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        fit(after(batches, fail), checkpoint=lg.checkpoint(path, steps=steps))
    same(fit(checkpoint=path, resume=True), fit())


def test_a_checkpoint_is_written_every_so_many_epochs_and_at_the_end(tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        fit(after(9, fail), checkpoint=lg.checkpoint(path, epochs=2))
    assert lg.load(path).position["epoch"] == 2
    fit(epochs=3, checkpoint=lg.checkpoint(path, epochs=2))
    assert lg.load(path).position["epoch"] == 3


def test_a_finished_run_is_given_back_as_it_was(tmp_path):
    path = tmp_path / "run.safetensors"
    whole = fit(checkpoint=path)
    data = after(1, fail)
    same(fit(data, checkpoint=path, resume=True), whole)
    assert lg.load(path).seconds == whole.seconds


def test_a_run_may_go_on_for_more_epochs_than_it_was_written_for(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(epochs=2, checkpoint=path)
    same(fit(epochs=4, checkpoint=path, resume=True), fit(epochs=4))


def test_without_a_file_a_run_starts_anew(tmp_path):
    same(fit(checkpoint=tmp_path / "none", resume=True), fit())


@pytest.mark.parametrize("batches", [1, 4, 7, 12])
def test_early_stopping_goes_on_with_what_it_knew(tmp_path, batches):
    """Values that get worse: the best epoch lies before the checkpoint, and its values are in it."""
    made = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.momentum(0.95), 0.5)
    path = tmp_path / "run.safetensors"
    how = {"epochs": 9, "batch_size": 8, "validation_data": (X[:6], Y[:6]), "progress": False}
    how["early_stopping"] = lg.early_stopping(patience=3)
    whole = made.fit((X, Y), **how)
    assert whole.best_epoch < len(whole.history) < 9
    with pytest.raises(Stop):
        made.fit(after(batches, fail), checkpoint=lg.checkpoint(path, steps=1), **how)
    same(made.fit((X, Y), checkpoint=path, resume=True, **how), whole)
    same(made.fit((X, Y), checkpoint=path, resume=True, **how), whole)


# -- continued ---------------------------------------------------------------------------------------------------------


def test_a_run_trains_on_as_one_longer_run():
    same(fit(epochs=1).fit((X, Y), epochs=3, progress=False), fit(epochs=4))


def test_a_saved_run_trains_on_too(tmp_path):
    fit(epochs=2).save(tmp_path / "run.safetensors")
    same(lg.load(tmp_path / "run.safetensors").fit((X, Y), epochs=2, progress=False), fit(epochs=4))


def test_a_run_may_train_on_in_another_way():
    run = fit(epochs=1)
    more = run.fit((X, Y), epochs=1, batch_size=24, shuffle=False, progress=False)
    alone = learner().fit((X, Y), epochs=1, batch_size=24, shuffle=False, start=run.values, progress=False)
    assert more.history == (*run.history, *alone.history)
