"""Pictures as PNG, by resvg (`pip install "lensgrad[draw]"`), which draws SVG without a browser."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lensgrad.core.errors import BadValue
from lensgrad.core.extras import extra

ZOOM = 2.0  # pixels of the image for a pixel of the picture
MOST = 2**26  # pixels of an image: a larger picture gets fewer for each of its own, since what draws it needs four bytes for each
SIZE = {side: re.compile(rf'{side}="([0-9.]+)"') for side in ("width", "height")}
FAMILY = "DejaVu Sans"
PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15" font-size="14" font-family="sans-serif">{}</text></svg>'
)


def png(text: str) -> bytes:
    """A picture in SVG as an image."""
    resvg = extra("resvg_py", "draw", "a picture in PNG")
    if drawn(resvg, PROBE.format("x")) == drawn(resvg, PROBE.format("")):
        told = "a picture in PNG needs a font without serifs, and this machine has none"
        raise BadValue(f"{told}: install one, such as DejaVu Sans, or pip install 'lensgrad[plot]', which brings it, or write .svg")
    return drawn(resvg, text, zoom(text))


def zoom(text: str) -> float:
    """Pixels of the image for one of the picture, so that the image is not gigantic."""
    sizes = [SIZE[side].search(text, 0, text.find(">") + 1) for side in SIZE]
    wide, high = (float(found[1]) if found else 1.0 for found in sizes)
    return min(ZOOM, (MOST / (wide * high)) ** 0.5)


def drawn(resvg: Any, text: str, zoom: float = ZOOM) -> bytes:
    """What resvg makes of SVG, with the fonts that there are."""
    return bytes(resvg.svg_to_bytes(svg_string=text, zoom=zoom, font_dirs=matplotlib_fonts(), sans_serif_family=FAMILY))


def matplotlib_fonts() -> list[str]:
    """A folder of fonts for machines that have none: matplotlib brings DejaVu Sans."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" if found is not None and found.origin else None
    return [str(folder)] if folder is not None and folder.is_dir() else []
