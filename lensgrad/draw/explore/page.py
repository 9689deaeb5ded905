"""The page itself: style, program and data in one file of HTML, where data are never read as anything else.

Its policy (CSP) lets nothing be loaded, and runs this package's own program alone, by its digest. Data are JSON in ASCII, in which no
`<`, `>` or `&` stands, so a name ends neither the element that it is in nor a text; the program puts texts into the page as texts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

from lensgrad.core.checks import clean
from lensgrad.draw.theme import DARK, FONT, LIGHT


def page(title: str, data: dict[str, Any]) -> str:
    """A file of HTML."""
    style, program = f"{colors()}\n{part('page.css')}", part("page.js")
    policy = (
        f"default-src 'none'; script-src '{digest(program)}'; style-src '{digest(style)}'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    parts = {"policy": policy, "title": escape(clean(title)), "style": style, "data": embedded(data), "program": program}
    head, *slots = part("page.html").split("{{")
    return head + "".join(parts[name] + rest for name, _, rest in (slot.partition("}}") for slot in slots))


def part(name: str) -> str:
    """A file beside this one."""
    return (files("lensgrad.draw.explore") / name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """What a policy calls an element of this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(data: dict[str, Any]) -> str:
    """Data as JSON that no parser of HTML reads anything in."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def colors() -> str:
    """The colors of pictures as variables: light, or dark where the reader or a button says so."""
    light, dark = ("".join(f"--{name}:{color};" for name, color in theme.items()) for theme in (LIGHT, DARK))
    return (
        f":root{{--font:{FONT};color-scheme:light;{light}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}"
    )


__all__ = ["page"]
