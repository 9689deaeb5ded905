"""Losses with weights of classes, labels that count nowhere and the weight of a yes: by their formulas, and against PyTorch where it is."""

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.para import lens
from lensgrad.core.errors import BadValue
from lensgrad.lens import batch, corner, mean

ROWS, N = 6, 4
B = lg.Real(ROWS, N, dtype="float64")
LOGITS, OTHER = reals(5, (ROWS, N), (ROWS, N))
CLASSES = np.array([3, 0, 1, 3, 2, 0], np.int32)
SOME = np.array([3, -100, 1, -100, 2, 0], np.int32)
WEIGHTS = [2.0, 0.5, 1.0, 3.0]
SOFT = np.exp(OTHER) / np.exp(OTHER).sum(-1, keepdims=True)
SHARES = (OTHER > 0).astype(float)
HEAVY = [0.5, 1.0, 2.0, 7.0]


def log_softmax(z):
    return z - z.max(-1, keepdims=True) - np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True))


def cross_entropy(z, t, w=None, ignored=None, smoothing=0.0, reduction="mean"):
    """The formula of torch.nn.functional.cross_entropy, as its page has it."""
    w = np.ones(z.shape[-1]) if w is None else np.asarray(w)
    counts = np.ones(len(t)) if ignored is None else (t != ignored).astype(float)
    safe = np.where(counts > 0, t, 0)
    terms = -log_softmax(z) * w
    each = ((1 - smoothing) * terms[np.arange(len(t)), safe] + smoothing / z.shape[-1] * terms.sum(-1)) * counts
    return {"none": each, "sum": each.sum(), "mean": each.sum() / (w[safe] * counts).sum()}[reduction]


def binary(z, t, p):
    return (-p * t * np.log(1 / (1 + np.exp(-z))) - (1 - t) * np.log(1 - 1 / (1 + np.exp(-z)))).mean()


def own(loss, label, z, dom=B):
    return evaluate(loss.at(dom).arrow, label, z)[0]


