"""Learners and runs in pickles: another process trains them on to the bit, and a sentence says why where it could not."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numerics import reals
from pickled import Tripled, worst

import lensgrad as lg
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty
from lensgrad.lens import sam

DATA = reals(0, (24, 4), (24, 2))
TRIPLED = Diagram.of(Tripled(), lg.Real(5, dtype="float64"))


def model(*middle):
    first, last = lg.dense(5, activation="tanh", name="a"), lg.dense(2, name="b")
    return lg.sequential(lg.input(4, dtype="float64"), first, *middle, last)


LEARNERS = {
    "one optimizer": lambda: lg.supervised(model(), lg.mse, lg.adam(0.01), metrics=["mae", "r2"]),
    "optimizers by pattern": lambda: lg.supervised(model(), lg.huber, {"**": lg.adam(0.01), "b/bias": lg.sgd(0.1)}),
    "states, keys and a schedule": lambda: lg.supervised(
        model(lg.batch_norm(), lg.dropout(0.3)), lg.mse, lg.adamw(lg.cosine(0.01, steps=9))
    ),
    "frozen weights": lambda: lg.supervised(model().freeze("a/*"), lg.mse, lg.chain(lg.clip_norm(1.0), lg.sgd(0.1))),
    "another way back": lambda: lg.supervised(model(), lg.mse, lg.sgd(0.1), derivative=sam(0.1), reduction="sum"),
}


def fit(learner, **how):
    return learner.fit(DATA, **{"epochs": 2, "batch_size": 8, "progress": False, "backend": "numpy", **how})


def same(a, b):
    assert list(a.values) == list(b.values) and a.history == b.history
    assert all(np.asarray(v).tobytes() == np.asarray(b.values[n]).tobytes() for n, v in a.values.items())


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_comes_back_from_a_pickle_and_trains_the_same(name, protocol):
    made = LEARNERS[name]()
    found = pickle.loads(pickle.dumps(made, protocol))
    assert type(found) is lg.Learner and found == made.frozen() and found.lens(8) == made.lens(8)
    assert pickle.dumps(found, protocol) == pickle.dumps(pickle.loads(pickle.dumps(found, protocol)), protocol)
    if protocol == pickle.HIGHEST_PROTOCOL:
        same(fit(found), fit(made))


def test_a_run_comes_back_with_all_that_it_holds():
    how = {"validation_split": 0.25, "early_stopping": lg.early_stopping(patience=1)}
    run = fit(LEARNERS["states, keys and a schedule"](), **how)
    found = pickle.loads(pickle.dumps(run))
    same(found, run)
    for name in ("position", "seconds", "best_epoch", "interrupted", "backend", "meaning", "reason"):
        assert getattr(found, name) == getattr(run, name), name
    same(fit(found), fit(run))


def test_a_copy_of_a_learner_is_the_learner_and_one_of_a_run_has_arrays_of_its_own():
    learner = LEARNERS["one optimizer"]()
    assert copy.copy(learner) is learner and copy.deepcopy([learner])[0] is learner
    run = fit(learner)
    deep = copy.deepcopy(run)
    same(deep, run)
    assert deep.learner is learner and not np.shares_memory(deep.values["a/bias"], run.values["a/bias"])


CHILD = """
import pickle, sys
learner, data = pickle.load(sys.stdin.buffer)
run = learner.fit(data, epochs=2, batch_size=8, progress=False, backend="numpy", start=None)
sys.stdout.buffer.write(pickle.dumps(run))
"""


@pytest.mark.parametrize("name", ["one optimizer", "states, keys and a schedule"])
def test_another_process_trains_it_and_sends_the_run_back(name):
    learner = LEARNERS[name]()
    same(pickle.loads(elsewhere(CHILD, (learner, DATA))), fit(learner))


def elsewhere(program, value):
    """What another process writes that is given a value."""
    paths = f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(lg.__file__).parents[1])!r}]\n"
    done = subprocess.run([sys.executable, "-c", paths + program], input=pickle.dumps(value), capture_output=True, check=True)
    return done.stdout


# -- code of a user's own ----------------------------------------------------------------------------------------------


def test_generators_and_metrics_of_a_users_own_are_found_by_their_modules():
    learner = lg.supervised(model() >> lg.dense(2, 5, dtype="float64") >> TRIPLED, lg.mse, {}, metrics=[worst])
    found = pickle.loads(pickle.dumps(learner))
    assert found == learner.frozen() and found.functions == learner.functions
    told = "import pickle, sys; print(sorted(n.op.name for n in pickle.load(sys.stdin.buffer).model.arrow.nodes if n.op.name == 'Tripled'))"
    assert elsewhere(told, learner).decode().strip() == "['Tripled']"


def test_what_no_module_has_is_refused_in_a_sentence():
    @generator
    class Local(Op):
        """x ↦ x"""

        def type(self, *dom):
            return Ty(dom)

        adjoint, batch = Tripled.adjoint, Tripled.batch

    place = "test_what_no_module_has_is_refused_in_a_sentence.<locals>"
    own = lg.dense(4, 2, dtype="float64") >> Diagram.of(Local(), lg.Real(2, dtype="float64"))
    for made, what, at in (
        (lg.supervised(own, lg.mse, {}), "the generator Local", f"{__name__}.{place}.Local"),
        (lg.supervised(model(), lg.mse, lg.sgd(0.1), metrics=[inner()]), "the function of 'inside'", f"{__name__}.inner.<locals>.inside"),
    ):
        with pytest.raises(BadCheckpoint) as error:
            pickle.dumps(made)
        told = f"another process finds code by its name, and {what} is not at {at}: define it at the top of a module"
        assert str(error.value) == f"this learner cannot be pickled: {told}"


def inner():
    def inside(outputs, labels):
        return float(abs(outputs - labels).max())

    return inside
