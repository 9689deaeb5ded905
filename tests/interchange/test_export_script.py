"""Models as Python files that need NumPy and safetensors only."""

import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, NoRule
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.interchange.script import for_any
from lensgrad.interchange.sizes import linear
from lensgrad.lens import Param, parametric
from lensgrad.theories.smooth import ops

RNG = np.random.default_rng(0)


def trained(model, x, y):
    return lg.supervised(model, lg.cross_entropy, lg.adam(1e-2)).fit((x, y), batch_size=8, progress=False)


def plain():
    return trained(lg.sequential(lg.input(4), lg.dense(8, "gelu"), lg.batch_norm(), lg.dropout(0.2), lg.dense(3)), X, Y)


def image():
    layers = lg.conv2d(3, 2), lg.relu, lg.max_pool2d(2), lg.flatten, lg.dense(3)
    return trained(lg.sequential(lg.input(6, 6, 1), *layers), IMAGES, Y)


def recurrent():
    block = lg.embedding(9, 4), lg.lstm(5), lg.transformer_block(1, causal=True), lg.flatten, lg.dense(3)
    return trained(lg.sequential(lg.input(7, dtype="int32"), *block), WORDS, Y)


X, Y = RNG.standard_normal((20, 4)).astype(np.float32), RNG.integers(0, 3, 20)
IMAGES, WORDS = RNG.standard_normal((20, 6, 6, 1)).astype(np.float32), RNG.integers(0, 9, (20, 7)).astype(np.int32)
MADE = {"plain": (plain, X), "image": (image, IMAGES), "recurrent": (recurrent, WORDS)}


