"""Ctrl-C, full disks and early stopping: a run that did not come to its end is kept and goes on."""

import errno
import signal
import threading
from functools import cache

import numpy as np
import pytest
from going_on import X, Y, after, fail, fit, learner, press, same

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, LensgradWarning
from lensgrad.files import place
from lensgrad.train.interrupt import Interrupt
from tools import kills

# -- interrupted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batches", [1, 3, 5, 12])
def test_ctrl_c_gives_the_run_so_far_and_it_goes_on(tmp_path, batches):
    handler, path = signal.getsignal(signal.SIGINT), tmp_path / "run.safetensors"
    run = fit(after(batches, press), checkpoint=path)
    assert run.interrupted and signal.getsignal(signal.SIGINT) is handler
    assert (run.position["epoch"], run.position["batch"]) == ((batches - 1) // 3, (batches - 1) % 3 + 1)
    assert len(run.history) == (batches - 1) // 3
    same(fit(checkpoint=path, resume=True), fit())
    if batches < 12:
        same(run.fit((X, Y), epochs=4 - run.position["epoch"], progress=False), fit())


def test_a_run_that_was_stopped_in_its_first_epoch_says_what_it_has_and_what_it_is_for():
    run = fit(after(2, press))
    use = "it predicts as it is, and goes on with run.fit(data)"
    assert repr(run) == f"Run(2 steps of the first epoch: loss {run.position['totals']['loss'] / 16:.4g} so far, {use}; {run.learner!r})"
    assert run.summary().endswith(f"so far, {use}") and "2 steps of the first epoch" in run.summary()
    assert repr(fit(after(4, press))).startswith("Run(1 epoch: loss ")


def test_ctrl_c_while_validating_leaves_the_epoch_to_be_validated_again(tmp_path):
    path, held = tmp_path / "run.safetensors", (X[:6], Y[:6])
    run = fit(validation_data=after(2, press, held), checkpoint=path)
    assert run.interrupted and len(run.history) == 1 and (run.position["epoch"], run.position["batch"]) == (1, 3)
    same(fit(validation_data=held, checkpoint=path, resume=True), fit(validation_data=held))


def test_ctrl_c_in_a_callback_ends_the_run_after_the_epoch():
    class Press:
        def on_epoch(self, state):
            press()

    run = fit(callbacks=[Press()])
    assert run.interrupted and len(run.history) == 1
    assert run.values["weight.0"].tobytes() == fit(epochs=1).values["weight.0"].tobytes()


def test_the_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt), Interrupt() as asked:
        press()
        assert asked.asked
        press()
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_handler_that_ignores_ctrl_c_stays():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert not fit(after(2, press)).interrupted
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_a_run_leaves_signals_alone():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(fit()))
    thread.start()
    thread.join()
    same(runs[0], fit())


def test_ctrl_c_from_a_terminal_returns_the_run():
    assert kills.interrupted(25)[1] == "interrupted: True, epochs: 2"


def test_what_stopped_a_run_is_told(capsys):
    learner().fit(after(2, press), batch_size=8, epochs=4)
    assert capsys.readouterr().out == "stopped in epoch 1: this is the run so far\n"


def test_values_of_a_run_are_its_own():
    run = fit(epochs=1)
    kept = {n: np.array(v) for n, v in run.values.items()}
    run.fit((X, Y), epochs=2, progress=False)
    assert all((run.values[n] == v).all() for n, v in kept.items())


# -- lost work ---------------------------------------------------------------------------------------------------------


def filling(monkeypatch, writes):
    """A disk that is full after so many writes."""
    left, put = [writes], place.put

    def write(goal, raw):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(goal, raw)

    monkeypatch.setattr(place, "put", write)


def test_a_disk_that_fills_keeps_the_old_file_and_the_run(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    filling(monkeypatch, 2)
    with pytest.warns(LensgradWarning) as notes:
        run = fit(checkpoint=path)
    assert [str(n.message) for n in notes] == [
        f"'{path}' cannot be written: No space left on device: training goes on, and the checkpoint is tried again",
        f"the checkpoint could not be written to the end: this run is in memory only, and run.save('{path}') writes it",
    ]
    same(run, fit())
    assert len(lg.load(path).history) == 2


@pytest.mark.parametrize("name", ["file/a", "folder", "loop", "a\0b", "a\ud800b", "b" * 300])
def test_a_bad_path_is_refused_before_the_first_step(name, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadCheckpoint):
        fit(after(1, fail), checkpoint=tmp_path / name)


# -- early stopping in runs that go on ---------------------------------------------------------------------------------

WORSE = {
    "epochs": 9,
    "batch_size": 8,
    "validation_data": (X[:6], Y[:6]),
    "early_stopping": lg.early_stopping(patience=3),
    "progress": False,
}


@cache
def worsening():
    """Values that get worse: the best epoch lies before the end."""
    return lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.momentum(0.95), 0.5)


def test_a_run_goes_on_after_early_stopping_from_its_values_and_keeps_the_best():
    run = worsening().fit((X, Y), **WORSE)
    more = run.fit((X, Y), **WORSE)
    assert len(run.history) < len(more.history)
    best = min(
        range(len(more.history)), key=lambda k: more.history[k]["val_loss"] if k >= len(run.history) or k + 1 == run.best_epoch else 9e9
    )
    assert more.best_epoch == best + 1
    assert more.evaluate((X[:6], Y[:6]))["loss"] == pytest.approx(more.history[best]["val_loss"], rel=1e-12)


def test_a_run_that_goes_on_from_given_values_has_no_best_epoch_yet():
    run = worsening().fit((X, Y), **WORSE)
    far = {name: run.values[name] + 10.0 for name in run.weights}
    more = run.fit((X, Y), start=far, **{**WORSE, "epochs": 1})
    assert more.history[-1]["val_loss"] > max(report["val_loss"] for report in run.history)
    assert more.best_epoch == len(run.history) + 1
    assert all((more.values[name] != v).all() for name, v in far.items())


def test_the_checkpoint_of_an_early_stopped_run_has_its_best_values(tmp_path):
    path = tmp_path / "run.safetensors"
    run = worsening().fit((X, Y), checkpoint=path, **WORSE)
    found = lg.load(path)
    assert run.best_epoch < len(run.history) and not found.interrupted
    same(found, run)


@pytest.mark.parametrize("batches", [4, 7, 10])
def test_an_interrupted_run_goes_on_with_the_best_values_it_had(batches, tmp_path):
    path, whole = tmp_path / "run.safetensors", worsening().fit((X, Y), **WORSE)
    run = worsening().fit(after(batches, press), checkpoint=path, **WORSE)
    assert run.interrupted and run.best_epoch is None
    for found in (run, lg.load(path)):
        again = found.fit((X, Y), **{**WORSE, "epochs": 9 - len(run.history)})
        assert again.history == whole.history and again.best_epoch == whole.best_epoch
        assert all(kills.bits(again.values[n]) == kills.bits(v) for n, v in whole.values.items())
