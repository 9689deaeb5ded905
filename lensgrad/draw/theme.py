"""Colors: blue ahead and orange back, which all kinds of eyes tell apart (Okabe and Ito); in black and white what comes back is dashed."""

from __future__ import annotations

import re

from lensgrad.draw.style import INK

FONT = '"Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif'
LIGHT = {
    "paper": "#ffffff", "ink": "#1f2328", "quiet": "#59636e", "ahead": "#0b62a8", "back": "#c2500c", "read": "#8a929b",
    "lens": "#f6f8fa", "edge": "#57606a", "box": "#eaf2fa", "put": "#fdf0e6", "optimizer": "#eef6ea", "optimizer-edge": "#4d7c3a",
    "cap": "#f5effa", "cap-edge": "#7a4e9c", "frame": "#fbfcfd",
}  # fmt: skip
DARK = {
    "paper": "#0d1117", "ink": "#e6edf3", "quiet": "#9aa4af", "ahead": "#6cb6ff", "back": "#f0a04b", "read": "#7d8590",
    "lens": "#1b212a", "edge": "#8b949e", "box": "#14263a", "put": "#33230f", "optimizer": "#17281a", "optimizer-edge": "#7fb069",
    "cap": "#271d33", "cap-edge": "#b48ad6", "frame": "#11161d",
}  # fmt: skip


def rules(c: dict[str, str]) -> str:
    """The colors of a theme as rules of CSS."""
    strokes = "".join(
        f"path.{s}{{stroke:{c[s]}}}.head.{s},.dot.{s}{{fill:{c[s]}}}" for s in ("ahead", "back", "read")
    )  # fmt: skip
    fills = "".join(
        f".{kind} rect,.{kind}>path{{fill:{c[kind]};stroke:{c.get(kind + '-edge', c['edge'])}}}"
        for kind in ("lens", "box", "optimizer", "cap")
    )
    parts = f".lens.get rect{{fill:{c['box']};stroke:{c['ahead']}}}.lens.put rect{{fill:{c['put']};stroke:{c['back']}}}"
    frame = f".frame rect{{fill:{c['frame']};stroke:{c['edge']}}}"
    texts = f"text{{fill:{c['ink']}}}.small,.type,.input text,.output text{{fill:{c['quiet']}}}"
    base = f".paper{{fill:{c['paper']}}}{texts}{strokes}{fills}{parts}{frame}"
    return f"{base}path.head{{stroke:none}}.dot.back{{fill:{c['paper']};stroke:{c['back']}}}.plus{{stroke:{c['back']}}}"


SHAPES = (
    f"text{{font:{INK.font:g}px {FONT};text-anchor:middle}}"
    f".parameter text,.input text,.output text{{font-size:{INK.small:g}px}}.parameter text{{font-style:italic}}"
    ".input text{text-anchor:end}.output text{text-anchor:start}"
    f"text.small,text.type{{font-size:{INK.small:g}px;text-anchor:start}}"
    "path{fill:none;stroke-width:1.6}path.back{stroke-dasharray:6 3}path.read{stroke-dasharray:1.5 3;stroke-width:1.4}"
    "rect,.cap>path{stroke-width:1.3}.frame rect{stroke-dasharray:2 3}"
)
SCOPE = "lensgrad"  # the class of a picture: a page that holds one keeps its own style


def scoped(css: str) -> str:
    """The same rules, for what is inside a picture only."""
    return re.sub(r"([^{}]+)\{", lambda found: ",".join(f".{SCOPE} {s}" for s in found[1].split(",")) + "{", css)


CSS = f"{scoped(SHAPES + rules(LIGHT))}@media (prefers-color-scheme:dark){{{scoped(rules(DARK))}}}"
