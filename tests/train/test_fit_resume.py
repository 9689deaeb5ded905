"""A run that is killed, interrupted or continued is the run that was not, to the last bit."""

import errno
import signal
import threading
from functools import cache

import numpy as np
import pytest
from numerics import reals

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, LensgradWarning
from lensgrad.files import place
from lensgrad.train.interrupt import Interrupt
from tools import kills

X, Y = reals(0, (24, 4), (24, 2))


@cache
def learner(outputs=2):
    model = lg.sequential(lg.input(4, dtype="float64"), lg.dense(5, activation="tanh"), lg.dropout(0.3), lg.dense(outputs))
    return lg.supervised(model, lg.half_squared_error, lg.adam(0.01))


def fit(data=(X, Y), made=None, **how):
    return (made or learner()).fit(data, progress=False, **{"batch_size": 8, "epochs": 4, **how})


def same(a, b):
    assert kills.same(a, b), (a.history, b.history)


def after(batches, act, data=(X, Y)):
    """Data that does something when so many batches were read."""
    left = [batches]

    def change(batch, _):
        left[0] -= 1
        if not left[0]:
            act()
        return batch

    return lg.data.transform(data, change)


def press():
    signal.raise_signal(signal.SIGINT)


class Stop(Exception):
    pass


def fail():
    raise Stop


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


AGAIN = 'give the same, start a new run, or go on all the same with resume="anyway"'


def test_a_checkpoint_of_another_order_or_size_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(epochs=1, checkpoint=path)
    more = {"data": (X[:16], Y[:16])}, {"sample_weight": np.ones(24)}
    for told, how in {
        "seed was 0 in the file and is 1 now": {"seed": 1},
        "shuffling was True in the file and is False now": {"shuffle": False},
        "the number of examples was 24 in the file and is 16 now": more[0],
        "the weighting of examples was none in the file and is sample_weight=[1.0, 1.0, 1.0, 1.0,… (2b000011) now": more[1],
        "seed was 0 in the file and is 2 now, shuffling was True in the file and is False now": {"seed": 2, "shuffle": False},
    }.items():
        with pytest.raises(BadCheckpoint) as error:
            fit(checkpoint=path, resume=True, **how)
        assert str(error.value) == f"'{path}' is a checkpoint of another run: {told}; {AGAIN}"


def test_what_may_change_on_purpose_goes_on_and_is_said_once(tmp_path):
    path = tmp_path / "run.safetensors"
    plain = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.sgd(0.1))
    first = fit(epochs=1, checkpoint=path, made=plain)
    for told, how in {
        "batch_size was 8 in the file and is 12 now": {"batch_size": 12},
        "accumulate was 1 in the file and is 2 now": {"accumulate": 2},
        "the optimizer was sgd(0.1) in the file and is sgd(0.2) now": {"made": lg.supervised(plain.model, lg.mse, lg.sgd(0.2))},
    }.items():
        first.save(path)
        with pytest.warns(LensgradWarning) as notes:
            run = fit(checkpoint=path, resume=True, **{"made": plain, **how})
        assert [str(n.message) for n in notes] == [f"going on from '{path}', though {told}"]
        assert notes[0].filename == __file__
        alone = fit(start=first.values, **{"made": plain, **how, "epochs": 4, "after": first})
        assert len(run.history) == 4 and run.history[1:] == alone.history[1:4]


def test_with_a_bar_the_note_is_said_there(tmp_path, capsys):
    path = tmp_path / "run.safetensors"
    fit(epochs=1, checkpoint=path)
    learner().fit((X, Y), epochs=2, batch_size=12, checkpoint=path, resume=True)
    assert capsys.readouterr().out.splitlines()[0] == f"going on from '{path}', though batch_size was 8 in the file and is 12 now"


