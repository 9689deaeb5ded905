"""Stages by their kind, and dicts of optimizers as parameter groups."""

import numpy as np
import pytest
from numerics import reals
from refusals import told

import lensgrad as lg
import lensgrad.lens as paper
from lensgrad.cat.lens import two
from lensgrad.cat.names import Param
from lensgrad.cat.para import lens
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.optimizers import Constraint, Optimizer, Transform
from lensgrad.learn.tasks import supervised_task

X, Y = (v.astype(np.float32) for v in reals(3, (12, 4), (12, 3)))
MODEL = lg.dense(4, 6, name="enc") >> lg.dense(6, 3, name="head")
ALL = ("enc/weight", "enc/bias", "head/weight", "head/bias")


def by_hand(groups):
    return (lens(paper.batch(supervised_task(MODEL, lg.mse("y")), 12) >> paper.mean) >> lg.rate(1.0)).reparam(groups)


def learner(optimizer):
    return lg.supervised(MODEL, lg.mse, optimizer)


# -- kinds of stages ---------------------------------------------------------------------------------------------------


def test_a_stage_is_a_transform_an_optimizer_or_a_constraint():
    kinds = {
        Transform: [lg.clip_norm(1.0), lg.clip_value(1.0), lg.weight_decay(0.1), lg.chain(lg.clip_norm(1), lg.weight_decay(1))],
        Optimizer: [lg.adam(0.1), lg.descent, lg.chain(lg.clip_norm(1), lg.sgd(1)), lg.maximize(lg.sgd(1)), lg.sphere(lg.sgd(1))],
        Constraint: [lg.clip_weights(1.0), lg.chain(lg.clip_weights(1.0), lg.clip_weights(0.5))],
    }
    for kind, stages in kinds.items():
        assert [type(s) for s in stages] == [kind] * len(stages)


WRONG_ORDERS = {
    "clip_norm(1) changes the gradient, so it stands before sgd(0.1), which makes the next weight: write chain(clip_norm(1), sgd(0.1))": (
        lambda: lg.chain(lg.sgd(0.1), lg.clip_norm(1))
    ),
    "weight_decay(0.5) changes the gradient, so it stands before adam(0.1), which makes the next weight: "
    "write chain(weight_decay(0.5), adam(0.1))": lambda: lg.chain(lg.adam(0.1), lg.weight_decay(0.5)),
    "sgd(0.1) makes the next weight, so it stands before clip_weights(1), which changes the next weight: "
    "write chain(sgd(0.1), clip_weights(1))": lambda: lg.chain(lg.clip_weights(1), lg.sgd(0.1)),
    "a chain has one optimizer, which makes the next weight of the gradient; sgd(0.1) and adam(0.1) are two": (
        lambda: lg.chain(lg.sgd(0.1), lg.adam(0.1))
    ),
    "clip_norm(1) changes the gradient and clip_weights(1) changes the next weight, and a chain of both has an optimizer between "
    "them, such as lg.sgd(0.1)": lambda: lg.chain(lg.clip_norm(1), lg.clip_weights(1)),
}


@pytest.mark.parametrize("message", WRONG_ORDERS)
def test_a_chain_in_another_order_is_refused_with_the_right_one(message):
    assert told(BadValue, WRONG_ORDERS[message]) == message


def test_the_order_is_checked_on_objects_too():
    """One reparameterization after another has the types of what comes back, without a chain."""
    moved, param = by_hand({lg.weights: lg.sgd(0.1)}), Param("w", two(lg.Real(2)))
    clipped = "clip_value(1) changes the gradient, and what comes back to 'enc/weight' is its next value, since an optimizer moves it: "
    assert (
        told(TypeMismatch, lambda: moved.reparam({"enc/weight": lg.clip_value(1)})) == clipped + "write chain(clip_value(1), the optimizer)"
    )
    twice = "adam(0.1) makes the next weight of a gradient, and what comes back to 'enc/weight' is its next value already: "
    assert told(TypeMismatch, lambda: moved.reparam({"enc/weight": lg.adam(0.1)})) == twice + "a weight has one optimizer"
    assert told(TypeMismatch, lambda: lg.clip_weights(1)(param)).endswith("write chain(an optimizer, clip_weights(1))")
    assert moved.reparam({"enc/weight": lg.clip_weights(1)}) != moved


