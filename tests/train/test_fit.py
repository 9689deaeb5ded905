"""fit: validation, early stopping, checkpoints, logs and callbacks around the loop; what is refused, in full texts."""

import csv
import sys
import types
from functools import cache

import numpy as np
import pytest
from numerics import reals

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, MissingExtra, UnknownParameter
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty

X, Y = reals(0, (24, 4), (24, 2))
CLASSES = np.arange(24) % 3


@cache
def learner(size=0.05, optimizer=None, **how):
    model = lg.dense(4, 5, activation="tanh", name="enc", dtype="float64") >> lg.dense(5, 2, name="head", dtype="float64")
    return lg.supervised(model, lg.half_squared_error, optimizer or lg.momentum(0.9), size, **how)


@cache
def classifier(**how):
    return lg.supervised(lg.dense(4, 3, dtype="float64"), lg.cross_entropy, lg.sgd(0.1), metrics=["accuracy"], **how)


def fit(data=(X, Y), made=None, **how):
    return (made or learner()).fit(data, progress=False, **{"batch_size": 8, **how})


def same(a, b):
    assert list(a.values) == list(b.values)
    for name, value in a.values.items():
        assert value.tobytes() == b.values[name].tobytes(), name
    assert a.history == b.history


# -- validation --------------------------------------------------------------------------------------------------------


def test_an_epoch_reports_what_evaluate_gives_after_it():
    held = X[:5], Y[:5]
    one, two = fit(epochs=1, validation_data=held), fit(epochs=2, validation_data=held)
    assert [list(r) for r in two.history] == [["loss", "val_loss"]] * 2
    assert [r["val_loss"] for r in two.history] == pytest.approx([one.evaluate(held)["loss"], two.evaluate(held)["loss"]], rel=1e-14)
    same(fit(epochs=2), lg.Run(two.learner, two.values, tuple({"loss": r["loss"]} for r in two.history)))


def test_a_share_of_the_data_may_be_held_for_validation():
    first, second = lg.data.split((X, CLASSES), 0.25, seed=4)
    run = fit((X, CLASSES), classifier(), epochs=2, validation_split=0.25, seed=4)
    same(run, fit(first, classifier(), epochs=2, validation_data=second, seed=4))
    assert len(second[0]) == 6


def test_validation_data_may_be_a_source_of_batches():
    parts = [{"x": X[:3], "y": Y[:3]}, {"x": X[3:5], "y": Y[3:5]}]
    run = fit(validation_data=parts)
    assert run.history[0]["val_loss"] == pytest.approx(run.evaluate((X[:5], Y[:5]))["loss"], rel=1e-14)


def test_training_data_may_be_a_source_of_batches():
    parts = [{"x": X[i : i + 8], "y": Y[i : i + 8]} for i in (0, 8, 16)]
    same(fit(parts, epochs=3), fit(epochs=3, shuffle=False))


def test_seconds_are_counted_for_each_epoch():
    assert len(fit(epochs=3).seconds) == 3 and all(s > 0 for s in fit(epochs=1).seconds)


# -- early stopping ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diverging():
    """A rate that is too large: validation gets better for a while, and then worse."""
    made = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.momentum(0.95), 0.3)
    return fit(made=made, epochs=40, validation_data=(X[:6], Y[:6]))


def test_early_stopping_gives_the_best_epoch_and_says_which(diverging):
    losses = [r["val_loss"] for r in diverging.history]
    stops = next(e for e in range(1, 41) if e - (1 + int(np.argmin(losses[:e]))) >= 3)
    run = fit(made=diverging.learner, epochs=40, validation_data=(X[:6], Y[:6]), early_stopping=lg.early_stopping("val_loss", patience=3))
    assert len(run.history) == stops < 40 and run.best_epoch == 1 + int(np.argmin(losses[:stops])) < stops
    assert run.history == diverging.history[:stops]
    best = fit(made=diverging.learner, epochs=run.best_epoch, validation_data=(X[:6], Y[:6]))
    same(best, lg.Run(run.learner, run.values, run.history[: run.best_epoch]))


def test_a_run_that_ends_before_it_is_stopped_has_the_best_values_too():
    made = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.descent, 3.0)
    run = fit(made=made, epochs=4, early_stopping=lg.early_stopping("loss", patience=10))
    assert len(run.history) == 4 and run.best_epoch == 1
    same(fit(made=made, epochs=1), lg.Run(run.learner, run.values, run.history[:1]))


