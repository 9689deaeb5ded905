"""`lensgrad show net.onnx` and `lensgrad convert`."""

import re
import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cli import main

onnx = pytest.importorskip("onnx")

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture
def run(tmp_path):
    model = lg.sequential(lg.dense(4, 8, "relu", name="hidden"), lg.dense(3, name="out"))
    made = lg.supervised(model, lg.mse, lg.sgd(0.1)).fit((X, X[:, :3]), epochs=2)
    made.save(tmp_path / "run.safetensors")
    return made


def said(capsys, *words):
    code = main([str(w) for w in words])
    told = capsys.readouterr()
    return code, (told.out or told.err).rstrip("\n")


def test_a_run_becomes_onnx_and_onnx_becomes_python(run, tmp_path, capsys):
    code, told = said(capsys, "convert", tmp_path / "run.safetensors", tmp_path / "net.onnx")
    assert code == 0
    assert re.search(r"net\.onnx  [\d,]+ bytes\n", told) and told.endswith("one arrow, and nothing differs")
    assert "4 parameters" in told and "equal arrows, equal to the bit on 4 random examples" in told
    code, told = said(capsys, "convert", tmp_path / "net.onnx", tmp_path / "net.py")
    assert code == 0 and re.search(r"net\.py  [\d,]+ bytes\n.*net\.safetensors  [\d,]+ bytes$", told)
    code, told = said(capsys, "convert", tmp_path / "net.onnx", tmp_path / "net.c")
    assert code == 0 and re.fullmatch(r".*net\.c  [\d,]+ bytes\n.*net\.bin  [\d,]+ bytes", told)
    np.save(tmp_path / "x.npy", X)
    subprocess.run([sys.executable, tmp_path / "net.py", tmp_path / "x.npy", tmp_path / "y.npy"], check=True)
    assert np.allclose(np.load(tmp_path / "y.npy"), run.predict(X), atol=1e-6)
    code, told = said(capsys, "convert", tmp_path / "net.onnx", tmp_path / "fixed.onnx", "--batch", "3")
    assert code == 0 and told.splitlines()[-1].startswith("one arrow, ") and "f32[3,4]" in told
    assert [i.name for i in onnx.load(tmp_path / "fixed.onnx").graph.input] == ["x"]


def test_a_network_is_shown_by_its_operators_and_parameters(run, tmp_path, capsys):
    run.export(tmp_path / "net.onnx")
    code, told = said(capsys, "show", tmp_path / "net.onnx")
    assert code == 0
    assert re.search(r"net\.onnx: \d+ nodes, operator sets ai\.onnx \d+\n", told)
    assert "hidden/weight" in told and "f32[8,4]" in told and told.splitlines()[-1].split()[:2] == ["total", "67"]
    code, told = said(capsys, "show", tmp_path / "net.onnx", "--source")
    assert code == 2 and told.endswith("is a network without a learner: leave --source, --diagram and --model away")


def test_a_network_without_a_meaning_says_what_it_has(tmp_path, capsys):
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    node = helper.make_node("NonMaxSuppression", ["boxes", "scores"], ["kept"], name="best")
    ins = [helper.make_tensor_value_info("boxes", floats, [1, 2, 4]), helper.make_tensor_value_info("scores", floats, [1, 1, 2])]
    graph = helper.make_graph([node], "g", ins, [helper.make_tensor_value_info("kept", onnx.TensorProto.INT64, None)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "boxes.onnx")
    code, told = said(capsys, "show", tmp_path / "boxes.onnx")
    assert code == 0 and "NonMaxSuppression 1\n\nnot readable as a model: NonMaxSuppression 'best'" in told


def test_what_is_neither_is_refused(tmp_path, capsys):
    code, told = said(capsys, "convert", tmp_path / "a.csv", tmp_path / "b.onnx")
    assert code == 2 and "convert reads a network in .onnx or a saved run in .safetensors, got" in told
    code, told = said(capsys, "show", tmp_path / "missing.onnx")
    assert code == 2 and "missing.onnx" in told and "\n" not in told


def looped(path):
    """x ↦ x wᵏ for an x of any number of rows, where k is an input."""
    helper, floats, whole, truth = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.BOOL
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Mul", ["a", "w"], ["b"]), helper.make_node("Identity", ["go"], ["on"])]
    ins = [value("i", whole, []), value("go", truth, []), value("a", floats, ["rows", 3])]
    body = helper.make_graph(nodes, "body", ins, [value("on", truth, []), value("b", floats, ["rows", 3])])
    loop = helper.make_node("Loop", ["k", "", "x"], ["y"], body=body)
    weights = [onnx.numpy_helper.from_array(np.float32([1, 2, 3]), "w")]
    ins = [value("x", floats, ["rows", 3]), value("k", whole, [])]
    graph = helper.make_graph([loop], "g", ins, [value("y", floats, ["rows", 3])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)


def test_what_a_file_leaves_open_is_given_in_options(tmp_path, capsys):
    file = tmp_path / "loop.onnx"
    looped(file)
    told = "not readable as a model: the input 'x' of the ONNX model has the shape [rows, 3], and sizes are fixed here: give --size rows=N"
    assert said(capsys, "show", file) == (0, f"loop.onnx: 1 nodes, operator sets ai.onnx 18\nLoop 1\n\n{told}")
    code, told = said(capsys, "show", file, "--size", "rows=2")
    assert code == 2 and told.endswith("give the input a value by --constant NAME=N")
    code, told = said(capsys, "show", file, "--size", "x=2,3", "--constant", "k=4")
    assert code == 0 and "f32[2,3] → f32[2,3]" in told
    assert said(capsys, "convert", file, tmp_path / "net.py", "--constant", "k=4")[0] == 0
    np.save(tmp_path / "x.npy", X[:, :3])
    subprocess.run([sys.executable, tmp_path / "net.py", tmp_path / "x.npy", tmp_path / "y.npy"], check=True)
    assert np.allclose(np.load(tmp_path / "y.npy"), X[:, :3] * [1, 16, 81], rtol=1e-6)
    assert "f32[2,3]" in said(capsys, "draw", file, "--size", "rows=2", "--constant", "k=1")[1]
    assert said(capsys, "explore", file, "--size", "rows=2", "--constant", "k=1", "-o", tmp_path / "loop.html")[0] == 0


SIZE = "--size is written NAME=NUMBER or NAME=NUMBER,NUMBER,…, as in --size x=1,3,32,32 or height=32, got "
OPTIONS = {
    ("iris", "--size", "x=2"): "--size is for networks in .onnx, and iris is none: leave it away",
    ("loop.onnx", "--size", "rows"): SIZE + "rows",
    ("loop.onnx", "--size", "rows=-2"): SIZE + "rows=-2",
    ("loop.onnx", "--size", "=2"): SIZE + "=2",
    ("loop.onnx", "--size", "rows=2", "--size", "rows=3"): "--size gives rows twice: leave one out",
    ("loop.onnx", "--size", "row=2"): "--size has no 'row', only rows, x, k",
    ("loop.onnx", "--constant", "k=1.5"): "the constant 'k' must be an array of int64, got array(1.5)",
    ("loop.onnx", "--constant", "k=x"): ("--constant is written NAME=NUMBER or NAME=NUMBER,NUMBER,…, as in --constant rate=16000, got k=x"),
}


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_an_option_that_does_not_fit_is_named(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    looped(tmp_path / "loop.onnx")
    code, told = said(capsys, "show", *words)
    assert code == 2 and told.startswith(f"lensgrad: {OPTIONS[words]}") and "\n" not in told
