"""Training as arrows, gradients through training, and lenses that are no R-images: SAM and Newton's step."""

import numpy as np
import pytest
from numerics import differences, evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.lens import two
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import lens, parametric
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.iteration import epoch, moved, rate_port, stepping, steps
from lensgrad.learn.rates import rate
from lensgrad.learn.tasks import supervised_task
from lensgrad.learn.ways.derivatives import newton_cg, sam
from lensgrad.learn.weighting import weighted
from lensgrad.program.compile import compile
from lensgrad.program.values import initial
from lensgrad.theories.smooth import ops

K, ROWS = 4, 3
MODEL = lg.dense(2, 3, activation="tanh", name="h", dtype="float64") >> lg.dense(3, 1, name="o", dtype="float64")
TASK = batch(supervised_task(MODEL, lg.mse("y")), ROWS) >> ops.mean
XS, YS = reals(1, (K, ROWS, 2), (K, ROWS, 1))


def closed(optimizer=None, cap=None, task=TASK):
    return (lens(task) >> (cap or rate(1.0))).reparam({weights: optimizer or lg.adam(0.05)})


def looped(made, values):
    """The steps one by one, through the compiled program."""
    step = compile(made)
    for x, y in zip(XS, YS, strict=True):
        values = {**values, **step({**values, "x": x, "y": y})}
    return values


OPTIMIZERS = [lg.adam(0.05), lg.descent, lg.chain(lg.clip_norm(0.1), lg.sgd(lg.cosine(0.5, 9), momentum=0.9))]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)
def test_n_steps_are_the_n_fold_composite_of_put_and_one_loop(optimizer):
    made = closed(optimizer)
    start = initial(made.params, 2)
    wanted, names = looped(made, start), moved(made)
    assert stepping(made).dom == stepping(made).cod
    composite, loop = steps(made, K), epoch(made, K)
    assert [p.label for p in composite.params] == ["x", "y"] * K and [p.label for p in loop.params] == ["x", "y"]
    rows = [v for pair in zip(XS, YS, strict=True) for v in pair]
    given = [start[n] for n in names]
    one, other = evaluate(composite.arrow, *rows, *given), evaluate(loop.arrow, XS, YS, *given)
    for k, n in enumerate(names):
        np.testing.assert_array_equal(one[k], wanted[n])
        np.testing.assert_array_equal(other[k], wanted[n])
    np.testing.assert_array_equal(other[len(names)], one[len(names) :])  # the losses reported


def test_composites_of_composites_are_longer_composites():
    made = closed(lg.sgd(0.1, momentum=0.5))
    assert steps(made, 2).then(steps(made, 1)) == steps(made, 3)


def after_training(made, n=K):
    """Σ of all weights after n steps, as a function of every input."""
    run = steps(made, n)
    names = [*run.names, *moved(made)]
    ends = [i for i, name in enumerate(moved(made)) if "." not in name]

    def goal(*wires):
        outs = run.arrow(*wires)
        return sum((ops.sum_over(outs[i] * outs[i]) for i in ends[1:]), ops.sum_over(outs[ends[0]] * outs[ends[0]]))

    return names, trace(goal, *(Ty((a,)) for a in run.arrow.dom))


def test_the_hypergradient_of_the_rate_and_of_the_first_weights_equals_differences():
    """R of a run of k steps; of the first weights it is the gradient of MAML."""
    made = closed(lg.momentum(0.9), rate_port("rate"))
    names, goal = after_training(made)
    start = initial([p for p in made.params if p.label != "rate"], 2)
    rows = iter([v for pair in zip(XS, YS, strict=True) for v in pair])
    xs = [np.array(0.1) if n.startswith("rate") else start[n] if n in start else next(rows) for n in names]
    found = evaluate(R(goal), *xs, 1.0)
    rates = [i for i, n in enumerate(names) if n.startswith("rate")]
    assert len(rates) == K
    numeric = sum(differences(lambda *v: evaluate(goal, *v), xs, i) for i in rates)
    assert sum(found[i] for i in rates) == pytest.approx(float(numeric), rel=1e-7)
    for n in ("h/weight", "o/bias", "h/weight.velocity"):
        i = names.index(n)
        np.testing.assert_allclose(found[i], differences(lambda *v: evaluate(goal, *v), xs, i), rtol=1e-6, atol=1e-9)


def test_the_hypergradient_of_example_weights_equals_differences():
    task = batch(weighted(supervised_task(MODEL, lg.mse("y"))), ROWS) >> ops.mean
    made = closed(lg.sgd(0.2), task=task)
    names, goal = after_training(made, 2)
    start = initial(made.params, 2)
    shapes = {"x": iter(XS), "y": iter(YS), "sample_weight": iter(np.abs(reals(8, (K, ROWS))[0]))}
    xs = [start[n] if n in start else next(shapes[n.partition(".")[0]]) for n in names]
    found = evaluate(R(goal), *xs, 1.0)
    for i in [i for i, n in enumerate(names) if n.startswith("sample_weight")]:
        np.testing.assert_allclose(found[i], differences(lambda *v: evaluate(goal, *v), xs, i), rtol=1e-6, atol=1e-9)


def test_the_hypergradient_goes_through_the_loop_too():
    made = closed(lg.momentum(0.9), rate_port("rate"))
    loop = epoch(made, K)
    start = initial([p for p in made.params if p.label != "rate"], 2)
    given = [start[n] if n in start else {"x": XS, "y": YS, "rate": np.array(0.1)}[n] for n in [*loop.names, *moved(made)]]
    seeds = [np.ones_like(v) for v in evaluate(loop.arrow, *given)]
    back = evaluate(R(loop.arrow), *given, *seeds)[loop.names.index("rate")]

    def summed(*v):
        return np.array(sum(np.sum(o) for o in evaluate(loop.arrow, *v)))

    assert back == pytest.approx(float(differences(summed, given, loop.names.index("rate"))), rel=1e-7)