@pytest.mark.parametrize(
    ("rule", "reports", "best"),
    [
        (lg.early_stopping("loss"), [3.0, 2.0, 2.0, 1.5], 4),
        (lg.early_stopping("loss", min_delta=0.6), [3.0, 2.0, 2.0, 1.5], 2),
        (lg.early_stopping("val_accuracy"), [0.1, 0.3, 0.2], 2),
        (lg.early_stopping("size/mae"), [3.0, 1.0, 2.0], 2),
        (lg.early_stopping("x", mode="min"), [1.0, 2.0, 0.0], 3),
        (lg.early_stopping("loss"), [float("nan"), 2.0], 2),
        (lg.early_stopping("loss"), [], 0),
    ],
)
def test_the_best_epoch(rule, reports, best):
    assert rule.best([{rule.monitor: v} for v in reports]) == best


def test_early_stopping_refuses_what_is_not_reported():
    with pytest.raises(UnknownParameter) as error:
        fit(early_stopping=lg.early_stopping("accuracy"))
    assert str(error.value) == "early stopping watches 'accuracy', and an epoch reports loss"


# -- callbacks and logs ------------------------------------------------------------------------------------------------


class Watch:
    def __init__(self, end=99):
        self.end, self.seen, self.closed = end, [], 0

    def on_epoch(self, state):
        self.seen.append((state.epoch, state.report, state.values))
        return state.epoch == self.end

    def close(self):
        self.closed += 1


def test_callbacks_see_every_epoch_and_may_end_the_run():
    watch = Watch(2)
    run = fit(epochs=9, callbacks=[watch])
    assert [e for e, _, _ in watch.seen] == [1, 2] and watch.closed == 1
    assert run.history == tuple(r for _, r, _ in watch.seen)
    same(run, lg.Run(run.learner, watch.seen[-1][2], run.history))
    same(run, fit(epochs=2))


CALLBACKS = "functions of (epoch, report), or objects with a method on_epoch(state)"


def test_a_function_is_told_epoch_and_report_and_may_end_the_run():
    seen = []
    run = fit(epochs=9, callbacks=[lambda epoch, report: seen.append((epoch, report)), lambda epoch, report: epoch == 2])
    assert seen == [(1, run.history[0]), (2, run.history[1])]
    same(run, fit(epochs=2))
    run = fit(epochs=2, callbacks=[lambda epoch, report: report.clear()])  # what it is given is its own
    assert run.history == fit(epochs=2).history


def test_callbacks_are_closed_when_training_fails():
    class Failing(Watch):
        def on_epoch(self, state):
            raise RuntimeError("no")

    watch = Failing()
    with pytest.raises(RuntimeError):
        fit(callbacks=[watch])
    assert watch.closed == 1


def test_a_csv_log_has_a_row_for_each_epoch(tmp_path):
    path = tmp_path / "log.csv"
    run = fit(epochs=3, validation_data=(X[:5], Y[:5]), log=path)
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "loss", "val_loss", "seconds"]
    assert [int(r["epoch"]) for r in rows] == [1, 2, 3]
    assert [(float(r["loss"]), float(r["val_loss"])) for r in rows] == [(r["loss"], r["val_loss"]) for r in run.history]
    run.fit((X, Y), epochs=1, validation_data=(X[:5], Y[:5]), log=path, progress=False)
    with open(path, newline="", encoding="utf-8") as file:
        assert [int(r["epoch"]) for r in csv.DictReader(file)] == [1, 2, 3, 4]


def test_a_folder_is_a_log_for_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra) as error:
        fit(log=tmp_path / "events")
    assert str(error.value) == "event files need TensorBoard, which is not installed: pip install 'lensgrad[tensorboard]'"


def test_tensorboard_gets_every_number_of_every_epoch(tmp_path, monkeypatch):
    """A stand-in for the package's writer notes what it is given."""
    noted = []

    class Writer:
        def __init__(self, folder):
            noted.append(folder)

        def add_event(self, event):
            noted.extend((event["step"], v["tag"], v["simple_value"]) for v in event["summary"]["value"])

        def flush(self):
            pass

        def close(self):
            noted.append("closed")

    def summary(value):
        return {"value": value}

    summary.Value = dict
    parts = {
        "compat.proto.event_pb2": {"Event": dict}, "compat.proto.summary_pb2": {"Summary": summary},
        "summary.writer.event_file_writer": {"EventFileWriter": Writer},
    }  # fmt: skip
    for name, contents in parts.items():
        module = types.ModuleType(name)
        vars(module).update(contents)
        path = f"tensorboard.{name}".split(".")
        for k in range(1, len(path)):
            monkeypatch.setitem(sys.modules, ".".join(path[:k]), types.ModuleType(path[k - 1]))
        monkeypatch.setitem(sys.modules, ".".join(path), module)
    run = fit(epochs=2, log=tmp_path / "events")
    assert noted[0] == str(tmp_path / "events") and noted[-1] == "closed"
    assert [n for n in noted if n[1] == "loss"] == [(1, "loss", run.history[0]["loss"]), (2, "loss", run.history[1]["loss"])]