def loaded(path):
    space = {"__name__": "generated", "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)
    return space


@pytest.mark.parametrize("name", MADE)
def test_the_file_predicts_the_same_to_the_bit_for_any_number_of_examples(name, tmp_path):
    make, x = MADE[name]
    run = make()
    run.export(tmp_path / "predict.py")
    predict = loaded(tmp_path / "predict.py")["predict"]
    for n in (1, 2, 20):
        np.testing.assert_array_equal(predict(x[:n]), run.predict(x[:n]))
    assert predict(x[:0]).shape == (0, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["predict.py", "predict.safetensors"]


def test_it_runs_as_a_program_without_the_library(tmp_path):
    run = plain()
    run.export(tmp_path / "predict.py")
    np.save(tmp_path / "in.npy", X)
    call = "runpy.run_path('predict.py', run_name='__main__')"
    code = f"import runpy, sys; sys.argv[1:] = ['in.npy', 'out.npy']; {call}; print('lensgrad' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("False\n", "")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), run.predict(X))


def test_several_inputs_and_outputs_are_dicts_and_npz_files(tmp_path):
    two, w = lg.Real(2) @ lg.Real(3), lg.Real(2, 3)
    model = parametric([Param("w", w, init=lg.glorot(w))], two, lambda w, ab: (w @ ab[1] + ab[0], ops.total(ab[0])))
    made = lg.supervised(model, {"left": "mse", "right": "mse"}, "sgd", input=("a", "b"))
    given = {"a": np.ones((4, 2), np.float32), "b": np.ones((4, 3), np.float32), "left": np.ones((4, 2)), "right": np.ones(4)}
    run = made.fit(given, progress=False)
    run.export(tmp_path / "predict.py")
    x = {n: given[n] for n in "ab"}
    found, ours = loaded(tmp_path / "predict.py")["predict"](x), run.predict(x)
    assert {n: v.tolist() for n, v in found.items()} == {n: v.tolist() for n, v in ours.items()}
    np.savez(tmp_path / "in.npz", **x)
    subprocess.run([sys.executable, "predict.py", "in.npz", "out.npz"], cwd=tmp_path, check=True)
    assert np.load(tmp_path / "out.npz")["right"].tolist() == ours["right"].tolist()


def test_more_rows_than_are_taken_at_once_go_in_parts(tmp_path):
    run = plain()
    run.export(tmp_path / "predict.py")
    x = RNG.standard_normal((2100, 4)).astype(np.float32)
    np.testing.assert_array_equal(loaded(tmp_path / "predict.py")["predict"](x), run.predict(x))


def test_rows_of_another_shape_are_refused_in_a_sentence(tmp_path):
    plain().export(tmp_path / "predict.py")
    predict = loaded(tmp_path / "predict.py")["predict"]
    with pytest.raises(ValueError) as error:
        predict(X[0])
    assert str(error.value) == "'x' must be rows of shape (4,), got an array of shape (4,): one row is x[None]"


def test_a_number_of_examples_may_be_fixed(tmp_path):
    run = plain()
    run.export(tmp_path / "predict.py", batch=5)
    predict = loaded(tmp_path / "predict.py")["predict"]
    np.testing.assert_array_equal(predict(X[:10]), run.predict(X[:10]))
    with pytest.raises(ValueError) as error:
        predict(X[:7])
    assert str(error.value) == "this file takes 5 rows at a time, got 2"


def test_what_depends_on_the_number_of_examples_otherwise_is_refused(tmp_path):
    centered = trace(lambda x: x - ops.axis_mean(x), lg.Real(4))
    run = trained(lg.sequential(lg.input(4), centered, lg.dense(3)), X, Y)
    with pytest.raises(NoRule) as error:
        run.export(tmp_path / "predict.py")
    told = "a number depends on the number of examples, so no file for any number of them can be written"
    assert str(error.value) == f"{told}: give batch=…, the number that it will always take"
    assert list(tmp_path.iterdir()) == []
    run.export(tmp_path / "predict.py", batch=4)
    np.testing.assert_array_equal(loaded(tmp_path / "predict.py")["predict"](X[:4]), run.predict(X[:4], batch_size=4))


def test_nothing_is_written_where_the_weights_cannot_be(tmp_path):
    (tmp_path / "predict.safetensors").mkdir()
    with pytest.raises(BadCheckpoint) as error:
        plain().export(tmp_path / "predict.py")
    assert str(error.value) == f"'{tmp_path / 'predict.safetensors'}' cannot be written: it is a folder"
    assert not (tmp_path / "predict.py").exists()


def test_a_name_that_python_needs_is_refused_and_one_that_the_file_needs_is_changed(tmp_path):
    for name in ("re", "numpy", "functools"):
        with pytest.raises(BadValue, match=f"'{name}.py' would hide the module of Python that is called {name}: choose another name"):
            plain().export(tmp_path / f"{name}.py")
    assert list(tmp_path.iterdir()) == []
    x = RNG.standard_normal((5, 4)).astype("f4")
    learner = lg.supervised(lg.sequential(lg.input(4), lg.dense(2)), lg.mse, lg.sgd(0.1), input="N")
    run = learner.fit({"N": x, "y": x[:, :2]}, progress=False)
    run.export(tmp_path / "net.py")
    np.testing.assert_allclose(loaded(tmp_path / "net.py")["predict"](x), run.predict(x), rtol=1e-6)


def test_an_export_replaces_the_one_before(tmp_path):
    for run in (plain(), image()):
        run.export(tmp_path / "predict.py")
    np.testing.assert_array_equal(loaded(tmp_path / "predict.py")["predict"](IMAGES), run.predict(IMAGES))


def test_numbers_that_differ_are_expressions_in_n():
    assert for_any([f"np.full(({n}, 4), 0.5)  # v{n % 1} {3 * n + 2} {2 * n - 1}" for n in (1009, 1013, 2003)]) == (
        "np.full((N, 4), 0.5)  # v0 (3 * N + 2) (2 * N - 1)"
    )
    assert linear("x", [[1, 2]] * 3) is None and Ty() == Ty(())
    for texts in ([f"{1 / n}" for n in (1009, 1013, 2003)], [f"{n * n}" for n in (1009, 1013, 2003)], ["a 1", "b 1", "a 1"]):
        with pytest.raises(NoRule):
            for_any(texts)
