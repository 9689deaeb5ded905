"""Learning systems of the paper, each against a formula or an optimum found another way (arXiv 2404.00408, section 4)."""

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import corner, lens, parametric, share
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import NoChange
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.rates import rate
from lensgrad.learn.tasks import supervised_task
from lensgrad.program.compile import compile
from lensgrad.program.values import initial
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.poly.semiring import LOGIC
from lensgrad.theories.smooth import ops

A, B, H = (lg.Real(n, dtype="float64") for n in (3, 2, 4))
MODEL = lg.dense(3, 4, activation="tanh", name="h", dtype="float64") >> lg.dense(4, 2, name="o", dtype="float64")
X, Y = reals(1, (3,), (2,))
SIZE = 0.3


def model_values(seed=2, model=MODEL):
    return initial(model.params, seed)


def backward(model, values, x, dy):
    """R[f](p, a, b′) : the changes of the parameters by name, and a′."""
    *dps, dx = evaluate(R(model.arrow), *(values[n] for n in model.names), x, dy)
    return dict(zip(model.names, dps, strict=True)), dx


def forward(model, values, x):
    return evaluate(model.arrow, *(values[n] for n in model.names), x)


def test_s1_the_put_of_a_closed_lens_is_the_formula():
    """b = f(p, a); (t′, b′) = R[loss](t, b, α); (p′, a′) = R[f](p, a, b′)."""
    closed = lens(corner(A, "x") >> MODEL >> lg.half_squared_error("y")) >> rate(SIZE)
    values = model_values()
    found = dict(zip(closed.names, evaluate(closed.arrow.put, X, *(values[n] for n in MODEL.names), Y), strict=True))
    b = forward(MODEL, values, X)
    dps, dx = backward(MODEL, values, X, SIZE * (b - Y))
    for n, wanted in {**dps, "x": dx, "y": SIZE * (Y - b)}.items():
        np.testing.assert_allclose(found[n], wanted, rtol=0, atol=1e-13)


def test_s2_linear_regression_reaches_the_least_squares_solution_by_its_closed_form():
    xs, ys = reals(3, (40, 3), (40, 2))
    task = supervised_task(lg.dense(3, 2, use_bias=False, dtype="float64"), lg.half_squared_error("y"))
    closed = (lens(batch(task, 40) >> ops.mean) >> rate(0.5)).reparam({weights: lg.descent})
    step, w = compile(closed), np.zeros((2, 3))
    first = step({"weight": w, "x": xs, "y": ys})["weight"]
    np.testing.assert_allclose(first, w - 0.5 * (xs @ w.T - ys).T @ xs / 40, rtol=1e-12)
    for _ in range(300):
        w = step({"weight": w, "x": xs, "y": ys})["weight"]
    np.testing.assert_allclose(w.T, np.linalg.lstsq(xs, ys, rcond=None)[0], rtol=0, atol=1e-6)


def test_s3_softmax_regression_reaches_the_optimum_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is the oracle of this test")
    data = lg.data.iris().cast("float64")
    xs, ys, strength = (data.x - data.x.mean(0)) / data.x.std(0), np.asarray(data.y, np.int32), 0.02
    theirs = linear_model.LogisticRegression(C=1 / (strength * len(xs)), tol=1e-12, max_iter=10_000).fit(xs, ys)
    decayed = lg.chain(lg.weight_decay(strength), lg.sgd(0.8, momentum=0.9, nesterov=True))
    learner = lg.supervised(lg.dense(4, 3, dtype="float64"), lg.cross_entropy, {"weight": decayed, "bias": lg.sgd(0.8, momentum=0.9)})
    step, values = learner.step(len(xs)), {**learner.initial(0), "x": xs, "y": ys}
    for _ in range(1500):
        values = {**values, **step(values)}
    np.testing.assert_allclose(values["weight"], theirs.coef_, rtol=0, atol=1e-6)
    bias = values["bias"] - values["bias"].mean()
    np.testing.assert_allclose(bias, theirs.intercept_ - theirs.intercept_.mean(), rtol=0, atol=1e-6)


