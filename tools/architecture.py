"""The picture of the layers, docs/architecture.svg: drawn from what import-linter enforces and from what each room says of itself.

`python -m tools.architecture` writes it, with --check it says whether it is out of date.
"""

from __future__ import annotations

import ast
import sys
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "architecture.svg"
WIDTH, ROW, GAP, EDGE = 1120, 96, 26, 20
STYLE = """
  text { font-family: system-ui, sans-serif; fill: #1b1f24 }
  .name { font-weight: 600; font-size: 16px } .says { font-size: 12px }
  rect { fill: #eef3fb; stroke: #2f5d9b } line { stroke: #2f5d9b; stroke-width: 1.5; marker-end: url(#tip) }
"""


def layers() -> list[list[str]]:
    """The rooms of each layer, from the top one down."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [[room.strip().removeprefix("lensgrad.") for room in row.replace("|", ":").split(":")] for row in contract["layers"]]


def says(room: str) -> str:
    """What a room says of itself: the first sentence of its docstring."""
    where = ROOT / "lensgrad" / room
    file = where / "__init__.py" if where.is_dir() else where.with_suffix(".py")
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return told.split("\n")[0]


def box(room: str, left: float, top: float, width: float) -> str:
    """One room: its name and what it says, in lines that fit."""
    lines = textwrap.wrap(says(room), max(12, int(width / 6.6)))[:3]
    text = [f'<text class="name" x="{left + 12:g}" y="{top + 26:g}">{escape(room)}</text>']
    text += [f'<text class="says" x="{left + 12:g}" y="{top + 46 + 16 * k:g}">{escape(line)}</text>' for k, line in enumerate(lines)]
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{ROW}" rx="6"/>' + "".join(text)


def row(rooms: list[str], top: float) -> list[str]:
    """The rooms of one layer, side by side."""
    width = (WIDTH - 2 * EDGE - GAP * (len(rooms) - 1)) / len(rooms)
    return [box(room, EDGE + k * (width + GAP), top, width) for k, room in enumerate(rooms)]


def picture() -> str:
    """All layers, the upper ones importing the lower ones."""
    rows = layers()
    tops = [EDGE + k * (ROW + GAP) for k in range(len(rows))]
    boxes = [drawn for rooms, top in zip(rows, tops, strict=True) for drawn in row(rooms, top)]
    arrows = [f'<line x1="{WIDTH / 2:g}" y1="{top - GAP}" x2="{WIDTH / 2:g}" y2="{top - 3}"/>' for top in tops[1:]]
    path = '<path d="M0,0 L6,3 L0,6 Z" fill="#2f5d9b"/>'
    tip = f'<marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto">{path}</marker>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tops[-1] + ROW + EDGE}" role="img">'
    title = "<title>The layers of lensgrad: each imports only those below it</title>"
    back = '<rect style="fill:#fff;stroke:none" width="100%" height="100%"/>'
    return "\n".join([head, title, f"<style>{STYLE}</style><defs>{tip}</defs>{back}", *boxes, *arrows, "</svg>\n"])


def main() -> int:
    """Write the picture, or check it."""
    if "--check" in sys.argv:
        same = PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == picture()
        print(
            "docs/architecture.svg is what the code says" if same else "docs/architecture.svg is out of date: python -m tools.architecture"
        )
        return 0 if same else 1
    PICTURE.write_text(picture(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
