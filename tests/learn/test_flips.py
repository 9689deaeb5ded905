"""Optimizers that flip bits: the formulas, that a gain is what one flip does, and tasks that they solve."""

from itertools import pairwise, product

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits import (
    anf,
    gain,
    hamming,
    last_bit,
    lift,
    lifted_flip,
    lut_network,
    over,
    perceptron,
    random_mask,
    soften,
    unit,
)
from lensgrad.lens import corner, lens
from lensgrad.program.compile import compile, program
from lensgrad.program.values import initial
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.poly.semiring import Z2, Z

RNG = np.random.default_rng(0)
ROWS = np.array(list(product((0, 1), repeat=4)))


def errors(model, weights, x, y):
    """How many bits a circuit over Z2 gets wrong."""
    return int((program(batch(model, len(x)))({**weights, "input": x})["output"] ^ y).sum())


def flat(values, learner):
    return np.concatenate([values[n].ravel() for n in learner.model.names])


@pytest.mark.parametrize("make", [lambda s: lut_network(4, [5, 3], seed=2, semiring=s), lambda s: anf(4, 3, 2, semiring=s)])
def test_what_comes_back_is_what_one_flip_does(make):
    """g (2p − 1) = errors(p) − errors(p with that bit flipped), for every bit of every weight: nothing is approximated."""
    soft, bits = soften(make(Z)), make(Z2)
    rows, wanted = RNG.integers(0, 2, (20, 4)), RNG.integers(0, 2, (20, bits.cod[0].size))
    learner = lg.supervised(soft, hamming, lg.descent, reduction="sum")
    weights = {n: RNG.integers(0, 2, p.ob[0].size).astype(np.float32) for n, p in zip(soft.names, soft.params, strict=True)}
    after = learner.step(20)({**weights, "x": rows, "y": wanted})
    before = errors(bits, weights, rows, wanted)
    for name, p in weights.items():
        found = (p - after[name]) * (2 * p - 1)
        flips = [{**weights, name: np.abs(p - np.eye(len(p))[i])} for i in range(len(p))]
        assert found.tolist() == [before - errors(bits, w, rows, wanted) for w in flips]


def test_gain_flips_the_best_bit_until_none_is_good():
    y = (ROWS[:, 0] & ROWS[:, 1] | ROWS[:, 2])[:, None]
    learner = lg.supervised(soften(anf(4, 2, semiring=Z)), hamming, gain(), reduction="sum")
    run = learner.fit((ROWS, y), epochs=30, batch_size=16, progress=False)
    losses = [h["loss"] for h in run.history]
    still = losses.index(losses[-1])
    assert all(a > b for a, b in pairwise(losses[: still + 1])) and set(losses[still:]) == {losses[-1]}
    step = learner.step(16)
    values = learner.initial(0)
    for _ in range(5):
        back = lg.supervised(soften(anf(4, 2, semiring=Z)), hamming, lg.descent, reduction="sum").step(16)
        p = values["coefficients"]
        wish = (p - back({"coefficients": p, "x": ROWS, "y": y})["coefficients"]) * (2 * p - 1)
        values |= {n: v for n, v in step({**values, "x": ROWS, "y": y}).items() if n in values}
        best = np.argmax(wish) if wish.max() > 0 else None
        assert np.flatnonzero(values["coefficients"] != p).tolist() == ([] if best is None else [best])


