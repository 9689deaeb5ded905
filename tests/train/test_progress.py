"""What a person sees while training, on a terminal and elsewhere."""

import builtins
import io
import re
import sys
import types
import warnings

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.train.progress import line, speed

X = np.zeros((4, 2), "float32")
MADE = lg.supervised(lg.dense(2, 2), lg.mse, lg.descent, rate=0.1)


def fit(**how):
    return MADE.fit((X, X), **{"batch_size": 4, **how})


def test_without_a_terminal_every_epoch_is_a_line(capsys):
    fit(epochs=3, validation_data=(X, X))
    assert capsys.readouterr().out.splitlines() == [f"epoch {n}/3  loss 0.0000  val_loss 0.0000" for n in (1, 2, 3)]


def test_of_many_epochs_about_twenty_lines_are_printed(capsys):
    fit(epochs=65)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"epoch {n}/65  loss 0.0000" for n in (*range(4, 65, 4), 65)]


def test_a_run_that_goes_on_counts_its_epochs(capsys):
    fit(epochs=2, progress=False).fit((X, X), epochs=2)
    assert capsys.readouterr().out.splitlines() == [f"epoch {n}/4  loss 0.0000" for n in (3, 4)]


def test_nothing_is_printed_when_not_wanted(capsys):
    fit(epochs=3, progress=False)
    fit(epochs=0)
    assert capsys.readouterr().out == ""


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_on_a_terminal_there_is_a_bar_with_loss_and_metrics(monkeypatch, encoding):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw, encoding=encoding, write_through=True))
    for name, value in {"TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    fit(epochs=2, validation_data=(X, X))
    shown = raw.getvalue().decode(encoding)
    assert "epoch 2/2" in shown and "loss 0.0000" in shown and "val_loss 0.0000" in shown
    assert re.search(r"[\d,.]+ examples/s", shown) and re.search(r"\d:\d\d:\d\d", shown)
    assert ("━" in shown) is (encoding == "utf-8"), "where the encoding lacks the bar, another one is drawn"


@pytest.mark.parametrize("columns", [30, 60, 80, 100, 140])
def test_the_time_left_is_never_cut(monkeypatch, columns):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw, encoding="utf-8", write_through=True))
    for name, value in {"TERM": "xterm", "COLUMNS": str(columns)}.items():
        monkeypatch.setenv(name, value)
    learner = lg.supervised(lg.dense(2, 2), lg.mse, lg.sgd(0.1), metrics=["mae", "rmse"])
    learner.fit((X, X), epochs=3, validation_data=(X, X))
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw.getvalue().decode()).splitlines()[-1]
    assert (
        "epoch 3/3" in last and "loss " in last and re.search(r"0:00:00\s*$", last) and "…" not in last and ("━" in last) == (columns >= 40)
    )
    assert ("examples/s" in last) == (columns >= 60) and ("val_rmse" in last) == (columns >= 140)


class ZMQInteractiveShell:
    """What a notebook's `get_ipython()` gives, by its name."""


class Output:
    """A place of a notebook: what stands there is what was drawn last."""

    def __init__(self, shown):
        self.all = []
        self.update(shown)

    def update(self, shown):
        self.all.append(shown._repr_mimebundle_(include=[], exclude=[])["text/html"])


def test_in_a_notebook_the_bar_is_html(monkeypatch):
    outputs = []

    def display(shown, display_id=False):
        outputs.append(Output(shown))
        return outputs[-1] if display_id else None

    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    for name in ("ipywidgets", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(epochs=2, validation_data=(X, X))
    (output,) = outputs
    text = re.sub("<[^>]*>", "", output.all[-1])
    assert output.all[-1].startswith("<pre ") and len(output.all) >= 2
    assert text.startswith("epoch 2/2") and "loss 0.0000  val_loss 0.0000" in text and "━" in text


def test_how_fast_it_goes():
    assert [speed(d, s, "examples") for d, s in ((0, 1), (5, 0), (30_000, 2), (3, 2))] == ["", "", "15,000 examples/s", "1.5 examples/s"]


def test_a_report_is_one_line():
    assert line({"loss": 0.03125, "accuracy": 0.98}) == "loss 0.0312  accuracy 0.9800" and line({}) == ""
