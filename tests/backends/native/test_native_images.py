"""Networks on images in C: convolutions of few and many channels between each other and pooling, on batches of any size."""

import numpy as np
import pytest
from native_check import InC, differing, divided_always, in_numpy, once
from portable_check import in_c99, needs_compiler

import lensgrad as lg
from lensgrad.backends.native.assemble import assembled
from lensgrad.train.iterate import stretch

STEPS = 3


def network(shape, *layers):
    return lg.sequential(lg.input(*shape), *layers, lg.flatten(), lg.dense(4))


NETWORKS = {
    "small": lambda: network(
        (10, 10, 1), lg.conv2d(3, 3, activation="relu"), lg.max_pool2d(2), lg.conv2d(7, (2, 3), padding="same"), lg.max_pool2d(2)
    ),
    "straight": lambda: network((7, 9, 2), lg.conv2d(5, 3, padding=1, use_bias=False), lg.conv2d(2, (1, 4))),
    "normed": lambda: network((8, 8, 3), lg.conv2d(4, 3, padding=1), lg.batch_norm(), lg.relu, lg.average_pool2d(2), lg.conv2d(3, 2)),
    "growing": lambda: network((9, 9, 8), lg.conv2d(33, 2, activation="relu"), lg.max_pool2d(2), lg.conv2d(16, 2)),
    "widening": lambda: network((9, 9, 2), lg.conv2d(5, 2, activation="tanh"), lg.max_pool2d(2), lg.conv2d(60, 2), lg.conv2d(9, 2)),
    "overlapping": lambda: network((9, 9, 2), lg.conv2d(4, 3, activation="tanh"), lg.max_pool2d(3, stride=2), lg.conv2d(3, 2)),
    "stem": lambda: network((18, 18, 3), lg.conv2d(40, 3, padding=1), lg.batch_norm(), lg.relu, lg.conv2d(9, 3, stride=2)),
    "squares": lambda: network(
        (9, 7, 3), lg.conv2d(32, 3, padding=1), lg.conv2d(64, 3, padding=1, activation="relu"), lg.batch_norm(), lg.conv2d(32, 3)
    ),
    "column": lambda: network((3, 1, 2), lg.conv2d(2, 1), lg.batch_norm(), lg.conv2d(2, 1), lg.batch_norm()),
    "along": lambda: network((21, 2), lg.conv1d(4, 3, activation="relu"), lg.max_pool1d(2), lg.conv1d(5, 4, padding="same")),
}


def learner_of(name):
    return lg.supervised(NETWORKS[name](), lg.cross_entropy, lg.sgd(0.05, momentum=0.9))


def taken(learner, batch, backend, same=False):
    rng = np.random.default_rng(3)
    shape = (STEPS, *([batch] if batch else []), *learner.model.dom[0].shape)
    rows = {
        "x": np.ones(shape, np.float32) if same else rng.standard_normal(shape).astype(np.float32),
        "y": rng.integers(0, 4, shape[: 1 + bool(batch)]).astype(np.int32),
    }
    return stretch(learner.step(batch, backend), learner.initial(1), rows, STEPS).values


def apart(a, b):
    return max(float(np.max(np.abs(np.asarray(a[n]) - b[n])) / max(1.0, np.max(np.abs(b[n])))) for n in b)


@pytest.mark.parametrize(
    ("name", "batch"), [*((n, 16) for n in NETWORKS), ("small", 5), ("small", None), ("growing", 5), ("column", 5), ("normed", 24)]
)
def test_steps_are_those_of_numpy(name, batch, monkeypatch):
    learner = learner_of(name)
    plain = taken(learner, batch, "numpy")
    assert apart(plain, learner.initial(1)) > 1e-3
    divided_always(monkeypatch)
    one, two = (taken(learner, batch, InC(threads=n)) for n in (1, 2))
    assert apart(one, plain) <= 1e-5
    assert all(np.array_equal(one[n], two[n]) for n in plain)


@pytest.mark.parametrize("batch", [None, 16])
def test_of_equal_entries_the_first_one_is_the_largest(batch):
    """A relu behind which all entries of a window are equal, and those of others 0: what flows back flows to one of them."""
    learner = learner_of("small")
    assert apart(taken(learner, batch, InC(), True), taken(learner, batch, "numpy", True)) <= 1e-5


@needs_compiler
@pytest.mark.parametrize("batch", [5, 16])
def test_the_file_for_any_machine_says_the_same(batch, tmp_path):
    learner = learner_of("small")
    f = learner.step(batch, "numpy").diagram
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(a.shape).astype(a.dtype) if a.floating else rng.integers(0, 4, a.shape).astype(a.dtype) for a in f.dom]
    assert differing(in_c99(f, xs, tmp_path), in_numpy(f, xs), [1e-5] * len(f.cod)) == []


def test_examples_lie_side_by_side_where_there_are_enough():
    f = learner_of("small").step(16, "numpy").diagram
    text = assembled(f, once(f)).text
    calls = text[text.index("void part_0(") :]
    assert "batch_row_f32(" in calls and "batch_taps_f32(" in calls and "strip_f32(" not in calls


def test_what_a_dense_layer_reads_again_for_each_result_is_pooled_once_and_lies_in_its_order():
    program = learner_of("small").predictor(1, "native")
    text = assembled(program.diagram, program.function.steps.loop).text
    layer = text.split("/* dense */")[1].split("void run(")[0]
    assert "s1 +=" in layer and "%" not in layer and " > " not in layer, "it pools, or looks for its place, once a result"


def test_results_of_a_call_are_not_those_of_the_next():
    few, many = (lg.supervised(lg.dense(3, n), lg.mse, lg.sgd(0.1)).predictor(1, "native") for n in (2, 2000))
    for program in (few, many):
        values = {p.name: np.ones(p.ob[0].shape, np.float32) for p in program.inputs}
        first = program(values)["output"]
        second = program({**values, "x": 2 * values["x"]})["output"]
        assert (first == 4).all() and (second == 7).all()
