"""Weights of examples and classes, and gradient accumulation: what one step computes, by formulas and against the big batch."""

from functools import cache

import numpy as np
import pytest
from numerics import reals

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.weighting import weighted
from lensgrad.lens import Role, corner, lens, rate, total

X, Y, W = reals(0, (10, 4), (10, 2), (10,))
W = np.abs(W)
CLASSES = np.array([0, 1, 1, 2, 0, 1, 1, 1, 2, 1])


@cache
def linear(reduction="mean"):
    model = lg.dense(4, 2, use_bias=False, dtype="float64")
    return lg.supervised(model, lg.half_squared_error, lg.descent, 0.1, reduction=reduction)


@cache
def classifier():
    return lg.supervised(lg.dense(4, 3, dtype="float64"), lg.cross_entropy, lg.sgd(0.1), metrics=["accuracy"])


def one_step(made, data, **how):
    return made.fit(data, batch_size=10, shuffle=False, progress=False, **how)


# -- weights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_step_descends_on_the_weighted_sum_over_the_number_of_examples(reduction):
    made = linear(reduction)
    w = made.initial(0)["weight"]
    gradient = (W[:, None] * (X @ w.T - Y)).T @ X / (10 if reduction == "mean" else 1)
    run = one_step(made, (X, Y), sample_weight=W)
    np.testing.assert_allclose(run.values["weight"], w - 0.1 * gradient, rtol=1e-12)
    assert run.history[0]["loss"] == pytest.approx((W * ((X @ w.T - Y) ** 2).sum(1) / 2).mean(), rel=1e-13)


def test_an_example_of_weight_two_is_two_examples_in_the_sum():
    twice = np.r_[0:10, 3]
    weights = np.where(np.arange(10) == 3, 2.0, 1.0)
    one = one_step(linear("sum"), (X, Y), sample_weight=weights)
    two = linear("sum").fit((X[twice], Y[twice]), batch_size=11, shuffle=False, progress=False)
    np.testing.assert_allclose(one.values["weight"], two.values["weight"], rtol=1e-13)


def test_weights_of_one_change_nothing():
    one, other = one_step(linear(), (X, Y), sample_weight=np.ones(10)), one_step(linear(), (X, Y))
    assert one.values["weight"].tobytes() == other.values["weight"].tobytes() and one.history == other.history


def test_the_weighted_task_is_the_task_times_its_weight():
    task = corner(lg.Real(4), "x") >> lg.dense(4, 2) >> lg.mse("y")
    made = weighted(task, "w")
    assert made.names == (*task.names, "w") and made.observables == task.observables
    assert lens(made >> total) >> rate(1.0)  # it is an arrow like any other


def test_weights_may_be_a_column_of_the_data():
    plain = one_step(linear(), (X, Y), sample_weight=W)
    column = one_step(linear(), {"x": X, "y": Y, "importance": W}, sample_weight="importance")
    stream = one_step(linear(), [{"x": X, "y": Y, "importance": W}], sample_weight="importance")
    for run in (column, stream):
        assert run.values["weight"].tobytes() == plain.values["weight"].tobytes()


def test_class_weights_are_the_weights_of_their_examples():
    table = np.array([2.0, 0.5, 1.0])
    plain = one_step(classifier(), (X, CLASSES), sample_weight=table[CLASSES])
    for given in ({0: 2.0, 1: 0.5}, [2.0, 0.5, 1.0], table):
        run = one_step(classifier(), (X, CLASSES), class_weight=given)
        assert run.values["weight"].tobytes() == plain.values["weight"].tobytes()
    both = one_step(classifier(), (X, CLASSES), class_weight=table, sample_weight=W)
    alone = one_step(classifier(), (X, CLASSES), sample_weight=W * table[CLASSES])
    assert both.values["weight"].tobytes() == alone.values["weight"].tobytes()


def test_balanced_classes_weigh_the_same_in_all():
    run = one_step(classifier(), (X, CLASSES), class_weight="balanced")
    times = np.array([2, 6, 2])
    plain = one_step(classifier(), (X, CLASSES), sample_weight=(10 / (3 * times))[CLASSES])
    np.testing.assert_allclose(run.values["weight"], plain.values["weight"], rtol=1e-14)


def test_validation_and_metrics_count_every_example_once():
    run = one_step(classifier(), (X, CLASSES), class_weight=[5.0, 1.0, 1.0], validation_data=(X, CLASSES))
    before = classifier().fit((X, CLASSES), epochs=0, progress=False).evaluate((X, CLASSES))
    assert run.history[0]["accuracy"] == before["accuracy"] and run.history[0]["loss"] != pytest.approx(before["loss"])
    assert run.history[0]["val_loss"] == pytest.approx(run.evaluate((X, CLASSES))["loss"], rel=1e-14)
    shared = classifier().fit((X, CLASSES), sample_weight=W, validation_split=0.3, progress=False)
    assert list(shared.history[0]) == ["loss", "accuracy", "val_loss", "val_accuracy"]


