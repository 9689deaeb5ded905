"""The front door: a picture of anything that is composed, as a file whose ending says what it is, or as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike

from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue
from lensgrad.core.printed import Printed
from lensgrad.draw.explore.front import explore
from lensgrad.draw.place import layout
from lensgrad.draw.placed import Picture
from lensgrad.draw.png import png
from lensgrad.draw.scene import Scene, count
from lensgrad.draw.style import CELLS, INK, Style, with_types
from lensgrad.draw.subject import VIEWS, Subject, scene
from lensgrad.draw.svg import svg
from lensgrad.draw.text import text
from lensgrad.draw.tikz import tikz
from lensgrad.draw.written import written

Where = str | PathLike[str]
FOREIGN = {  # what arguments of draw are called elsewhere
    "filename": "the file comes second, as in lg.draw(model, 'model.svg')",
    "format": "the ending of the file is its format, as in lg.draw(model, 'model.svg')",
    "to_file": "the file comes second, as in lg.draw(model, 'model.svg')",
    "show_shapes": "it is types=True here",
    "expand_nested": "depth=1 opens each box once, depth=2 twice",
}
MOST = 400  # boxes that a notebook shows without being asked
WIDTH = 1600  # pixels beyond which a picture goes on in rows below without being asked
FEW = 2  # cables that do so from one row to the next at most, without being asked


@in_words(FOREIGN)
def draw(
    subject: Subject, path: Where, *, view: str | None = None, depth: int = 0, open: str | Sequence[str] = (), types: bool = False,
    states: bool = False, width: float | None = None,
) -> None:  # fmt: skip
    """Write a picture; the ending of the path says in which form: .svg, .tex (TikZ), .png or .txt.

    Wires go from left to right, parameters come from above. What flows ahead is blue; what comes back is orange and dashed. A layer is
    one box, and `<title>` texts say the rest. A picture that is too wide goes on in rows below, as a text does.

    - `subject`: an arrow, a lens, a model, a learner or a run; of a run, its learner.
    - `path`: the file.
    - `view`: "arrow" is the way ahead; "lens" has both ways through each box; "step" has the passes apart, with what the way back reads.
      Unless given, arrows and models are drawn as arrows, lenses and learners as lenses.
    - `depth`: how many levels of boxes are opened; 0 unless given.
    - `open`: names of boxes to open besides, or patterns as for parameters: "block1", "*/attention"; none unless given.
    - `types`: whether types stand on wires; False unless given.
    - `states`: whether what a step writes back to states and keys is shown as an output; False unless given.
    - `width`: how wide a row is at most, in pixels, or in characters of .txt; float("inf") is one row. Unless given, 1600 pixels where at
      most two cables go on from a row to the next, and one row as .txt.
    """
    target = checks.file("where a picture is written", path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        page = "; lg.explore writes a page" if target.suffix.lower() in (".html", ".htm") else ""
        raise BadValue(f"a picture ends in {', '.join(WRITERS)}, got {checks.shown(str(path))}{page}")
    found, style = write
    picture = placed(subject, view=view, depth=depth, open=open, types=types, states=states, width=width, style=style)
    written(target, found(picture, styled(style, types)))


def svg_bytes(picture: Picture, style: Style) -> bytes:
    return svg(picture, style).encode()


def png_bytes(picture: Picture, style: Style) -> bytes:
    return png(svg(picture, style))


def tikz_bytes(picture: Picture, style: Style) -> bytes:
    return tikz(picture, style).encode()


def text_bytes(picture: Picture, style: Style) -> bytes:
    return (text(picture) + "\n").encode()


WRITERS: dict[str, tuple[Callable[[Picture, Style], bytes], Style]] = {
    ".svg": (svg_bytes, INK),
    ".tex": (tikz_bytes, INK),
    ".png": (png_bytes, INK),
    ".txt": (text_bytes, CELLS),
}


def styled(style: Style, types: bool) -> Style:
    """A style, with room for types where they are wanted."""
    return with_types(style) if types else style


def sized(style: Style, width: float | None) -> Style:
    """A style, with rows that are so wide at most."""
    if width is None:
        return style if style.cells else replace(style, most=WIDTH, few=FEW)
    most = checks.bound("width", width)
    if most <= 0:
        raise BadValue(f"width must be a positive number, got {checks.shown(width)}")
    return replace(style, most=most - 1 if style.cells else most)


def scened(subject: Subject, view: str | None = None, depth: int = 0, open: str | Sequence[str] = (), states: bool = False) -> Scene:
    """The scene of what is drawn, with its options checked."""
    if view is not None:
        checks.one_of("view", view, VIEWS)
    patterns = (open,) if isinstance(open, str) else checks.names("open", open)
    return scene(subject, view, checks.whole("depth", depth), patterns, checks.flag("states", states))


def placed(
    subject: Subject, *, view: str | None = None, depth: int = 0, open: str | Sequence[str] = (), types: bool = False, states: bool = False,
    width: float | None = None, style: Style = INK,
) -> Picture:  # fmt: skip
    """The picture of what is drawn, for other programs: `placed(…).as_dict()` is plain data."""
    return layout(scened(subject, view, depth, open, states), styled(sized(style, width), checks.flag("types", types)))


def drawn_text(
    subject: Subject, *, view: str | None = None, depth: int = 0, open: str | Sequence[str] = (), types: bool = False, states: bool = False,
    width: float | None = None,
) -> str:  # fmt: skip
    """The picture as text, for terminals."""
    return Printed(text(placed(subject, view=view, depth=depth, open=open, types=types, states=states, width=width, style=CELLS)))


def shown_svg(subject: Subject) -> str | None:
    """The picture that a notebook shows; None where it would be too large, or where there is none."""
    if isinstance(subject, Family):
        return None
    made = scened(subject)
    return svg(layout(made, sized(INK, None))) if count(made)[0] <= MOST else None


__all__ = ["draw", "drawn_text", "explore", "placed", "scened", "shown_svg", "sized", "styled"]
