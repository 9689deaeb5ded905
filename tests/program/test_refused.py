"""Wrong calls of what makes programs and lenses are told in sentences."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.lens import Lens
from lensgrad.cat.para import corner, lens, observe, share
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, LensgradError, TypeMismatch
from lensgrad.program.compile import compile, program

MODEL = lg.sequential(lg.input(4), lg.dense(3))
PLAIN = Diagram.id(lg.Real(3))
CLOSED = "compile expects a closed lens I → I (model, loss, rate), got"
UNTYPED = "has no type before it meets one: begin with lg.input(…), or give it its object with .at(…)"
PAIRS = "is made of pairs (A, A′), as two(A), silent(A) and updated(A) make them, got"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: compile(PLAIN), f"{CLOSED} f32[3] → f32[3]; end it with a rate"),
        (lambda: compile(MODEL), f"{CLOSED} f32[4] → f32[3]; end it with a rate"),
        (lambda: compile(3), "what compile takes must be a model, or another parametric arrow, got 3"),
        (lambda: compile(lg.supervised(MODEL, lg.mse, lg.adam(0.1)).lens(), returned=3), "returned must be a list of names, got 3"),
        (lambda: program(lg.dense(3)), f"dense {UNTYPED}"),
        (lambda: program(MODEL)(3), "values must be given as a dict by name, got 3"),
        (
            lambda: program(MODEL)({"weight": [[1], [1, 2]]}),
            "'weight' needs f32[3,4], and [[1], [1, 2]] is no array of numbers: its rows may differ in length",
        ),
        (lambda: R(MODEL), f"R needs an arrow without parameters, got {MODEL!r}: that of a model is lens(model)"),
        (lambda: R(lg.relu), "R needs an arrow without parameters, got relu: give it its object first, with .at(…)"),
        (lambda: R(3), "R needs an arrow without parameters, got 3"),
        (lambda: lens(3), "what lens takes must be a model, or another parametric arrow, got 3"),
        (lambda: lens(lg.relu), f"relu {UNTYPED}"),
        (lambda: Lens.of(3), "a lens (f, R[f]) needs an arrow without parameters, got 3"),
        (lambda: Lens(lg.Real(3), lg.Real(3), PLAIN, PLAIN), f"the domain of a lens {PAIRS} f32[3]"),
        (lambda: Lens(3, 3, PLAIN, PLAIN), f"the domain of a lens {PAIRS} 3"),
        (lambda: corner(4, "x"), "what a corner gives must be an object, such as lg.Real(3), got 4"),
        (lambda: observe("a", 3), "what is observed must be an object, such as lg.Real(3), got 3"),
        (lambda: share(3), "what is shared must be a model, or another parametric arrow, got 3"),
        (lambda: share(MODEL, 1.5), "the number of copies that share must be a whole number ≥ 1, got 1.5"),
        (lambda: lg.merge(MODEL, 3, {}), "points must be a dict from patterns to points, as reparam takes it, got 3"),
        (lambda: lg.merge(MODEL, {}, 3), "values must be a dict by name, got 3"),
        (lambda: lg.optimizer_memory(3), "optimizer_memory expects an optimizer, such as lg.adam(1e-3), got 3"),
        (lambda: lg.optimizer_memory(lg.adam(0.1), 3), "the shape of a weight must be a tuple of sizes, got 3"),
        (lambda: lg.magnitude_mask([[1], [1, 2]], 0.5), "magnitude_mask expects an array of numbers, got [[1], [1, 2]]"),
    ],
)
def test_what_is_wrong_is_one_sentence(call, told):
    with pytest.raises(LensgradError) as error:
        call()
    assert str(error.value) == told and isinstance(error.value, BadValue | TypeMismatch)


def test_a_plain_arrow_is_a_parametric_one_and_numpys_numbers_are_numbers():
    assert lens(PLAIN).dom == lens(MODEL >> PLAIN).cod and program(PLAIN)({"input": [1, 2, 3]})["output"].tolist() == [1, 2, 3]
    assert lg.magnitude_mask(np.ones(4, np.float32), np.float32(0.5)).sum() == 2
    assert share(MODEL, np.int64(2)) == share(MODEL, 2)


NAMES = {
    "a\nb": "is one line of readable text, and 'a\\nb' has the character '\\n'",
    "\udc80": "is one line of readable text, and '\\udc80' has the character '\\udc80'",
    "x" * 201: f"has 1 to 200 characters, got 201: {repr('x' * 201)[:59]}…",
    "": "has 1 to 200 characters, got 0: ''",
    3: "must be text, got 3",
}


@pytest.mark.parametrize("name", NAMES, ids=lambda n: ascii(n)[:12])
def test_names_are_refused_where_they_enter(name):
    """A scope, a corner, an observable, an input and a label: the same rule and the same words."""
    for use, what in (
        (lambda: MODEL.scope(name), "a scope"),
        (lambda: corner(lg.Real(3), name), "the name of a parameter"),
        (lambda: observe(name, lg.Real(3)), "the name of an observable"),
        (lambda: lg.supervised(MODEL, lg.mse, lg.sgd(0.1), label=name), "label"),
        (lambda: PLAIN.define(name), "the name of a box"),
    ):
        with pytest.raises(BadValue) as error:
            use()
        told = str(error.value)
        assert told.startswith((what, f"each level of {what}")), told
        if name and what != "label":
            assert told in (f"{what} {NAMES[name]}", f"each level of {what} {NAMES[name]}")
