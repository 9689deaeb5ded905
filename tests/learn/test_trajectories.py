"""Every optimizer that optax or PyTorch has, over 200 steps in float64, on a matrix and a vector that depend on each other."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import lens, parametric
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import I
from lensgrad.learn.rates import rate
from lensgrad.program.compile import compile
from lensgrad.program.values import initial
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Real, full

STEPS = 200
RNG = np.random.default_rng(11)
CURVES = np.array([[1.0, 10.0, 0.1], [0.5, 2.0, 5.0]])
START = {"w": RNG.standard_normal((2, 3)), "b": RNG.standard_normal(4)}
OBJECTS = {"w": Real(2, 3, dtype="float64"), "b": Real(4, dtype="float64")}


def landscape(m, w, b, curves):
    """½ Σ c w² + Σ sin w + Σ b⁴/4 + Σ sin 3b + (Σ w)(Σ b)/2, in the array library `m`."""
    return (curves * w * w).sum() / 2 + m.sin(w).sum() + (b**4).sum() / 4 + m.sin(3 * b).sum() + w.sum() * b.sum() / 2


def on_wires(w, b):
    curves = ops.stack([ops.stack([full(c, OBJECTS["w"][0].with_shape()) for c in row]) for row in CURVES])
    first = ops.sum_over(w * w * curves) * 0.5 + ops.sum_over(ops.sin(w))
    return first + ops.sum_over(b**4) * 0.25 + ops.sum_over(ops.sin(b * 3.0)) + ops.sum_over(w) * ops.sum_over(b) * 0.5


TASK = parametric([Param("w", OBJECTS["w"]), Param("b", OBJECTS["b"])], I, on_wires)


def mine(optimizer, size=1.0, steps=STEPS, seen=lambda values: values):
    """Both weights after each step."""
    closed = (lens(TASK) >> rate(size)).reparam(optimizer if isinstance(optimizer, dict) else {weights: optimizer})
    step = compile(closed)
    values = {**initial([p for p in closed.params if p.role is Role.STATE]), **START}
    found = [values]
    for _ in range(steps):
        values = {**values, **step(values)}
        found.append(values)
    return {n: np.array([seen(v)[n] for v in found]) for n in START}


def of_optax(make):
    """The same by optax; `make` gives its transformation, or one for each weight."""
    import jax
    import optax

    with jax.enable_x64(True):
        how = make(optax)
        how = optax.partition(how, {n: n for n in START}) if isinstance(how, dict) else how
        p = {n: jax.numpy.asarray(v) for n, v in START.items()}
        slope = jax.jit(jax.grad(lambda p: landscape(jax.numpy, p["w"], p["b"], CURVES)))
        state, found, update = how.init(p), [START], jax.jit(how.update)
        for _ in range(STEPS):
            change, state = update(slope(p), state, p)
            p = optax.apply_updates(p, change)
            found.append({n: np.asarray(v) for n, v in p.items()})
    return {n: np.array([f[n] for f in found]) for n in START}


def of_torch(make, schedule=None):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    p = {n: torch.tensor(v, requires_grad=True) for n, v in START.items()}
    made = make(torch.optim, p)
    clock = schedule(torch.optim.lr_scheduler, made) if schedule else None
    found = [START]
    for _ in range(STEPS):
        made.zero_grad()
        landscape(torch, p["w"], p["b"], torch.tensor(CURVES)).backward()
        made.step()
        if clock is not None:
            clock.step()
        found.append({n: v.detach().numpy().copy() for n, v in p.items()})
    return {n: np.array([f[n] for f in found]) for n in START}


def close(one, other):
    for n in START:
        np.testing.assert_allclose(one[n], other[n], rtol=1e-10, atol=1e-10)


WAVE = lg.cosine(0.05, 150)


def wave(o):
    return o.cosine_decay_schedule(0.05, 150)


OPTAX = {
    "rmsprop": (lg.rmsprop(0.01, epsilon=0.1), lambda o: o.rmsprop(0.01, decay=0.99, eps=0.1, eps_in_sqrt=False)),
    "rmsprop, centered": (lg.rmsprop(0.01, 0.9, centered=True), lambda o: o.rmsprop(0.01, decay=0.9, eps_in_sqrt=False, centered=True)),
    "rmsprop with momentum": (lg.rmsprop(0.01, momentum=0.9), lambda o: o.rmsprop(0.01, decay=0.99, eps_in_sqrt=False, momentum=0.9)),
    "rmsprop on a cosine": (lg.rmsprop(WAVE), lambda o: o.rmsprop(wave(o), decay=0.99, eps_in_sqrt=False)),
    "adadelta": (lg.adadelta(0.5), lambda o: o.adadelta(0.5)),
    "adadelta on a cosine": (lg.adadelta(WAVE), lambda o: o.adadelta(wave(o))),
    "nadam": (lg.nadam(0.02), lambda o: o.nadam(0.02)),
    "nadam on a cosine": (lg.nadam(WAVE), lambda o: o.nadam(wave(o))),
    "lion": (lg.lion(0.01), lambda o: o.lion(0.01, weight_decay=0.0)),
    "lion with decay on a cosine": (lg.lion(WAVE, weight_decay=0.1), lambda o: o.lion(wave(o), weight_decay=0.1)),
    "lamb": (lg.lamb(0.02), lambda o: o.lamb(0.02)),
    "lamb with decay on a cosine": (lg.lamb(WAVE, weight_decay=0.1), lambda o: o.lamb(wave(o), weight_decay=0.1)),
    "clipped by value": (lg.chain(lg.clip_value(0.5), lg.sgd(0.05)), lambda o: o.chain(o.clip(0.5), o.sgd(0.05))),
    "clipped by norm": (lg.chain(lg.clip_norm(0.5), lg.adam(0.05)), lambda o: o.chain(o.clip_by_global_norm(0.5), o.adam(0.05))),
    "clipped by norm, momentum on a cosine": (
        lg.chain(lg.clip_norm(2.0), lg.sgd(WAVE, momentum=0.9)),
        lambda o: o.chain(o.clip_by_global_norm(2.0), o.sgd(wave(o), momentum=0.9)),
    ),
    "decayed": (lg.chain(lg.weight_decay(0.1), lg.sgd(0.02)), lambda o: o.chain(o.add_decayed_weights(0.1), o.sgd(0.02))),
    "accumulated": (lg.accumulated(lg.adam(0.02), 4), lambda o: o.MultiSteps(o.adam(0.02), 4, accumulator_dtype="float64")),
    "accumulated momentum on a cosine": (
        lg.accumulated(lg.sgd(lg.cosine(0.05, 30), momentum=0.9), 5),
        lambda o: o.MultiSteps(o.sgd(o.cosine_decay_schedule(0.05, 30), momentum=0.9), 5, accumulator_dtype="float64"),
    ),
    "adagrad": (lg.adagrad(0.2, initial=0.1, epsilon=1e-30), lambda o: o.adagrad(0.2, initial_accumulator_value=0.1, eps=0.0)),
    "a different one for each weight": (
        {"w": lg.adam(0.02), "b": lg.sgd(WAVE, momentum=0.8)},
        lambda o: {"w": o.adam(0.02), "b": o.sgd(wave(o), momentum=0.8)},
    ),
    "chains for each weight": (
        {"w": lg.chain(lg.clip_norm(1.0), lg.nadam(0.02)), "b": lg.chain(lg.clip_value(0.3), lg.lion(0.01))},
        lambda o: {"w": o.chain(o.clip_by_global_norm(1.0), o.nadam(0.02)), "b": o.chain(o.clip(0.3), o.lion(0.01, weight_decay=0.0))},
    ),
}


@pytest.mark.parametrize("name", OPTAX)
def test_trajectories_are_those_of_optax(name):
    optimizer, make = OPTAX[name]
    close(mine(optimizer), of_optax(make))


TORCH = {
    "rmsprop": (lg.rmsprop(0.01, epsilon=0.1), lambda o, p: o.RMSprop(p.values(), 0.01, eps=0.1)),
    "rmsprop, centered with momentum": (
        lg.rmsprop(0.005, momentum=0.8, centered=True),
        lambda o, p: o.RMSprop(p.values(), 0.005, momentum=0.8, centered=True),
    ),
    "adadelta": (lg.adadelta(), lambda o, p: o.Adadelta(p.values(), 1.0)),
    "adafactor": (lg.adafactor(0.02), lambda o, p: o.Adafactor(p.values(), 0.02)),
    "adafactor with decay": (
        lg.adafactor(0.5, decay=0.6, clipping=1.2, weight_decay=0.05),
        lambda o, p: o.Adafactor(p.values(), 0.5, beta2_decay=-0.6, d=1.2, weight_decay=0.05),
    ),
    "decayed momentum": (
        lg.chain(lg.weight_decay(0.1), lg.sgd(0.02, momentum=0.9)),
        lambda o, p: o.SGD(p.values(), 0.02, momentum=0.9, weight_decay=0.1),
    ),
    "groups": (
        {"w": lg.adamw(0.02, weight_decay=0.1), "b": lg.adamw(0.05, weight_decay=1e-9)},
        lambda o, p: o.AdamW([{"params": [p[n]], "lr": lr, "weight_decay": d} for n, lr, d in (("w", 0.02, 0.1), ("b", 0.05, 1e-9))]),
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_trajectories_are_those_of_pytorch(name):
    optimizer, make = TORCH[name]
    close(mine(optimizer), of_torch(make))


def test_a_schedule_is_that_of_pytorch():
    theirs = of_torch(lambda o, p: o.RMSprop(p.values(), 0.02), lambda s, o: s.StepLR(o, 40, 0.5))
    close(mine(lg.rmsprop(lg.step_decay(0.02, 40, 0.5))), theirs)


def slope(p):
    import jax

    with jax.enable_x64(True):
        found = jax.grad(lambda p: landscape(jax.numpy, p["w"], p["b"], CURVES))({n: jax.numpy.asarray(v) for n, v in p.items()})
        return {n: np.asarray(v) for n, v in found.items()}


def test_adafactor_follows_the_paper():
    """Algorithm 4 of arXiv 1804.04235, rows and columns of the matrix and every entry of the vector."""
    p, rows, cols, full_square = dict(START), np.zeros(2), np.zeros(3), np.zeros(4)
    found = mine(lg.adafactor(0.02))
    for t in range(1, STEPS + 1):
        g, keep = slope(p), 1 - t**-0.8
        rows, cols = (keep * r + (1 - keep) * (g["w"] ** 2).mean(a) for r, a in ((rows, 1), (cols, 0)))
        full_square = keep * full_square + (1 - keep) * g["b"] ** 2
        for n, square in (("w", np.outer(rows, cols) / rows.mean()), ("b", full_square)):
            step = g[n] / np.sqrt(square)
            size = max(1e-3, np.sqrt((p[n] ** 2).mean())) * min(0.02, t**-0.5)
            p[n] = p[n] - size * step / max(1.0, np.sqrt((step**2).mean()))
            np.testing.assert_allclose(found[n][t], p[n], rtol=1e-10, atol=1e-10)


def test_optimistic_steps_are_those_of_optax_at_the_point_the_model_sees():
    """optax counts the first gradient as the last one too, unless told otherwise; here there is none before the first."""

    def make(optax):
        init, update = optax.scale_by_optimistic_gradient()
        later = optax.GradientTransformation(lambda p: init(p)._replace(is_initial_step=np.array(False)), update)
        return optax.chain(later, optax.scale_by_learning_rate(0.02))

    close(mine(lg.optimistic(0.02), seen=lambda v: {n: v[n] - v.get(f"{n}.step", 0.0) for n in START}), of_optax(make))


def test_extragradient_steps_twice_from_one_place():
    found, p = mine(lg.extragradient(0.05)), dict(START)
    for k in range(STEPS // 2):
        close({n: found[n][2 * k] for n in START}, p)
        tried = {n: p[n] - 0.05 * slope(p)[n] for n in START}
        close({n: found[n][2 * k + 1] for n in START}, tried)
        p = {n: p[n] - 0.05 * slope(tried)[n] for n in START}


def test_clipping_by_norm_takes_all_weights_that_its_pattern_reaches_as_one():
    """Different from clipping each, and equal to it where only one is reached."""
    both, each = mine(lg.chain(lg.clip_norm(0.5), lg.sgd(0.05))), mine({n: lg.chain(lg.clip_norm(0.5), lg.sgd(0.05)) for n in START})
    assert all(np.abs(both[n] - each[n]).max() > 1e-2 for n in START)
    moves = np.diff(np.concatenate([both["w"].reshape(STEPS + 1, -1), both["b"]], 1), axis=0)
    assert np.linalg.norm(moves, axis=1).max() <= 0.5 * 0.05 * (1 + 1e-12)


def test_a_chain_is_one_reparameterization_after_another():
    apart = (lens(TASK) >> rate(1.0)).reparam({weights: lg.clip_value(0.5)}).reparam({weights: lg.sgd(0.05, momentum=0.9)})
    assert apart == (lens(TASK) >> rate(1.0)).reparam({weights: lg.chain(lg.clip_value(0.5), lg.sgd(0.05, momentum=0.9))})


def test_maximizing_goes_up_where_the_optimizer_goes_down():
    up = parametric([Param("w", OBJECTS["w"]), Param("b", OBJECTS["b"])], I, lambda w, b: -on_wires(w, b))
    closed = (lens(up) >> rate(1.0)).reparam({weights: lg.maximize(lg.adam(0.02))})
    step, values = compile(closed), {**initial([p for p in closed.params if p.role is Role.STATE]), **START}
    for _ in range(20):
        values = {**values, **step(values)}
    wanted = mine(lg.adam(0.02), steps=20)
    for n in START:
        np.testing.assert_array_equal(values[n], wanted[n][-1])


def test_weights_are_clipped_after_each_step():
    found = mine(lg.chain(lg.rmsprop(0.05), lg.clip_weights(0.3)))
    assert all(np.abs(found[n][1:]).max() <= 0.3 for n in START) and np.abs(found["w"][0]).max() > 0.3


def test_a_joint_chain_is_saved_with_its_learner(tmp_path):
    model = lg.input(2) >> lg.dense(3) >> lg.dense(1)
    x, y = RNG.standard_normal((8, 2)).astype(np.float32), RNG.standard_normal((8, 1)).astype(np.float32)
    learner = lg.supervised(model, lg.mse, lg.chain(lg.clip_norm(0.1), lg.adam(0.1)))
    run = learner.fit((x, y), epochs=2, batch_size=4, progress=False)
    run.save(tmp_path / "run.safetensors")
    again = lg.load(tmp_path / "run.safetensors")
    assert again.learner.lens(4) == learner.lens(4)
    more, other = (r.fit((x, y), epochs=2, progress=False) for r in (run, again))
    assert all(np.array_equal(more.values[n], other.values[n]) for n in more.values)


def test_accumulating_in_the_step_and_around_it_agree():
    x, y = RNG.standard_normal((8, 2)).astype(np.float64), RNG.standard_normal((8, 1)).astype(np.float64)
    learner = lg.supervised(lg.dense(2, 1, dtype="float64"), lg.mse, lg.chain(lg.clip_norm(0.1), lg.adam(0.1)))
    one, parts = (learner.fit((x, y), epochs=3, batch_size=8, accumulate=k, progress=False) for k in (1, 4))
    for n, v in one.values.items():
        np.testing.assert_allclose(parts.values[n], v, rtol=1e-10, atol=1e-12)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_what_is_refused():
    assert told(BadValue, lambda: lg.chain()) == "a chain needs one or more optimizers, got none"
    assert told(BadValue, lambda: lg.chain(lg.adam(0.1), 0.5)) == "a chain needs one or more optimizers, got 0.5"
    assert told(BadValue, lambda: lg.clip_norm(0.0)) == "the bound of clip_norm must be a positive number, got 0.0"
    assert told(BadValue, lambda: lg.clip_value(-1)) == "the bound of clip_value must be a positive number, got -1"
    assert told(BadValue, lambda: lg.accumulated(lg.adam(0.1), 0)) == "the number of steps of accumulated must be a whole number ≥ 1, got 0"
    joint = "accumulated(chain(clip_norm(1.0), adam(0.1)), 2) has a stage that takes all weights as one: write that stage before it, "
    assert told(BadValue, lambda: lg.accumulated(lg.chain(lg.clip_norm(1.0), lg.adam(0.1)), 2)) == joint + "chain(…, accumulated(…))"
    early = "clip_weights(1.0) changes what an optimizer made of 'w', and none has moved it yet: write chain(an optimizer, "
    assert told(TypeMismatch, lambda: mine(lg.clip_weights(1.0))) == early + "clip_weights(1.0))"
    assert (
        told(BadValue, lambda: lg.rmsprop(0.1, decay=1.0))
        == "decay of rmsprop must be a fraction from 0 up to, but not including, 1, got 1.0"
    )
    assert told(BadValue, lambda: lg.lion(0.1, beta2=-1)) == "beta2 of lion must be a fraction from 0 up to, but not including, 1, got -1"
