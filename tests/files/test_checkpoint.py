"""A checkpoint is one file, written whole or not at all; what is read is what was written, or a sentence says why not."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file, save_file

import lensgrad as lg
from lensgrad import __version__
from lensgrad.cat.lens import Lens, updated
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, lens, parametric
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadCheckpoint, BadValue, TypeMismatch, UnknownParameter
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.files import checkpoint
from lensgrad.files.checkpoint import load_into, packed, sealed, unpacked
from lensgrad.files.write import decode, digest, encode, text
from lensgrad.learn.tasks import closed_lens, frozen
from lensgrad.recipes import iris_data, iris_learner, iris_model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key, Real

BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8), np.array([[0], [1], [1], [0]], np.uint8)


def noisy() -> Para:
    """x + σ · noise, with a key and a counter that every step writes back."""
    params = [Param("key", Ty((Key(),)), Role.KEY), Param("count", Real(), Role.STATE, lg.zeros(Real()))]

    def body(key, count, x):
        now, later = ops.split(key)
        return x + ops.normal(now, x.atom.shape) * 0.1, later, count + 1.0

    arrow = trace(body, *(p.ob for p in params), Real(4))
    return Para.make(params, arrow, Real(4), [("key", Ty((Key(),))), ("count", Real())])


def hidden(optimizer, **named):
    return lg.supervised(iris_model(), lg.half_squared_error, optimizer, 0.01, metrics=["accuracy"], **named)


LEARNERS = {
    "descent": lambda: iris_learner("hidden"),
    "momentum": lambda: hidden(lg.momentum(0.9)),
    "nesterov": lambda: hidden(lg.momentum(0.9, nesterov=True), reduction="sum"),
    "an optimizer for each layer": lambda: hidden({"hidden/*": lg.momentum(0.5), "output/weight": lg.descent, lg.weights: lg.ascent}),
    "carried rate": lambda: replace(hidden(lg.sgd(0.1, momentum=0.9)), rate=lg.rate(1.0)),
    "a rate that reads the loss": lambda: replace(hidden(lg.descent), rate=lg.scaled_rate(0.1)),
    "keys and states": lambda: lg.supervised(noisy() >> iris_model(), lg.half_squared_error, lg.momentum(0.9), 0.01),
    "bfloat16": lambda: iris_learner("hidden", dtype="bfloat16"),
    "float16": lambda: iris_learner("hidden", dtype="float16"),
    "float64": lambda: iris_learner("dense", dtype="float64"),
}
CIRCUIT = lg.supervised(lg.lookup(2), lg.xor, lg.ascent, lg.echo)


def trained(name: str, **fit):
    learner = LEARNERS[name]()
    dtype = learner.model.dom[0].dtype.replace("bfloat16", "float32")
    return learner.fit(iris_data(dtype), progress=False, **{"epochs": 2, "batch_size": 32, **fit})


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        left, right = (v if isinstance(v, tuple) else (v,) for v in (a[name], b[name]))
        assert [v.dtype for v in left] == [v.dtype for v in right] and [v.tobytes() for v in left] == [v.tobytes() for v in right]


@pytest.fixture(scope="module")
def run():
    return trained("momentum")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "iris.safetensors"


def refused(path) -> str:
    """The sentence that refuses a file."""
    with pytest.raises(BadCheckpoint) as error:
        lg.load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


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
    position = {"epoch": 3, "step": 17, "seed": 2**63, "plan": {"batch_size": None, "shuffle": True, "sizes": [1, (2, 0.5)]}}
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


# -- files that are none -----------------------------------------------------------------------------------------------


def test_a_missing_file_is_refused(path):
    assert refused(path) == f"there is no checkpoint at '{path}': check its name and the current folder"


def test_a_folder_is_refused(tmp_path):
    assert refused(tmp_path).startswith(f"'{tmp_path}' cannot be read: ")


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 zip", b"\x80\x04pickle", b"\x08" + bytes(7) + b"not json", b"\x02" + bytes(7) + b"[]"])
def test_a_foreign_file_is_refused(path, raw):
    path.write_bytes(raw)
    assert refused(path) == f"'{path}' is no checkpoint: it is another kind of file, or damaged at its beginning"


@pytest.mark.parametrize("notes", [None, {"format": "pt"}])
def test_a_foreign_safetensors_file_is_refused(path, notes):
    save_file({"w": np.zeros(3)}, path, notes)
    assert refused(path) == (
        f"'{path}' is a safetensors file that lensgrad did not write, so it holds no learner: "
        "read its arrays with safetensors and give them to fit(start=…)"
    )


def test_a_newer_format_is_refused(path, run, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    monkeypatch.setattr(checkpoint, "__version__", "9.0")
    run.save(path)
    monkeypatch.undo()
    assert refused(path) == (
        f"'{path}' was written in format 2 by lensgrad 9.0, and lensgrad {__version__} reads format 1: upgrade lensgrad"
    )


def test_a_cut_file_is_refused(path, run):
    run.save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1])
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"
    path.write_bytes(raw + b"\0")
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"


def test_a_flipped_byte_in_a_weight_is_refused(path, run):
    run.save(path)
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"


def corrupted(raw: bytes, rng) -> bytes:
    """A file with a flipped byte, a cut, a hole, or two parts exchanged."""
    a, b = sorted(rng.integers(0, len(raw), 2))
    kind = rng.integers(4)
    if kind == 0:
        return raw[:a] + bytes([raw[a] ^ int(rng.integers(1, 256))]) + raw[a + 1 :]
    return (raw[:a], raw[:a] + bytes(b - a) + raw[b:], raw[b:] + raw[a:b] + raw[:a])[kind - 1]


def test_any_corruption_is_refused_in_one_sentence_or_loads_correctly(path, run):
    run.save(path)
    raw, rng = path.read_bytes(), np.random.Generator(np.random.PCG64(0))
    header = int.from_bytes(raw[:8], "little")
    parts = [(0, len(raw))] * 100 + [(0, 8)] * 20 + [(8, 8 + header)] * 40 + [(8, 200)] * 40
    told = set()
    for low, high in parts:
        bad = raw[:low] + corrupted(raw[low:high], rng) + raw[high:]
        path.write_bytes(bad)
        if bad == raw:
            same(lg.load(path).values, run.values)
        else:
            told.add(refused(path).removeprefix(f"'{path}' ")[:20])
    assert told >= {"is damaged: its byte", "is no checkpoint: it"}


# -- files that were made to deceive -----------------------------------------------------------------------------------


def forged(path, change, arrays=None, told=True):
    """Write the checkpoint at `path` again with other facts and right digests, unless the learner's is told otherwise."""
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    facts = json.loads(header["__metadata__"]["lensgrad"])
    change(facts)
    if told and "learner" in facts:
        facts["digest"] = digest(decode(facts["learner"]))
    facts["sha256"] = checkpoint.BLANK
    path.write_bytes(sealed(packed(unpacked(raw) if arrays is None else arrays, text(facts))))


