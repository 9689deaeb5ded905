"""Pictures as PNG, by resvg (`pip install "lensgrad[draw]"`), which draws SVG without a browser."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from lensgrad.core.extras import extra

ZOOM = 2.0  # pixels of the image for a pixel of the picture
FAMILY = "DejaVu Sans"


def png(text: str) -> bytes:
    """A picture in SVG as an image."""
    fonts = matplotlib_fonts()
    found = extra("resvg_py", "draw", "a picture in PNG").svg_to_bytes(
        svg_string=text, zoom=ZOOM, font_dirs=fonts, sans_serif_family=FAMILY
    )
    return bytes(found)


def matplotlib_fonts() -> list[str]:
    """A folder of fonts for machines that have none: matplotlib brings DejaVu Sans."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" if found is not None and found.origin else None
    return [str(folder)] if folder is not None and folder.is_dir() else []