def test_the_lifted_flip_is_its_formula():
    model = soften(lut_network(4, [6, 4], 2, seed=1))
    rate, decay = 0.3, 0.8
    learner = lg.supervised(model, lg.cross_entropy, lifted_flip(lg.linear_decay(rate, 10), decay, chance=1.0))
    plain = lg.supervised(model, lg.cross_entropy, lg.descent)
    values = learner.initial(seed=3)
    assert set(values) == {"layer0/table", "layer1/table", "flip.steps", "flip.key", "flip.memory"}
    memory = np.zeros(40, np.float32)
    for t in range(12):
        x, y = RNG.integers(0, 2, (8, 4)), RNG.integers(0, 2, 8)
        p = flat(values, learner)
        after = plain.step(8)({**{n: values[n] for n in model.names}, "x": x, "y": y})
        memory = memory * np.float32(decay) + (p - flat(after, learner)) * np.float32(1 - decay)
        wish = memory * (2 * p - 1)
        quota = rate * max(0, 1 - t / 10) * 40
        order = np.argsort(-wish, kind="stable")
        chosen = [i for k, i in enumerate(order) if k < quota - 1e-5 and wish[i] > 0]
        memory[chosen] = 0
        p[chosen] = 1 - p[chosen]
        values |= {n: v for n, v in learner.step(8)({**values, "x": x, "y": y}).items() if n in values}
        np.testing.assert_array_equal(flat(values, learner), p)
        np.testing.assert_allclose(values["flip.memory"], memory, atol=1e-6)
    assert values["flip.steps"] == 12 and not chosen, "the rate has fallen to 0"


def test_each_of_the_best_flips_with_its_chance():
    """All 79 monomials are there, so for x = 1 every coefficient sees the one error: all are as good, and a quarter of them flip."""
    learner = lg.supervised(soften(anf(12, 2, semiring=Z)), hamming, lifted_flip(0.999, 0.0, chance=0.25), reduction="sum")
    values = learner.initial(0)
    after = learner.step(1)({**values, "x": np.ones((1, 12)), "y": np.ones((1, 1))})
    assert 10 < after["coefficients"].sum() < 30
    assert after["flip.key"].tolist() != values["flip.key"].tolist()
    again = learner.step(1)({**values, "x": np.ones((1, 12)), "y": np.ones((1, 1))})
    assert again["coefficients"].tolist() == after["coefficients"].tolist()


def test_a_random_mask_lets_some_of_what_comes_back_pass():
    rule = lg.chain(random_mask(0.25), lg.ascent)
    for model, loss, rate in ((over(lut_network(6, [100]), Z2), lg.xor, lg.echo), (soften(lut_network(6, [100])), hamming, 1.0)):
        one, all_of_it = (lg.supervised(model, loss, optimizer, rate) for optimizer in (rule, lg.ascent))
        values = one.initial(seed=1)
        data = {"x": np.ones((1, 6)), "y": np.ones((1, 100))}
        whole = all_of_it.step(1)({n: v for n, v in {**values, **data}.items() if "mask" not in n})["layer0/table"]
        after = one.step(1)({**values, **data})
        p = values["layer0/table"]
        moved = after["layer0/table"] != p
        np.testing.assert_array_equal(after["layer0/table"][moved], whole[moved])
        assert 0.1 < moved.sum() / (whole != p).sum() < 0.45
        assert after["layer0/table.mask_key"].tolist() != values["layer0/table.mask_key"].tolist()


def test_the_perceptron_moves_two_votes_or_none():
    identity = lg.supervised(lg.linear(3, 3, start=lg.zeros), lambda label, metrics: perceptron(label, metrics, margin=1.0), lg.descent)
    x = np.ones((1, 3), np.float32)
    after = identity.step(1)({"weight": np.diag([1.0, 3.0, 3.0]), "x": x, "y": np.array([0])})["weight"]
    assert (after - np.diag([1.0, 3.0, 3.0])).tolist() == [[1] * 3, [-1] * 3, [0] * 3], "the first of equal votes"
    after = identity.step(1)({"weight": np.diag([5.0, 3.0, 4.0]), "x": x, "y": np.array([0])})["weight"]
    assert after.tolist() == np.diag([5.0, 3.0, 4.0]).tolist()


