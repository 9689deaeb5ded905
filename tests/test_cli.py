"""The command line: what it prints, and what it says to wrong calls."""

import os
import subprocess
import sys

import pytest

import lensgrad as lg
from lensgrad import cli, recipes, testing

IRIS = """\
f32[4] → f32[3]

layer            type       numbers  bytes
hidden           f32[20]        100    400
  hidden/weight  f32[20,4]       80    320
  hidden/bias    f32[20]         20     80
output           f32[3]          63    252
  output/weight  f32[3,20]       60    240
  output/bias    f32[3]           3     12
total                           163    652
"""


@pytest.fixture
def run(capsys):
    """Call the command line in this process: exit code, output, errors."""

    def call(*args):
        code = cli.main(args)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def process(*args, **env):
    """Call it as a process of its own, with a terminal's settings."""
    settings = {**os.environ, **env}
    return subprocess.run([sys.executable, "-m", "lensgrad", *args], capture_output=True, env=settings, check=False)


def test_the_version_is_that_of_the_package(run):
    assert run("--version") == (0, f"lensgrad {lg.__version__}\n", "")


def test_help_shows_the_commands_and_examples_with_and_without_being_asked(run):
    asked, unasked = run("--help"), run()
    assert asked == unasked == (0, asked[1], "")
    for words in ("show", "check", "demo", "train", "lensgrad train iris --model dense --seed 3", "lensgrad check"):
        assert words in asked[1]


def test_show_prints_every_layer_and_parameter(run):
    assert run("show", "iris") == (0, IRIS, "")


@pytest.mark.parametrize("columns", ["20", "80", "200"])
def test_nothing_is_cut_off_in_a_pipe_of_any_width(columns):
    shown = process("show", "iris", COLUMNS=columns, PYTHONIOENCODING="utf-8")
    assert shown.stdout.decode("utf-8").replace("\r\n", "\n") == IRIS


def test_all_of_the_iris_table_fits_into_80_columns():
    assert max(map(len, IRIS.splitlines())) <= 80


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
def test_a_console_without_the_letters_gets_ascii(encoding):
    shown = process("show", "iris", "--diagram", PYTHONIOENCODING=encoding)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout.decode("ascii").splitlines()[0] == "f32[20,4] x f32[20] x f32[3,20] x f32[3] x f32[4] -> f32[3]"


def test_an_error_on_a_console_without_the_letters_is_ascii():
    told = process("train", "iris", "--epochs", "-1", PYTHONIOENCODING="cp1252")
    assert (told.returncode, told.stderr.decode("ascii").strip()) == (2, "lensgrad: epochs is a whole number >= 0, got -1")


@pytest.mark.parametrize(("text", "wanted"), [("a → b", "a -> b"), ("ℝ⁴ ⊗ λ", "R\\u2074 (x) \\u03bb"), ("plain", "plain")])
def test_text_that_a_console_cannot_write_is_spelled_out(text, wanted):
    assert cli.encodable(text, "cp1252") == wanted
    assert cli.encodable(text, "utf-8") == text


def test_the_shown_source_is_that_of_the_learner(run):
    assert run("show", "iris", "--model", "dense", "--source") == (0, recipes.iris_learner("dense").source() + "\n", "")


def test_the_shown_diagram_is_that_of_the_model(run):
    assert run("show", "linear", "--diagram") == (0, f"{recipes.regression_learner().model.arrow}\n", "")


def test_output_goes_to_a_file_in_utf8(run, tmp_path):
    file = tmp_path / "iris.txt"
    assert run("show", "iris", "--output", str(file)) == (0, "", "")
    assert file.read_text(encoding="utf-8") == IRIS


def test_training_iris_prints_the_accuracy_of_the_same_run_from_python(run):
    code, out, err = run("train", "iris", "--model", "dense", "--epochs", "20", "--seed", "3", "--rate", "0.02", "--batch-size", "10")
    data = recipes.iris_data()
    accuracy = recipes.iris_learner("dense", 0.02).fit(data, epochs=20, batch_size=10, seed=3, progress=False).evaluate(data)["accuracy"]
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "Iris, dense model: 150 flowers, 4 measurements, 3 species, 15 weights"
    assert lines[-1] == f"accuracy {accuracy:.4f}: {round(accuracy * 150)} of the 150 flowers it was trained on"


