"""Encoders: which bits a column becomes, that reading again is reading alike, what they cost, and errors that name the cell."""

import json

import numpy as np
import pandas as pd
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.circuits.gates.encoders import encoder_circuit, raw
from lensgrad.core.errors import BadValue
from lensgrad.data.encode import Encoder, OneHot, Thermometer, csv_cells

TABLE = {"width": [0.2, 0.4, 1.3, 2.5], "color": ["red", "blue", "red", "red"], "a1": [1, 2, 3, 1]}


def test_numbers_become_thermometers_and_words_one_bit_each():
    found = lg.data.encoder(TABLE, categorical=["a1"])
    assert found.names == ("width>0.3", "width>0.9", "width>2", "color=blue", "color=red", "a1=1", "a1=2", "a1=3")
    assert found.encode(TABLE).tolist() == [
        [0, 0, 0, 0, 1, 1, 0, 0],
        [1, 0, 0, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 1, 0, 0, 1],
        [1, 1, 1, 0, 1, 1, 0, 0],
    ]


def test_many_values_are_cut_at_the_quantiles():
    values = np.arange(100.0)
    found = lg.data.encoder({"v": values}, levels=3)
    assert found.columns == (Thermometer("v", (24.5, 49.5, 74.5), 0.0, 99.0, 1.0),)
    assert found.encode({"v": values}).sum(0).tolist() == [75, 50, 25]


def test_thresholds_lie_between_the_values_of_the_training_data_in_either_precision():
    data = lg.data.iris()
    for kind in (np.float32, np.float64):
        exact = np.round(data.x.astype(np.float64), 1)
        found = lg.data.encoder(exact.astype(kind), levels=30)
        assert (found.encode(exact.astype(np.float32)) == found.encode(exact)).all()
        assert all(t not in column for c, column in zip(found.columns, exact.T, strict=True) for t in c.thresholds)


def test_images_have_the_same_thresholds_everywhere_and_constant_pixels_are_left_out():
    images = np.zeros((4, 2, 3, 1), np.uint8)
    images[0, 0, 2] = 200
    images[1:, 1, 1] = 90
    found = lg.data.encoder(images, thresholds=[63, 127])
    assert found.names == ("x0,2>63", "x0,2>127", "x1,1>63")
    assert found.encode(images).tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]
    assert lg.data.encoder(images, thresholds=[63, 127], rare=0.25).names == ()


def test_frames_dicts_arrays_and_files_are_read_alike(tmp_path):
    frame = pd.DataFrame(TABLE)
    frame.to_csv(tmp_path / "t.csv", index=False)
    fitted = [lg.data.encoder(rows, categorical=["a1"]) for rows in (TABLE, frame, csv_cells(tmp_path / "t.csv"))]
    assert fitted[0].names == fitted[1].names == fitted[2].names
    bits = [fitted[0].encode(rows) for rows in (TABLE, frame, csv_cells(tmp_path / "t.csv"), frame[["a1", "color", "width"]])]
    assert all((b == bits[0]).all() for b in bits)
    array = np.array([[0.0, 5.0], [1.0, 7.0]])
    assert lg.data.encoder(array).names == ("x0>0.5", "x1>6")
    assert (lg.data.encoder(array).encode(array) == [[0, 0], [1, 1]]).all()


def test_an_encoder_is_plain_data_and_comes_back_from_it():
    found = lg.data.encoder(TABLE)
    assert Encoder.read(json.loads(json.dumps(found.data()))) == found


def test_what_a_number_is_in_hardware_is_known():
    found = lg.data.encoder({"a": [0.1, 0.25, 3.0], "b": [10, 20, 40], "c": [0.0, np.pi, 6.0]})
    assert [c.step for c in found.columns] == [0.01, 1.0, 6 / 2**16]
    assert [(c.low, c.high) for c in found.columns] == [(0.1, 3.0), (10.0, 40.0), (0.0, 6.0)]


def test_refusals_name_the_row_the_column_and_what_is_known(tmp_path):
    fitted = lg.data.encoder(TABLE, categorical=["a1"])
    empty = "fill it in or leave the row out"
    assert (
        told(BadValue, lambda: fitted.encode({**TABLE, "a1": [1, 2, 9, 1]}))
        == "row 2, column 'a1': '9' is none of the known values 1, 2, 3"
    )
    assert told(BadValue, lambda: fitted.encode({"width": [1]})) == "there is no column 'color'; the columns are: width"
    assert (
        told(BadValue, lambda: fitted.encode({**TABLE, "width": [1, np.nan, 1, 1]})) == f"row 1, column 'width': the cell is empty; {empty}"
    )
    assert (
        told(BadValue, lambda: fitted.encode({**TABLE, "width": [1, 1, np.inf, 1]})) == "row 2, column 'width': 'inf' is no finite number"
    )
    assert (
        told(BadValue, lambda: fitted.encode({**TABLE, "color": ["red", None, "red", "red"]}))
        == f"row 1, column 'color': the cell is empty; {empty}"
    )
    assert told(BadValue, lambda: fitted.encode(np.zeros((2, 2)))) == "this encoder expects rows of 3 columns (width, color, a1), got 2"
    assert told(BadValue, lambda: fitted.encode(np.zeros(3))) == "a table has rows and columns, and this array has shape (3,)"
    (tmp_path / "t.csv").write_text("width,color,a1\n1,red,1\n2,green,1\n", encoding="utf-8")
    assert told(BadValue, lambda: fitted.encode(csv_cells(tmp_path / "t.csv"))) == (
        "line 3, column 'color': 'green' is none of the known values blue, red"
    )


