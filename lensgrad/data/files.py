"""Official data files: found where the user keeps them, verified, or downloaded into the user's cache."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lensgrad.core.errors import BadValue, MissingData, listed
from lensgrad.core.folders import cache_folder

CHUNK = 1 << 18


@dataclass(frozen=True)
class Official:
    """A file as its makers publish it: folder and name, checksum, and the folders (they end in /) or addresses it is served from.

    `content` is the sha256 of what an official .gz holds: a copy that packs the same bytes in another way is as good.
    """

    folder: str
    name: str
    algorithm: str
    digest: str
    mirrors: tuple[str, ...]
    content: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(mirror + self.name if mirror.endswith("/") else mirror for mirror in self.mirrors)


def official(file: Official) -> Path:
    """The verified file: from LENSGRAD_DATA, else from the cache, else downloaded into the cache."""
    if (mine := given(file)) is not None and mine.is_file():
        return verified(mine, file, f"replace it with the official file, {file.addresses[0]}")
    cached = cache_folder() / file.folder / file.name
    if not cached.is_file():
        return downloaded(cached, file)
    return verified(cached, file, "delete it, and it is downloaded again")


def given(file: Official) -> Path | None:
    """Where a file is looked for first."""
    folder = os.environ.get("LENSGRAD_DATA")
    return Path(folder) / file.folder / file.name if folder else None


def here(file: Official) -> bool:
    """Whether a file is on this machine."""
    return any(place.is_file() for place in (given(file), cache_folder() / file.folder / file.name) if place is not None)


def verified(path: Path, file: Official, fix: str) -> Path:
    """The path of a file with the official checksum, or an error that says what it has and what to do."""
    if told := wrong(path, file):
        raise BadValue(f"'{path}' is corrupt: {told}; {fix}")
    return path


def wrong(path: Path, file: Official) -> str:
    """What is wrong with a file; nothing if it is the official one."""
    found = digest(path, file.algorithm)
    if found == file.digest or (file.content and unpacked_digest(path) == file.content):
        return ""
    return f"its {file.algorithm} is {found} and should be {file.digest}"


def digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return summed(stream, algorithm)


def unpacked_digest(path: Path) -> str:
    """The sha256 of the bytes in a .gz file; nothing for a broken one."""
    import gzip

    try:
        with gzip.open(path) as stream:
            return summed(stream, "sha256")
    except (OSError, EOFError, zlib.error):
        return ""


def summed(stream: Any, algorithm: str) -> str:
    made = hashlib.new(algorithm, usedforsecurity=False)
    while part := stream.read(CHUNK):
        made.update(part)
    return made.hexdigest()


def downloaded(target: Path, file: Official) -> Path:
    """The file from the first mirror that serves it whole; it appears under its name only when it is verified."""
    reasons = list[str]()
    for address in file.addresses:
        try:
            return fetch(address, target, file)
        except (OSError, BadValue) as error:
            reasons.append(f"{address}: {getattr(error, 'reason', None) or error}")
    place = f"{file.folder}/{file.name}"
    raise MissingData(
        f"'{place}' is not on this machine and could not be downloaded ({listed(reasons)}): put the file at '{target}', "
        f"or set LENSGRAD_DATA to a folder that has {place}"
    )


def fetch(address: str, target: Path, file: Official) -> Path:
    """Download beside the target, verify, then rename: nobody ever sees half a file."""
    import tempfile
    from urllib.request import Request, urlopen

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=file.name, suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, urlopen(Request(address, headers={"User-Agent": "lensgrad"}), timeout=30) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            with shown(file.name, size) as seen:
                copy(answer, out, seen)
        if told := wrong(part, file):
            raise BadValue(f"this serves another file, {told}")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def copy(source: Any, target: BinaryIO, seen: Callable[[int], None]) -> None:
    while part := source.read(CHUNK):
        target.write(part)
        seen(len(part))


@contextmanager
def shown(name: str, size: int) -> Generator[Callable[[int], None]]:
    """A bar on a terminal; a line elsewhere. Gives what is to be called with the number of bytes read."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"downloading {name} ({size / 1e6:.1f} MB)", highlight=False, soft_wrap=True)
        yield lambda count: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"downloading {name}", total=size or None)
        yield lambda count: bar.update(task, advance=count)


def all_of(files: Sequence[Official]) -> list[Path]:
    """Several files, each verified."""
    return [official(f) for f in files]
