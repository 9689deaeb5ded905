"""Models and training steps as ONNX files: the same numbers in onnxruntime and in ONNX's own evaluator, with names kept."""

import json
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadCheckpoint, BadValue, MissingExtra, NoRule
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.optimizers.named import NAMED
from lensgrad.lens import Diagram, Param, newton_cg, observe, parametric, sam
from lensgrad.theories.smooth import ops
from tools import onnx_steps

onnx = pytest.importorskip("onnx")
evaluator = pytest.importorskip("onnx.reference")
onnxruntime = pytest.importorskip("onnxruntime")

from lensgrad.interchange.onnx.writing import proto  # noqa: E402
from lensgrad.interchange.onnx.writing.write import write_onnx  # noqa: E402

RNG = np.random.default_rng(0)


def data(shape, classes, n=24, dtype="float32"):
    x = RNG.integers(0, 12, (n, *shape)) if dtype == "int32" else RNG.standard_normal((n, *shape))
    return x.astype(dtype), RNG.integers(0, classes, n)


def trained(model, given, **how):
    return lg.supervised(model, lg.cross_entropy, lg.adam(1e-2), **how).fit(given, batch_size=8, progress=False)


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def ends(path):
    graph = onnx.load(path).graph
    read = lambda infos: {i.name: [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in infos}  # noqa: E731
    return read(graph.input), read(graph.output)


def mlp():
    return lg.sequential(lg.input(6), lg.dense(8, activation="gelu", name="hidden"), lg.dense(3))


def cnn():
    block = (
        lg.conv2d(4, 3, activation="relu"),
        lg.max_pool2d(2),
        lg.batch_norm(),
        lg.depthwise_conv(3, padding="same"),
        lg.average_pool2d(2),
    )
    return lg.sequential(lg.input(12, 12, 1), *block, lg.flatten, lg.dropout(0.5), lg.dense(3))


def lstm():
    return lg.sequential(lg.input(5, dtype="int32"), lg.embedding(12, 4), lg.lstm(6), lg.flatten, lg.dense(3))


def transformer():
    block = lg.transformer_block(2, causal=True, dropout_rate=0.1, rotary=True)
    return lg.sequential(lg.input(5, dtype="int32"), lg.embedding(12, 8), block, lg.layer_norm(), lg.flatten, lg.dense(3))


MODELS = {
    "mlp": (mlp, (6,), "float32"),
    "cnn": (cnn, (12, 12, 1), "float32"),
    "lstm": (lstm, (5,), "int32"),
    "transformer": (transformer, (5,), "int32"),
}


@pytest.mark.parametrize("name", MODELS)
def test_an_exported_model_predicts_the_same_for_any_number_of_examples(name, tmp_path):
    make, shape, dtype = MODELS[name]
    x, y = data(shape, 3, dtype=dtype)
    run = trained(make(), (x, y))
    path = tmp_path / "model.onnx"
    run.export(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert ends(path) == ({"x": ["N", *shape]}, {"output": ["N", 3]})
    made, reference = session(path), evaluator.ReferenceEvaluator(str(path))
    for n in (1, 2, 7, 24):
        ours = run.predict(x[:n])
        np.testing.assert_allclose(made.run(None, {"x": x[:n]})[0], ours, rtol=1e-5, atol=1e-6)
        with np.errstate(divide="ignore"):  # the evaluator takes the logarithm of a softmax
            np.testing.assert_allclose(reference.run(None, {"x": x[:n]})[0], ours, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_is_read_again_as_the_same_function(name, tmp_path):
    make, shape, dtype = MODELS[name]
    x, y = data(shape, 3, dtype=dtype)
    run = trained(make(), (x, y))
    run.export(tmp_path / "model.onnx")
    model, values = lg.from_onnx(tmp_path / "model.onnx")
    ours = [lg.evaluate(model, row, values=values) for row in x[:3]]
    np.testing.assert_allclose(ours, run.predict(x[:3]), rtol=1e-5, atol=1e-6)


def test_weights_are_in_the_file_by_their_names_and_nothing_but_plain_operators_is_used(tmp_path):
    run = trained(mlp(), data((6,), 3))
    run.export(tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    held = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for name, value in run.weights.items():
        np.testing.assert_array_equal(held[name], value)
    assert {(o.domain, o.version) for o in model.opset_import} == {("", 18)} and model.ir_version == 8
    assert (model.producer_name, model.graph.name) == ("lensgrad", "model") and {n.domain for n in model.graph.node} == {""}
    assert len({n.name for n in model.graph.node}) == len(model.graph.node)


def test_names_of_classes_are_in_the_file(tmp_path):
    table = lg.data.table({"a": [1.0, 2.0, 3.0, 4.0], "b": ["u", "v", "u", "v"]}, "b")
    run = lg.supervised(lg.sequential(lg.input(1), lg.dense(2)), lg.cross_entropy, lg.sgd(0.1)).fit(table, progress=False)
    run.export(tmp_path / "model.onnx")
    assert {p.key: json.loads(p.value) for p in onnx.load(tmp_path / "model.onnx").metadata_props} == {"classes": ["u", "v"]}


def test_several_inputs_and_outputs_have_their_names(tmp_path):
    two, w = lg.Real(2) @ lg.Real(3), lg.Real(2, 3)
    model = parametric([Param("w", w, init=lg.glorot(w))], two, lambda w, ab: (w @ ab[1] + ab[0], ops.total(ab[0])))
    made = lg.supervised(model, {"left": "mse", "right": "mse"}, "sgd", input=("a", "b"))
    given = {"a": np.ones((4, 2), np.float32), "b": np.ones((4, 3), np.float32), "left": np.ones((4, 2)), "right": np.ones(4)}
    run = made.fit(given, progress=False)
    run.export(tmp_path / "model.onnx")
    assert ends(tmp_path / "model.onnx") == ({"a": ["N", 2], "b": ["N", 3]}, {"left": ["N", 2], "right": ["N"]})
    found = session(tmp_path / "model.onnx").run(None, {n: given[n] for n in "ab"})
    for name, value in zip(("left", "right"), found, strict=True):
        np.testing.assert_allclose(value, run.predict({n: given[n] for n in "ab"})[name], rtol=1e-6)


def test_what_is_observed_is_an_output_too(tmp_path):
    run = trained(mlp() >> observe("seen", lg.Real(3)), data((6,), 3))
    run.export(tmp_path / "model.onnx")
    assert ends(tmp_path / "model.onnx")[1] == {"output": ["N", 3], "seen": ["N", 3]}


def test_a_model_that_draws_when_it_predicts_draws_the_same_for_each_example(tmp_path):
    noise = parametric([Param("key", Ty((lg.Key(),)), Role.KEY)], lg.Real(6), lambda key, x: x + ops.uniform(key, (6,)))
    run = trained(lg.input(6) >> noise >> mlp(), data((6,), 3))
    run.export(tmp_path / "model.onnx")
    x = np.zeros((5, 6), np.float32)
    found = session(tmp_path / "model.onnx").run(None, {"x": x})[0]
    np.testing.assert_allclose(found, run.predict(x), rtol=1e-5, atol=1e-6)
    assert len(np.unique(found[:, 0])) == 5


def test_a_number_of_examples_may_be_fixed(tmp_path):
    run = trained(mlp(), data((6,), 3))
    run.export(tmp_path / "model.onnx", batch=4)
    assert ends(tmp_path / "model.onnx") == ({"x": [4, 6]}, {"output": [4, 3]})
    x = RNG.standard_normal((4, 6)).astype(np.float32)
    np.testing.assert_allclose(session(tmp_path / "model.onnx").run(None, {"x": x})[0], run.predict(x), rtol=1e-5, atol=1e-6)


def test_what_depends_on_the_number_of_examples_otherwise_is_refused_for_any_and_written_for_one(tmp_path):
    centered = trace(lambda x: x - ops.axis_mean(x), lg.Real(6))
    run = trained(lg.input(6) >> centered >> mlp(), data((6,), 3))
    with pytest.raises(NoRule) as error:
        run.export(tmp_path / "model.onnx")
    told = "a constant depends on the number of examples, so no file for any number of them can be written"
    assert str(error.value) == f"{told}: give batch=…, the number that it will always take"
    assert list(tmp_path.iterdir()) == []
    run.export(tmp_path / "model.onnx", batch=5)
    x = RNG.standard_normal((5, 6)).astype(np.float32)
    np.testing.assert_allclose(session(tmp_path / "model.onnx").run(None, {"x": x})[0], run.predict(x, batch_size=5), rtol=1e-5, atol=1e-6)


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", onnx_steps.SUBJECTS)
def test_onnxruntime_trains_as_we_do(name, tmp_path):
    found = onnx_steps.compared(onnx_steps.SUBJECTS[name](), 20, tmp_path)
    assert found.largest < 1e-6 and found.steps < 1e-6 and "loss" in found.runs and found.holds


def test_where_a_kink_parts_two_runs_is_found_in_float64(tmp_path):
    subject = onnx_steps.relus()
    first = {n: np.array(v) for n, v in subject.learner.initial(0).items()} | subject.draw(np.random.default_rng(0))
    first["bias.0"][3] = -np.float64(first["x"][5]) @ np.float64(first["weight.0"][3])
    at = subject.kinks(first)[5, 3]
    other = first | {"bias.0": first["bias.0"] - np.sign(at) * 2 * np.abs(np.eye(128, dtype=np.float32)[3] * at)}
    assert onnx_steps.part(subject, 7, first, first) is None
    found = onnx_steps.part(subject, 7, first, other)
    assert (found.step, found.place, found.ours) == (7, (5, 3), at) and at * found.theirs < 0 and max(abs(at), abs(found.theirs)) < 1e-6
    told = dict(steps=0.0, runs={"loss": 1e-3}, before=1e-6, seconds=(0, 0), bytes=0)
    assert onnx_steps.Found(parted=found, **told).holds
    assert not onnx_steps.Found(parted=onnx_steps.Parted(7, (5, 3), 1e-3, -1e-3), **told).holds


@pytest.mark.parametrize("optimizer", sorted(NAMED))
def test_every_optimizer_takes_the_same_steps_there(optimizer, tmp_path):
    made = lg.supervised(lg.sequential(lg.input(20), lg.dense(6, "tanh"), lg.dense(5)), lg.cross_entropy, optimizer)
    assert onnx_steps.compared(onnx_steps.Subject(made, 8, onnx_steps.nearest(20, 5, 8)), 5, tmp_path).largest < 1e-6


WAYS = {
    "bfloat16": {"precision": "bfloat16"},
    "newton": {"derivative": newton_cg(4)},
    "sam": {"derivative": sam(0.05)},
}


@pytest.mark.parametrize("way", WAYS)
def test_other_ways_of_learning_take_the_same_steps_there(way, tmp_path):
    model = lg.sequential(lg.input(20), lg.dense(6, "tanh"), lg.dense(5))
    made = lg.supervised(model, lg.cross_entropy, lg.chain(lg.clip_norm(1.0), lg.adam(lg.step_decay(1e-2, 3))), **WAYS[way])
    assert onnx_steps.compared(onnx_steps.Subject(made, 8, onnx_steps.nearest(20, 5, 8)), 5, tmp_path).largest < 1e-6


def test_a_step_has_all_values_by_name_and_says_which_outputs_are_which(tmp_path):
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3), lg.dropout(0.5)), lg.cross_entropy, lg.momentum(0.9), rate=0.1)
    made.export_step(tmp_path / "step.onnx", batch=2)
    inputs, outputs = ends(tmp_path / "step.onnx")
    step = made.step(2)
    assert list(inputs) == [p.name for p in step.inputs] and inputs["x"] == [2, 4] and inputs["y"] == [2]
    names = [p.name for p in step.outputs]
    assert list(outputs) == [f"next/{n}" if n in inputs else n for n in names] and "loss" in outputs
    (props,) = onnx.load(tmp_path / "step.onnx").metadata_props
    assert (props.key, json.loads(props.value)) == ("returns", {f"next/{n}": n for n in names if n in inputs})


def test_a_step_on_one_example_has_no_axis_of_examples(tmp_path):
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)), lg.cross_entropy, lg.sgd(0.1))
    made.export_step(tmp_path / "step.onnx")
    assert ends(tmp_path / "step.onnx")[0]["x"] == [4]


