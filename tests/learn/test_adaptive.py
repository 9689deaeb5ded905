"""Optimizers that carry their rate, and schedules: against formulas in NumPy, and against optax and PyTorch where they are."""

import math

import numpy as np
import pytest
from numerics import evaluate

import lensgrad as lg
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import lens, parametric
from lensgrad.core.errors import BadValue, NoChange
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.rates import Schedule, rate
from lensgrad.program.compile import compile
from lensgrad.program.values import initial
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Int, Real

STEPS = 200
START = np.array([1.0, -2.0, 0.3])
P = Real(3, dtype="float64")
CURVATURE = np.array([1.0, 10.0, 0.1])


def valley(p, a):
    """Σ a p² / 2 + Σ sin p: curved differently in each direction."""
    return ops.sum_over(p * p * a) * 0.5 + ops.sum_over(ops.sin(p))


def gradient(p):
    return CURVATURE * p + np.cos(p)


TASK = parametric([Param("p", P), Param("a", P, Role.DATA)], I, valley)


def trajectory(optimizer):
    """The weight after each step, in float64, from the first values that the optimizer gives its states."""
    closed = (lens(TASK) >> rate(1.0)).reparam({weights: optimizer})
    states = initial([p for p in closed.params if p.role is Role.STATE])
    step, values, found = compile(closed), {**states, "p": START, "a": CURVATURE}, [START]
    for _ in range(STEPS):
        values = {**values, **step(values)}
        found.append(values["p"])
    return np.array(found)


# -- formulas, written from the papers ---------------------------------------------------------------------------------


def walk(step):
    p, memory, found = START, {}, [START]
    for t in range(STEPS):
        p = step(p, gradient(p), memory, t)
        found.append(p)
    return np.array(found)


def adam_by_hand(rate_at, b1=0.9, b2=0.999, eps=1e-8, decay=0.0):
    def step(p, g, memory, t):
        m = memory["m"] = b1 * memory.get("m", 0.0) + (1 - b1) * g
        v = memory["v"] = b2 * memory.get("v", 0.0) + (1 - b2) * g * g
        return p - rate_at(t) * (m / (1 - b1 ** (t + 1)) / (np.sqrt(v / (1 - b2 ** (t + 1))) + eps) + decay * p)

    return walk(step)


def adagrad_by_hand(rate_at, eps=1e-10, initial=0.0):
    def step(p, g, memory, t):
        s = memory["s"] = memory.get("s", initial) + g * g
        return p - rate_at(t) * g / (np.sqrt(s) + eps)

    return walk(step)


def sgd_by_hand(rate_at, momentum=0.0):
    def step(p, g, memory, t):
        v = memory["v"] = momentum * memory.get("v", 0.0) + g
        return p - rate_at(t) * v

    return walk(step)


def steady(value):
    return lambda t: value


def cosine_by_hand(t):
    return 0.05 * (1 + math.cos(math.pi * min(t, 150) / 150)) / 2


CASES = {
    "adam": (lg.adam(0.05), adam_by_hand(steady(0.05))),
    "adam with other settings": (lg.adam(0.02, beta1=0.8, beta2=0.9, epsilon=1e-3), adam_by_hand(steady(0.02), 0.8, 0.9, 1e-3)),
    "adam without a first moment": (lg.adam(0.02, beta1=0.0), adam_by_hand(steady(0.02), 0.0)),
    "adamw": (lg.adamw(0.05, weight_decay=0.1), adam_by_hand(steady(0.05), decay=0.1)),
    "adagrad": (lg.adagrad(0.3), adagrad_by_hand(steady(0.3))),
    "adagrad with a start": (lg.adagrad(0.3, epsilon=1e-3, initial=0.5), adagrad_by_hand(steady(0.3), 1e-3, 0.5)),
    "adam on a cosine": (lg.adam(lg.cosine(0.05, 150)), adam_by_hand(cosine_by_hand)),
    "adagrad on a cosine": (lg.adagrad(lg.cosine(0.05, 150)), adagrad_by_hand(cosine_by_hand)),
    "adam on a warm-up": (lg.adam(lg.warm_up(0.05, 50)), adam_by_hand(lambda t: 0.05 * min(t, 50) / 50)),
    "sgd": (lg.sgd(0.05), sgd_by_hand(steady(0.05))),
    "momentum": (lg.sgd(0.02, momentum=0.9), sgd_by_hand(steady(0.02), 0.9)),
    "sgd on a cosine": (lg.sgd(lg.cosine(0.05, 150)), sgd_by_hand(cosine_by_hand)),
    "momentum on a cosine": (lg.sgd(lg.cosine(0.05, 150), momentum=0.8), sgd_by_hand(cosine_by_hand, 0.8)),
}


