"""The project around the library: its files, its sizes, its examples, and what it does not say."""

import itertools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lensgrad
from benchmarks import linear_cost
from tools import evidence, measures, measures_examples, refusals, size

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ("lensgrad", "tests", "tools", "examples", "benchmarks", "docs", ".github", ".ci")
TEXTS = [p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".md", ".yml", "") and p.is_file()]
TEXTS += [p for p in ROOT.iterdir() if p.is_file() and (p.suffix in (".md", ".toml") or p.name in ("Makefile", "LICENSE"))]


def test_no_file_and_no_function_is_too_long(capsys):
    assert size.main() == 0, capsys.readouterr().out


def test_no_two_files_of_tests_have_one_name():
    """Python imports them by their names alone."""
    names = sorted(p.name for p in (ROOT / "tests").rglob("*.py") if p.name not in ("__init__.py", "conftest.py"))
    assert [a for a, b in itertools.pairwise(names) if a == b] == []


def test_functions_of_the_library_are_small():
    lengths = sorted(n for path in (ROOT / "lensgrad").rglob("*.py") for _, n in size.measure(path)[2])
    assert lengths[len(lengths) // 2] <= 5 and lengths[int(len(lengths) * 0.9)] <= 15


def test_size_counts_code_and_neither_docstrings_nor_comments(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('"""Doc."""\n\n# why\ndef f(x):\n    """Doc\n    more."""\n\n    # why\n    return x\n', encoding="utf-8")
    total, code, functions = size.measure(file)
    assert (total, code, [n for _, n in functions]) == (9, 2, [2])


def test_size_reports_what_is_too_long(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(size, "ROOT", tmp_path)
    (tmp_path / "lensgrad").mkdir()
    (tmp_path / "lensgrad" / "a.py").write_text("def f():\n" + "    x = 1\n" * 400, encoding="utf-8")
    assert size.main() == 1
    told = capsys.readouterr().out.splitlines()[-3:]
    file = Path("lensgrad") / "a.py"
    assert told == [f"{file} has 401 lines, more than 400", f"{file}:1 f has 401 lines, more than 40", "a limit is broken"]


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_every_example_runs(file):
    ran = subprocess.run([sys.executable, str(file), "--quick"], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip()


def test_composing_is_linear_in_nodes_and_each_forward_stands_once_in_put():
    rows = [linear_cost.put_of(b, n) for b in linear_cost.BRACKETINGS for n in (8, 16, 32)]
    assert all(row.forward_once for row in rows)
    assert [row.nodes for row in rows[:3]] == [row.nodes for row in rows[3:6]] == [row.nodes for row in rows[6:]]
    assert rows[2].nodes - rows[1].nodes == 2 * (rows[1].nodes - rows[0].nodes)


@pytest.mark.parametrize("name", refusals.CALLS)
def test_every_wrong_call_is_refused(name):
    assert refusals.answer(refusals.CALLS[name]) != "not refused"


def test_importing_the_library_imports_nothing_that_is_optional_or_slow():
    listed = "import lensgrad, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = set(subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True).stdout.split())
    assert loaded & {"jax", "torch", "scipy", "hypothesis", "matplotlib", "pytest", "rich", "typer", "safetensors"} == set()


def test_the_public_door_is_alphabetical_and_open():
    assert lensgrad.__all__ == sorted(lensgrad.__all__)
    assert [name for name in lensgrad.__all__ if not hasattr(lensgrad, name)] == []


def test_the_package_is_typed_and_licensed():
    assert (ROOT / "lensgrad" / "py.typed").exists()
    assert all((ROOT / name).exists() for name in PROJECT["project"]["license-files"])
    assert "END OF TERMS AND CONDITIONS" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_bundled_data_file_has_its_license():
    told = (ROOT / "lensgrad" / "data" / "LICENSES.md").read_text(encoding="utf-8")
    data = [p.name for p in (ROOT / "lensgrad" / "data").iterdir() if p.suffix not in (".py", ".md", "") and p.is_file()]
    assert data and [name for name in data if f"`{name}`" not in told] == []


def test_the_changes_of_this_version_are_told():
    assert f"## {lensgrad.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_nothing_names_a_machine_a_registry_or_an_unfinished_thought():
    said = ("/" + "work/", "/" + "tmp/", "pypi" + ".org", "python" + "hosted", "npm" + "js.", "TO" + "DO", "FIX" + "ME")
    found = [(p.name, word) for p in TEXTS for word in said if word in p.read_text(encoding="utf-8")]
    assert found == []


def test_every_file_that_is_opened_as_text_says_its_encoding():
    calls = re.compile(r"(?:\.read_text|\.write_text)\((?![^\n]*encoding=)[^\n]*")
    found = [f"{p.name}: {call}" for p in TEXTS if p.suffix == ".py" for call in calls.findall(p.read_text(encoding="utf-8"))]
    assert [f for f in found if "re.compile" not in f] == []


def test_evidence_reports_what_fails_beside_what_holds(monkeypatch, tmp_path, capsys):
    def broken():
        raise measures.Broken(f"too slow: 9 s\nin {ROOT}{os.sep}lensgrad with {sys.executable}")

    pieces = [evidence.Piece(name, name, call) for name, call in (("a", lambda: ("1 | 2", ["x"])), ("b", broken), ("c", lambda: 1 / 0))]
    monkeypatch.setattr(evidence, "PIECES", pieces)
    monkeypatch.setattr(evidence, "PAGE", tmp_path / "evidence.md")
    assert evidence.main([]) == 1
    page = (tmp_path / "evidence.md").read_text(encoding="utf-8")
    assert "**1 of 3 promises hold.** 2 do not." in page
    assert "| a | holds | 1 \\| 2 |" in page and "| b | **FAILS** | too slow: 9 s |" in page
    assert "| c | **FAILS** | could not be measured: ZeroDivisionError: division by zero |" in page
    assert "- in lensgrad with python\n" in page
    assert capsys.readouterr().out.count("FAILS") == 2


def test_examples_are_timed_and_must_leave_their_pictures(tmp_path, monkeypatch):
    (tmp_path / "plain.py").write_text("print('no picture')", encoding="utf-8")
    (tmp_path / "drawn.py").write_text('print("epoch 1/2")\nprint("a | 1.5")\nopen("a.png", "wb").close()', encoding="utf-8")
    told, (*_, row) = measures_examples.examples(tmp_path)
    assert told.startswith("1 examples with pictures, the slowest in ") and row.endswith(" | a.png, 0 KB | a \\| 1.5 |")
    monkeypatch.setattr(measures_examples, "LIMIT", 0.0)
    with pytest.raises(measures.Broken):
        measures_examples.examples(tmp_path)
    (tmp_path / "drawn.py").write_text('"a.png"\nprint("nothing")', encoding="utf-8")
    with pytest.raises(measures.Broken, match=r"drawn\.py left no a\.png"):
        measures_examples.examples(tmp_path)


def test_evidence_of_one_piece_keeps_what_the_others_gave(monkeypatch, tmp_path):
    figures = iter(["1", "2", "3"])
    pieces = [evidence.Piece(name, name, lambda: (next(figures), [])) for name in ("a", "b", "c")]
    monkeypatch.setattr(evidence, "PIECES", pieces)
    monkeypatch.setattr(evidence, "PAGE", tmp_path / "evidence.md")
    assert evidence.main(["no such piece"]) == 2 and not (tmp_path / "evidence.md").exists()
    assert evidence.main(["b"]) == 0 and evidence.main(["a"]) == 0 and evidence.main(["b"]) == 0
    page = (tmp_path / "evidence.md").read_text(encoding="utf-8")
    assert "**2 of 3 promises hold.** Not measured yet: c." in page
    assert "| a | holds | 2 |\n| b | holds | 3 |\n" in page and evidence.commit() in page