def test_a_weight_of_several_arrays_is_written_array_by_array(tmp_path):
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)).reparam({"weight": lg.weight_norm}), lg.cross_entropy, lg.sgd(0.1))
    run = made.fit(data((4,), 3), progress=False)
    run.export(tmp_path / "model.onnx")
    x = RNG.standard_normal((3, 4)).astype(np.float32)
    np.testing.assert_allclose(session(tmp_path / "model.onnx").run(None, {"x": x})[0], run.predict(x), rtol=1e-5, atol=1e-6)


# -- programs ----------------------------------------------------------------------------------------------------------


def test_arrows_and_parametric_arrows_are_written_with_names_of_their_own(tmp_path):
    write_onnx(trace(lambda x, y: (x + y, x * 2.0), lg.Real(3), lg.Real(3)), tmp_path / "arrow.onnx")
    assert ends(tmp_path / "arrow.onnx") == ({"x0": [3], "x1": [3]}, {"y0": [3], "y1": [3]})
    layer = lg.dense(3, 2)
    values = {"weight": np.ones((2, 3), np.float32)}
    write_onnx(layer, tmp_path / "layer.onnx", values)
    assert ends(tmp_path / "layer.onnx") == ({"bias": [2], "input": [3]}, {"output": [2]})
    given = {"bias": np.ones(2, np.float32), "input": np.arange(3, dtype=np.float32)}
    assert session(tmp_path / "layer.onnx").run(None, given)[0].tolist() == [4, 4]


