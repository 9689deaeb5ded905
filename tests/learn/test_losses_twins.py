"""Every smooth loss against the same formula in JAX, and against PyTorch where it has one: the value and both gradients, in float64."""

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.para import lens
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty

ROWS, N = 4, 5
ALPHA = 1.3
B = lg.Real(ROWS, N, dtype="float64")
PAIR = lg.Real(N, dtype="float64") @ lg.Real(N, dtype="float64")
CANDIDATES = lg.Real(N, dtype="float64") @ lg.Real(ROWS, N, dtype="float64")
GUESS, OTHER, ROW, ROW2 = reals(3, (ROWS, N), (ROWS, N), (N,), (N,))
SOFT = np.exp(OTHER) / np.exp(OTHER).sum(-1, keepdims=True)
CLASSES = np.array([3, 0, 4, 3], np.int32)
SIDES = np.where(OTHER > 0, 1.0, -1.0)


def log_softmax(z):
    import jax

    return jax.nn.log_softmax(z)


def huber(d, delta):
    import jax.numpy as jnp

    return jnp.where(jnp.abs(d) <= delta, d * d / 2, delta * (jnp.abs(d) - delta / 2))


def contrastive(t, a, b, margin):
    import jax.numpy as jnp

    distance = jnp.sqrt(((a - b) ** 2).sum())
    return t * distance**2 + (1 - t) * jnp.maximum(0.0, margin - distance) ** 2


def nce(query, rows, label, temperature):
    import jax.numpy as jnp

    cosines = rows @ query / jnp.linalg.norm(query) / jnp.linalg.norm(rows, axis=-1)
    return -log_softmax(cosines / temperature)[label]


# name: (loss, object of the prediction, label, prediction, the formula in JAX)
CASES = {
    "half squared error": (lg.half_squared_error(), B, OTHER, [GUESS], lambda t, p: ((p - t) ** 2).sum() / 2),
    "mse": (lg.mse(), B, OTHER, [GUESS], lambda t, p: ((p - t) ** 2).mean()),
    "mse, summed": (lg.mse(reduction="sum"), B, OTHER, [GUESS], lambda t, p: ((p - t) ** 2).sum()),
    "l1": (lg.l1(), B, OTHER, [GUESS], lambda t, p: abs(p - t).mean()),
    "huber": (lg.huber(delta=0.7), B, OTHER, [GUESS], lambda t, p: huber(p - t, 0.7).mean()),
    "huber, summed": (lg.huber(reduction="sum"), B, OTHER, [GUESS], lambda t, p: huber(p - t, 1.0).sum()),
    "dot": (lg.dot(), B, OTHER, [GUESS], lambda t, p: (t * p).sum()),
    "soft labels": (lg.cross_entropy(labels="probabilities"), B, SOFT, [GUESS], lambda t, z: -(t * log_softmax(z)).sum(-1).mean()),
    "class numbers": (lg.cross_entropy(), B, CLASSES, [GUESS], lambda t, z: -log_softmax(z)[np.arange(ROWS), t].mean()),
    "smoothed class numbers": (
        lg.cross_entropy(smoothing=0.1),
        B,
        CLASSES,
        [GUESS],
        lambda t, z: -((0.9 * np.eye(N)[t] + 0.1 / N) * log_softmax(z)).sum(-1).mean(),
    ),
    "smoothed soft labels": (
        lg.cross_entropy(labels="probabilities", smoothing=0.2, reduction="sum"),
        B,
        SOFT,
        [GUESS],
        lambda t, z: -((0.8 * t + 0.2 / N) * log_softmax(z)).sum(),
    ),
    "binary cross entropy": (
        lg.binary_cross_entropy(),
        B,
        SOFT,
        [GUESS],
        lambda t, z: -(t * log_softmax_of_two(z) + (1 - t) * log_softmax_of_two(-z)).mean(),
    ),
    "hinge": (lg.hinge(), B, SIDES, [GUESS], lambda t, z: hinge(t, z)),
    "kl divergence": (lg.kl_divergence(), B, SOFT, [GUESS], lambda t, z: kl(t, z).mean()),
    "kl divergence, summed": (lg.kl_divergence(reduction="sum"), B, SOFT, [GUESS], lambda t, z: kl(t, z).sum()),
    "contrastive, together": (lg.contrastive(margin=9.0), PAIR, 1.0, [ROW, ROW2], lambda t, a, b: contrastive(t, a, b, 9.0)),
    "contrastive, apart": (lg.contrastive(margin=9.0), PAIR, 0.0, [ROW, ROW2], lambda t, a, b: contrastive(t, a, b, 9.0)),
    "contrastive, far apart": (lg.contrastive(margin=0.1), PAIR, 0.0, [ROW, ROW2], lambda t, a, b: contrastive(t, a, b, 0.1)),
    "info nce": (lg.info_nce(temperature=0.5), CANDIDATES, 2, [ROW, OTHER], lambda t, q, rows: nce(q, rows, t, 0.5)),
}


