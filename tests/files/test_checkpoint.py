"""A checkpoint is one file, written whole or not at all; what is read is what was written, or a sentence says why not."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file
from saved_runs import BITS, CIRCUIT, LEARNERS, hidden, same, trained

import lensgrad as lg
from lensgrad import __version__
from lensgrad.cat.lens import Lens, updated
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para, parametric
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.files import checkpoint
from lensgrad.files.checkpoint import unpacked
from lensgrad.recipes import iris_data
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key, Real

# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
def test_a_loaded_run_is_the_one_that_was_saved(name, path):
    run = trained(name)
    run.save(path)
    found = lg.load(path)
    same(found.values, run.values)
    assert found.history == run.history and found.position == run.position
    ours, theirs = found.learner, run.learner
    assert ours == theirs.frozen() == ours.frozen()
    assert (ours.model, ours.task, ours.input, ours.label, ours.reduction) == (
        theirs.model, theirs.task, theirs.input, theirs.label, theirs.reduction
    )  # fmt: skip
    for n in (None, 1, 2, 22, 32):
        assert ours.lens(batch=n) == theirs.lens(batch=n)
    assert ours.step(32).diagram == theirs.step(32).diagram and ours.source(32) == theirs.source(32)


@pytest.mark.parametrize("name", ["an optimizer for each layer", "momentum", "keys and states"])
def test_training_goes_on_as_if_nothing_had_happened(name, path):
    run = trained(name)
    run.save(path)
    found, data = lg.load(path), iris_data()
    more = [r.learner.fit(data, epochs=2, batch_size=50, seed=5, start=r.values, progress=False) for r in (run, found)]
    same(more[0].values, more[1].values)
    assert more[0].history == more[1].history
    assert more[0].evaluate(data) == more[1].evaluate(data)
    assert np.array_equal(more[0].predict(data.x), more[1].predict(data.x))


def test_a_loaded_learner_starts_from_the_same_first_values(path, run):
    run.save(path)
    same(lg.load(path).learner.initial(3), run.learner.initial(3))


def test_a_circuit_that_learned_xor_comes_back(path):
    run = CIRCUIT.fit(BITS, epochs=2, batch_size=None, progress=False)
    run.save(path)
    found = lg.load(path)
    assert found.learner.lens() == CIRCUIT.lens()
    assert found.values["table"].dtype == np.uint8
    assert np.array_equal(found.predict(BITS[0], batch_size=None), BITS[1])


def test_a_function_of_the_users_is_saved_as_what_it_gives(path):
    def optimizer(param):
        weight = param.ob[0].fwd
        get, put = Diagram.id(weight), trace(lambda p, dp: p - dp * 0.5, weight, weight)
        return Para.make([Param(param.label, updated(weight), param.role, param.init)], Lens(updated(weight), param.ob, get, put))

    learner = hidden(optimizer)
    run = learner.fit(iris_data(), epochs=1, progress=False)
    run.save(path)
    assert lg.load(path).learner.lens(7) == learner.lens(7)


MODELS = {
    "image": lambda: lg.sequential(
        lg.input(6, 6, 1),
        lg.conv2d(2, kernel=3, activation="relu"),
        lg.batch_norm(),
        lg.max_pool2d(2),
        lg.flatten(),
        lg.dropout(0.5),
        lg.dense(3),
    ),
    "sequence": lambda: lg.sequential(lg.input(5, dtype="int32"), lg.embedding(7, 4), lg.lstm(3, last=True), lg.dense(3)),
    "transformer": lambda: lg.sequential(
        lg.input(4, dtype="int32"),
        lg.embedding(7, 4),
        lg.transformer_block(2, causal=True, rotary=True, dropout_rate=0.1),
        lg.flatten(),
        lg.dense(3),
    ),
}
OPTIMIZERS = {
    "adamw with a schedule": lambda: lg.adamw(lg.warm_up(lg.cosine(0.1, 100), 10)),
    "adagrad": lambda: lg.adagrad(0.1),
    "sgd": lambda: lg.sgd(0.1, momentum=0.9, nesterov=True),
}


@pytest.mark.parametrize(("model", "optimizer"), list(zip(MODELS, OPTIMIZERS, strict=True)))
def test_standard_layers_and_optimizers_come_back(model, optimizer, path):
    learner = lg.supervised(MODELS[model](), lg.cross_entropy, OPTIMIZERS[optimizer](), metrics=["accuracy"])
    values = learner.initial(1)
    checkpoint.save(path, learner, values)
    found = lg.load(path)
    same(found.values, values)
    assert found.learner == learner.frozen() and lg.predict(found.learner.model) == lg.predict(learner.model)
    assert all(found.learner.lens(n) == learner.lens(n) for n in (None, 2))
    same(found.learner.initial(3), learner.initial(3))


def test_another_process_needs_no_class_of_the_users(path, run):
    run.save(path)
    code = "import sys, lensgrad as lg, numpy as np; r = lg.load(sys.argv[1]); print(r.predict(np.ones((2, 4), 'f4')).tobytes().hex())"
    found = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout.strip()
    assert found == run.predict(np.ones((2, 4), np.float32)).tobytes().hex()


def test_history_and_position_come_back_exactly(path, run):
    history = ({"loss": 0.1, "accuracy": float("nan")}, {"loss": float("inf")})
    plan = {"batch_size": None, "shuffle": True, "sizes": [1, (2, 0.5)]}
    position = {"epoch": 2, "batch": 0, "examples": 0, "totals": {}, "step": 17, "seed": 2**63, "plan": plan}
    checkpoint.save(path, run.learner, run.values, history=history, position=position)
    found = checkpoint.load(path)
    assert repr(found.history) == repr(history) and found.position == position
    lg.load(path).save(path)
    assert checkpoint.load(path).position == position


def test_an_object_of_several_arrays_is_several_arrays_in_the_file(path):
    ob = Real(2) @ Real(3)
    params = [Param("pair", ob, init=trace(lambda key: (lg.zeros(Real(2))(key), lg.zeros(Real(3))(key)), Ty((Key(),))))]
    model = parametric(params, Real(2), lambda pair, x: x * pair[0] + ops.spread(ops.sum_over(pair[1]), (2,)))
    learner = lg.supervised(model, lg.mse, lg.momentum(0.9), 0.1)
    x = np.arange(8, dtype=np.float32).reshape(4, 2)
    run = learner.fit((x, x), epochs=2, progress=False)
    run.save(path)
    assert sorted(load_file(path)) == ["pair.0", "pair.1", "pair.velocity.0", "pair.velocity.1"]
    same(lg.load(path).values, run.values)


def test_values_that_no_step_moves_are_kept(path, run):
    values = {**run.values, "x": np.arange(4.0), "flag": np.array(True), "pair": (np.zeros(2), np.arange(2.0))}
    checkpoint.save(path, run.learner, values)
    found = checkpoint.load(path)
    assert found.objects == run.learner.objects() and "x" not in found.objects
    same(found.values, values)


# -- the file ----------------------------------------------------------------------------------------------------------


def test_any_reader_of_safetensors_finds_the_arrays(path, run):
    run.save(path)
    arrays = load_file(path)
    assert sorted(arrays) == sorted(run.values)
    same({name: arrays[name] for name in run.values}, run.values)
    with safetensors.safe_open(path, framework="numpy") as file:
        facts = json.loads(file.metadata()["lensgrad"])
    assert list(facts) == ["sha256", "format", "lensgrad", "digest", "learner", "run"]
    assert (facts["format"], facts["lensgrad"]) == (1, __version__)


def test_equal_runs_are_equal_files(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for where in (one, other):
        replace(trained("momentum"), seconds=()).save(where)  # how long it took is no equal
    assert one.read_bytes() == other.read_bytes()
    lg.load(one).save(one)
    assert unpacked(one.read_bytes()).keys() == unpacked(other.read_bytes()).keys()


def test_the_digest_names_the_learner(run):
    assert run.learner.recipe().digest == hidden(lg.momentum(0.9)).recipe().digest == run.learner.frozen().recipe().digest
    assert run.learner.recipe().digest != hidden(lg.momentum(0.8)).recipe().digest


def test_loaded_values_belong_to_the_run_alone(path, run):
    run.save(path)
    found = lg.load(path)
    found.values["output/bias"][:] = 7.0
    found.save(path)
    assert np.array_equal(lg.load(path).values["output/bias"], np.full(3, 7.0, np.float32))


def test_saving_over_the_file_just_loaded_works(path, run):
    run.save(path)
    for _ in range(3):
        lg.load(path).save(path)
    same(lg.load(path).values, run.values)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file(path, run, step, monkeypatch):
    run.save(path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(BadCheckpoint) as error:
        replace(run, history=()).save(path)
    assert str(error.value) == f"'{path}' cannot be written: No space left on device"
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_a_save_that_is_interrupted_leaves_the_old_file(path, run, monkeypatch):
    run.save(path)
    before = path.read_bytes()

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        replace(run, history=()).save(path)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path, run):
    with pytest.raises(BadCheckpoint) as error:
        run.save(tmp_path / "none" / "x")
    assert str(error.value) == f"'{tmp_path / 'none' / 'x'}' cannot be written: the folder '{tmp_path / 'none'}' is missing"