def test_weights_are_for_losses_that_are_numbers():
    bits = lg.supervised(lg.lookup(2), lg.xor, lg.ascent, lg.echo)
    with pytest.raises(TypeMismatch) as error:
        bits.fit((np.zeros((4, 2), "uint8"), np.zeros((4, 1), "uint8")), batch_size=None, sample_weight=np.ones(4), progress=False)
    assert str(error.value) == "weights multiply the loss of one example, a single float, and this loss is Z2[1]"


def test_a_port_of_the_name_of_the_weights_is_refused():
    with pytest.raises(BadValue) as error:
        one_step(linear(), (X, Y), sample_weight="weight")
    told = "'weight' is the name of the weights of examples, and this learner has a parameter of that name: rename it"
    assert str(error.value) == told


# -- accumulation ------------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "descent": lambda: (lg.descent, 0.05),
    "momentum": lambda: (lg.momentum(0.9), 0.05),
    "nesterov, which looks ahead": lambda: (lg.momentum(0.9, nesterov=True), 0.05),
    "adam": lambda: (lg.adam(0.01), 1.0),
    "adamw by a schedule": lambda: (lg.adamw(lg.cosine(0.01, steps=20)), 1.0),
    "one layer only": lambda: ({"head/*": lg.momentum(0.9)}, 0.05),
}


def hidden(optimizer, size, **how):
    model = lg.dense(4, 5, activation="tanh", name="enc", dtype="float64") >> lg.dense(5, 2, name="head", dtype="float64")
    return lg.supervised(model, lg.half_squared_error, optimizer, size, **how)


@pytest.mark.parametrize(("name", "reduction"), [*((name, "mean") for name in OPTIMIZERS), ("momentum", "sum")])
def test_a_batch_in_parts_is_the_big_batch(name, reduction):
    made = hidden(*OPTIMIZERS[name](), reduction=reduction)
    whole = made.fit((X, Y), epochs=4, batch_size=8, progress=False)  # batches of 8 and 2
    for parts in (3, 8):
        run = made.fit((X, Y), epochs=4, batch_size=8, accumulate=parts, progress=False)
        assert list(run.values) == list(whole.values)
        for n, value in whole.values.items():
            np.testing.assert_allclose(run.values[n], value, rtol=0, atol=1e-12)
        assert [r["loss"] for r in run.history] == pytest.approx([r["loss"] for r in whole.history], abs=1e-12)


def test_the_step_in_parts_has_the_ports_of_the_step():
    made = hidden(*OPTIMIZERS["momentum"]())
    whole, parts = made.step(8), made.step(8, parts=3)
    assert (whole.inputs, whole.outputs) == (parts.inputs, parts.outputs)
    scans = [n.op for n in parts.diagram.nodes if n.op.name == "Scan"]
    assert [s.n for s in scans] == [2, 1], "two parts of 3, and one of 2"
    shapes = {a.shape[:1] for n in scans[0].body.nodes for a in n.cod if len(a.shape) > 1}
    assert (8,) not in shapes and (3,) in shapes, "nothing inside is as large as the batch"


def test_states_go_from_part_to_part():
    model = lg.sequential(lg.input(4, dtype="float64"), lg.batch_norm(), lg.dense(2))
    made = lg.supervised(model, lg.mse, lg.sgd(0.1))
    run = made.fit((X[:8], Y[:8]), batch_size=8, shuffle=False, accumulate=2, progress=False)
    small = lg.supervised(model, lg.mse, {}, 1.0).fit((X[:8], Y[:8]), batch_size=4, shuffle=False, progress=False)
    states = [n for n, p in zip(model.names, model.params, strict=True) if p.role is Role.STATE]
    assert len(states) >= 2
    for n in states:
        np.testing.assert_allclose(run.values[n], small.values[n], rtol=1e-13)


def test_weights_and_parts_go_together():
    made = linear()
    whole = one_step(made, (X, Y), sample_weight=W)
    parts = one_step(made, (X, Y), sample_weight=W, accumulate=4)
    np.testing.assert_allclose(parts.values["weight"], whole.values["weight"], rtol=0, atol=1e-13)


def test_parts_run_on_jax_too():
    pytest.importorskip("jax", reason="this is about the JAX backend")
    made = hidden(*OPTIMIZERS["adam"]())
    runs = [made.fit((X, Y), epochs=2, batch_size=8, accumulate=3, backend=b, progress=False) for b in ("numpy", "jax")]
    for n, value in runs[0].values.items():
        np.testing.assert_allclose(runs[1].values[n], value, rtol=0, atol=1e-12)
