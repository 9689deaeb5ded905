"""From a closed lens to a step: what it returns, what it reports, and what it refuses."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter
from lensgrad.lens import corner, lens, rate
from lensgrad.program.compile import compile, program

MODEL = lg.dense(3, 2, dtype="float64")
TASK = corner(lg.Real(3, dtype="float64"), "x") >> MODEL >> lg.half_squared_error("y")
CLOSED = (lens(TASK) >> rate(0.5)).reparam({"weight": lg.momentum(0.5)})
VALUES = {"x": [1.0, 2.0, 3.0], "weight": np.zeros((2, 3)), "weight.velocity": np.ones((2, 3)), "bias": [1.0, 1.0], "y": [0.0, 0.0]}


def test_a_step_returns_what_has_an_optimizer_and_reports_the_rest():
    step = compile(CLOSED)
    assert [(p.name, str(p.ob), p.role) for p in step.inputs] == [
        ("x", "f64[3]", Role.DATA),
        ("weight.velocity", "f64[2,3]", Role.STATE),
        ("weight", "f64[2,3]", Role.WEIGHT),
        ("bias", "f64[2]", Role.WEIGHT),
        ("y", "f64[2]", Role.DATA),
    ]
    assert [p.name for p in step.outputs] == ["weight.velocity", "weight", "loss"]
    found = step(VALUES)
    velocity = 0.5 + 0.5 * np.outer([1, 1], [1, 2, 3])
    np.testing.assert_array_equal(found["weight.velocity"], velocity)
    np.testing.assert_array_equal(found["weight"], -velocity)
    assert found["loss"] == 1.0


def test_definitions_are_unfolded_and_origins_kept():
    assert {n.origin for n in compile(CLOSED).diagram.nodes} >= {("dense",)}


def test_other_parameters_may_be_asked_for():
    found = compile(CLOSED, returned=["bias", "x"])(VALUES)
    assert list(found) == ["x", "bias", "loss"] and found["bias"].tolist() == [0.5, 0.5]
    with pytest.raises(UnknownParameter) as error:
        compile(CLOSED, returned=["weights"])
    assert str(error.value) == "the step cannot return 'weights'; this lens has: x, weight.velocity, weight, bias, y"


def test_every_input_is_checked():
    with pytest.raises(TypeMismatch) as error:
        compile(CLOSED)({**VALUES, "y": np.zeros((2, 1))})
    told = "'y' expects f64[2], got an array of shape (2, 1)"
    assert str(error.value) == f"{told}: they differ in axes of length 1, and nothing is broadcast silently; reshape it to (2,)"
    with pytest.raises(UnknownParameter, match="no value for 'bias' : f64\\[2\\]"):
        compile(CLOSED)({n: v for n, v in VALUES.items() if n != "bias"})


def test_a_step_is_made_of_a_closed_lens():
    for open_one, told in (
        (lens(TASK), "I → (f64[], Δf64[])"),
        (TASK, "I → f64[]"),
        (lens(MODEL), "(f64[3], Δf64[3]) → (f64[2], Δf64[2])"),
    ):
        with pytest.raises(TypeMismatch) as error:
            compile(open_one)
        assert str(error.value) == f"compile expects a closed lens I → I (model, loss, rate), got {told}; end it with a rate"


def test_a_parametric_arrow_is_a_program_by_names():
    made = program(MODEL, input_name="x")
    assert made({"x": [1, 2, 3], "weight": np.ones((2, 3)), "bias": [0, 1]})["output"].tolist() == [6, 7]
    assert list(program(TASK, output_name="task")(VALUES)) == ["task", "loss"]


def test_an_unknown_backend_lists_the_known_ones():
    learner = lg.supervised(MODEL, lg.mse, lg.descent)
    with pytest.raises(BadValue) as error:
        learner.fit((np.zeros((1, 3)), np.zeros((1, 2))), backend="cuda", progress=False)
    assert str(error.value).startswith("'cuda' is no backend here; use one of ") and "numpy" in str(error.value)


def test_source_names_its_inputs_after_the_parameters():
    text = compile(CLOSED).source("step", "One step.")
    assert 'def step(x, weight_velocity, weight, bias, y):\n    """One step."""\n' in text
    space = {}
    exec(text, space)
    found = space["step"](*(np.asarray(VALUES[p.name], "float64") for p in compile(CLOSED).inputs))
    assert [np.asarray(f).tolist() for f in found] == [np.asarray(v).tolist() for v in compile(CLOSED)(VALUES).values()]
