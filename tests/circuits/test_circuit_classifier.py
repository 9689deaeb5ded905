"""The circuit classifier: scikit-learn's own checks, and that what it predicts is what its circuit says."""

import pickle

import numpy as np
import pandas as pd
import pytest
from refusals import told

import lensgrad as lg
from lensgrad import circuits
from lensgrad.circuits import load_circuit
from lensgrad.circuits.gates.encoders import raw
from lensgrad.core.errors import BadValue

pytest.importorskip("sklearn", reason="the estimators are for scikit-learn")
from sklearn.utils.estimator_checks import parametrize_with_checks

from lensgrad.circuits.classifier import CircuitClassifier

QUICK = {"method": "soft", "layers": (24,), "steps": 150, "simplify": False}


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of scikit-learn's on purpose
@parametrize_with_checks([CircuitClassifier(**QUICK)])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)


# -- on tables ---------------------------------------------------------------------------------------------------------


def flowers(**more):
    data = lg.data.iris()
    table = pd.DataFrame(np.round(data.x.astype(float), 1), columns=data.features)
    return (
        CircuitClassifier(**{"method": "soft", "layers": (60, 60), "steps": 600, "random_state": 0, **more}),
        table,
        np.array(data.classes)[data.y],
    )


@pytest.fixture(scope="module")
def fitted():
    model, table, species = flowers()
    return model.fit(table[::2], species[::2]), table, species


def test_it_learns_and_predicts_what_its_circuit_says(fitted):
    model, table, species = fitted
    assert model.score(table[1::2], species[1::2]) >= 0.9
    bits = model.encoder_.encode(table)
    assert (model.predict(table) == model.classes_[model.circuit.run(bits).argmax(1)]).all()
    assert model.circuit.inputs == model.encoder_.names and model.circuit.outputs == tuple(f"y={c}" for c in model.classes_)
    assert "petal_width>" in " ".join(model.circuit.inputs)
    assert model.feature_names_in_.tolist() == list(table.columns) and model.method_ == "soft" and model.n_iter_ == len(model.history_)


def test_simplifying_changes_no_prediction_and_a_seed_repeats(fitted):
    model, table, species = fitted
    again, whole = (flowers(simplify=s)[0].fit(table[::2], species[::2]) for s in (True, False))
    assert again.circuit == model.circuit and whole.circuit.size > model.circuit.size
    assert (whole.predict(table) == model.predict(table)).all()


def test_it_is_saved_and_loaded_with_its_encoder_and_the_rows_that_can_occur(fitted, tmp_path):
    model, table, _ = fitted
    files = model.save(tmp_path / "iris.blif")
    assert [f.name for f in files] == ["iris.blif", "iris.json", "iris.care.aig"]
    found = load_circuit(tmp_path / "iris.blif")
    assert found.encoder == model.encoder_ and (model.classes_[found.predict(table)] == model.predict(table)).all()
    assert circuits.read(files[2]).run(model.encoder_.encode(table)).all()
    copied = pickle.loads(pickle.dumps(model))
    assert (copied.predict(table) == model.predict(table)).all()


def test_encoder_and_gates_are_one_circuit_from_the_raw_columns(fitted):
    model, table, _ = fitted
    raw_bits = [raw(model.encoder_, row) for row in table.to_numpy()]
    assert (model.learned_.whole.run(raw_bits) == model.circuit.run(model.encoder_.encode(table))).all()


def test_words_in_a_frame_and_names_for_an_array():
    frame, answers = pd.DataFrame({"color": ["red", "blue", "red", "green"] * 5, "size": [1, 2, 3, 4] * 5}), ["yes", "no", "yes", "no"] * 5
    model = CircuitClassifier(method="soft", layers=(16,), random_state=0, target="buy it").fit(frame, answers)
    assert model.score(frame, answers) == 1.0
    assert model.circuit.outputs == ("buy_it=yes",) and "color=red" in model.circuit.inputs
    named = CircuitClassifier(method="soft", layers=(8,), steps=2, feature_names=["a", "b"]).fit([[0, 1], [1, 1], [1, 2]], [0, 1, 1])
    assert named.circuit.inputs == ("a>0.5", "b>1.5")
    images = np.array([[[0, 9], [9, 0]], [[9, 0], [0, 9]], [[9, 9], [0, 9]]] * 4)
    encoder = lg.data.encoder(images, thresholds=[4])
    shown = CircuitClassifier(method="solve", encoder=encoder).fit(images.reshape(12, 4), [0, 1, 1] * 4)
    assert shown.circuit.inputs == ("x0,0>4", "x0,1>4", "x1,0>4", "x1,1>4") and shown.score(images.reshape(12, 4), [0, 1, 1] * 4) == 1.0
    assert told(BadValue, lambda: CircuitClassifier(encoder=encoder).fit([[1], [2]], [0, 1])) == "X has 1 columns, and the encoder is for 4"


def test_early_stopping_watches_rows_held_back():
    model, table, species = flowers(early_stopping=True, patience=3)
    model.fit(table, species)
    assert "val_loss" in model.history_[-1] and model.n_iter_ < 1000 and 0.8 <= model.validation_score_ <= 1