FORMS = [
    ("weights", {"class_weights": WEIGHTS}, CLASSES, {"w": WEIGHTS}),
    ("ignored", {"ignore_index": -100}, SOME, {"ignored": -100}),
    ("an ignored class", {"ignore_index": 0}, CLASSES, {"ignored": 0}),
    ("both", {"class_weights": WEIGHTS, "ignore_index": -100}, SOME, {"w": WEIGHTS, "ignored": -100}),
    ("all", {"class_weights": WEIGHTS, "ignore_index": -100, "smoothing": 0.2}, SOME, {"w": WEIGHTS, "ignored": -100, "smoothing": 0.2}),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("how", "labels", "formula"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_cross_entropy_with_weights_has_its_formula(how, labels, formula, reduction):
    wanted = cross_entropy(LOGITS, labels, reduction=reduction, **formula)
    np.testing.assert_allclose(own(lg.cross_entropy(reduction=reduction, **how), labels, LOGITS), wanted, rtol=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("how", "labels", "formula"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_cross_entropy_with_weights_is_that_of_pytorch(how, labels, formula, reduction):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    z = torch.tensor(LOGITS, requires_grad=True)
    named = {"weight": torch.tensor(WEIGHTS, dtype=torch.float64) if "class_weights" in how else None}
    named |= {"ignore_index": how.get("ignore_index", -100), "label_smoothing": how.get("smoothing", 0.0)}
    value = torch.nn.functional.cross_entropy(z, torch.tensor(labels).long(), reduction=reduction, **named)
    loss = lg.cross_entropy(reduction=reduction, **how)
    np.testing.assert_allclose(own(loss, labels, LOGITS), value.detach().numpy(), rtol=1e-12)
    value.sum().backward()
    seed = np.ones(ROWS) if reduction == "none" else 1.0
    np.testing.assert_allclose(evaluate(lens(loss.at(B)).arrow.put, labels, LOGITS, seed), z.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("how", "labels", "formula"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_the_mean_of_a_batch_is_over_what_counts_in_all_of_it(how, labels, formula):
    """One label an example: Σ w l / Σ w over the batch, for which each example has to know Σ w."""
    one = lg.Real(N, dtype="float64")
    task = batch(corner(one, "z") >> lg.cross_entropy("y", **how), ROWS) >> mean
    assert evaluate(task.arrow, LOGITS, labels)[0] == pytest.approx(cross_entropy(LOGITS, labels, **formula), rel=1e-12)


def test_weights_of_soft_labels_multiply_their_terms():
    wanted = -(SOFT * np.array(WEIGHTS) * log_softmax(LOGITS)).sum(-1).mean()
    assert own(lg.cross_entropy(labels="probabilities", class_weights=WEIGHTS), SOFT, LOGITS) == pytest.approx(wanted, rel=1e-12)


def test_weights_by_class_leave_the_others_at_one():
    by_class, in_a_row = lg.cross_entropy(class_weights={3: 5.0}), lg.cross_entropy(class_weights=[1, 1, 1, 5])
    assert by_class.at(B) == in_a_row.at(B)
    assert lg.cross_entropy(class_weights=np.array([1, 1, 1, 5])).at(B) == in_a_row.at(B)


def test_what_a_mask_hides_counts_in_no_weighted_mean():
    shown = np.array([True, True, False, True, False, True])
    loss = lg.cross_entropy(mask="shown", class_weights=WEIGHTS).at(B)
    wanted = cross_entropy(LOGITS[shown], CLASSES[shown], w=WEIGHTS)
    assert evaluate(loss.arrow, CLASSES, shown, LOGITS)[0] == pytest.approx(wanted, rel=1e-12)


def test_where_every_label_is_ignored_the_loss_is_zero_and_nothing_moves():
    loss, nothing = lg.cross_entropy(ignore_index=7), np.full(ROWS, 7, np.int32)
    assert own(loss, nothing, LOGITS) == 0.0
    assert not evaluate(lens(loss.at(B)).arrow.put, nothing, LOGITS, 1.0).any()


def test_accuracy_counts_what_is_not_ignored():
    x, y = LOGITS.repeat(4, 0), SOME.repeat(4)
    model = lg.input(N, dtype="float64") >> lg.dense(N)
    made = lg.supervised(model, lg.cross_entropy(ignore_index=-100), lg.sgd(0.1), metrics=["accuracy"])
    run = made.fit((x, y), epochs=0, progress=False)
    right = (run.predict(x).argmax(1) == y)[y != -100]
    assert run.evaluate((x, y), batch_size=5)["accuracy"] == pytest.approx(right.mean(), rel=1e-12)
    one_batch = made.fit((x, y), batch_size=len(x), start=run.weights, progress=False).history[0]
    assert one_batch["accuracy"] == pytest.approx(right.mean(), rel=1e-12), "while training too"


@pytest.mark.parametrize("heavy", [3.0, HEAVY], ids=["one", "for each label"])
def test_the_weight_of_a_yes(heavy):
    loss = lg.binary_cross_entropy(pos_weight=heavy)
    assert own(loss, SHARES, LOGITS) == pytest.approx(binary(LOGITS, SHARES, np.asarray(heavy)), rel=1e-12)
    far = evaluate(lens(loss.at(B)).arrow.put, SHARES, LOGITS * 1e4, 1.0)
    assert all(np.isfinite(v).all() for v in far)


@pytest.mark.parametrize("name", ["pos_weight", "smooth l1", "poisson", "cosine similarity", "quantile"])
def test_other_forms_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    f, counts = torch.nn.functional, np.abs(OTHER).round()
    z, heavy = torch.tensor(LOGITS, requires_grad=True), torch.tensor(HEAVY, dtype=torch.float64)
    loss, label, call = {
        "pos_weight": (lg.binary_cross_entropy(pos_weight=HEAVY), SHARES,
                       lambda z, t: f.binary_cross_entropy_with_logits(z, t, pos_weight=heavy)),
        "smooth l1": (lg.smooth_l1(beta=0.3), OTHER, lambda z, t: f.smooth_l1_loss(z, t, beta=0.3)),
        "poisson": (lg.poisson(), counts, lambda z, t: f.poisson_nll_loss(z, t)),
        "cosine similarity": (lg.cosine_similarity(), OTHER, lambda z, t: (1 - f.cosine_similarity(z, t)).mean()),
        "quantile": (lg.quantile(level=0.2), OTHER, lambda z, t: torch.maximum(0.2 * (t - z), -0.8 * (t - z)).mean()),
    }[name]  # fmt: skip
    value = call(z, torch.tensor(label))
    value.backward()
    assert own(loss, label, LOGITS) == pytest.approx(value.item(), rel=1e-12)
    np.testing.assert_allclose(evaluate(lens(loss.at(B)).arrow.put, label, LOGITS, 1.0)[-1], z.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_other_forms_by_their_formulas():
    d = LOGITS - OTHER
    smooth = np.where(abs(d) <= 0.3, d * d / 2 / 0.3, abs(d) - 0.15).mean()
    assert own(lg.smooth_l1(beta=0.3), OTHER, LOGITS) == pytest.approx(smooth, rel=1e-12)
    assert own(lg.quantile(level=0.2), OTHER, LOGITS) == pytest.approx(np.maximum(-0.2 * d, 0.8 * d).mean(), rel=1e-12)
    counts = np.abs(OTHER).round()
    assert own(lg.poisson(), counts, LOGITS) == pytest.approx((np.exp(LOGITS) - counts * LOGITS).mean(), rel=1e-12)
    cosines = (LOGITS * OTHER).sum(1) / np.linalg.norm(LOGITS, axis=1) / np.linalg.norm(OTHER, axis=1)
    assert own(lg.cosine_similarity(), OTHER, LOGITS) == pytest.approx((1 - cosines).mean(), rel=1e-12)
    assert own(lg.cosine_similarity(), OTHER, 0 * LOGITS) == 1.0


REFUSED = [
    (lambda: lg.cross_entropy(class_weights=[1.0, 2.0]).at(B),
     "class_weights has 2 numbers, and the model has 4 classes: give one for each"),
    (lambda: lg.cross_entropy(class_weights={9: 1.0}).at(B),
     "class_weights has class 9, and the model has 4 classes, numbered 0 to 3"),
    (lambda: lg.cross_entropy(class_weights={"cat": 1.0}), "class_weights must be given by class number, 0 or more, got 'cat'"),
    (lambda: lg.cross_entropy(class_weights="balanced"),
     "class_weights must be numbers, one for each class, or a dict by class, got 'balanced'"),
    (lambda: lg.cross_entropy(class_weights=[1, -1]), "a class weight must be a number ≥ 0, got -1"),
    (lambda: lg.cross_entropy(ignore_index=0.5),
     "cross_entropy's ignore_index must be a whole number from -2^31 to 2^31 - 1, got 0.5"),
    (lambda: lg.cross_entropy(labels="probabilities", ignore_index=0),
     "ignore_index is a class number, and labels='probabilities' are none: use mask=… to leave places out"),
    (lambda: lg.binary_cross_entropy(pos_weight=[1, 2]).at(B),
     "pos_weight has 2 numbers, and the model gives f64[6,4]: give one for each label along the last axis"),
    (lambda: lg.binary_cross_entropy(pos_weight=-1), "pos_weight must be a number ≥ 0, got -1"),
    (lambda: lg.quantile(level=2), "quantile's level must be a number from 0 to 1, got 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), REFUSED, ids=[t for _, t in REFUSED])
def test_weights_that_make_no_sense_are_refused(call, text):
    assert told(BadValue, call) == text
