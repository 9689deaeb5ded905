# ruff: noqa: E501  a table of sentences
"""What may stand where a layer does, how layers are put together, and what each says when it is none."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from layer_checks import at, inputs, outputs, real

import lensgrad as lg
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter, WireError
from lensgrad.lens import parametric

X = np.linspace(-1, 1, 4)


def swish(x):
    """x · sigmoid(x)."""
    return x * lg.ops.sigmoid(x)


def prelu(dom):
    slope = lg.weight("slope", dom, lg.constant(0.25))
    return parametric([slope], dom, lambda a, x: lg.ops.maximum(x, 0.0) + a * lg.ops.minimum(x, 0.0))


def test_a_function_is_a_layer_and_an_activation():
    model = lg.sequential(lg.input(4), swish, lg.dense(3, swish), lambda x: x * 2.0)
    assert [str(n.op) for n in model.arrow.nodes] == ["swish", "dense", "function"]
    assert lg.dense(4, 3, activation=swish) == lg.dense(4, 3, swish) != lg.dense(4, 3)
    np.testing.assert_allclose(lg.evaluate(lg.sequential(lg.input(4, dtype="float64"), swish), X), X / (1 + np.exp(-X)))


def test_a_layer_with_parameters_of_ones_own():
    model = lg.sequential(lg.input(4), lg.layer("prelu", prelu, name="act"), lg.dense(2))
    assert model.names == ("act/slope", "weight", "bias")
    found = lg.evaluate(at(lg.layer("prelu", prelu), real(4)), X, values={"slope": np.full(4, 0.5)})
    np.testing.assert_allclose(found, np.where(X > 0, X, 0.5 * X))


def test_a_learner_of_own_parts_trains():
    model = lg.sequential(lg.input(4), lg.dense(8, swish), lg.layer("prelu", prelu), lambda x: x * 1.0, lg.dense(3))
    run = lg.supervised(model, lg.cross_entropy, lg.adam(0.05)).fit(lg.data.iris(), epochs=3, batch_size=30, progress=False)
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_lists_names_and_uncalled_families_are_layers():
    plain = lg.sequential(lg.input(2, 3), lg.flatten(), lg.dense(3), lg.relu)
    assert lg.sequential([lg.input((2, 3)), lg.flatten, [lg.dense(3), "relu"]]) == plain
    assert lg.sequential(lg.input(2, 3), lg.flatten, lg.dense(3), lg.relu()) == plain
    assert lg.dense(np.int64(4), 3, "tanh") == lg.dense(4, np.int32(3), activation="tanh")
    assert lg.conv2d(np.int64(2), (np.int32(3), 3)).at(lg.Real(5, 5, 1)) == lg.conv2d(2, 3).at(lg.Real(5, 5, 1))
    assert lg.dropout(np.float64(0.5)).at(lg.Real(3)) == lg.dropout(0.5).at(lg.Real(3))


def test_fork_add_and_concatenate():
    f = at(lg.fork(lg.dense(3, name="a"), lg.dense(3, name="b"), lg.dense(3, name="c")) >> lg.add(), real(4))
    wa, ba, wb, bb, wc, bc, x = values = inputs(f)
    np.testing.assert_allclose(outputs(f, values)[0], (wa + wb + wc) @ x + ba + bb + bc)
    assert f.names == ("a/weight", "a/bias", "b/weight", "b/bias", "c/weight", "c/bias")
    rows = np.arange(6.0).reshape(2, 3)
    joined = at(lg.fork("relu", lambda x: x * 2.0) >> lg.concatenate(0), real(2, 3))
    assert np.array_equal(outputs(joined, [rows])[0], np.concatenate([rows, 2 * rows]))
    assert at(lg.fork("relu", "tanh") >> lg.concatenate(), real(2, 3)).cod == real(2, 6)


def test_a_shortcut_projects():
    f = at(lg.residual(lg.dense(3, "tanh"), shortcut=lg.dense(3, use_bias=False)), real(4))
    w, b, s, x = values = inputs(f)
    assert f.names == ("weight", "bias", "shortcut/weight")
    np.testing.assert_allclose(outputs(f, values)[0], np.tanh(w @ x + b) + s @ x)


def test_a_part_of_a_model_has_the_names_and_values_of_the_whole():
    model = lg.sequential(lg.input(4), lg.dense(6, "relu", name="hidden"), lg.dropout(0.5), lg.batch_norm(), lg.dense(3), lg.dense(2))
    run = lg.supervised(model, lg.mse, lg.sgd(0.1)).fit((np.ones((8, 4)), np.ones((8, 2))), epochs=2, batch_size=4, progress=False)
    x, v = np.array([1.0, -2.0, 0.5, 3.0], np.float32), run.values
    hidden = np.maximum(v["hidden/weight"] @ x + v["hidden/bias"], 0)
    np.testing.assert_allclose(lg.evaluate(lg.upto(model, "hidden"), x, values=v), hidden, rtol=1e-6)
    np.testing.assert_allclose(lg.evaluate(lg.upto(model, "dense.1"), x, values=v), run.predict(x[None])[0], rtol=1e-5)
    assert "weight.1" not in lg.upto(model, "dense.0").names and "weight.0" in lg.upto(model, "dense.0").names


def test_numbers_of_an_arrow():
    assert lg.evaluate(lg.relu, -2.0) == 0.0 and lg.evaluate(lambda x, y: x * y, 3, 4) == 12
    assert lg.evaluate(lg.dense(2, 1), [1, 2], values={"weight": [[3, 4]], "bias": [5]}) == [16.0]
    assert [float(v) for v in lg.evaluate(lg.fork("relu", "tanh"), 0.0)] == [0.0, 0.0]


ADD = "layers and arrows have no + of their own: write f >> g for one after the other"
NOT_A_LAYER = "a layer, a function on wires, or the name of an activation, got"


@pytest.mark.parametrize(
    ("kind", "call", "text"),
    [
        (TypeMismatch, lambda: lg.sequential(lg.input(3), 3), f"layer 2 of sequential must be {NOT_A_LAYER} 3"),
        (TypeMismatch, lambda: lg.sequential(lg.input(3), lg.dense), "lg.dense makes layers when it is called, and here it stands uncalled: write lg.dense(…)"),
        (TypeMismatch, lambda: lg.dense(3, activation=3), f"an activation must be {NOT_A_LAYER} 3"),
        (TypeMismatch, lambda: lg.fork(3).at(lg.Real(2)), f"branch 1 of fork takes {NOT_A_LAYER} 3"),
        (TypeMismatch, lambda: lg.dense(4, 8) + lg.dense(8, 3), f"{ADD}; residual(f) is x + f(x), and fork(f, g) >> add() is f(x) + g(x)"),
        (TypeMismatch, lambda: lg.relu | lg.dense(8), "layers and arrows are put together with >>: write f >> g for one after the other, f @ g for side by side"),
        (TypeMismatch, lambda: lg.sequential(lg.input(3))[:1], "layers and arrows have no parts by number: upto(model, 'hidden') is the part up to a layer, and sequential(*layers[:2]) the first two of a list"),
        (TypeMismatch, lambda: lg.sequential(lg.input(3), lambda x, m: x), "function(x, m) is called with one wire for each array, and here it meets f32[3]"),
        (TypeMismatch, lambda: at(lg.layer("odd", lambda dom: 3), real(3)), "the function that builds 'odd' must return a parametric arrow, made by lens.parametric, got 3"),
        (TypeMismatch, lambda: at(lg.fork("relu", lg.dense(2)) >> lg.add(), real(3)), "add expects arrays of one type, got f64[3] × f64[2]: a dense layer or a cast in front makes them equal"),
        (TypeMismatch, lambda: at(lg.fork("relu", lg.dense(2)) >> lg.concatenate(1), real(3)), "concatenate joins arrays along axis 1, and f64[3] × f64[2] have no such axis in common: reshape them first"),
        (TypeMismatch, lambda: at(lg.layer_norm(), real(2, 0)), "layer_norm has nothing to normalize in f64[2,0]: an axis is empty"),
        (BadValue, lambda: at(lg.layer_norm(axes=2), real(2, 3)), "an axis of layer_norm must be a whole number from -2 to 1, got 2"),
        (BadValue, lambda: lg.dropout(0.5, name=1), "the name of dropout must be text, got 1"),
        (BadValue, lambda: lg.max_pool2d(np.ones(2)), "the size of max_pool2d expects a whole number ≥ 1, or 2 of them, got array([1., 1.])"),
        (BadValue, lambda: lg.embedding(np.ones(2), 3), "embedding: vocabulary must be a whole number ≥ 1, got array([1., 1.])"),
        (BadValue, lambda: lg.gru(np.ones(2)), "gru: units must be a whole number ≥ 1, got array([1., 1.])"),
        (BadValue, lambda: lg.multi_head_attention(np.ones(2)), "multi_head_attention: heads must be a whole number ≥ 1, got array([1., 1.])"),
        (BadValue, lambda: lg.repeat(lg.dense(3), np.ones(2)), "repeat: n must be a whole number ≥ 1, got array([1., 1.])"),
        (BadValue, lambda: lg.layer_norm(epsilon=np.ones(2)), "the epsilon of layer_norm must be a number ≥ 0, got array([1., 1.])"),
        (BadValue, lambda: lg.conv_transpose(2, 3, padding="same", output_padding=1), "conv_transpose with padding='same' gives n · stride entries, so it takes no output_padding, got 1"),
        (UnknownParameter, lambda: lg.upto(lg.input(4) >> lg.dense(3, name="head"), "haed"), "no layer 'haed' to stop after; this model has: head: did you mean 'head'?"),
        (UnknownParameter, lambda: lg.evaluate(lg.dense(2, 1), [1, 2]), "this arrow has parameters (weight, bias): give values={…} by name, here without 'weight'"),
        (TypeMismatch, lambda: lg.evaluate(lg.relu.at(lg.Real(2)), [1.0]), "'the input' expects f32[2], got an array of shape (1,): give it in the shape (2,)"),
        (TypeMismatch, lambda: lg.evaluate(lg.relu.at(lg.Real(2))), "this arrow expects f32[2], 1 arrays, got 0"),
        (TypeMismatch, lambda: lg.evaluate(3, 4), "evaluate expects an arrow, a layer or a function on wires, got 3"),
        (WireError, lambda: lg.relu(2.0), "relu must be applied to wires of a traced function, got float 2.0: make it an argument or a parameter, or ask lg.evaluate(…) for numbers"),
    ],
)  # fmt: skip
def test_sentences(kind, call, text):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == text


BARE = """
import sys
for absent in ("sklearn", "jax", "torch", "scipy", "pandas", "onnx", "PIL", "matplotlib", "tensorboard"):
    sys.modules[absent] = None
import inspect
import lensgrad
names = [n for n in lensgrad.__all__ if not hasattr(lensgrad, n)]
members = dict(inspect.getmembers(lensgrad))
from lensgrad import *
from lensgrad import CircuitClassifier
print(names, "dense" in members, hasattr(lensgrad, "LensClassifier"), hasattr(lensgrad, "nothing"))
try:
    CircuitClassifier()
except lensgrad.LensgradError as error:
    print(error)
"""


def test_the_door_opens_without_extras():
    ran = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True)
    told = "CircuitClassifier needs scikit-learn 1.6 or newer, which is not installed: pip install 'lensgrad[sklearn]'"
    assert (ran.stdout, ran.stderr) == (f"[] True True False\n{told}\n", "")


def test_each_family_has_its_own_help():
    families = [v for v in vars(lg).values() if isinstance(v, Family)]
    assert len({inspect.getdoc(f) for f in families}) == len(families) >= 15
    assert inspect.getdoc(lg.relu) == "max(x, 0) : A → A, entry by entry; its derivative at 0 is 0."