def test_tensorboard_reads_the_files_that_are_written(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is an extra")
    run = fit(epochs=3, log=tmp_path)
    found = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(k, np.float32(r["loss"])) for k, r in enumerate(run.history, 1)]


# -- several inputs and outputs ----------------------------------------------------------------------------------------


def forked():
    f64 = {"dtype": "float64"}
    inner = lg.dense(4, 3, name="a", **f64) @ lg.dense(2, 3, name="b", **f64)
    add = trace(lambda a, b: (a + b, a - b), lg.Real(3, **f64), lg.Real(3, **f64))
    return inner >> add


DATA = {"left": X, "right": Y, "kind": CLASSES, "size": reals(5, (24, 3))[0]}
LOSSES = {"kind": lg.cross_entropy, "size": lg.mse}


def test_a_model_of_several_inputs_and_outputs_takes_and_gives_dicts():
    shares = {"size": 0.5}
    names = ("left", "right")
    made = lg.supervised(forked(), LOSSES, lg.sgd(0.1), metrics=["kind/accuracy", "size/mae"], input=names, loss_weights=shares)
    run = fit(DATA, made, epochs=2, validation_data=DATA)
    w, u = (run.values[f"{n}/weight"] for n in "ab")
    left, right = X @ w.T + run.values["a/bias"], Y @ u.T + run.values["b/bias"]
    found = run.predict({"left": X, "right": Y})
    assert list(found) == ["kind", "size"]
    np.testing.assert_allclose(found["kind"], left + right, rtol=1e-12)
    np.testing.assert_allclose(found["size"], left - right, rtol=1e-12, atol=1e-14)
    report = run.evaluate(DATA)
    assert list(report) == ["kind/loss", "kind/accuracy", "size/loss", "loss", "size/mae"]
    assert report["loss"] == pytest.approx(report["kind/loss"] + 0.5 * report["size/loss"], rel=1e-13)
    assert report["size/mae"] == pytest.approx(np.abs(found["size"] - DATA["size"]).mean(), rel=1e-13)
    assert run.history[-1]["val_loss"] == pytest.approx(report["loss"], rel=1e-13)
    same(run, fit(tuple(DATA[n] for n in ("left", "right", "kind", "size")), made, epochs=2, validation_data=DATA))


def test_a_model_of_several_outputs_is_saved_with_their_names(tmp_path):
    made = lg.supervised(forked(), LOSSES, lg.sgd(0.1), metrics=["kind/f1"], input=("left", "right"))
    run = fit(DATA, made)
    run.save(tmp_path / "run.safetensors")
    found = lg.load(tmp_path / "run.safetensors")
    same(found, run)
    assert found.evaluate(DATA) == run.evaluate(DATA) and found.seconds == run.seconds
    assert list(found.predict({"left": X, "right": Y})) == ["kind", "size"]


# -- refusals ----------------------------------------------------------------------------------------------------------

