"""Where a file is put: checked before anything is lost by it, and written whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from lensgrad.core.checks import clean
from lensgrad.core.errors import BadCheckpoint

if TYPE_CHECKING:
    from pathlib import Path
if sys.platform != "win32":
    import fcntl

REFUSED = (OSError, ValueError, RuntimeError)  # what paths raise: a NUL is a ValueError, links in a circle are a RuntimeError
Where = str | os.PathLike[str]
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
HEAD = b'{"__metadata__":{"lensgrad":'  # of a checkpoint, after the 8 bytes of its length
LONGEST = 200  # bytes of a file's name in the name of its part, so that a name of any length has one


def ready(path: Path) -> None:
    """Refuse a path that no file can be written to. Nothing is left there, and what is there stays."""
    try:
        probe(target(path))
    except REFUSED as wrong:
        raise unwritable(path, wrong) from wrong


def replaceable(path: Path) -> None:
    """Refuse a file that is there and is no checkpoint, since a checkpoint in its place would be its end; an empty one is free."""
    try:
        start = beginning(path)
    except REFUSED:  # what else is wrong with a path is said where it is written
        return
    if start and not start[8:].startswith(HEAD):
        told = "there is another file, which is no checkpoint of lensgrad and would be lost"
        raise BadCheckpoint(f"{quoted(path)} cannot be written: {told}; choose another name, or delete that file")


def beginning(path: Path) -> bytes:
    """The first bytes of a file; none where there is no ordinary one."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(8 + len(HEAD))


def write(path: Path, raw: bytes) -> None:
    """Put a file in its place at once, so that a killed process and a full disk leave the old one or the new one."""
    try:
        goal = target(path)
        put(goal, raw)
        clear(goal)
    except REFUSED as wrong:
        raise unwritable(path, wrong) from wrong


def quoted(path: object) -> str:
    """A path for a message, on one line."""
    return f"'{clean(str(path))}'"


def unwritable(path: Path, wrong: Exception) -> BadCheckpoint:
    """The sentence for a path that cannot be written."""
    return BadCheckpoint(f"{quoted(path)} cannot be written: {reason(wrong)}")


def reason(wrong: Exception) -> str:
    """What is wrong with a file or its path."""
    if isinstance(wrong, OSError):
        return wrong.strerror or str(wrong)
    if isinstance(wrong, ValueError):
        return "its name has characters that no file's name has"
    return "its links go round in a circle"


# -- before ------------------------------------------------------------------------------------------------------------


def target(path: Path) -> Path:
    """The file that a path leads to, where one is or can be."""
    goal = path.resolve()
    if not goal.parent.is_dir():
        told = "is no folder" if goal.parent.exists() else "is missing"
        raise OSError(None, f"the folder {quoted(goal.parent)} {told}")
    mode = mode_of(goal)
    if mode is not None and not stat.S_ISREG(mode):
        raise OSError(None, "it is a folder" if stat.S_ISDIR(mode) else "it is no ordinary file")
    if mode is not None and not mode & 0o222:
        raise OSError(None, "it is write-protected")
    return goal


def mode_of(path: Path) -> int | None:
    """The mode of a file, if there is one."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def probe(goal: Path) -> None:
    """Make a part and take it away again."""
    beside = part(goal)
    with created(beside, None):
        pass
    beside.unlink()


# -- writing -----------------------------------------------------------------------------------------------------------


def put(goal: Path, raw: bytes) -> None:
    """Write beside, onto the disk, and rename. An error of the write is told, whatever cleaning up after it says."""
    beside, mode = part(goal), mode_of(goal)
    try:
        with created(beside, mode) as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, goal)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    settle(goal.parent)


def created(beside: Path, mode: int | None) -> BinaryIO:
    """A new file, locked while it is written, that nobody may read who may not read the file it will replace."""
    file = os.fdopen(os.open(beside, NEW, 0o666 if mode is None else 0o600), "wb")
    if sys.platform != "win32":
        with suppress(OSError):  # a disk on another machine may have no locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if mode is not None:
            with suppress(OSError):  # and one of another system no modes
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
    return file


def settle(folder: Path) -> None:
    """Make the new name last, where folders can be opened and settled."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# -- parts -------------------------------------------------------------------------------------------------------------


def part(goal: Path) -> Path:
    """A new name for what is written beside a file until it is whole."""
    return goal.with_name(f".{stem(goal)}.{os.urandom(8).hex()}.part")


def stem(goal: Path) -> str:
    """A file's name, cut where it is too long to have anything added."""
    return os.fsencode(goal.name)[:LONGEST].decode(errors="ignore")


def clear(goal: Path) -> None:
    """Take away the parts of a file that killed writers left."""
    for beside in parts(goal):
        with suppress(OSError):
            if abandoned(beside):
                beside.unlink()


def parts(goal: Path) -> Iterator[Path]:
    """The parts of a file that are there."""
    name = re.compile(re.escape(f".{stem(goal)}.") + r"[0-9a-f]{16}\.part")
    with suppress(OSError), os.scandir(goal.parent) as entries:
        yield from (goal.with_name(entry.name) for entry in entries if name.fullmatch(entry.name))


def abandoned(beside: Path) -> bool:
    """Whether nobody writes this part any more; Windows itself keeps what is open."""
    if sys.platform == "win32":
        return True
    with open(beside, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
