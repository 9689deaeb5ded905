"""`lensgrad circuit learn` and `predict`: from a CSV file to gates and back to classes."""

import csv

import numpy as np
import pytest

from lensgrad import circuits, cli
from lensgrad.circuits import LearnedCircuit, load_circuit
from lensgrad.core.errors import BadValue

QUICK = ("--method", "soft", "--gates", "48", "--steps", "300")


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*args):
        code = cli.main(["circuit", *args])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def weather(path, rows=40):
    """Rain where it is cloudy and below 15 degrees."""
    rng = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["sky", "degrees", "rain"])
        for _ in range(rows):
            sky, degrees = rng.choice(["clear", "cloudy"]), int(rng.choice([6, 12, 17, 22]))
            lines.writerow([sky, degrees, "yes" if sky == "cloudy" and degrees < 15 else "no"])


def test_a_table_becomes_gates_a_rule_and_files_that_the_other_commands_take(run, tmp_path):
    weather(tmp_path / "w.csv")
    code, out, err = run("learn", "w.csv", "--target", "rain", *QUICK, "--test", "w.csv", "-o", "w.aag")
    lines = [line for line in out.splitlines() if not line.startswith("epoch")]
    assert (code, err) == (0, "")
    assert lines[0] == "w.csv: 40 rows, 2 columns as 5 bits; rain is no (32), yes (8)"
    assert lines[1].startswith("learned by soft: train 1.0000, validation 1.0000 (8 rows held back), test 1.0000")
    learned = load_circuit("w.aag")
    assert learned.circuit.size == 1 and learned.method == "soft" and learned.classes == ("no", "yes")
    assert lines[4].startswith("rule: rain=yes = ") and "written: w.aag, w.json, w.care.aig" in lines
    assert run("predict", "w.aag", "w.csv")[2] == "right: 40 of 40 (1.0000)\n"
    assert run("simplify", "w.aag", "-o", "small.blif", "--care", "w.care.aig")[0] == 0
    assert run("predict", "small.blif", "w.csv")[2] == "right: 40 of 40 (1.0000)\n"
    assert run("prove", "w.aag", "small.blif", "--care", "w.care.aig")[0] == 0
    assert run("export", "w.aag", "--to", "verilog")[0] == 0 and "rain=yes" in (tmp_path / "w.v").read_text(encoding="utf-8")


def test_the_seed_repeats_a_circuit_and_rows_without_classes_are_predicted(run, tmp_path):
    weather(tmp_path / "w.csv")
    for name in ("a.aig", "b.aig"):
        assert run("learn", "w.csv", "--target", "rain", *QUICK, "--seed", "3", "-o", name)[0] == 0
    assert circuits.read(tmp_path / "a.aig") == circuits.read(tmp_path / "b.aig")
    (tmp_path / "new.csv").write_text("degrees,sky\n6,cloudy\n24,clear\n", encoding="utf-8")
    assert run("predict", "a.aig", "new.csv") == (0, "yes\nno\n", "")


