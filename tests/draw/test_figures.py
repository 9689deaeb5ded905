"""The figures of the README and of the pages are what the code draws now, and each is shown somewhere."""

import re
from pathlib import Path

import pytest

from tools import figures

ROOT = Path(__file__).resolve().parents[2]
PAGES = {p: p.read_text(encoding="utf-8") for p in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))}


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_what_the_code_draws(name):
    assert (figures.FOLDER / f"{name}.svg").read_text(encoding="utf-8") == figures.drawn(name), "if this is meant: python -m tools.figures"


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_on_a_page(name):
    assert any(f"pictures/{name}.svg" in text for text in PAGES.values())


def test_the_first_picture_of_the_readme_is_the_step_of_its_first_example():
    readme = PAGES[ROOT / "README.md"]
    assert re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)[0] == "docs/pictures/quickstart.svg"
    example = next(b for b in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "supervised" in b)
    names = {"__name__": "readme"}
    lines = [line for line in example.splitlines() if line.startswith(("import", "model", "learner"))]
    exec("\n".join(lines), names)
    _, how, about = figures.FIGURES["quickstart"]
    assert figures.svg(figures.layout(figures.scened(names["learner"], how["view"])), about=about) == figures.drawn("quickstart")
