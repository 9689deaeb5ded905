"""Pictures of what has hostile names: they hold the elements, attributes and commands of the library, and no others."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import lensgrad as lg
from lensgrad.draw.front import drawn_text, placed
from lensgrad.draw.svg import svg
from lensgrad.draw.tikz import ESCAPES, tikz

ELEMENTS = {"svg", "title", "style", "rect", "g", "path", "text", "circle"}
ATTRIBUTES = {"viewBox", "width", "height", "role", "aria-label", "style", "class", "data-id", "x", "y", "rx", "d", "cx", "cy", "r"}
COMMAND = re.compile(r"\\([A-Za-z]+)")
COMMANDS = {"fill", *COMMAND.findall("".join(ESCAPES.values())), *COMMAND.findall(tikz(placed(lg.dense(2, 2), depth=1, types=True)))}


def pictures(learner: Any) -> list[str]:
    """The texts of pictures of a learner, for terminals; a name that became part of a picture is an error."""
    found = list[str]()
    options: tuple[dict[str, Any], ...] = ({}, {"view": "step", "depth": 1, "types": True})
    for how in options:
        made = placed(learner, **how)
        for element in ElementTree.fromstring(svg(made)).iter():
            if element.tag.rpartition("}")[2] not in ELEMENTS or not ATTRIBUTES.issuperset(element.attrib):
                raise ValueError(f"a name became part of a picture: {element.tag} {element.attrib}")
        strange = set(COMMAND.findall(tikz(made))) - COMMANDS
        if strange:
            raise ValueError(f"a name became a command of TeX: {strange}")
        found.append(drawn_text(learner, **how))
    return found
