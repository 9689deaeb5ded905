"""Docstrings on the documentation site: brackets before parentheses, as in R[f](x, y), are mathematics and no links."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

CODE = re.compile(r"(`[^`]*`)")
LINK = re.compile(r"\]\((?!https?:)")


def plain(text: str) -> str:
    """The same text, with what Markdown would read as a link escaped; code is left as it is."""
    return "".join(part if CODE.fullmatch(part) else LINK.sub(r"]\\(", part) for part in CODE.split(text))


class Mathematics(Extension):
    """Escapes the docstrings of everything that the site shows."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = plain(obj.docstring.value)