def test_what_moves_no_weight_is_no_optimizer_of_a_learner():
    alone = "changes the gradient and moves no weight: write lg.chain("
    assert alone + "weight_decay(0.1), lg.sgd(0.1))" in told(BadValue, lambda: learner(lg.weight_decay(0.1)))
    assert alone + "chain(clip_norm(1)), lg.sgd(0.1))" in told(BadValue, lambda: learner(lg.chain(lg.clip_norm(1))))
    assert "makes none: write lg.chain(lg.sgd(0.1), clip_weights(1))" in told(BadValue, lambda: learner({"**": lg.clip_weights(1)}))
    assert told(BadValue, lambda: lg.maximize(lg.clip_norm(1))).startswith("maximize is of an optimizer, and clip_norm(1) moves no weight")
    assert told(BadValue, lambda: lg.sphere(lg.clip_norm(1))).startswith("sphere is of an optimizer, and clip_norm(1) moves no weight")
    assert (
        told(TypeMismatch, lambda: lg.accumulated("adam", 2))
        == "what accumulated is of must be an optimizer such as lg.adam(1e-3), got 'adam'"
    )


# -- parameter groups --------------------------------------------------------------------------------------------------

SGD, ADAM, LION = lg.sgd(0.1), lg.adam(0.01), lg.lion(0.02)
EACH = {
    "general, then specific": ({"**": SGD, "head/**": ADAM}, (SGD, SGD, ADAM, ADAM)),
    "specific, then general": ({"head/**": ADAM, "**": SGD}, (SGD, SGD, ADAM, ADAM)),
    "a name in a pattern": ({lg.weights: SGD, "head/bias": ADAM}, (SGD, SGD, SGD, ADAM)),
    "a name, then the rest": ({"head/bias": ADAM, lg.weights: SGD}, (SGD, SGD, SGD, ADAM)),
    "three levels": ({"**": SGD, "head/**": ADAM, "head/bias": LION}, (SGD, SGD, ADAM, LION)),
    "three levels, inside out": ({"head/bias": LION, "head/**": ADAM, "**": SGD}, (SGD, SGD, ADAM, LION)),
    "neither inside the other: the later": ({"enc/**": SGD, "**/bias": ADAM, "head/weight": LION}, (SGD, ADAM, LION, ADAM)),
    "apart": ({"enc/**": SGD, "head/**": ADAM}, (SGD, SGD, ADAM, ADAM)),
    "by name": ({"**": "sgd", "head/**": "Adam"}, (lg.sgd(0.01), lg.sgd(0.01), lg.adam(0.001), lg.adam(0.001))),
}


@pytest.mark.parametrize("how", EACH)
def test_the_more_specific_pattern_has_a_weight_else_the_later(how):
    groups, each = EACH[how]
    assert learner(groups).lens(12) == by_hand(dict(zip(ALL, each, strict=True)))


def test_a_norm_is_of_the_weights_that_a_pattern_still_has():
    clipped = lg.chain(lg.clip_norm(0.01), lg.sgd(0.1))
    assert learner({"**": clipped, "head/**": ADAM}).lens(12) == by_hand({"enc/**": clipped, "head/**": ADAM})


def test_groups_are_trained_saved_and_accumulated(tmp_path):
    made = learner({"**": lg.chain(lg.clip_norm(0.1), lg.sgd(0.1)), "head/**": ADAM})
    one, parts = (made.fit((X, Y), epochs=2, batch_size=12, accumulate=k, progress=False) for k in (1, 2))
    assert "head/weight.mean" in one.values and "enc/weight.mean" not in one.values
    for n, v in one.values.items():
        np.testing.assert_allclose(parts.values[n], v, rtol=1e-4, atol=1e-6)
    one.save(tmp_path / "run.safetensors")
    assert lg.load(tmp_path / "run.safetensors").learner.lens(12) == made.lens(12)


def test_groups_under_a_derivative_and_a_loss_scale():
    groups = {"enc/**": SGD, "**": ADAM, "head/bias": LION}
    ahead = lg.supervised(MODEL, lg.mse, groups, derivative=paper.sam(0.05)).fit((X, Y), epochs=1, progress=False)
    scaled = lg.supervised(MODEL, lg.mse, groups, loss_scale=2.0**10).fit((X, Y), epochs=1, progress=False)
    for run in (ahead, scaled):
        assert {n for n in run.values if n.endswith((".mean", ".square"))} == {"head/weight.mean", "head/weight.square", "head/bias.mean"}


