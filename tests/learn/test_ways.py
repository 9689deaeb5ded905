"""Learners whose way back is not R: SAM, Newton's step, and extragradient steps of games, in `fit` and in files."""

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadCheckpoint, BadValue, TypeMismatch, UnknownParameter
from lensgrad.core.trace import trace
from lensgrad.files.write import decode, encode, text
from lensgrad.learn.games import noise
from lensgrad.lens import batch, corner, extrapolated, mean, newton_cg, rate, sam
from lensgrad.program.compile import program

X, Y = reals(0, (12, 3), (12, 2))
MODEL = lg.dense(3, 2, dtype="float64")
START = {"weight": reals(1, (2, 3))[0], "bias": reals(2, (2,))[0]}


def slopes(w, b):
    """Of the mean over examples of the mean over entries of (W x + b − y)²."""
    off = X @ w.T + b - Y
    return off.T @ X / len(X), off.mean(0)


def one_step(learner, start=None, **how):
    run = learner.fit((X, Y), epochs=1, batch_size=len(X), start=start or START, shuffle=False, progress=False, **how)
    return run.values["weight"], run.values["bias"]


def test_a_step_of_sam_is_the_formula_written_by_hand():
    gw, gb = slopes(**{"w": START["weight"], "b": START["bias"]})
    length = np.sqrt((gw**2).sum() + (gb**2).sum())
    hw, hb = slopes(START["weight"] + 0.3 * gw / length, START["bias"] + 0.3 * gb / length)
    w, b = one_step(lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative=sam(0.3)))
    np.testing.assert_allclose(w, START["weight"] - 0.1 * hw, rtol=0, atol=1e-13)
    np.testing.assert_allclose(b, START["bias"] - 0.1 * hb, rtol=0, atol=1e-13)


def test_weights_that_do_not_learn_are_not_tried_elsewhere_either():
    gw, _ = slopes(START["weight"], START["bias"])
    hw, _ = slopes(START["weight"] + 0.3 * gw / np.linalg.norm(gw), START["bias"])
    w, b = one_step(lg.supervised(MODEL, lg.mse, {"weight": lg.sgd(0.1)}, derivative=sam(0.3)))
    np.testing.assert_allclose(w, START["weight"] - 0.1 * hw, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(b, START["bias"])


def test_an_extrapolated_step_is_extragradient():
    gw, gb = slopes(START["weight"], START["bias"])
    hw, hb = slopes(START["weight"] - 0.2 * gw, START["bias"] - 0.2 * gb)
    for cap, optimizer, size in ((1.0, lg.sgd(0.2), 0.2), (0.2, lg.descent, 1.0)):
        w, b = one_step(lg.supervised(MODEL, lg.mse, optimizer, cap, derivative=extrapolated(size)))
        np.testing.assert_allclose(w, START["weight"] - 0.2 * hw, rtol=0, atol=1e-13)
        np.testing.assert_allclose(b, START["bias"] - 0.2 * hb, rtol=0, atol=1e-13)


def test_the_closed_lens_is_the_one_composed_by_hand():
    task = corner(lg.Real(3, dtype="float64"), "x") >> MODEL >> lg.mse("y")
    for derivative in (sam(0.1), newton_cg(3), extrapolated(0.1)):
        learner = lg.supervised(MODEL, lg.mse, lg.sgd(0.5), derivative=derivative)
        assert learner.lens(batch=4) == (derivative(batch(task, 4) >> mean) >> rate(1.0)).reparam({lg.weights: lg.sgd(0.5)})
        assert learner.lens(batch=4) != lg.supervised(MODEL, lg.mse, lg.sgd(0.5)).lens(batch=4)


def test_newton_on_softmax_regression_is_at_the_optimum_of_scikit_learn_after_eight_steps():
    linear = pytest.importorskip("sklearn.linear_model")
    x, y = lg.data.iris()
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float64)
    y = np.where(np.random.default_rng(1).uniform(size=150) < 0.2, np.random.default_rng(0).integers(0, 3, 150), y).astype(np.int32)
    found = linear.LogisticRegression(C=np.inf, tol=1e-12, max_iter=5000).fit(x, y).predict_proba(x)
    best = -np.log(found[np.arange(150), y]).mean()
    start = {"weight": np.zeros((3, 4)), "bias": np.zeros(3)}

    def losses(optimizer, derivative):
        learner = lg.supervised(lg.dense(4, 3, dtype="float64"), lg.cross_entropy, optimizer, derivative=derivative)
        return [r["loss"] for r in learner.fit((x, y), epochs=8, batch_size=150, start=start, progress=False).history]

    assert losses(lg.sgd(1.0), newton_cg(20))[-1] == pytest.approx(best, rel=1e-10)
    assert losses(lg.sgd(1.0), None)[-1] > best * 1.01


