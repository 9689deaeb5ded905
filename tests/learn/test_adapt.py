"""Adapters: freezing, tying, LoRA, low rank, masks, weight norm and averages of weights, all by `reparam`."""

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.lens import Lens
from lensgrad.cat.para import lens
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.program.compile import program
from lensgrad.program.values import initial

X, Y = (v.astype(np.float64) for v in reals(5, (16, 4), (16, 3)))
MODEL = lg.dense(4, 6, activation="tanh", name="enc", dtype="float64") >> lg.dense(6, 3, name="head", dtype="float64")


def matrix(n, m, name):
    return lg.dense(n, m, use_bias=False, name=name, dtype="float64")


def fitted(model, optimizer=None, epochs=3, **how):
    learner = lg.supervised(model, lg.mse, optimizer or lg.adam(0.05))
    return learner, learner.fit((X, Y), epochs=epochs, batch_size=8, progress=False, **how)


def output(model, values, x=X[0]):
    return program(lg.predict(model))({**values, "input": x})["output"]


ADAPTED = {
    "freeze": MODEL.freeze("enc/**"),
    "lora": MODEL.lora(rank=2),
    "ema": MODEL.ema(decay=0.9),
    "low rank": MODEL.reparam({"**/weight": lg.low_rank(2)}),
    "prune": MODEL.reparam({"**/weight": lg.prune}),
    "weight norm": MODEL.reparam({"**/weight": lg.weight_norm}),
    "tie": (matrix(4, 3, "a") >> matrix(3, 4, "b") >> matrix(4, 3, "c")).tie("a/weight", "b/weight", transpose=True),
}


@pytest.mark.parametrize("name", ADAPTED)
def test_adapted_models_survive_saving_and_loading(name, tmp_path):
    learner, run = fitted(ADAPTED[name])
    run.save(tmp_path / "run.safetensors")
    again = lg.load(tmp_path / "run.safetensors")
    assert again.learner.model == learner.model and again.learner.model.names == learner.model.names
    np.testing.assert_array_equal(again.predict(X), run.predict(X))
    assert again.evaluate((X, Y)) == run.evaluate((X, Y))
    on, other = (r.fit((X, Y), epochs=1, progress=False) for r in (run, again))
    np.testing.assert_array_equal(on.predict(X), other.predict(X))


@pytest.mark.parametrize(
    ("name", "numbers", "moved"),
    [
        ("freeze", 51, 21),
        ("lora", 51 + 2 * 10 + 2 * 9, 9 + 2 * 10 + 2 * 9),
        ("ema", 2 * 51 + 4, 51),
        ("low rank", 9 + 2 * 10 + 2 * 9, 9 + 2 * 10 + 2 * 9),
        ("prune", 51 + 42, 51),
        ("weight norm", 51 + 9, 51 + 9),
        ("tie", 24, 24),
    ],
)
def test_every_number_is_counted_once(name, numbers, moved):
    total = next(line.split() for line in lg.summary(ADAPTED[name]).splitlines() if line.startswith("total"))
    assert total[:2] == ["total", str(numbers)]
    assert lg.supervised(ADAPTED[name], lg.mse, lg.descent).parameter_count == moved


def test_methods_are_one_line_reparams():
    assert MODEL.freeze("enc/**") == MODEL.reparam({"enc/**": lg.freeze})
    assert MODEL.lora("**/weight", rank=4) == MODEL.reparam({"**/weight": lg.lora(rank=4)})
    assert MODEL.ema(decay=0.9) == MODEL.reparam({lg.weights: lg.ema(0.9)})
    assert MODEL.freeze("enc/weight").thaw("enc/weight") == MODEL
    auto = lg.dense(4, 2, name="enc") >> lg.dense(2, 4, name="dec")
    assert auto.tie("enc/weight", "dec/weight", transpose=True) == auto.reparam({("enc/weight", "dec/weight"): lg.tie(transpose=True)})


# -- freezing ----------------------------------------------------------------------------------------------------------


DECAYED = [lg.adamw(0.1, weight_decay=0.5), lg.chain(lg.weight_decay(0.5), lg.sgd(0.1)), lg.lion(0.1, weight_decay=0.5)]


@pytest.mark.parametrize("optimizer", DECAYED, ids=lambda o: o.name)
def test_a_frozen_weight_cannot_be_moved_by_decay(optimizer):
    learner = lg.supervised(MODEL.freeze("enc/**"), lg.mse, optimizer)
    start = learner.initial(0)
    run = learner.fit((X, Y), epochs=3, start=start, progress=False)
    for n in ("enc/weight", "enc/bias"):
        np.testing.assert_array_equal(run.values[n], start[n])
        assert f"{n}.mean" not in run.values
    assert not np.array_equal(run.values["head/weight"], start["head/weight"])


