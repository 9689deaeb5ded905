"""What an editor shows of the public names, and what a type checker says of wrong programs."""

import pytest
from checker import messages, pyright, untyped

import lensgrad as lg

pytestmark = pytest.mark.skipif(pyright() is None, reason="pyright is not installed: pip install 'lensgrad[dev]'")

MODULES = ("augment", "circuits", "data", "metrics", "ops")
METHODS = {
    "Learner": ("fit", "frozen", "initial", "known", "model", "optimizer", "rate", "source", "step"),
    "Run": ("evaluate", "fit", "history", "learner", "predict", "predict_classes", "predict_proba", "save", "summary", "values", "weights"),
}


def test_no_public_name_is_without_a_type(tmp_path):
    names = [f"lg.{n}" for n in lg.__all__ if n not in MODULES]
    lines = ["import lensgrad as lg", "def door(learner: lg.Learner, run: lg.Run) -> None:"]
    lines += [f"    reveal_type({name})" for name in [*names, *(f"{c.lower()}.{m}" for c, ms in METHODS.items() for m in ms)]]
    found = messages(tmp_path, "\n".join(lines))
    assert [m for _, kind, m in found if kind != "information"] == []
    assert len(found) == len(lines) - 2
    assert [m for _, _, m in found if untyped(m)] == []


RIGHT = """
import numpy as np
import lensgrad as lg

x, y = np.zeros((8, 4)), np.zeros(8, int)
model = lg.sequential(lg.input(4), lg.dense(8, "relu"), lambda h: h * 2.0, lg.dense(3))
learner = lg.supervised(model, lg.cross_entropy, {"**/weight": lg.adam(1e-3), "**/bias": "sgd"}, metrics=["accuracy"])
run = learner.fit((x, y), epochs=3, batch_size=None, validation_data=(x, y), callbacks=[], early_stopping=lg.early_stopping())
run = learner.fit({"x": x, "y": y}, class_weight={0: 2.0}, backend=lg.mesh(8))
run = run.fit(lg.data.iris(), epochs=2, seed=1)
classes = run.predict(x).argmax(axis=1)
shape = run.weights["dense/weight"].shape
two = lg.supervised(model, {"a": lg.mse, "b": "l1"}, lg.sgd(lg.cosine(0.1, steps=10))).fit({"x": x, "a": y, "b": y})
several = two.predict(x)["a"].mean()
own = lg.supervised(model, lambda out, truth: (out - truth).sum(), {lg.weights: lg.descent}, rate=0.1)
loaded: lg.Run[dict[str, np.ndarray]] = lg.load("run.safetensors")
thin = model.freeze("**/bias").reparam({"dense/weight": lg.lora(rank=2)})
"""


def test_right_programs_have_no_errors(tmp_path):
    assert [(line, m) for line, kind, m in messages(tmp_path, RIGHT) if kind == "error"] == []


WRONG = {
    'lg.dense("x")': "outputs",
    "lg.dense(4, 3, relu=True)": 'No overloads for "dense"',
    "lg.conv2d(16)": "kernel",
    'lg.adam("fast")': "learning_rate",
    "lg.sequential(lg.input(4), 3)": "Literal[3]",
    "lg.supervised(model, lg.mse, 3)": "optimizer",
    "lg.supervised(model, lg.mse, lg.adam)": "optimizer",
    "lg.supervised(model, 3, lg.adam(1e-3))": "loss",
    "lg.supervised(lg.dense(3), lg.mse, lg.adam(1e-3))": "model",
    "lg.supervised(model, lg.mse, lg.adam(1e-3), epochs=3)": 'No overloads for "supervised"',
    'learner.fit(data, epochs="3")': "epochs",
    "learner.fit(data, epoch=3)": "epoch",
    "learner.fit(None)": "data",
    "learner.fit(data, backend=3)": "backend",
    "learner.fit(data, callbacks=[3])": "callbacks",
    "learner.predict(data)": "predict",
    "run.fit(data, lr=0.1)": "lr",
    "run.predict(data, batch_size='all')": "batch_size",
    "run.evaluate(data).loss": "loss",
    "model.lora(4)": "rank",
    "lg.mesh('all')": "devices",
    "lg.early_stopping(patience='long')": "patience",
}


def test_wrong_programs_are_told_where_they_are_wrong(tmp_path):
    start = ["import numpy as np", "import lensgrad as lg", "data = (np.zeros((8, 4)), np.zeros((8, 3)))", "model = lg.dense(4, 3)"]
    start += ["learner = lg.supervised(model, lg.mse, lg.sgd(0.1))", "run = learner.fit(data)"]
    found = messages(tmp_path, "\n".join([*start, *WRONG]))
    told = [" ".join(m for line, kind, m in found if kind == "error" and line == k) for k in range(1, len(start) + len(WRONG) + 1)]
    assert not any(told[: len(start)])
    told = told[len(start) :]
    assert [(program, m) for (program, word), m in zip(WRONG.items(), told, strict=True) if word not in m] == []
