"""The pages of docs whose blocks run: they print what is written, and link to what is there."""

import re

import pytest

from tools import readme

PAGES = [readme.SYSTEMS, readme.TRADE_OFFS]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_block_prints_what_is_written_under_it(page):
    assert readme.stale(page.read_text(encoding="utf-8")) == [], "if this is meant, `make readme` writes the page anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_output_says_something_and_every_link_has_a_target(page):
    text = page.read_text(encoding="utf-8")
    assert [found[0] for found in readme.BLOCK.finditer(text) if not found[2].strip()] == []
    assert [link for link in re.findall(r"\]\((?!http)([^)#]+)\)", text) if not (page.parent / link).exists()] == []


def test_the_pages_can_be_found():
    for page in PAGES:
        assert f"(docs/{page.name})" in readme.README.read_text(encoding="utf-8")
        assert f"({page.name})" in (page.parent / "paper.md").read_text(encoding="utf-8")
