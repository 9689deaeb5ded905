"""Branches and loops of ONNX files."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch
from tests.interchange.onnx_files import graph, model, node, value

X = np.array([1.0, 2.0], "f4")


def run(net, *xs, **how):
    found, values = lg.from_onnx(net, batch=False, **how)
    return lg.evaluate(found, *xs, values=values)


def branches():
    then = graph([node("Add", "x w", "a")], [], [value("a", [2])], {"w": np.array([10, 20], "f4")})
    other = graph([node("Neg", "x", "b")], [], [value("b", [2])])
    return model([node("If", "c", "y", then_branch=then, else_branch=other)], [value("x", [2]), value("c", [], "b1")], [value("y", [2])])


def test_a_known_condition_takes_its_branch():
    yes, _ = lg.from_onnx(branches(), constants={"c": True})
    no, _ = lg.from_onnx(branches(), constants={"c": False})
    assert yes.names == ("If.0/w",) and no.names == ()
    assert run(branches(), X, constants={"c": True}).tolist() == [11, 22]


def test_a_condition_of_data_chooses_between_both():
    assert [run(branches(), X, np.array(c)).tolist() for c in (True, False)] == [[11, 22], [-1, -2]]


def loop(rounds, **inputs):
    """c ← c · w + t and x · c for each round t."""
    body = graph(
        [
            node("Mul", "c w", "d"), node("Cast", "t", "f", to=1), node("Add", "d f", "e"), node("Mul", "e x", "row"),
            node("Identity", "going", "still"),
        ],
        [value("t", [], "i8"), value("going", [], "b1"), value("c", [2])],
        [value("still", [], "b1"), value("e", [2]), value("row", [2])],
        {"w": np.array([0.5, -0.5], "f4")},
    )  # fmt: skip
    given = [value("x", [2]), *([] if rounds is not None else [value("m", [], "i8")])]
    stored = {} if rounds is None else {"m": np.int64(rounds)}
    return model([node("Loop", "m . x", "last rows", body=body)], given, [value("last", [2]), value("rows", None)], stored)


def by_hand(rounds):
    c, rows = X.astype("f8"), []
    for t in range(rounds):
        c = c * [0.5, -0.5] + t
        rows.append(c * X)
    return c, np.array(rows)


@pytest.mark.parametrize("rounds", [1, 5, 1200])
def test_a_loop_is_unrolled_or_one_scan(rounds):
    found, values = lg.from_onnx(loop(rounds))
    assert found.names == ("Loop.0/w",)
    last, rows = lg.evaluate(found, X, values=values)
    wanted = by_hand(rounds)
    assert np.allclose(last, wanted[0], rtol=1e-5) and np.allclose(rows, wanted[1], rtol=1e-5)
    assert any(type(n.op).__name__ == "Scan" for n in found.arrow.nodes) == (rounds == 1200)


def test_rounds_that_data_count_are_refused():
    told = r"^Loop 'the Loop' has a number of rounds that is computed from data, and shapes are fixed here: "
    with pytest.raises(TypeMismatch, match=rf"{told}give the input a value by constants={{…}}$"):
        lg.from_onnx(loop(None))
    assert np.allclose(run(loop(None), X, constants={"m": 3})[0], by_hand(3)[0])


def test_a_loop_that_does_not_end_is_refused():
    body = graph(
        [node("Identity", "going", "still"), node("Neg", "c", "d")],
        [value("t", [], "i8"), value("going", [], "b1"), value("c", [2])],
        [value("still", [], "b1"), value("d", [2])],
    )
    net = model([node("Loop", ". yes x", "y", body=body)], [value("x", [2])], [value("y", [2])], {"yes": np.array(True)})
    with pytest.raises(TypeMismatch, match=r"^Loop 'the Loop' does not end within 1000 rounds, and more are not unrolled$"):
        lg.from_onnx(net)


def scan(**directions):
    """s ← s + x · w · k, with the sums so far, where k is of outside and w of the body."""
    body = graph(
        [node("Mul", "x w", "a"), node("Mul", "a k", "b"), node("Add", "s b", "t"), node("Identity", "t", "out")],
        [value("s", [2]), value("x", [2])],
        [value("t", [2]), value("out", [2])],
        {"w": np.array([2, 3], "f4")},
    )
    made = node("Scan", "s xs", "last outs", body=body, num_scan_inputs=1, **directions)
    return model(
        [made], [value("s", [2]), value("xs", [4, 2])], [value("last", [2]), value("outs", [4, 2])], {"k": np.array([1, -1], "f4")}
    )


@pytest.mark.parametrize("backward", [0, 1])
def test_a_scan_reads_weights_inside_and_outside(backward):
    xs = np.arange(8, dtype="f4").reshape(4, 2)
    found, values = lg.from_onnx(scan(scan_input_directions=[backward], scan_output_directions=[backward]))
    assert sorted(found.names) == ["Scan.0/w", "k"]
    last, outs = lg.evaluate(found, X, xs, values=values)
    steps = xs[::-1] if backward else xs
    sums = X + np.cumsum(steps * np.array([2, -3]), 0)
    assert np.allclose(last, sums[-1]) and np.allclose(outs, sums[::-1] if backward else sums)