def test_wrong_calls_are_one_sentence(run, tmp_path):
    weather(tmp_path / "w.csv")
    (tmp_path / "one.csv").write_text("a,y\n1,no\n2,no\n", encoding="utf-8")
    (tmp_path / "same.csv").write_text("a,y\n1,no\n1,yes\n", encoding="utf-8")
    (tmp_path / "many.csv").write_text("a,y\n" + "".join(f"{k},{k}\n" for k in range(80)), encoding="utf-8")
    (tmp_path / "words.csv").write_text("a,y\n" + "".join(f"n{k},{k % 2}\n" for k in range(300)), encoding="utf-8")
    for args, told in (
        (("w.csv", "--target", "snow"), "there is no column 'snow'; the columns are: sky, degrees, rain"),
        (("no.csv", "--target", "y"), "there is no file 'no.csv': check its name and the current folder"),
        (("w.csv", "--target", "rain", "--drop", "wind"), "there is no column 'wind'; the columns are: sky, degrees, rain"),
        (("one.csv", "--target", "y"), "column 'y' has only one class, 'no', so there is nothing to learn: "
                                       "give rows of two classes or more"),
        (("same.csv", "--target", "y"), "no feature tells the rows apart, so there is nothing to learn from: every column is constant"),
        (("many.csv", "--target", "y"), "column 'y' has 80 different values, and a circuit chooses between at most 64 classes: "
                                        "name another column, or put its values into groups"),
        (("words.csv", "--target", "y"), "column 'a' has 300 different words, and each would be an input: leave it out, or group them"),
        (("w.csv", "--target", "rain", "--gates", "2"), "--gates, in three layers, must be a whole number from 3 to 1000000, got 2"),
    ):  # fmt: skip
        assert run("learn", *args)[::2] == (2, f"lensgrad: {told}\n")
    assert run("learn", "w.csv", "--target", "rain", *QUICK)[0] == 0
    (tmp_path / "new.csv").write_text("degrees,sky\n6,foggy\n", encoding="utf-8")
    told = "line 2, column 'sky': 'foggy' is none of the known values clear, cloudy"
    assert run("predict", "w.aig", "new.csv") == (2, "", f"lensgrad: {told}\n")
    (tmp_path / "w.json").unlink()
    told = "there is no 'w.json' beside 'w.aig', and it says how rows become bits: `learn` writes both"
    assert run("predict", "w.aig", "new.csv") == (2, "", f"lensgrad: {told}\n")


@pytest.fixture
def no_training(monkeypatch):
    """What is wrong is refused before anything is learned."""
    monkeypatch.setattr(circuits, "learn", lambda *_: pytest.fail("it trained first"))


