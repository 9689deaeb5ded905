"""What runs, learners, optimizers and models look like: a few lines of names and figures, curves and pictures."""

import warnings

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.circuits import formula
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter
from lensgrad.draw.plots import curves, panels
from lensgrad.train.sketch import html

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
Y = (X[:, 0] + 0.3 * RNG.normal(size=60) > 0).astype("int32") + (X[:, 1] > 1).astype("int32")
MODEL = lg.sequential(lg.input(4), lg.dense(8, "relu", name="hidden"), lg.dense(3, name="out"))
LEARNER = lg.supervised(MODEL, lg.cross_entropy, lg.adam(0.01), metrics=["accuracy"])
RUN = LEARNER.fit((X, Y), epochs=4, validation_data=(X, Y), progress=False)
DEEP = lg.sequential(lg.input(4), *[lg.dense(4, name=f"layer{i}") for i in range(40)])


@pytest.mark.parametrize(
    "thing",
    [
        RUN, LEARNER, MODEL, DEEP, lg.adam(0.01), lg.sgd(lg.cosine(0.1, steps=10), momentum=0.9), lg.chain(lg.clip_norm(1.0), lg.adam(0.1)),
        lg.early_stopping(), lg.reduce_on_plateau(), lg.rate(0.1), lg.cross_entropy, lg.dense(3), LEARNER.step(16), LEARNER.lens(16),
        lg.supervised(DEEP, lg.mse, lg.adam(0.01)), lg.supervised(MODEL, lg.cross_entropy, {"**": lg.adam(0.01)}), RUN.wires((X, Y)),
        lg.supervised(DEEP, lg.mse, lg.sgd(0.1), precision="float16"),
        lg.step_through(LEARNER, (X, Y)), formula([*map(str, range(99))], lambda x: {"o": x["1"] & x["2"]}),
    ],
    ids=lambda thing: type(thing).__name__,
)  # fmt: skip
def test_a_thing_is_a_few_lines_without_arrays_and_lambdas(thing):
    text = repr(thing)
    assert len(text.splitlines()) <= 3 and len(text) < 500
    assert "array(" not in text and "lambda" not in text


def test_what_callbacks_see_shows_no_arrays():
    seen = []
    LEARNER.fit((X, Y), progress=False, callbacks=[type("Watch", (), {"on_epoch": lambda self, state: seen.append(repr(state))})()])
    assert len(seen) == 1 and "array(" not in seen[0] and "loss" in seen[0]


def test_a_run_in_a_notebook_has_a_drawing_for_each_thing_reported():
    text = RUN._repr_html_()
    assert text.count("<svg") == 2 and text.count("<polyline") == 4 and "val_loss" in text and "array(" not in text


def test_a_drawing_of_hostile_names_and_of_odd_numbers():
    text = html([{"<b>": 1.0}, {"<b>": float("nan")}, {"<b>": 1.0, "x": float("inf")}], "<i>")
    assert "<b>" not in text and "<i>" not in text and "nan" not in text and text.count("<polyline") == 1
    assert html([], "none") == "<p>none</p><div></div>"


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_curves_have_a_panel_for_a_value_and_its_validation(tmp_path):
    pytest.importorskip("matplotlib")
    made = RUN.plot(tmp_path / "curves.png")
    assert [a.get_title() for a in made.axes] == ["loss", "accuracy"] and [len(a.lines) for a in made.axes] == [2, 2]
    np.testing.assert_allclose(made.axes[0].lines[0].get_ydata(), [r["loss"] for r in RUN.history])
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert panels([{"loss": 1.0}, {"val_loss": 1.0, "f1": 0.5}]) == {"loss": ["loss", "val_loss"], "f1": ["f1"]}


def test_a_run_without_an_epoch_has_no_curves():
    with pytest.raises(BadValue, match="no epoch yet"):
        LEARNER.fit((X, Y), epochs=0, progress=False).plot()


# -- the report on a test set ------------------------------------------------------------------------------------------


def test_the_report_has_the_figures_and_the_confusion_of_the_classes():
    report = RUN.report((X, Y))
    assert report.figures == RUN.evaluate((X, Y)) and report.examples == 60
    wanted = np.zeros((3, 3), int)
    np.add.at(wanted, (Y, RUN.predict(X).argmax(1)), 1)
    np.testing.assert_array_equal(report.confusion, wanted)
    assert report.classes == ("0", "1", "2") and str(report).startswith("60 examples: loss ")
    assert "rows: class, columns: predicted" in str(report) and report._repr_html_().count("<tr>") == 4


