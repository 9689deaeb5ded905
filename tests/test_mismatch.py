"""Arrows that do not meet: the error names both pieces, both types, the axis, and the fix with file and line."""

import sys

from refusals import told

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.ty import product
from lensgrad.lens import Diagram, lens, trace
from lensgrad.theories.smooth import ops


def line():
    """The number of the line it is called on."""
    return sys._getframe(1).f_lineno


def test_two_layers_that_do_not_meet():
    at, encoder, head = line(), lg.dense(7, 20, name="encoder"), lg.dense(19, 3, name="head")
    assert told(TypeMismatch, lambda: encoder >> head) == (
        "cannot compose  encoder >> head\n"
        "  encoder/out  gives  f32[20]\n"
        "  head/in      wants  f32[19]\n"
        "                          ^^ axis 0: 20 is not 19\n"
        f"  fix: dense(20, …) in head (test_mismatch.py:{at}), or dense(…, 19) in encoder (test_mismatch.py:{at})"
    )


def test_layers_without_names_are_called_by_their_kind():
    at, one, other = line(), lg.dense(7, 20), lg.dense(19, 3)
    assert told(TypeMismatch, lambda: one >> other) == (
        "cannot compose  dense >> dense\n"
        "  dense/out  gives  f32[20]\n"
        "  dense/in   wants  f32[19]\n"
        "                        ^^ axis 0: 20 is not 19\n"
        f"  fix: dense(20, …) in dense (test_mismatch.py:{at}), or dense(…, 19) in dense (test_mismatch.py:{at})"
    )


def test_the_ends_of_scoped_chains_are_named():
    encoder = (lg.dense(7, 8) >> lg.dense(8, 20)).scope("encoder")
    at, head = line(), (lg.dense(19, 3) >> lg.relu).scope("head").scope("net")
    assert told(TypeMismatch, lambda: encoder >> head) == (
        "cannot compose  encoder/dense >> net/head/dense\n"
        "  encoder/dense/out  gives  f32[20]\n"
        "  net/head/dense/in  wants  f32[19]\n"
        "                                ^^ axis 0: 20 is not 19\n"
        f"  fix: dense(20, …) in net/head/dense (test_mismatch.py:{at}), or dense(…, 19) in encoder/dense (test_mismatch.py:{at - 1})"
    )


def test_a_mismatch_inside_a_chain_names_the_two_that_meet():
    tail = lg.dense(5, 5, name="c") >> lg.dense(5, 5, name="d")
    text = told(TypeMismatch, lambda: lg.dense(3, 3, name="a") >> lg.dense(3, 4, name="b") >> tail)
    assert text.splitlines()[:3] == ["cannot compose  b >> c", "  b/out  gives  f32[4]", "  c/in   wants  f32[5]"]


def test_the_input_of_a_model_that_does_not_fit():
    at, model = line(), (lg.input(8), lg.dense(7, 20, name="encoder"))
    assert told(TypeMismatch, lambda: lg.sequential(*model)) == (
        "cannot compose  input >> encoder\n"
        "  input/out   gives  f32[8]\n"
        "  encoder/in  wants  f32[7]\n"
        "                         ^ axis 0: 8 is not 7\n"
        f"  fix: dense(8, …) in encoder (test_mismatch.py:{at}), or lg.input(7) in input (test_mismatch.py:{at})"
    )


def test_an_axis_further_inside_is_pointed_at():
    one, other = (trace(lambda x: ops.tanh(x), lg.Real(*shape)).named(name) for name, shape in (("f", (12, 5, 7)), ("g", (12, 55, 7))))
    assert told(TypeMismatch, lambda: one >> other) == (
        "cannot compose  f >> g\n"
        "  f/out  gives  f32[12,5,7]\n"
        "  g/in   wants  f32[12,55,7]\n"
        "                       ^^ axis 1: 5 is not 55\n"
        "  fix: make both sizes 5, or both 55"
    )