def log_softmax_of_two(z):
    import jax

    return jax.nn.log_sigmoid(z)


def hinge(t, z):
    import jax.numpy as jnp

    return jnp.maximum(0.0, 1 - t * z).mean()


def kl(t, z):
    import jax.numpy as jnp

    return (t * (jnp.log(t) - log_softmax(z))).sum(-1)


@pytest.mark.parametrize("name", CASES)
def test_value_and_both_gradients_are_those_of_jax(name):
    import jax

    family, ob, truth, guess, formula = CASES[name]
    moving = [*range(1 if np.asarray(truth).dtype == np.int32 or isinstance(truth, int) else 0, 1 + len(guess))]
    with jax.enable_x64(True):
        given = [jax.numpy.asarray(v) for v in (truth, *guess)]
        value, wanted = jax.value_and_grad(formula, argnums=tuple(moving))(*given)
    made = family.at(ob)
    assert made.cod == lg.Real(dtype="float64")
    assert evaluate(made.arrow, truth, *guess)[0] == pytest.approx(float(value), rel=1e-12)
    found = evaluate(lens(made).arrow.put, truth, *guess, ALPHA)
    found = found if isinstance(found, tuple) else (found,)
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, ALPHA * np.asarray(theirs), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["smoothed class numbers", "l1", "huber", "kl divergence", "binary cross entropy"])
def test_value_and_gradient_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    call = {
        "smoothed class numbers": lambda f, t, z: f.cross_entropy(z, t.long(), label_smoothing=0.1),
        "l1": lambda f, t, z: f.l1_loss(z, t),
        "huber": lambda f, t, z: f.huber_loss(z, t, delta=0.7),
        "kl divergence": lambda f, t, z: f.kl_div(f.log_softmax(z, -1), t, reduction="batchmean"),
        "binary cross entropy": lambda f, t, z: f.binary_cross_entropy_with_logits(z, t),
    }[name]
    family, ob, truth, (guess,), _ = CASES[name]
    z = torch.tensor(guess, requires_grad=True)
    value = call(torch.nn.functional, torch.tensor(truth), z)
    value.backward()
    assert evaluate(family.at(ob).arrow, truth, guess)[0] == pytest.approx(value.item(), rel=1e-12)
    found = evaluate(lens(family.at(ob)).arrow.put, truth, guess, 1.0)
    np.testing.assert_allclose(found[-1] if isinstance(found, tuple) else found, z.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [lg.mse, lg.l1, lg.huber, lg.binary_cross_entropy, lg.hinge], ids=lambda m: m.__name__)
def test_the_reduction_is_part_of_the_type(make):
    kinds = {r: make(reduction=r).at(B) for r in ("mean", "sum", "none")}
    assert [kinds[r].cod for r in kinds] == [lg.Real(dtype="float64"), lg.Real(dtype="float64"), B]
    values = {r: evaluate(made.arrow, SIDES, GUESS)[0] for r, made in kinds.items()}
    assert values["none"].shape == (ROWS, N)
    np.testing.assert_allclose([values["mean"], values["sum"]], [values["none"].mean(), values["none"].sum()], rtol=1e-12)


