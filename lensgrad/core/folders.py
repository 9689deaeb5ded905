"""Where this library keeps what it can make again, and which of these places are safe to load code from."""

from __future__ import annotations

import atexit
import os
import stat
import sys
from functools import cache
from pathlib import Path

from lensgrad.core.errors import BadValue, warn

OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path:
    """LENSGRAD_CACHE, or the folder `lensgrad` in the user's cache folder of this system."""
    given = os.environ.get("LENSGRAD_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home("AppData", "Local")) / "lensgrad" / "cache"
    named = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (named if named.is_absolute() else home(".cache")) / "lensgrad"  # its specification says to pass over any other


def code_folder() -> Path:
    """The folder `native` of the cache, for compiled code: one that nobody else can write to, wherever it is and by whatever links.

    What LENSGRAD_CACHE names is refused where others could write there. Of the system's own folders such a one is not used:
    a folder of this process alone stands in for it.
    """
    folder = cache_folder() / "native"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.resolve(strict=True)
        why = danger(found)
    except (OSError, RuntimeError, ValueError) as wrong:  # it cannot be made, or its links run in a circle
        return instead(folder, (wrong.strerror if isinstance(wrong, OSError) else "") or str(wrong))
    if why and os.environ.get("LENSGRAD_CACHE"):
        raise BadValue(
            f"LENSGRAD_CACHE is a folder that compiled code is loaded from, and {why}: make it yours alone (chmod 700), or choose another"
        )
    return instead(folder, why) if why else found


@cache
def instead(folder: Path, why: str) -> Path:
    """A folder of this process in the place of one that holds no code, which is said once."""
    warn(f"'{folder}' takes no compiled code ({why}): what is compiled now ends with this process")
    return private()


def danger(place: Path) -> str:
    """Why code at a place without links could be somebody else's: the place itself, or a folder above it; empty where it is safe."""
    if sys.platform == "win32":
        return ""
    for each in (place, *place.parents):
        about = each.lstat()
        if about.st_uid not in (os.getuid(), 0):
            return f"'{each}' belongs to another user"
        # In a folder such as /tmp others may write, but not put something in the place of what is there.
        sticky = each != place and about.st_mode & stat.S_ISVTX
        if about.st_mode & OTHERS and not sticky and not alone(about):
            return f"others can write to '{each}'"
    return ""


def alone(about: os.stat_result) -> bool:
    """Whether only a user's private group, which many systems make with the user, may write beside the user."""
    return not about.st_mode & stat.S_IWOTH and about.st_gid == about.st_uid == os.getuid() == os.getgid()


def trusted(file: Path) -> bool:
    """Whether a file is a plain one, and code in it can only be this user's own."""
    try:
        return stat.S_ISREG(file.lstat().st_mode) and not danger(file)
    except OSError:
        return False


@cache
def private() -> Path:
    """A folder of this process alone, which ends with it."""
    import shutil
    import tempfile  # both take a tenth of the time in which the library is imported, and are hardly ever needed

    folder = Path(tempfile.mkdtemp(prefix="lensgrad-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def home(*parts: str) -> Path:
    """A folder in the user's home; a user without one, as in some containers, has a folder in the temporary folder."""
    try:
        return Path.home().joinpath(*parts)
    except RuntimeError:
        import tempfile

        return temporary(tempfile.gettempdir())


@cache
def temporary(where: str) -> Path:
    """A folder that is this user's alone; the same in the next process, unless somebody else made it."""
    folder = Path(where) / f"lensgrad-{os.getuid() if sys.platform != 'win32' else 'user'}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if stat.S_ISDIR(folder.lstat().st_mode) and not danger(folder.resolve()):
            return folder
    except OSError:
        pass
    return private()
