"""What a learner reports by name is scikit-learn's number, for every kind of labels that a loss has; what does not fit is refused."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.losses import Kind
from lensgrad.train.measures import larger_is_better, measure

SEEDS = range(12)


@pytest.fixture(scope="module")
def sk():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle of these")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def averages(sk, truth, guess, usual):
    """Precision, recall and F1 with every average, by scikit-learn."""
    found = {}
    for name in ("precision", "recall", "f1"):
        for average in ("", "macro", "micro"):
            score = getattr(sk, f"{name}_score")(truth, guess, average=average or usual, zero_division=0)
            found[f"{name}_{average}".rstrip("_")] = score
    return {**found, "accuracy": sk.accuracy_score(truth, guess)}


def binary(sk, numbers, n, shape):
    t, z = numbers.integers(0, 2, (n, *shape)).astype(float), numbers.standard_normal((n, *shape))
    t[0], t[1] = 0, 1
    row, score = t.reshape(-1), z.reshape(-1)
    wanted = averages(sk, row, score > 0, "binary")
    wanted |= {"auc": sk.roc_auc_score(row, score), "log_loss": sk.log_loss(row, sigmoid(score))}
    return lg.binary_cross_entropy, t, z, wanted


def sides(sk, numbers, n, shape):
    _, t, z, wanted = binary(sk, numbers, n, shape)
    del wanted["log_loss"]
    return lg.hinge, 2 * t - 1, z, wanted


def multilabel(sk, numbers, n, shape):
    t, z = (numbers.random((n, *shape, 4)) < [0.7, 0.5, 0.3, 0.1]).astype(float), numbers.standard_normal((n, *shape, 4))
    t[0], t[1] = 0, 1
    rows, scores = t.reshape(-1, 4), z.reshape(-1, 4)
    return lg.binary_cross_entropy, t, z, {**averages(sk, rows, scores > 0, "macro"), "auc": sk.roc_auc_score(rows, scores)}


def classes(k):
    def case(sk, numbers, n, shape):
        t, z = numbers.integers(0, k, (n, *shape)), numbers.standard_normal((n, *shape, k))
        t.reshape(-1)[:k] = range(k)
        row, scores = t.reshape(-1), z.reshape(-1, k)
        p = softmax(scores)
        wanted = averages(sk, row, scores.argmax(1), "binary" if k == 2 else "macro")
        ranked = p[:, 1] if k == 2 else p
        wanted["auc"] = sk.roc_auc_score(row, ranked, multi_class="ovr")
        wanted["log_loss"] = sk.log_loss(row, p, labels=range(k))
        if k > 2:
            wanted["top_2"] = sk.top_k_accuracy_score(row, scores, k=2, labels=range(k))
        return lg.cross_entropy, t, z, wanted

    return case


def values(sk, numbers, n, shape):
    t, z = numbers.standard_normal((2, n, 3))
    wanted = {"mae": sk.mean_absolute_error(t, z), "mse": sk.mean_squared_error(t, z)}
    return lg.mse, t, z, {**wanted, "rmse": sk.root_mean_squared_error(t, z), "r2": sk.r2_score(t, z)}


TABLE = {
    "yes or no": (binary, ()), "yes or no, in a column": (binary, (1,)), "yes or no at each of 5 places": (binary, (5, 1)),
    "sides": (sides, (1,)), "sides at each of 5 places": (sides, (5, 1)),
    "several labels": (multilabel, ()), "several labels at each of 3 places": (multilabel, (3,)),
    "two classes": (classes(2), ()), "four classes": (classes(4), ()), "four classes at each of 5 places": (classes(4), (5,)),
    "numbers": (values, ()),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_metrics_by_name_are_those_of_scikit_learn(sk, name):
    make, shape = TABLE[name]
    for seed in SEEDS:
        numbers = np.random.default_rng(seed)
        loss, t, z, wanted = make(sk, numbers, int(numbers.integers(6, 30)), shape)
        dom = lg.Real(*z.shape[1:], dtype="float64")
        kind = loss().at(dom).params[0].about
        found = {m: measure(m, kind, t, z) for m in wanted}
        assert found == pytest.approx(wanted, rel=1e-12), seed


@pytest.mark.parametrize("name", TABLE)
def test_a_learner_reports_them(sk, name):
    """The model gives out what goes in, so that outputs are known; the batches of evaluating are not the set."""
    make, shape = TABLE[name]
    loss, t, z, wanted = make(sk, np.random.default_rng(3), 17, shape)
    made = lg.supervised(identity(z.shape[1:]), loss, lg.sgd(0.1), metrics=list(wanted))
    found = made.fit((z, t), epochs=0, progress=False).evaluate((z, t), batch_size=5)
    assert {m: found[m] for m in wanted} == pytest.approx(wanted, rel=1e-6)


def identity(shape):
    """A model that gives out what goes in, with a weight that does nothing."""
    from lensgrad.cat.para import Param, parametric

    return parametric([Param("idle", lg.Real(), init=lg.zeros(lg.Real()))], lg.Real(*shape, dtype="float64"), lambda w, x: x)


def test_what_is_ignored_or_masked_counts_in_no_metric(sk):
    numbers = np.random.default_rng(0)
    t, z, shown = numbers.integers(0, 3, (8, 5)), numbers.standard_normal((8, 5, 3)), numbers.random((8, 5)) < 0.6
    wanted = averages(sk, t[shown], z.argmax(-1)[shown], "macro")
    ignoring = lg.supervised(identity((5, 3)), lg.cross_entropy(ignore_index=-100), lg.sgd(0.1), metrics=list(wanted))
    marked = np.where(shown, t, -100)
    found = ignoring.fit((z, marked), epochs=0, progress=False).evaluate((z, marked), batch_size=3)
    assert {m: found[m] for m in wanted} == pytest.approx(wanted, rel=1e-12)
    masking = lg.supervised(identity((5, 3)), lg.cross_entropy(mask="shown"), lg.sgd(0.1), metrics=list(wanted))
    data = {"x": z, "y": t, "shown": shown}
    found = masking.fit(data, epochs=0, progress=False).evaluate(data, batch_size=3)
    assert {m: found[m] for m in wanted} == pytest.approx(wanted, rel=1e-12)


X = np.random.default_rng(1).standard_normal((30, 4))
Y = X @ np.ones((4, 1)) + 1
LABELS = np.random.default_rng(2).integers(0, 3, 30)


def learner(loss=lg.cross_entropy, outputs=3, **how):
    return lg.supervised(lg.input(4, dtype="float64") >> lg.dense(outputs), loss, lg.sgd(0.01), **how)


def test_what_a_loss_says_comes_with_the_task_and_with_its_file(tmp_path):
    made = learner(lg.cross_entropy(ignore_index=-1), metrics=["f1"])
    assert made.kinds() == {"y": Kind("classes", "class", 3, "softmax", ignored=-1)}
    assert made.weighted("w").kinds() == made.kinds()
    run = made.fit((X, LABELS), progress=False)
    run.save(tmp_path / "run.safetensors")
    read = lg.load(tmp_path / "run.safetensors")
    assert read.learner.kinds() == made.kinds() and read.evaluate((X, LABELS)) == run.evaluate((X, LABELS))


def test_the_label_of_an_autoencoder_says_what_it_is():
    made = lg.supervised(lg.dense(4, 4), lg.binary_cross_entropy, lg.sgd(0.1), label="x")
    assert made.kinds() == {"x": Kind("multilabel", "share", 2, "sigmoid")}


def gap(labels, outputs):
    return np.abs(labels - outputs).max()


def test_functions_of_labels_and_outputs_are_metrics():
    run = learner(lg.mse, 1, metrics=[gap, "mae", lg.metrics.r2]).fit((X, Y), validation_data=(X, Y), progress=False)
    found = run.evaluate((X, Y), batch_size=7)
    assert found["gap"] == np.abs(Y - run.predict(X)).max() and found["r2"] == lg.metrics.r2(Y, run.predict(X))
    assert list(run.history[0]) == ["loss", "val_loss", "val_mae", "val_r2", "val_gap"]


def test_metrics_of_the_library_stay_in_a_file_and_functions_do_not(tmp_path):
    run = learner(lg.mse, 1, metrics=[gap, "mae"]).fit((X, Y), progress=False)
    run.save(tmp_path / "run.safetensors")
    assert list(lg.load(tmp_path / "run.safetensors").evaluate((X, Y))) == ["loss", "mae"]


def test_squared_errors_with_one_hot_rows_may_be_asked_for_classes():
    rows = np.eye(3)[LABELS]
    run = learner(lg.half_squared_error, metrics=["accuracy", "f1"]).fit((X, rows), progress=False)
    guess = run.predict(X).argmax(1)
    found = run.evaluate((X, rows))
    assert (found["accuracy"], found["f1"]) == pytest.approx(((guess == LABELS).mean(), lg.metrics.f1(LABELS, guess, "macro")))
    assert told(BadValue, lambda: learner(lg.mse, metrics=["accuracy"]).fit((X, rows - 2), progress=False)) == (
        f"'y' holds {rows[0, 0] - 2:g} in row 0, entry 0, and metrics of classes are of one-hot rows: for numbers use mae, rmse or r2"
    )


@pytest.mark.parametrize(
    ("name", "larger"),
    [("loss", False), ("val_loss", False), ("size/val_mae", False), ("val_rmse", False), ("log_loss", False), ("mse", False),
     ("accuracy", True), ("val_f1_macro", True), ("val_top_3", True), ("kind/auc", True), ("val_r2", True), ("val_gap", None), (3, None)],
)  # fmt: skip
def test_a_metric_says_which_way_is_better(name, larger):
    assert larger_is_better(name) is larger


def test_early_stopping_on_a_metric_of_ones_own_needs_a_mode():
    text = "nothing says whether more of 'val_gap' is better: give mode='max' or mode='min'"
    assert told(BadValue, lambda: lg.early_stopping("val_gap")) == text
    assert told(BadValue, lambda: lg.early_stopping("val_acuracy")).endswith("give mode='max' or mode='min': did you mean 'accuracy'?")
    rule = lg.early_stopping("val_gap", mode="min", patience=1)
    run = learner(lg.mse, 1, metrics=[gap]).fit((X, Y), validation_data=(X, Y), epochs=2, early_stopping=rule, progress=False)
    assert run.best_epoch


def nothing(labels, outputs):
    return labels


def f1(labels, outputs):
    return 0.0


def focal(truth, logits):
    return -lg.ops.log_softmax(logits)[0]


KNOWN = "accuracy, auc, f1, f1_macro, f1_micro, log_loss, mae, mse, precision, r2, recall, rmse, top_5, or top_ and another number"
REFUSED = [
    (lambda: learner(lg.mse, 1, metrics=["accuracy"]),
     "accuracy is a metric of classes, and mse is a loss of numbers: use one of mae, rmse, r2"),
    (lambda: learner(lg.huber, 1, metrics=["f1"]),
     "f1 is a metric of classes, and huber is a loss of numbers: use one of mae, mse, r2, rmse"),
    (lambda: learner(metrics=["mae"]),
     "mae is a metric of numbers, and cross_entropy is a loss of classes: use one of accuracy, auc, f1, log_loss, precision, recall"),
    (lambda: learner(lg.binary_cross_entropy, metrics=["log_loss"]),
     "log_loss is a metric of classes, and binary_cross_entropy is a loss of several labels at once: "
     "use one of accuracy, auc, f1, precision, recall"),
    (lambda: learner(lg.hinge, 1, metrics=["log_loss"]), "log_loss is of probabilities, and the outputs of hinge are scores: use auc"),
    (lambda: learner(lg.dot, metrics=["auc"]), "auc is no metric for dot, whose outputs are neither classes nor numbers near their labels"),
    (lambda: learner(lg.loss("focal", "y", focal), metrics=["accuracy"]),
     "accuracy has to know what labels are, and the loss focal does not say: give kind=… to lg.loss, or as the metric a function "
     "(labels, outputs) → number"),
    (lambda: learner(metrics=["acc"]), f"'acc' is no metric; use one of {KNOWN}: did you mean 'accuracy'?"),
    (lambda: learner(metrics=[3]), f"3 is no metric; use one of {KNOWN}"),
    (lambda: learner(metrics=5), "metrics must be a list of names or of functions (labels, outputs) → number, got 5"),
    (lambda: learner(metrics=[f1]), "a function of your own has the name of the metric 'f1': rename it, or give the name as text"),
    (lambda: learner(metrics=[nothing]).fit((X, LABELS), progress=False).evaluate((X, LABELS)), None),
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), REFUSED, ids=[str(t)[:40] for _, t in REFUSED])
def test_metrics_that_do_not_fit_are_refused_when_the_learner_is_made(call, text):
    found = told(BadValue, call)
    assert found == text if text else found.startswith("the metric nothing gives one number for labels and outputs, got array(")


def test_a_lambda_has_no_name_to_be_reported_by():
    assert told(BadValue, lambda: learner(metrics=[lambda t, z: 0.0])).endswith("has none: write it with def")


# -- losses of a user's own --------------------------------------------------------------------------------------------


def absolute(prediction, label):
    return lg.ops.mean_over(lg.ops.absolute(prediction - label))


def test_a_function_of_prediction_and_label_is_a_loss():
    ours, theirs = (learner(loss, 1).fit((X, Y), epochs=2, progress=False) for loss in (absolute, lg.l1))
    assert ours.history == theirs.history


def own_entropy(prediction, label):
    return -lg.ops.sum_over(lg.ops.one_hot(label, 3, "float64") * lg.ops.log_softmax(prediction))


own_entropy.kind = "classes"


def test_a_loss_of_ones_own_may_say_what_its_labels_are():
    by_name = lg.loss("own", "y", lambda t, z: own_entropy(z, t), kind="classes")
    for loss in (own_entropy, by_name):
        made = learner(loss, metrics=["accuracy", "f1"])
        assert made.kinds() == {"y": Kind("classes", "class", 3, "softmax")}
        one, other = (m.fit((X, LABELS), class_weight="balanced", progress=False) for m in (made, learner(metrics=["accuracy", "f1"])))
        assert one.evaluate((X, LABELS)) == pytest.approx(other.evaluate((X, LABELS)), rel=1e-12)


def test_a_loss_made_already_takes_label_and_metrics_of_its_learner():
    made = learner(lg.cross_entropy(smoothing=0.1), metrics=["accuracy"], label="species")
    assert made.ports == ("x", "species") and "accuracy" in made.fit((X, LABELS), progress=False).history[0]
    assert learner(lg.cross_entropy("species")).ports == ("x", "species"), "or the learner that of the loss"


OWN = [
    (lambda: learner(lambda prediction, label: prediction - label, 2),
     "the loss lambda gives f64[2], and the loss of an example is one float: end it with a sum or a mean"),
    (lambda: learner(lambda prediction, label: 3.0, 1),
     "the loss lambda gives 3.0, and the loss of an example is one float: end it with a sum or a mean"),
    (lambda: learner(lambda y_true, y_pred: y_true, 1),
     "a loss of your own is a function of (prediction, label), in this order, and lambda begins with 'y_true'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), OWN, ids=["an array", "a number", "the other order"])
def test_functions_that_are_no_losses_are_refused(call, text):
    assert told(TypeMismatch, call) == text
