"""What `lensgrad fit` says before, during and after: places that are refused, options in its own words, and the command to go on with."""

import shlex
import warnings

import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, LensgradWarning
from lensgrad.train.interrupt import Interrupt


def written(path, columns):
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]), encoding="utf-8")
    return path


@pytest.fixture
def people(tmp_path):
    sizes = [k * 7 % 40 for k in range(60)]
    return written(tmp_path / "people.csv", {"size": sizes, "of age": range(60), "kind": ["big" if s > 20 else "small" for s in sizes]})


# -- where it is kept --------------------------------------------------------------------------------------------------


def test_a_table_is_not_replaced_by_what_was_learned_from_it(run, people, tmp_path):
    before = people.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(people)
    for place in (people, tmp_path / "." / "people.csv", link):
        told = f"cannot save to '{place}': it is the table that is trained on; choose another name, such as people.safetensors"
        assert run("fit", people, "--target", "kind", "--save", place) == (2, "", f"lensgrad: {told}\n")
    assert people.read_bytes() == before


def test_no_file_is_replaced_that_is_no_checkpoint(run, people, tmp_path):
    notes, empty, kept = tmp_path / "notes.txt", tmp_path / "empty.safetensors", tmp_path / "kept.safetensors"
    notes.write_text("years of work", encoding="utf-8")
    empty.touch()
    lost = "there is another file, which is no checkpoint of lensgrad and would be lost; choose another name, or delete that file"
    told = f"'{notes}' cannot be written: {lost}"
    assert run("fit", people, "--target", "kind", "--save", notes) == (2, "", f"lensgrad: {told}\n")
    assert run("train", "iris", "--save", notes) == (2, "", f"lensgrad: {told}\n")
    assert run("fit", people, "--target", "kind", "--epochs", 1, "--save", empty)[0] == 0
    assert run("fit", people, "--target", "kind", "--epochs", 2, "--save", empty)[0] == 0
    made = lg.load(empty)
    with pytest.raises(BadCheckpoint) as error:
        made.save(notes)
    assert str(error.value) == told
    with pytest.raises(BadCheckpoint) as error:
        made.learner.fit(lg.data.csv(people, "kind"), checkpoint=notes, progress=False)
    assert str(error.value) == told and notes.read_text(encoding="utf-8") == "years of work"
    made.save(kept)
    kept.write_bytes(kept.read_bytes()[:-1])  # one that is damaged is still one
    made.save(kept)
    assert lg.load(kept).values.keys() == made.values.keys()


# -- what is learned ---------------------------------------------------------------------------------------------------


def test_a_target_that_never_changes_is_refused(run, tmp_path):
    path = written(tmp_path / "t.csv", {"a": range(20), "y": [5] * 20})
    told = "the target is 5 in every row to train on, so there is nothing to learn"
    assert run("fit", path, "--target", "y") == (2, "", f"lensgrad: {told}\n")