@pytest.mark.parametrize("derivative", [sam(0.1), newton_cg(2, 0.5), extrapolated(0.05, ["bias"])], ids=repr)
def test_a_file_keeps_it_and_training_goes_on(tmp_path, derivative):
    learner = lg.supervised(MODEL, lg.mse, lg.sgd(0.1, momentum=0.9), derivative=derivative)
    run = learner.fit((X, Y), epochs=2, batch_size=5, progress=False)
    run.save(tmp_path / "a.safetensors")
    loaded = lg.load(tmp_path / "a.safetensors")
    assert loaded.learner == learner.frozen() and loaded.learner.derivative == derivative
    again, whole = loaded.fit((X, Y), epochs=1, progress=False), learner.fit((X, Y), epochs=3, batch_size=5, progress=False)
    np.testing.assert_array_equal(again.values["weight"], whole.values["weight"])


@pytest.mark.parametrize("derivative", [sam(0.1), extrapolated(0.05), newton_cg(2, 0.5)], ids=repr)
def test_two_backends_take_the_same_steps(derivative):
    pytest.importorskip("jax")
    learner = lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative=derivative)
    ours, theirs = (learner.fit((X, Y), epochs=2, batch_size=5, progress=False, backend=b).values for b in ("numpy", "jax"))
    for n in MODEL.names:
        np.testing.assert_allclose(ours[n], theirs[n], rtol=0, atol=1e-12)


def test_a_learner_without_one_is_written_as_before():
    assert "derivative" not in text(lg.supervised(MODEL, lg.mse, lg.sgd(0.1)).recipe().data)
    assert "derivative" in text(lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative=sam(0.1)).recipe().data)


def test_a_file_with_sizes_that_mean_nothing_is_refused():
    data = encode(sam(0.5))
    data["root"]["Sam"]["radius"] = -0.5
    assert told(BadCheckpoint, lambda: decode(data)).endswith("the radius of sam must be a positive number, got -0.5")


def test_what_cannot_be_combined_is_refused():
    learner = lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative=sam(0.1))
    assert told(BadValue, lambda: one_step(learner, accumulate=2)) == (
        "accumulate adds up the gradients of parts of a batch, and Sam(radius=0.1) is not a sum over examples: "
        "use accumulate=1, or no derivative"
    )
    assert told(BadValue, lambda: lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative=newton_cg(2), loss_scale=8.0)) == (
        "a loss scale multiplies gradients, and what NewtonCG(steps=2, damping=0.0) gives does not grow with the loss: "
        "use float32 or bfloat16"
    )
    assert told(TypeMismatch, lambda: lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative="sam")) == (
        "a derivative must be sam(…), newton_cg(…) or extrapolated(…) of lensgrad.lens, got 'sam'"
    )
    assert told(BadValue, lambda: newton_cg(2, damping=-1.0)) == "the damping of newton_cg must be a number ≥ 0, got -1.0"
    assert told(BadValue, lambda: extrapolated(0.0)) == "the size of extrapolated must be a positive number, got 0.0"
    strange = told(UnknownParameter, lambda: lg.supervised(MODEL, lg.mse, lg.sgd(0.1), derivative=extrapolated(0.1, ["judge/**"])))
    assert "judge/**" in strange and "weight" in strange


# -- games -------------------------------------------------------------------------------------------------------------


def dirac():
    """A generator that gives θ whatever it is given, and a discriminator x ↦ ψ x: the WGAN payoff on data at 0 is ψ θ."""
    still = trace(lambda z: z * 0.0, lg.Real(1, dtype="float64"))
    return still >> lg.bias(1, dtype="float64"), lg.linear(1, 1, dtype="float64")