def test_entries_that_make_no_sense_are_refused():
    unused = "the optimizer at '**' has no weight left: lg.weights takes what it reaches; leave one of them out"
    assert told(BadValue, lambda: learner({"**": SGD, lg.weights: ADAM})) == unused
    group = ("enc/bias", "head/bias")
    single = "adam(0.01) is for one weight at a time, and enc/bias, head/bias are one group: write a pattern, or an entry for each"
    assert told(BadValue, lambda: learner({group: ADAM})) == single
    torn = "('enc/bias', 'head/bias') and 'head/bias' reach one weight, and those of ('enc/bias', 'head/bias') are taken together: "
    clipped = lg.chain(lg.clip_norm(1), SGD)
    assert told(BadValue, lambda: learner({group: clipped, "head/bias": ADAM})) == torn + "leave it out of one of the two"
    assert told(TypeMismatch, lambda: learner({"**": lg.adam})).endswith("call it, as in lg.adam(0.001)")
    assert told(TypeMismatch, lambda: learner(0.1)).endswith("or a dict by pattern, got 0.1")
    frozen = "freeze is for the weights of a model, before lens(…), and enc/weight is met as an optimizer meets it: "
    assert told(TypeMismatch, lambda: learner({"**": SGD, "enc/**": lg.freeze})).startswith(
        frozen + "write model.reparam({pattern: lg.freeze})"
    )
    assert "'adamm': did you mean 'adam'?" in told(BadValue, lambda: learner({"**": "adamm"}))


def test_an_empty_dict_says_that_no_weight_moves():
    step = learner({}).step(2)
    assert [p.name for p in step.outputs] == ["loss"]


# -- values ------------------------------------------------------------------------------------------------------------


def test_optimizers_print_as_they_are_written():
    shown = {
        "adam(0.001)": lg.adam(1e-3),
        "adam(0.001, beta1=0.8)": lg.adam(1e-3, beta1=0.8),
        "adamw(cosine(0.1, 9), weight_decay=0.1)": lg.adamw(lg.cosine(0.1, 9), weight_decay=0.1),
        "sgd(0.1, momentum=0.9, nesterov=True)": lg.sgd(0.1, momentum=0.9, nesterov=True),
        "chain(clip_norm(1.0), adam(0.001))": lg.chain(lg.clip_norm(1.0), lg.adam(1e-3)),
        "maximize(rmsprop(0.1, centered=True))": lg.maximize(lg.rmsprop(0.1, centered=True)),
        "momentum(0.9, nesterov=True)": lg.momentum(0.9, nesterov=True),
        "lora(2)": lg.lora(2), "freeze": lg.freeze, "ema(0.9)": lg.ema(0.9),
    }  # fmt: skip
    assert [repr(v) for v in shown.values()] == list(shown)


def test_numpy_numbers_are_taken():
    f, i = np.float32(0.5), np.int64(3)
    made = [lg.adam(f, beta1=f, beta2=f, epsilon=f), lg.adamw(f, weight_decay=f), lg.sgd(lg.cosine(f, i, f), momentum=f)]
    made += [lg.rmsprop(f, momentum=f), lg.adafactor(f, clipping=f), lg.lion(lg.warm_up(f, i)), lg.lamb(f, weight_decay=f)]
    made += [lg.accumulated(lg.adadelta(f, f), i), lg.adagrad(lg.one_cycle(f, np.int32(9)), initial=f), lg.extragradient(f)]
    made += [lg.chain(lg.clip_norm(i), lg.momentum(f)), lg.nadam(lg.linear_decay(f, i, end=f)), lg.optimistic(f)]
    for optimizer in made:
        assert np.isfinite(learner(optimizer).fit((X, Y), epochs=1, progress=False).history[0]["loss"])
    derivatives = [paper.sam(f), paper.newton_cg(i, f), paper.extrapolated(f)]
    assert derivatives == [paper.sam(0.5), paper.newton_cg(3, 0.5), paper.extrapolated(0.5)]
    assert lg.loss_scale(f, i) == lg.loss_scale(0.5, 3)
    assert MODEL.lora(rank=i, alpha=f) == MODEL.lora(rank=3, alpha=0.5)


# -- ordinary points ---------------------------------------------------------------------------------------------------


def moves(optimizer, *gradients, start=0.0, dtype="float32"):
    """The values of one number under ⟨g, p⟩ for the gradients g, one step each."""
    model = lg.sequential(lg.input(1), lg.dense(1, use_bias=False, weights=lg.constant(start), name="w"))
    rows = np.array(gradients, dtype)[:, None]
    one = lg.supervised(model, lg.dot, optimizer)
    run, values = None, {}
    found = []
    for row in rows:
        run = one.fit((row[None], np.ones((1, 1), dtype)), start=values, progress=False)
        values = run.values
        found.append(float(values["w/weight"][0, 0]))
    return found