def test_weights_of_bfloat16_are_so_in_the_file(tmp_path):
    half = lg.Real(2, dtype="bfloat16")
    layer = parametric([Param("w", half)], half, lambda w, x: w * x)
    write_onnx(layer, tmp_path / "half.onnx", {"w": np.array([1.5, -3.0], np.float32)})
    (held,) = onnx.load(tmp_path / "half.onnx").graph.initializer
    assert held.data_type == onnx.TensorProto.BFLOAT16
    assert onnx.numpy_helper.to_array(held).astype(np.float32).tolist() == [1.5, -3.0]


def test_names_that_meet_are_kept_apart(tmp_path):
    params = [Param("v1", lg.Real(2)), Param("c1", lg.Real(2)), Param("output", lg.Real(2))]
    layer = parametric(params, lg.Real(2), lambda a, b, c, x: (a * x + b * 2.0) * c)
    write_onnx(layer, tmp_path / "names.onnx")
    inputs, outputs = ends(tmp_path / "names.onnx")
    assert list(inputs) == ["v1", "c1", "output", "input"] and list(outputs) == ["next/output"]
    one = np.ones(2, np.float32)
    assert session(tmp_path / "names.onnx").run(None, dict.fromkeys(inputs, one))[0].tolist() == [3, 3]