def test_a_forged_file_with_nothing_changed_loads(path, run):
    run.save(path)
    forged(path, lambda facts: None)
    same(lg.load(path).values, run.values)


def put(key, value):
    return lambda facts: facts.__setitem__(key, value)


def learner_with(**fields):
    learner = hidden(lg.momentum(0.9)).frozen()
    known = {"model": learner.model, "task": learner.task, "rate": learner.rate, "optimizer": learner.optimizer}
    return put("learner", encode({**known, **fields}))


PLACE = "cannot be read: this is no arrow or learner as lensgrad writes them: "
NONE = "holds no learner that can be trained: "
FORGED = {
    "no learner": (
        lambda facts: facts.pop("learner"),
        PLACE + "sha256, format, lensgrad, digest, run must be sha256, format, lensgrad, digest, learner, run",
    ),
    "another value": (put("learner", encode(3)), PLACE + "3 is out of place"),
    "no run": (put("run", encode({})), PLACE + "none must be values, others, history, position"),
    "no format": (
        put("format", None),
        f"was written in format None by lensgrad {__version__}, and lensgrad {__version__} reads format 1: upgrade lensgrad",
    ),
    "a field of another type": (learner_with(model=3), NONE + "a learner has no field 'model' of type int"),
    "a field too many": (learner_with(boss=3), NONE + "a learner has no field 'boss' of type int"),
    "an optimizer of nothing": (
        learner_with(optimizer={lg.weights: ()}),
        NONE + "0 points are given for 'weight', which reaches 4: give one for each place, or one for all",
    ),
    "an optimizer of another type": (
        learner_with(optimizer={lg.weights: 3}),
        NONE + "an optimizer must be one such as lg.adam(1e-3), or a dict from patterns to these, got 3",
    ),
    "a task that is no task": (
        learner_with(task=iris_model()),
        NONE + "cannot compose output >> rate(0.01) output/out gives (f32[3], Δf32[3]) rate(0.01)/in wants (f32[], Δf32[]) fix: "
        "make the two types equal, or put a reshape, flatten or cast between them",
    ),
    "another optimizer": (
        learner_with(optimizer=hidden(lg.descent).frozen().optimizer),
        "is a checkpoint of another learner: 'hidden/weight.velocity' is f32[20,4] in the file and missing here, 'hidden/bias.velocity' is "
        "f32[20] in the file and missing here, 'output/weight.velocity' is f32[3,20] in the file and missing here, 'output/bias.velocity' "
        "is f32[3] in the file and missing here",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused_in_one_sentence(name, path, run):
    change, told = FORGED[name]
    run.save(path)
    forged(path, change)
    assert refused(path) == f"'{path}' {told}"


@pytest.mark.parametrize("place", [0, 31, 63])
def test_a_damaged_digest_of_the_learner_is_refused(place, path, run):
    def flip(facts):
        seal = facts["digest"]
        facts["digest"] = seal[:place] + ("0" if seal[place] != "0" else "1") + seal[place + 1 :]

    run.save(path)
    forged(path, flip, told=False)
    assert refused(path) == f"'{path}' cannot be read: its digest is not that of the learner in it"


def test_a_damaged_digest_of_the_file_is_refused(path, run):
    run.save(path)
    raw = path.read_bytes()
    at = raw.index(b"sha256") + len("sha256") + 8
    path.write_bytes(raw[:at] + (b"0" if raw[at : at + 1] != b"0" else b"1") + raw[at + 1 :])
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"


def test_a_forged_array_is_refused(path, run):
    run.save(path)
    arrays = load_file(path)
    forged(path, lambda facts: None, {**arrays, "output/bias": np.zeros(4, np.float32)})
    assert refused(path) == (
        f"'{path}' cannot be read: 'output/bias' expects f32[3], got an array of shape (4,): give it in the shape (3,)"
    )
    forged(path, lambda facts: None, {n: v for n, v in arrays.items() if n != "output/bias"})
    assert refused(path) == f"'{path}' cannot be read: it has no array 'output/bias'"


# -- another model, and what cannot be saved ---------------------------------------------------------------------------


def test_a_checkpoint_of_another_model_names_what_differs(path, run):
    run.save(path)
    model = lg.dense(4, 10, activation="sigmoid", name="hidden") >> lg.dense(10, 3, name="output", use_bias=False)
    other = lg.supervised(model >> lg.dense(3, 3, name="top", use_bias=False), lg.half_squared_error, lg.descent, 0.1)
    with pytest.raises(BadCheckpoint) as error:
        load_into(path, other)
    assert str(error.value) == (
        f"'{path}' is a checkpoint of another learner: 'hidden/weight' is f32[20,4] in the file and f32[10,4] here, 'hidden/bias' is "
        "f32[20] in the file and f32[10] here, 'output/weight' is f32[3,20] in the file and f32[3,10] here, 'top/weight' is missing in "
        "the file and f32[3,3] here, 'hidden/weight.velocity' is f32[20,4] in the file and missing here, 'hidden/bias.velocity' is "
        "f32[20] in the file and missing here, 'output/weight.velocity' is f32[3,20] in the file and missing here, "
        "'output/bias.velocity' is f32[3] in the file and missing here, 'output/bias' is f32[3] in the file and missing here"
    )


def test_a_checkpoint_of_the_same_model_is_read_into_it(path, run):
    run.save(path)
    same(load_into(path, hidden(lg.momentum(0.5))).values, run.values)


def test_values_of_another_learner_are_not_saved(path, run):
    with pytest.raises(UnknownParameter):
        checkpoint.save(path, run.learner, {n: v for n, v in run.values.items() if n != "output/bias"})
    with pytest.raises(TypeMismatch):
        checkpoint.save(path, run.learner, {**run.values, "output/bias": np.zeros(4)})
    with pytest.raises(BadCheckpoint) as error:
        checkpoint.save(path, run.learner, {**run.values, "extra": np.zeros(2, np.complex128)})
    assert str(error.value).startswith("'extra' cannot be written: 'complex128' is no dtype here")
    assert not path.exists()


def test_two_values_of_one_name_in_the_file_are_refused(path, run):
    with pytest.raises(BadCheckpoint) as error:
        checkpoint.save(path, run.learner, {**run.values, "__metadata__": np.zeros(2)})
    assert str(error.value) == "two parameters would both be called '__metadata__' in the file: rename '__metadata__'"


def test_a_position_that_is_no_plain_value_is_refused(path, run):
    with pytest.raises(BadCheckpoint) as error:
        checkpoint.save(path, run.learner, run.values, position={"generator": np.int64(3)})
    assert str(error.value) == "a checkpoint holds arrows and plain values, and cannot hold np.int64(3), which is of type int64"


@generator
class Twice(Op):
    """2x : A → A."""

    def type(self, *dom):
        return Ty(dom)

    def adjoint(self, *dom):
        return self

    def batch(self, n, flags, x):
        return self(x)


def test_a_generator_of_ones_own_is_given_when_saving_and_when_loading(path):
    model = iris_model("linear") >> trace(lambda x: Twice()(x), Real(3))
    learner = lg.supervised(model, lg.mse, lg.descent, 0.1)
    values = learner.initial()
    with pytest.raises(BadCheckpoint, match=r"^the generator Twice is not one of lensgrad's, and a file holds no code"):
        checkpoint.save(path, learner, values)
    own = {"my.Twice": Twice}
    checkpoint.save(path, learner, values, generators=own)
    assert lg.load(path, generators=own).learner.lens(3) == learner.lens(3)
    assert refused(path) == (
        f"'{path}' cannot be read: 'my.Twice' is unknown here: upgrade lensgrad if a newer one wrote this, or give the class as "
        "generators={'my.Twice': …}"
    )


# -- rate and optimizer as values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("n", [None, 3])
def test_a_learner_without_functions_composes_to_the_same_lens(name, n):
    x = LEARNERS[name]()
    still = closed_lens(x.task, *frozen(x.task, x.rate, x.optimizer), n, x.reduction)
    assert still == closed_lens(x.task, x.rate, x.optimizer, n, x.reduction)
    assert still.names == x.lens(n).names and [p.init for p in still.params] == [p.init for p in x.lens(n).params]


def test_an_optimizer_of_data_keeps_to_one_example(path):
    learner = hidden({lg.weights: lg.descent, "x": lg.ascent})
    with pytest.raises(UnknownParameter):
        checkpoint.save(path, learner, learner.initial())
    checkpoint.save(path, learner, {**learner.initial(), "x": np.ones(4, np.float32)})
    found = lg.load(path)
    assert found.learner.lens() == learner.lens()
    with pytest.raises(TypeMismatch, match=r"^the reparameterization of x must be I → \(f32\[2,4\], Δf32\[2,4\]\), got I → "):
        found.learner.lens(2)


def test_points_are_one_for_each_place_or_one_for_all():
    f = lens(iris_model())
    points = tuple(lg.descent(p) for p in f.params)
    assert f.reparam({lg.weights: points}) == f.reparam({lg.weights: lg.descent})
    assert f.made({lg.weights: lg.descent}) == {lg.weights: points}
    with pytest.raises(TypeMismatch) as error:
        f.reparam({"hidden/*": points})
    assert str(error.value) == "4 points are given for 'hidden/*', which reaches 2: give one for each place, or one for all"


def test_a_bad_checkpoint_is_a_bad_value_too():
    assert issubclass(BadCheckpoint, ValueError) and issubclass(BadCheckpoint, lg.LensgradError) and not issubclass(BadCheckpoint, BadValue)
    assert Path(checkpoint.__file__).name == "checkpoint.py"


def test_a_recipe_is_of_the_classes_and_not_of_their_names():
    """Two classes of one name are two recipes, and what is no class is refused before it is looked up."""

    @generator
    class Thrice(Twice):
        """Another class under the same name in files."""

    model = iris_model("linear") >> trace(lambda x: Twice()(x), Real(3))
    learner = lg.supervised(model, lg.mse, lg.descent, 0.1)
    assert learner.recipe({"my.Twice": Twice}).digest
    with pytest.raises(BadCheckpoint, match=r"^the generator Twice is not one of lensgrad's"):
        learner.recipe({"my.Twice": Thrice})
    with pytest.raises(BadCheckpoint, match=r"^generators={'my.Twice': …} must give a new name to a class"):
        learner.recipe({"my.Twice": []})
