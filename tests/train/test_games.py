"""Generative adversarial networks and dreams: their updates against formulas written by hand, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from numerics import differences, evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import parametric, shared
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.batching import batch
from lensgrad.learn.games import mixed, noise, steepness
from lensgrad.program.compile import program
from lensgrad.program.values import initial

SIZE = 0.3
OUT = lg.Real(3, dtype="float64")


def dense(*sizes, act="tanh", last=None):
    layers = [lg.dense(a, b, activation=act, dtype="float64") for a, b in pairwise(sizes[:-1])]
    return lg.sequential(*layers, lg.dense(sizes[-2], sizes[-1], activation=last, dtype="float64"))


NETS = [(dense(2, 3), dense(3, 1)), (dense(2, 5, 3), dense(3, 4, 1)), (dense(4, 3, last="tanh"), dense(3, 6, 5, 1, act="sigmoid"))]


def values_of(learner, seed):
    return {n: np.asarray(v) for n, v in learner.initial(seed).items()}


def forward(model, values, x):
    return evaluate(model.arrow, *(values[n] for n in model.names), x)


def backward(model, values, x, dy):
    *dps, dx = evaluate(R(model.arrow), *(values[n] for n in model.names), x, dy)
    return dict(zip(model.names, dps, strict=True)), dx


def drawn(learner, values):
    """The noise that a step reads from its key."""
    return program(noise(learner.model.dom))({"noise": values["noise"]})["output"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("generator", "discriminator"), NETS)
def test_the_step_of_a_wasserstein_gan_is_the_explicit_formula(generator, discriminator, seed):
    """p ← p − R[g](z, R[d](g(z), α)), q ← q + R[d](g(z), α) + R[d](x, −α)."""
    learner = lg.gan(generator, discriminator, lg.descent, rate=SIZE)
    (real,), values = reals(seed, (3,)), values_of(learner, seed)
    found = learner.step()({**values, "x": real})
    g, d, z = generator.scope("generator"), discriminator.scope("discriminator"), drawn(learner, values)
    q1, dx = backward(d, values, forward(g, values, z), np.array([SIZE]))
    q2, _ = backward(d, values, real, np.array([-SIZE]))
    p, _ = backward(g, values, z, dx)
    for n in p:
        np.testing.assert_allclose(found[n], values[n] - p[n], rtol=0, atol=1e-12)
    for n in q1:
        np.testing.assert_allclose(found[n], values[n] + q1[n] + q2[n], rtol=0, atol=1e-12)
    assert not np.array_equal(found["noise"], values["noise"])


def test_clipped_weights_of_the_discriminator_stay_within_the_bound_and_the_generators_do_not():
    learner = lg.gan(*NETS[1], lg.descent, clip=0.01, rate=SIZE)
    values = values_of(learner, 0)
    found = learner.step(8)({**values, "x": reals(0, (8, 3))[0]})
    largest = {n: np.abs(v).max() for n, v in found.items() if "/" in n}
    assert max(v for n, v in largest.items() if n.startswith("discriminator")) <= 0.01 < max(largest.values())


def test_the_penalty_is_the_steepness_of_the_discriminator_and_its_gradient_that_of_differences():
    _, d = NETS[1]
    bent = steepness(d)
    values, (x,) = [initial(d.params, 3)[n] for n in d.names], reals(4, (3,))
    slope = differences(lambda a: evaluate(d.arrow, *values, a), [x], 0)[0]
    assert evaluate(bent.arrow, *values, x) == pytest.approx((np.linalg.norm(slope) - 1) ** 2, rel=1e-6)
    back = evaluate(R(bent.arrow), *values, x, np.array(1.0))
    for k in range(len(values)):
        np.testing.assert_allclose(back[k], differences(lambda *v: evaluate(bent.arrow, *v), [*values, x], k), rtol=0, atol=1e-7)


def test_a_gradient_penalty_moves_the_discriminator_only():
    """Without it the generator's step is the same to the bit, and the discriminator's differs by the penalty's gradient between."""
    g, d = NETS[1]
    plain, bent = (lg.gan(g, d, lg.descent, gradient_penalty=p, rate=SIZE) for p in (0.0, 2.0))
    (real,), values = reals(5, (3,)), values_of(bent, 6)
    one, other = plain.step()({**values, "x": real}), bent.step()({**values, "x": real})
    fake = forward(g.scope("generator"), values, drawn(bent, values))
    between = program(mixed(OUT))({"between": values["between"], "input": (fake, real)})["output"][2]
    dq, _ = backward(steepness(d.scope("discriminator")), values, between, np.array(1.0))
    for n in g.scope("generator").names:
        np.testing.assert_array_equal(one[n], other[n])
    for n, slope in dq.items():
        np.testing.assert_allclose(other[n], one[n] - SIZE * 2.0 * slope, rtol=0, atol=1e-12)


def test_the_step_of_a_non_saturating_gan_is_the_explicit_formula():
    """The discriminator's cotangents are σ(s) at what is generated and −σ(−s) at what is real, the generator's −σ(−s)."""
    g, d = (f.scope(n) for f, n in zip(NETS[1], ("generator", "discriminator"), strict=True))
    learner = lg.gan(*NETS[1], lg.descent, loss="non_saturating", rate=SIZE)
    (real,), values = reals(7, (3,)), values_of(learner, 8)
    found, z = learner.step()({**values, "x": real}), drawn(learner, values)
    fake = forward(g, values, z)

    def share(s):
        return 1 / (1 + np.exp(-s))

    a, b = forward(d, values, fake), forward(d, values, real)
    q1, q2 = backward(d, values, fake, SIZE * share(a))[0], backward(d, values, real, -SIZE * share(-b))[0]
    p, _ = backward(g, values, z, backward(d, values, fake, -SIZE * share(-a))[1])
    for n, wanted in {**p, **{n: q1[n] + q2[n] for n in q1}}.items():
        np.testing.assert_allclose(found[n], values[n] - wanted, rtol=0, atol=1e-12)
    assert found["loss"] == pytest.approx(found["generator"] + found["discriminator"], rel=1e-14)
    assert found["discriminator"] == pytest.approx(-np.log(share(b)) - np.log(1 - share(a)), rel=1e-12)


