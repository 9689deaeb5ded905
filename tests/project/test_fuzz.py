"""Wrong calls of everything behind the public door: each works, or is refused in a sentence."""

from contextlib import chdir
from inspect import signature

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import circuits
from tools import fuzz
from tools.fuzz_calls import CALLS, Call
from tools.fuzz_circuits import CIRCUITS, ESTIMATORS
from tools.fuzz_more import GROUPS
from tools.fuzz_ops import FUNCTIONS


@pytest.mark.filterwarnings("ignore")
def test_wrong_calls_end_in_no_raw_error(tmp_path):
    with chdir(tmp_path), np.errstate(all="ignore"):
        count = fuzz.fuzzed(1500, first=2_000_000)
    assert count.calls == 1500
    assert dict(count.raw) == {}, fuzz.told(count)
    assert count.refused > 1000


@pytest.mark.filterwarnings("ignore")
def test_the_calls_that_are_changed_are_right(tmp_path):
    calls = {name: call for found in (CALLS, *GROUPS.values()) for name, call in found.items()}
    with chdir(tmp_path), np.errstate(all="ignore"):
        wrong = {
            name: error for name, call in calls.items() for kind, error in [fuzz.answer(call, [*call.args()], {**call.named()})] if error
        }
    assert len(calls) > 430 and wrong == {}


def test_each_name_of_ops_is_called():
    public = {name for name in dir(lg.ops) if not name.startswith("_") and callable(getattr(lg.ops, name))}
    assert public == FUNCTIONS.keys()
    assert public == {name for name in lg.ops.__all__ if callable(getattr(lg.ops, name))}


def test_each_public_name_of_circuits_is_called():
    called = {name.removeprefix("circuits.").split(" ")[0] for name in CIRCUITS}
    public = {name for name in circuits.__all__ if not isinstance(getattr(circuits, name), dict)}
    assert public == {name for name in called if "." not in name}
    assert {"Circuit.run", "Builder.finish", "LearnedCircuit.predict", "Verdict.save"} <= called


def test_each_setting_of_the_estimators_is_changed():
    for kind in ("LensClassifier", "LensRegressor", "CircuitClassifier"):
        assert {*ESTIMATORS[kind].named()} == {*signature(getattr(lg, kind)).parameters}


def test_an_error_that_is_not_the_librarys_own_is_raw_and_has_a_place():
    kind, error = fuzz.answer(Call(lambda x: x.shape), ["text"], {})
    assert kind == "raw"
    assert error is not None
    assert fuzz.place(error) == "AttributeError at outside"
