"""More planted faults, and more steps without any: what was once explained wrongly."""

from __future__ import annotations

import numpy as np

import lensgrad as lg
from lensgrad import ops
from tools.planting import Case, N, changed, classifier, data, floats, network, own, planted


def sequences(steps: int = 20) -> np.ndarray:
    """A batch of sequences."""
    return np.random.default_rng(0).normal(size=(N, steps, 4)).astype("float32")


@planted("solved", "task", "LogSoftmax")
def classes_that_are_known_already() -> Case:
    made = classifier()
    return made, changed(made, last__bias=np.float32([1e4, 0, 0])), (data()[0], np.zeros(N, "int32")), "last/weight"


@planted("solved", "relu", "Select")
def a_margin_that_is_met() -> Case:
    made = lg.supervised(network(outputs=1), lg.hinge, lg.sgd(0.1))
    return made, changed(made, last__bias=1000.0), (data()[0], np.ones((N, 1), "float32")), "last/weight"


@planted("not chosen", "concatenate", "Concatenate")
def a_branch_that_is_cut_off() -> Case:
    branches = lg.fork(lg.dense(4, name="used"), lg.dense(4, name="unused"))
    made = classifier(branches, lg.concatenate(), own(lambda x: x[0:4], "cut"))
    return made, made.initial(0), data(), "unused/weight"


@planted("saturated", "memory/loop", "Logistic")
def gates_that_are_closed() -> Case:
    made = lg.supervised(
        lg.sequential(lg.input(20, 4), lg.lstm(6, last=True, name="memory"), lg.dense(3, name="last")), lg.cross_entropy, lg.sgd(0.1)
    )
    return made, changed(made, memory__bias=-200.0), (sequences(), data()[1]), "memory/input/weight"


@planted("fading", "deep", "Scan")
def fading_in_repeated_layers() -> Case:
    made = classifier(lg.repeat(lg.dense(8, "sigmoid"), 100, name="deep"))
    return made, made.initial(0), data(), "deep/weight"


@planted("grows", "inverse", "Div")
def one_over_almost_nothing() -> Case:
    made = classifier(own(lambda x: 1.0 / x, "inverse"))
    return made, changed(made, first__weight=0.0, first__bias=1e-6), data(), "first/weight"


@planted("zero weights", "first/weight.left", "Einsum")
def lora_at_first_asked_by_name() -> Case:
    made = lg.supervised(network().lora("first/weight", rank=2), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), data(), "first/weight.right"


@planted("zero weights", "second/kernel", "Convolve")
def a_kernel_of_zeros() -> Case:
    layers = lg.conv2d(4, 3, activation="relu", name="first"), lg.conv2d(4, 3, name="second"), lg.flatten, lg.dense(3, name="last")
    made = lg.supervised(lg.sequential(lg.input(8, 8, 1), *layers), lg.cross_entropy, lg.sgd(0.1))
    x = np.random.default_rng(0).normal(size=(N, 8, 8, 1)).astype("float32")
    return made, changed(made, second__kernel=0.0), (x, data()[1]), "first/kernel"


@planted("saturated", "memory/loop", "Logistic")
def gates_that_only_keep() -> Case:
    layers = lg.gru(6, last=True, name="memory"), lg.dense(3, name="last")
    made = lg.supervised(lg.sequential(lg.input(20, 4), *layers), lg.cross_entropy, lg.sgd(0.1))
    return made, changed(made, memory__bias=200.0), (sequences(), data()[1]), "memory/input/weight"


@planted("cancels", "norm", "Sum")
def batch_norm_of_one_example() -> Case:
    made = classifier(lg.batch_norm(name="norm"))
    return made, made.initial(0), tuple(v[:1] for v in data()), "first/weight"


@planted("no effect", "first", "Spread")
def a_bias_before_batch_norm() -> Case:
    made = classifier(lg.batch_norm())
    return made, made.initial(0), data(), "first/bias"


@planted("alike", "first/weight", "")
def units_that_are_all_alike() -> Case:
    made = classifier(own(ops.tanh, "act"))
    return made, changed(made, first__weight=0.1, last__weight=0.1), data(), None


@planted("dead", "judge/relu", "Select")
def dead_units_behind_noise() -> Case:
    made = classifier(lg.dropout(0.5), lg.dense(8, "relu", name="judge"))
    return made, changed(made, judge__bias=-100.0), data(), "first/weight"


@planted("dropout", "last", "Einsum")
def dropout_of_almost_all_before_the_last_layer() -> Case:
    made = classifier(lg.dropout(0.9999))
    return made, made.initial(0), data(), "last/weight"


@planted("step", "sgd(0.1, momentum=0.9)", "sgd(0.1, momentum=0.9)")
def velocities_that_lead_up() -> Case:
    made = classifier(optimizer=lg.sgd(0.1, momentum=0.9))
    start = made.initial(0)
    return made, {n: np.full_like(v, 1e30) if "velocity" in n else v for n, v in start.items()}, data(), None


@planted("frozen", "", "")
def nothing_that_learns() -> Case:
    made = lg.supervised(network().freeze("**"), lg.cross_entropy, {})
    return made, made.initial(0), data(), None


@planted("healthy", "", "")
def lora_at_first() -> Case:
    made = lg.supervised(network().lora("first/weight", rank=2), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), data(), None


@planted("healthy", "", "")
def deep_residual_layers() -> Case:
    made = classifier(lg.repeat(lg.residual(lg.dense(8, ops.tanh)), 20, name="deep"), optimizer=lg.adam(0.001))
    return made, made.initial(0), data(), None


@planted("healthy", "", "")
def regression_at_the_scale_of_its_labels() -> Case:
    made = lg.supervised(network(outputs=2), lg.mse, lg.sgd(0.001))
    x, y = floats()
    return made, made.initial(0), (x * 20, y * 10), None


@planted("healthy", "", "")
def one_layer_without_an_optimizer() -> Case:
    made = classifier(optimizer={"last/**": lg.sgd(0.1)})
    return made, made.initial(0), data(), None


@planted("healthy", "", "")
def a_last_layer_of_zeros() -> Case:
    made = classifier(own(ops.tanh, "act"))
    return made, changed(made, last__weight=0.0), data(), None


@planted("healthy", "", "")
def biases_without_effect() -> Case:
    """In attention that of the keys, before a batch normalization any; in float64 their gradient is next to nothing."""
    layers = lg.multi_head_attention(2, name="seen"), lg.batch_norm(), lg.flatten, lg.dense(3, name="last")
    made = lg.supervised(lg.sequential(lg.input(6, 8, dtype="float64"), *layers), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), (np.random.default_rng(0).normal(size=(N, 6, 8)), data()[1]), None


@planted("healthy", "", "")
def weights_of_several_arrays() -> Case:
    made = lg.supervised(network().reparam({"**/weight": lg.weight_norm}), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), data(), None