def ends(optimizer, steps=2000, **how):
    """‖(θ, ψ)‖ after so many steps from (1, 1), in `fit`."""
    learner = lg.gan(*dirac(), optimizer, **how)
    names = [n for n in learner.objects() if n in ("generator/bias", "discriminator/weight")]
    start = {n: np.ones(learner.objects()[n][0].shape) for n in names}
    run = learner.fit({"x": np.zeros((100, 1))}, epochs=steps // 100, batch_size=1, start=start, progress=False)
    return np.sqrt(sum((run.values[n] ** 2).sum() for n in names))


def test_on_the_dirac_gan_descent_ascent_leaves_and_extragradient_and_optimistic_steps_arrive():
    """The discrete theory: |λ|² is 1 + h², 1 − h² + h⁴, and that of optimism below 1 (arXiv 1801.04406, 1802.10551)."""
    h, first = 0.1, np.sqrt(2)
    assert ends(lg.sgd(h)) == pytest.approx(first * (1 + h**2) ** 1000, rel=1e-9)
    assert ends(lg.sgd(h), extragradient=h) == pytest.approx(first * (1 - h**2 + h**4) ** 1000, rel=1e-9)
    assert ends(lg.optimistic(h)) < 1e-4


def test_a_step_of_a_game_reads_both_gradients_on_one_batch_and_one_noise():
    """p̄ = p − h R[g](…), q̄ = q + h (…); then p, q move by what these say."""
    h, (generator, discriminator) = 0.3, (lg.dense(*size, activation="tanh", dtype="float64") for size in ((2, 3), (3, 1)))
    learner = lg.gan(generator, discriminator, lg.sgd(h), extragradient=h)
    values = {n: np.asarray(v) for n, v in learner.initial(5).items()}
    (real,) = reals(6, (3,))
    g, d = generator.scope("generator"), discriminator.scope("discriminator")
    z = program(noise(generator.dom))({"noise": values["noise"]})["output"]

    def field(at):
        """(R[g], R[d](fake) − R[d](real)) at these weights."""
        ps, qs = [at[n] for n in g.names], [at[n] for n in d.names]
        fake = evaluate(g.arrow, *ps, z)
        *q1, dx = evaluate(R(d.arrow), *qs, fake, [1.0])
        *q2, _ = evaluate(R(d.arrow), *qs, real, [-1.0])
        *p, _ = evaluate(R(g.arrow), *ps, z, dx)
        return {**dict(zip(g.names, [-v for v in p], strict=True)), **{n: a + b for n, a, b in zip(d.names, q1, q2, strict=True)}}

    first = field(values)
    second = field({n: values[n] + h * first[n] for n in first})
    found = learner.step()({**values, "x": real})
    for n, way in second.items():
        np.testing.assert_allclose(found[n], values[n] + h * way, rtol=0, atol=1e-12)


def test_an_optimizer_of_two_phases_is_refused_since_each_step_of_a_game_draws_anew():
    wanted = (
        "lg.extragradient takes two steps on the same batch and noise, and a game has new ones at each: "
        "use lg.gan(…, lg.sgd(h), extragradient=h)"
    )
    assert told(BadValue, lambda: lg.gan(*dirac(), lg.extragradient(0.1))) == wanted
    assert told(BadValue, lambda: lg.gan(*dirac(), lg.sgd(0.1), lg.extragradient(0.1))) == wanted


def test_an_extragradient_of_no_length_is_refused():
    assert told(BadValue, lambda: lg.gan(*dirac(), lg.sgd(0.1), extragradient=-1.0)) == "extragradient must be a number ≥ 0, got -1.0"


def test_a_derivative_with_nothing_to_move_is_refused():
    with pytest.raises(BadValue) as error:
        lg.supervised(lg.dense(2, 1), lg.mse, {"x": lg.ascent}, rate=0.1, derivative=sam(0.05)).lens()
    assert str(error.value) == "no optimizer reaches a weight by itself, so there is no gradient for this derivative to change"
    assert extrapolated(0.1, "b/**") == extrapolated(0.1, ["b/**"])
