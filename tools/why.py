"""Faults planted on purpose, and what `lg.why` says of each: `python -m tools.why` prints them and how many it names.

Each case is a learner, its values, a batch and the wire that is asked for; `wanted` is the cause, the layer path and the generator.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad import ops
from lensgrad.lens import parametric
from lensgrad.theories.smooth.scan import scan
from tools import why_more
from tools.planting import PLANTED, Case, N, changed, classifier, data, floats, network, own, planted

# -- nothing comes back ------------------------------------------------------------------------------------------------


@planted("dead", "act/relu", "Select")
def dead_relu() -> Case:
    made = lg.supervised(
        lg.sequential(lg.input(4), lg.dense(8, activation="relu", name="act"), lg.dense(3, name="last")), lg.cross_entropy, lg.sgd(0.1)
    )
    return made, changed(made, act__bias=-100.0), data(), "act/weight"


@planted("zero weights", "last/weight", "Einsum")
def zero_init() -> Case:
    made = classifier(own(ops.tanh, "act"))
    return made, changed(made, last__weight=0.0), data(), "first/weight"


@planted("saturated", "squash", "Logistic")
def saturated_sigmoid() -> Case:
    made = classifier(own(ops.sigmoid, "squash"))
    return made, changed(made, first__bias=200.0), data(), "first/weight"


@planted("saturated", "squash", "Tanh")
def saturated_tanh() -> Case:
    made = classifier(own(ops.tanh, "squash"))
    return made, changed(made, first__bias=-50.0), data(), "first/weight"


@planted("mask", "weight_of_example", "Mul")
def mask_of_all() -> Case:
    made = lg.supervised(network(), lg.cross_entropy, lg.sgd(0.1)).weighted("weight_of_example")
    x, y = data()
    return made, made.initial(0), {"x": x, "y": y, "weight_of_example": np.zeros(N, "float32")}, "first/weight"


@planted("clamped", "bounds", "Clamp")
def clamp_saturation() -> Case:
    made = classifier(own(lambda x: ops.clamp(x, -1.0, 1.0), "bounds"))
    return made, changed(made, first__bias=9.0), data(), "first/weight"


@planted("dropout", "dropout", "Select")
def dropout_of_almost_all() -> Case:
    made = classifier(lg.dropout(0.9999))
    return made, made.initial(0), data(), "first/weight"


@planted("stopped", "still", "StopGradient")
def detached() -> Case:
    made = classifier(own(ops.stop_gradient, "still"))
    return made, made.initial(0), data(), "first/weight"


@planted("stopped", "steps", "Round")
def rounded() -> Case:
    made = classifier(own(ops.round, "steps"))
    return made, made.initial(0), data(), "first/weight"


@planted("frozen", "first/weight", "")
def frozen_parameter() -> Case:
    made = lg.supervised(network().freeze("first/weight"), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), data(), "first/weight"


@planted("no optimizer", "first/weight", "")
def optimizer_of_others_only() -> Case:
    made = classifier(optimizer={"last/**": lg.sgd(0.1)})
    return made, made.initial(0), data(), "first/weight"


@planted("unread", "spare/weight", "")
def unread_parameter() -> Case:
    spare = lg.layer("spare", lambda dom: parametric([lg.weight("weight", lg.Real(5))], dom, lambda w, x: x), name="spare")
    made = classifier(spare)
    return made, made.initial(0), data(), "spare/weight"


@planted("unseen", "words", "Take")
def embedding_row_never_seen() -> Case:
    made = lg.supervised(
        lg.sequential(lg.input(5, dtype="int32"), lg.embedding(20, 4, name="words"), lg.flatten(), lg.dense(3, name="last")),
        lg.cross_entropy,
        lg.sgd(0.1),
    )
    x = np.random.default_rng(0).integers(0, 10, (N, 5)).astype("int32")
    return made, made.initial(0), (x, data()[1]), "words/weight"


@planted("underflow", "last", "Cast")
def half_precision_underflow() -> Case:
    model = lg.mixed_precision(network(), "float16")
    made = lg.supervised(model >> own(lambda z: z * 1e-9, "scale"), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), data(), "first/weight"


def stack(activation: str, layers: int) -> Case:
    """So many layers of one kind, one behind the other, and the first weight of them."""
    middle = [lg.dense(8, activation=activation, name=f"layer{k}") for k in range(layers)]
    made = lg.supervised(lg.sequential(lg.input(4), *middle, lg.dense(3, name="last")), lg.cross_entropy, lg.sgd(0.1))
    return made, made.initial(0), data(), "layer0/weight"


@planted("fading", "layer49/relu", "Select")
def fading_in_a_deep_stack() -> Case:
    return stack("relu", 60)


@planted("fading", "layer74", "Logistic")
def fading_beyond_the_smallest_number() -> Case:
    return stack("sigmoid", 90)


@planted("shrinks", "last", "Einsum")
def tiny_weights() -> Case:
    made = classifier()
    return made, changed(made, last__weight=1e-20), data(), "first/weight"


@planted("dead", "b/relu", "Select")
def dead_layer_before_others() -> Case:
    made = classifier(*[lg.dense(8, activation="relu", name=n) for n in "abc"])
    return made, changed(made, b__bias=-1000.0), data(), "first/weight"


@planted("saturated", "act/relu6", "Select")
def saturated_above() -> Case:
    made = classifier(lg.dense(8, activation="relu6", name="act"))
    return made, changed(made, act__bias=99.0), data(), "act/weight"


@planted("saturated", "act/elu", "Expm1")
def saturated_below() -> Case:
    made = classifier(lg.dense(8, activation="elu", name="act"))
    return made, changed(made, act__bias=-300.0), data(), "act/weight"


@planted("solved", "task", "Mul")
def nothing_left_to_learn() -> Case:
    made = lg.supervised(network(outputs=2), lg.mse, lg.sgd(0.1))
    x, y = floats()
    return made, changed(made, last__weight=0.0), (x, y * 0), "last/weight"


@planted("flat", "length", "Select")
def norm_of_nothing() -> Case:
    made = classifier(own(lambda x: ops.norm(x, keepdims=True), "length"))
    return made, changed(made, first__weight=0.0), data(), "first/weight"


@planted("underflow", "last", "Einsum")
def half_precision_underflow_in_a_product() -> Case:
    made = lg.supervised(network(outputs=2), lg.mse, lg.sgd(0.1), precision="float16", loss_scale=1.0)
    x, y = floats()
    return made, changed(made, last__weight=1e-6), (x, y * np.float32(1e-3)), "first/weight"


@planted("shrinks", "tiny", "Mul")
def underflow_of_a_product() -> Case:
    made = classifier(own(lambda x: (x * 1e-25) * (x * 1e-25), "tiny"))
    return made, made.initial(0), data(), "first/weight"


# -- not finite --------------------------------------------------------------------------------------------------------


@planted("log", "logarithm", "Log")
def log_of_zero() -> Case:
    made = classifier(own(lambda x: ops.log(ops.relu(x)), "logarithm"))
    return made, made.initial(0), data(), "first/weight"


@planted("root", "root", "Sqrt")
def root_at_zero() -> Case:
    made = classifier(own(lambda x: ops.sqrt(x * x), "root"))
    return made, changed(made, first__weight=0.0), data(), "first/weight"


@planted("angle", "angle", "acos")
def acos_of_what_is_no_cosine() -> Case:
    made = classifier(own(ops.acos, "angle"))
    return made, changed(made, first__bias=1.5), data(), "first/weight"


@planted("angle", "angle", "asin")
def way_back_from_asin_at_one() -> Case:
    made = classifier(own(ops.asin, "angle"))
    return made, changed(made, first__weight=0.0, first__bias=1.0), data(), "first/weight"


@planted("exp", "own_softmax", "Exp")
def overflow_of_an_own_softmax() -> Case:
    def softmax(x: Any) -> Any:
        e = ops.exp(x)
        return e / ops.spread(ops.sum_over(e, (0,)), e.shape, ())

    made = classifier(own(softmax, "own_softmax"))
    return made, changed(made, first__bias=100.0), data(), "first/weight"


@planted("exp", "growth", "Exp")
def overflow_of_exp() -> Case:
    made = classifier(own(lambda x: ops.exp(x * x), "growth"))
    return made, changed(made, first__bias=20.0), data(), "last/weight"


@planted("division", "unit", "Div")
def division_by_a_norm_of_zero() -> Case:
    def unit(x: Any) -> Any:
        return x / ops.spread(ops.sum_over(ops.absolute(x), (0,)), x.shape, ())

    made = classifier(own(unit, "unit"))
    return made, changed(made, first__weight=0.0), data(), "first/weight"


@planted("power", "curve", "Power")
def power_of_a_negative() -> Case:
    made = classifier(own(lambda x: x**0.3, "curve"))
    return made, made.initial(0), data(), "first/weight"


@planted("power", "curve", "Power")
def zero_to_a_negative_power() -> Case:
    made = classifier(own(lambda x: x**-2.0, "curve"))
    return made, changed(made, first__weight=0.0), data(), "first/weight"


@planted("data", "x", "")
def nan_in_the_data() -> Case:
    made = classifier()
    x, y = data()
    x[3, 1] = np.nan
    return made, made.initial(0), (x, y), "first/weight"


# -- too large ---------------------------------------------------------------------------------------------------------


def recurrent(activation: str, weight: float = 1.0, bias: float = 0.0) -> Case:
    """A network with a loop of 30 steps, the weights that go round so many times larger."""
    model = lg.sequential(lg.input(30, 4), lg.simple_rnn(8, activation=activation, last=True, name="memory"), lg.dense(3, name="last"))
    made = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))
    start = made.initial(0)
    x = np.random.default_rng(0).normal(size=(N, 30, 4)).astype("float32")
    values = {
        "memory/state/weight": start["memory/state/weight"] * np.float32(weight),
        "memory/bias": start["memory/bias"] + np.float32(bias),
    }
    return made, {**start, **values}, (x, data()[1]), "memory/input/weight"


def loop(step: Any, steps: int = 6) -> Case:
    """A network with a loop of one's own."""

    def run(x: Any) -> Any:
        last, _ = scan(lambda c, row, _: (step(c, row), c), x, ops.spread(x, (steps, *x.shape), (1,)))
        return last

    made = classifier(own(run, "dig"))
    return made, changed(made, first__weight=0.0, first__bias=1.0), data(), "first/weight"


