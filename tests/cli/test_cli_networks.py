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