def test_the_gradient_of_what_is_frozen_is_never_built():
    nodes = [len(lg.supervised(m, lg.mse, lg.descent).step(8).diagram.nodes) for m in (MODEL, MODEL.freeze("enc/**"))]
    assert nodes[1] < nodes[0]


# -- tying -------------------------------------------------------------------------------------------------------------


def test_the_gradient_of_a_tied_weight_is_the_sum_of_both():
    auto = matrix(4, 2, "enc") >> matrix(2, 4, "dec")
    tied = auto.tie("enc/weight", "dec/weight", transpose=True)
    assert tied.names == ("enc/weight",)
    w, x, dy = reals(2, (2, 4), (4,), (4,))
    first, second, dx = evaluate(lens(auto).arrow.put, w, w.T, x, dy)
    both, dx_tied = evaluate(lens(tied).arrow.put, w, x, dy)
    np.testing.assert_allclose(both, first + second.T, rtol=1e-13)
    np.testing.assert_array_equal(dx, dx_tied)


def test_three_weights_of_one_type_are_one():
    three = matrix(4, 4, "a") >> matrix(4, 4, "b") >> matrix(4, 4, "c")
    assert three.tie("a/weight", "b/weight", "c/weight").names == ("a/weight",)


def test_what_cannot_be_tied():
    text = "'enc/weight' : f64[6,4] and 'head/weight' : f64[3,6] cannot be tied: the second would have to be f64[6,4]"
    plain = told(TypeMismatch, lambda: MODEL.tie("enc/weight", "head/weight"))
    assert plain == f"{text}; transpose=True ties a matrix to its transpose"
    turned = told(TypeMismatch, lambda: MODEL.tie("enc/weight", "head/weight", transpose=True))
    assert turned == "'enc/weight' : f64[6,4] and 'head/weight' : f64[3,6] cannot be tied: the second would have to be f64[4,6]"


# -- low rank ----------------------------------------------------------------------------------------------------------


def test_lora_begins_as_the_model_it_adapts():
    adapted = MODEL.lora(rank=2)
    values = initial(MODEL.params, 3)
    np.testing.assert_array_equal(output(adapted, {**initial(adapted.params, 3), **values}), output(MODEL, values))


def test_lora_is_its_formula():
    adapted = matrix(4, 3, "l").lora(rank=2, alpha=3.0)
    w, left, right, x = reals(4, (3, 4), (3, 2), (2, 4), (4,))
    found = output(adapted, {"l/weight": w, "l/weight.left": left, "l/weight.right": right}, x)
    np.testing.assert_allclose(found, (w + 1.5 * left @ right) @ x, rtol=1e-13)


MERGED = {"both": {"**/weight": lg.lora(2, alpha=3.0)}, "one": {"enc/weight": lg.lora(1)}, "norm": {"**/weight": lg.weight_norm}}


@pytest.mark.parametrize("points", MERGED.values(), ids=MERGED)
def test_adapters_merge_back_exactly(points):
    _, run = fitted(MODEL.reparam(points))
    merged = lg.merge(MODEL, points, run.values)
    assert set(merged) == set(MODEL.names) and not np.array_equal(merged["enc/weight"], run.values["enc/weight"])
    for x in X:
        np.testing.assert_array_equal(output(MODEL, merged, x), output(MODEL.reparam(points), run.values, x))


def test_merging_undoes_several_entries_from_the_last_to_the_first():
    points = {"enc/weight": lg.lora(2), "head/weight": lg.low_rank(1), ("enc/bias",): lg.freeze}
    _, run = fitted(MODEL.reparam(points))
    np.testing.assert_array_equal(output(MODEL, lg.merge(MODEL, points, run.values)), output(MODEL.reparam(points), run.values))


def test_merging_a_tie_gives_both_weights():
    auto = matrix(4, 2, "enc") >> matrix(2, 4, "dec")
    (w,) = reals(2, (2, 4))
    merged = lg.merge(auto, {("enc/weight", "dec/weight"): lg.tie(transpose=True)}, {"enc/weight": w})
    np.testing.assert_array_equal(merged["enc/weight"], w)
    np.testing.assert_array_equal(merged["dec/weight"], w.T)


def test_lora_of_a_kernel():
    conv = lg.input(6, 6, 2) >> lg.conv2d(3, kernel=3, name="conv")
    adapted = conv.lora(conv.names[0], rank=2)
    shapes = {n: p.ob for n, p in zip(adapted.names, adapted.params, strict=True)}
    assert next(ob for n, ob in shapes.items() if n.endswith(".left")) == lg.Real(18, 2)


