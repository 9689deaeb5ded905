"""Numbers and dates in forms that are not read: told once, with the column, a cell and what to write."""

import warnings

import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, LensgradWarning
from lensgrad.data.cells import parsed


def refused(call, *args, **options):
    with pytest.raises(BadValue) as error:
        call(*args, **options)
    return str(error.value)


def warned(call, *args, **options):
    """What a call gives, and its warnings."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = call(*args, **options)
    assert all(issubclass(w.category, LensgradWarning) for w in told)
    return found, [str(w.message) for w in told]


@pytest.mark.parametrize("text", ["1_2", "١٢", "\uff11\uff12", "1e", "0x10", "1,5", "nan", "inf", "1 2", "", "+-1", "1e1_0"])
def test_text_that_nobody_calls_a_number_is_none(text):
    assert parsed(text) is None


@pytest.mark.parametrize("text", ["12", "-1.5", "+.5", "5.", "1e3", "1E-3", " 7 "])
def test_plain_numbers_are_numbers(text):
    assert parsed(text) == float(text)


def test_a_number_with_a_bar_is_refused_among_numbers(file):
    assert refused(lg.data.csv, file("a,y\n1_2,1\n3,2\n4,3\n"), "y") == (
        "line 2, column 'a': '1_2' is no number, and 2 other cells of the column are; correct it, or name the column in categorical=…"
    )
    train = lg.data.csv(file("a,y\n1,1\n3,2\n"), "y")
    assert refused(lg.data.csv, file("a\n1_2\n", "u.csv"), None, like=train) == "line 2, column 'a': '1_2' is no number"
    assert refused(lg.data.csv, file("a\n\uff11\uff12\n", "u.csv"), None, like=train) == "line 2, column 'a': '\uff11\uff12' is no number"


FORMS = {
    "18,5": ("a number with a decimal comma: write it as 18.5", "-3,25"),
    "1.234,50": ("a number with a decimal comma: write it as 1234.50", "18,5"),
    "19,000": ("a number whose thousands are apart: write it as 19000", "2,000"),
    "1 000": ("a number whose thousands are apart: write it as 1000", "12 345 678"),
    "1.234.567": ("a number whose thousands are apart: write it as 1234567", "2.000.000"),
    "1,234.5": ("a number whose thousands are apart: write it as 1234.5", "2,000"),
    "12 %": ("a percentage: write it as 12", "3,5%"),
    "31.05.2024": ("a date: write it as 2024-05-31, year first,", "1.6.24"),
    "5/31/2024": ("a date: write it as 2024-05-31, year first,", "12/1/2024"),
    "1_2": ("a number in other signs than 0 to 9: write it as 12", "3_4"),
    "١٢": ("a number in other signs than 0 to 9: write it as 12", "١٣"),
}


@pytest.mark.parametrize("cell", FORMS)
def test_a_column_of_such_cells_is_told_with_one_of_them_and_what_to_write(cell):
    told, other = FORMS[cell]
    table = {"a": [cell, other, other], "y": [1, 2, 3]}
    data, said = warned(lg.data.table, table, "y")
    assert said == [f"column 'a' is read as words, and '{cell}' looks like {told}, or name the column in categorical=… if words are meant"]
    assert len(data.features) == 2
    assert warned(lg.data.table, table, "y", categorical=["a"])[1] == []
    data, said = warned(lg.data.table, {"a": [1, 2, 3], "y": [cell, other, other]}, "y")
    assert len(data.classes) == 2
    assert said == [
        f"column 'y' is read as classes, and '{cell}' looks like {told}, or name the column in categorical=… if classes are meant"
    ]


@pytest.mark.parametrize("words", [["red", "18,5", "19,5"], ["a", "b", "c"], ["", "x", "1"], ["1-2", "2-3", "a"]])
def test_words_are_words_without_a_word(words):
    assert warned(lg.data.table, {"a": words, "y": [1, 2, 3]}, "y", missing="fill")[1] == []


def test_many_such_cells_are_not_called_names_or_words():
    table = {"price": [f"{k},5" for k in range(1001)], "y": range(1001)}
    assert refused(lg.data.table, table, "y") == (
        "column 'price' has 1,001 different words, and each would be a feature of its own: '0,5' looks like a number with a decimal "
        "comma: write it as 0.5, or leave it out with drop=…, or name it in categorical=… if that is meant"
    )
    assert refused(lg.data.table, table, "price") == (
        "column 'price' has 1,001 different words, and each would be a class of its own: '0,5' looks like a number with a decimal "
        "comma: write it as 0.5, or name the column in categorical=… if classes are meant"
    )


def test_what_says_that_nothing_is_known_may_be_left_empty(file):
    for cell in ("NA", "n/a", "?", "-"):
        assert refused(lg.data.csv, file(f"a,y\n1,1\n2,2\n{cell},3\n"), "y") == (
            f"line 4, column 'a': '{cell}' is no number, and 2 other cells of the column are; correct it, "
            "leave the cell empty if nothing is known, or name the column in categorical=…"
        )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_space_before_a_quote_is_no_part_of_a_cell(file, delimiter):
    text = 'a, "b, c", y\n1, "u, v", 2\n3,  "w ""x""", 4\n'.replace('", ', f'"{delimiter} ').replace('", 2', f'"{delimiter} 2')
    lines = [["a", '"b, c"', "y"], ["1", '"u, v"', "2"], ["3", '"w ""x"""', "4"]]
    text = "\n".join(f"{delimiter} ".join(line) for line in lines)
    data = lg.data.csv(file(text), "y", delimiter=delimiter)
    assert data.features == ("a", "b, c=u, v", 'b, c=w "x"')
    assert lg.data.csv(file('a,y\n5" nail,1\n 6" nail,2\n'), "y").features == ('a=5" nail', 'a=6" nail')


