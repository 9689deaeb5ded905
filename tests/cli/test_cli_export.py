"""`lensgrad export`: a saved run in formats of others, and what is said to wrong calls."""

from importlib.util import find_spec

import numpy as np
import pytest

import lensgrad as lg

X, Y = np.eye(4, dtype=np.float32), np.arange(4)
ONNX = pytest.mark.skipif(find_spec("onnx") is None, reason="onnx is not installed")


@pytest.fixture
def saved(tmp_path):
    """A saved run, trained on two examples a step."""
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(4)), lg.cross_entropy, lg.sgd(0.1))
    made.fit((X, Y), batch_size=2, progress=False).save(tmp_path / "run.safetensors")
    return tmp_path / "run.safetensors"


def told(*files):
    return "".join(f"{f}  {f.stat().st_size:,} bytes\n" for f in files)


def axes(file, name):
    onnx = pytest.importorskip("onnx")
    (found,) = (i for i in onnx.load(file).graph.input if i.name == name)
    return [d.dim_param or d.dim_value for d in found.type.tensor_type.shape.dim]


@ONNX
def test_a_model_takes_any_number_of_examples_or_one_that_is_given(run, saved, tmp_path):
    file = tmp_path / "net.onnx"
    assert run("export", saved, file) == (0, told(file), "") and axes(file, "x") == ["N", 4]
    assert run("export", saved, file, "--batch", "3") == (0, told(file), "") and axes(file, "x") == [3, 4]


@ONNX
def test_a_step_takes_the_batch_of_the_run_or_one_that_is_given(run, saved, tmp_path):
    file = tmp_path / "step.onnx"
    assert run("export", saved, file, "--step") == (0, told(file), "") and axes(file, "x") == [2, 4] and axes(file, "weight") == [4, 4]
    assert run("export", saved, file, "--step", "--batch", "3") == (0, told(file), "") and axes(file, "y") == [3]


def test_a_python_file_comes_with_its_weights(run, saved, tmp_path):
    file = tmp_path / "predict.py"
    assert run("export", saved, file) == (0, told(file, tmp_path / "predict.safetensors"), "")


def test_the_weights_do_not_replace_the_run_that_is_exported(run, saved, tmp_path):
    before = saved.read_bytes()
    place = tmp_path / "run.py"
    why = f"'{saved}' is there and was not written by an export: the weights of 'run.py' would take its place, so choose another name"
    wanted = f"lensgrad: {why}\n"
    assert run("export", saved, place) == (2, "", wanted) and saved.read_bytes() == before


def test_other_endings_and_sizes_are_one_sentence(run, saved, tmp_path):
    path = "the path of an export must end in .onnx, .py or .c, got 'net.txt'; run.save(path) writes a .safetensors file that lg.load reads"
    assert run("export", saved, "net.txt") == (2, "", f"lensgrad: {path}\n")
    assert run("export", saved, tmp_path / "a.py", "--batch", "0") == (2, "", "lensgrad: batch must be a whole number ≥ 1, got 0\n")


def test_a_model_and_its_step_become_c(run, saved, tmp_path):
    file, step = tmp_path / "predict.c", tmp_path / "step.c"
    assert run("export", saved, file) == (0, told(file, tmp_path / "predict.bin"), "")
    assert "void predict(void *memory, const float *x, float *output)" in file.read_text(encoding="utf-8")
    assert run("export", saved, step, "--step") == (0, told(step, tmp_path / "step.bin"), "")
    assert "x  x: float32 (2, 4)" in step.read_text(encoding="utf-8")
    weights = np.frombuffer((tmp_path / "predict.bin").read_bytes(), np.float32)
    assert np.array_equal(weights[:16].reshape(4, 4), lg.load(saved).values["weight"])
