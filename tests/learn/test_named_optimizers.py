"""Optimizers by name."""

import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.learn.optimizers.named import NAMED, optimizer_named


@pytest.mark.parametrize("name", NAMED)
def test_every_name_is_an_optimizer_that_trains(name):
    made = optimizer_named(name)
    learner = lg.supervised(lg.dense(3, 1), lg.mse, made)
    run = learner.fit(([[1.0, 2.0, 3.0]], [[1.0]]), epochs=2, progress=False)
    assert run.history[1]["loss"] < run.history[0]["loss"]


def test_names_are_those_of_the_functions_with_their_usual_rates():
    assert optimizer_named("adam").name == "adam(0.001)"
    assert optimizer_named("Adam").name == "adam(0.001)"
    assert optimizer_named("SGD").name == "sgd(0.01)"
    assert optimizer_named("momentum").name == "sgd(0.01, momentum=0.9)"
    assert optimizer_named("lion", 0.5).name == "lion(0.5)"


def test_other_words_are_refused_with_the_nearest_name():
    message = told(BadValue, lambda: optimizer_named("adamm"))
    assert message.startswith("an optimizer must be one such as lg.adam(1e-3), or one of the names adadelta, adafactor, ")
    assert message.endswith("got 'adamm': did you mean 'adam'?")
    assert told(BadValue, lambda: optimizer_named(3)).endswith("got 3")