@pytest.mark.parametrize(("slope", "bound"), [(1e20, 1.0), (-1e20, 1.0), (1e-30, 1e-35)])
def test_a_norm_neither_overflows_nor_vanishes(slope, bound):
    assert moves(lg.chain(lg.clip_norm(bound), lg.sgd(1 / bound)), slope) == pytest.approx([-np.sign(slope)], rel=1e-5)


def test_centered_rmsprop_under_a_constant_gradient_is_finite():
    """The mean reaches the gradient, and rounding makes the variance a little negative."""
    found = moves(lg.rmsprop(1e-3, decay=0.5, epsilon=1e-3, centered=True), *[0.1] * 60)
    assert np.isfinite(found).all() and (np.diff(found) < 0).all()


def test_a_norm_counts_every_weight():
    """Weights of very different sizes: leaving any of them out of the norm changes the step."""
    start = {"enc/weight": X[:6], "enc/bias": X[6:8, :3].ravel(), "head/weight": Y[:3].repeat(2, 1), "head/bias": Y[3]}
    plain = learner(lg.sgd(1.0)).fit((X, Y), batch_size=12, start=start, progress=False)
    clipped = learner(lg.chain(lg.clip_norm(0.5), lg.sgd(1.0))).fit((X, Y), batch_size=12, start=start, progress=False)
    slopes = {n: start[n] - plain.values[n] for n in ALL}
    norm = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in slopes.values()))
    assert norm > 0.5 and all(abs(np.sqrt(norm**2 - (g**2).sum()) / norm - 1) > 1e-3 for g in slopes.values())
    for n in ALL:
        np.testing.assert_allclose(start[n] - clipped.values[n], slopes[n] * (0.5 / norm), rtol=1e-4, atol=1e-6)


def test_a_sphere_is_reached_from_zero():
    run = lg.supervised(MODEL, lg.mse, lg.sphere(lg.sgd(0.1))).fit((X, Y), epochs=2, progress=False)
    for n in ALL:
        assert np.linalg.norm(run.values[n]) == pytest.approx(1.0, abs=1e-6)


def test_weight_norm_of_zeros_starts_as_the_model_and_learns():
    plain = lg.dense(4, 3, weights=lg.zeros, name="l")
    normed = lg.supervised(plain.reparam({"**/weight": lg.weight_norm}), lg.mse, lg.sgd(0.1))
    v, g = normed.initial(0)["l/weight"]
    assert (v == 0.5).all() and (g == 0.0).all()
    run = normed.fit((X, Y), epochs=30, batch_size=12, progress=False)
    assert run.history[0]["loss"] == pytest.approx((Y**2).mean(), rel=1e-5) and run.history[-1]["loss"] < run.history[0]["loss"]
    stuck = normed.fit((X, Y), epochs=2, start={"l/weight": (0 * v, 1 + g)}, progress=False)
    assert np.isfinite(stuck.history[-1]["loss"])


# -- freezing ----------------------------------------------------------------------------------------------------------


def test_several_patterns_are_frozen_at_once():
    assert MODEL.freeze("enc/*", "head/bias") == MODEL.freeze("enc/**").freeze("head/bias")
    assert MODEL.freeze("enc/**", "enc/bias") == MODEL.freeze("enc/**") == MODEL.freeze(["enc/weight", "enc/bias"])
    assert MODEL.freeze() == MODEL.freeze("enc/**", "head/**")
    assert MODEL.freeze("**").thaw("enc/bias", "head/bias") == MODEL.freeze("*/weight")


def test_statistics_are_not_frozen_but_read():
    model = lg.sequential(lg.input(4), lg.batch_norm(name="bn"), lg.dense(3, name="o"))
    message = told(TypeMismatch, lambda: model.freeze("bn/**").freeze("bn/mean"))
    assert message.startswith("freeze is for weights, and 'bn/mean' is a state: ") and "lg.predict(layer) only reads them" in message
    still = lg.sequential(lg.input(4), lg.predict(lg.sequential(lg.input(4), lg.batch_norm(name="bn"))), lg.dense(3, name="o"))
    run = lg.supervised(still.freeze("bn/*"), lg.mse, lg.sgd(0.1)).fit((X + 5, Y), epochs=2, progress=False)
    assert not run.values["bn/mean"].any() and (run.values["bn/variance"] == 1.0).all()
    assert told(TypeMismatch, lambda: MODEL.thaw("enc/bias")) == "thaw is for frozen weights, and 'enc/bias' is a weight"