def test_s4_the_nesterov_composite_is_the_one_coded_by_hand():
    """p̄ = p − γ s; (p′, _) = R[f](p̄, a, ε (f(p̄, a) − t)); s ← γ s + p′; p ← p − s, for 100 steps."""
    closed = (lens(supervised_task(MODEL, lg.half_squared_error("y"))) >> rate(0.05)).reparam({weights: lg.momentum(0.9, nesterov=True)})
    step, values = compile(closed), {**initial(closed.params, 2), "x": X, "y": Y}
    p, s = {n: values[n] for n in MODEL.names}, {n: np.zeros_like(values[n]) for n in MODEL.names}
    for _ in range(100):
        values = {**values, **step(values)}
        ahead = {n: p[n] - 0.9 * s[n] for n in p}
        dps, _ = backward(MODEL, ahead, X, 0.05 * (forward(MODEL, ahead, X) - Y))
        s = {n: 0.9 * s[n] + dps[n] for n in p}
        p = {n: p[n] - s[n] for n in p}
    for n in p:
        np.testing.assert_allclose(values[n], p[n], rtol=0, atol=1e-12)


def test_s7_the_same_closed_lens_learns_weights_or_inputs_or_both():
    closed = lens(supervised_task(MODEL, lg.half_squared_error("y"))) >> rate(SIZE)
    start = {**model_values(), "x": X, "y": Y}
    ports = ({weights: lg.descent}, {"x": lg.descent}, {weights: lg.descent, "x": lg.descent})
    outs = [compile(closed.reparam(how))(start) for how in ports]
    kept = [set(o) - {"loss"} for o in outs]
    assert kept == [set(MODEL.names), {"x"}, {*MODEL.names, "x"}]
    for n in kept[2]:
        np.testing.assert_array_equal(outs[2][n], outs[n == "x"][n])


def test_s8_a_dream_does_not_depend_on_the_prediction_and_its_logit_rises():
    """With a dot loss and a linear output, a ← a + α R[f](p, a, t): moving the output's bias changes nothing."""
    dream = (lens(corner(A, "image") >> MODEL >> lg.dot("class")) >> rate(0.05)).reparam({"image": lg.ascent})
    step, values, target = compile(dream), model_values(), np.array([0.0, 1.0])
    moved = {**values, "o/bias": values["o/bias"] + 7.0}
    given = {"image": X, "class": target}
    np.testing.assert_array_equal(step({**values, **given})["image"], step({**moved, **given})["image"])
    np.testing.assert_allclose(step({**values, **given})["image"], X + 0.05 * backward(MODEL, values, X, target)[1], rtol=1e-13)
    image, logits = X, []
    for _ in range(50):
        logits.append(forward(MODEL, values, image)[1])
        image = step({**values, "image": image, "class": target})["image"]
    assert (np.diff(logits) > 0).all()


def test_s9_an_input_that_satisfies_a_circuit_is_dreamt():
    """Ascent on the input bits of x₀ · x₁ with the label 1, from (1, 0): the same verb at another port, over Z2."""
    circuit = trace(lambda x: x[0:1] * x[1:2], Bits(2))
    step = compile((lens(corner(Bits(2), "x") >> circuit >> lg.xor("y")) >> lg.echo).reparam({"x": lg.ascent}))
    found = [1, 0]
    for _ in range(2):
        found = step({"x": np.array(found, np.uint8), "y": np.array([1], np.uint8)})["x"].tolist()
    assert found == [1, 1]


# -- games -------------------------------------------------------------------------------------------------------------

G = lg.dense(2, 3, activation="tanh", name="G", dtype="float64")
D = lg.dense(3, 4, activation="tanh", name="D/hidden", dtype="float64") >> lg.dense(4, 1, name="D/out", dtype="float64")
Z, REAL = reals(6, (2,), (3,))
SCORES = np.array([1.0, -1.0])


def game():
    """Z × X → L × L: the discriminator of what is generated and of what is real, one discriminator tied by copy."""
    latent, real = lg.Real(2, dtype="float64"), lg.Real(3, dtype="float64")
    joined = (G @ Diagram.id(real)) >> share(D)
    both = trace(lambda a, b: ops.concatenate([a, b]), *[lg.Real(1, dtype="float64")] * 2)
    return corner(latent, "z") @ corner(real, "real") >> joined >> both


def gan_values():
    return {**initial(G.params, 1), **initial(D.params, 2)}