def test_two_numbers_may_be_classes(run, tmp_path):
    path = written(tmp_path / "t.csv", {"a": range(40), "b": [k % 3 for k in range(40)], "is it": [k // 20 for k in range(40)]})
    hint = "the target is 0 or 1, read as numbers: if these are classes, add --categorical"
    assert f"\n{hint} 'is it'\n" in run("fit", path, "--target", "is it", "--epochs", 1)[1]
    assert f"\n{hint} 'b,is it'\n" in run("fit", path, "--target", "is it", "--epochs", 1, "--categorical", "b")[1]
    assert hint not in run("fit", path, "--target", "is it", "--epochs", 1, "--categorical", "is it")[1]


@pytest.mark.parametrize("share", ["0", "0.99", "0.001", "1", "-0.5", "nan"])
def test_a_share_that_leaves_too_few_rows_is_told_as_a_share(run, people, share):
    told = "leaves one row to judge by and four to train on, got"
    assert run("fit", people, "--target", "kind", "--held-back", share) == (
        2,
        "",
        f"lensgrad: --held-back must be a share between 0 and 1 that {told} {float(share):g} of 60 rows: give one such as 0.2\n",
    )


def test_a_table_of_few_rows_is_told_as_one(run, tmp_path):
    path = written(tmp_path / "t.csv", {"a": range(9), "y": range(9)})
    told = f"'{path}' has 9 rows, and a network is fitted to 10 or more: give more of them"
    assert run("fit", path, "--target", "y") == (2, "", f"lensgrad: {told}\n")


# -- in the words of the command line ----------------------------------------------------------------------------------


def test_arguments_of_python_are_told_as_options(run, tmp_path):
    people = {"name": [f"n{k}" for k in range(1001)], "y": [k % 2 for k in range(1001)]}
    told = "column 'name' has 1,001 different words, and each would be a feature of its own"
    fix = "leave it out with --drop, or name it in --categorical if that is meant"
    assert run("fit", written(tmp_path / "a.csv", people), "--target", "y") == (2, "", f"lensgrad: {told}: {fix}\n")
    path = tmp_path / "b.csv"
    path.write_text("a,a\n1,2\n", encoding="utf-8")
    assert run("fit", path, "--target", "a") == (2, "", f"lensgrad: two columns of '{path}' are called 'a': rename one\n")
    path.write_text(",a\n1,2\n", encoding="utf-8")
    told = (
        f"column 1 of '{path}' has no name in the first line: give it one there (a data frame is written without its index by index=False)"
    )
    assert run("fit", path, "--target", "a") == (2, "", f"lensgrad: {told}\n")
    path.write_text("a;y\n1;2\n", encoding="utf-8")
    told = f"the cells of '{path}' are divided by ';', and ',' was expected"
    assert run("fit", path, "--target", "y") == (
        2,
        "",
        f"lensgrad: {told}: give --delimiter ';', or save the file with ',' between its cells\n",
    )


def test_what_a_command_has_no_option_for_is_not_advised(run, people, tmp_path):
    file, other = tmp_path / "p.safetensors", tmp_path / "other.csv"
    data = lg.data.csv(people, "kind")
    learner = lg.supervised(lg.sequential(lg.input(2), lg.dense(2)), lg.cross_entropy, lg.adam(0.01))
    learner.fit(data, progress=False).save(file)
    other.write_text("size;of age\n1;2\n", encoding="utf-8")
    told = f"the cells of '{other}' are divided by ';', and ',' was expected: save the file with ',' between its cells"
    assert run("predict", file, other) == (2, "", f"lensgrad: {told}\n")
    other.write_text("size,of age\n1,\n", encoding="utf-8")
    told = "line 2, column 'of age': the cell is empty; fill it in, or leave the row out"
    assert run("predict", file, other) == (2, "", f"lensgrad: {told}\n")


def test_a_warning_is_a_note_in_the_words_of_the_command(run, tmp_path):
    prices = [f'"{k},5"' for k in range(20)] * 3
    path = written(tmp_path / "t.csv", {"price": prices, "kind": ["u", "v", "w"] * 20})
    told = "column 'price' is read as words, and '0,5' looks like a number with a decimal comma: write it as 0.5"
    code, _, err = run("fit", path, "--target", "kind", "--epochs", 1)
    assert (code, err) == (0, f"lensgrad: note: {told}, or name the column in --categorical if words are meant\n")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        lg.data.csv(path, "kind")
    assert [w.category for w in said] == [LensgradWarning]  # what is outside of the program is as it was


def test_names_that_are_numbers_with_commas_are_not_called_names(run, tmp_path):
    path = written(tmp_path / "t.csv", {"price": [f'"{k},5"' for k in range(60)], "kind": ["u", "v"] * 30})
    code, out, err = run("fit", path, "--target", "kind")
    note, told = err.splitlines()
    assert (code, out) == (2, "") and note.startswith("lensgrad: note: column 'price' is read as words, and '0,5' looks like ")
    assert told.startswith("lensgrad: every row that is held back has a word that no row to train on has, such as line ")
    assert told.endswith("'; '0,5' looks like a number with a decimal comma: write it as 0.5")


# -- what to do next ---------------------------------------------------------------------------------------------------


def test_the_command_that_keeps_it_is_the_whole_command_quoted(run, people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my people.csv").write_text(people.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    given = ["--drop", "of age", "--categorical", "kind", "--delimiter", ";", "--held-back", "0.3", "--hidden", "8"]
    given += ["--epochs", "2", "--rate", "0.01", "--seed", "4"]
    code, out, _ = run("fit", "my people.csv", "--target", "kind", *given)
    words = shlex.split(out.splitlines()[-1].partition("to keep what it learned: ")[2])
    words = words[words.index("fit") :]
    assert code == 0 and words[:4] == ["fit", "my people.csv", "--target", "kind"] and words[-2:] == ["--save", "my people.safetensors"]
    assert dict(zip(words[4:-2:2], words[5:-2:2], strict=True)) == dict(zip(given[::2], given[1::2], strict=True))
    again = run(*words)
    assert again[0] == 0 and again[1].splitlines()[:-1] == out.splitlines()[:-1]
    assert again[1].splitlines()[-1].endswith(" predict 'my people.safetensors' 'my people.csv'") and "evaluate" not in again[1]
    assert run("fit", people, "--target", "kind", "--epochs", "1")[1].endswith(
        f" fit {people} --target kind --epochs 1 --save people.safetensors\n"
    )


class Asked(Interrupt):
    """Ctrl-C as soon as training begins."""

    def __enter__(self):
        super().__enter__()
        self.asked = True
        return self


@pytest.mark.parametrize("save", [False, True])
def test_a_fit_that_is_stopped_says_when(run, people, tmp_path, monkeypatch, save):
    monkeypatch.setattr("lensgrad.train.fit.Interrupt", Asked)
    file = tmp_path / "p.safetensors"
    code, out, err = run("fit", people, "--target", "kind", *(["--save", file] if save else []))
    assert (code, err) == (130, "lensgrad: stopped\n")
    assert "stopped in epoch 1 of at most 200, values of its last step\n" in out and "None" not in out
    assert file.exists() == save