def test_a_word_that_nobody_can_read_is_told_with_its_place(file):
    assert refused(lg.data.csv, file('a,y\n"u\nv",1\nw,2\n'), "y") == (
        "line 3: a word of column 'a' is one line of readable text, and 'u\\nv' has the character '\\n'; correct the cell, "
        "or leave the column out with drop=…"
    )
    assert refused(lg.data.table, {"a": ["w", "x" * 300], "y": [1, 2]}, "y") == (
        f"row 1: a word of column 'a' has 1 to 200 characters, got 300: '{'x' * 58}…; correct the cell, or leave the column out with drop=…"
    )


def test_a_number_beyond_all_floats_is_told_as_one_that_float32_does_not_hold(file):
    wrong = "a number must be from -3.403e+38 to 3.403e+38, which float32 holds, got"
    fix = "correct it, or give the column in a larger unit"
    assert refused(lg.data.csv, file("a,y\n1,2\n1e400,3\n"), "y") == f"line 3, column 'a': {wrong} 1e400; {fix}"
    assert refused(lg.data.table, {"a": [10**400, 1], "y": [1, 2]}, "y") == f"row 0, column 'a': {wrong} 1{'0' * 58}…; {fix}"
    assert refused(lg.data.table, {"a": [10**5000], "y": [1]}, "y") == f"row 0, column 'a': {wrong} a number of thousands of digits; {fix}"
    assert refused(lg.data.table, {"a": [10**5000], "y": [1]}, "y", categorical=["a"]) == (
        "a word must be text or a short number, got a number of thousands of digits: correct it"
    )


def test_what_stands_in_a_message_is_cut(file):
    train = lg.data.table({"a": [f"w{k:02}" for k in range(50)], "y": range(50)}, "y")
    known = ", ".join(f"w{k:02}" for k in range(20))
    assert refused(lg.data.table, {"a": ["z" * 1000]}, None, like=train) == (
        f"row 0, column 'a': '{'z' * 59}…' is none of the known values {known} and 30 more"
    )
    names = ",".join(f"c{k}" for k in range(1000))
    assert refused(lg.data.csv, file(names + "\n" + names.replace("c", "") + "\n"), "y") == (
        f"there is no column 'y'; the columns are: {', '.join(f'c{k}' for k in range(20))} and 980 more"
    )


def test_names_that_are_none_at_all_are_refused(file):
    assert refused(lg.data.csv, file("1,2\n"), "y", names=[]) == (
        "names must be the names of all columns, got none: give one for each, or None for those in the first line"
    )


def test_a_column_is_not_both_left_out_and_read():
    table = {"a": [1, 2], "y": [1, 2]}
    assert refused(lg.data.table, table, "y", drop=["y"]) == "drop=… names 'y', which is the target: take it out of one of the two"
    assert refused(lg.data.table, table, "y", drop=["a"], categorical=["a"]) == (
        "drop=… names 'a', which is in categorical=…, too: take it out of one of the two"
    )


def test_words_of_all_columns_together_become_so_many_features():
    rows = 800
    wide = {f"c{k}": [f"w{j}" for j in range(rows)] for k in range(26)} | {"y": range(rows)}
    assert refused(lg.data.table, wide | {"c7": [f"w{j % 790}" for j in range(rows)]}, "y") == (
        "words become at most 20,000 features, one each, and the columns of this table have 20,790, most of them 'c0' (800), "
        "'c1' (800), 'c2' (800): leave such columns out with drop=…, or group their words"
    )
    assert len(lg.data.table(wide, "y", drop=["c25"]).features) == 20_000


def test_an_encoder_tells_of_such_cells_and_takes_plain_numbers_only():
    told = "column 'a' is read as words, and '18,5' looks like a number with a decimal comma: write it as 18.5"
    table = {"a": ["18,5", "19,5", "20,5"]}
    assert warned(lg.data.encoder, table)[1] == [f"{told}, or name the column in categorical=… if words are meant"]
    assert warned(lg.data.encoder, table, categorical="all")[1] == warned(lg.data.encoder, table, categorical=["a"])[1] == []
    assert refused(lg.data.encoder, {"a": ["1", "2", "1_2"]}) == (
        "row 2, column 'a': '1_2' is no number, and 2 other cells of the column are; correct it, or name the column in categorical=…"
    )
    assert refused(lg.data.encoder({"a": [1, 2]}).encode, {"a": ["1", "1_2"]}) == "row 1, column 'a': '1_2' is no finite number"
