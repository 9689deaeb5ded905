"""What an editor says of the values that people take out of runs, files, data sets and estimators."""

import pytest
from checker import messages, pyright, untyped

pytestmark = pytest.mark.skipif(pyright() is None, reason="pyright is not installed: pip install 'lensgrad[dev]'")

START = """
import numpy as np
import lensgrad as lg

x, y = np.zeros((8, 4)), np.zeros(8, int)
learner = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)), lg.cross_entropy, "adam", metrics=["accuracy"])
run = learner.fit((x, y))
table = lg.data.csv("people.csv", "income")
classifier, regressor = lg.LensClassifier(hidden=8), lg.LensRegressor(hidden=8)
"""
ARRAY = "ndarray[Any, dtype[Any]]"
TYPES = {
    "run.position": "Standing",
    'run.position["epoch"]': "int",
    'run.position["totals"]': "dict[str, float]",
    'run.position.get("batch_size")': "int | None",
    'run.position.get("seed", 0)': "int",
    "run.history": "tuple[dict[str, float], ...]",
    'run.history[-1]["loss"]': "float",
    "run.evaluate((x, y))": "dict[str, float]",
    'run.evaluate((x, y))["accuracy"]': "float",
    "run.predict(x)": ARRAY,
    "learner.examples()": "dict[str, Array | Key | Vector]",
    'lg.load("run.safetensors")': f"Run[{ARRAY}]",
    'lg.load("run.safetensors").predict(x)': ARRAY,
    "table": "Dataset",
    "table.x": "ndarray[Any, Any]",
    "table.classes": "tuple[str, ...]",
    "lg.data.split(table)": "tuple[Dataset, Dataset]",
    "lg.data.split(table, 0.3, seed=1)[0].classes": "tuple[str, ...]",
    "lg.data.split((x, y))": "tuple[tuple[ndarray[Any, Any], ndarray[Any, Any]], tuple[ndarray[Any, Any], ndarray[Any, Any]]]",
    'lg.data.split(dict(x=x, y=y), label=["y"])': "tuple[dict[str, ndarray[Any, Any]], dict[str, ndarray[Any, Any]]]",
    "classifier.fit(x, y)": "LensClassifier",
    "classifier.fit(x, y).predict(x)": "ndarray[Any, Any]",
    "classifier.fit(x, y).score(x, y)": "float",
    "classifier.fit(x, y).run_": f"Run[{ARRAY}]",
    "regressor.set_params(hidden=3).fit(x, y).predict(x)": "ndarray[Any, Any]",
}


def test_values_have_the_types_that_people_expect(tmp_path):
    found = messages(tmp_path, "\n".join([START, *(f"reveal_type({value})" for value in TYPES)]))
    assert [m for _, kind, m in found if kind == "error"] == []
    assert [m for _, _, m in found] == [f'Type of "{value}" is "{kind}"' for value, kind in TYPES.items()]
    assert [m for _, _, m in found if untyped(m)] == []