def test_another_rank_or_dtype_has_another_fix():
    fix = "  fix: make the two types equal, or put a reshape, flatten or cast between them"
    image = told(TypeMismatch, lambda: lg.input(8, 8) >> lg.dense(64, 3, name="head"))
    assert image == f"cannot compose  input >> head\n  input/out  gives  f32[8,8]\n  head/in    wants  f32[64]\n{fix}"
    wide = told(TypeMismatch, lambda: lg.input(8) >> lg.dense(8, 3, name="head", dtype="float64"))
    assert wide == f"cannot compose  input >> head\n  input/out  gives  f32[8]\n  head/in    wants  f64[8]\n{fix}"
    two_for_one = told(TypeMismatch, lambda: Diagram.copy(lg.Real(2)).named("copy") >> Diagram.id(lg.Real(2)).named("f"))
    drawn = "  copy ├─ f32[2] ──▶ f32[2] ─┤ f\n       ├─ f32[2] ─╳          │\n"
    assert two_for_one == f"cannot compose  copy >> f\n  copy/out  gives  f32[2] × f32[2]\n  f/in      wants  f32[2]\n{drawn}{fix}"


def test_ends_of_several_wires_are_drawn_wire_by_wire():
    ends = [Diagram.id(product(map(lg.Real, sizes))).named(name) for name, sizes in (("pair", (3, 20, 7)), ("head", (3, 2, 7, 4, 5, 6)))]
    assert told(TypeMismatch, lambda: ends[0] >> ends[1]).splitlines()[3:-1] == [
        "  pair ├─ f32[3] ───▶ f32[3] ─┤ head",
        "       ├─ f32[20] ─╳─ f32[2] ─┤",
        "       ├─ f32[7] ───▶ f32[7] ─┤",
        "       │           ╳─ f32[4] ─┤",
        "  … 2 more wires",
    ]
    pairs = lens(ends[0].named("x")), lens(ends[1].named("y"))
    assert "x ├─ (f32[3], Δf32[3])" in told(TypeMismatch, lambda: pairs[0] >> pairs[1])
    long = [end.named(letter * 45) for end, letter in zip(ends, "ab", strict=True)]
    assert "├" not in told(TypeMismatch, lambda: long[0] >> long[1])


def test_lenses_of_layers_keep_their_names_and_fixes():
    at, encoder, head = line(), lens(lg.dense(7, 20, name="encoder")), lens(lg.dense(19, 3, name="head"))
    assert told(TypeMismatch, lambda: encoder >> head) == (
        "cannot compose  encoder >> head\n"
        "  encoder/out  gives  (f32[20], Δf32[20])\n"
        "  head/in      wants  (f32[19], Δf32[19])\n"
        "                           ^^ axis 0: 20 is not 19\n"
        f"  fix: dense(20, …) in head (test_mismatch.py:{at}), or dense(…, 19) in encoder (test_mismatch.py:{at})"
    )


def test_arrows_without_names_are_called_by_what_they_are():
    square = trace(lambda x: x * x, lg.Real(2))
    text = told(TypeMismatch, lambda: square >> trace(lambda x: x * x + x, lg.Real(3)) >> square)
    assert text.splitlines()[0] == "cannot compose  Mul >> (f32[3] → f32[3])"


def test_chains_of_arrows_name_the_two_that_meet():
    f, g, h = (Diagram.copy(lg.Real(2)).named(name) for name in "fgh")
    end = Diagram.id(lg.Real(3)).named("end")
    text = told(TypeMismatch, lambda: (f >> (g @ h).named("both")) >> (end >> end.named("last")))
    assert text.splitlines()[0] == "cannot compose  both >> end"


def test_circuits_that_do_not_meet():
    text = told(TypeMismatch, lambda: lg.lookup(2, 3) >> lg.lookup(2))
    assert text.splitlines()[1:4] == [
        "  lookup/out  gives  Z2[3]",
        "  lookup/in   wants  Z2[2]",
        "                        ^ axis 0: 3 is not 2",
    ]