@pytest.mark.parametrize("name", CASES)
def test_trajectories_are_those_of_the_papers(name):
    optimizer, wanted = CASES[name]
    np.testing.assert_allclose(trajectory(optimizer), wanted, rtol=1e-10, atol=1e-12)


def torch_trajectory(make):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    p = torch.tensor(START, requires_grad=True)
    optimizer, found = make(torch.optim, [p]), [START]
    for _ in range(STEPS):
        optimizer.zero_grad()
        (0.5 * torch.tensor(CURVATURE) * p * p + torch.sin(p)).sum().backward()
        optimizer.step()
        found.append(p.detach().numpy().copy())
    return np.array(found)


@pytest.mark.parametrize(
    ("optimizer", "make"),
    [
        (lg.adam(0.05), lambda o, ps: o.Adam(ps, 0.05)),
        (lg.adamw(0.05, weight_decay=0.1), lambda o, ps: o.AdamW(ps, 0.05, weight_decay=0.1)),
        (lg.adagrad(0.3, initial=0.1), lambda o, ps: o.Adagrad(ps, 0.3, initial_accumulator_value=0.1)),
        (lg.sgd(0.02, momentum=0.9), lambda o, ps: o.SGD(ps, 0.02, momentum=0.9)),
    ],
    ids=["adam", "adamw", "adagrad", "momentum"],
)
def test_trajectories_are_those_of_pytorch(optimizer, make):
    np.testing.assert_allclose(trajectory(optimizer), torch_trajectory(make), rtol=1e-10, atol=1e-10)


def test_the_nesterov_point_that_the_model_sees_is_the_weight_of_pytorch():
    wanted = torch_trajectory(lambda o, ps: o.SGD(ps, 0.02, momentum=0.9, nesterov=True))
    step = compile((lens(TASK) >> rate(1.0)).reparam({weights: lg.sgd(0.02, momentum=0.9, nesterov=True)}))
    values = {"p": START, "p.velocity": np.zeros(3), "a": CURVATURE}
    for y in wanted:
        np.testing.assert_allclose(values["p"] - 0.9 * 0.02 * values["p.velocity"], y, rtol=0, atol=1e-10)
        values = {**values, **step(values)}


def optax_trajectory(make):
    optax = pytest.importorskip("optax", reason="optax is the oracle of this test")
    jax = pytest.importorskip("jax", reason="optax runs on JAX")
    with jax.enable_x64(True):
        optimizer = make(optax)
        p = jax.numpy.asarray(START)
        state, found = optimizer.init(p), [START]
        update = jax.jit(optimizer.update)
        for _ in range(STEPS):
            change, state = update(jax.numpy.asarray(gradient(np.asarray(p))), state, p)
            p = p + change
            found.append(np.asarray(p))
        return np.array(found)


@pytest.mark.parametrize(
    ("optimizer", "make"),
    [
        (lg.adam(0.05), lambda o: o.adam(0.05)),
        (lg.adamw(0.05, weight_decay=0.1), lambda o: o.adamw(0.05, weight_decay=0.1)),
        (lg.adam(lg.cosine(0.05, 150)), lambda o: o.adam(o.cosine_decay_schedule(0.05, 150))),
        (lg.sgd(lg.cosine(0.05, 150), momentum=0.8), lambda o: o.sgd(o.cosine_decay_schedule(0.05, 150), momentum=0.8)),
    ],
    ids=["adam", "adamw", "adam on a cosine", "momentum on a cosine"],
)
def test_trajectories_are_those_of_optax(optimizer, make):
    np.testing.assert_allclose(trajectory(optimizer), optax_trajectory(make), rtol=1e-10, atol=1e-10)


