"""A run knows how its table was read and what its classes are called: it takes the next table as it is, and so does its file."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, TypeMismatch
from lensgrad.data.meaning import Meaning
from lensgrad.data.preparation import Column, Preparation
from lensgrad.files import checkpoint


def people(rows=90, seed=0):
    """A table with a date, words, numbers and empty cells, and a target that its numbers decide."""
    draw, lines = random.Random(seed), ["born,color,size,kind"]
    for k in range(rows):
        size = draw.random()
        color = "" if k % 9 == 0 else draw.choice(["red", "blue"])
        lines.append(f"{1990 + k % 20}-0{1 + k % 9}-11,{color},{'' if k % 7 == 0 else size},{'big' if size > 0.5 else 'small'}")
    return "\n".join(lines)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(people(), encoding="utf-8")
    return path


def learner(inputs, outputs=2, loss=lg.cross_entropy, metrics=("accuracy",)):
    return lg.supervised(lg.sequential(lg.input(inputs), lg.dense(outputs)), loss, lg.adam(0.05), metrics=list(metrics))


def trained(path, **how):
    data = lg.data.csv(path, "kind", missing="fill")
    scaled, _ = lg.data.standardize(data)
    return scaled, learner(len(data.features)).fit(scaled, epochs=3, progress=False, **how)


def test_a_run_takes_the_table_it_was_trained_on_from_its_file(table, tmp_path, monkeypatch):
    data, run = trained(table, checkpoint=tmp_path / "c.safetensors")
    run.save(tmp_path / "run.safetensors")
    monkeypatch.chdir(tmp_path.parent)
    for loaded in (lg.load(tmp_path / "run.safetensors"), lg.load(tmp_path / "c.safetensors")):
        assert loaded.meaning == run.meaning and loaded.meaning.preparation == data.preparation
        assert np.array_equal(loaded.predict(str(table)), run.predict(data.x))
        assert loaded.evaluate(table) == run.evaluate(data)
        words = [data.classes[k] for k in run.predict(data.x).argmax(1)]
        assert loaded.predict_classes(table).tolist() == words


def test_columns_are_found_by_name_in_any_order_and_others_are_passed_over(table):
    _, run = trained(table)
    rows = [line.split(",") for line in people().splitlines()]
    columns = {name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}
    turned = {"more": range(90), **{name: columns[name] for name in ("size", "color", "born")}}
    assert np.array_equal(run.predict(turned), run.predict(table))
    with pytest.raises(BadValue, match="there is no column 'size'; the columns are: born, color"):
        run.predict({name: columns[name] for name in ("born", "color")})


def test_a_data_frame_with_times_and_empty_cells_is_read_like_the_file(table):
    pandas = pytest.importorskip("pandas", reason="pandas is an optional package")
    _, run = trained(table)
    frame = pandas.read_csv(table, parse_dates=["born"])
    assert np.array_equal(run.predict(frame), run.predict(table))
    assert run.evaluate(frame) == run.evaluate(table)


def test_going_on_with_arrays_keeps_what_is_known(table):
    data, run = trained(table)
    assert run.fit((data.x, data.y), progress=False).meaning == run.meaning


def test_class_names_of_arrays_are_kept(tmp_path):
    iris = lg.data.iris()
    run = learner(4, 3).fit(iris, epochs=30, progress=False)
    run.save(tmp_path / "iris.safetensors")
    loaded = lg.load(tmp_path / "iris.safetensors")
    assert loaded.meaning == Meaning(None, iris.classes)
    found = loaded.predict_classes(iris.x)
    assert (found == np.array(iris.classes)[iris.y]).mean() > 0.8
    plain = learner(4, 3).fit((iris.x, iris.y), epochs=1, progress=False)
    assert plain.predict_classes(iris.x).tolist() == plain.predict(iris.x).argmax(1).tolist()


def test_a_run_of_arrays_says_that_it_reads_no_table(table):
    run = learner(4, 3).fit(lg.data.iris(), progress=False)
    with pytest.raises(BadValue, match=r"was trained on arrays and does not know how '.*people.csv' is read: give an array"):
        run.predict(str(table))


def test_features_that_were_made_into_others_are_no_table_anymore(table):
    data = lg.data.csv(table, "kind", missing="fill")
    assert Meaning.of(replace(data, x=data.x[:, :2])) == Meaning(None, data.classes)


# -- probabilities and classes -----------------------------------------------------------------------------------------


def test_probabilities_are_the_outputs_through_the_link_of_the_loss():
    iris = lg.data.iris()
    many = learner(4, 3).fit(iris, progress=False)
    z = many.predict(iris.x).astype(np.float64)
    assert np.allclose(many.predict_proba(iris.x), np.exp(z) / np.exp(z).sum(1, keepdims=True), rtol=1e-12)
    yes = (iris.y == 1).astype(np.float32)[:, None]
    one = learner(4, 1, lg.binary_cross_entropy).fit((iris.x, yes), progress=False)
    share = 1 / (1 + np.exp(-one.predict(iris.x).astype(np.float64)))
    assert np.allclose(one.predict_proba(iris.x), np.concatenate([1 - share, share], 1), rtol=1e-12)
    assert one.predict_classes(iris.x).tolist() == (share[:, 0] > 0.5).astype(int).tolist()
    each = learner(4, 2, lg.binary_cross_entropy, ()).fit((iris.x, np.repeat(yes, 2, 1)), progress=False)
    assert each.predict_proba(iris.x).shape == each.predict_classes(iris.x).shape == (150, 2)


def test_the_side_of_a_margin_is_a_class_and_no_probability():
    iris = lg.data.iris()
    run = learner(4, 1, lg.hinge).fit((iris.x, np.where(iris.y == 1, 1.0, -1.0).astype(np.float32)[:, None]), progress=False)
    assert set(run.predict_classes(iris.x).tolist()) <= {-1, 1}
    with pytest.raises(BadValue, match="gives scores and no probabilities"):
        run.predict_proba(iris.x)


def test_a_loss_of_numbers_tells_no_classes():
    x = np.ones((8, 2), np.float32)
    run = learner(2, 1, lg.mse, ()).fit((x, x[:, :1]), progress=False)
    with pytest.raises(BadValue, match="so there are no probabilities: take predict"):
        run.predict_proba(x)


@pytest.mark.parametrize("loss", ["cross_entropy of unit vectors", "binary_cross_entropy", "hinge"])
def test_labels_of_a_table_are_read_as_the_loss_wants_them(table, loss):
    data = lg.data.csv(table, "kind", missing="fill")
    made = {
        "cross_entropy of unit vectors": (lg.cross_entropy(labels="probabilities"), 2, np.eye(2)[data.y]),
        "binary_cross_entropy": (lg.binary_cross_entropy, 1, data.y[:, None]),
        "hinge": (lg.hinge, 1, 2 * data.y[:, None] - 1),
    }
    chosen, outputs, y = made[loss]
    data = replace(data, y=y.astype(np.float32))
    run = learner(len(data.features), outputs, chosen).fit(data, progress=False)
    assert run.evaluate(table) == run.evaluate(data)
    assert set(run.predict_classes(table).tolist()) <= {"big", "small"}


def test_a_table_is_one_input(table):
    data = lg.data.csv(table, "kind", missing="fill")
    n = len(data.features)
    model = lg.input(n) >> lg.dense(2)
    both = lg.supervised(lg.sequential(model @ model, lg.add()), lg.cross_entropy, lg.adam(0.01), input=("a", "b"))
    run = replace(both.fit({"a": data.x, "b": data.x, "y": data.y}, progress=False), meaning=Meaning.of(data))
    with pytest.raises((BadValue, TypeMismatch), match="a table is one input, and this model expects a, b"):
        run.predict(table)


# -- files -------------------------------------------------------------------------------------------------------------

GOOD = Preparation((Column("a", "number", (), 1.5), Column("b", "word", ("x", "y"), None)), "t", ("n", "p"), (0.0, 1, 2), (1.0, 1, 2))


def test_a_meaning_reads_back_from_json():
    meaning = Meaning(GOOD, GOOD.classes)
    assert Meaning.read(json.loads(json.dumps(meaning.data()))) == meaning
    assert Meaning.read(Meaning().data()) == Meaning() and not Meaning()


BAD = {
    "no dict": 3,
    "a name with a line in it": {"classes": ["a\nb"]},
    "a name of no text": {"classes": [1]},
    "classes that are text": {"classes": "ab"},
    "a table of nothing": {"preparation": {}},
    "a column of another kind": {"preparation": {**GOOD.data(), "columns": [{"name": "a", "kind": "code", "words": (), "fill": None}]}},
    "a column that hides a line": {
        "preparation": {**GOOD.data(), "columns": [{"name": "a\r", "kind": "number", "words": (), "fill": None}]}
    },
    "an empty cell of text": {"preparation": {**GOOD.data(), "columns": [{"name": "a", "kind": "number", "words": (), "fill": "1"}]}},
    "a scale too short": {"preparation": {**GOOD.data(), "mean": [0.0], "std": [1.0]}},
    "a scale of nothing": {"preparation": {**GOOD.data(), "std": [0.0, 1, 1]}},
    "a scale of text": {"preparation": {**GOOD.data(), "std": ["1", "1", "1"]}},
    "a target of no text": {"preparation": {**GOOD.data(), "target": 7}},
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_with_another_meaning_is_refused_in_a_sentence(tmp_path, kind):
    run = learner(4, 3).fit(lg.data.iris(), progress=False)
    path = tmp_path / "bad.safetensors"
    checkpoint.save(path, run.learner, run.values, history=run.history, position={**run.position, "meaning": BAD[kind]})
    with pytest.raises(BadCheckpoint) as told:
        lg.load(path)
    assert "says nothing sensible of its data" in str(told.value) and "\n" not in str(told.value)


def test_a_file_of_before_is_read(tmp_path):
    run = learner(4, 3).fit(lg.data.iris(), progress=False)
    path = tmp_path / "old.safetensors"
    checkpoint.save(path, run.learner, run.values, history=run.history, position=run.position)
    assert lg.load(path).meaning == Meaning()


def test_names_that_no_file_could_hold_are_refused_where_the_table_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"a,y\n1,{'x' * 201}\n2,b\n3,c\n", encoding="utf-8")
    with pytest.raises(BadValue, match="line 2: a word of column 'y' has 1 to 200 characters, got 201: 'xxx"):
        lg.data.csv(path, "y")
    path.write_text('a,y\n1,"b\nc"\n2,b\n3,c\n', encoding="utf-8")
    with pytest.raises(BadValue, match="line 3: a word of column 'y' is one line of readable text"):
        lg.data.csv(path, "y")
