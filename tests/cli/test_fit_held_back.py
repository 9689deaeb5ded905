"""`lensgrad fit` holds rows back for good: nothing that stands in them reaches what is learned, beside their labels."""

import random

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.data.columns import prepared
from lensgrad.data.held_back import held_back
from lensgrad.data.tables import frame_cells

N = 60


def table():
    """Rows of a date, a color, a size and the kind, with holes."""
    draw = random.Random(0)
    rows = []
    for k in range(N):
        size = draw.random()
        born = "" if k % 11 == 0 else f"20{k % 20:02}-03-{1 + k % 28:02}"
        rows.append([born, draw.choice(["red", "blue", ""]), "" if k % 7 == 0 else f"{size:.4f}", "big" if size > 0.5 else "small"])
    return rows


def written(path, rows):
    path.write_text("\n".join(["born,color,size,kind", *map(",".join, rows)]), encoding="utf-8")
    return path


def divided(rows):
    """The rows to train on and those that are held back, by number."""
    y = np.array([row[-1] == "small" for row in rows]).astype(np.int32)
    (first, _), (second, _) = lg.data.split((np.arange(len(rows)), y), 0.2, 0)
    return first.tolist(), second.tolist()


def test_what_is_learned_does_not_depend_on_the_rows_that_are_held_back(run, tmp_path):
    rows = table()
    other = [list(row) for row in rows]
    first, second = divided(rows)
    for k in second:
        other[k][:3] = ["1955-01-01", "green" if k == second[0] else "", f"{1e6 + k}"]
    files = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    reports = [
        run("fit", written(tmp_path / f"{file.stem}.csv", part), "--target", "kind", "--epochs", 3, "--save", file)
        for file, part in zip(files, (rows, other), strict=True)
    ]
    assert [code for code, *_ in reports] == [0, 0]
    one, two = map(lg.load, files)
    assert one.meaning == two.meaning and one.values.keys() == two.values.keys()
    assert all(np.array_equal(one.values[name], two.values[name]) for name in one.values)
    told = [[line for line in out.splitlines() if line.startswith("held-back ")] for _, out, _ in reports]
    assert told[0] != told[1]

    sizes = [float(rows[k][2]) for k in first if rows[k][2]]
    how = one.meaning.preparation
    assert how.columns[2].fill == np.mean(sizes) and how.columns[1].words == ("blue", "red")
    filled = np.array([float(rows[k][2] or np.mean(sizes)) for k in first])
    assert (how.mean[3], how.std[3]) == (filled.mean(), filled.std())


def test_a_row_with_a_word_that_no_row_to_train_on_has_is_told_and_refused_by_predict_alike(run, tmp_path):
    rows, file = table(), tmp_path / "p.safetensors"
    second = divided(rows)[1]
    for k, count in ((1, 11), (2, 10), (5, 7)):
        changed = [list(row) for row in rows]
        for place in second[:k]:
            changed[place][1] = f"c{place}"
        path = written(tmp_path / "p.csv", changed)
        code, out, err = run("fit", path, "--target", "kind", "--epochs", 2, "--save", file)
        places = [f"line {place + 2}, column 'color': 'c{place}'" for place in second[:3][:k]] + (["and 2 more"] if k == 5 else [])
        start = (
            "1 row held back is not judged: no row to train on has its"
            if k == 1
            else (f"{k} rows held back are not judged: no row to train on has their")
        )
        them = "it" if k == 1 else "them"
        assert (code, err) == (0, "")
        assert out.splitlines()[1] == f"{start} words, so predict refuses {them}, too ({'; '.join(places)})"
        assert f" {count} to judge by, " in out.splitlines()[2] and f" of {count} rows that were not trained on" in out
        assert out.endswith(f"\nsaved in {file}\n")
        told = f"{places[0]} is none of the known values blue, red"
        assert run("predict", file, path) == (2, "", f"lensgrad: {told}\n")


def test_a_table_whose_held_back_rows_are_all_unknown_is_refused(run, tmp_path):
    rows = [[f"n{k}", "", str(k), "big" if k % 2 else "small"] for k in range(N)]
    line = divided(rows)[1][0]
    told = f"every row that is held back has a word that no row to train on has, such as line {line + 2}, column 'born': 'n{line}'"
    assert run("fit", written(tmp_path / "p.csv", rows), "--target", "kind", "--drop", "color") == (
        2,
        "",
        f"lensgrad: {told}: leave columns of names out with --drop\n",
    )


def test_a_column_that_is_empty_in_all_rows_to_train_on_is_left_out(run, tmp_path):
    rows = table()
    for k, row in enumerate(rows):
        held = k in divided(rows)[1]
        row[1], row[2] = ("red", "1e9") if held else ("", "")
    code, out, err = run("fit", written(tmp_path / "p.csv", rows), "--target", "kind", "--epochs", 1)
    lines = out.splitlines()
    assert (code, err) == (0, "") and lines[0].endswith(": born (date) → kind (big, small)")
    assert lines[1:3] == [f"column '{name}' is left out, since it is empty in all rows to train on" for name in ("color", "size")]
    assert lines[4].startswith("1 epoch, values of epoch ")
    code, out, err = run("fit", tmp_path / "p.csv", "--target", "kind", "--drop", "born")
    told = "color, size are empty in all rows to train on; fill in more cells, or give another --seed"
    assert (code, err) == (2, f"lensgrad: '{tmp_path / 'p.csv'}' has no column to learn from: {told}\n")


def test_rows_are_divided_as_split_divides_them_and_read_as_a_table_like_the_first():
    columns = {"a": [float(k) for k in range(20)], "w": ["u", "v"] * 10, "y": [k / 2 for k in range(20)]}
    found = held_back(frame_cells(columns), prepared(frame_cells(columns), "y", (), (), "fill"), 0.25, 3)
    whole = lg.data.table(columns, "y", missing="fill")
    for ours, theirs in zip((found.train, found.test), lg.data.split(whole, 0.25, 3), strict=True):
        assert np.array_equal(ours.x, theirs.x) and np.array_equal(ours.y, theirs.y) and ours.features == theirs.features
    assert (found.empty, found.refused) == ((), ())
    like = lg.data.table({"a": [None], "w": ["v"], "y": [1]}, "y", like=found.train)
    assert like.x.tolist() == [[np.float32(found.train.x[:, 0].astype(float).mean()), 0, 1]]
    with pytest.raises(BadValue) as error:
        lg.data.table({"a": [1], "w": ["q"], "y": [1]}, "y", like=found.train)
    assert str(error.value) == "row 0, column 'w': 'q' is none of the known values u, v"
