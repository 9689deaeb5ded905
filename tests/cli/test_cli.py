"""The command line: what it prints, and what it says to wrong calls."""

import os
import struct
import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import cli, recipes, testing

IRIS = """\
f32[4] → f32[3]

layer            type       numbers  bytes  forward  backward  kept
hidden           f32[20]        100    400      200       220    80
  hidden/weight  f32[20,4]       80    320
  hidden/bias    f32[20]         20     80
output           f32[3]          63    252      126       249    92
  output/weight  f32[3,20]       60    240
  output/bias    f32[3]           3     12
total                           163    652      326       469   172
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
    saved = "lensgrad train digits --save digits.safetensors"
    for words in ("show", "check", "demo", "train", "evaluate", "predict", saved, "lensgrad check"):
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
    assert (told.returncode, told.stderr.decode("ascii").strip()) == (2, "lensgrad: epochs must be a whole number >= 0, got -1")


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
    assert lines[:2] == [
        "Iris, dense model: 150 flowers, 4 measurements, 3 species, 15 weights",
        "20 epochs, batches of 10, seed 3",
    ]
    assert lines[-3] == f"accuracy {accuracy:.4f}: {round(accuracy * 150)} of the 150 flowers it was trained on"


def test_training_a_line_ends_at_the_least_squares_solution(run):
    code, out, _ = run("train", "linear")
    last = out.splitlines()[-3]
    assert code == 0
    assert last.startswith("largest difference ") and float(last.split()[-1]) <= 1e-6


def test_too_few_epochs_are_said_to_be_too_few(run):
    code, out, _ = run("train", "linear", "--epochs", "5")
    assert (code, out.splitlines()[-3].split(": ")[1]) == (0, "not there yet, give it more --epochs or another --rate")


def test_the_demo_of_the_module_trains_iris():
    shown = process("demo", PYTHONIOENCODING="utf-8")
    accuracy = [line for line in shown.stdout.decode().splitlines() if line.startswith("accuracy")]
    assert (shown.returncode, shown.stderr, len(accuracy)) == (0, b"", 1)
    assert float(accuracy[0].split()[1].rstrip(":")) >= 0.96


REFUSED = {
    ("train", "iris", "--model", "deep"): "'deep' is no Iris model; use one of dense, hidden, linear",
    ("train", "iris", "--epochs", "-1"): "epochs must be a whole number ≥ 0, got -1",
    ("train", "iris", "--batch-size", "0"): "batch_size must be a whole number ≥ 1, or None for one example at a time, got 0",
    ("train", "iris", "--rate", "0"): (
        "a rate must be a positive number, got 0.0: give one such as 0.01; lg.ascent and lg.maximize(…) go up"
    ),
    ("train", "linear", "--seed", "-1"): "seed must be a whole number from 0 to 2^64 - 1, got -1",
    ("show", "stars"): (
        "'stars' is nothing that can be shown; use one of iris, linear, digits, mnist, fashion, cifar10, shakespeare, cora, "
        "or the file of a saved run"
    ),
    ("train", "stars"): "'stars' is no task here; use one of iris, linear, digits, mnist, fashion, cifar10, shakespeare, cora",
    ("train", "mnist", "--model", "deep"): "'deep' is no MNIST model; use one of modern, paper",
    ("train", "digits", "--backend", "abacus"): "'abacus' is no backend here; use one of auto, jax, native, numpy",
    ("train", "digits", "--save", "nowhere/digits.safetensors"): (
        "cannot save to 'nowhere/digits.safetensors': there is no folder 'nowhere'"
    ),
    ("train", "digits", "--save", "."): "cannot save to '.': it is a folder",
    ("train", "digits", "--resume", "none.safetensors"): (
        "there is no run in 'none.safetensors' to go on from: start one with --save none.safetensors"
    ),
    ("train", "digits", "--resume", "a.safetensors", "--rate", "0.1"): (
        "the run in 'a.safetensors' keeps the rate it began with: leave --rate away, or start a new run without --resume"
    ),
    ("train", "digits", "--resume", "a.safetensors", "--save", "b.safetensors"): (
        "the run in 'a.safetensors' is written to the file it goes on from: leave --save away, or start a new run without --resume"
    ),
    (
        "evaluate",
        "none.safetensors",
        "digits",
    ): "there is no checkpoint at 'none.safetensors': check its name and the current folder",
    (
        "predict",
        "none.safetensors",
        "rows.csv",
    ): "there is no checkpoint at 'none.safetensors': check its name and the current folder",
    ("show", "none.safetensors"): "there is no checkpoint at 'none.safetensors': check its name and the current folder",
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

    monkeypatch.setattr(recipes, "task", interrupted)
    assert run("train", "iris") == (130, "", "lensgrad: stopped\n")


def test_errors_of_the_program_itself_are_not_hidden(run, monkeypatch):
    monkeypatch.setattr(recipes, "task", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("train", "iris")


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["predict"], ["export"], ["show"], ["check"], ["demo"]], ids=" ".join)
def test_every_help_ends_with_examples(run, command):
    code, out, err = run(*command, "--help")
    assert (code, err) == (0, "") and "\nExamples:\n  lensgrad " in out


# -- a run from the first epoch to an answer ---------------------------------------------------------------------------


@pytest.fixture
def trained(run, tmp_path):
    """A saved run of two epochs."""
    file = tmp_path / "digits.safetensors"
    assert run("train", "digits", "--epochs", "2", "--save", str(file))[0] == 0
    return file


def test_training_ends_with_what_was_measured_and_what_to_do_next(run, tmp_path):
    file = tmp_path / "digits.safetensors"
    code, out, err = run("train", "digits", "--epochs", "2", "--save", str(file))
    lines, (_, test) = out.splitlines(), lg.data.digits()
    found = lg.load(file).evaluate(test)["accuracy"]
    assert (code, err) == (0, "")
    assert lines[0] == "Digits, conv model: 1,298 images to train on, 144 to choose by, 355 to test on, 1,610 weights"
    assert [line.split("  ")[0] for line in lines[2:4]] == ["epoch 1/2", "epoch 2/2"] and "val_accuracy" in lines[3]
    assert lines[4] == f"test accuracy {found:.4f}: {round(found * 355)} of 355 images that were not trained on"
    assert lines[6].startswith(f"saved in {file}; next: ") and lines[6].endswith(f" predict {file} INPUT")


def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(run, trained, tmp_path):
    whole = tmp_path / "whole.safetensors"
    assert run("train", "digits", "--epochs", "3", "--save", str(whole))[0] == 0
    code, out, _ = run("train", "digits", "--epochs", "3", "--resume", str(trained))
    a, b = lg.load(whole), lg.load(trained)
    assert code == 0 and "conv model from epoch 3" in out and a.history == b.history
    assert all(a.values[name].tobytes() == b.values[name].tobytes() for name in a.values)


def test_evaluating_prints_the_verdict_and_the_metrics(run, trained):
    code, out, err = run("evaluate", str(trained), "digits")
    _, test = lg.data.digits()
    report, labels = lg.load(trained).evaluate(test), lg.load(trained).predict(test.x).argmax(1)
    wanted = [f"loss {report['loss']:.4f}", f"accuracy {report['accuracy']:.4f}"]
    wanted += [f"{name} {getattr(lg.metrics, name)(test.y, labels, 'macro'):.4f}" for name in ("precision", "recall", "f1")]
    assert (code, err) == (0, "") and out.splitlines()[1] == "  ".join(wanted)
    assert out.startswith(f"test accuracy {report['accuracy']:.4f}: ")


@pytest.mark.parametrize("kind", ["csv", "csv with names", "npy", "bytes"])
def test_predicting_names_the_likeliest_classes(run, trained, tmp_path, kind):
    x = lg.data.digits()[1].x[:3]
    x = np.round(x * 255).astype("uint8") if kind == "bytes" else x
    file = tmp_path / ("rows.csv" if kind.startswith("csv") else "rows.npy")
    if kind.startswith("csv"):
        names = ",".join(f"p{k}" for k in range(64)) if kind == "csv with names" else ""
        np.savetxt(file, x.reshape(3, -1), delimiter=",", header=names, comments="")
    else:
        np.save(file, x)
    logits = lg.load(trained).predict((x / np.float32(255)).astype("float32") if kind == "bytes" else x).astype("float64")
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    code, out, err = run("predict", str(trained), str(file))
    first = [f"row {k}  {s.argmax()} {s.max():.3f}" for k, s in enumerate(shares, 1)]
    assert (code, err) == (0, "")
    assert ["  ".join(line.split("  ")[:2]) for line in out.splitlines()] == first


def test_a_saved_run_is_shown_with_its_last_epoch(run, trained):
    assert run("show", str(trained)) == (0, lg.load(trained).summary() + "\n", "")


def test_a_file_of_another_task_is_refused(run, trained):
    wanted = "f32[28,28,1] → f32[10]"
    told = f"'{trained}' holds a model f32[8,8,1] → f32[10], and mnist needs one {wanted}: evaluate it on its own task"
    assert run("evaluate", str(trained), "mnist") == (2, "", f"lensgrad: {told}\n")
    told = f"'{trained}' holds a run of another task than iris: say which it is, or start a new one with --save"
    assert run("train", "iris", "--resume", str(trained)) == (2, "", f"lensgrad: {told}\n")
    told = f"the run in '{trained}' has done 2 epochs: give a larger number in all, such as --epochs 4"
    assert run("train", "digits", "--resume", str(trained), "--epochs", "2") == (2, "", f"lensgrad: {told}\n")


INPUTS = {
    "rows.txt": (
        "1,2",
        "'{}' is no input: give a .csv file with a row of numbers for each example, a .npy file, or pictures such as .png",
    ),
    "short.csv": ("1,2\n3,4\n", "'{}' has numbers of shape (2, 2), and this model expects rows of 64 (f32[8,8,1])"),
    "uneven.csv": ("1,2\n3\n", "'{}' cannot be read as numbers: its rows have different lengths"),
    "words.csv": ("1,2\n1, a\n", "line 2 of '{}': 'a' is no number; correct it"),
    "bar.csv": ("1,1_2\n", "line 1 of '{}': '1_2' is no number; correct it"),
    "empty.csv": ("", "'{}' has no numbers, and this model expects rows of 64 (f32[8,8,1]): give a row for each example"),
    "other.csv": ("1;2\n", "line 1 of '{}': '1;2' is no number; save the file with ',' between its cells, and not ';'"),
    "nan.csv": (",".join(["nan"] * 64), "line 1 of '{}': 'nan' is no number; correct it"),
    "large.csv": (",".join(["1e400"] * 64), "'{}' holds what are no finite numbers, of type float64"),
    "pixels.csv": (
        ",".join(["250", *["0"] * 63]),
        "'{}' has numbers from 0 to 250, and digits expects pixels from 0 to 1: "
        "divide them by the largest that a pixel can be, such as 255",
    ),
}


def test_a_task_and_an_empty_text_are_no_files(run, trained):
    told = "FILE must be the file of a saved run, got the task 'digits': "
    for call in (("predict", "digits", "images.csv"), ("evaluate", "digits", "digits")):
        code, out, err = run(*call)
        assert (code, out) == (2, "") and err.startswith(f"lensgrad: {told}")
        assert err.endswith(" train digits --save digits.safetensors makes one\n")
    assert run("predict", str(trained), "") == (
        2,
        "",
        "lensgrad: INPUT must be the name of a file, got '': this run expects f32[8,8,1]\n",
    )


@pytest.mark.parametrize("header", ["{'descr': '<f4', 'fortran_order': False, 'shape': (3, 9999999999), }", "(" * 9000, "x" * 20000])
def test_a_false_header_is_told_and_no_advice_to_trust_it(run, trained, tmp_path, header):
    file = tmp_path / "rows.npy"
    file.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header.encode())
    code, out, err = run("predict", str(trained), str(file))
    cut = f"'{file}' is cut off: its header promises 119999999988 bytes of data, and it has 0: get it again"
    told = f"'{file}' is no .npy file: its header cannot be read"
    assert (code, out, err) == (2, "", f"lensgrad: {cut if 'descr' in header else told}\n")


@pytest.mark.parametrize("name", INPUTS)
def test_input_that_a_model_cannot_take_is_one_sentence(run, trained, tmp_path, name):
    text, told = INPUTS[name]
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert run("predict", str(trained), str(file)) == (2, "", f"lensgrad: {told.format(file)}\n")


def test_pictures_are_answered_by_name_as_their_numbers_are(run, trained, tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="Pillow is an optional package")
    monkeypatch.chdir(tmp_path)
    bytes_ = np.round(lg.data.digits()[1].x[:3] * 255).astype("uint8")
    np.save("rows.npy", bytes_)
    for k, x in enumerate(bytes_):
        image.fromarray(x[..., 0]).save(f"{k}.png")
    code, out, err = run("predict", str(trained), "0.png", "1.png", "2.png")
    assert (code, err) == (0, "")
    assert out == run("predict", str(trained), "rows.npy")[1].replace("row 1", "0.png").replace("row 2", "1.png").replace("row 3", "2.png")
    told = "one INPUT is answered at a time, unless all are pictures (.bmp, .jpeg, .jpg, .png, .webp): got 2"
    assert run("predict", str(trained), "0.png", "rows.npy") == (2, "", f"lensgrad: {told}\n")
    assert run("predict", str(trained), "9.png") == (2, "", "lensgrad: cannot use '9.png': No such file or directory\n")


def test_a_run_without_a_file_says_how_to_keep_one(run):
    assert run("train", "digits", "--epochs", "1")[1].splitlines()[-1].endswith(" train digits --save digits.safetensors")


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