def test_training_a_line_ends_at_the_least_squares_solution(run):
    code, out, _ = run("train", "linear")
    last = out.splitlines()[-1]
    assert code == 0
    assert last.startswith("largest difference ") and float(last.split()[-1]) <= 1e-6


def test_too_few_epochs_are_said_to_be_too_few(run):
    code, out, _ = run("train", "linear", "--epochs", "5")
    assert (code, out.splitlines()[-1].split(": ")[1]) == (0, "not there yet, give it more --epochs or another --rate")


def test_the_demo_of_the_module_trains_iris():
    shown = process("demo", PYTHONIOENCODING="utf-8")
    accuracy = [line for line in shown.stdout.decode().splitlines() if line.startswith("accuracy")]
    assert (shown.returncode, shown.stderr, len(accuracy)) == (0, b"", 1)
    assert float(accuracy[0].split()[1].rstrip(":")) >= 0.96


REFUSED = {
    ("train", "iris", "--model", "deep"): "'deep' is no Iris model; use one of dense, hidden, linear",
    ("train", "iris", "--epochs", "-1"): "epochs is a whole number ≥ 0, got -1",
    ("train", "iris", "--batch-size", "0"): "batch_size is a whole number ≥ 1, or None for one example at a time, got 0",
    ("train", "iris", "--rate", "0"): (
        "a rate is a positive number, got 0.0: whether a step goes down or up is said by `descent` or `ascent`"
    ),
    ("train", "linear", "--seed", "-1"): "a seed is a whole number from 0 to 2^64 - 1, got -1",
    ("show", "digits"): "'digits' is nothing that can be shown; use iris or linear",
}


@pytest.mark.parametrize("args", REFUSED, ids=" ".join)
def test_wrong_values_are_one_sentence_and_exit_code_2(run, args):
    code, _, err = run(*args)
    assert (code, err) == (2, f"lensgrad: {REFUSED[args]}\n")


@pytest.mark.parametrize("args", [("train",), ("fly",), ("train", "iris", "--fast"), ("train", "iris", "--epochs", "many"), ("show",)])
def test_wrong_calls_are_one_line_that_points_to_help(args):
    told = process(*args, PYTHONIOENCODING="utf-8")
    lines = told.stderr.decode().splitlines()
    assert (told.returncode, told.stdout, len(lines)) == (2, b"", 1)
    assert lines[0].startswith("lensgrad: ") and lines[0].endswith("; see lensgrad --help")


def test_a_folder_that_is_missing_is_named(run, tmp_path):
    file = tmp_path / "missing" / "step.py"
    assert run("show", "iris", "--output", str(file)) == (2, "", f"lensgrad: cannot use '{file}': No such file or directory\n")


def test_a_run_that_diverges_stops_with_a_sentence(run):
    code, _, err = run("train", "linear", "--rate", "3")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("lensgrad: 'loss' is not finite after step 1 of epoch ")
    assert "use a smaller learning rate" in err


def test_an_interrupted_run_says_so(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recipes, "iris_data", interrupted)
    assert run("train", "iris") == (130, "", "lensgrad: stopped\n")


def test_errors_of_the_program_itself_are_not_hidden(run, monkeypatch):
    monkeypatch.setattr(recipes, "iris_data", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("train", "iris")


def test_check_prints_a_line_each_and_fails_when_one_fails(run, monkeypatch):
    monkeypatch.setattr(testing, "law_checks", lambda: iter([("copy is natural", ""), ("swap", "a\nis not\nb")]))
    monkeypatch.setattr(testing, "generator_checks", lambda: iter([("tanh", "off by 1"), ("sin", "")]))
    told = """\
ok      copy is natural
FAILED  swap
        a
        is not
        b
FAILED  tanh
        off by 1
ok      sin
2 failed
"""
    assert run("check") == (1, told, "")


def test_check_succeeds_when_all_hold(run, monkeypatch):
    for name in ("law_checks", "generator_checks"):
        monkeypatch.setattr(testing, name, lambda name=name: iter([(name, "")]))
    assert run("check") == (0, "ok      law_checks\nok      generator_checks\nall hold\n", "")


def test_a_reader_that_stops_reading_is_told_nothing():
    call = [sys.executable, "-m", "lensgrad", "show", "iris", "--source"]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shown:
        shown.stdout.close()
        assert shown.stderr.read() == b""
