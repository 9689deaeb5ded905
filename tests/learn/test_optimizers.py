"""Optimizers against trajectories written by hand, in float64."""

import numpy as np
import pytest
from numerics import evaluate

from lensgrad.cat.lens import forward, two, updated
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import lens, parametric
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, NoChange, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.optimizers import ascent, descent, momentum, sgd
from lensgrad.learn.rates import rate
from lensgrad.program.compile import compile
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.poly.semiring import LOGIC
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Int, Key, Real, full

P = Real(2, dtype="float64")
CURVATURE = np.array([1.0, 10.0])
START = np.array([1.0, -2.0])


def bowl(p):
    """½ (x² + 10 y²)."""
    return ops.sum_over(p * p * ops.concatenate([full(0.5, Array((1,), "float64")), full(5.0, Array((1,), "float64"))]))


BOWL = parametric([("p", P)], I, bowl)


def trajectory(optimizer, size, steps, start=START):
    """What the step makes of the weight and of its state, from velocity 0."""
    step = compile((lens(BOWL) >> rate(size)).reparam({weights: optimizer}))
    names = [p.name for p in step.inputs]
    values = {n: start if n == "p" else np.zeros(2) for n in names}
    found = [values]
    for _ in range(steps):
        values = {n: v for n, v in step(values).items() if n in names}
        found.append(values)
    return found


def points(found):
    return np.array([v["p"] for v in found])


def gradient(p):
    return CURVATURE * p


def heavy_ball(size, decay, steps, nesterov=False):
    """Velocity v ← decay v + size g, p ← p − v; with Nesterov g is read at p − decay v. Written from the books."""
    p, v, found = START, np.zeros(2), [START]
    for _ in range(steps):
        g = gradient(p - decay * v if nesterov else p)
        v = decay * v + size * g
        p = p - v
        found.append(p)
    return np.array(found)


def test_descent_subtracts_and_ascent_adds():
    np.testing.assert_allclose(points(trajectory(descent, 0.1, 3)), [START * (1 - 0.1 * CURVATURE) ** k for k in range(4)], rtol=1e-13)
    np.testing.assert_allclose(points(trajectory(ascent, 0.1, 3)), [START * (1 + 0.1 * CURVATURE) ** k for k in range(4)], rtol=1e-13)


def test_descent_and_ascent_as_lenses():
    param = Param("p", two(P))
    for optimizer, put in ((descent, lambda p, d: p - d), (ascent, lambda p, d: p + d)):
        made = optimizer(param)
        assert (made.params, made.cod) == ((Param("p", updated(P)),), two(P))
        assert made.arrow.get == Diagram.id(P) and made.arrow.put == trace(put, P, P)


def test_momentum_follows_the_heavy_ball_for_100_steps():
    np.testing.assert_allclose(points(trajectory(momentum(0.9), 0.02, 100)), heavy_ball(0.02, 0.9, 100), rtol=0, atol=1e-12)


def test_nesterov_follows_its_formula_for_100_steps():
    found = points(trajectory(momentum(0.9, nesterov=True), 0.02, 100))
    np.testing.assert_allclose(found, heavy_ball(0.02, 0.9, 100, nesterov=True), rtol=0, atol=1e-12)
    assert np.abs(found[-1]).max() < np.abs(points(trajectory(descent, 0.02, 100))[-1]).max()


def test_the_look_ahead_point_follows_nesterov_as_frameworks_write_it():
    """y ← y − ε (g + μ b) with b ← μ b + g at y: the point the model sees, which frameworks call the weight."""
    y, b = START, np.zeros(2)
    for values in trajectory(momentum(0.9, nesterov=True), 0.02, 100):
        seen = values["p"] - 0.9 * values["p.velocity"]
        np.testing.assert_allclose(seen, y, rtol=0, atol=1e-12)
        b = 0.9 * b + gradient(y)
        y = y - 0.02 * (gradient(y) + 0.9 * b)


def test_nesterov_evaluates_the_model_at_the_look_ahead_point():
    made = lens(BOWL).reparam({weights: momentum(0.5, nesterov=True)})
    s, p = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert evaluate(made.arrow.get, s, p) == pytest.approx(evaluate(BOWL.arrow, p - 0.5 * s), rel=1e-15)
    plain = lens(BOWL).reparam({weights: momentum(0.5)})
    assert evaluate(plain.arrow.get, s, p) == evaluate(BOWL.arrow, p)


def test_momentum_without_decay_is_descent():
    np.testing.assert_array_equal(points(trajectory(momentum(0.0), 0.03, 20)), points(trajectory(descent, 0.03, 20)))
    np.testing.assert_array_equal(points(trajectory(momentum(0.0, nesterov=True), 0.03, 20)), points(trajectory(descent, 0.03, 20)))


def test_the_sign_printed_in_the_papers_diverges():
    """½ (x² + 10 y²), ε = .1, γ = .9, 50 steps: from (1, 1) the printed sign ends at 1.8e8, the standard one at 8.3e-2."""
    start = np.array([1.0, 1.0])

    def end(**how):
        return np.linalg.norm(points(trajectory(momentum(0.9, **how), 0.1, 50, start))[-1])

    assert end() == pytest.approx(8.3e-2, rel=0.01)
    assert end(paper_sign=True) == pytest.approx(1.8e8, rel=0.03)
    assert end(nesterov=True) == pytest.approx(5.2e-3, rel=0.01)
    assert end(nesterov=True, paper_sign=True) == pytest.approx(2.4e19, rel=0.03)