def test_refusals_are_sentences():
    table = pd.DataFrame({"a": ["x", "y", "x"], "b": [1.0, 2.0, 3.0]})
    assert told(BadValue, lambda: CircuitClassifier().fit(table, [1, 1, 1])) == (
        "y has one class only, 1, so there is nothing to learn: give rows of two classes or more"
    )
    assert told(BadValue, lambda: CircuitClassifier(method="magic").fit(table, [1, 0, 1])).startswith(
        "method must be one of auto, anf, flip, soft, solve, table, got 'magic'"
    )
    assert (
        told(BadValue, lambda: CircuitClassifier(method="soft").fit(table, [1, 0])) == "X has 3 rows and y has 2 labels: give each row one"
    )
    same = pd.DataFrame({"a": [1, 1, 1]})
    assert told(BadValue, lambda: CircuitClassifier(method="soft").fit(same, [1, 0, 1])) == (
        "no feature tells the rows apart, so there is nothing to learn from: every column is constant"
    )
    model = CircuitClassifier(method="soft", layers=(8,), steps=2).fit(table, [1, 0, 1])
    assert told(BadValue, lambda: model.predict(pd.DataFrame({"a": ["z"], "b": [1.0]}))) == (
        "row 0, column 'a': 'z' is none of the known values x, y"
    )


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"layers": ()}, "layers must be the gates of each layer, one or more, as in (96, 96), got ()"),
        ({"layers": 5}, "layers must be the gates of each layer, one or more, as in (96, 96), got 5"),
        ({"layers": (4, 2.5)}, "the number of gates of a layer must be a whole number ≥ 1, got 2.5"),
        ({"batch_size": 0}, "batch_size must be a whole number ≥ 1, got 0"),
        ({"steps": -1}, "steps must be a whole number ≥ 1, got -1"),
        (
            {"method": "auto", "validation_split": 1.5},
            "the part of the rows held back must be a fraction from 0 up to, but not including, 1, got 1.5",
        ),
    ],
)
def test_what_is_no_way_to_learn_is_refused(how, why):
    table = pd.DataFrame({"a": [1, 2, 3, 4]})
    assert told(BadValue, lambda: CircuitClassifier(**{"method": "soft", **how}).fit(table, [0, 1, 0, 1])) == why


def test_tables_without_columns_and_labels_without_order_are_refused():
    table, model = pd.DataFrame({"a": [1, 2, 3, 4]}), CircuitClassifier(method="solve")
    for empty in (table[[]], pd.DataFrame()):
        assert told(BadValue, lambda e=empty: model.fit(e, [0, 1, 0, 1])) == "X has no columns, so there is nothing to learn from"
    for mixed in ([1, "x", 1, "x"], [None, "x", "y", "x"]):
        assert told(BadValue, lambda m=mixed: model.fit(table, np.array(m, object))) == (
            "some labels in y are words and some are not, so they have no order: make all of them words"
        )
    alike = "classes 'r s' and 'r_s' would both be called 'y=r_s': rename one, as spaces in names become '_'"
    assert told(BadValue, lambda: model.fit(table, ["r s", "r_s"] * 2)) == alike


def test_counts_may_be_those_of_numpy():
    table = pd.DataFrame({"a": [1, 2, 3, 4]})
    how = {"layers": np.array([4, 4]), "steps": np.int64(2), "batch_size": np.int64(4)}
    assert CircuitClassifier(method="soft", **how).fit(table, [0, 1, 0, 1]).n_iter_ == 2


def test_two_columns_have_two_names():
    with pytest.raises(BadValue) as error:
        CircuitClassifier(method="anf", feature_names=["a", "a"]).fit(np.eye(2), [0, 1])
    assert str(error.value) == "two columns of X would be called 'a': give feature_names that differ"


def test_it_is_cloned_searched_over_and_scored_by_probabilities():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    x = np.random.default_rng(0).integers(0, 3, (60, 2)).astype(float)
    y = (x[:, 0] > x[:, 1]).astype(int)
    model = CircuitClassifier(method="anf", levels=np.int64(2), layers=np.array([4, 4]), random_state=0)
    assert clone(model).get_params()["levels"] == 2
    found = GridSearchCV(model, {"levels": np.array([1, 2])}, cv=3, scoring="roc_auc", error_score="raise").fit(x, y)
    assert (found.cv_results_["mean_test_score"] > 0.5).all() and np.isfinite(found.best_score_)
    fitted = model.fit(x, y)
    shares = fitted.predict_proba(x)
    assert shares.shape == (60, 2) and (shares.sum(1) == 1).all() and np.array_equal(fitted.classes_[shares.argmax(1)], fitted.predict(x))


def test_categories_are_the_same_in_every_precision():
    x = np.round(np.random.default_rng(0).random((40, 1)), 1)
    y = (x[:, 0] > 0.45).astype(int)
    fitted = CircuitClassifier(method="solve", categorical=["x0"], simplify=False).fit(x, y)
    assert np.array_equal(fitted.predict(x.astype(np.float32)), fitted.predict(x))
    assert lg.data.encoder({"a": ["1", "2.0"]}, categorical="all").names == lg.data.encoder({"a": [1.0, 2]}, categorical="all").names
