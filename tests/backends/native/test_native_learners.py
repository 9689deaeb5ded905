"""Whole learners in C: twenty steps as in NumPy, and to the bit the same by one thread and by two, fused and by parts."""

from functools import cache

import numpy as np
import pytest
from native_check import InC, divided_always

import lensgrad as lg
from lensgrad.train.iterate import stretch

STEPS, BATCH, CLASSES, WORDS = 12, 6, 5, 7
LIMITS = {"float32": 1e-5, "float64": 1e-12}


def classifier(model, optimizer):
    return lg.supervised(model, lg.cross_entropy, optimizer, metrics=["accuracy"])


def perceptron(dtype):
    layers = lg.dense(33, activation="gelu"), lg.layer_norm(), lg.dense(17, activation="silu"), lg.rms_norm(), lg.dense(CLASSES)
    return classifier(lg.sequential(lg.input(9, dtype=dtype), *layers), lg.adam(1e-2))


def convolutional(dtype):
    blocks = (
        lg.conv2d(4, 3, activation="relu"),
        lg.max_pool2d(2),
        lg.batch_norm(),
        lg.conv2d(6, 3, stride=2, padding="same", activation="elu"),
    )
    more = lg.group_norm(2), lg.average_pool2d(2, padding="same"), lg.flatten(), lg.dropout(0.25), lg.dense(CLASSES)
    return classifier(lg.sequential(lg.input(11, 11, 3, dtype=dtype), *blocks, *more), lg.sgd(0.05, momentum=0.9, nesterov=True))


def recurrent(dtype):
    layers = lg.lstm(5), lg.gru(4), lg.simple_rnn(3), lg.flatten(), lg.dense(CLASSES)
    return classifier(lg.sequential(lg.input(6, 3, dtype=dtype), *layers), lg.rmsprop(1e-2))


def attentive(dtype):
    words = lg.input(5, dtype="int32"), lg.embedding(WORDS, 8, dtype=dtype), lg.learned_positions()
    layers = lg.transformer_block(2, causal=True, dropout_rate=0.1), lg.flatten(), lg.dense(CLASSES)
    return classifier(lg.sequential(*words, *layers), lg.sgd(0.1))


def deep(dtype):
    block = lg.residual(lg.sequential(lg.dense(8, activation="tanh"), lg.dropout(0.1)))
    return classifier(lg.sequential(lg.input(8, dtype=dtype), lg.repeat(block, 4), lg.dense(CLASSES)), lg.lion(1e-3))


def variational(dtype):
    decoder = lg.sequential(lg.dense(8, activation="relu"), lg.dense(9))
    coder = lg.dense(8, activation="relu"), lg.dense(2 * 3), lg.gaussian_sample(), lg.beside(decoder)
    return lg.supervised(lg.sequential(lg.input(9, dtype=dtype), *coder), lg.elbo, lg.adam(3e-3), label="x")


def separable(dtype):
    layers = (
        lg.conv1d(4, 3, dilation=2),
        lg.max_pool1d(3, stride=2, padding="same"),
        lg.reshape(6, 1, 4),
        lg.depthwise_conv((3, 1), padding="same"),
    )
    layers = *layers, lg.flatten()
    return classifier(lg.sequential(lg.input(15, 4, dtype=dtype), *layers, lg.dense(CLASSES)), lg.lamb(1e-2))


LEARNERS = {f.__name__: f for f in (perceptron, convolutional, recurrent, attentive, deep, variational, separable)}


@cache
def learner_of(name, dtype):
    return LEARNERS[name](dtype)


@cache
def rows_of(name, dtype):
    learner, rng = learner_of(name, dtype), np.random.default_rng(3)
    atom = learner.model.dom[0]
    shape = (STEPS, BATCH, *atom.shape)
    if name == "variational":
        return {"x": rng.uniform(0, 1, shape).astype(atom.dtype)}
    x = rng.standard_normal(shape).astype(atom.dtype) if atom.floating else rng.integers(0, WORDS, shape).astype(atom.dtype)
    return {"x": x, "y": rng.integers(0, CLASSES, (STEPS, BATCH)).astype(np.int32)}


def taken(name, dtype, backend, learner=None):
    learner = learner or learner_of(name, dtype)
    return stretch(learner.step(BATCH, backend), learner.initial(1), rows_of(name, dtype), STEPS)


@cache
def in_numpy(name, dtype):
    return taken(name, dtype, "numpy")


def apart(a, b):
    """The largest difference, in parts of what is largest among numbers of a kind, or of 1."""
    far = [np.max(np.abs(np.asarray(a[n], np.float64) - b[n])) / max(1.0, np.max(np.abs(b[n]))) for n in b]
    return max(map(float, far))


def same(a, b):
    return all(np.array_equal(a.values[n], b.values[n]) for n in b.values) and all(np.array_equal(a.seen[n], b.seen[n]) for n in b.seen)


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("name", LEARNERS)
def test_steps_are_those_of_numpy(name, dtype):
    plain, ours = in_numpy(name, dtype), taken(name, dtype, InC())
    assert apart(ours.values, plain.values) <= LIMITS[dtype] and apart(ours.seen, plain.seen) <= LIMITS[dtype]
    assert {n: np.asarray(v).dtype for n, v in ours.values.items()} == {n: np.asarray(v).dtype for n, v in plain.values.items()}
    assert apart(plain.values, learner_of(name, dtype).initial(1)) > 1e-3
    for n, v in plain.values.items():
        assert np.asarray(v).dtype.kind == "f" or np.array_equal(v, ours.values[n]), "keys and counters go on to the bit"


@pytest.mark.parametrize("name", ["convolutional", "recurrent", "attentive"])
def test_steps_by_two_threads_are_those_by_one_to_the_bit(name, monkeypatch):
    divided_always(monkeypatch)
    learner = LEARNERS[name]("float32")  # one that keeps no program of other tests
    assert same(taken(name, "float32", InC(), learner), taken(name, "float32", InC(threads=2), learner))
    assert learner.step(BATCH, InC(threads=2)).iteration(tuple(rows_of(name, "float32"))).threads == 2


@pytest.mark.parametrize("name", ["convolutional", "recurrent"])
def test_steps_by_parts_are_those_of_numpy(name):
    plain, ours = in_numpy(name, "float64"), taken(name, "float64", InC(fuse=False))
    assert apart(ours.values, plain.values) <= 1e-12 and apart(ours.seen, plain.seen) <= 1e-12