@pytest.mark.parametrize("rule", [lambda: gain(), lambda: lifted_flip()])
def test_a_product_is_found_by_flips(rule):
    rows = ROWS[:4, 2:]
    learner = lg.supervised(soften(anf(2, 2, semiring=Z)), hamming, rule(), reduction="sum", rate=1.0)
    run = learner.fit((rows, rows[:, :1] & rows[:, 1:]), epochs=60, batch_size=4, progress=False)
    assert run.weights["coefficients"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("make", [lambda s: anf(4, 3, semiring=s), lambda s: lut_network(4, [6, 3, 1], seed=1, semiring=s)])
def test_on_a_lift_the_weights_are_bits_and_whole_numbers_come_back(make):
    """(Z2ⁿ, Zⁿ): the same flips as on the image in the reals, with weights that are elements of Z2."""
    y = (ROWS[:, 0] & ROWS[:, 1] | ROWS[:, 2])[:, None]
    task = corner(Bits(4, Z), "x") >> make(Z) >> hamming("y")
    closed = (lift(batch(task, 16)) >> unit).reparam({lg.weights: gain()})
    step, soft = compile(closed), lg.supervised(soften(make(Z)), hamming, gain(), reduction="sum").step(16)
    values = initial(closed.params, 4)
    assert all(values[n].dtype == np.uint8 for n in make(Z).names)
    for _ in range(6):
        seen, other = step({**values, "x": ROWS, "y": y}), soft({**values, "x": ROWS, "y": y})
        found = program(batch(make(Z2), 16))({**{n: values[n] for n in make(Z).names}, "input": ROWS})["output"]
        assert seen["loss"].tolist() == (found ^ y).tolist()
        values |= {n: seen[n] for n in values}
        assert all(values[n].tolist() == other[n].tolist() for n in make(Z).names)


def test_the_rate_of_a_lift_is_for_lifts():
    with pytest.raises(TypeMismatch) as error:
        lens(soften(anf(2, 1, semiring=Z))) >> unit
    told = "unit ends a lens to which whole numbers come back, and this one has (f32[1], Δf32[1]): write circuits.lift(…) first"
    assert str(error.value) == told


def test_gain_does_not_see_a_parity():
    """One flip toward exclusive or repairs as many rows as it spoils, so greedy steps stay at the start; an exact solve does not."""
    rows = ROWS[:4, 2:]
    learner = lg.supervised(soften(anf(2, 2, semiring=Z)), hamming, gain(), reduction="sum")
    run = learner.fit((rows, rows[:, :1] ^ rows[:, 1:]), epochs=5, batch_size=4, progress=False)
    assert run.weights["coefficients"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: gain(0), BadValue, "the number of bits that gain flips a step must be a whole number ≥ 1, got 0"),
        (lambda: lifted_flip(decay=1.0), BadValue, "decay of lifted_flip must be a fraction from 0 up to, but not including, 1, got 1.0"),
        (lambda: lifted_flip(chance=0), BadValue, "lifted_flip(0.01) expects a chance above 0, up to 1, got 0"),
        (lambda: random_mask(2), BadValue, "random_mask expects a chance above 0, up to 1, got 2"),
        (lambda: perceptron(margin=-1), BadValue, "the margin of a perceptron must be a number ≥ 0, got -1"),
        (lambda: perceptron(margin=float("nan")), BadValue, "the margin of a perceptron must be a number ≥ 0, got nan"),
        (lambda: perceptron(margin=float("inf")), BadValue, "the margin of a perceptron must be a number ≥ 0, got inf"),
        (
            lambda: lg.supervised(anf(2, 2), lg.xor, gain(), lg.echo),
            NoChange,
            "gain(1) cannot move 'coefficients' : Z2[4]: what a flip does is read from R over Z: learn circuits.soften(model), "
            "whose weights stay 0 or 1, or circuits.lift(task)",
        ),
        (
            lambda: lg.supervised(soften(anf(2, 2, semiring=Z)), hamming, lg.chain(last_bit, lg.ascent), 1.0),
            NoChange,
            "last_bit is for vectors over a semiring, one at a time, and what comes back is f32[4]",
        ),
        (
            lambda: lg.supervised(soften(anf(2, 2, semiring=Z)), hamming, gain(), 0.1),
            BadValue,
            "gain(1) carries its learning rate and hardly depends on the size of the gradient, so rate(0.1) in front of it would be lost: "
            "give the rate to the optimizer only",
        ),
    ],
)
def test_wrong_rules_are_refused(make, error, told):
    with pytest.raises(error) as found:
        make()
    assert str(found.value) == told
