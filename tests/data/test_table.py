"""Tables: what a column becomes, reading a second table alike, and errors that name line and column."""

import json

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, MissingData

FLOWERS = """length,color,kind
1.5,red,b
2,blue,a

3e1,red,a
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="t.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_numbers_are_features_words_are_categories_and_a_target_of_words_is_classes(file):
    data = lg.data.csv(file(FLOWERS), target="kind")
    assert data.features == ("length", "color=blue", "color=red")
    assert data.x.tolist() == [[1.5, 0, 1], [2, 1, 0], [30, 0, 1]]
    assert data.y.tolist() == [1, 0, 0] and data.classes == ("a", "b")
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.int32)
    assert data.categories == {"color": ("blue", "red")}


def test_a_target_of_numbers_stays_numbers(file):
    data = lg.data.csv(file(FLOWERS), target="length", drop=["kind"])
    assert data.y.tolist() == [[1.5], [2], [30]] and data.classes == () and data.y.dtype == np.float32
    assert data.features == ("color=blue", "color=red")


def test_numbers_may_be_read_as_words_and_keep_their_order(file):
    data = lg.data.csv(file("a,y\n10,10\n9,9\n10,9\n"), target="y", categorical=["a", "y"])
    assert data.features == ("a=9", "a=10") and data.classes == ("9", "10")
    assert data.y.tolist() == [1, 0, 0]


def test_names_are_given_where_the_file_has_none(file):
    data = lg.data.csv(file("1;2\n3;4\n"), target="b", names=["a", "b"], delimiter=";")
    assert data.x.tolist() == [[1], [3]] and data.y.tolist() == [[2], [4]]


def test_a_byte_order_mark_quotes_and_windows_line_ends_are_read(file):
    data = lg.data.csv(file('\ufeffa,"b, c"\r\n"1","x, y"\r\n2,z\r\n'), target="b, c")
    assert data.features == ("a",) and data.classes == ("x, y", "z")


def test_the_bundled_iris_read_as_a_table_is_the_bundled_iris():
    from importlib.resources import files

    iris = lg.data.iris()
    data = lg.data.csv(str(files("lensgrad.data") / "iris.data"), target="kind", names=[*iris.features, "kind"])
    assert np.array_equal(data.x, iris.x) and np.array_equal(data.y, iris.y)
    assert (data.features, data.classes) == (iris.features, iris.classes)


def test_a_second_table_is_read_like_the_first(file):
    train = lg.data.csv(file(FLOWERS), target="kind")
    test = lg.data.csv(file("length,color,kind\n5,red,b\n", "u.csv"), target="kind", like=train)
    assert test.x.tolist() == [[5, 0, 1]] and test.y.tolist() == [1] and test.classes == train.classes
    fresh = lg.data.csv(file("length,color\n5,red\n", "v.csv"), target=None, like=train)
    assert fresh.x.tolist() == [[5, 0, 1]] and fresh.y.shape == (1, 0)


def test_a_data_frame_is_read_by_the_same_rules(file):
    pandas = pytest.importorskip("pandas", reason="pandas is an optional package")
    frame = pandas.DataFrame({"length": [1.5, 2, 30], "color": ["red", "blue", "red"], "kind": pandas.Categorical(["b", "a", "a"])})
    ours, theirs = lg.data.csv(file(FLOWERS), target="kind"), lg.data.table(frame, target="kind")
    assert np.array_equal(ours.x, theirs.x) and np.array_equal(ours.y, theirs.y)
    assert (ours.features, ours.classes, ours.categories) == (theirs.features, theirs.classes, theirs.categories)
    frame.loc[1, "color"] = None
    with pytest.raises(BadValue) as error:
        lg.data.table(frame, target="kind")
    assert str(error.value) == "row 1, column 'color': the cell is empty; fill it in, leave the row out, or say missing='fill'"


def test_a_dict_of_columns_is_a_table():
    data = lg.data.table({"a": np.arange(3), "y": ["u", "v", "u"]}, target="y")
    assert data.x.tolist() == [[0], [1], [2]] and data.y.tolist() == [0, 1, 0]
    with pytest.raises(BadValue) as error:
        lg.data.table({"a": [1], "b": [1, 2]}, target="b")
    assert str(error.value) == "column 'b' has 2 values, and the first column has 1"


EMPTY = "line 3, column 'a': the cell is empty; fill it in, leave the row out, or say missing='fill'"
MOSTLY = "a,y\n1,2\n3,4\nabc,5\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (MOSTLY, {}, "line 4, column 'a': 'abc' is no number, and 2 other cells of the column are; "
                     "correct it, or name the column in categorical=…"),
        ("a,y\n1,2\nnan,4\n3,5\n", {}, "line 3, column 'a': 'nan' is no number, and 2 other cells of the column are; correct it, "
                                       "leave the cell empty if nothing is known, or name the column in categorical=…"),
        ("a,y\n1,2\n ,4\n", {}, EMPTY),
        ("a,y\nu,2\n,4\n", {"categorical": ["a"]}, EMPTY),
        ("a,y\n1,2\n3\n", {}, "line 3 of 'FILE' has 1 cell, and there are 2 columns: give every line one cell for each column"),
        ("a,a\n1,2\n", {}, "two columns of 'FILE' are called 'a': rename one, or give names=…"),
        ("", {}, "'FILE' is empty: its first line names the columns"),
        ("a,y\n", {}, "the table has no rows"),
        ("a,z\n1,2\n", {}, "there is no column 'y'; the columns are: a, z"),
        ("a,y\n1,2\n", {"drop": ["b"]}, "there is no column 'b'; the columns are: a, y"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_said_with_its_place(file, text, options, message):
    path = file(text)
    with pytest.raises(BadValue) as error:
        lg.data.csv(path, target="y", **options)
    assert str(error.value) == message.replace("FILE", str(path))


def test_a_table_unlike_the_first_is_refused(file):
    train = lg.data.csv(file(FLOWERS), target="kind")
    for text, message in (
        ("length,color,kind\n5,green,b\n", "line 2, column 'color': 'green' is none of the known values blue, red"),
        ("length,color,kind\n5,red,c\n", "line 2, column 'kind': 'c' is none of the known values a, b"),
        ("width,color,kind\n5,red,b\n", "there is no column 'length'; the columns are: width, color, kind"),
    ):
        with pytest.raises(BadValue) as error:
            lg.data.csv(file(text, "u.csv"), target="kind", like=train)
        assert str(error.value) == message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingData) as error:
        lg.data.csv(tmp_path / "no.csv", target="y")
    assert str(error.value) == f"there is no file '{tmp_path / 'no.csv'}': check its name and the current folder"


HOLES = "born,height,color,kind\n2020-01-01,1,red,b\n2020-01-03,,,a\n,3,blue,a\n"


def test_empty_cells_are_filled_where_that_is_asked_for(file):
    data = lg.data.csv(file(HOLES), target="kind", missing="fill")
    assert data.features == ("born", "height", "color=blue", "color=red")
    assert data.x.tolist() == [[18262, 1, 0, 1], [18264, 2, 0, 0], [18263, 3, 1, 0]]
    later = lg.data.csv(file("color,height,born,note\n,,,x\n", "u.csv"), target=None, like=data)
    assert later.x.tolist() == [[18263, 2, 0, 0]]
    with pytest.raises(BadValue) as error:
        lg.data.csv(file(HOLES), target="kind", missing="mean")
    assert str(error.value) == "missing must be one of refuse, fill, got 'mean'"
    with pytest.raises(BadValue) as error:
        lg.data.csv(file("a,y\n1,u\n2,\n"), target="y", missing="fill")
    assert str(error.value) == "line 3, column 'y': the cell is empty, and a row without a label teaches nothing; leave it out"
    with pytest.raises(BadValue) as error:
        lg.data.csv(file("a,y\n,u\n,v\n"), target="y", missing="fill")
    assert str(error.value) == "column 'a' has no values: name it in drop=…"


def test_dates_are_days_in_files_and_frames(file):
    pandas = pytest.importorskip("pandas", reason="pandas is an optional package")
    data = lg.data.csv(file("t,y\n1970-01-02,1\n1970-01-03 12:00,2\n"), target="y")
    assert data.x.tolist() == [[1], [2.5]]
    frame = pandas.DataFrame({"t": pandas.to_datetime(["1970-01-02 00:00", "1970-01-03 12:00"]), "y": [1, 2]})
    assert np.array_equal(lg.data.table(frame, "y").x, data.x)
    with pytest.raises(BadValue) as error:
        lg.data.csv(file("t,y\nsoon,1\n", "u.csv"), target="y", like=data)
    assert str(error.value) == "line 2, column 't': 'soon' is no date such as 2024-05-31"


def test_whole_numbers_are_one_word_with_or_without_a_point(file):
    pandas = pytest.importorskip("pandas", reason="pandas is an optional package")
    whole = pandas.DataFrame({"a": [1, 2], "y": [0.0, 1.0]})
    for frame in (whole, whole.astype(float), whole.astype(str)):
        data = lg.data.table(frame, "y", categorical=["a", "y"])
        assert (data.features, data.classes) == (("a=1", "a=2"), ("0", "1"))
    assert lg.data.table({"a": ["007", "7"], "y": [1, 2]}, "y", categorical=["a"]).features == ("a=007", "a=7")


def test_two_columns_of_one_name_are_refused_in_frames_too():
    pandas = pytest.importorskip("pandas", reason="pandas is an optional package")
    for frame in (pandas.DataFrame([[1, 2, "u"]], columns=["a", "a", "y"]), pandas.DataFrame([[1, 2, "u"]], columns=[1, "1", "y"])):
        with pytest.raises(BadValue) as error:
            lg.data.table(frame, "y")
        assert str(error.value) == f"two columns of the table are called '{frame.columns[0]}': rename one"


def test_how_a_table_is_read_is_plain_data_and_keeps_its_scale(file):
    from lensgrad.data.preparation import Preparation

    train = lg.data.csv(file(HOLES), target="kind", missing="fill")
    moved, scale = lg.data.standardize(train)
    known = Preparation.read(json.loads(json.dumps(moved.preparation.data())))
    assert known == moved.preparation
    again = lg.data.csv(file(HOLES), target="kind", like=moved)
    assert np.allclose(again.x, moved.x, atol=1e-6) and np.allclose(again.x, scale(train.x), atol=1e-6)
    twice, _ = lg.data.standardize(lg.data.standardize(train)[0])
    assert np.allclose(lg.data.csv(file(HOLES), target="kind", like=twice).x, twice.x, atol=1e-5)
    for wrong in (
        None,
        {},
        {**known.data(), "mean": [1.0]},
        {**known.data(), "columns": [{"name": "a", "kind": "x", "words": [], "fill": None}]},
    ):
        with pytest.raises(BadValue):
            Preparation.read(wrong)


def test_one_wrong_date_does_not_make_words_of_all_dates(file):
    text = "t,y\n2024-01-01,1\n2024-01-02,2\n2025-02-31,3\n"
    with pytest.raises(BadValue) as error:
        lg.data.csv(file(text), target="y")
    told = "line 4, column 't': '2025-02-31' is no date such as 2024-05-31, and 2 other cells of the column are; "
    assert str(error.value) == told + "correct it, or name the column in categorical=…"


def test_a_column_without_a_name_is_told_by_its_place(file):
    path = file(",a,y\n0,1,2\n")
    with pytest.raises(BadValue) as error:
        lg.data.csv(path, target="y")
    assert str(error.value).startswith(f"column 1 of '{path}' has no name in the first line: give it one there")


def test_many_columns_are_compared_in_time_linear_in_them():
    from lensgrad.data.tables import once

    compared = []

    class Name(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            compared.append(self)
            return str.__eq__(self, other)

    once([Name(k) for k in range(200)], "the table")
    assert len(compared) < 1000, "each name is compared with all others"
