"""Whose summary there is, and what is said where there is none."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch
from lensgrad.lens import parametric

UNTYPED = "has no type before it meets one: begin with lg.input(…), or give it its object with .at(…)"
MODEL = lg.sequential(lg.input(4), lg.dense(3, name="first"), lg.relu, lg.dense(2))


def test_the_summary_of_a_learner_and_of_a_run_is_that_of_the_model():
    learner = lg.supervised(MODEL, lg.mse, lg.sgd(0.1))
    run = learner.fit((np.ones((4, 4)), np.ones((4, 2))), progress=False)
    assert lg.summary(learner) == lg.summary(run) == lg.summary(MODEL)
    assert run.summary().startswith(lg.summary(MODEL))
    assert lg.summary(Diagram.id(lg.Real(3))).startswith("f32[3] → f32[3]\n")


def test_a_layer_gives_what_comes_out_and_not_its_states():
    rows = str(lg.summary(lg.sequential(lg.input(4), lg.dense(4), lg.batch_norm()))).splitlines()
    assert [row.split("  ")[1:] and row.split()[1] for row in rows if row.startswith("batch_norm")] == ["f32[4]"]


def test_what_is_made_of_parameters_alone_belongs_to_the_generator_that_reads_it():
    model = parametric([lg.weight("w", lg.Real(12))], lg.Real(4), lambda w, x: lg.ops.einsum("ij,j->i", lg.ops.reshape(w, 3, 4), x))
    rows = [line.split() for line in str(lg.summary(model)).splitlines()[3:]]
    assert rows == [["Einsum", "f32[3]", "12", "48", "24", "24"], ["w", "f32[12]", "12", "48"], ["total", "12", "48", "24", "24"]]
    given = parametric([lg.weight("w", lg.Real(3))], lg.Real(3), lambda w, x: (x + x, w * w))
    assert [line.split()[0] for line in str(lg.summary(given)).splitlines()[3:]] == ["Mul", "w", "between", "total"]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (lg.adam(1e-3), "summary expects a model, a learner or a run, got "),
        (lg.dense(3), f"dense {UNTYPED}"),
        (
            lg.dense(3) >> lg.relu,
            "dense >> relu has no type before it meets one: begin with lg.input(…), or give it its object with .at(…)",
        ),
        (3, "summary expects a model, a learner or a run, got 3"),
        (None, "summary expects a model, a learner or a run, got None"),
        (np.ones(3), "summary expects a model, a learner or a run, got array([1., 1., 1.])"),
        (lg.mse, "summary expects a model, a learner or a run, got <function mse"),
        (
            lg.supervised(MODEL, lg.mse, lg.sgd(0.1)).lens(),
            "a summary is of a model; this is the lens of a learner, whose model is `learner.model`",
        ),
    ],
)
def test_what_has_no_summary_says_so(what, told):
    with pytest.raises(TypeMismatch) as error:
        lg.summary(what)
    assert str(error.value).startswith(told)
