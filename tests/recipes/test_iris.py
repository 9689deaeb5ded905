"""The paper's Iris networks (arXiv 2404.00408, section 5) against a loop written by hand, and their source without the library."""

import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg


def order(seed, epoch, examples):
    """The shuffle of an epoch, written down once more."""
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(examples)


def iris(kind, dtype="float32"):
    """The paper's networks: raw features, weights N(0, .01), biases 0, one example a step, rate .01, half squared error."""
    start = {"weights": lg.normal(0.01), "activation": "sigmoid", "dtype": dtype}
    layers = {"dense": [(4, 3)], "hidden": [(4, 20), (20, 3)]}[kind]
    parts = [lg.dense(*sizes, name=f"l{i}", **start) for i, sizes in enumerate(layers)]
    return lg.supervised(lg.sequential(*parts), lg.half_squared_error, lg.descent, rate=0.01, metrics=["accuracy"])


def flowers(dtype="float32"):
    return lg.data.iris().one_hot(dtype).cast(dtype)


@pytest.fixture(scope="module")
def trained():
    return iris("hidden", "float64").fit(flowers("float64"), epochs=400, batch_size=None, seed=0, progress=False)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def twin(start, data, epochs, seed):
    """The same network as a loop of its own: nothing of the library but the first values, the data and the seed."""
    w, b, v, c = (start[n].copy() for n in ("l0/weight", "l0/bias", "l1/weight", "l1/bias"))
    for epoch in range(epochs):
        for i in order(seed, epoch, len(data.x)):
            x, y = data.x[i], data.y[i]
            h = sigmoid(w @ x + b)
            z = sigmoid(v @ h + c)
            dz = (z - y) * z * (1 - z)
            dh = (v.T @ dz) * h * (1 - h)
            w, b = w - 0.01 * np.outer(dh, x), b - 0.01 * dh
            v, c = v - 0.01 * np.outer(dz, h), c - 0.01 * dz
    return {"l0/weight": w, "l0/bias": b, "l1/weight": v, "l1/bias": c}


def test_iris_equals_its_twin_written_by_hand_after_400_epochs(trained):
    data = flowers("float64")
    expected = twin(iris("hidden", "float64").initial(0), data, 400, 0)
    assert trained.values.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(trained.values[name], value, rtol=0, atol=1e-8)


def test_the_hidden_network_learns_iris(trained):
    assert trained.evaluate(flowers("float64"))["accuracy"] >= 0.96


def test_the_dense_network_learns_iris_in_float32_in_half_the_epochs():
    run = iris("dense").fit(flowers(), epochs=200, batch_size=None, seed=0, progress=False)
    assert run.evaluate(flowers())["accuracy"] >= 0.95 and run.values["l0/weight"].dtype == np.float32


ALONE = """
import runpy, sys
sys.modules["lensgrad"] = None  # importing it is an error
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(("optimizer", "batch_size"), [(lg.descent, None), (lg.momentum(0.9), 32)], ids=["iris", "momentum"])
def test_the_source_of_a_step_runs_without_the_library_and_gives_the_same_bits(tmp_path, optimizer, batch_size):
    model = iris("hidden").model
    made = lg.supervised(model, lg.half_squared_error, optimizer, rate=0.01)
    data, epochs = flowers(), 5
    examples = 128 if batch_size else 150
    x, y = data.x[:examples], data.y[:examples]
    rows = np.concatenate([order(0, e, examples) for e in range(epochs)])
    rows = rows if batch_size is None else rows.reshape(-1, batch_size)
    (tmp_path / "step.py").write_text(made.source(batch_size), encoding="utf-8")
    np.savez(tmp_path / "start.npz", x=x[rows], y=y[rows], **made.initial(0))
    command = [sys.executable, "-I", "-c", ALONE, "step.py", "start.npz", "end.npz"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    run = made.fit((x, y), epochs=epochs, batch_size=batch_size, seed=0, progress=False)
    end = dict(np.load(tmp_path / "end.npz"))
    assert {n: v.tobytes() for n, v in end.items()} == {n: v.tobytes() for n, v in run.values.items()}
