"""Training in C: chosen by its work, said once, kept in the file, stopped by Ctrl-C, and told where numbers leave the finite ones."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.engine import Auto, Native, NumPy, backend
from lensgrad.backends.native import choice
from lensgrad.backends.native.compiler import compiler
from lensgrad.core.errors import BadValue, NoRule
from lensgrad.theories.smooth.pointwise import Exp
from lensgrad.train import evaluation

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C compiler")
NONE = "CC is empty, which says that there is no C compiler: unset it, or name one in it"
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 4)).astype("f4"), RNG.standard_normal((40, 3)).astype("f4")


def learner(*layers, **how):
    model = lg.sequential(lg.input(4), lg.dense(8, activation="tanh"), *layers, lg.dense(3))
    return lg.supervised(model, lg.mse, lg.adam(0.01), **how)


def fit(made=None, **how):
    return (made or learner()).fit((X, Y), **{"epochs": 3, "batch_size": 16, "progress": False, **how})


@pytest.fixture
def always(monkeypatch):
    """As if every program were worth it."""
    monkeypatch.setenv("LENSGRAD_COMPILE", "always")


@needs_compiler
def test_training_in_c_is_training_in_numpy():
    c, plain = fit(backend="native", validation_data=(X, Y)), fit(backend="numpy", validation_data=(X, Y))
    assert (c.ran_on, plain.ran_on) == ("native", "numpy")
    for name, value in c.values.items():
        np.testing.assert_allclose(value, plain.values[name], rtol=1e-4, atol=1e-5)
    for a, b in zip(c.history, plain.history, strict=True):
        assert a.keys() == b.keys() and all(abs(a[n] - b[n]) < 1e-5 for n in a)


@needs_compiler
def test_the_same_seed_repeats_a_run_in_c_exactly_and_parts_of_it_are_the_whole():
    whole, again = fit(epochs=4, backend="native"), fit(epochs=4, backend="native")
    parts = fit(epochs=1, backend="native").fit((X, Y), epochs=3, progress=False)
    for other in (again, parts):
        assert all(np.array_equal(whole.values[n], other.values[n]) for n in whole.values) and whole.history == other.history


# -- what is chosen ----------------------------------------------------------------------------------------------------


@needs_compiler
def test_work_decides(monkeypatch):
    monkeypatch.delenv("LENSGRAD_COMPILE")
    monkeypatch.setattr(choice, "NODE", 1e-4)
    monkeypatch.setattr(choice, "START", 0.0)
    f, asked = learner().step(16).diagram, []
    limit = choice.DOUBT * choice.compile_seconds(f) / choice.numpy_seconds(f)
    for epochs in (int(limit // 3), int(limit // 3) + 1):
        how = {"epochs": epochs, "backend": "auto"}
        asked.append(fit(**how).ran_on)
    assert asked == ["numpy", "native"]


def test_a_short_run_is_not_worth_compiling(monkeypatch):
    monkeypatch.delenv("LENSGRAD_COMPILE")
    assert fit().ran_on == "numpy"


@needs_compiler
def test_it_is_said_once_with_progress_and_not_without(always, capsys):
    run = fit(progress=True)
    assert run.ran_on == "native" and run.backend == "auto"
    assert capsys.readouterr().out.count("the step runs as C on 1 thread") == 1
    fit(progress=False)
    assert capsys.readouterr().out == ""


def test_without_a_compiler_it_is_numpy_with_a_line(always, capsys, monkeypatch):
    monkeypatch.setenv("CC", "")
    assert fit(progress=True).ran_on == "numpy"
    assert capsys.readouterr().out.count(f"{NONE}; this runs in NumPy\n") == 1
    with pytest.raises(NoRule) as error:
        fit(backend="native")
    assert str(error.value) == NONE


def test_what_c_has_no_meaning_of_is_named(always, capsys):
    model = lg.sequential(lg.input(4, dtype="float16"), lg.dense(3))
    made, data = lg.supervised(model, lg.mse, lg.sgd(0.1)), (X.astype("f2"), Y.astype("f2"))
    told = "has no meaning in the native backend: the NumPy backend has it"
    assert made.fit(data, progress=True).ran_on == "numpy"
    assert f"{told}; this runs in NumPy\n" in capsys.readouterr().out
    with pytest.raises(NoRule, match=told):
        made.fit(data, progress=False, backend="native")


def test_an_unknown_time_to_compile_is_refused(monkeypatch):
    monkeypatch.setenv("LENSGRAD_COMPILE", "sometimes")
    with pytest.raises(BadValue) as error:
        fit()
    assert str(error.value) == "LENSGRAD_COMPILE must be one of auto, always, never, got 'sometimes'"


def test_circuits_run_on_lanes_whatever_is_chosen():
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8)
    made = lg.supervised(lg.lookup(2), lg.xor, lg.ascent, rate=lg.echo)
    runs = [made.fit((bits, bits[:, :1] ^ bits[:, 1:]), progress=False, backend=b) for b in ("auto", "native", "numpy")]
    assert [r.ran_on for r in runs] == ["native", "native", "numpy"]
    assert len({r.values["table"].tobytes() for r in runs}) == 1


# -- a generator of one's own ------------------------------------------------------------------------------------------


@needs_compiler
def test_a_meaning_of_ones_own_is_numpy_with_a_line_until_c_has_one_too(capsys):
    own = Native().extended({Exp: "np.exp({0})  * 1.0"})
    made = learner(lambda x: lg.ops.exp(-x * x))
    assert fit(made, backend=own, progress=True).ran_on == "numpy"
    told = "Exp has a meaning in NumPy only, so this runs in NumPy: backend.in_c(…) gives it one in C\n"
    assert capsys.readouterr().out.count(told) == 1
    assert fit(made, backend=own.in_c({Exp: "exp_{t}({0}) * 1.0f"}), progress=True).ran_on == "native"
    assert fit(backend=own).ran_on == "native"  # where it does not occur


def test_backends_are_values():
    assert Auto() != Native() != NumPy() and Auto() == backend("auto") and hash(Native()) == hash(Native())
    assert Native().in_c({Exp: "{0}"}) != Native() and Auto().in_c({Exp: "{0}"}).compiled == Native().in_c({Exp: "{0}"})


# -- in its file -------------------------------------------------------------------------------------------------------


@needs_compiler
def test_a_file_says_what_ran_and_a_run_goes_on_there(tmp_path, always, monkeypatch):
    place = tmp_path / "run.safetensors"
    run = fit(checkpoint=place)
    run.save(tmp_path / "saved.safetensors")
    for file in (place, tmp_path / "saved.safetensors"):
        assert (lg.load(file).ran_on, lg.load(file).backend) == ("native", "auto")
    monkeypatch.delenv("LENSGRAD_COMPILE")
    resumed = fit(epochs=4, checkpoint=place, resume=True)
    assert resumed.ran_on == "native" and lg.load(tmp_path / "saved.safetensors").fit((X, Y), progress=False).ran_on == "native"
    whole = fit(epochs=4, backend="native")
    assert all(np.array_equal(whole.values[n], resumed.values[n]) for n in whole.values)


def test_a_run_that_was_in_numpy_goes_on_in_numpy(monkeypatch):
    monkeypatch.delenv("LENSGRAD_COMPILE")
    run = fit()
    monkeypatch.setattr(choice, "NODE", 1e9)
    assert run.fit((X, Y), progress=False).ran_on == "numpy"


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@needs_compiler
def test_numbers_that_leave_the_finite_ones_are_told_as_in_numpy():
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)), lg.mse, lg.sgd(1e30))
    told = []
    for name in ("native", "numpy"):
        with pytest.raises(BadValue) as error:
            made.fit((X, Y), epochs=3, batch_size=4, shuffle=False, progress=False, backend=name)
        told.append(str(error.value))
    assert told[0] == told[1] and "is not finite after step" in told[0]


@needs_compiler
def test_a_number_in_the_data_that_is_not_finite_is_told_with_its_step():
    def batches():
        for k in range(5):
            yield X[8 * k : 8 * k + 8] * (np.float32(np.nan) if k == 3 else 1), Y[8 * k : 8 * k + 8]

    told = []
    for name in ("native", "numpy"):
        with pytest.raises(BadValue) as error:
            learner().fit(batches, batch_size=8, progress=False, backend=name)
        told.append(str(error.value))
    assert told[0] == told[1] and told[0].startswith("'loss' is not finite after step 4 of epoch 1: 'x' holds a number that is not finite")


RUN = """
import numpy as np
import lensgrad as lg

