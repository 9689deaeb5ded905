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


# -- weights by class, label by label ----------------------------------------------------------------------------------

KINDS = np.array([0, 1, 1, 2, 0, 1, 1, 1, 2, 1])
FLAGS = (np.arange(10) % 3 == 0).astype(float)[:, None]


def forked(losses, sizes):
    from lensgrad.lens import Diagram

    first, *others = (lg.dense(n, name=name, dtype="float64") for name, n in sizes.items())
    body = lg.input(4, dtype="float64") >> lg.dense(5, name="body")
    heads = first.at(body.cod)
    for other in others:
        heads = heads @ other.at(body.cod)
    return lg.supervised(body >> Diagram.copy(body.cod, len(sizes)) >> heads, losses, lg.sgd(0.1))


def one_score(loss=lg.binary_cross_entropy):
    return lg.supervised(lg.dense(4, 1, dtype="float64"), loss, lg.sgd(0.1))


def same(one, other):
    assert {n: v.tobytes() for n, v in one.values.items()} == {n: v.tobytes() for n, v in other.values.items()}


def test_labels_as_floats_weigh_what_they_weigh_as_numbers():
    for how in ({0: 2.0, 1: 3.0, 2: 1.0}, "balanced"):
        same(*(one_step(classifier(), (X, labels), class_weight=how) for labels in (KINDS, KINDS.astype(float))))


def test_yes_and_no_and_sides_have_weights_by_their_labels():
    weights = np.where(FLAGS[:, 0] == 1, 5.0, 1.0)
    same(one_step(one_score(), (X, FLAGS), class_weight={0: 1.0, 1: 5.0}), one_step(one_score(), (X, FLAGS), sample_weight=weights))
    sides = 2 * FLAGS - 1
    same(one_step(one_score(lg.hinge), (X, sides), class_weight={-1: 1.0, 1: 5.0}),
         one_step(one_score(lg.hinge), (X, sides), sample_weight=weights))  # fmt: skip


def test_the_label_that_is_a_class_has_the_weights_wherever_it_stands():
    made = forked({"size": lg.mse, "kind": lg.cross_entropy}, {"size": 1, "kind": 3})
    data, table = {"x": X, "size": X[:, :1], "kind": KINDS}, np.array([5.0, 1.0, 2.0])
    plain = one_step(made, data, sample_weight=table[KINDS])
    for how in (table, {"kind": table}, {"kind": {0: 5.0, 2: 2.0, 1: 1.0}}):
        same(one_step(made, data, class_weight=how), plain)


def test_several_labels_have_weights_by_name():
    made = forked({"kind": lg.cross_entropy, "flag": lg.binary_cross_entropy}, {"kind": 3, "flag": 1})
    data = {"x": X, "kind": KINDS, "flag": FLAGS}
    both = one_step(made, data, class_weight={"kind": [5.0, 1.0, 2.0], "flag": {0: 1.0, 1: 3.0}})
    same(both, one_step(made, data, sample_weight=np.array([5.0, 1.0, 2.0])[KINDS] * np.where(FLAGS[:, 0] == 1, 3.0, 1.0)))
    with pytest.raises(BadValue) as error:
        one_step(made, data, class_weight={0: 2.0})
    assert str(error.value) == ("class_weight could be of kind, flag: give a dict by label, such as class_weight={'kind': 'balanced'}")


def test_balanced_is_that_of_scikit_learn():
    weigh = pytest.importorskip("sklearn.utils.class_weight", reason="scikit-learn is the oracle of this test").compute_class_weight
    for seed in range(5):
        labels = np.random.default_rng(seed).choice(3, 10, p=[0.6, 0.3, 0.1])
        there = np.unique(labels)
        table = dict(zip(there.tolist(), weigh("balanced", classes=there, y=labels), strict=True))
        plain = one_step(classifier(), (X, labels), sample_weight=np.array([table[c] for c in labels]))
        found = one_step(classifier(), (X, labels), class_weight="balanced")
        np.testing.assert_allclose(found.values["weight"], plain.values["weight"], rtol=1e-13)


def test_a_class_that_has_no_weight_is_said_once(capsys):
    classifier().fit((X, KINDS), epochs=3, class_weight={0: 2.0})
    text = "class_weight says nothing about classes 1, 2 of 'y', whose examples weigh 1"
    assert " ".join(capsys.readouterr().out.split()).count(text) == 1


NO_CLASS = [
    (lambda: one_step(linear(), (X, Y), class_weight="balanced"),
     "class_weight is by class, and the labels 'y' are no class numbers: give sample_weight"),
    (lambda: one_step(classifier(), (X, KINDS), class_weight={7: 1.0}), "class_weight has 7, and the classes of 'y' are numbered 0 to 2"),
    (lambda: one_step(one_score(lg.hinge), (X, 2 * FLAGS - 1), class_weight={0: 1.0}),
     "class_weight has 0, and the classes of 'y' are -1, 1"),
    (lambda: one_step(one_score(), (X, FLAGS * 0.5), class_weight={0: 1.0}),
     "'y' holds 0.5, and class_weight is for the classes 0, 1: give sample_weight"),
    (lambda: one_step(classifier(), (X, KINDS), class_weight={"kind": "balanced"}), "class_weight has 'kind', and the labels are y"),
    (lambda: one_step(linear_bits(), (X, np.hstack([FLAGS, FLAGS])), class_weight={0: 1.0}),
     "class_weight is by class, and 'y' holds several labels for each example: give lg.binary_cross_entropy(pos_weight=…) as the loss"),
]  # fmt: skip


def linear_bits():
    return lg.supervised(lg.dense(4, 2, dtype="float64"), lg.binary_cross_entropy, lg.sgd(0.1))


@pytest.mark.parametrize(("call", "text"), NO_CLASS, ids=[t[:50] for _, t in NO_CLASS])
def test_weights_by_class_that_make_no_sense_are_refused(call, text):
    with pytest.raises(BadValue) as error:
        call()
    assert str(error.value) == text


# -- validation in proportion ------------------------------------------------------------------------------------------


def held(made, data, seed):
    """The validation data that a share of 0.2 of the rows makes."""
    from lensgrad.data.source import ArraySource
    from lensgrad.train.feed import divided

    return divided(made, ArraySource(data), None, 0.2, seed)[1].arrays


@pytest.mark.parametrize("seed", range(4))
def test_validation_has_every_class_in_proportion_whichever_label_it_is_of(seed):
    numbers = np.random.default_rng(seed)
    kind, flag = numbers.permutation(np.repeat([0, 1, 2], [60, 30, 10])), numbers.permutation(np.repeat([0.0, 1.0], [90, 10]))[:, None]
    x, size = numbers.standard_normal((100, 4)), numbers.standard_normal((100, 1))
    alone = held(forked({"size": lg.mse, "kind": lg.cross_entropy}, {"size": 1, "kind": 3}), {"x": x, "size": size, "kind": kind}, seed)
    assert np.bincount(alone["kind"]).tolist() == [12, 6, 2]
    as_floats = held(one_score(), {"x": x, "y": flag}, seed)
    assert as_floats["y"].sum() == 2
    made = forked({"kind": lg.cross_entropy, "flag": lg.binary_cross_entropy}, {"kind": 3, "flag": 1})
    both = held(made, {"x": x, "kind": kind, "flag": flag}, seed)
    for k in range(3):
        for f in (0.0, 1.0):
            there, found = (np.count_nonzero((d["kind"] == k) & (d["flag"][:, 0] == f)) for d in ({"kind": kind, "flag": flag}, both))
            assert abs(found - 0.2 * there) < 1