@pytest.mark.parametrize("make", [lg.cross_entropy, lg.kl_divergence], ids=lambda m: m.__name__)
def test_the_reduction_of_a_loss_of_logits_leaves_one_loss_for_each_row(make):
    how = {"labels": "probabilities"} if make is lg.cross_entropy else {}
    kinds = {r: make(reduction=r, **how).at(B) for r in ("mean", "sum", "none")}
    values = {r: evaluate(made.arrow, SOFT, GUESS)[0] for r, made in kinds.items()}
    assert kinds["none"].cod == lg.Real(ROWS, dtype="float64")
    np.testing.assert_allclose([values["mean"], values["sum"]], [values["none"].mean(), values["none"].sum()], rtol=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_what_a_mask_hides_counts_in_no_reduction(reduction):
    made = lg.cross_entropy(mask="shown", reduction=reduction).at(B)
    shown = np.array([True, False, True, False])
    each = -np.log(np.exp(GUESS) / np.exp(GUESS).sum(-1, keepdims=True))[np.arange(ROWS), CLASSES]
    wanted = {"mean": each[shown].mean(), "sum": each[shown].sum(), "none": np.where(shown, each, 0.0)}[reduction]
    np.testing.assert_allclose(evaluate(made.arrow, CLASSES, shown, GUESS)[0], wanted, rtol=1e-12)


def test_the_labels_gradient_of_a_dot_product_is_the_prediction():
    back = evaluate(lens(lg.dot().at(B)).arrow.put, OTHER, GUESS, ALPHA)
    np.testing.assert_array_equal(back[0], GUESS * ALPHA)
    np.testing.assert_array_equal(back[1], OTHER * ALPHA)


def test_kl_divergence_of_a_unit_vector_is_cross_entropy():
    units = np.eye(N)[CLASSES]
    kl_value, entropy = (evaluate(f.at(B).arrow, units, GUESS)[0] for f in (lg.kl_divergence(), lg.cross_entropy(labels="probabilities")))
    assert kl_value == pytest.approx(entropy, rel=1e-14)


def test_conventions_where_there_is_no_derivative():
    number = lg.Real(dtype="float64")
    assert evaluate(lens(lg.l1().at(number)).arrow.put, 2.0, 2.0, 1.0) == (0.0, 0.0)
    assert evaluate(lens(lg.hinge().at(number)).arrow.put, 1.0, 1.0, 1.0)[1] == 0.0
    still = evaluate(lens(lg.contrastive().at(PAIR)).arrow.put, 0.0, ROW, ROW, 1.0)
    assert all(np.isfinite(v).all() for v in still) and not still[1].any() and not still[2].any()
    nothing = evaluate(lens(lg.info_nce().at(CANDIDATES)).arrow.put, 1, 0 * ROW, OTHER, 1.0)
    assert all(np.isfinite(v).all() for v in nothing)


def test_accuracy_of_sides_and_of_candidates():
    assert evaluate(lg.hinge(metrics=["accuracy"]).at(B).arrow, SIDES, SIDES * 0.1)[2] == 1.0
    assert evaluate(lg.hinge(metrics=["accuracy"]).at(B).arrow, SIDES, -SIDES)[2] == 0.0
    made = lg.info_nce(metrics=["accuracy"]).at(CANDIDATES)
    assert [evaluate(made.arrow, k, OTHER[2], OTHER)[2] for k in range(ROWS)] == [0, 0, 1, 0]


@pytest.mark.parametrize("loss", [lg.l1, lg.huber, lg.hinge, lg.mse(reduction="none")], ids=["l1", "huber", "hinge", "mse of entries"])
def test_a_learner_takes_each_of_them(loss):
    x, y = np.array([[0.0], [1.0], [2.0]], np.float32), np.array([[-1.0], [1.0], [1.0]], np.float32)
    run = lg.supervised(lg.input(1) >> lg.dense(1), loss, lg.sgd(0.1)).fit((x, y), epochs=60, batch_size=3, progress=False)
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_what_losses_refuse():
    wrong = [(lg.mse, "mse"), (lg.cross_entropy, "cross_entropy"), (lg.kl_divergence, "kl_divergence"), (lg.hinge, "hinge")]
    for make, name in wrong:
        text = told(BadValue, lambda make=make: make(reduction="average"))
        assert text == f"'average' is no reduction of {name}; use one of mean, none, sum"
    assert told(BadValue, lambda: lg.huber(delta=0)) == "huber's delta must be a positive number, got 0"
    assert told(BadValue, lambda: lg.contrastive(margin=-1.0)) == "contrastive's margin must be a positive number, got -1.0"
    assert told(BadValue, lambda: lg.info_nce(temperature="hot")) == "info_nce's temperature must be a positive number, got 'hot'"
    assert told(BadValue, lambda: lg.cross_entropy(smoothing=1.5)) == "cross_entropy's smoothing must be a number from 0 to 1, got 1.5"
    pair = "contrastive compares two embeddings of one type, got f64[4,5]: end the model with both of them, side by side"
    assert told(TypeMismatch, lambda: lg.contrastive().at(B)) == pair
    both = "info_nce expects a query f32[d] and candidates f32[n,d] beside it, got f64[5] × f64[5]"
    assert told(TypeMismatch, lambda: lg.info_nce().at(PAIR)) == both
    assert told(TypeMismatch, lambda: lg.kl_divergence().at(Ty())) == "kl_divergence expects logits whose last axis is the classes, got I"