@planted("exploding", "layer16", "")
def exploding_stack() -> Case:
    middle = [lg.dense(8, name=f"layer{k}") for k in range(30)]
    made = lg.supervised(lg.sequential(lg.input(4), *middle, lg.dense(2, name="last")), lg.mse, lg.sgd(0.1))
    start = made.initial(0)
    large = {n: v * np.float32(2.5) for n, v in start.items() if n.endswith("weight")}
    return made, {**start, **large}, floats(), "layer0/weight"


@planted("exploding", "memory/loop", "Einsum")
def exploding_recurrence() -> Case:
    return recurrent("relu", weight=4.0)


@planted("exploding", "memory/loop", "Einsum")
def overflow_of_a_recurrence() -> Case:
    return recurrent("relu", weight=1e4)


@planted("saturated", "memory/loop", "Tanh")
def saturated_recurrence() -> Case:
    return recurrent("tanh", bias=50.0)


@planted("log", "dig/loop", "Log")
def log_of_zero_in_a_loop() -> Case:
    return loop(lambda c, _: ops.log(c))


@planted("root", "dig/loop", "Sqrt")
def root_at_zero_in_a_loop() -> Case:
    return loop(lambda c, row: ops.sqrt((c - row) * (c - row)) + row)


@planted("rate", "sgd(50.0)", "sgd(50.0)")
def rate_too_high() -> Case:
    made = classifier(own(ops.tanh, "act"), optimizer=lg.sgd(50.0))
    return made, made.initial(0), data(), "first/weight"


