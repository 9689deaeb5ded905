"""Names are data: hostile ones through everything that takes, writes or reads a name, and a list of all that writes."""

import ast
import io
import re
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

import lensgrad
from lensgrad import circuits
from lensgrad.backends import source
from lensgrad.core import checks
from tools import hostile

PACKAGE = Path(lensgrad.__file__).parent

# What writes files or runs text, with the door of tools/hostile.py that goes through it, or why no name comes into it.
WRITERS = {
    "backends/native/compiler.py": "compiles one source of the library's own, in a folder of this user alone",
    "backends/native/library.py": "the C of a step, where names of layers are words of letters only",
    "backends/numpy.py": "layer name",
    "circuits/formats/files.py": "circuit input",
    "cli/__init__.py": "what learner.source() gives",
    "cli/circuit.py": "what the writers of circuits give",
    "data/files.py": "official data, compared with its digest",
    "draw/pictures.py": "pictures with titles that the caller writes, and plots whose words are no formulas: tests/train/test_shown.py",
    "draw/written.py": "pictures, of names that are hostile below, and pages whose names stay data: tests/draw/test_explore.py",
    "files/place.py": "layer name",
    "testing/mutants_c.py": "wrong versions of the library's own meanings in C",
    "testing/passes_c.py": "closes the page of memory behind an array of its own, and writes nothing",
    "testing/mutations.py": "mutants of the library's own rules",
    "train/logs.py": "layer name",
}
WRITING = {"write_text", "write_bytes", "savez", "savefig", "save_file", "exec", "eval", "fdopen", "CDLL", "NamedTemporaryFile"}


def writes(tree):
    """Whether a module opens a file for writing, writes one, or runs text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = [a.value for a in ast.walk(node) if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if called in WRITING or (called == "open" and any(re.fullmatch("[rwxa]b?\\+?", t) and t[0] in "wxa" for t in texts)):
                yield called


def test_everything_that_writes_or_runs_text_is_listed_with_its_door():
    found = {str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py") if any(writes(ast.parse(p.read_text(encoding="utf-8"))))}
    assert found == set(WRITERS)
    assert {w for w in WRITERS.values() if " " not in w} <= hostile.DOORS.keys()


def test_every_format_of_circuits_is_written_at_a_door():
    """The doors write each format that there is, so that a new one comes with them."""
    assert {"aag", "aig", "blif", "c", "v"} <= circuits.WRITERS.keys()
    assert {"circuit input", "circuit output", "circuit file"} <= hostile.DOORS.keys()


def tried(names, chosen="", folder=None, monkeypatch=None):
    monkeypatch.chdir(folder)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return hostile.hostile(names, chosen)


def test_no_hostile_name_is_run_or_ends_in_a_raw_error(tmp_path, monkeypatch):
    found = tried(240, folder=tmp_path, monkeypatch=monkeypatch)
    assert (dict(found.executed), dict(found.raw)) == ({}, {}), str(found)
    assert found.taken > 60 and found.refused > 60 and found.taken + found.refused == found.names == 240


@pytest.mark.parametrize(
    ("module", "name", "replacement", "door"),
    [
        (source, "quoted", lambda text: text, "printed source"),
        (checks, "unprintable", lambda c: False, "layer name"),
    ],
)
def test_the_doors_see_what_is_not_neutralised(tmp_path, monkeypatch, module, name, replacement, door):
    """With a defence taken away, names are run or end what they stand in: the test above can fail."""
    monkeypatch.setattr(module, name, replacement)
    if door == "layer name":  # where nothing is refused, comments must be left as they are to run
        monkeypatch.setattr(source, "comment", lambda text, mark="  # ": mark + text)
        monkeypatch.setattr(checks, "name", lambda what, value, longest=0: value)
    found = tried(120, door, tmp_path, monkeypatch)
    assert found.executed[door] or (door == "printed source" and any("SyntaxError" in where for where in found.raw))


def test_a_file_of_a_stranger_with_a_hostile_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile.kept.cache_clear()
    for name in ("a\nhostile()", "a\u2028b", "x" * 5000, ""):
        with pytest.raises(lensgrad.LensgradError):
            hostile.tampered(name)
            pytest.fail(f"{name!r:.40} was read")
