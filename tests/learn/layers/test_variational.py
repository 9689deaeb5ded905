"""The draw of a variational autoencoder and its bound: against integrals, differences, and the composite made by hand."""

import numpy as np
import pytest
from layer_checks import at, real
from numerics import differences, evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.learn.layers.dropout import KEY
from lensgrad.learn.layers.variational import divergence
from lensgrad.learn.losses.classes import logistic_entropy
from lensgrad.lens import batch, corner
from lensgrad.theories.smooth import ops

SEED = np.array([3, 4], np.uint32)
KL = trace(lambda m, s: divergence(m, s), real(1), real(1))
DRAW = at(lg.gaussian_sample(), real(6))


@pytest.mark.parametrize(("mean", "log_variance"), [(0.0, 0.0), (1.5, -2.0), (-0.3, 1.2), (0.0, 1e-6)])
def test_the_divergence_of_two_normal_distributions_is_the_integral(mean, log_variance):
    """∫ q log (q / p) by the trapezoid rule, which converges faster than any power for such functions."""
    std = np.exp(log_variance / 2)
    x = mean + std * np.linspace(-12, 12, 4001)
    log_q, log_p = -0.5 * ((x - mean) / std) ** 2 - log_variance / 2, -0.5 * x * x
    integral = np.trapezoid(np.exp(log_q) / np.sqrt(2 * np.pi) * (log_q - log_p), x)
    assert evaluate(KL, [mean], [log_variance]) == pytest.approx(integral, rel=1e-10, abs=1e-13)


def test_the_divergence_of_several_numbers_is_the_sum_and_least_at_the_standard_one():
    m, s = reals(0, (5,), (5,))
    whole = trace(lambda m, s: divergence(m, s), real(5), real(5))
    assert evaluate(whole, m, s) == pytest.approx(sum(evaluate(KL, [a], [b]) for a, b in zip(m, s, strict=True)), rel=1e-14)
    slopes = evaluate(R(whole), np.zeros(5), np.zeros(5), 1.0)
    assert evaluate(whole, np.zeros(5), np.zeros(5)) == 0.0 and all((g == 0.0).all() for g in slopes)


def test_a_draw_is_the_mean_and_the_deviation_times_the_noise_of_the_key():
    (x,) = reals(1, (6,))
    now, later = (evaluate(trace(lambda k, i=i: ops.split(k)[i], KEY), SEED) for i in range(2))
    noise = evaluate(trace(lambda k: ops.normal(k, (3,), "float64"), KEY), now)
    z, kl, key = evaluate(DRAW.arrow, SEED, x)
    np.testing.assert_allclose(z, x[:3] + np.exp(x[3:] / 2) * noise, rtol=1e-14)
    assert kl == pytest.approx(0.5 * np.sum(x[:3] ** 2 + np.exp(x[3:]) - 1 - x[3:]), rel=1e-13)
    np.testing.assert_array_equal(key, later)


def test_a_gradient_passes_through_the_draw():
    (x, dz), seed = reals(2, (6,), (3,)), 0.7
    found = evaluate(R(DRAW.arrow), SEED, x, dz, seed)
    slope = [differences(lambda v, k=k: evaluate(DRAW.arrow, SEED, v)[k], [x], 0) for k in range(2)]
    np.testing.assert_allclose(found, dz @ slope[0] + seed * slope[1], rtol=1e-6, atol=1e-8)


def test_when_predicting_the_draw_is_the_mean():
    (x,), still = reals(3, (6,)), lg.predict(DRAW)
    assert still.names == ()
    z, kl = evaluate(still.arrow, x)
    np.testing.assert_array_equal(z, x[:3])
    assert kl == evaluate(DRAW.arrow, SEED, x)[1]


def test_examples_of_a_batch_draw_each_their_own():
    many = batch(DRAW, 4)
    z, *_ = evaluate(many.arrow, SEED, np.zeros((4, 6)))
    assert len(np.unique(z)) == 12


@pytest.mark.parametrize(
    ("likelihood", "cost"),
    [("bernoulli", lambda x, z: np.sum(np.log1p(np.exp(z)) - x * z)), ("gaussian", lambda x, z: np.sum((z - x) ** 2) / 2)],
)
def test_the_bound_is_what_a_reconstruction_and_its_code_cost(likelihood, cost):
    x, z = np.random.default_rng(0).uniform(size=4), reals(4, (4,))[0]
    f = at(lg.elbo("x", likelihood=likelihood, weight=2.5), real(4) @ real())
    value, loss, reconstruction, kl = evaluate(f.arrow, x, z, 0.8)
    assert (reconstruction, kl) == (pytest.approx(cost(x, z), rel=1e-13), 0.8)
    assert value == loss == pytest.approx(cost(x, z) + 2.0, rel=1e-13)
    assert evaluate(R(f.arrow), x, z, 0.8, 1.0, 0.0, 0.0, 0.0)[2] == 2.5
    assert [label for label, _ in f.observables] == ["loss", "reconstruction", "divergence"]