def test_its_areas_and_its_calibration_are_those_of_the_probabilities():
    report = RUN.report(X, Y)
    shares = RUN.predict_proba(X)
    for c in range(3):
        wrong, right = report.roc(c)
        area = np.sum(np.diff(wrong) * (right[1:] + right[:-1]) / 2)
        np.testing.assert_allclose(area, lg.metrics.auc(c == Y, shares[:, c]))
        assert (wrong[0], right[0], wrong[-1], right[-1]) == (0, 0, 1, 1)
    said, seen, many = report.calibration(5)
    assert many.sum() == 60
    np.testing.assert_allclose(np.sum(said * many) / 60, shares.max(1).mean())
    np.testing.assert_allclose(np.sum(seen * many) / 60, report.figures["accuracy"], rtol=1e-6)


@pytest.mark.parametrize("kind", ["classes", "binary", "numbers"])
def test_its_pictures(kind, tmp_path):
    pytest.importorskip("matplotlib")
    loss, outputs, y = {
        "classes": (lg.cross_entropy, 3, Y),
        "binary": (lg.binary_cross_entropy, 1, (Y > 0).astype("float32")[:, None]),
        "numbers": (lg.mse, 1, X[:, :1]),
    }[kind]
    run = lg.supervised(lg.sequential(lg.input(4), lg.dense(outputs)), loss, lg.sgd(0.1)).fit((X, y), progress=False)
    report = run.report((X, y))
    made = report.plot(tmp_path / "report.png")
    assert len(made.axes) == (1 if kind == "numbers" else 3) and (tmp_path / "report.png").exists()
    assert len(report.classes) == {"classes": 3, "binary": 2, "numbers": 0}[kind] and repr(report) == str(report)


def test_a_dollar_in_the_name_of_a_class_is_no_formula(tmp_path):
    pytest.importorskip("matplotlib")
    from dataclasses import replace

    report = replace(RUN.report((X, Y)), classes=("a$", "$\\frac", "<b>"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report.plot(tmp_path / "odd.png")
    assert "<b>" not in report._repr_html_()


def test_what_a_report_cannot_say_it_says():
    numbers = lg.supervised(lg.sequential(lg.input(4), lg.dense(1)), lg.mse, lg.sgd(0.1)).fit((X, X[:, :1]), progress=False)
    with pytest.raises(TypeMismatch, match="a confusion matrix is of classes"):
        numbers.report((X, X[:, :1])).confusion  # noqa: B018
    with pytest.raises(TypeMismatch, match="no calibration and no ROC"):
        numbers.report((X, X[:, :1])).roc(0)


def test_a_class_without_examples_has_no_roc():
    pytest.importorskip("matplotlib")
    axis = RUN.report((X, np.minimum(Y, 1))).plot().axes[2]
    assert [t.get_text().split()[0] for t in axis.get_legend().get_texts()] == ["0", "1"]
    assert "left out, with all or none of the examples: 1" in [t.get_text() for t in axis.texts]
    assert RUN.report((X, Y * 0)).plot().axes[2].get_legend() is None


def test_many_curves_stand_in_rows_and_epochs_are_whole():
    pytest.importorskip("matplotlib")
    made = curves([{f"m{k}": 1.0 for k in range(6)}])
    assert made.get_size_inches().tolist() == [16.0, 6.0] and [a.get_visible() for a in made.axes] == [True] * 6 + [False] * 2
    assert all(float(t).is_integer() for t in made.axes[0].get_xticks())


def test_a_report_of_a_game_says_what_to_take():
    layer = lg.sequential(lg.input(2), lg.dense(2))
    run = lg.gan(layer, lg.sequential(lg.input(2), lg.dense(1)), lg.sgd(0.1)).fit({"x": X[:, :2]}, progress=False)
    with pytest.raises(BadValue, match=r"data for this learner have no z: take evaluate\(data\)"):
        run.report({"x": X[:, :2]})


def test_no_text_has_an_address(tmp_path):
    things = [lg.normal(0.5), lg.constant(1.0), lg.uniform(2.0), lg.CsvLog("log.csv"), lg.step_through(LEARNER, (X, Y))[0]]
    assert [repr(t).splitlines()[0] for t in things] == [
        "normal(0.5)", "constant(1.0)", "uniform(2.0)", "CsvLog('log.csv')", "get hidden"
    ]  # fmt: skip
    with pytest.raises(TypeMismatch, match=r"<function .*three> is neither"):

        def three(a, b, c):
            return a

        lg.supervised(MODEL, three, lg.sgd(0.1))


def test_a_wire_that_was_not_recorded_gets_the_nearest():
    run = LEARNER.fit((X, Y), progress=False, record=lg.record(every=9))
    with pytest.raises(UnknownParameter, match="step 0 has no record of 'hiden/out': did you mean 'hidden/out'"):
        run.records[0]["hiden/out"]
    with pytest.raises(UnknownParameter, match="step 0 has no record of '12'; it has hidden/"):
        run.records[0]["12"]
