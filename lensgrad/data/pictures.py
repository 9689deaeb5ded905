"""Picture files as the arrays that an image model takes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, MissingData, MissingExtra, listed, warn
from lensgrad.core.printed import counted
from lensgrad.data.bundled import Dataset

ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
WANTED = f"pictures must end in {', '.join(ENDINGS)}; save others as one of these, or take them out"
SYSTEM = ("desktop.ini", "thumbs.db")  # what Windows writes into folders
FORMATS = ("BMP", "JPEG", "PNG", "WEBP")  # what a file holds, whatever its name: readers of other formats may start programs
ORIENTATION = 0x0112  # of EXIF
GRAY, COLOR = ("1", "L"), ("P", "RGB")  # what Pillow calls pictures of 8 bits a channel; "1" has one bit, "P" a palette


def picture(file: Path, shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """A picture as bytes u8[height, width, channels]: those of `shape`, which is (height, width, 1 or 3), or an error.

    Nothing is resized, and no color is made gray: that is a choice, and who trained the model made one.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise BadValue(
            f"'{file}' is a picture, and this model expects arrays of shape {tuple(shape)}: give numbers, as a .csv or .npy file"
        )
    height, width, channels = shape
    with opened(file) as found:
        check_alone(file, found)
        kind, wanted = kind_of(file, found), ("gray" if channels == 1 else "color")
        if kind != wanted:
            raise BadValue(f"'{file}' is a {kind} picture, and this model expects {wanted} ones: turn it into one first")
        if found.size != (width, height):
            told = f"{found.size[0]} pixels wide and {found.size[1]} high, and this model expects {width} and {height}"
            raise BadValue(f"'{file}' is {told}: cut it out or resize it first")
        return pixels(file, found, "L" if channels == 1 else "RGB").reshape(height, width, channels)


def opened(file: Path) -> Any:
    """The picture in a file, its size and kind known."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtra("reading pictures needs Pillow, which is not installed: pip install 'lensgrad[images]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # what is far too large is refused below
            return Image.open(file, formats=FORMATS)
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


def folder(where: str | Path, size: Sequence[int]) -> Dataset:
    """A folder with one folder of pictures for each class, as a data set: x : f32[n, height, width, 3] in [0, 1], y : i32[n].

    Pictures of any size are resized to `size`, which is (height, width), and gray ones become color. Classes are called as their
    folders, sorted. What cannot be read is named in the error; files with other endings, and links that lead out of the folder, are
    left out, with a warning.
    """
    checks.instance("the folder of pictures", where, (str, Path), "a path")
    height, width = size_of(size)
    top = Path(where)
    if not top.is_dir():
        raise MissingData(f"there is no folder '{checks.clean(str(where))}'")
    places = [p for p in sorted(top.iterdir()) if p.is_dir() and not leads_out(p, top)]
    found = {p.name: files for p in places if (files := files_in(p, top))}
    if not found:
        raise BadValue(f"'{top}' has no folders of pictures ({', '.join(ENDINGS)}), one for each class")
    for name in found:
        checks.name("the name of a class", name)
    tell_others(top, places)
    x = np.stack([resized(file, height, width) for files in found.values() for file in files])
    y = np.repeat(np.arange(len(found), dtype=np.int32), [len(files) for files in found.values()])
    return Dataset(x, y, (), tuple(found))


def size_of(size: Any) -> tuple[int, int]:
    """Height and width."""
    if not checks.is_group(size) or len(size) != 2:
        raise BadValue(f"size must be (height, width), such as (32, 32), got {checks.shown(size)}")
    height, width = (checks.whole("a side of a picture", n, 1, 10_000) for n in size)
    return height, width


def files_in(place: Path, top: Path) -> list[Path]:
    """The picture files of one class, sorted; those that links outside lead to are none."""
    return sorted(p for p in place.iterdir() if p.suffix.lower() in ENDINGS and p.is_file() and not leads_out(p, top))


def leads_out(place: Path, top: Path) -> bool:
    """Whether a link leads out of the folder, or nowhere."""
    try:
        return place.is_symlink() and not place.resolve(strict=True).is_relative_to(top.resolve())
    except (OSError, RuntimeError):
        return True


def tell_others(top: Path, places: Sequence[Path]) -> None:
    """Warn of what is left out of the folders of classes: other endings, but those that systems leave there, and links that lead out."""
    files = [p for place in places if not hidden(place) for p in place.iterdir() if not hidden(p)]
    links = [p for p in (*top.iterdir(), *files) if leads_out(p, top)]
    others = [p.suffix.lower() for p in files if p.suffix.lower() not in ENDINGS and p.is_file() and p not in links]
    told = list[str]()
    if others:
        endings = listed(sorted(ending or "no ending" for ending in set(others)))
        told += [f"{counted(len(others), 'file')} that {'is' if len(others) == 1 else 'are'} left out ({endings}): {WANTED}"]
    if links:
        which = "that leads out of the folder and is" if len(links) == 1 else "that lead out of the folder and are"
        told += [f"{counted(len(links), 'link')} {which} left out: put copies of the files there"]
    if told:
        warn(f"'{top}' has {', and '.join(told)}")


def hidden(place: Path) -> bool:
    """Whether a system keeps its own notes there."""
    return place.name.startswith(".") or place.name.lower() in SYSTEM


def resized(file: Path, height: int, width: int) -> np.ndarray[Any, Any]:
    """f32[height, width, 3] in [0, 1]: a picture of any size."""
    with opened(file) as found:
        check_alone(file, found)
        kind_of(file, found)
        try:
            return np.asarray(found.convert("RGB").resize((width, height)), np.float32) / np.float32(255)
        except (OSError, SyntaxError, ValueError) as wrong:
            raise BadValue(f"'{file}' is damaged: its pixels cannot be read") from wrong