STREAM = [{"x": X, "y": Y}]
HINT = "give validation_data or validation_split"
REFUSED = [
    (lambda: fit(validation_split=1.0), "validation_split must be a fraction from 0 up to, but not including, 1, got 1.0"),
    (lambda: fit(validation_split=0.2, validation_data=(X, Y)),
     "validation_data and validation_split are two ways to say the same: give one of them"),
    (lambda: fit(STREAM, validation_split=0.2), "validation_split divides arrays, and this is a source of batches: give validation_data"),
    (lambda: fit(early_stopping=3), "early_stopping must be lg.early_stopping(…), got 3"),
    (lambda: fit(early_stopping=lg.early_stopping()), f"early stopping watches 'val_loss', and there is no validation data: {HINT}"),
    (lambda: lg.early_stopping(patience=0), "patience must be a whole number ≥ 1, got 0"),
    (lambda: lg.early_stopping(min_delta=-1), "min_delta must be a number ≥ 0, got -1"),
    (lambda: lg.early_stopping(mode="least"), "mode must be one of min, max, got 'least'"),
    (lambda: fit(callbacks=[3]), f"callbacks must be {CALLBACKS}, got 3"),
    (lambda: fit(callbacks=print), f"callbacks must be a list of {CALLBACKS}, got {print!r}"),
    (lambda: fit(callbacks=[Watch]), f"callbacks must be {CALLBACKS}, got {Watch!r}"),
    (lambda: fit(callbacks=[len]), f"callbacks must be {CALLBACKS}, got {len!r}"),
    (lambda: fit(checkpoint=3), "checkpoint must be the path of a file, or lg.checkpoint(path, …), got 3"),
    (lambda: lg.checkpoint("a", steps=0), "a checkpoint's steps must be a whole number ≥ 1, got 0"),
    (lambda: fit(resume=True), "resume=True goes on from a checkpoint: give its path, checkpoint=path"),
    (lambda: fit(log=3), "log must be a file that ends in .csv, or a folder for TensorBoard, got 3"),
    (lambda: fit(accumulate=0), "accumulate must be a whole number ≥ 1, got 0"),
    (lambda: fit(accumulate=9), "accumulate=9 cuts a batch of 8 into more parts than it has examples"),
    (lambda: fit(batch_size=None, accumulate=2), "accumulate=2 cuts a batch of 1 into more parts than it has examples"),
    (lambda: fit(sample_weight=np.ones((24, 1))),
     "sample_weight must be one number ≥ 0 for each example, got float64 data of shape (24, 1)"),
    (lambda: fit(STREAM, sample_weight=np.ones(24)),
     "the weights of a source of batches are in its batches: give their name there as sample_weight"),
    (lambda: fit(class_weight="balanced"),
     "class_weight is by class, and the labels 'y' are no class numbers: give sample_weight"),
    (lambda: fit((X, CLASSES), classifier(), class_weight={3: 1.0}), "class_weight has 3, and the classes of 'y' are numbered 0 to 2"),
    (lambda: fit((X, CLASSES), classifier(), class_weight=[1.0]),
     "class_weight must be a dict from classes to numbers, 3 numbers, or 'balanced' for arrays, got [1.0]"),
    (lambda: fit((X, CLASSES), classifier(), class_weight=[1, 1, -1]), "a class weight must be a number ≥ 0, got -1"),
    (lambda: fit(made=lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.descent, rate=lg.scaled_rate(0.1)), accumulate=2),
     "accumulate adds up what comes back from parts of a batch, so the rate must not depend on the loss: use lg.rate(…)"),
    (lambda: lg.supervised(forked(), lg.mse, lg.descent, input=("a",)),
     "the model takes f64[4] × f64[2], so its inputs need 2 different names, got a"),
    (lambda: lg.supervised(forked(), LOSSES, lg.descent, metrics=["colour/f1"]),
     "'colour/f1' is a metric of no output here; the outputs are kind, size"),
    (lambda: lg.supervised(forked(), LOSSES, lg.descent, loss_weights={"colour": 1}),
     "loss_weights has 'colour', and the losses are for kind, size"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_makes_no_sense_is_refused_in_one_sentence(call, told):
    with pytest.raises(BadValue) as error:
        call()
    assert str(error.value) == told


def test_a_batch_larger_than_the_data_is_one_short_batch_and_a_sentence(capsys):
    run = learner().fit((X, Y), batch_size=100)
    told, line = capsys.readouterr().out.splitlines()
    assert told == "batch_size 100 is more than the 24 examples, so every epoch is one batch of 24"
    assert line.startswith("epoch 1/1  loss ")
    same(run, fit(batch_size=24))


def test_classes_that_training_never_shows_are_told(capsys):
    classifier().fit((X[:8], CLASSES[:8] % 2), validation_data=(X, CLASSES), batch_size=8)
    assert capsys.readouterr().out.splitlines()[:2] == [
        "class 2 has no example in 'y', so the model cannot learn it",
        "the validation data has class 2, never seen in training: no model can learn what it is not shown",
    ]


def test_a_learner_that_no_file_can_hold_is_refused_before_training(tmp_path):
    @generator
    class Own(Op):
        """Never written."""

        def type(self, *dom):
            return Ty(dom)

        def reverse(self, x, dy):
            return dy

        def batch(self, n, flags, x):
            return Own()(x)

    model = lg.dense(4, 2) >> trace(lambda x: Own()(x), lg.Real(2))
    watch = Watch()
    with pytest.raises(BadCheckpoint):
        fit(made=lg.supervised(model, lg.mse, lg.descent), checkpoint=tmp_path / "a", callbacks=[watch])
    assert watch.seen == []
