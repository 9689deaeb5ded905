"""docs/circuits.md: its blocks run and print what is written."""

import pytest

from tools import readme

TEXT = readme.CIRCUITS.read_text(encoding="utf-8")


def test_every_block_prints_what_is_written_under_it():
    pytest.importorskip("pysat", reason="not run: the page proves, which needs the extra `sat`")
    assert readme.stale(TEXT) == [], "if this is meant, `make readme` writes the page anew"


def test_no_output_block_is_empty():
    assert [found[0] for found in readme.BLOCK.finditer(TEXT) if not found[2].strip()] == []