@planted("label scale", "y", "")
def wrong_label_scale() -> Case:
    made = lg.supervised(network(outputs=2), lg.mse, lg.sgd(0.1))
    x, y = floats()
    return made, made.initial(0), (x, y * 1e6), "first/weight"


@planted("input scale", "x", "")
def input_scale_of_a_million() -> Case:
    made = classifier()
    x, y = data()
    return made, made.initial(0), (x * np.float32(1e6), y), "first/weight"


@planted("healthy", "", "")
def root_of_units_that_are_not_active() -> Case:
    made = classifier(lg.dense(8, activation="relu", name="act"), own(ops.sqrt, "root"))
    return made, made.initial(0), data(), "act/weight"


# -- nothing is wrong --------------------------------------------------------------------------------------------------


@planted("healthy", "", "")
def healthy_network() -> Case:
    made = classifier(own(ops.relu, "act"))
    return made, made.initial(0), data(), "first/weight"


@planted("healthy", "", "")
def healthy_step() -> Case:
    made = classifier(own(ops.relu, "act"), optimizer=lg.adam(0.01))
    return made, made.initial(0), data(), None


@planted("healthy", "", "")
def healthy_half_precision() -> Case:
    made = lg.supervised(network(own(ops.relu, "act")), lg.cross_entropy, lg.sgd(0.1), precision="float16")
    return made, made.initial(0), data(), "first/weight"


@planted("healthy", "", "")
def healthy_recurrence() -> Case:
    model = lg.sequential(lg.input(12, 4), lg.lstm(8, last=True), lg.batch_norm(), lg.dense(3, name="last"))
    made = lg.supervised(model, lg.cross_entropy, lg.adam(0.01))
    x = np.random.default_rng(0).normal(size=(N, 12, 4)).astype("float32")
    return made, made.initial(0), (x, data()[1]), None


def said(name: str) -> Any:
    """What `why` says of a planted case."""
    make, _ = PLANTED[name]
    return lg.why(*make())


MORE = why_more.__name__  # where the rest of the cases stand


def main() -> int:
    """Print each case; 1 where one is not named."""
    right = 0
    for name, (_, wanted) in PLANTED.items():
        found = said(name)
        same = (found.cause, found.place, found.generator) == wanted
        right += same
        print(f"{'named ' if same else 'MISSED'}  {name}\n        {found.verdict}")
        if not same:
            print(f"        wanted {wanted}, got {(found.cause, found.place, found.generator)}")
    faults = sum(wanted[0] != "healthy" for _, wanted in PLANTED.values())
    print(f"{right} of {len(PLANTED)} cases: {faults} planted faults, and {len(PLANTED) - faults} steps with none")
    return 0 if right == len(PLANTED) else 1


if __name__ == "__main__":
    sys.exit(main())
