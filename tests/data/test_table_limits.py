"""Tables at their limits: columns of many words, numbers that float32 does not hold, quotes that stay open, other delimiters."""

import tracemalloc

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue


@pytest.fixture
def file(tmp_path):
    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8"))
        return path

    return write


def refused(call, *args, **options):
    with pytest.raises(BadValue) as error:
        call(*args, **options)
    return str(error.value)


# -- many words --------------------------------------------------------------------------------------------------------


def test_a_column_of_more_than_a_thousand_words_is_refused_unless_it_is_called_categorical():
    def people(n):
        return {"name": [f"p{k}" for k in range(n)], "y": [k % 2 for k in range(n)]}

    assert len(lg.data.table(people(1000), "y").features) == 1000
    assert refused(lg.data.table, people(1001), "y") == (
        "column 'name' has 1,001 different words, and each would be a feature of its own: "
        "leave it out with drop=…, or name it in categorical=… if that is meant"
    )
    assert len(lg.data.table(people(1001), "y", categorical=["name"]).features) == 1001
    assert lg.data.table(people(1001), "y", drop=["name"]).features == ()


def test_labels_of_more_than_a_thousand_words_are_refused_with_one_that_is_nearly_a_number():
    def prices(n):
        return {"a": range(n), "y": ["7", *[f"{k} $" for k in range(n - 1)]]}

    assert len(lg.data.table(prices(1000), "y").classes) == 1000
    assert refused(lg.data.table, prices(1001), "y") == (
        "column 'y' has 1,001 different words, and each would be a class of its own: if they are numbers, take out what is no part "
        "of one, as in '0 $' (row 1), or name the column in categorical=… if classes are meant"
    )
    assert len(lg.data.table(prices(1001), "y", categorical=["y"]).classes) == 1001


def test_many_words_take_the_memory_of_their_features_once():
    n = 3000
    rows = {"name": [f"p{k}" for k in range(n)], "size": range(n), "y": range(n)}
    tracemalloc.start()
    data = lg.data.table(rows, "y", categorical=["name"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    order = [data.features.index(f"name=p{k}") for k in range(n)]
    assert np.array_equal(data.x[:, order], np.eye(n)) and data.x[:, -1].tolist() == list(range(n))
    assert data.x.nbytes < peak < 1.2 * data.x.nbytes


def test_a_scale_is_the_same_on_many_rows_and_on_few():
    rows = {"a": np.random.default_rng(0).normal(size=3000), "w": ["u", "v", ""] * 1000, "y": range(3000)}
    train, _ = lg.data.standardize(lg.data.table(rows, "y", missing="fill"))
    again = lg.data.table(rows, "y", like=train)
    assert np.allclose(again.x, train.x, atol=1e-6)
    for k in (0, 1023, 1024, 2999):
        one = lg.data.table({name: [values[k]] for name, values in rows.items()}, "y", like=train)
        assert np.array_equal(one.x[0], again.x[k])


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["-3e39", "3.5e38", "1e308"])
def test_a_number_that_float32_does_not_hold_is_refused_with_its_place(file, cell):
    wrong = (
        f"a number must be from -3.403e+38 to 3.403e+38, which float32 holds, got {cell}; correct it, or give the column in a larger unit"
    )
    assert refused(lg.data.csv, file(f"a,y\n1,2\n{cell},3\n"), "y") == f"line 3, column 'a': {wrong}"
    assert refused(lg.data.csv, file(f"a,y\n1,2\n3,{cell}\n"), "y") == f"line 3, column 'y': {wrong}"
    train = lg.data.csv(file("a,y\n1,2\n3,3\n"), "y")
    assert refused(lg.data.csv, file(f"a\n{cell}\n"), None, like=train) == f"line 2, column 'a': {wrong}"
    assert refused(lg.data.table, {"a": [1.0, float(cell)], "y": [1, 2]}, "y").startswith("row 1, column 'a': a number must be from -3.4")


def test_the_largest_numbers_of_float32_are_read(file):
    most = float(np.finfo(np.float32).max)
    data = lg.data.csv(file(f"a,y\n{most!r},2\n{-most!r},3\n,4\n"), "y", missing="fill")
    assert data.x.tolist() == [[most], [-most], [0]]
