"""The pages of docs whose blocks run: they print what is written, and link to what is there."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from tools import architecture, readme

PAGES = [page for page in readme.PAGES if page != readme.CIRCUITS]  # circuits have a test of their own


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_block_prints_what_is_written_under_it(page):
    assert readme.stale(page.read_text(encoding="utf-8")) == [], "if this is meant, `make readme` writes the page anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_output_says_something_and_every_link_has_a_target(page):
    text = page.read_text(encoding="utf-8")
    assert [found[0] for found in readme.BLOCK.finditer(text) if not found[2].strip()] == []
    assert [link for link in re.findall(r"\]\((?!http)([^)#]+)\)", text) if not (page.parent / link).exists()] == []


def test_the_pages_can_be_found():
    for page in (readme.SYSTEMS, readme.TRADE_OFFS):
        assert f"(docs/{page.name})" in readme.README.read_text(encoding="utf-8")
        assert f"({page.name})" in (page.parent / "paper.md").read_text(encoding="utf-8")


def named(nav):
    """The pages that a table of contents names, at all depths."""
    return [page for entry in nav for value in entry.values() for page in ([value] if isinstance(value, str) else named(value))]


def test_the_site_has_every_page_and_nothing_else():
    listed = named(yaml.safe_load((readme.DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(listed) == sorted(p.relative_to(readme.DOCS).as_posix() for p in readme.DOCS.rglob("*.md"))


def test_the_reference_names_modules_that_are_there():
    for page in (readme.DOCS / "reference").glob("*.md"):
        for module in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            found = importlib.util.find_spec(module)  # some need packages of an extra when they are imported
            assert found and found.origin and ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8"))), module


def test_the_picture_of_the_layers_is_what_the_code_says():
    assert architecture.PICTURE.read_text(encoding="utf-8") == architecture.picture(), "`python -m tools.architecture` draws it anew"