def test_within_an_epoch_the_batches_bind(tmp_path):
    path = tmp_path / "run.safetensors"
    run = fit(after(2, press), checkpoint=path)
    assert run.position["batch"] == 2
    with pytest.raises(BadCheckpoint) as error:
        fit(checkpoint=path, resume=True, batch_size=4)
    assert str(error.value) == f"'{path}' is a checkpoint of another run: batch_size was 8 in the file and is 4 now; {AGAIN}"
    for how in ({"batch_size": 4}, {"data": (X[:16], Y[:16])}, {"seed": 1}):
        with pytest.raises(
            BadValue, match=r"^this run stopped within an epoch, and its batches are other ones now: .* in this run and is "
        ):
            run.fit(**{"data": (X, Y), "progress": False, **how})
    with pytest.warns(LensgradWarning, match=r"batch_size was 8 in the file and is 4 now, its last epoch is begun again$"):
        again = fit(checkpoint=path, resume="anyway", batch_size=4)
    alone = fit(start=run.values, batch_size=4)
    assert again.history == alone.history and all(kills.bits(again.values[n]) == kills.bits(v) for n, v in alone.values.items())


def model(activation="tanh", width=5, share=0.3, names=("a", "b"), **how):
    layers = lg.dense(width, activation=activation, name=names[0]), lg.dropout(share, name="drop"), lg.dense(2, name=names[1], **how)
    return lg.sequential(lg.input(4, dtype="float64"), *layers)


OTHERS = {
    '"a" has Tanh in the file and "relu" now': lambda: (model("relu"), lg.mse, lg.adam(0.01)),
    'the dropout rate of "drop" was 0.3 in the file and is 0.9 now': lambda: (model(share=0.9), lg.mse, lg.adam(0.01)),
    "the optimizer was adam(0.01) in the file and is adamw(0.01) now": lambda: (model(), lg.mse, lg.adamw(0.01)),
    "the optimizer was adam(0.01) in the file and is sgd(0.01) now": lambda: (model(), lg.mse, lg.sgd(0.01)),
    "the loss was mse in the file and is huber now": lambda: (model(), lg.huber, lg.adam(0.01)),
}


@pytest.mark.parametrize("told", OTHERS)
def test_a_checkpoint_of_another_learner_is_refused_and_what_differs_is_named(told, tmp_path):
    path = tmp_path / "run.safetensors"
    made, other = lg.supervised(model(), lg.mse, lg.adam(0.01)), lg.supervised(*OTHERS[told]())
    run = fit(epochs=1, checkpoint=path, made=made)
    with pytest.raises(BadCheckpoint) as error:
        fit(checkpoint=path, resume=True, made=other)
    assert str(error.value) == f"'{path}' is a checkpoint of another run: {told}; {AGAIN}"
    with pytest.warns(LensgradWarning) as notes:
        more = fit(checkpoint=path, resume="anyway", made=other)
    assert str(notes[0].message).startswith(f"going on from '{path}', though {told}") and len(more.history) == 4
    assert more.history[0] == run.history[0] and more.learner is other


def test_anyway_takes_the_values_that_fit_and_says_which_begin_anew(tmp_path):
    path = tmp_path / "run.safetensors"
    made, other = (lg.supervised(model(), lg.mse, how) for how in (lg.sgd(0.01), lg.momentum(0.9)))
    run = fit(epochs=1, checkpoint=path, made=made)
    with pytest.warns(LensgradWarning, match=r"a/weight.velocity, a/bias.velocity, b/weight.velocity, b/bias.velocity begin anew$"):
        more = fit(epochs=1, checkpoint=path, resume="anyway", made=other)
    assert all((more.values[n] == v).all() for n, v in run.weights.items()) and not more.values["a/bias.velocity"].any()


@pytest.mark.parametrize("wrong", [1, None, "yes", "Anyway"])
def test_resume_is_one_of_three(wrong, tmp_path):
    with pytest.raises(BadValue) as error:
        fit(checkpoint=tmp_path / "a", resume=wrong)
    assert str(error.value) == f"resume must be True, False or 'anyway', got {wrong!r}"


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(epochs=1, checkpoint=path)
    with pytest.raises(BadCheckpoint) as error:
        learner(3).fit((X, Y[:, [0, 1, 1]]), progress=False, checkpoint=path, resume=True)
    assert str(error.value).startswith(f"'{path}' is a checkpoint of another learner: ")
    assert "'weight.1' is f64[2,5] in the file and f64[3,5] here, " in str(error.value)


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
