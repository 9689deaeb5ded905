"""Metrics of whole sets: worked out by hand, and equal to scikit-learn's with ties, absent classes and constant labels."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.train import metrics as m

TRUTH = [0, 0, 1, 1, 1, 2]
GUESS = [0, 1, 1, 1, 0, 0]


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_accuracy_and_the_confusion_matrix():
    assert m.accuracy(TRUTH, GUESS) == 0.5
    assert m.accuracy([[0, 1], [1, 1]], [[0, 1], [1, 0]]) == 0.5, "a row counts as a whole"
    assert m.confusion_matrix(TRUTH, GUESS).tolist() == [[1, 1, 0], [1, 2, 0], [1, 0, 0]]
    assert m.confusion_matrix(TRUTH, GUESS, [2, 0]).tolist() == [[0, 1], [0, 1]]
    assert m.confusion_matrix([0, 0], [0, 0], range(3)).tolist() == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_precision_recall_and_f1():
    assert m.precision(TRUTH, GUESS, "macro") == pytest.approx((1 / 3 + 2 / 3 + 0) / 3, rel=1e-15)
    assert m.recall(TRUTH, GUESS, "macro") == pytest.approx((1 / 2 + 2 / 3 + 0) / 3, rel=1e-15)
    assert m.f1(TRUTH, GUESS, "macro") == pytest.approx((2 / 5 + 4 / 6 + 0) / 3, rel=1e-15)
    assert m.precision(TRUTH, GUESS, "micro") == m.recall(TRUTH, GUESS, "micro") == m.f1(TRUTH, GUESS, "micro") == 0.5
    assert (m.precision([0, 1, 1], [1, 1, 0]), m.recall([0, 1, 1], [1, 1, 0]), m.f1([0, 1, 1], [1, 1, 0])) == (0.5, 0.5, 0.5)
    assert (m.precision([1, 0], [0, 0]), m.recall([0, 0], [1, 1]), m.f1([0, 0], [0, 0])) == (0.0, 0.0, 0.0)


def test_the_area_under_the_curve_counts_ties_as_half():
    assert m.auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75
    assert m.auc([0, 1], [0.5, 0.5]) == 0.5 and m.auc([1, 0, 1], [3.0, 3.0, 4.0]) == 0.75
    assert np.isnan(m.auc([1, 1], [0.1, 0.2])) and np.isnan(m.auc([0, 0], [0.1, 0.2]))


def test_the_mean_of_parts_is_not_the_area_of_the_whole():
    """Each half is perfect, and one half's scores are all above the other's."""
    labels, scores = [0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9]
    assert m.auc(labels[:2], scores[:2]) == m.auc(labels[2:], scores[2:]) == 1.0 and m.auc(labels, scores) == 0.75


def test_top_k_takes_the_later_of_equal_scores():
    scores = [[0.2, 0.2, 0.1], [0.3, 0.3, 0.3]]
    assert m.top_k([1, 2], scores, 1) == 1.0 and m.top_k([0, 0], scores, 1) == 0.0
    assert m.top_k([0, 0], scores, 2) == 0.5 and m.top_k([0, 0], scores, 3) == 1.0


def test_log_loss_keeps_away_from_infinity():
    assert m.log_loss([0, 1], [[0.5, 0.5], [0.25, 0.75]]) == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2, rel=1e-15)
    assert m.log_loss([1], [0.0]) == pytest.approx(-np.log(np.finfo(float).eps), rel=1e-15)


def test_errors_of_values():
    truth, guess = [1.0, 2.0, 4.0], [1.0, 3.0, 2.0]
    assert m.mae(truth, guess) == 1.0 and m.rmse(truth, guess) == pytest.approx(np.sqrt(5 / 3), rel=1e-15)
    assert m.r2(truth, guess) == pytest.approx(1 - 5 / (14 / 3), rel=1e-15)
    assert m.r2([2.0, 2.0], [2.0, 2.0]) == 1.0 and m.r2([2.0, 2.0], [2.0, 3.0]) == 0.0 and np.isnan(m.r2([2.0], [2.0]))
    assert m.rmse([[0.0, 0.0]], [[3.0, 4.0]]) == 3.5, "the mean of the outputs' own"


# -- scikit-learn ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sk():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle of these")


def cases(times=60):
    for seed in range(times):
        numbers = np.random.default_rng(seed)
        n, classes = int(numbers.integers(2, 25)), int(numbers.integers(3, 6))
        yield numbers, n, classes, numbers.integers(0, classes, n), numbers.integers(0, classes, n)


def test_metrics_of_classes_equal_those_of_scikit_learn(sk):
    pairs = [(m.precision, sk.precision_score), (m.recall, sk.recall_score), (m.f1, sk.f1_score)]
    for _, _, _, truth, guess in cases():
        assert m.accuracy(truth, guess) == sk.accuracy_score(truth, guess)
        assert np.array_equal(m.confusion_matrix(truth, guess), sk.confusion_matrix(truth, guess))
        for ours, theirs in pairs:
            for average in ("macro", "micro"):
                assert ours(truth, guess, average) == pytest.approx(theirs(truth, guess, average=average, zero_division=0), abs=1e-15)
            assert ours(truth > 0, guess > 0) == pytest.approx(theirs(truth > 0, guess > 0, zero_division=0), abs=1e-15)


@pytest.mark.filterwarnings("ignore:Only one class", "ignore:No positive", "ignore:No negative")
def test_metrics_of_scores_equal_those_of_scikit_learn(sk):
    absent = 0
    for numbers, n, classes, truth, _ in cases():
        one, many = np.round(numbers.random(n), 1), np.round(numbers.random((n, classes)), 1) + 0.1
        many /= many.sum(1, keepdims=True)
        absent += len(set(truth)) < classes
        same(m.auc(truth > 0, one), sk.roc_auc_score(truth > 0, one))
        same(m.auc(truth, many), sk.roc_auc_score(truth, many, multi_class="ovr", labels=range(classes)))
        same(m.log_loss(truth, many), sk.log_loss(truth, many, labels=range(classes)))
        same(m.log_loss(truth > 0, one), sk.log_loss(truth > 0, one, labels=[0, 1]))
        for k in (1, 2):
            assert m.top_k(truth, many, k) == sk.top_k_accuracy_score(truth, many, k=k, labels=range(classes))
    assert absent > 10, "classes are absent in some cases"


def test_metrics_of_values_equal_those_of_scikit_learn(sk):
    pairs = [(m.mae, sk.mean_absolute_error), (m.rmse, sk.root_mean_squared_error), (m.r2, sk.r2_score)]
    for numbers, n, _, _, _ in cases(20):
        truth, guess = numbers.standard_normal((2, n, 3))
        truth[:, 0] = 1.0
        guess[:, 0] = guess[:, 0] if n % 2 else 1.0
        for ours, theirs in pairs:
            assert ours(truth, guess) == pytest.approx(theirs(truth, guess), rel=1e-12)
            assert ours(truth[:, 1], guess[:, 1]) == pytest.approx(theirs(truth[:, 1], guess[:, 1]), rel=1e-12)


def same(ours, theirs):
    assert ours == pytest.approx(theirs, rel=1e-12, nan_ok=True)


# -- what a learner reports --------------------------------------------------------------------------------------------

X = np.random.default_rng(1).standard_normal((30, 4))
CLASSES = np.random.default_rng(2).integers(0, 3, 30)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("batch_size", [None, 7, 1024])
def test_evaluate_computes_them_on_the_whole_set(batch_size):
    names = ["accuracy", "f1", "precision_macro", "recall_micro", "auc", "top_2", "log_loss"]
    made = lg.supervised(lg.dense(4, 3, dtype="float64"), lg.cross_entropy, lg.sgd(0.1), metrics=names)
    run = made.fit((X, CLASSES), validation_data=(X, CLASSES), progress=False)
    z = run.predict(X)
    expected = {
        "accuracy": m.accuracy(CLASSES, z.argmax(1)), "f1": m.f1(CLASSES, z.argmax(1), "macro"),
        "precision_macro": m.precision(CLASSES, z.argmax(1), "macro"), "recall_micro": m.recall(CLASSES, z.argmax(1), "micro"),
        "auc": m.auc(CLASSES, softmax(z)), "top_2": m.top_k(CLASSES, z, 2), "log_loss": m.log_loss(CLASSES, softmax(z)),
    }  # fmt: skip
    found = run.evaluate((X, CLASSES), batch_size=batch_size)
    assert list(found) == ["loss", *names]
    assert {n: found[n] for n in names} == pytest.approx(expected, rel=1e-12)
    assert found["log_loss"] == pytest.approx(found["loss"], rel=1e-12)
    assert list(run.history[0]) == ["loss", "accuracy", *(f"val_{n}" for n in found)], "in training only what is a mean over examples"


def test_a_single_logit_says_yes_above_zero():
    y = (X[:, :1] + X[:, 1:2] > 0.3).astype(float)
    made = lg.supervised(lg.dense(4, 1, dtype="float64"), lg.binary_cross_entropy, lg.sgd(0.3), metrics=["accuracy", "f1", "auc"])
    run = made.fit((X, y), epochs=3, progress=False)
    z = run.predict(X)[:, 0]
    assert 0.5 < m.accuracy(y[:, 0], z > 0) < 1
    expected = {"accuracy": m.accuracy(y[:, 0], z > 0), "f1": m.f1(y[:, 0], z > 0), "auc": m.auc(y[:, 0], z)}
    found = run.evaluate((X, y))
    assert {n: found[n] for n in expected} == pytest.approx(expected, rel=1e-6)


def test_regression_reports_errors_of_values():
    y = X @ np.ones((4, 2)) + 1
    run = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.sgd(0.1), metrics=["mae", "rmse", "r2"]).fit((X, y), progress=False)
    found, guess = run.evaluate((X, y)), run.predict(X)
    assert (found["mae"], found["rmse"], found["r2"]) == (m.mae(y, guess), m.rmse(y, guess), m.r2(y, guess))


# -- refusals ----------------------------------------------------------------------------------------------------------

NAMES = "accuracy, auc, f1, f1_macro, f1_micro, log_loss, mae, mse, precision, r2, recall, rmse, top_5, or top_ and another number"
REFUSED = [
    (lambda: m.accuracy([1, 2], [1]), TypeMismatch,
     "accuracy compares labels and predictions of one shape, got (2,) and (1,): nothing is broadcast silently"),
    (lambda: m.mae([], []), BadValue, "mae is of at least one example, and there is none"),
    (lambda: m.f1([0, 2], [0, 1]), BadValue, "a binary f1 is of classes 0 and 1, and there are others: use average='macro' or 'micro'"),
    (lambda: m.f1([0, 1], [0, 1], "weighted"), BadValue, "the average of f1 must be one of binary, macro, micro, got 'weighted'"),
    (lambda: m.top_k([0, 1], [0.1, 0.2]), TypeMismatch, "top_k expects class numbers (n,) and scores (n, classes), got (2,) and (2,)"),
    (lambda: m.log_loss([3], [[0.5, 0.5]]), BadValue, "log_loss has scores of 2 classes, numbered 0 to 1, and labels from 3 to 3"),
    (lambda: lg.supervised(lg.dense(4, 3), lg.mse, lg.descent, metrics=["acc"]), BadValue,
     f"'acc' is no metric; use one of {NAMES}: did you mean 'accuracy'?"),
    (lambda: lg.supervised(lg.dense(4, 3), lg.mse, lg.descent, metrics="f1"), BadValue,
     "metrics must be a list of names, got the text 'f1': write metrics=['f1']"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "told"), REFUSED, ids=[t for _, _, t in REFUSED])
def test_what_cannot_be_measured_is_refused(call, kind, told):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == told