@pytest.mark.parametrize("how", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], ids=str)
def test_sgd_with_rate_one_is_a_rate_and_its_optimizer(how):
    """Equal while the rate is constant; the velocity of `sgd` is not scaled by it."""
    decay = how.get("momentum", 0.0)
    apart = momentum(decay, how.get("nesterov", False)) if decay else descent
    one, other = trajectory(sgd(0.02, **how), 1.0, 100), trajectory(apart, 0.02, 100)
    np.testing.assert_allclose(points(one), points(other), rtol=0, atol=1e-12)
    if decay:
        velocities = [[v["p.velocity"] for v in found] for found in (one, other)]
        np.testing.assert_allclose(np.array(velocities[0]) * 0.02, velocities[1], rtol=0, atol=1e-12)


def test_a_state_stands_before_its_weight_and_starts_at_zero():
    made = momentum(0.9)(Param("enc/w", two(P), init="start"))
    assert [(p.label, p.role, p.ob) for p in made.params] == [
        ("enc/w.velocity", Role.STATE, updated(P)),
        ("enc/w", Role.WEIGHT, updated(P)),
    ]
    assert evaluate(made.params[0].init, [0, 7]).tolist() == [0.0, 0.0] and made.params[1].init == "start"


def test_an_optimizer_moves_every_atom_of_its_weight():
    ob = P @ Real(dtype="float64")
    made = momentum(0.5)(Param("w", two(ob))).arrow
    s, p, d = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])
    got = evaluate(made.put, s, 10.0, p, 20.0, d, 30.0)
    assert [v.tolist() for v in got] == [[5.5, 7.0], 35.0, [-2.5, -3.0], -15.0]
    assert forward(made.dom) == ob @ ob


def test_optimizers_of_two_layers_are_independent():
    two_bowls = (BOWL.scope("a") @ BOWL.scope("b")) >> trace(lambda x, y: x + y, *[Real(dtype="float64")] * 2)
    step = compile((lens(two_bowls) >> rate(0.02)).reparam({"a/*": momentum(0.9), "b/*": descent}))
    values = {"a/p.velocity": np.zeros(2), "a/p": START, "b/p": START}
    for _ in range(50):
        values = step(values)
    np.testing.assert_array_equal(values["a/p"], points(trajectory(momentum(0.9), 0.02, 50))[-1])
    np.testing.assert_array_equal(values["b/p"], points(trajectory(descent, 0.02, 50))[-1])


def test_over_bits_going_down_and_up_are_the_same():
    param = Param("t", two(Bits(3)))
    put = descent(param).arrow.put
    for t in range(8):
        for d in range(8):
            bits = [[v >> k & 1 for k in range(3)] for v in (t, d)]
            assert (evaluate(put, *bits) == evaluate(ascent(param).arrow.put, *bits)).all()


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_there_is_no_descent_without_negatives():
    with pytest.raises(NoChange) as error:
        descent(Param("t", two(Bits(3, LOGIC))))
    told = "OR/AND has no negatives, so nothing can be subtracted in OR/AND[3]: there is no descent here, use `ascent`"
    assert str(error.value) == told


@pytest.mark.parametrize(("optimizer", "name"), [(momentum(0.9), "momentum(0.9)"), (sgd(0.1), "sgd(0.1)")])
def test_optimizers_with_real_numbers_in_them_are_for_floats(optimizer, name):
    with pytest.raises(NoChange) as error:
        optimizer(Param("t", two(Bits(3))))
    assert str(error.value) == f"{name} cannot move 't' : Z2[3]: it is for floats; over bits use ascent"


def test_ascent_needs_no_negatives():
    put = ascent(Param("t", two(Bits(2, LOGIC)))).arrow.put
    assert evaluate(put, [0, 1], [1, 1]).tolist() == [1, 1]


@pytest.mark.parametrize("ob", [Int(4), I @ Real(2) @ Int(4)], ids=str)
def test_what_has_no_changes_cannot_be_learned(ob):
    with pytest.raises(NoChange) as error:
        ascent(Param("tokens", two(ob)))
    why = "i32[4] has no changes, so no gradient ever reaches it; embed it into an array of floats first and learn that one"
    assert str(error.value) == f"ascent cannot move 'tokens': {why}"


def test_a_key_cannot_be_learned():
    with pytest.raises(NoChange, match="descent cannot move 'key': key has no changes"):
        descent(Param("key", two(Ty((Key(),)))))


def test_an_optimizer_moves_weights_of_a_lens():
    with pytest.raises(TypeMismatch) as error:
        BOWL.reparam({weights: momentum(0.9)})
    assert str(error.value) == "momentum(0.9) moves the weights of a lens, and 'p' : f64[2] has no way back: write lens(…) first"


@pytest.mark.parametrize("size", [0.0, -1.0])
def test_sgd_wants_a_positive_rate(size):
    with pytest.raises(BadValue) as error:
        sgd(size)
    told = f"a rate must be a positive number, got {size}: give one such as 0.01; lg.ascent and lg.maximize(…) go up"
    assert str(error.value) == told