# -- refusals ----------------------------------------------------------------------------------------------------------


def refused(kind, use):
    with pytest.raises(kind) as error:
        use()
    return str(error.value)


def test_other_endings_are_refused_with_those_there_are(tmp_path):
    run = trained(mlp(), data((6,), 3))
    told = "the path of an export must end in .onnx, .py or .c, got 'net.pt'; run.save(path) writes a .safetensors file that lg.load reads"
    assert refused(BadValue, lambda: run.export("net.pt")) == told
    told = "the path of a training step must end in .onnx, got 'step.py'; learner.source(batch) is the step in NumPy"
    assert refused(BadValue, lambda: run.learner.export_step("step.py")) == told
    assert refused(BadValue, lambda: run.export(3)) == "path must be a path, got 3"
    assert refused(BadValue, lambda: run.export(tmp_path / "a.onnx", batch=0)) == "batch must be a whole number ≥ 1, got 0"
    where = tmp_path / "none" / "a.onnx"
    assert refused(BadCheckpoint, lambda: run.export(where)) == f"'{where}' cannot be written: the folder '{where.parent}' is missing"


def test_a_circuit_is_refused_by_name(tmp_path):
    from lensgrad.theories.poly.circuit import Add, Bits

    f = Diagram.of(Add(), Bits(2), Bits(2))
    told = "circuits of gates have formats of their own: write .aig, .blif, .v or .c with lensgrad.circuits.write"
    assert refused(NoRule, lambda: write_onnx(f, tmp_path / "c.onnx")) == f"Add has no meaning in the ONNX backend: {told}"


def test_a_file_above_two_gibibytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(proto, "MOST", 50)
    run = trained(mlp(), data((6,), 3))
    told = "an ONNX file must be below 2 GiB, and these weights are of 344 bytes: save them with run.save(path)"
    assert refused(BadValue, lambda: run.export(tmp_path / "a.onnx", batch=1)) == told


def test_without_onnx_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    run = trained(mlp(), data((6,), 3))
    told = refused(MissingExtra, lambda: run.export(tmp_path / "a.onnx"))
    assert told == "writing an ONNX file needs the package onnx: pip install 'lensgrad[onnx]'"
