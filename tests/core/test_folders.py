"""Where the library keeps what it can make again, on systems as they are."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from lensgrad.core.folders import cache_folder, temporary

unix = pytest.mark.skipif(sys.platform == "win32", reason="users have no numbers")


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@unix
def test_a_user_has_a_folder_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("LENSGRAD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "lensgrad"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "lensgrad"


@unix
def test_a_user_without_a_home_has_a_folder_that_nobody_else_writes_to(monkeypatch, tmp_path):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("LENSGRAD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    mine = tmp_path / f"lensgrad-{os.getuid()}"
    assert cache_folder() == mine / "lensgrad" and mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o777)
    temporary.cache_clear()
    other = cache_folder()
    assert other.parent != mine and other.parent.parent == tmp_path and cache_folder() == other
    assert other.parent.stat().st_mode & 0o777 == 0o700
