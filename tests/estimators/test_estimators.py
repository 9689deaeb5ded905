"""The estimators for scikit-learn: its own checks, its tools around them, and that they are the learner and nothing else."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue, MissingExtra, TypeMismatch

pytest.importorskip("sklearn", reason="the estimators are for scikit-learn")
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from lensgrad.estimators import LensClassifier, LensRegressor

QUICK = {"hidden": (16,), "epochs": 40, "learning_rate": 0.02}
FLOWERS, SPECIES = load_iris(return_X_y=True)


def classifier(**more):
    return LensClassifier(**{**QUICK, "random_state": 0, **more})


def regressor(**more):
    return LensRegressor(**{**QUICK, "random_state": 0, **more})


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True).stdout.strip()


# -- scikit-learn's own checks -----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of scikit-learn's on purpose
@parametrize_with_checks([LensClassifier(**QUICK), LensRegressor(**QUICK)])
def test_scikit_learn_accepts_the_estimators(estimator, check):
    check(estimator)


# -- at the door -------------------------------------------------------------------------------------------------------


def test_importing_the_library_does_not_import_scikit_learn():
    assert run_python("import lensgrad, sys; print('sklearn' in sys.modules, 'lensgrad.estimators' in sys.modules)") == "False False"


def test_the_door_gives_the_estimators():
    assert lg.LensClassifier is LensClassifier and lg.LensRegressor is LensRegressor
    with pytest.raises(AttributeError, match="module 'lensgrad' has no attribute 'LensCluster'"):
        lg.LensCluster  # noqa: B018


@pytest.mark.parametrize("name", ["LensClassifier", "LensRegressor"])
def test_without_scikit_learn_the_door_says_what_to_install(name):
    absent = "import sys; sys.modules['sklearn'] = None; import lensgrad as lg"
    code = f"{absent}\ntry: lg.{name}()\nexcept lg.LensgradError as e: print(type(e), e)"
    sentence = "LensClassifier and LensRegressor need scikit-learn 1.6 or newer, which is not installed: pip install 'lensgrad[sklearn]'"
    assert run_python(code) == f"{MissingExtra} {sentence}"


# -- what is trained ---------------------------------------------------------------------------------------------------


def test_a_classifier_is_the_learner_trained_by_hand():
    found = classifier(hidden=(5, 3), activation="tanh", batch_size=32, epochs=3, optimizer="momentum").fit(FLOWERS, SPECIES)
    layers = [lg.dense(5, activation="tanh", name="hidden1"), lg.dense(3, activation="tanh", name="hidden2"), lg.dense(3, name="output")]
    model = lg.sequential(lg.input(4, dtype="float64"), *layers)
    learner = lg.supervised(model, lg.cross_entropy, lg.sgd(0.02, momentum=0.9))
    x = (FLOWERS - FLOWERS.mean(0)) / FLOWERS.std(0)
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    run = learner.fit((x, SPECIES), epochs=3, batch_size=32, seed=seed, progress=False)
    assert found.run_.learner.lens(32) == learner.lens(32) and found.n_iter_ == 3
    np.testing.assert_allclose(found.loss_curve_, [report["loss"] for report in run.history], rtol=1e-12)
    np.testing.assert_allclose(found.predict_proba(FLOWERS), softmax(run.predict(x)), rtol=1e-10)
    np.testing.assert_array_equal(found.predict(FLOWERS), run.predict(x).argmax(1))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_one_random_state_gives_one_fit_and_another_gives_another():
    fits = [classifier(random_state=s).fit(FLOWERS, SPECIES).loss_curve_ for s in (1, 1, 2)]
    assert fits[0] == fits[1] != fits[2]


def test_of_two_classes_the_decision_is_the_logarithm_of_the_odds():
    kept = SPECIES > 0
    names = np.array(["versicolor", "virginica"])[SPECIES[kept] - 1]
    found = classifier().fit(FLOWERS[kept], names)
    p, decision = found.predict_proba(FLOWERS[kept]), found.decision_function(FLOWERS[kept])
    assert list(found.classes_) == ["versicolor", "virginica"] and decision.shape == (100,)
    np.testing.assert_allclose(decision, np.log(p[:, 1] / p[:, 0]), rtol=1e-9)
    np.testing.assert_array_equal(found.predict(FLOWERS[kept]) == "virginica", decision > 0)


def test_columns_of_any_scale_train_alike_unless_asked_otherwise():
    scaled = FLOWERS * [1e-6, 1e6, 1.0, 1024.0] + [0.0, 1.0, 0.0, -7.0]
    np.testing.assert_allclose(
        classifier().fit(FLOWERS, SPECIES).predict_proba(FLOWERS), classifier().fit(scaled, SPECIES).predict_proba(scaled), rtol=1e-6
    )
    raw = classifier(standardize=False).fit(FLOWERS, SPECIES)
    np.testing.assert_array_equal(raw.decision_function(FLOWERS), raw.run_.predict(FLOWERS))


@pytest.mark.parametrize("how", [None, "balanced", {0: 3.0, 2: 0.5}])
def test_a_row_of_weight_two_is_that_row_twice_and_one_of_weight_zero_is_no_row(how):
    times = np.random.default_rng(0).integers(0, 3, len(SPECIES))
    weighted = classifier(class_weight=how).fit(FLOWERS, SPECIES, sample_weight=times)
    repeated = classifier(class_weight=how, batch_size=1000).fit(FLOWERS.repeat(times, 0), SPECIES.repeat(times))
    np.testing.assert_allclose(weighted.predict_proba(FLOWERS), repeated.predict_proba(FLOWERS), rtol=1e-7, atol=1e-10)


def test_balanced_weights_make_up_for_a_rare_class():
    kept = np.r_[50:100, 100:104]
    plain, balanced = (classifier(class_weight=w, standardize=False).fit(FLOWERS[kept], SPECIES[kept]) for w in (None, "balanced"))
    assert balanced.predict_proba(FLOWERS[100:])[:, 1].mean() > plain.predict_proba(FLOWERS[100:])[:, 1].mean() + 0.1


def test_early_stopping_ends_a_fit_with_the_best_weights():
    found = classifier(early_stopping=True, validation_split=0.3, patience=2, epochs=500, learning_rate=0.1).fit(FLOWERS, SPECIES)
    curve = [report["val_loss"] for report in found.run_.history]
    assert found.n_iter_ == len(curve) < 500 and found.run_.best_epoch == int(np.argmin(curve)) + 1 == found.n_iter_ - 2


def test_a_rule_on_the_training_loss_keeps_no_rows_aside():
    found = classifier(early_stopping=lg.early_stopping("loss", patience=1, min_delta=0.5)).fit(FLOWERS, SPECIES)
    assert found.n_iter_ < 40 and set(found.run_.history[0]) == {"loss"}


def test_a_warm_start_goes_on_where_the_last_fit_ended():
    found = classifier(warm_start=True, optimizer="sgd", batch_size=150, epochs=3).fit(FLOWERS, SPECIES)
    first, scale = found.loss_curve_, found.scaler_
    found.fit(FLOWERS, SPECIES)
    whole = classifier(optimizer="sgd", batch_size=150, epochs=6).fit(FLOWERS, SPECIES)
    assert found.scaler_ is scale
    np.testing.assert_allclose(first + found.loss_curve_, whole.loss_curve_, rtol=1e-12)
    sentence = "warm_start goes on with the classes 0, 1, 2, and y has 0, 1: fit a new estimator"
    assert told(BadValue, lambda: found.fit(FLOWERS[:100], SPECIES[:100])) == sentence


def test_a_regressor_predicts_on_the_scale_and_in_the_shape_of_its_targets():
    x, y = FLOWERS[:, :2], FLOWERS[:, 2:] * [1000.0, 0.001] + [5.0, 0.0]
    both = regressor(epochs=150).fit(x, y)
    assert both.predict(x).shape == (150, 2) and both.score(x, y) > 0.8
    one = regressor(epochs=150).fit(x, y[:, 0])
    assert one.predict(x).shape == (150,) and one.score(x, y[:, 0]) > 0.8
    np.testing.assert_allclose(one.loss_curve_[-1], 1 - one.score(x, y[:, 0]), rtol=0.05)


def test_a_regressor_warm_starts_on_as_many_targets_only():
    found = regressor(warm_start=True).fit(FLOWERS, FLOWERS[:, 0])
    sentence = "warm_start goes on with 1 targets, and y has shape (150, 2): fit a new estimator"
    assert told(BadValue, lambda: found.fit(FLOWERS, FLOWERS[:, :2])) == sentence


# -- models ------------------------------------------------------------------------------------------------------------


def layers(inputs, outputs):
    return [lg.dense(inputs + 2, activation="relu", name="hidden1"), lg.dense(outputs, name="output")]


WHOLE = lg.sequential(lg.input(4, dtype="float64"), *layers(4, 3))


@pytest.mark.parametrize("model", [layers, layers(4, 3), lg.sequential(*layers(4, 3)), WHOLE])
def test_a_model_may_be_a_function_a_list_of_layers_or_a_model(model):
    own, standard = classifier(model=model).fit(FLOWERS, SPECIES), classifier(hidden=6).fit(FLOWERS, SPECIES)
    np.testing.assert_array_equal(own.predict_proba(FLOWERS), standard.predict_proba(FLOWERS))


def test_a_model_of_images_takes_each_row_as_an_image():
    x, y = load_digits(return_X_y=True)
    net = lg.sequential(lg.input(8, 8, 1), lg.conv2d(4, kernel=3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dense(10))
    found = classifier(model=net, epochs=8, batch_size=50).fit(x[:500], y[:500])
    assert found.score(x[500:1000], y[500:1000]) > 0.8


def test_an_optimizer_carries_its_own_rate():
    named, given = classifier(optimizer="adamw"), classifier(optimizer=lg.adamw(0.02), learning_rate=9.0)
    np.testing.assert_array_equal(*(e.fit(FLOWERS, SPECIES).predict_proba(FLOWERS) for e in (named, given)))


def test_what_cannot_be_trained_is_refused_in_a_sentence():
    def refused(kind, **how):
        return told(kind, lambda: classifier(**how).fit(FLOWERS, SPECIES))

    assert refused(TypeMismatch, model=lg.dense(5, 3)) == "the model takes f32[5], and X has 4 features: begin it with lg.input(4)"
    assert refused(TypeMismatch, model=lg.dense(4, 2)) == "the model gives f32[2], and y needs 3 outputs: end it with lg.dense(3)"
    kinds = "model must be a model, a list of layers, or a function (inputs, outputs) → layers"
    assert refused(TypeMismatch, model="deep") == f"{kinds}, got 'deep'"
    names = "adagrad, adam, adamw, momentum, nesterov, sgd"
    assert refused(BadValue, optimizer="lbfgs") == f"optimizer, unless it is one such as lg.adam(1e-3), must be one of {names}, got 'lbfgs'"
    assert refused(BadValue, epochs=1.5) == "epochs must be a whole number ≥ 0, got 1.5"
    assert refused(BadValue, activation="step").startswith("'step' is no activation; use one of ")
    nothing = "the weights of the examples are all zero, so there is nothing to learn from"
    assert refused(BadValue, class_weight={0: 0.0, 1: 0.0, 2: 0.0}) == nothing


# -- scikit-learn's tools ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_a_fitted_estimator_pickles_and_copies_with_its_run(copied):
    for found, method in ((classifier().fit(FLOWERS, SPECIES), "predict_proba"), (regressor().fit(FLOWERS, FLOWERS[:, :1]), "predict")):
        other = copied(found)
        np.testing.assert_array_equal(getattr(other, method)(FLOWERS), getattr(found, method)(FLOWERS))
        assert other.run_ is not found.run_ and other.run_.history == found.run_.history
        assert other.run_.learner.recipe().digest == found.run_.learner.recipe().digest
        assert other.get_params() == found.get_params()


def test_a_pickled_estimator_saves_its_run_and_goes_on(tmp_path):
    found = pickle.loads(pickle.dumps(classifier(warm_start=True).fit(FLOWERS, SPECIES)))
    found.run_.save(tmp_path / "run.safetensors")
    x = found.scaler_.transform(FLOWERS)
    np.testing.assert_array_equal(lg.load(tmp_path / "run.safetensors").predict(x), found.decision_function(FLOWERS))
    before = found.loss_curve_[-1]
    assert found.fit(FLOWERS, SPECIES).loss_curve_[-1] < before


def test_an_estimator_with_a_model_pickles_and_clones():
    found = classifier(model=lg.sequential(lg.input(4), *layers(4, 3)))
    assert pickle.loads(pickle.dumps(found)).model == found.model == clone(found).model


def test_a_search_finds_the_rate_that_learns():
    grid = {"net__learning_rate": [1e-7, 0.02], "net__hidden": [(8,), (8, 8)], "net__epochs": np.array([30])}
    search = GridSearchCV(Pipeline([("scale", MinMaxScaler()), ("net", classifier())]), grid, cv=3).fit(FLOWERS, SPECIES)
    assert search.best_params_["net__learning_rate"] == 0.02 and search.best_score_ > 0.9


def test_frames_are_read_by_their_columns():
    pandas = pytest.importorskip("pandas", reason="data frames are pandas'")
    frame = pandas.DataFrame(FLOWERS, columns=["a", "b", "c", "d"])
    found = classifier().fit(frame, pandas.Series(SPECIES))
    assert list(found.feature_names_in_) == ["a", "b", "c", "d"] and found.n_features_in_ == 4
    np.testing.assert_array_equal(found.predict(frame), classifier().fit(FLOWERS, SPECIES).predict(FLOWERS))
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        found.predict(frame[["d", "c", "b", "a"]])
    assert cross_val_score(classifier(), frame, SPECIES, cv=3).mean() > 0.9


@pytest.mark.parametrize("estimator", [classifier(), regressor()])
def test_sparse_input_is_refused_as_scikit_learn_refuses_it(estimator):
    with pytest.raises(TypeError, match=r"Sparse data was passed.*, but dense data is required"):
        estimator.fit(sparse.csr_array(FLOWERS), SPECIES)


# -- how well they learn -----------------------------------------------------------------------------------------------


def scores(make, x, y, seeds=3):
    """Test scores of as many fits on as many splits."""
    found = []
    for seed in range(seeds):
        split = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y if y.dtype.kind == "i" else None)
        found.append(make(seed).fit(split[0], split[2]).score(split[1], split[3]))
    return np.array(found)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # equal epochs, converged or not
@pytest.mark.parametrize(("load", "epochs", "least"), [(load_iris, 100, 0.93), (load_digits, 30, 0.95)])
def test_it_is_as_accurate_as_the_network_of_scikit_learn(load, epochs, least):
    x, y = load(return_X_y=True)
    size = {"batch_size": 100, "learning_rate": 0.01}
    ours = scores(lambda seed: LensClassifier(hidden=(32,), epochs=epochs, random_state=seed, **size), x, y)
    peer = {"learning_rate_init": 0.01, "batch_size": 100, "max_iter": epochs, "n_iter_no_change": epochs, "alpha": 0.0}
    theirs = scores(lambda seed: make_pipeline(StandardScaler(), MLPClassifier((32,), random_state=seed, **peer)), x, y)
    assert ours.mean() > least and abs(ours.mean() - theirs.mean()) < 0.03


def test_a_regression_on_a_raw_table_explains_what_can_be_explained():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    assert scores(lambda seed: LensRegressor(hidden=(8,), epochs=60, learning_rate=0.005, random_state=seed), x, y).mean() > 0.4


def test_sizes_may_be_an_array_and_numbers_those_of_numpy():
    x, y = load_iris(return_X_y=True)
    for hidden in (np.array([4, 3]), np.int64(4), [np.int32(4)], (4,)):
        found = clone(LensClassifier(hidden=hidden, epochs=np.int64(2), batch_size=np.int64(50), random_state=0)).fit(x, y)
        sizes = [v.shape[0] for n, v in found.run_.weights.items() if n.startswith("hidden") and n.endswith("weight")]
        assert sizes == np.atleast_1d(hidden).tolist()
    with pytest.raises(BadValue):
        LensClassifier(hidden=[[4, 3]]).fit(x, y)