def test_adapters_compose_in_the_order_written():
    once = MODEL.reparam({"head/weight": lg.lora(1)}).reparam({"head/weight.left": lg.weight_norm})
    assert once == MODEL.reparam({"head/weight": lg.lora(1), "head/weight.left": lg.weight_norm})
    pruned = MODEL.reparam({"head/weight": lg.lora(1)}).reparam({"head/weight": lg.prune})
    other = MODEL.reparam({"head/weight": lg.prune}).reparam({"head/weight": lg.lora(1)})
    mask = np.zeros((3, 6), bool)
    values = {**initial(pruned.params, 1), "head/weight.mask": mask, "head/weight.left": np.ones((3, 1)), "head/bias": np.zeros(3)}
    assert output(pruned, values).any()  # the mask is on the frozen weight, and the product stands beside it
    assert not output(other, values).any()  # the mask is on their sum


# -- masks, weight norm, averages --------------------------------------------------------------------------------------


def test_what_is_pruned_counts_as_zero_and_does_not_learn():
    pruned = MODEL.reparam({"enc/weight": lg.prune})
    learner = lg.supervised(pruned, lg.mse, lg.sgd(0.1))
    start = learner.initial(0)
    mask = lg.magnitude_mask(start["enc/weight"], 0.5)
    assert mask.sum() == 12 and np.abs(start["enc/weight"][mask]).min() >= np.abs(start["enc/weight"][~mask]).max()
    run = learner.fit((X, Y), epochs=3, start={**start, "enc/weight.mask": mask}, progress=False)
    np.testing.assert_array_equal(run.values["enc/weight"][~mask], start["enc/weight"][~mask])
    assert (run.values["enc/weight"][mask] != start["enc/weight"][mask]).all()
    merged = lg.merge(MODEL, {"enc/weight": lg.prune}, run.values)
    assert (merged["enc/weight"][~mask] == 0.0).all()


def test_weight_norm_begins_as_the_model_and_splits_length_from_direction():
    normed = MODEL.reparam({"**/weight": lg.weight_norm})
    values, plain = initial(normed.params, 3), initial(MODEL.params, 3)
    v, g = values["enc/weight"]
    np.testing.assert_array_equal(v, plain["enc/weight"])
    np.testing.assert_allclose(g, np.linalg.norm(v, axis=1), rtol=1e-14)
    np.testing.assert_allclose(output(normed, values), output(MODEL, plain), rtol=1e-12)
    np.testing.assert_allclose(output(normed, {**values, "enc/weight": (5.0 * v, g)}), output(normed, values), rtol=1e-12)


def test_the_average_of_weights_is_that_of_optax_and_is_what_predicts():
    """A debiased average of the weights at the start and after each step."""
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    plain, averaged = matrix(4, 3, "l"), matrix(4, 3, "l").ema(decay=0.8)
    learner, other = (lg.supervised(m, lg.mse, lg.sgd(0.1)) for m in (averaged, plain))
    start = {"l/weight": reals(9, (3, 4))[0]}
    run = learner.fit((X, Y), epochs=1, batch_size=4, shuffle=False, start=start, progress=False)
    weights = [start["l/weight"]]
    step = other.step(4)
    for k in range(4):
        weights.append(step({"l/weight": weights[-1], "x": X[4 * k : 4 * k + 4], "y": Y[4 * k : 4 * k + 4]})["l/weight"])
    np.testing.assert_allclose(run.values["l/weight"], weights[-1], rtol=1e-12)
    with jax.enable_x64(True):
        mean = optax.ema(0.8, debias=True)
        state = mean.init(jax.numpy.asarray(weights[0]))
        for w in weights:
            wanted, state = mean.update(jax.numpy.asarray(w), state)
    np.testing.assert_allclose(run.predict(X), X @ np.asarray(wanted).T, rtol=1e-12)
    assert run.evaluate((X, Y))["loss"] == pytest.approx(((X @ np.asarray(wanted).T - Y) ** 2).mean(), rel=1e-12)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_what_is_refused():
    whole = "lora(2) is for a matrix or a kernel, and 'enc/bias' is f64[6]: name the weights it is for, as '**/weight'"
    assert told(TypeMismatch, lambda: MODEL.lora("**", rank=2)) == whole
    assert told(BadValue, lambda: MODEL.lora(rank=0)) == "the rank of lora must be a whole number ≥ 1, got 0"
    assert told(BadValue, lambda: lg.ema(1.0)) == "decay of ema must be a fraction from 0 up to, but not including, 1, got 1.0"
    assert told(BadValue, lambda: lg.magnitude_mask(X, 2)) == "the share that magnitude_mask prunes must be a number from 0 to 1, got 2"
    closed = lens(MODEL)
    assert isinstance(closed.arrow, Lens)
    turned = "tie(transpose=True) is for matrices, and 'enc/bias', tied to 'head/bias', is f64[6]"
    assert told(TypeMismatch, lambda: MODEL.tie("enc/bias", "head/bias", transpose=True)) == turned
