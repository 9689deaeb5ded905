"""What the command line says of a network in an ONNX file that the file itself leaves open: sizes, and inputs that are fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np
import typer

from lensgrad.core.errors import BadValue
from lensgrad.data.cells import parsed, quoted

if TYPE_CHECKING:
    from lensgrad.interchange.dtypes import Numbers
    from lensgrad.interchange.imported import Imported

ONNX = ".onnx"
OPTIONS = ("--size", "--constant")
DIGITS = 11  # more than any size has

Sizes = Annotated[
    list[str] | None,
    typer.Option("--size", metavar="NAME=N", help="A size that an .onnx file leaves open, or the shape of an input as in x=1,3,32,32."),
]
Constants = Annotated[list[str] | None, typer.Option("--constant", metavar="NAME=N", help="An input of an .onnx file that is fixed.")]


@dataclass(frozen=True)
class Given:
    """What a file leaves open: sizes of axes or whole shapes, and arrays for inputs that are fixed."""

    sizes: Mapping[str, int | tuple[int, ...]]
    constants: Mapping[str, Numbers]

    @property
    def options(self) -> str:
        """The options in which they were given, for a sentence."""
        return " and ".join(option for option, some in zip(OPTIONS, (self.sizes, self.constants), strict=True) if some)

    def model(self, what: Any) -> Imported:
        """The network of an ONNX file."""
        from lensgrad.interchange.onnx.read import from_onnx

        return from_onnx(what, sizes=self.sizes, constants=self.constants)


def given(what: Path | str, sizes: Sequence[str] | None, constants: Sequence[str] | None) -> Given:
    """Options as they are written, `--size height=32`, `--size x=1,3,32,320` or `--constant rate=16000`, for a file in .onnx."""
    found = Given(written("--size", sizes or (), whole), written("--constant", constants or (), array))
    if found.options and Path(what).suffix.lower() != ONNX:
        raise BadValue(f"{found.options} is for networks in {ONNX}, and {quoted(str(what))} is none: leave it away")
    return found


T = TypeVar("T")


def written(option: str, words: Sequence[str], read: Callable[[str], T | None]) -> dict[str, T]:
    """NAME=VALUE, several times."""
    found = dict[str, T]()
    for word in words:
        name, sign, value = word.rpartition("=")
        made = read(value)
        if not name or not sign or made is None:
            example = "x=1,3,32,32 or height=32" if option == "--size" else "rate=16000"
            raise BadValue(f"{option} is written NAME=NUMBER or NAME=NUMBER,NUMBER,…, as in {option} {example}, got {quoted(word)}")
        if name in found:
            raise BadValue(f"{option} gives {quoted(name)} twice: leave one out")
        found[name] = made
    return found


def whole(text: str) -> int | tuple[int, ...] | None:
    """A size, or a shape."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() and len(word) <= DIGITS for word in words):
        return None
    found = [int(word) for word in words]
    return tuple(found) if len(found) > 1 else found[0]


def array(text: str) -> Numbers | None:
    """A number or a row of numbers; whole ones are kept whole."""
    words = text.split(",")
    numbers = [parsed(word) for word in words]
    if not all(n is not None and isfinite(n) for n in numbers):
        return None
    kept = [int(w) if w.removeprefix("-").isdigit() and len(w) <= DIGITS else n for w, n in zip(words, numbers, strict=True)]
    return np.asarray(kept if len(kept) > 1 else kept[0])
