"""The tables of what operators mean, and sequences, which are known while a file is read."""

from importlib import import_module

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch
from lensgrad.interchange.onnx import control, loops, meanings, sequences
from tests.interchange.onnx_files import model, node, value

X = np.arange(6, dtype="f4").reshape(2, 3)


def run(nodes, outputs, *xs, stored=(), inputs=("x",), **how):
    given = [value(name, x.shape) for name, x in zip(inputs, xs, strict=True)]
    found, values = lg.from_onnx(model(nodes, given, [value(o, None) for o in outputs.split()], stored), batch=False, **how)
    return lg.evaluate(found, *xs, values=values)


def test_each_operator_has_one_meaning():
    tables = [import_module(f"lensgrad.interchange.onnx.meanings.{name}").TABLE for name in meanings.MODULES]
    tables += [control.TABLE, loops.TABLE, sequences.TABLE]
    names = [op for t in tables for op in t if op != "Dropout"]
    assert len(names) == len(set(names)) > 180
    assert list(meanings.MODULES) == sorted(meanings.MODULES)


def test_parts_in_a_sequence_are_read_by_number():
    nodes = [node("SplitToSequence", "x", "s", axis=1), node("SequenceAt", "s last", "a"), node("ConcatFromSequence", "s", "y", axis=0)]
    a, y = run(nodes, "a y", X, stored={"last": np.int64(-1)})
    assert a.tolist() == [[2], [5]] and y.tolist() == [[0], [3], [1], [4], [2], [5]]


def test_sequences_are_changed():
    nodes = [node("Add", "x x", "x2"), node("SequenceConstruct", "x x2", "s"), node("SequenceInsert", "s k", "t")]
    nodes += [node("SequenceErase", "t zero", "u"), node("SequenceLength", "u", "n")]
    nodes += [node("ConcatFromSequence", "u", "y", axis=0, new_axis=1)]
    n, y = run(nodes, "n y", X, stored={"k": np.ones((2, 3), "f4"), "zero": np.int64(0)})
    assert n == 2 and y.tolist() == [(2 * X).tolist(), np.ones((2, 3)).tolist()]


def test_what_sequences_cannot_do_is_refused():
    with pytest.raises(TypeMismatch, match=r"^SequenceAt 'the SequenceAt' must have a position from -1 to 0, got 7$"):
        run([node("SequenceConstruct", "x", "s"), node("SequenceAt", "s k", "y")], "y", X, stored={"k": np.int64(7)})
    with pytest.raises(TypeMismatch, match=r"^Neg 'the Neg' takes or gives a sequence, which has no meaning here: values are arrays$"):
        run([node("SequenceConstruct", "x", "s"), node("Neg", "s", "y")], "y", X)
    with pytest.raises(TypeMismatch, match=r"^the result 'y' takes or gives a sequence, which has no meaning here: values are arrays$"):
        run([node("SequenceConstruct", "x", "y")], "y", X)


def test_ranges_are_known():
    nodes = [node("Range", "a b c", "r"), node("Add", "x r", "y")]
    assert run(nodes, "y", X, stored={"a": np.float32(3), "b": np.float32(0), "c": np.float32(-1)}).tolist() == [[3, 3, 3], [6, 6, 6]]


def test_small_whole_numbers_overflow_as_in_the_file():
    net = model([node("Add", "x x", "y")], [value("x", [3], "int8")], [value("y", [3], "int8")])
    found, _ = lg.from_onnx(net)
    assert lg.evaluate(found, np.array([1, 100, -100], "int8")).tolist() == [2, -56, 56]


@pytest.mark.parametrize("mode", ["none", "add", "mul", "max", "min"])
def test_scatters_write_as_by_hand(mode):
    rng = np.random.default_rng(0)
    x, new = rng.normal(size=(4, 3)).astype("f4"), rng.normal(size=(2, 3)).astype("f4")
    index = np.array([[0, 3, 1], [2, 0, 2]])
    wanted = x.copy()
    for (r, c), row in np.ndenumerate(index):
        old, v = wanted[row, c], new[r, c]
        wanted[row, c] = {"none": v, "add": old + v, "mul": old * v, "max": max(old, v), "min": min(old, v)}[mode]
    nodes = [node("ScatterElements", "x i u", "y", axis=0, reduction=mode)]
    assert np.allclose(run(nodes, "y", x, new, inputs=("x", "u"), stored={"i": index}), wanted)


def test_gradients_flow_through_what_is_read_by_index():
    nodes = [node("Gather", "W i", "g", axis=0), node("Mul", "g x", "y")]
    net = model(nodes, [value("x", [2, 3])], [value("y", [2, 3])], {"W": np.ones((4, 3), "f4"), "i": np.array([3, -4])})
    found, values = lg.from_onnx(net, batch=False)
    data = np.stack([X] * 4), np.stack([3 * X] * 4)
    run = lg.supervised(found, lg.mse, lg.sgd(0.1)).fit(data, epochs=200, start=values, progress=False)
    trained = np.asarray(run.values["W"])
    assert np.allclose(trained[[3, 0]][X > 0], 3, atol=0.2) and np.allclose(trained[1:3], 1)
