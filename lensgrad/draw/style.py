"""Sizes: how wide texts are, and how far things stand apart. Layout asks nothing else of what will be drawn with it.

`INK` is for pictures, in pixels; `CELLS` is for terminals, in characters. Widths are those of DejaVu Sans, the widest of the usual fonts
without serifs, so that no label is cut where another one is drawn with.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace

# Widths of the characters from space to ~, in thousandths of the size of the font.
WIDTHS = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635,
    634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)  # fmt: skip
OTHER, WIDE = 838, 1000  # any other letter or sign, and one as wide as it is high


def thousandths(c: str) -> int:
    """The width of a character."""
    if " " <= c <= "~":
        return WIDTHS[ord(c) - 32]
    if unicodedata.combining(c):
        return 0
    return WIDE if unicodedata.east_asian_width(c) in "WF" or c in "…—" else OTHER


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@dataclass(frozen=True, slots=True)
class Style:
    """How large things are. A cable of two strands is `gap` high, and `across` wide where it runs up."""

    cells: bool = False
    font: float = 14  # of labels
    small: float = 12  # of names and types
    line: float = 16  # from a line of text to the next
    gap: float = 16
    across: float = 16
    pad: float = 14  # inside a box, left and right of its label
    margin: float = 12  # inside a box, above and below its ports
    between: float = 14  # from port to port
    rows: float = 22  # from box to box, in one layer
    link: float = 26  # from a box up to what stands on it
    drop: float = 34  # from a box down to its way back
    side: float = 16  # from tower to tower, on one box
    stub: float = 8  # from a box to where its wire begins to turn
    channel: float = 34  # between layers, at least
    frame: float = 14  # inside a frame
    bend: float = 14  # from the top of a box to a wire that turns down into it
    edge: float = 14  # around the picture
    lane: float = 10  # from strand to strand, on their way from one row of the picture to the next
    bridge: float = 24  # from a row to such a strand
    types: bool = False  # on wires
    most: float = math.inf  # how wide a row is at most, where it can be broken
    few: float = math.inf  # how many cables go on from there in the next row at most

    def width(self, text: str, size: float) -> float:
        """The width of a text on one line."""
        return float(columns(text)) if self.cells else round(sum(map(thousandths, text)) * size / 1000, 1)

    def block(self, lines: int) -> float:
        """The height of a label: from its first line to its last one where a line is a row."""
        return float(lines - 1) if self.cells else self.line * lines

    def snap(self, value: float) -> float:
        """A length that this style can draw."""
        return float(math.floor(value + 0.5)) if self.cells else value

    def gutter(self, wires: int, rise: float) -> float:
        """How wide the channel between two layers is, for so many wires that turn and the largest rise of one."""
        return 3.0 + 2 * wires if self.cells else self.channel + min(46.0, rise * 0.22)


INK = Style()
CELLS = Style(
    True, font=1, small=1, line=1, gap=1, across=3, pad=2, margin=1, between=2, rows=1, link=2, drop=2, side=2, stub=1, channel=4,
    frame=2, bend=1, edge=0, lane=1,
    bridge=1,
)  # fmt: skip


def with_types(style: Style) -> Style:
    """The same sizes with room for types on wires."""
    return replace(style, types=True, between=max(style.between, style.line + 4), gap=max(style.gap, style.line + 2))
