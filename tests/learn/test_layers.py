"""Layers: their formulas, names, families, and how they are put one after the other."""

import ast

import numpy as np
import pytest
from numerics import evaluate, reals

import lensgrad as lg
from lensgrad.cat.para import para
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.layers.activations import ACTIVATIONS
from lensgrad.theories.smooth import ops


def test_dense_is_linear_bias_activation():
    model = lg.dense(3, 2, activation="tanh", dtype="float64")
    assert model.names == ("weight", "bias")
    assert [p.ob for p in model.params] == [lg.Real(2, 3, dtype="float64"), lg.Real(2, dtype="float64")]
    w, b, x = reals(0, (2, 3), (2,), (3,))
    np.testing.assert_allclose(evaluate(model.arrow, w, b, x), np.tanh(w @ x + b), rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("exp", np.exp),
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum()),
        ("tanh", np.tanh),
    ],
)
def test_activations_by_name(name, formula):
    (x,) = reals(1, (4,))
    model = lg.dense(4, 4, activation=name, use_bias=False, dtype="float64")
    np.testing.assert_allclose(evaluate(model.arrow, np.eye(4), x), formula(x), rtol=1e-14)


def test_an_activation_may_be_any_family():
    assert lg.dense(2, 2, activation=ops.sin).cod == lg.Real(2)


def test_a_dense_family_infers_its_input_and_dtype():
    assert lg.input(5, dtype="float64") >> lg.dense(2) == lg.input(5, dtype="float64") >> lg.dense(5, 2, dtype="float64")
    assert repr(lg.dense(2)) == "dense" and repr(lg.dense(2, name="out")) == "out"


def test_sequential_is_composition():
    layers = lg.input(2, 3), lg.flatten(), lg.dense(4, activation="relu"), lg.relu, lg.dense(4, 1)
    chained = layers[0] >> layers[1] >> layers[2] >> layers[3] >> layers[4]
    assert lg.sequential(*layers) == chained and chained.cod == lg.Real(1)


def test_sequential_families_wait_for_their_type():
    body = lg.sequential(lg.dense(4), lg.relu, lg.dense(2, name="out"))
    assert lg.input(3) >> body == lg.input(3) >> lg.dense(4) >> lg.relu >> lg.dense(2, name="out")


def test_input_is_the_identity():
    assert lg.input(2, 3) == para(Diagram.id(lg.Real(2, 3)))


def test_flatten_is_row_major():
    assert evaluate((lg.input(2, 3) >> lg.flatten()).arrow, np.arange(6).reshape(2, 3)).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_layer_is_one_box():
    model = lg.dense(2, 3, name="hidden") >> lg.dense(3, 1)
    assert [str(n.op) for n in model.arrow.nodes] == ["hidden", "dense"]


def test_wrong_arguments_are_refused():
    for sizes in ("", "1, 2, 3", "0, 3", "3, -1", "2.0", "True"):
        with pytest.raises(BadValue) as error:
            lg.dense(*(ast.literal_eval(f"({sizes},)") if sizes else ()))
        assert str(error.value) == f"dense expects dense(outputs) or dense(inputs, outputs) with whole numbers ≥ 1, got dense({sizes})"
    with pytest.raises(BadValue) as error:
        lg.dense(2, 2, activation="rellu")
    known = ", ".join(sorted(ACTIVATIONS))
    assert str(error.value) == f"'rellu' is no activation; use one of {known}, or any arrow A → B: did you mean 'relu'?" and "relu" in known
    with pytest.raises(BadValue) as error:
        lg.sequential()
    assert str(error.value) == "sequential needs at least one layer"


def test_a_dense_layer_wants_one_axis_of_floats():
    with pytest.raises(TypeMismatch) as error:
        lg.input(8, 8) >> lg.dense(3)
    fix = "put lg.flatten() before it, or write lg.each(lg.dense(…)) for one result a row"
    assert str(error.value) == f"dense(3) expects one axis of features, got f32[8,8]: {fix}"
    for ob in (lg.Int(4), lg.Bits(2), lg.Real(2) @ lg.Real(2)):
        with pytest.raises(TypeMismatch) as error:
            para(Diagram.id(ob)) >> lg.dense(3)
        assert str(error.value) == f"dense expects one array of floats, got {ob}"
