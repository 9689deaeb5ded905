"""Networks in ONNX files as models."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadValue, TypeMismatch

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(3, 4)).astype("f4"), RNG.normal(size=4).astype("f4")


def value(name, shape, kind=onnx.TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, stored=(), opset=21):
    """A model of nodes, such as `("Add", "x b", "y", {})`."""
    made = [helper.make_node(op, a.split(), b.split(), name=f"the {op}", **named) for op, a, b, named in nodes]
    graph = helper.make_graph(made, "g", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in dict(stored).items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def layer(first="N"):
    nodes = [("MatMul", "x W", "t", {}), ("Add", "t b", "u", {}), ("Relu", "u", "y", {})]
    return model(nodes, [value("x", [first, 3])], [value("y", [first, 4])], {"W": W, "b": B})


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
        lg.from_onnx(model([("Det", "x", "y", {})], [value("x", [2, 2])], [value("y", [])]))
