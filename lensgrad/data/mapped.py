"""Arrays that stay in their files: only the rows of a batch are read."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, MissingData, listed
from lensgrad.core.printed import brief
from lensgrad.program.values import Values

if TYPE_CHECKING:
    from pathlib import Path

Mapped = np.ndarray[Any, Any]

IDX = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SAFETENSORS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1",
}  # fmt: skip


def mapped(where: str | Path | Mapping[str, str | Path]) -> Values:
    """Arrays by name, mapped read-only from files; `fit` reads of them the rows of each batch.

    A .npz file that is not compressed, a .safetensors file, a folder of .npy files (each by its name), or a dict that says
    which file holds which array: .npy, or idx as MNIST has it (unpacked). Mapped floats are not searched for NaN before training.
    """
    if isinstance(where, Mapping):
        return {str(name): one(name, existing(checks.file("the file of an array", path))) for name, path in where.items()}
    path = existing(checks.file("what is mapped", where))
    if path.is_dir():
        found = {p.stem: npy(p) for p in sorted(path.glob("*.npy"))}
        if not found:
            raise BadValue(f"'{path}' has no .npy files")
        return found
    readers = {".npz": npz, ".safetensors": safetensors}
    if path.suffix in readers:
        return readers[path.suffix](path)
    return {path.stem: one(path.stem, path)}


def existing(path: Path) -> Path:
    if not there(path):
        raise MissingData(f"there is no file '{path}': check its name and the current folder")
    return path


def there(path: Path) -> bool:
    """Whether there is a file; none has a name that no file's name can be."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def one(name: Any, path: Path) -> Mapped:
    """The one array of a file."""
    if path.suffix in (".npz", ".safetensors"):
        found = mapped(path)
        if len(found) != 1 and name not in found:
            raise BadValue(f"'{path}' has no array '{name}'; it has: {listed(list(found))}")
        return found[name] if name in found else next(iter(found.values()))
    return npy(path) if path.suffix == ".npy" else idx(path)


def view(path: Path, dtype: str | np.dtype[Any], shape: tuple[int, ...], start: int, fortran: bool = False) -> Mapped:
    """Part of a file as an array; a file too short for it is refused."""
    wanted, found = math.prod(shape) * np.dtype(dtype).itemsize, path.stat().st_size - start
    if any(n < 0 for n in shape):
        raise BadValue(f"'{path}' is damaged: its header promises an array of shape {brief(str(shape))}, which there cannot be")
    if found < wanted:
        raise BadValue(f"'{path}' is cut off: its header promises {wanted} bytes of data, and it has {max(0, found)}: get it again")
    try:
        return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C") if wanted else np.zeros(shape, dtype)
    except (MemoryError, OverflowError, TypeError, ValueError):
        raise BadValue(f"'{path}' is damaged: its header promises an array of shape {brief(str(shape))}, which there cannot be") from None


def npy(path: Path, start: int = 0) -> Mapped:
    """The array of a .npy file, or of one that begins inside another file."""
    with path.open("rb") as file:
        file.seek(start)
        try:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = header(file)
        except Exception as wrong:  # it is parsed as Python, which fails in many ways; what NumPy advises is to trust the file
            raise BadValue(f"'{path}' is no .npy file: its header cannot be read") from wrong
        if dtype.hasobject:
            raise BadValue(f"'{path}' holds Python objects, which are never loaded: save arrays of numbers")
        return view(path, dtype, shape, file.tell(), fortran)


def npz(path: Path) -> Values:
    """The arrays of a .npz file, where they lie in it."""
    import zipfile
    from pathlib import PurePath

    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as wrong:
        raise BadValue(f"'{path}' is no .npz file: {wrong}") from wrong
    packed = [m.filename for m in members if m.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise BadValue(f"'{packed[0]}' in '{path}' is compressed, so it cannot be mapped: save with np.savez, or load it with np.load")
    return {PurePath(m.filename).stem: npy(path, content(path, m.header_offset)) for m in members}


def content(path: Path, header: int) -> int:
    """Where the bytes of a zip member begin: after its local header, whose name and extra field have lengths of their own."""
    with path.open("rb") as file:
        file.seek(header)
        name, extra = struct.unpack("<26xHH", file.read(30))
    return header + 30 + name + extra


def safetensors(path: Path) -> Values:
    """The arrays of a .safetensors file."""
    import json

    with path.open("rb") as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
            entries = json.loads(file.read(min(length, path.stat().st_size)))
        except (struct.error, ValueError) as wrong:
            raise BadValue(f"'{path}' is no .safetensors file: its header cannot be read") from wrong
    entries.pop("__metadata__", None)
    strange = [(name, e["dtype"]) for name, e in entries.items() if e["dtype"] not in SAFETENSORS]
    if strange:
        raise BadValue(f"'{strange[0][0]}' in '{path}' has dtype {strange[0][1]}, which NumPy has not: save it as F32")
    return {n: view(path, SAFETENSORS[e["dtype"]], tuple(e["shape"]), 8 + length + e["data_offsets"][0]) for n, e in entries.items()}


def idx(path: Path) -> Mapped:
    """The array of an idx file."""
    with path.open("rb") as file:
        dtype, shape, start = idx_header(file.read(4 + 4 * 255), str(path))
    return view(path, dtype, shape, start)


def idx_header(raw: bytes, name: str) -> tuple[str, tuple[int, ...], int]:
    """dtype, shape and where the data begins: two zero bytes, a type, a rank, and as many big-endian sizes."""
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in IDX or len(raw) < 4 + 4 * raw[3]:
        packed = ": unpack it first" if raw[:2] == b"\x1f\x8b" else ""
        raise BadValue(f"'{name}' is no idx file{packed}")
    return IDX[raw[2]], struct.unpack_from(f">{raw[3]}I", raw, 4), 4 + 4 * raw[3]


def idx_array(raw: bytes, name: str) -> Mapped:
    """The array of an idx file that is in memory already, read-only."""
    dtype, shape, start = idx_header(raw, name)
    wanted, found = math.prod(shape) * np.dtype(dtype).itemsize, len(raw) - start
    if wanted != found:
        raise BadValue(f"'{name}' promises {wanted} bytes of data and has {found}")
    return np.frombuffer(raw, dtype, offset=start).reshape(shape)