def test_a_variational_autoencoder_is_the_composite_with_the_label_tied_to_the_input(tmp_path):
    decoder = lg.dense(5, name="decoder")
    model = lg.sequential(lg.input(5), lg.dense(4, name="encoder"), lg.gaussian_sample(name="draw"), lg.beside(decoder))
    learner = lg.supervised(model, lg.elbo, lg.adam(0.01), label="x")
    by_hand = (corner(lg.Real(5), "x") >> model >> lg.elbo("y")).tie("x", "y")
    assert learner.task.names == by_hand.names == ("x", *model.names) and learner.task.arrow == by_hand.arrow
    x = np.random.default_rng(0).uniform(size=(40, 5)).astype(np.float32)
    run = learner.fit({"x": x}, epochs=30, batch_size=10, progress=False)
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert run.history[0]["loss"] == pytest.approx(run.history[0]["reconstruction"] + run.history[0]["divergence"], rel=1e-5)
    run.save(tmp_path / "vae.safetensors")
    again = lg.load(tmp_path / "vae.safetensors").fit({"x": x}, epochs=1, progress=False)
    np.testing.assert_array_equal(again.values["decoder/weight"], run.fit({"x": x}, epochs=1, progress=False).values["decoder/weight"])
    mean = lg.Run(lg.supervised(lg.input(2) >> decoder, lg.mse, lg.descent), run.values)
    code = x @ run.values["encoder/weight"].T + run.values["encoder/bias"]
    np.testing.assert_allclose(mean.predict(code[:, :2]), run.predict(x), rtol=1e-5, atol=1e-6)


def test_what_is_no_code_or_no_bound_is_refused():
    assert told(TypeMismatch, lambda: at(lg.gaussian_sample(name="draw"), real(3))) == (
        "draw expects one vector with a mean and a log variance for each number it draws, got f64[3]: its length is even"
    )
    assert told(TypeMismatch, lambda: at(lg.elbo(), real(3))) == (
        "elbo reads a reconstruction and beside it the divergence of its code, and the model gives f64[3]: "
        "use lg.gaussian_sample() and then lg.beside(decoder)"
    )
    assert told(BadValue, lambda: lg.elbo(likelihood="poisson")) == ("elbo's likelihood must be one of bernoulli, gaussian, got 'poisson'")
    assert told(BadValue, lambda: lg.elbo(weight=-1.0)) == "elbo's weight of the divergence must be a number ≥ 0, got -1.0"
    assert told(BadValue, lambda: lg.elbo(metrics=("accuracy",))) == "elbo has no metrics beside what it observes, got accuracy"


def test_the_cost_of_a_pixel_is_that_of_binary_cross_entropy():
    f = trace(lambda t, z: logistic_entropy(t, z), real(3), real(3))
    t, z = np.array([0.0, 0.3, 1.0]), np.array([-900.0, 0.2, 900.0])
    np.testing.assert_allclose(evaluate(f, t, z), [0.0, np.log1p(np.exp(0.2)) - 0.06, 0.0], rtol=1e-14, atol=1e-300)


def test_who_forgets_the_loss_of_codes_is_told_which_it_is():
    model = lg.sequential(lg.input(4), lg.dense(4), lg.gaussian_sample(), lg.beside(lg.dense(4)))
    with pytest.raises(TypeMismatch) as error:
        lg.supervised(model, lg.mse, lg.adam(1e-2), label="x")
    told = "give a dict of losses by output; behind lg.gaussian_sample the loss is lg.elbo"
    assert str(error.value).endswith(f"mse compares one array with its label, and the model gives {model.cod}: {told}")


def test_who_takes_inputs_only_leaves_the_labels_of_a_data_set():
    data, _ = lg.data.digits()
    code = lg.sequential(lg.input(8, 8, 1), lg.flatten(), lg.dense(64), lg.reshape(8, 8, 1))
    learner = lg.supervised(code, lg.mse, lg.sgd(0.1), label="x")
    runs = [learner.fit(given, epochs=1, batch_size=100, seed=0, progress=False) for given in (data, {"x": data.x}, data.x)]
    assert runs[0].history[0]["loss"] == runs[1].history[0]["loss"] == runs[2].history[0]["loss"]
