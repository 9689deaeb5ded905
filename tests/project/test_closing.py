"""The last line of a test run says how many tests could not run, so that a missing tool never looks like a pass."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
TESTS = """import pytest


def test_a(): pass


@pytest.mark.skip(reason="not run: no abc on PATH")
def test_b(): pass


def test_c(): pytest.importorskip("no_such_module", reason="no such extra")


@pytest.mark.skip(reason="not run: no abc on PATH")
def test_d(): pass
"""


def lines(tmp_path, text):
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    ran = subprocess.run(call, capture_output=True, text=True, encoding="utf-8", check=False, cwd=tmp_path, env=os.environ.copy())
    return ran.stdout.strip().splitlines()


def test_what_was_not_run_is_counted_with_its_reasons(tmp_path):
    assert lines(tmp_path, TESTS)[-3:] == [
        "not run: 2, because no abc on PATH",
        "not run: 1, because no such extra",
        "1 passed, 3 not run",
    ]


def test_where_all_ran_the_last_line_says_so_and_failures_stand_first(tmp_path):
    assert lines(tmp_path, "def test_a(): pass\n")[-1] == "1 passed, 0 not run"
    assert lines(tmp_path, "def test_a(): pass\ndef test_b(): assert 0\n")[-1] == "1 failed, 1 passed, 0 not run"
