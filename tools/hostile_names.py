"""Names that end what they stand in and call, and things that are no names at all, for `tools.hostile`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

CALL = "hostile()"  # made by whatever runs a name
BREAKS = [
    *"\n\r\x0b\x0c\x1c\x85\u2028\u2029\t\0\b\x1b\x7f\u202e\u200b\ufeff\udc80\U000e0001",
    *("\r\n", '"""', "'''", '"', "'", "\\", '\\"""', "\\n", "#", "*/", "//", "/*", "`", "$(", ";", "|", "&", ")", "]", "}", "{", "{}"),
    *(
        "{0}",
        "{0.__class__}",
        "%s",
        "%n",
        "[/red]",
        "[link=x]",
        "</text>",
        "<script>",
        "-->",
        "]]>",
        "\\end",
        ".end",
        ".names",
        "endmodule",
    ),
    *("../", "/", "=", "+", "@", "-", " ", "a\nb\nc", "\\\n", "$\\frac$", "𝕏", "ﬁ", "ｎｐ"),
]
SHAPES = ["{b}{c}{b}", "a{b}    {c}  #", "a{b}{c}", "a{b}\n{c}\n{b}b", "{c}{b}", "x{b}\n{c}\n", "{b})\n{c}\nif (1", "a {b};{c};"]
SHAPES += ["{b}{b}{c}//{b}", "{b}", "a{b}b"]
ODD: list[Any] = [
    *("", "x" * 201, "x" * 5000, "a/" * 3000, "/", "//", "a//b", ".", "..", "__metadata__", "file", "None", "class", "lambda", "np"),
    *(
        "__class__",
        "__import__",
        "exec",
        "log_softmax",
        "one_hot",
        "convolve",
        "C0",
        "v1",
        "a0",
        "input",
        "step",
        "given_0",
        "best:x",
        "y",
        "x",
    ),
    *(None, 3, True, 1.5, b"bytes", ["x"], ("x", "y"), {"x": 1}, {"x"}, object(), np.str_("text"), np.array(["x", "y"]), np.ones(3)),
]


def name_of(random: Random) -> Any:
    """A name that ends what it stands in and calls, or something that is no name at all."""
    if random.random() < 0.15:
        return random.choice(ODD)
    return random.choice(SHAPES).format(
        b=random.choice(BREAKS), c=random.choice((CALL, f"__import__('builtins').{CALL}", f"{{{CALL}}}", ""))
    )