def test_examples_of_a_batch_get_noise_of_their_own_and_a_saved_game_goes_on(tmp_path):
    learner = lg.gan(lg.dense(2, 3), lg.dense(3, 1), lg.adam(0.01, beta1=0.5), gradient_penalty=1.0)
    real = {"x": np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)}
    run = learner.fit(real, epochs=2, batch_size=8, progress=False)
    run.save(tmp_path / "gan.safetensors")
    loaded = lg.load(tmp_path / "gan.safetensors")
    z = np.zeros((2, 2), np.float32)
    np.testing.assert_array_equal(run.predict(z), loaded.predict(z))
    again, whole = loaded.fit(real, epochs=1, progress=False), learner.fit(real, epochs=3, batch_size=8, progress=False)
    np.testing.assert_array_equal(again.values["discriminator/weight"], whole.values["discriminator/weight"])
    batch_of_noise = program(batch(noise(lg.Real(2)), 8))({"noise": run.values["noise"]})["output"]
    assert len(np.unique(batch_of_noise)) == 16


def test_states_of_a_discriminator_are_written_once_by_what_it_sees_of_real_data():
    judge = lg.sequential(lg.input(3), lg.dense(4), lg.batch_norm(name="norm"), lg.dropout(0.5), lg.dense(1))
    learner = lg.gan(lg.dense(2, 3), judge, lg.sgd(0.01))
    values = learner.initial(0)
    found = learner.step(8)({**values, "x": np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)})
    scoped = judge.scope("discriminator")
    named = [n for n, p in zip(scoped.names, scoped.params, strict=True) if p.role in (Role.STATE, Role.KEY)]
    assert len(named) == 3 and all(not np.array_equal(found[n], values[n]) for n in named)


def test_arrows_share_parameters_of_equal_types_only():
    one, other = (parametric([Param("p", lg.Real(n))], lg.Real(2), lambda p, x: x) for n in (2, 3))
    assert "arrows share parameters of the same types in the same order, got" in told(TypeMismatch, lambda: shared(one, other))


def test_what_cannot_play_is_refused():
    g, d = lg.dense(2, 3), lg.dense(3, 1)
    opt = lg.descent
    assert told(BadValue, lambda: lg.gan(g, d, opt, loss="chess")) == "'chess' is no game; use one of non_saturating, wasserstein"
    assert told(TypeMismatch, lambda: lg.gan(g, lg.dense(3, 2), opt)) == (
        "the discriminator gives one score, and this one gives f32[2]: end it with lg.dense(1)"
    )
    assert told(TypeMismatch, lambda: lg.gan(lg.dense(2, 4), d, opt)) == (
        "the generator gives f32[4] and the discriminator takes f32[3]: they must be equal"
    )
    assert told(BadValue, lambda: lg.gan(g, d, opt, gradient_penalty=-1.0)) == "gradient_penalty must be a number ≥ 0, got -1.0"
    assert told(BadValue, lambda: lg.gan(g, d, opt, loss="non_saturating", gradient_penalty=1.0)) == (
        'gradient_penalty belongs to loss="wasserstein"'
    )
    assert "the generator must be a model that begins with lg.input(…)" in told(TypeMismatch, lambda: lg.gan(lg.dense(3), d, opt))


# -- dreams ------------------------------------------------------------------------------------------------------------


def trained():
    model = dense(3, 8, 4)
    learner = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))
    x = reals(0, (20, 3))[0]
    return learner.fit((x, np.arange(20, dtype=np.int32) % 4), epochs=1, progress=False)


def test_a_dream_is_the_formula_and_its_logit_rises():
    run, x = trained(), reals(1, (3,))[0]
    model, target = run.learner.model, np.eye(4)[2]
    one = lg.dream(run, x, 2, steps=1, rate=0.05)
    np.testing.assert_allclose(one.x, x + 0.05 * backward(model, run.weights, x, target)[1], rtol=1e-13)
    assert one.history == (forward(model, run.weights, x)[2],)
    assert (np.diff(lg.dream(run, x, 2, steps=50, rate=0.05).history) > 0).all()


def test_a_dream_has_any_loss_and_any_optimizer_with_its_states():
    run, x = trained(), reals(1, (3,))[0]
    found = lg.dream(run, x, np.int32(1), steps=60, optimizer=lg.adam(0.05), rate=1.0, loss=lg.cross_entropy("y"))
    assert found.history[-1] < found.history[0] and forward(run.learner.model, run.weights, found.x).argmax() == 1


def test_what_cannot_be_dreamt_is_refused():
    run, x = trained(), reals(1, (3,))[0]
    assert told(BadValue, lambda: lg.dream(run, x, 7)) == "class 7 is none of the model's outputs f64[4]"
    assert told(BadValue, lambda: lg.dream(run, x, 1, steps=0)) == "steps must be a whole number ≥ 1, got 0"
