"""A table of one's own on the command line: trained, kept, and read again from another folder; and wrong lines, each told in a sentence."""

import random

import numpy as np
import pytest

import lensgrad as lg
from tools.commands import RIGHT, Answer, answers, commands, tried


def table(rows=120, seed=0):
    """Sizes with holes, days and colors; the kind follows the size."""
    draw, lines = random.Random(seed), ["born,color,size,price,kind"]
    for k in range(rows):
        size = draw.random()
        color = draw.choice(["red", "blue", ""])
        lines.append(f"20{k % 20:02}-03-{1 + k % 28:02},{color},{size:.4f},{1e6 + 2e5 * size:.1f},{'big' if size > 0.5 else 'small'}")
    return lines


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("\n".join(table()), encoding="utf-8")
    return path


def test_a_table_is_trained_saved_and_predicted_from_another_folder(run, people, tmp_path, monkeypatch):
    file = tmp_path / "people.safetensors"
    code, out, err = run("fit", people, "--target", "kind", "--drop", "price", "--save", file)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == f"{people}: born (date), color (blue, red), size (number) → kind (big, small)"
    assert lines[1].startswith("77 rows to train on, 19 to choose by, 24 to judge by, ")
    assert lines[3].startswith("held-back accuracy ") and " of 24 rows that were not trained on (always '" in lines[3]
    assert float(lines[3].split()[2].rstrip(":")) >= 0.9
    assert f"saved in {file}; next: " in lines[-1] and f" predict {file} {people}" in lines[-1]

    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    rows = table(3, seed=9)
    (other / "new.csv").write_text("\n".join([",".join(row.split(",")[2::-1]) for row in rows]), encoding="utf-8")
    loaded = lg.load(file)
    named, shares = loaded.predict_classes("new.csv"), loaded.predict_proba("new.csv")
    code, out, err = run("predict", file, "new.csv")
    assert (code, err) == (0, "")
    wanted = [f"line {k}  {n} {s.max():.3f}" for k, (n, s) in enumerate(zip(named, shares, strict=True), 2)]
    assert ["  ".join(line.split("  ")[:2]) for line in out.splitlines()] == wanted
    report = loaded.evaluate(people)
    assert run("evaluate", file, people) == (0, "  ".join(f"{n} {v:.4f}" for n, v in report.items()) + "\n", "")


def test_a_target_of_large_numbers_is_learned_and_compared_with_the_mean(run, people, tmp_path):
    file = tmp_path / "p.safetensors"
    code, out, _ = run("fit", people, "--target", "price", "--drop", "kind,born", "--save", file)
    told = next(line for line in out.splitlines() if line.startswith("held-back error "))
    assert code == 0 and float(told.split()[-1]) > 0.8
    assert float(told.split()[2]) < 0.5 * float(told.split(": ")[1].split(")")[0])
    code, out, _ = run("predict", file, people)
    assert code == 0 and np.allclose([float(line.split()[-1]) for line in out.splitlines()], lg.load(file).predict(people)[:, 0], rtol=1e-5)


@pytest.mark.parametrize(("written", "told"), [(";", ";"), ("\t", "tab"), ("\t", "\\t"), ("\t", "\t")])
def test_a_file_of_another_form_is_read_as_it_was_trained_on(run, tmp_path, written, told):
    path, file = tmp_path / "people.csv", tmp_path / "p.safetensors"
    path.write_text("\n".join(table()).replace(",", written), encoding="utf-8")
    option = "tab" if written == "\t" else repr(written)
    wanted = f"the cells of '{path}' are divided by {written!r}, and ',' was expected: give --delimiter {option}"
    refused = f"lensgrad: {wanted}, or save the file with ',' between its cells\n"
    assert run("fit", path, "--target", "kind") == (2, "", refused)
    assert run("fit", path, "--target", "kind", "--delimiter", told, "--epochs", 2, "--save", file)[0] == 0
    assert run("predict", file, path)[0] == 0


REFUSED = {
    ("--target", "species"): "there is no column 'species'; the columns are: born, color, size, price, kind",
    ("--target", "kind", "--drop", "born,color,size,price"): "'{}' has no column beside its target to learn from",
    ("--target", "kind", "--held-back", "0"): (
        "--held-back must be a share between 0 and 1 that leaves one row to judge by and four to train on, got 0 of 120 rows: "
        "give one such as 0.2"
    ),
    ("--target", "kind", "--hidden", "0"): "hidden must be a whole number from 1 to 4096, got 0",
    ("--target", "kind", "--delimiter", "ab"): "--delimiter must be one character such as ',' or ';', got 'ab'",
    ("--target", "kind", "--rate", "nan"): "rate must be a positive number, got nan",
    ("--target", "color"): "line {line}, column 'color': the cell is empty, and a row without a label teaches nothing; leave it out",
}


@pytest.mark.parametrize("args", REFUSED, ids=" ".join)
def test_a_wrong_call_of_fit_is_one_sentence(run, people, args):
    line = next(k for k, row in enumerate(table(), 1) if row.split(",")[1] == "")
    assert run("fit", people, *args) == (2, "", f"lensgrad: {REFUSED[args].format(people, line=line)}\n")


def test_a_folder_a_missing_file_and_bytes_are_told_apart(run, tmp_path):
    assert run("fit", tmp_path, "--target", "y") == (2, "", f"lensgrad: '{tmp_path}' is a folder, and a table is one CSV file\n")
    none = tmp_path / "none.csv"
    assert run("fit", none, "--target", "y") == (2, "", f"lensgrad: there is no file '{none}': check its name and the current folder\n")
    none.write_bytes(b"\xff\xfe\x00\x01")
    assert run("fit", none, "--target", "y") == (2, "", f"lensgrad: '{none}' is no text in UTF-8: save it as CSV in UTF-8\n")


# -- wrong lines -------------------------------------------------------------------------------------------------------


def test_every_command_has_a_right_line_that_is_spoiled():
    assert {words for words, _ in commands()} == set(RIGHT)


def test_wrong_lines_are_answered_by_one_sentence_and_exit_code_2():
    found = tried(120)
    assert len(found) == 120 and len({a.line for a in found}) > 80
    assert [a for a in found if not a.right] == []


def test_the_lines_of_circuits_that_are_spoiled_are_right():
    lines = [(*words.split(), *rest) for words, rest in RIGHT.items() if words.startswith("circuit ")]
    found = answers(lines)
    assert len(found) == 7 and [a.code for a in found] == [0] * 7, found


def test_wrong_lines_of_circuits_are_answered_by_one_sentence_and_exit_code_2():
    found = tried(60, "circuit")
    assert {a.line[0] for a in found} == {"circuit"} and len({a.line[1] for a in found}) == 7
    assert [a for a in found if not a.right] == []


def test_a_folder_is_no_place_of_a_circuit():
    (found,) = answers([["circuit", "simplify", "good.aig", "--output", "."]])
    assert (found.code, found.error) == (2, "lensgrad: '.' is a folder, and a circuit is a file\n")


def test_a_traceback_two_lines_and_another_code_are_not_right():
    assert Answer(("x",), 2, "lensgrad: no\n").right
    assert not Answer(("x",), 2, "lensgrad: no\n", "ValueError: no").right
    assert not Answer(("x",), 0, "lensgrad: no\n").right
    assert not Answer(("x",), 2, "lensgrad: no\nand more\n").right