x, y = np.zeros((1 << 20, 4), "f4"), np.zeros((1 << 20, 3), "f4")
learner = lg.supervised(lg.sequential(lg.input(4), lg.dense(64, activation="tanh"), lg.dense(3)), lg.mse, lg.adam(0.01))
steps, calls = learner.step(None, "native").iteration(("x", "y")), []
call = steps.call

def told(*args):
    calls.append(args)
    if len(calls) == 3:
        print("in C", flush=True)
    call(*args)

steps.call = told
run = learner.fit((x, y), epochs=1000, batch_size=None, shuffle=False, progress=False, backend="native")
print(run.interrupted, run.ran_on, run.position["epoch"], run.position["batch"], flush=True)
print(all(np.isfinite(v).all() for v in run.values.values()) and len(run.history) == run.position["epoch"])
"""


@needs_compiler
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_in_the_middle_of_an_epoch_gives_the_run_so_far():
    """The program is in C when the signal comes; all of a thousand epochs of a million steps would take half an hour."""
    child = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, env={**os.environ, "LENSGRAD_THREADS": "2"})
    assert child.stdout.readline() == "in C\n"
    child.send_signal(signal.SIGINT)
    interrupted, ran_on, epoch, batch = child.stdout.readline().split()
    assert (interrupted, ran_on) == ("True", "native") and int(epoch) < 100 and 0 < int(batch) < 1 << 20
    assert child.stdout.readline() == "True\n" and child.wait() == 0
    child.stdout.close()


@needs_compiler
def test_a_table_of_what_was_run_shows_it(tmp_path, capsys):
    from lensgrad.cli import main

    place = tmp_path / "run.safetensors"
    fit(backend="native").save(place)
    assert main(["show", str(place)]) == 0
    assert "3 epochs on native: loss" in capsys.readouterr().out


# -- several epochs at once --------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("how", [{"batch_size": 8}, {"batch_size": None}, {"batch_size": 40}, {"batch_size": 8, "shuffle": False}])
def test_short_epochs_that_are_taken_together_are_the_same(how):
    """Who watches each epoch makes them go one by one."""
    made = learner()
    alone = fit(made, epochs=7, backend="native", callbacks=[lambda epoch, report: None], **how)
    whole = fit(made, epochs=7, backend="native", **how)
    assert whole.history == alone.history and len(whole.seconds) == 7
    assert whole.position == alone.position
    assert all(np.array_equal(whole.values[n], alone.values[n]) for n in whole.values)


@needs_compiler
def test_epochs_are_taken_together_where_nobody_looks(monkeypatch):
    from lensgrad.train import fit as module

    taken, epochs = [], module.epochs
    monkeypatch.setattr(module, "epochs", lambda *args: taken.append(epochs(*args)) or taken[-1])
    fit(epochs=5, batch_size=8, backend="native")
    assert [s.epoch for s in taken] == [5]
    taken.clear()
    fit(epochs=5, batch_size=16, backend="native")  # a short last batch is another program
    assert taken == [None] * 5
    fit(epochs=5, batch_size=8, backend="native", validation_data=(X, Y))
    assert taken == [None] * 5


@needs_compiler
def test_a_number_that_is_not_finite_is_found_in_its_own_epoch():
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)), lg.mse, lg.sgd(20.0))
    told = []
    for callbacks in ([], [lambda epoch, report: None]):
        with pytest.raises(BadValue) as error:
            made.fit((X, Y), epochs=50, batch_size=8, progress=False, backend="native", callbacks=callbacks)
        told.append(str(error.value))
    assert told[0] == told[1] and "of epoch 1:" not in told[0]


@needs_compiler
def test_predictions_run_where_they_are_asked_to(monkeypatch):
    monkeypatch.delenv("LENSGRAD_COMPILE", raising=False)
    run, asked = fit(), []
    monkeypatch.setattr(evaluation, "answering", lambda make, n, backend, times: asked.append(backend) or backend)
    np.testing.assert_allclose(run.predict(X[:3], backend="native"), run.predict(X[:3]), rtol=1e-5, atol=1e-6)
    assert asked == ["auto"]


@needs_compiler
def test_evaluations_run_where_they_are_asked_to(monkeypatch):
    monkeypatch.delenv("LENSGRAD_COMPILE", raising=False)
    run, asked = fit(learner(metrics=["r2"])), []
    monkeypatch.setattr(evaluation, "answering", lambda make, n, backend, times: asked.append(backend) or backend)
    found = run.evaluate(X[:3], Y[:3], backend="native")
    assert not asked and found == pytest.approx(run.evaluate(X[:3], Y[:3]), rel=1e-5)
    assert asked == ["auto", "auto"]  # for the loss, and for what metrics read


def test_an_evaluation_that_cannot_run_where_it_is_asked_to_says_so(monkeypatch):
    run = fit(backend="numpy")
    monkeypatch.setenv("CC", "")
    with pytest.raises(NoRule) as error:
        run.evaluate(X, Y, backend="native")
    assert str(error.value) == NONE
    with pytest.raises(BadValue, match="'abacus' is no backend here"):
        run.evaluate(X, Y, backend="abacus")


@pytest.mark.parametrize("words", [["evaluate", "iris"], ["predict", "x.csv"]])
def test_a_backend_that_the_command_line_names_is_asked_for(tmp_path, capsys, monkeypatch, words):
    """A run that trained in C answers few rows in NumPy; who names C gets it, or hears why not."""
    from lensgrad.cli import main

    monkeypatch.chdir(tmp_path)
    made = lg.supervised(
        lg.sequential(lg.input(4), lg.dense(3)), lg.cross_entropy("y", labels="probabilities"), lg.sgd(0.1), metrics=["accuracy"]
    )
    made.fit((X, np.eye(3, dtype="f4")[np.arange(40) % 3]), progress=False).save("run.safetensors")
    np.savetxt("x.csv", X[:2], delimiter=",")
    monkeypatch.setenv("CC", "")
    assert main([words[0], "run.safetensors", words[1], "--backend", "native"]) != 0
    assert NONE in " ".join(capsys.readouterr().err.split())