def test_nothing_is_learned_before_all_files_are_known_to_be_right(run, tmp_path, no_training):
    weather(tmp_path / "w.csv")
    for name, text in (
        ("bare.csv", "sky,degrees\nclear,6\n"),
        ("fog.csv", "sky,degrees,rain\nclear,6,no\nfoggy,6,no\n"),
        ("empty.csv", "sky,degrees,rain\n"),
        ("blank.csv", "sky,degrees,rain\nclear,6,no\nclear,6,\n"),
        ("maybe.csv", "sky,degrees,rain\nclear,6,no\nclear,6,maybe\n"),
        ("other.json", '{"classes": ["no", "yes"], "encoder": 5}'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    ending = "a circuit is learned into .aig, .aag or .blif, and '{}' is none of these: write .aig, then export"
    for args, told in (
        (("-o", "x"), ending.format("x")),
        (("-o", "w.csv"), ending.format("w.csv")),
        (("-o", "f.v"), ending.format("f.v")),
        (("-o", "f.c"), ending.format("f.c")),
        (("-o", "no/f.aig"), "cannot save to 'no/f.aig': there is no folder 'no'"),
        (
            ("-o", "other.aig"),
            "an encoder would be written to 'other.json', and what is there is none: choose another name, or move that file",
        ),
        (("--test", "no.csv"), "there is no file 'no.csv': check its name and the current folder"),
        (("--test", "bare.csv"), "there is no column 'rain' in 'bare.csv'; the columns are: sky, degrees"),
        (("--test", "fog.csv"), "line 3, column 'sky': 'foggy' is none of the known values clear, cloudy"),
        (("--test", "empty.csv"), "'empty.csv' has no rows to test on"),
        (("--test", "blank.csv"), "line 3, column 'rain': the cell is empty; fill it in or leave the row out"),
        (("--test", "maybe.csv"), "line 3, column 'rain': 'maybe' is none of the classes no, yes"),
        (("--seed", "-1"), "--seed must be a whole number ≥ 0, got -1"),
    ):
        assert run("learn", "w.csv", "--target", "rain", *args) == (2, "", f"lensgrad: {told}\n")
        assert not (tmp_path / "w.aig").exists()
    assert run("learn", ".", "--target", "rain") == (
        2,
        "",
        "lensgrad: '.' is a folder, and a table is one CSV file\n",
    )


def test_labels_that_are_no_class_are_refused_and_no_rows_have_no_classes(run, tmp_path):
    (tmp_path / "d.csv").write_text("a,y\n" + "0,0\n1,1\n" * 10, encoding="utf-8")
    assert run("learn", "d.csv", "--target", "y", "--method", "solve")[0] == 0
    for name, text, told in (
        ("dots.csv", "a,y\n0,0\n1,1.5\n", "line 3, column 'y': '1.5' is none of the classes 0, 1"),
        ("blank.csv", "a,y\n0,0\n1,\n", "line 3, column 'y': the cell is empty; fill it in or leave the row out"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert run("predict", "d.aig", name) == (2, "", f"lensgrad: {told}\n")
    (tmp_path / "none.csv").write_text("a\n", encoding="utf-8")
    assert run("predict", "d.aig", "none.csv") == (0, "", "")


def test_a_circuit_is_on_disk_when_what_comes_after_learning_fails(run, tmp_path, monkeypatch):
    (tmp_path / "d.csv").write_text("a,y\n" + "0,0\n1,1\n" * 10, encoding="utf-8")

    def broken(learned):
        raise BadValue("too large to simplify")

    monkeypatch.setattr(LearnedCircuit, "simplified", broken)
    assert run("learn", "d.csv", "--target", "y", "--method", "solve")[::2] == (2, "lensgrad: too large to simplify\n")
    monkeypatch.undo()
    assert load_circuit(tmp_path / "d.aig").predict({"a": np.array([0, 1])}).tolist() == [0, 1]


def test_simplify_takes_along_what_learn_wrote_and_nothing_else(run, tmp_path):
    (tmp_path / "d.csv").write_text("a,y\n" + "0,0\n1,1\n" * 10, encoding="utf-8")
    assert run("learn", "d.csv", "--target", "y", "--method", "solve")[0] == 0
    (tmp_path / "e.json").write_text("[1]", encoding="utf-8")
    told = "an encoder would be written to 'e.json', and what is there is none: choose another name, or move that file"
    assert run("simplify", "d.aig", "-o", "e.aig") == (2, "", f"lensgrad: {told}\n") and not (tmp_path / "e.aig").exists()
    assert run("simplify", "d.aig", "-o", "f.aig")[0] == 0
    for ending in (".json", ".care.aig"):
        assert (tmp_path / f"f{ending}").read_bytes() == (tmp_path / f"d{ending}").read_bytes()
    (tmp_path / "d.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "e.json").write_text("[2]", encoding="utf-8")
    assert run("simplify", "d.aig", "-o", "e.aig")[0] == 0 and (tmp_path / "e.json").read_text(encoding="utf-8") == "[2]"


def test_properties_of_a_learned_circuit_are_proved_or_refuted_by_name(run, tmp_path):
    pytest.importorskip("pysat", reason="not run: proofs need the extra `sat`")
    made = circuits.formula(["a", "b", "c"], lambda x: {"y": x["a"] & x["b"] | x["a"] & ~x["a"] & x["c"]})
    circuits.write(made, tmp_path / "n.aig")
    assert run("property", "n.aig", "--irrelevant", "c") == (0, "proved: c has no influence\n", "")
    assert run("property", "n.aig", "--monotone", "a") == (0, "proved: raising a lowers nothing\n", "")
    told = "proved: exchanging a and b changes nothing\nproof: p\n"
    assert run("property", "n.aig", "--swap", "a:b", "--save", "p") == (0, told, "") and (tmp_path / "p" / "proof.drat").exists()
    code, out, _ = run("property", "n.aig", "--irrelevant", "a,b")
    assert code == 1 and out.startswith("refuted: ")
    for args, why in (
        ((), "one property is asked at a time: give one of --irrelevant, --monotone, --swap"),
        (("--swap", "a"), "a swap must be written A:B,C:D with the names of inputs, got 'a'"),
        (("--monotone", "q"), "the circuit has no input 'q', it has a, b, c"),
        (("--irrelevant", ","), "--irrelevant names one input or more, got ','"),
        (("--swap", " , "), "--swap names one input or more, got ' , '"),
        (("--irrelevant", "c,a,c"), "--irrelevant names every input once, and 'c' is there twice: leave one out, or ask in two calls"),
        (("--swap", "a:b,a:c"), "--swap names every input once, and 'a' is there twice: leave one out, or ask in two calls"),
        (("--swap", "a:b,b:a"), "--swap names every input once, and 'a' is there twice: leave one out, or ask in two calls"),
    ):
        assert run("property", "n.aig", *args) == (2, "", f"lensgrad: {why}\n")


def test_names_with_commas_and_colons_are_read_as_the_inputs_they_are(run, tmp_path):
    pytest.importorskip("pysat", reason="not run: proofs need the extra `sat`")
    made = circuits.formula(["x0,1", "x0,2", "t=1:2", "x0"], lambda x: {"y": x["x0,1"] & x["x0,2"] | x["x0"]})
    circuits.write(made, tmp_path / "n.aig")
    assert run("property", "n.aig", "--irrelevant", "t=1:2") == (0, "proved: t=1:2 has no influence\n", "")
    assert run("property", "n.aig", "--swap", "x0,1:x0,2") == (0, "proved: exchanging x0,1 and x0,2 changes nothing\n", "")
    for option, text, told in (
        ("--swap", "x0,1:x0,2,t=1:2:x0", "exchanging x0,1 and x0,2, t=1:2 and x0 changes nothing"),
        ("--irrelevant", "x0,1, t=1:2", "x0,1, t=1:2 has no influence"),
    ):
        code, out, _ = run("property", "n.aig", option, text)
        assert (code, out.splitlines()[0]) == (1, f"refuted: not always true that {told}")


ADDER = "a,b,c,sum,carry\n" + "".join(f"{a},{b},{c},{a ^ b ^ c},{int(a + b + c > 1)}\n" for a in (0, 1) for b in (0, 1) for c in (0, 1))


def test_a_truth_table_is_learned_exactly_with_several_outputs_and_from_raw_columns(run, tmp_path):
    (tmp_path / "adder.csv").write_text(ADDER, encoding="utf-8")
    code, out, err = run("learn", "adder.csv", "--target", "sum", "--target", "carry", "--raw", "raw.v", "-o", "add.aig")
    assert (code, err) == (0, "") and out.count("learned by table: train 1.0000\n") == 2
    whole = circuits.read(tmp_path / "add.aig")
    assert (whole.inputs, whole.outputs) == (("a>0.5", "b>0.5", "c>0.5"), ("sum=1", "carry=1"))
    assert whole.tables() == [0b10010110, 0b11101000]
    for name in ("sum", "carry"):
        assert run("predict", f"add-{name}.aig", "adder.csv")[2] == "right: 8 of 8 (1.0000)\n"
    assert "input [0:0] a;" in (tmp_path / "raw.v").read_text(encoding="ascii")
    assert run("export", "add.aig", "--to", "verilog", "--plain-names")[0] == 0
    assert "module circuit (a_gt_0_5, b_gt_0_5, c_gt_0_5, sum_1, carry_1);" in (tmp_path / "add.v").read_text(encoding="ascii")
    told = "--target names every column once, and 'sum' is there twice: leave one out, or ask in two calls"
    assert run("learn", "adder.csv", "--target", "sum", "--target", "sum") == (2, "", f"lensgrad: {told}\n")
    told = "a circuit is written to .aig, .aag, .blif, .v or .c, and 'raw.txt' is none of these"
    assert run("learn", "adder.csv", "--target", "sum", "--raw", "raw.txt") == (2, "", f"lensgrad: {told}\n")


def test_an_incomplete_table_or_one_that_contradicts_itself_is_no_truth_table(run, tmp_path):
    lines = ADDER.splitlines()
    (tmp_path / "less.csv").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    (tmp_path / "twice.csv").write_text("\n".join([*lines, "0,0,0,1,1"]) + "\n", encoding="utf-8")
    for name in ("less.csv", "twice.csv"):
        out = run("learn", name, "--target", "sum", "--drop", "carry", "--steps", "20")[1]
        assert "trying anf" in out and "learned by table" not in out
    told = "these rows are no truth table: 'sum=1' is 0 or 1, the same for equal rows, and it is not: a circuit gives one answer"
    assert (
        run("learn", "twice.csv", "--target", "sum", "--drop", "carry", "--method", "table", "--validation", "0")[2]
        == f"lensgrad: {told}\n"
    )
