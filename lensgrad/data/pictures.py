"""Picture files as the arrays that an image model takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue, MissingExtra

ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
ORIENTATION = 0x0112  # of EXIF
GRAY, COLOR = ("1", "L"), ("P", "RGB")  # what Pillow calls pictures of 8 bits a channel; "1" has one bit, "P" a palette


def picture(file: Path, shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """A picture as bytes u8[height, width, channels]: those of `shape`, which is (height, width, 1 or 3), or an error.

    Nothing is resized, and no color is made gray: that is a choice, and who trained the model made one.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise BadValue(f"'{file}' is a picture, and this model takes arrays of shape {tuple(shape)}: give numbers, as a .csv or .npy file")
    height, width, channels = shape
    with opened(file) as found:
        check_alone(file, found)
        kind, wanted = kind_of(file, found), ("gray" if channels == 1 else "color")
        if kind != wanted:
            raise BadValue(f"'{file}' is a {kind} picture, and this model takes {wanted} ones: turn it into one first")
        if found.size != (width, height):
            told = f"{found.size[0]} pixels wide and {found.size[1]} high, and this model takes {width} and {height}"
            raise BadValue(f"'{file}' is {told}: cut it out or resize it first")
        return pixels(file, found, "L" if channels == 1 else "RGB").reshape(height, width, channels)


def opened(file: Path) -> Any:
    """The picture in a file, its size and kind known."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtra("reading pictures needs Pillow, which is not installed: pip install 'lensgrad[images]'") from error
    try:
        return Image.open(file)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as wrong:
        if isinstance(wrong, OSError) and wrong.filename:  # the file cannot be opened, whatever is in it
            raise
        raise BadValue(f"'{file}' cannot be read as a picture: it is none, or damaged, or too large") from wrong


def check_alone(file: Path, found: Any) -> None:
    """Refuse what has several pictures, or is shown otherwise than it is written."""
    try:
        frames, turned = getattr(found, "n_frames", 1), found.getexif().get(ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError) as wrong:
        raise BadValue(f"'{file}' is damaged: its pixels cannot be read") from wrong
    if frames > 1:
        raise BadValue(f"'{file}' has {frames} pictures, one after the other: save one of them")
    if turned != 1:
        raise BadValue(f"'{file}' is shown turned, as its EXIF orientation {turned} says: save it as it is shown")


def kind_of(file: Path, found: Any) -> str:
    """Gray or color; an error for what is neither."""
    if "transparency" in found.info or found.mode in ("LA", "PA", "RGBA", "La", "RGBa"):
        raise BadValue(f"'{file}' is transparent in places, and nobody here knows what is behind: put it on a background first")
    if found.mode not in (*GRAY, *COLOR):
        raise BadValue(f"'{file}' is a picture of kind {found.mode}: save it as 8 bits gray, or as 8 bits each of red, green and blue")
    return "gray" if found.mode in GRAY else "color"


def pixels(file: Path, found: Any, mode: str) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(found.convert(mode), np.uint8)
    except (OSError, SyntaxError, ValueError) as wrong:
        raise BadValue(f"'{file}' is damaged: its pixels cannot be read") from wrong