def explicit(values, size, y_g, y_r):
    """(x′, q′₁) = R[d](g(z), α y_g); (z′, p′) = R[g](z, x′); (_, q′₂) = R[d](x, α y_r)."""
    fake = forward(G, values, Z)
    q1, dx = backward(D, values, fake, np.array([size * y_g]))
    p, _ = backward(G, values, Z, dx)
    q2, _ = backward(D, values, REAL, np.array([size * y_r]))
    return p, {n: q1[n] + q2[n] for n in q1}


def test_s10_the_reverse_derivative_of_a_gan_adds_what_both_discriminators_say():
    made = game()
    values = {**gan_values(), "z": Z, "real": REAL}
    back = dict(zip(made.names, evaluate(R(made.arrow), *(values[n] for n in made.names), SCORES), strict=True))
    p, q = explicit(values, 1.0, *SCORES)
    for n, wanted in {**p, **q}.items():
        np.testing.assert_allclose(back[n], wanted, rtol=0, atol=1e-12)


def update(scores, up, down):
    closed = (lens(game() >> lg.dot("mask")) >> rate(SIZE)).reparam({up: lg.ascent, down: lg.descent})
    return compile(closed)({**gan_values(), "z": Z, "real": REAL, "mask": scores})


def test_s11_the_update_of_a_wasserstein_gan_is_the_explicit_formula():
    values, found = gan_values(), update(SCORES, "D/**", "G/**")
    p, q = explicit(values, SIZE, *SCORES)
    for n in values:
        np.testing.assert_allclose(found[n], values[n] - p[n] if n in p else values[n] + q[n], rtol=0, atol=1e-12)


def test_s12_the_other_labels_with_the_other_polarity_give_the_same_update():
    one, other = update(SCORES, "D/**", "G/**"), update(-SCORES, "G/**", "D/**")
    for n in gan_values():
        np.testing.assert_array_equal(one[n], other[n])


def test_o8_descent_ascent_is_the_product_of_two_optimizers():
    pair = parametric([Param("p", A), Param("q", A)], I, lambda p, q: ops.sum_over(p * q))
    closed = lens(pair).reparam({"p": lg.descent, "q": lg.ascent})
    p, q = reals(2, (3,), (3,))
    np.testing.assert_array_equal(evaluate(closed.arrow.put, p, q, 1.0), (p - q, q + p))


def test_o8_over_bits_descent_ascent_is_descent_on_both():
    bits = parametric([Param("p", Bits(2)), Param("q", Bits(2))], I, lambda p, q: p * q)
    one, other = (lens(bits).reparam(how).arrow.put for how in ({"p": lg.descent, "q": lg.ascent}, {"p": lg.descent, "q": lg.descent}))
    for k in range(64):
        v = [k >> i & 1 for i in range(6)]
        assert all((a == b).all() for a, b in zip(evaluate(one, v[:2], v[2:4], v[4:]), evaluate(other, v[:2], v[2:4], v[4:]), strict=True))


def test_o1_there_is_no_descent_without_negatives():
    told(NoChange, lambda: lg.descent(Param("t", lens(corner(Bits(2, LOGIC), "t", Role.WEIGHT)).params[0].ob)))


def test_c7_base_change_along_a_functor():
    """Para(F) for the functor A ↦ A², which doubles every wire, is a functor: F(f ; g) = F f ; F g, on parameters too."""
    first, second = lg.dense(3, 4, name="a", dtype="float64"), lg.dense(4, 2, name="b", dtype="float64")

    def on_arrow(f):
        order = [i * 2 + k for k in range(2) for i in range(len(f.dom))]
        back = [k * len(f.cod) + i for i in range(len(f.cod)) for k in range(2)]
        doubled = Ty(tuple(a for a in f.dom for _ in range(2)))
        return Diagram.wiring(doubled, order).then(f.tensor(f), Diagram.wiring(f.cod @ f.cod, back))

    def pairs(ob):
        return Ty(tuple(a for a in ob for _ in range(2)))

    assert (first >> second).map(pairs, on_arrow) == first.map(pairs, on_arrow) >> second.map(pairs, on_arrow)


