"""Right calls of what is joined, evaluated, or asked of data sets, runs and learners."""

from __future__ import annotations

from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.lens import parametric
from tools.fuzz_calls import after, given, lost
from tools.fuzz_circuits import CIRCUITS, ESTIMATORS
from tools.fuzz_ops import OPS
from tools.fuzz_values import X, Y, learner, model, run


def built(ob: Any) -> Any:
    return parametric([lg.weight("w", lg.Real(4))], ob, lambda w, x: w * x)


JOINED = {
    "fork": given(lg.fork, lg.dense(3), lg.relu, use=after(4)),
    "add": given(lg.add, name="a", use=lambda f: lg.sequential(lg.input(4), lg.fork(lg.relu, lg.tanh), f)),
    "concatenate": given(lg.concatenate, -1, name="c", use=lambda f: lg.sequential(lg.input(4), lg.fork(lg.relu, lg.tanh), f)),
    "upto": given(lg.upto, model(), "o"),
    "layer": given(lg.layer, "own", built, name="n", predict=None, use=after(4)),
    "weight": given(lg.weight, "w", lg.Real(3), lg.zeros),
    "state": given(lg.state, "s", lg.Real(3), lg.zeros),
    "evaluate": given(lg.evaluate, lg.tanh, 2.0),
    "evaluate model": given(lg.evaluate, model(), X[0], values={"o/weight": np.ones((3, 4)), "o/bias": np.zeros(3)}),
    "plain loss": given(lost, lambda prediction, label: lg.ops.mean_over(prediction * label)),
}
ASKED = {
    "Dataset": given(lg.data.Dataset, X, Y, ("a", "b", "c", "d"), ("u", "v", "w")),
    "Dataset.one_hot": given(lambda *a, **k: lg.data.iris().one_hot(*a, **k), dtype="float32"),
    "Dataset.cast": given(lambda *a: lg.data.iris().cast(*a), "float64"),
    "run.predict_proba": given(lambda *a, **k: run().predict_proba(*a, **k), X),
    "run.predict_classes": given(lambda *a, **k: run().predict_classes(*a, **k), X),
    "learner.recipe": given(lambda *a, **k: learner().recipe(*a, **k), generators=None),
    "learner.known": given(lambda *a: learner().known(*a), {"o/bias": np.zeros(3, np.float32)}),
}
GROUPS = {"ops": OPS, "joined": JOINED, "estimators": ESTIMATORS, "circuits": CIRCUITS, "asked": ASKED}
MORE = {f"lg.{name}": call for calls in GROUPS.values() for name, call in calls.items()}