# -- schedules ---------------------------------------------------------------------------------------------------------


def values_of(schedule, ts):
    arrow = trace(schedule.at, Real(dtype="float64"))
    return np.array([evaluate(arrow, float(t)) for t in ts])


def half_cosine(t, a, b, n):
    return b + (a - b) * (1 + math.cos(math.pi * t / n)) / 2


SCHEDULES = {
    "cosine": (lg.cosine(0.1, 20, floor=0.1), lambda t: half_cosine(min(t, 20), 0.1, 0.01, 20)),
    "linear_decay": (lg.linear_decay(0.1, 20, end=0.02), lambda t: 0.1 - 0.08 * min(t, 20) / 20),
    "step_decay": (lg.step_decay(0.1, 7, factor=0.5), lambda t: 0.1 * 0.5 ** (t // 7)),
    "warm_up": (lg.warm_up(0.1, 10), lambda t: 0.1 * min(t, 10) / 10),
    "warm_up of a cosine": (
        lg.warm_up(lg.cosine(0.1, 20), 10, start=0.01),
        lambda t: 0.01 + 0.09 * t / 10 if t < 10 else half_cosine(min(t - 10, 20), 0.1, 0, 20),
    ),
    "one_cycle": (
        lg.one_cycle(0.1, 20),
        lambda t: half_cosine(t, 0.004, 0.1, 6) if t < 6 else half_cosine(min(t, 20) - 6, 0.1, 4e-7, 14),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    schedule, wanted = SCHEDULES[name]
    np.testing.assert_allclose(values_of(schedule, range(40)), [wanted(t) for t in range(40)], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        (lg.cosine(0.1, 20, floor=0.1), lambda o: o.cosine_decay_schedule(0.1, 20, 0.1)),
        (lg.linear_decay(0.1, 20, end=0.02), lambda o: o.linear_schedule(0.1, 0.02, 20)),
        (lg.step_decay(0.1, 7, factor=0.5), lambda o: o.exponential_decay(0.1, 7, 0.5, staircase=True)),
        (lg.warm_up(lg.cosine(0.1, 20), 10), lambda o: o.warmup_cosine_decay_schedule(0.0, 0.1, 10, 30)),
        (lg.one_cycle(0.1, 20), lambda o: o.cosine_onecycle_schedule(20, 0.1)),
    ],
    ids=["cosine", "linear", "step", "warm-up", "one cycle"],
)
def test_schedules_are_those_of_optax(schedule, make):
    optax = pytest.importorskip("optax", reason="optax is the oracle of this test")
    wanted = make(optax)
    np.testing.assert_allclose(values_of(schedule, range(40)), [float(wanted(t)) for t in range(40)], rtol=2e-5, atol=1e-8)


# -- states and rates --------------------------------------------------------------------------------------------------


def test_adam_keeps_a_counter_and_two_moments():
    made = lens(TASK).reparam({weights: lg.adam(0.1)})
    names = {n: p.role for n, p in zip(made.names, made.params, strict=True)}
    assert names == {"p.steps": Role.STATE, "p.mean": Role.STATE, "p.square": Role.STATE, "p": Role.WEIGHT, "a": Role.DATA}
    step = compile(made >> rate(1.0))
    after = step({"p": START, "a": CURVATURE, "p.steps": np.int32(4), "p.mean": np.zeros(3), "p.square": np.ones(3)})
    assert after["p.steps"] == 5 and after["p.steps"].dtype == np.int32
    np.testing.assert_allclose(after["p.mean"], 0.1 * gradient(START), rtol=1e-14)  # raw, not divided by 1 − β₁ᵗ


def test_a_counter_is_one_for_a_weight_of_several_arrays():
    ob = P @ Real(dtype="float64")
    pair = parametric([Param("w", ob)], I, lambda w: ops.sum_over(w[0] * w[0]) + w[1] * w[1])
    made = lens(pair).reparam({weights: lg.adam(0.1)})
    assert [len(p.ob) for p in made.params] == [1, 2, 2, 2]
    step = compile(made >> rate(1.0))
    zeros = (np.zeros(3), np.zeros(()))
    after = step({"w": (START, np.array(3.0)), "w.steps": np.int32(0), "w.mean": zeros, "w.square": zeros})
    assert after["w.steps"] == 1
    for old, new in zip((START, 3.0), after["w"], strict=True):
        np.testing.assert_allclose(new, old - 0.1 * np.sign(old), rtol=1e-6)


def test_a_constant_rate_needs_no_counter():
    def labels(optimizer):
        return lens(TASK).reparam({weights: optimizer}).names

    assert labels(lg.sgd(0.1, momentum=0.5)) == ("p.velocity", "p", "a")
    assert labels(lg.sgd(lg.cosine(0.1, 9), momentum=0.5)) == ("p.steps", "p.velocity", "p", "a")
    assert labels(lg.adagrad(0.1)) == ("p.sum", "p", "a")


def test_a_second_rate_is_refused():
    model = lg.input(2) >> lg.dense(1)
    for optimizer in (lg.adam(0.1), {"weight": lg.adam(0.1), "bias": lg.descent}):
        with pytest.raises(BadValue) as error:
            lg.supervised(model, lg.mse, optimizer, rate=0.5)
        assert str(error.value) == (
            "adam(0.1) carries its learning rate and hardly depends on the size of the gradient, "
            "so rate(0.5) in front of it would be lost: give the rate to the optimizer only"
        )
    with pytest.raises(BadValue, match=r"^adagrad\(0.1\) carries its learning rate .* so scaled_rate\(1.0\) in front"):
        lg.supervised(model, lg.mse, lg.adagrad(0.1), rate=lg.scaled_rate(1.0))
    lg.supervised(model, lg.mse, lg.adam(0.1), rate=1)


@pytest.mark.parametrize("wrong", [0, -1.0, math.inf, math.nan, "fast"])
def test_rates_are_positive(wrong):
    for make in (lg.adam, lg.adamw, lg.adagrad, lg.sgd, lambda r: lg.cosine(r, 5), lambda r: lg.one_cycle(r, 50)):
        with pytest.raises(BadValue) as error:
            make(wrong)
        assert str(error.value) == (
            f"a rate must be a positive number, got {wrong!r}: give one such as 0.01; lg.ascent and lg.maximize(…) go up"
        )


def test_what_schedules_refuse():
    for call, text in [
        (lambda: lg.cosine(0.1, 0), "the number of steps of cosine must be a whole number ≥ 1, got 0"),
        (lambda: lg.warm_up(0.1, 2.5), "the number of steps of warm_up must be a whole number ≥ 1, got 2.5"),
        (lambda: lg.cosine(0.1, 5, floor=2), "the floor of cosine must be a number from 0 to 1, got 2"),
        (lambda: lg.one_cycle(0.1, 3), "one_cycle needs a step or more of rising and of falling, and 0.3 of 3 steps is 0"),
        (lambda: lg.adam(0.1, beta1=1.0), "beta1 of adam must be a fraction from 0 up to, but not including, 1, got 1.0"),
    ]:
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == text


def test_adam_is_for_floats():
    task = parametric([("w", lg.Bits(2))], lg.Bits(2), lambda w, x: w + x) >> lg.xor("y")
    with pytest.raises(NoChange) as error:
        lens(task).reparam({"w": lg.adam(0.1)})
    assert str(error.value) == "adam(0.1) cannot move 'w' : Z2[2]: it is for floats; over bits use ascent"


def test_names_say_rates_and_schedules():
    assert lg.adam(lg.warm_up(lg.cosine(0.1, 20), 5)).name == "adam(warm_up(cosine(0.1, 20), 5))"
    assert lg.sgd(0.1, momentum=0.9).name == "sgd(0.1, momentum=0.9)"
    assert str(Schedule("mine", lambda t: t)) == "mine" and Ty((Array((), "int32"),)) == Int()
