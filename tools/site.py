"""Hooks of the documentation site: links that leave docs, to code or examples, become the name of the file."""

from __future__ import annotations

import re
from typing import Any

LEAVES = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+(?:lensgrad|examples|tests|tools|benchmarks|README|CHANGELOG|CONTRIBUTING|LICENSE)[^)]*)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with links into the repository shown as text, since the site does not hold those files."""
    return LEAVES.sub(lambda found: f"{found[1]} (`{found[2].replace('../', '')}`)", markdown)