def test_m7_a_label_tied_to_the_input_makes_an_autoencoder():
    """The classifier's code with the label port tied to the input port, by copy."""
    auto = lg.dense(3, 2, name="enc", dtype="float64") >> lg.dense(2, 3, name="dec", dtype="float64")
    task = (corner(A, "x") >> auto >> lg.mse("y")).reparam({("x", "y"): lg.tie()})
    assert task.names == ("x", *auto.names)
    values = model_values(3, auto)
    value = evaluate(task.arrow, X, *(values[n] for n in auto.names))[0]
    assert value == pytest.approx(((forward(auto, values, X) - X) ** 2).mean(), rel=1e-13)


def test_m8_a_circuit_and_a_network_are_learned_by_the_same_lines():
    def closed(model, ob, loss, cap, optimizer):
        return (lens(corner(ob, "x") >> model >> loss) >> cap).reparam({weights: optimizer})

    circuit = compile(closed(lg.lookup(2), Bits(2), lg.xor("y"), lg.echo, lg.ascent))
    network = compile(closed(MODEL, A, lg.half_squared_error("y"), rate(0.1), lg.descent))
    assert [p.role for p in circuit.inputs] == [Role.DATA, Role.WEIGHT, Role.DATA]
    assert network({**model_values(), "x": X, "y": Y})["loss"].shape == ()


# -- calculus and optimizers -------------------------------------------------------------------------------------------


def test_r11_the_dagger_of_a_linear_map_is_its_transpose_and_twice_it_is_the_map():
    """f† = R[f](0, ·)."""
    (w,) = reals(5, (2, 3))

    def linear(x):
        return ops.stack([sum((x[j] * float(w[i, j]) for j in range(1, 3)), x[0] * float(w[i, 0])) for i in range(2)])

    def dagger(f):
        return trace(lambda y: R(f)(f.dom[0].zero(), y), f.cod)

    f = trace(linear, A)
    (y,), (x,) = reals(6, (2,)), reals(7, (3,))
    np.testing.assert_allclose(evaluate(dagger(f), y), w.T @ y, rtol=1e-13)
    np.testing.assert_allclose(evaluate(dagger(dagger(f)), x), w @ x, rtol=1e-13)


def additive(lens_put, inputs, one, other):
    """Whether put(a, b′ + c′) = put(a, b′) + put(a, c′)."""
    both, left, right = (np.concatenate([np.ravel(v) for v in evaluate(lens_put, *inputs, c)]) for c in (one + other, one, other))
    return np.allclose(both, left + right, rtol=1e-12, atol=1e-12)


def test_r12_ways_back_of_models_and_losses_are_additive_and_those_of_optimizers_are_not():
    values = [model_values()[n] for n in MODEL.names]
    one, other = reals(8, (2,), (2,))
    assert additive(lens(MODEL).arrow.put, [*values, X], one, other)
    assert additive(lens(lg.half_squared_error("y").at(B)).arrow.put, [Y, Y + 1.0], np.array(0.3), np.array(-1.2))
    moved = lg.momentum(0.5)(Param("p", lens(corner(B, "p", Role.WEIGHT)).params[0].ob)).arrow
    assert not additive(moved.put, [Y, Y + 1.0], one, other) and not moved.is_reverse


def test_o6_the_adam_of_the_lens_papers_does_not_arrive():
    """They keep m̂ and v̂ where m and v belong; from (1, −2) on a quadratic it hardly moves while Adam arrives."""
    from lensgrad.learn.optimizers.parts import STEPS, State, unbiased, update

    def put(t, m, v, p, dp):
        mean, square = unbiased(m * 0.9 + dp * 0.1, 0.9, t), unbiased(v * 0.999 + dp * dp * 0.001, 0.999, t)
        return t + 1, mean, square, p - mean / (ops.sqrt(square) + 1e-8) * 0.1

    literal = update("literal", lambda t, m, v, p: p, put, [STEPS, State("mean"), State("square")], owns_rate=True)
    ends = []
    for optimizer in (literal, lg.adam(0.1)):
        bowl = parametric([Param("p", B)], I, lambda p: ops.sum_over(p * p) * 0.5)
        closed = (lens(bowl) >> rate(1.0)).reparam({weights: optimizer})
        step, values = compile(closed), {**initial([p for p in closed.params if p.role is Role.STATE]), "p": np.array([1.0, -2.0])}
        for _ in range(200):
            values = {**values, **step(values)}
        ends.append(np.linalg.norm(values["p"]))
    assert ends[0] > 0.5 and ends[1] < 1e-2
