"""`lensgrad draw`: pictures of what has a name and of files, on the terminal and in files."""

import xml.etree.ElementTree as ET

import pytest

import lensgrad as lg
from lensgrad import circuits, recipes
from lensgrad.cli.draw import EXAMPLES
from lensgrad.draw.front import drawn_text, placed
from lensgrad.draw.svg import svg


def test_without_a_file_it_is_drawn_on_the_terminal(run):
    assert run("draw", "iris") == (0, drawn_text(recipes.task("iris").learner()) + "\n", "")


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_have_pictures(run, name):
    code, told, wrong = run("draw", name)
    assert (code, wrong) == (0, "") and "┌" in told


def test_options_are_those_of_the_function(run, tmp_path):
    file = tmp_path / "a.svg"
    code, told, _ = run("draw", "iris", "--view", "step", "--open", "hidden", "--types", "--output", str(file))
    wanted = svg(placed(recipes.task("iris").learner(), view="step", open=["hidden"], types=True))
    assert (code, file.read_text(encoding="utf-8")) == (0, wanted)
    assert told == f"{file}  {len(wanted.encode()):,} bytes\n"


def test_saved_runs_and_circuits_are_drawn(run, tmp_path):
    learner = lg.supervised(lg.dense(2, 1, name="line"), loss="mse", optimizer="sgd")
    learner.fit(([[0.0, 1.0]], [[1.0]]), epochs=1, progress=False).save(tmp_path / "run.safetensors")
    assert " line " in run("draw", str(tmp_path / "run.safetensors"))[1]
    circuits.write(EXAMPLES["circuit"](), tmp_path / "net.aig")
    assert "sum" in run("draw", str(tmp_path / "net.aig"))[1]


def test_a_page_is_written_beside_us_or_where_it_is_told(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, told, wrong = run("explore", "iris")
    size = (tmp_path / "iris.html").stat().st_size
    assert (code, told, wrong) == (0, f"iris.html  {size:,} bytes: open it in a browser\n", "")
    assert run("explore", "circuit", "-o", "a.html")[0] == 0 and (tmp_path / "a.html").read_text(encoding="utf-8").startswith(
        "<!DOCTYPE html>"
    )


def test_a_network_in_onnx_is_drawn_and_shown_with_a_picture(run, tmp_path):
    pytest.importorskip("onnx")
    learner = lg.supervised(lg.dense(2, 3), loss="mse", optimizer="sgd")
    learner.fit(([[0.0, 1.0]], [[1.0, 0.0, 0.0]]), epochs=1, progress=False).export(tmp_path / "net.onnx")
    assert "f32[2]" in run("draw", str(tmp_path / "net.onnx"))[1]
    code, told, _ = run("show", str(tmp_path / "net.onnx"), "--picture", str(tmp_path / "net.svg"))
    assert code == 0 and told.startswith(f"{tmp_path / 'net.svg'}  ")
    assert ET.parse(tmp_path / "net.svg").getroot().tag.endswith("svg")


WRONG = {
    ("draw", "stars"): (
        "'stars' is nothing that can be drawn; use one of iris, linear, digits, mnist, fashion, cifar10, shakespeare, cora, gan, "
        "dream, circuit, or a file (.safetensors, .onnx, .aig, .aag, .blif)"
    ),
    ("draw", "gan", "--model", "x"): "'gan' is one thing: leave --model away",
    ("explore", "iris", "--output", "a.svg"): "a page to explore ends in .html, got 'a.svg'; lg.draw writes pictures",
    ("draw", "iris", "--output", "a.gif"): "a picture ends in .svg, .tex, .png, .txt, got 'a.gif'",
    ("draw", "iris", "--view", "len"): "view must be one of arrow, lens, step, got 'len': did you mean 'lens'?",
    ("draw", "iris", "--open", "hiden"): "no box to open is called 'hiden'; this picture has: loss, hidden, output: did you mean 'hidden'?",
    ("draw", "iris", "a.svg"): "there is one argument more, 'a.svg': if it is the file to write, say --output a.svg; see lensgrad --help",
    ("draw", "none.safetensors"): "there is no checkpoint at 'none.safetensors': check its name and the current folder",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_is_wrong_is_said(run, words):
    assert run(*words) == (2, "", f"lensgrad: {WRONG[words]}\n")