def test_refusals_when_fitting():
    assert told(BadValue, lambda: lg.data.encoder({"a": []})) == "the table has no rows, so no encoder can be fitted to it"
    assert told(BadValue, lambda: lg.data.encoder({"a": [1, 2]}, categorical=["b"])) == "there is no column 'b'; the columns are: a"
    assert (
        told(BadValue, lambda: lg.data.encoder({"a": [1, 2]}, levels=0))
        == "levels, the bits of a thermometer, must be a whole number ≥ 1, got 0"
    )
    assert (
        told(BadValue, lambda: lg.data.encoder({"a": [1, 2], "b": [1]}))
        == "the columns of a table are equally long, and these have 1, 2 rows"
    )
    assert told(BadValue, lambda: lg.data.encoder({"a b": [1, 2], "a_b": [1, 2]})) == (
        "two bits would be called 'a_b>1.5': rename a column, as spaces in names become '_'"
    )
    assert told(BadValue, lambda: lg.data.encoder({"a": np.array([1, "q", 3, 4], object)})) == (
        "row 1, column 'a': 'q' is no number, and 3 other cells of the column are; correct it, or name the column in categorical=…"
    )
    assert (
        told(BadValue, lambda: Encoder.read([{"kind": "thermometer"}])) == "this is no encoder as `Encoder.data` writes it: KeyError, 'low'"
    )
    with pytest.raises(BadValue):
        Encoder((OneHot("a", ("b c", "b_c")),))


SKEWED = np.random.default_rng(0).lognormal(0, 4, 300)
HARD = {
    "halves of a million": ([1000000.25, 1000000.75], {}),
    "skewed": (SKEWED, {}),
    "tiny beside one": ([0, 1e-7, 1.0], {}),
    "thresholds that are values": (np.arange(20) / 10, {"thresholds": [0.3, 0.6, 0.7, 1.4]}),
    "neighbors of a million": ([999999.9, 1000000.0, 1000000.1, 1000000.2], {}),
    "float32": (np.float32([0.1, 0.2, 0.3, 0.7]), {}),
}


@pytest.mark.parametrize("name", HARD)
def test_in_hardware_numbers_are_compared_as_in_the_table(name):
    values, how = HARD[name]
    table = {"v": np.asarray(values)}
    found = lg.data.encoder(table, **how)
    arriving = np.array([raw(found, [v]) for v in table["v"]], np.uint8)
    np.testing.assert_array_equal(encoder_circuit(found).run(arriving), found.encode(table))


def test_a_word_that_is_a_number_arrives_as_its_place():
    found = lg.data.encoder({"v": [1.0, 2.0, 3.0]}, categorical="v")
    assert [raw(found, [v]) for v in (1.0, 2, "3")] == [[0, 0], [1, 0], [0, 1]]
    assert lg.data.encoder({"a": [1, 2], "age": [1, 2], "g": [1, 2]}, categorical="age").names == ("a>1.5", "age=1", "age=2", "g>1.5")
    assert lg.data.encoder({"a": [1, 2], "b": [1, 2], "ab": [1, 2]}, drop="ab").names == ("a>1.5", "b>1.5")


@pytest.mark.parametrize(
    ("rows", "how", "text"),
    [
        ({"a": [1, 2]}, {"categorical": "nope"}, "there is no column 'nope'; the columns are: a"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "two columns of the table are called 'a': give every column a name of its own"),
        ({"a": np.zeros((3, 2))}, {}, "column 'a' has one value for each row, and this one has shape (3, 2)"),
        ({"a": 5}, {}, "column 'a' has one value for each row, and this one has shape ()"),
        (np.zeros((0, 3)), {}, "the table has no rows, so no encoder can be fitted to it"),
        ({"a": [1, 2]}, {"thresholds": ["x"]}, "thresholds must be numbers, got ['x']"),
        ({"a": [1, 2]}, {"thresholds": [float("nan")]}, "thresholds must be finite numbers, got [nan]"),
        ({"a": pd.array([True, None], "boolean")}, {}, "row 1, column 'a': the cell is empty; fill it in or leave the row out"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused(rows, how, text):
    with pytest.raises(BadValue) as error:
        lg.data.encoder(rows, **how)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("raw_bytes", "text"),
    [
        (b"a,b\n\xe9,1\n", "'{}' is no text in UTF-8: save it as CSV in UTF-8"),
        (
            b"a\n" + b"x" * 200_000,
            "line 2 of '{}' has a cell of more than 131,072 characters: shorten it, or take its column out of the file",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_csv_is_refused(tmp_path, raw_bytes, text):
    file = tmp_path / "t.csv"
    file.write_bytes(raw_bytes)
    with pytest.raises(BadValue) as error:
        csv_cells(file)
    assert str(error.value) == text.format(file)
