"""docs/circuits.md and docs/circuits-walk.md: their blocks run and print what is written."""

import pytest

from tools import readme

PAGES = (readme.CIRCUITS, readme.WALK)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_prints_what_is_written_under_it(page, request):
    pytest.importorskip("pysat", reason="not run: the page proves, which needs the extra `sat`")
    if page == readme.WALK:
        pytest.importorskip("sklearn", reason="not run: the page has a classifier for scikit-learn")
        request.getfixturevalue("data_folder")
    assert readme.stale(page.read_text(encoding="utf-8")) == [], "if this is meant, `make readme` writes the page anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_output_block_is_empty(page):
    assert [found[0] for found in readme.BLOCK.finditer(page.read_text(encoding="utf-8")) if not found[2].strip()] == []
