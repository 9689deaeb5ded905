"""Networks in ONNX files as models."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadValue, TypeMismatch
from tests.interchange.onnx_files import model, node, value

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(3, 4)).astype("f4"), RNG.normal(size=4).astype("f4")


def layer(first="N"):
    nodes = [node("MatMul", "x W", "t"), node("Add", "t b", "u"), node("Relu", "u", "y")]
    return model(nodes, [value("x", [first, 3])], [value("y", [first, 4])], {"W": W, "b": B})


def run(net, *xs, **how):
    found, values = lg.from_onnx(net, batch=False, **how)
    return lg.evaluate(found, *xs, values=values)


def test_a_file_is_a_model_of_one_example_with_its_weights(tmp_path):
    onnx.save(layer(), tmp_path / "net.onnx")
    net, values = lg.from_onnx(tmp_path / "net.onnx")
    assert (net.dom, net.cod, net.names) == (lg.Real(3), lg.Real(4), ("W", "b"))
    assert [p.role for p in net.params] == [Role.WEIGHT] * 2 and values["W"] is not W and values["W"].tolist() == W.tolist()
    x = RNG.normal(size=3).astype("f4")
    assert np.allclose(lg.evaluate(net, x, values=values), np.maximum(x @ W + B, 0), atol=1e-6)


def test_a_network_is_trained_on_from_its_values():
    net, values = lg.from_onnx(layer())
    x = RNG.normal(size=(32, 3)).astype("f4")
    data = (x, np.maximum(x @ W + B + 0.5, 0))
    run = lg.supervised(net, lg.mse, lg.adam(0.05)).fit(data, epochs=60, start=values, progress=False)
    assert run.history[-1]["loss"] < 0.02 * run.history[0]["loss"]


def test_sizes_that_a_file_leaves_open_are_given():
    net, _ = lg.from_onnx(layer(), sizes={"N": 5})
    assert (net.dom, net.cod) == (lg.Real(5, 3), lg.Real(5, 4))
    assert lg.from_onnx(layer(), sizes={"x": (2, 3)}).model.dom == lg.Real(2, 3)
    assert lg.from_onnx(layer(1), batch=True).model.dom == lg.Real(3)
    assert lg.from_onnx(layer(1)).model.dom == lg.Real(1, 3)
    with pytest.raises(
        BadValue, match=r"^the input 'x' of the ONNX model has the shape \[N, 3\], and sizes are fixed here: give sizes={'N': …}$"
    ):
        lg.from_onnx(layer(), batch=False)
    with pytest.raises(BadValue, match=r"has the shape \[x\.0, 3\], and sizes are fixed here: give sizes={'x': \(…\)}$"):
        lg.from_onnx(layer(None), batch=False)
    with pytest.raises(BadValue, match=r"^sizes has no 'M', only "):
        lg.from_onnx(layer(), sizes={"M": 5})
    with pytest.raises(TypeMismatch, match=r"^the shape of the input 'x' of the ONNX model must be \[N, 3\], got \[2, 4\]$"):
        lg.from_onnx(layer(), sizes={"x": (2, 4)})


def test_weights_are_frozen_on_request():
    net, values = lg.from_onnx(layer(), frozen=True)
    assert [p.role for p in net.params] == [Role.STATE] * 2 and [*values] == ["W", "b"]


def test_what_has_no_meaning_is_refused_with_its_node():
    with pytest.raises(TypeMismatch, match=r"^Det 'the Det' has no meaning here: export the network without it$"):
        lg.from_onnx(model([node("Det", "x", "y")], [value("x", [2, 2])], [value("y", [])]))
    with pytest.raises(TypeMismatch, match=r"^own.Strange 'the Strange' has no meaning here: export the network without it$"):
        lg.from_onnx(model([node("Strange", "x", "y", domain="own")], [value("x", [2])], [value("y", [2])]))
    with pytest.raises(TypeMismatch, match=r"^Add 'the Add': f32\[2\] and f32\[3\] cannot be spread to one shape$"):
        lg.from_onnx(model([node("Add", "x z", "y")], [value("x", [2]), value("z", [3])], [value("y", [3])]))


def test_inputs_become_constants_on_request():
    net = model([node("Reshape", "x shape", "y")], [value("x", ["A", "B"]), value("shape", [2], "i8")], [value("y", None)])
    x = np.arange(6, dtype="f4")
    assert run(net, x.reshape(2, 3), constants={"shape": [3, 2]}, sizes={"A": 2, "B": 3}).tolist() == x.reshape(3, 2).tolist()
    told = r"^Reshape 'the Reshape' has the shape that is computed from data, and shapes are fixed here: "
    with pytest.raises(TypeMismatch, match=rf"{told}give the input a value by constants={{…}}$"):
        run(net, sizes={"A": 2, "B": 3})
    with pytest.raises(TypeMismatch, match=r"^the shape of the constant 'shape' must be \[2\], got \[3\]$"):
        run(net, constants={"shape": [1, 2, 3]})
    with pytest.raises(BadValue, match=r"^the constant 'shape' must be an array of int64, got \[1\.5, 2\]$"):
        run(net, constants={"shape": [1.5, 2]})
    with pytest.raises(BadValue, match=r"^constants has no 'shap', only x, shape: did you mean 'shape'\?$"):
        run(net, constants={"shap": [1, 2]})


def test_sizes_of_constants_are_those_of_other_inputs():
    net = model([node("Add", "x z", "y")], [value("x", ["N"]), value("z", ["N"])], [value("y", ["N"])])
    assert lg.from_onnx(net, constants={"z": np.ones(5, "f4")}).model.dom == lg.Real(5)


def test_what_is_computed_from_weights_is_trained():
    nodes = [node("Transpose", "W", "V"), node("Mul", "V two", "U"), node("MatMul", "x U", "y")]
    net = model(nodes, [value("x", [4])], [value("y", [3])], {"W": W, "two": np.float32(2)})
    found, values = lg.from_onnx(net)
    assert found.names == ("W",)
    x = RNG.normal(size=4).astype("f4")
    assert np.allclose(lg.evaluate(found, x, values=values), x @ W.T * 2, atol=1e-6)
    assert np.allclose(lg.evaluate(found, x, values={"W": 3 * W}), 3 * (x @ W.T * 2), atol=1e-5)


def test_files_without_initializers_have_their_weights_in_constants():
    nodes = [node("Constant", "", "w", value=numpy_helper.from_array(B)), node("Constant", "", "k", value_float=2.0)]
    nodes += [node("Mul", "w k", "v"), node("Add", "x v", "y")]
    found, values = lg.from_onnx(model(nodes, [value("x", [4])], [value("y", [4])]))
    assert [(p.label, p.role) for p in found.params] == [("w", Role.WEIGHT)] and values["w"].tolist() == B.tolist()
    found, _ = lg.from_onnx(model(nodes, [value("x", [4])], [value("y", [4])], {"other": W}))
    assert [p.role for p in found.params] == [Role.STATE]


def test_statistics_are_not_trained():
    stored = {name: np.array(v, "f4") for name, v in {"scale": [1, 2], "shift": [3, 4], "mean": [5, 6], "variance": [7, 8]}.items()}
    net = model([node("BatchNormalization", "x scale shift mean variance", "y")], [value("x", ["N", 2])], [value("y", ["N", 2])], stored)
    found, _ = lg.from_onnx(net)
    assert {p.label: p.role.value for p in found.params} == {"scale": "weight", "shift": "weight", "mean": "state", "variance": "state"}


def test_shapes_are_known_and_what_is_computed_from_them():
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axes", "n1"), node("Concat", "n1 rest", "to", axis=0),
        node("Reshape", "x to", "y"),
    ]  # fmt: skip
    stored = {"zero": np.int64(0), "axes": np.array([0]), "rest": np.array([-1])}
    net = model(nodes, [value("x", ["N", 2, 3])], [value("y", ["N", 6])], stored)
    found, values = lg.from_onnx(net)
    assert (found.dom, found.cod, found.names, values) == (lg.Real(2, 3), lg.Real(6), (), {})


def test_names_that_are_no_names_here_are_changed():
    stored = {"a\tb": np.array([1, 2], "f4"), "a?b": np.array([3, 4], "f4"), "x" * 5000: np.array([5, 6], "f4")}
    sums = [helper.make_node("Sum", ["x", *stored], ["y"])]
    found, _ = lg.from_onnx(model(sums, [value("x", [2])], [value("y", [2])], stored))
    assert found.names[1] == "a?b" and "\t" not in found.names[0] and len(found.names[2]) == 190


def test_functions_of_the_file_are_unfolded():
    scale = helper.make_attribute("by", 3.0)
    body = [helper.make_node("Constant", [], ["k"]), node("Mul", "v k", "w")]
    body[0].attribute.add(name="value_float", ref_attr_name="by", type=onnx.AttributeProto.FLOAT)
    triple = helper.make_function("own", "Triple", ["v"], ["w"], body, [helper.make_opsetid("", 21)], attribute_protos=[scale])
    nodes = [node("Triple", "x", "t", domain="own"), node("Triple", "t", "y", domain="own", by=-1.0)]
    x = np.array([1, 2], "f4")
    assert run(model(nodes, [value("x", [2])], [value("y", [2])], functions=[triple]), x).tolist() == [-3, -6]


def test_operators_that_the_standard_defines_by_others_are_unfolded():
    x = RNG.normal(size=(2, 3)).astype("f4")
    net = model([node("MeanVarianceNormalization", "x", "y", axes=[1])], [value("x", [2, 3])], [value("y", [2, 3])])
    assert np.allclose(run(net, x), (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), atol=1e-5)