# -- lenses whose put looks at the arrow -------------------------------------------------------------------------------

QUAD = lg.Real(3, dtype="float64")
BASE = reals(4, (3, 3))[0]
HESSIAN = BASE @ BASE.T + np.eye(3)


def quadratic():
    """½ ⟨p, H p⟩ + Σ p, with H as data."""

    def body(p, h):
        return ops.sum_over(p * ops.matmul(h, p)) * 0.5 + ops.sum_over(p)

    return parametric([Param("p", QUAD), Param("h", lg.Real(3, 3, dtype="float64"), Role.DATA)], I, body)


START = np.array([1.0, -2.0, 0.5])


def slope(p):
    return HESSIAN @ p + 1.0


def test_newtons_step_solves_a_quadratic_at_once():
    step = compile((newton_cg(steps=3)(quadratic()) >> rate(1.0)).reparam({weights: lg.sgd(1.0)}))
    np.testing.assert_allclose(step({"p": START, "h": HESSIAN})["p"], -np.linalg.solve(HESSIAN, np.ones(3)), rtol=1e-10)


def test_a_damped_newton_step_solves_the_damped_system():
    step = compile((newton_cg(steps=3, damping=0.7)(quadratic()) >> rate(1.0)).reparam({weights: lg.sgd(1.0)}))
    wanted = START - np.linalg.solve(HESSIAN + 0.7 * np.eye(3), slope(START))
    np.testing.assert_allclose(step({"p": START, "h": HESSIAN})["p"], wanted, rtol=1e-10)


def test_newtons_step_is_a_gradient_step_where_the_curvature_is_negative():
    step = compile((newton_cg(steps=3)(quadratic()) >> rate(1.0)).reparam({weights: lg.sgd(0.1)}))
    np.testing.assert_allclose(step({"p": START, "h": -HESSIAN})["p"], START - 0.1 * (1.0 - HESSIAN @ START), rtol=1e-12)


def test_newton_minimizes_a_logistic_loss_in_few_steps():
    """Σ ln(1 + e^(−x·p)) + ‖p‖² / 20: after ten steps nothing is left of the gradient."""

    def body(p, h):
        return ops.sum_over(ops.log1p(ops.exp(-ops.matmul(h, p)))) + ops.sum_over(p * p) * 0.05

    task = parametric([Param("p", QUAD), Param("h", lg.Real(3, 3, dtype="float64"), Role.DATA)], I, body)
    step, values = compile((newton_cg(steps=3)(task) >> rate(1.0)).reparam({weights: lg.sgd(1.0)})), {"p": START, "h": BASE}
    for _ in range(10):
        values = {**values, **step(values)}
    p = values["p"]
    assert np.abs(0.1 * p - BASE.T @ (1 / (1 + np.exp(BASE @ p)))).max() < 1e-12


def test_sam_takes_the_gradient_at_the_sharpest_point_near():
    step = compile((sam(0.3)(quadratic()) >> rate(0.1)).reparam({weights: lg.descent}))
    there = START + 0.3 * slope(START) / np.linalg.norm(slope(START))
    np.testing.assert_allclose(step({"p": START, "h": HESSIAN})["p"], START - 0.1 * slope(there), rtol=1e-12)


def test_sam_of_a_network_takes_all_weights_as_one():
    made = (sam(0.05)(TASK) >> rate(1.0)).reparam({weights: lg.sgd(0.1)})
    values = {**initial(made.params, 2), "x": XS[0], "y": YS[0]}
    plain = compile(closed(lg.sgd(1.0)))

    def slopes(at):
        after = plain({**values, **at})
        return {n: at[n] - after[n] for n in MODEL.names}

    here = {n: values[n] for n in MODEL.names}
    first = slopes(here)
    length = np.sqrt(sum((g**2).sum() for g in first.values()))
    second = slopes({n: here[n] + 0.05 * first[n] / length for n in here})
    found = compile(made)(values)
    for n in here:
        np.testing.assert_allclose(found[n], here[n] - 0.1 * second[n], rtol=1e-9, atol=1e-12)


def test_neither_is_a_reverse_derivative():
    for how in (sam(0.1), newton_cg(2)):
        made = how(quadratic())
        assert not made.arrow.is_reverse and made.arrow.get == quadratic().arrow and made.cod == two(quadratic().cod)


def test_what_is_refused():
    assert told(BadValue, lambda: newton_cg(0)) == "the number of steps of newton_cg must be a whole number ≥ 1, got 0"
    assert told(BadValue, lambda: sam(-1.0)) == "the radius of sam must be a positive number, got -1.0"
    assert told(TypeMismatch, lambda: sam(0.1)(MODEL)).startswith("this expects a closed task I → ℝ before lens(…), got <parametric arrow")
    assert told(BadValue, lambda: steps(closed(), 0)) == "the number of steps must be a whole number ≥ 1, got 0"
    assert told(BadValue, lambda: steps(closed(), 10**30)).startswith("steps writes out every step, 100,000 at most, got 1000000")
    text = told(TypeMismatch, lambda: stepping(lens(TASK)))
    assert text == "stepping expects a closed lens I → I (model, loss, rate), got I → (f64[], Δf64[]); end it with a rate"
    pairs = lens(batch(supervised_task(MODEL, lg.mse("y")), ROWS))
    assert told(TypeMismatch, lambda: pairs >> rate_port()) == "rate_port answers a single number, and the loss is f64[3]: average it first"
