"""Where this library keeps what it can make again."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from pathlib import Path


def cache_folder() -> Path:
    """LENSGRAD_CACHE, or the folder `lensgrad` in the user's cache folder of this system."""
    given = os.environ.get("LENSGRAD_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home("AppData", "Local")) / "lensgrad" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home(".cache")) / "lensgrad"


def home(*parts: str) -> Path:
    """A folder in the user's home; a user without one, as in some containers, has a folder in the temporary folder."""
    try:
        return Path.home().joinpath(*parts)
    except RuntimeError:
        return temporary(tempfile.gettempdir())


@cache
def temporary(where: str) -> Path:
    """A folder that is this user's alone, since code is loaded from it; the same in the next process, unless somebody else made it."""
    folder = Path(where) / f"lensgrad-{os.getuid() if sys.platform != 'win32' else 'user'}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if sys.platform == "win32" or (folder.lstat().st_uid == os.getuid() and not folder.lstat().st_mode & 0o022):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="lensgrad-", dir=where))
