"""Pictures and pages as files."""

from __future__ import annotations

from pathlib import Path

from lensgrad.core.errors import BadValue
from lensgrad.files.place import quoted, reason


def written(target: Path, data: bytes) -> None:
    """Write a file; one that cannot be written is told in a sentence."""
    try:
        target.write_bytes(data)
    except (OSError, ValueError) as wrong:
        raise BadValue(f"{quoted(target)} cannot be written: {reason(wrong)}") from wrong
