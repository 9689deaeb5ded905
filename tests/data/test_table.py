"""Tables: what a column becomes, reading a second table alike, and errors that name line and column."""

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
    assert str(error.value) == "row 1, column 'color': the cell is empty; fill it in or leave the row out"


def test_a_dict_of_columns_is_a_table():
    data = lg.data.table({"a": np.arange(3), "y": ["u", "v", "u"]}, target="y")
    assert data.x.tolist() == [[0], [1], [2]] and data.y.tolist() == [0, 1, 0]
    with pytest.raises(BadValue) as error:
        lg.data.table({"a": [1], "b": [1, 2]}, target="b")
    assert str(error.value) == "column 'b' has 2 values, and the first column has 1"


MOSTLY = "a,y\n1,2\n3,4\nabc,5\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (MOSTLY, {}, "line 4, column 'a': 'abc' is no number, and 2 other cells of the column are; "
                     "correct it, or name the column in categorical=…"),
        ("a,y\n1,2\nnan,4\n3,5\n", {}, "line 3, column 'a': 'nan' is no number, and 2 other cells of the column are; "
                                       "correct it, or name the column in categorical=…"),
        ("a,y\n1,2\n ,4\n", {}, "line 3, column 'a': the cell is empty; fill it in or leave the row out"),
        ("a,y\nu,2\n,4\n", {"categorical": ["a"]}, "line 3, column 'a': the cell is empty; fill it in or leave the row out"),
        ("a,y\n1,2\n3\n", {}, "line 3 of 'FILE' has 1 cells, and there are 2 columns"),
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
        (
            "width,color,kind\n5,red,b\n",
            "this table has the features width, color=blue, color=red, and the one it must be like has length, color=blue, color=red",
        ),
    ):
        with pytest.raises(BadValue) as error:
            lg.data.csv(file(text, "u.csv"), target="kind", like=train)
        assert str(error.value) == message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingData) as error:
        lg.data.csv(tmp_path / "no.csv", target="y")
    assert str(error.value) == f"there is no file '{tmp_path / 'no.csv'}'"
