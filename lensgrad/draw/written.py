"""Pictures and pages as files."""

from __future__ import annotations

from pathlib import Path

from lensgrad.core.errors import BadValue
from lensgrad.files.place import REFUSED, quoted, reason, target


def written(path: Path, data: bytes) -> None:
    """Write a file; one that cannot be written is told in a sentence."""
    try:
        target(path).write_bytes(data)
    except REFUSED as wrong:
        raise BadValue(f"{quoted(path)} cannot be written: {reason(wrong)}") from wrong
