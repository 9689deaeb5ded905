"""What data holds, as a short text: that of other numbers, names or rows is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.data.meaning import Meaning
from lensgrad.program.values import Values

CHUNK = 1 << 20  # bytes that are read at a time, so that an array that does not lie in one piece is not copied as a whole
MOST = 1 << 28  # bytes of arrays that are read as a whole: a quarter of a second
ROWS = 1024  # and of larger ones, and of those in files, so many rows, evenly spread


def contents(data: Any, meaning: Meaning) -> str | None:
    """BLAKE2 of the arrays, by name, type, shape and bytes, and of what they mean; None for a source whose rows nobody can ask for.

    Of mapped files, and of arrays of more than 256 MB together, some rows stand for all.
    """
    import hashlib  # costs a millisecond, and importing the library needs it nowhere else

    arrays = arrays_in(data)
    if arrays is None:
        return None
    large = sum(v.nbytes for v in arrays.values()) > MOST
    found = hashlib.blake2b(repr(meaning.data()).encode(), digest_size=16)
    for name, value in sorted(arrays.items()):
        found.update(repr((name, value.dtype.str, value.shape)).encode())
        if not value.dtype.hasobject:
            some = large or issubclass(type(value), np.memmap)
            add(found, value[spread(len(value))] if some else value)
    return found.hexdigest()


def arrays_in(data: Any) -> Values | None:
    """The arrays of a source, also of one whose batches are changed on their way."""
    inner = getattr(data, "source", None)
    return getattr(data, "arrays", None) if inner is None else arrays_in(inner)


def spread(rows: int) -> Any:
    """Rows from the first to the last."""
    return np.unique(np.linspace(0, rows - 1, min(rows, ROWS)).astype(np.int64))


def add(found: Any, value: np.ndarray[Any, Any]) -> None:
    """Read an array into a digest, some rows at a time."""
    rows = max(1, CHUNK // max(1, value[:1].nbytes))
    for start in range(0, len(value), rows):
        found.update(np.ascontiguousarray(value[start : start + rows]).tobytes())
