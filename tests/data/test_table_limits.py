"""Tables at their limits: columns of many words, numbers that float32 does not hold, quotes that stay open, other delimiters."""

import tracemalloc

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue


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


# -- quotes and delimiters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,y\n1,u\n2,"v\n3,w\n', 3),  # every cell of the last column is swallowed, and the number of cells is right
        ('a,y\n1,u\n"2,v\n3,w\n', 3),
        ('a,y\n1,u\n2,"v', 3),
        ('a,"y\n1,u\n', 1),
        ('a,y\n"1\n",u\n"2\n","v\n3,w\n', 5),  # a cell that ends opens another one on its last line
        ('a,y\n1,"""v"" and\n ""more""\n3,w\n', 2),  # pairs of quotes stand for one
        ('a,y\n5" nail,u\n2,"v\n3,w\n', 3),
        ('a,y\r\n1,u\r\n2,"v\r\n3,w\r\n', 3),
        ('a,y\n1,"v\n' + "3,w\n" * 40000, 2),  # more than a cell may hold
    ],
)
def test_a_quote_that_stays_open_is_told_by_the_line_where_it_opens(file, text, line):
    path = file(text)
    wanted = f"line {line} of '{path}' opens a quote that is never closed: write a \" at the end of its cell, or take it out"
    assert refused(lg.data.csv, path, "y", categorical=["a"]) == wanted


def test_quotes_that_are_closed_are_read_and_a_cell_that_is_too_long_is_told(file):
    data = lg.data.csv(file('a,y\n5" nail,"1"\n"5"" nail",2\n"6, or\n""7""",3'), "y", drop=["a"], categorical=["y"])
    assert data.classes == ("1", "2", "3")
    assert lg.data.csv(file('a,y\n1,"end"\n2,end'), "y").classes == ("end",)
    path = file(f"a,y\n1,{'x' * 140_000}\n2,v\n")
    assert refused(lg.data.csv, path, "y") == (
        f"line 2 of '{path}' has a cell of more than 131,072 characters: shorten it, or take its column out of the file"
    )


@pytest.mark.parametrize(
    ("text", "options", "delimiters"),
    [
        ("a;y\n1;2\n3;4\n", {}, (";", ",")),
        ("a;y\n1,5;2\n3,5;4\n", {}, (";", ",")),
        ("a\ty\n1\t2\n", {}, ("\t", ",")),
        ("a|y|b\n1|2|3|\n", {}, ("|", ",")),
        ("a;y\n", {}, (";", ",")),
        ("a,y\n1,2\n", {"delimiter": ";"}, (",", ";")),
        ("1;2\n3;4\n", {"names": ["a", "y"]}, (";", ",")),
    ],
)
def test_a_file_with_another_delimiter_is_told_what_to_give(file, text, options, delimiters):
    path = file(text)
    other, wanted = map(repr, delimiters)
    assert refused(lg.data.csv, path, "y", **options) == (
        f"the cells of '{path}' are divided by {other}, and {wanted} was expected: "
        f"give delimiter={other}, or save the file with {wanted} between its cells"
    )


def test_a_file_of_one_column_is_no_file_with_another_delimiter(file):
    train = lg.data.csv(file("a,y\nu;v,1\nw;x,2\n"), "y")
    assert lg.data.csv(file("a\nu;v\n"), None, like=train).x.tolist() == [[1, 0]]
    assert lg.data.csv(file("u;v\nw;x\n"), None, names=["a"]).features == ("a=u;v", "a=w;x")
    assert lg.data.csv(file("u;v,w\nw;x,z\n"), None, names=["a", "b"]).features == ("a=u;v", "a=w;x", "b=w", "b=z")
    assert lg.data.csv(file("a;b\nu\nw;x\n"), None).features == ("a;b=u", "a;b=w;x")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (3, "names must be a list of names, got 3"),
        ("ab", "names must be a list of names, got 'ab'"),
        (["a", 3], "each of names must be text, got 3"),
    ],
)
def test_names_that_are_none_are_refused_before_they_are_counted(file, names, told):
    assert refused(lg.data.csv, file("a;y\n1;2\n"), "y", names=names) == told


def test_one_cell_one_column_and_one_value_are_no_cells_columns_and_values(file):
    path = file("a\n1\n2,3\n")
    told = "give every line one cell for each column"
    assert refused(lg.data.csv, path, None) == f"line 3 of '{path}' has 2 cells, and there is 1 column: {told}"
    assert refused(lg.data.table, {"a": [1, 2], "b": [1]}, "a") == "column 'b' has 1 value, and the first column has 2"
