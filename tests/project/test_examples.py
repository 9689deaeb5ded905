"""The systems among the examples in their quick form: each asserts a figure of its own."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg

EXAMPLES = Path(__file__).parents[2] / "examples"


def quick(monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", [name, "--quick"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("autoencoder", "unexplained variance of unseen digits"),
        ("dream_digit", "the judge sees a 3"),
        ("gan_mnist", "of 1000 drawn digits the judge sees"),
        ("gan_ring", "bumps covered"),
        ("rnn", "right after each row"),
        ("vae", "the bound on log p(x)"),
    ],
)
def test_an_example_runs_in_its_quick_form_and_keeps_its_figure(monkeypatch, capsys, name, told):
    assert told in quick(monkeypatch, capsys, name)


def test_a_learner_whose_label_is_its_input_is_the_task_tied_by_hand():
    model = lg.dense(3, 2, name="encoder") >> lg.dense(3, name="decoder")
    learner = lg.supervised(model, lg.mse, lg.adam(0.01), label="x")
    by_hand = lg.supervised(model, lg.mse, lg.adam(0.01)).task.tie("x", "y")
    assert learner.task.names == by_hand.names == ("x", *model.names) and learner.task.arrow == by_hand.arrow
    x = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)
    run = learner.fit({"x": x}, epochs=1, progress=False)
    assert run.evaluate({"x": x})["loss"] == pytest.approx(np.square(run.predict(x) - x).mean(), rel=1e-5)
