"""README.md: its blocks run and print what is written, and its first screen speaks to everyone."""

import re

import pytest

from tools import readme

TEXT = readme.README.read_text(encoding="utf-8")


def test_every_block_prints_what_is_written_under_it():
    assert readme.stale(TEXT) == [], "if this is meant, `make readme` writes the page anew"


def test_no_output_block_is_empty():
    assert [found[0] for found in readme.BLOCK.finditer(TEXT) if not found[2].strip()] == []


def test_the_first_screen_has_no_words_of_category_theory():
    first = TEXT.split("\n## ")[0].lower().replace("lensgrad", "")
    assert re.findall(r"\b(?:lens|functor|categor|morphism|monoid|cartesian)\w*", first) == []


def test_the_first_example_has_eight_lines():
    first = next(found[2] for found in readme.BLOCK.finditer(TEXT) if found[1] == "python")
    assert len([line for line in first.splitlines() if line]) <= 8


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)) - {"docs/evidence.md"}))
def test_every_link_into_the_repository_has_a_target(target):
    assert (readme.README.parent / target).exists()


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("loss 0.5000", "loss 0.5001", True),
        ("loss 0.50", "loss 0.56", False),
        ("loss 0.5", "lost 0.5", False),
        ("epoch 1", "epoch 2", False),
        ("0.5", "0.5 0.5", False),
    ],
)
def test_output_is_compared_up_to_rounding_and_no_further(left, right, equal):
    assert readme.same(left, right) is equal


def test_fresh_output_replaces_what_was_written():
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\n```console\n$ lensgrad --version\nold\n```\n"
    fresh = readme.written(page)
    assert "```text\n2\n```" in fresh and "$ lensgrad --version\nlensgrad " in fresh and "old" not in fresh
    assert len(readme.stale(page)) == 2 and readme.stale(fresh) == []
