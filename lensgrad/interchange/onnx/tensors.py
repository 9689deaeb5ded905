"""Arrays of ONNX files, checked against their data before they are made; other files are read only in the folder of the model."""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from lensgrad.core.errors import BadCheckpoint, LensgradError, OutOfMemory
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.call import Unsupported
from lensgrad.interchange.onnx.file import REFUSED, File, package, short

BITS = {"UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "UINT2": 2, "INT2": 2}  # of dtypes that are packed; others have whole bytes


def name_of(kind: int) -> str:
    """The name of a dtype in ONNX's table, such as `FLOAT16`."""
    kinds: Any = package().TensorProto.DataType
    return kinds.Name(kind) if kind in kinds.values() else str(kind)


def dtype_of(what: str, kind: int) -> np.dtype[Any]:
    """The dtype of NumPy for a number in ONNX's table."""
    name = name_of(kind)
    if name in ("UNDEFINED", "STRING") or name.isdigit():
        raise Unsupported(f"{what} is of type {name}, which has no meaning here: arrays are of numbers or truth values")
    return np.dtype(package().helper.tensor_dtype_to_np_dtype(kind))


def tensor(file: File, what: str, proto: Any) -> Numbers:
    """The array of a tensor of a file."""
    dtype = dtype_of(what, proto.data_type)
    shape = tuple(proto.dims)
    if any(n < 0 for n in shape):
        raise BadCheckpoint(f"{what} has the shape {list(shape)}: sizes of axes are numbers ≥ 0")
    bits = math.prod(shape) * BITS.get(name_of(proto.data_type), 8 * dtype.itemsize)
    held = proto
    if proto.data_location == package().TensorProto.EXTERNAL:
        found = beside(file, what, proto, -(-bits // 8))
        if bits % 8 == 0 and dtype.itemsize * math.prod(shape) == found.size:  # a message of protobuf ends at 2 GiB
            return found.view(dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)
        held = package().TensorProto(data_type=proto.data_type, dims=shape, raw_data=found.tobytes())
    else:
        present(what, proto, shape, bits)
    try:
        return package().numpy_helper.to_array(held)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise BadCheckpoint(f"{what} has data that is not of its type and shape {list(shape)}: the file is damaged") from wrong


def present(what: str, proto: Any, shape: tuple[int, ...], bits: int) -> None:
    """Refuse a tensor that has more or less data than its shape says."""
    if proto.HasField("raw_data"):
        have, want = len(proto.raw_data), -(-bits // 8)
        unit = "bytes"
    else:
        field = package().helper.tensor_dtype_to_field(proto.data_type)
        have, want, unit = len(getattr(proto, field)), math.prod(shape), "numbers"
        if have < want and field == "int32_data" and name_of(proto.data_type) in BITS:
            want = -(-bits // 8)
        want *= 2 if name_of(proto.data_type).startswith("COMPLEX") else 1
    if have != want:
        raise BadCheckpoint(f"{what} has the shape {list(shape)}, which is {want:,} {unit}, and {have:,} are there: the file is damaged")


def beside(file: File, what: str, proto: Any, need: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """So many bytes of a file beside the model."""
    entries = {e.key: e.value for e in proto.external_data}
    path = place(file, what, entries.get("location", ""))
    try:
        size = path.stat().st_size if path.is_file() else -1
    except REFUSED as wrong:
        raise unreadable(what, path) from wrong
    start, length = (number(what, entries.get(key, ""), other) for key, other in (("offset", 0), ("length", need)))
    if size < 0:
        raise unreadable(what, path)
    if length != need or start + need > size:
        raise BadCheckpoint(f"{what} is {need:,} bytes from {start:,} on of '{short(path.name)}', and the file has {size:,}: it is damaged")
    try:
        return np.fromfile(path, np.uint8, need, offset=start)
    except MemoryError:
        raise OutOfMemory(f"{what} is {need:,} bytes of '{short(path.name)}', which do not fit into memory") from None
    except OSError as wrong:
        raise unreadable(what, path) from wrong


def unreadable(what: str, path: Path) -> LensgradError:
    return BadCheckpoint(f"{what} is in the file '{short(path.name)}', which is not beside the model: put it there")


def place(file: File, what: str, location: str) -> Path:
    """Where data beside a model is: in the model's folder, by no link."""
    if file.folder is None:
        raise BadCheckpoint(f"{what} is in another file, and a model that is open already has no folder: give the path of the .onnx file")
    if not location or leaves(location):
        raise BadCheckpoint(f"{what} is in the file '{short(location)}', and only files in the folder of the model are read")
    path = file.folder / location
    try:
        if path.resolve() != file.folder.resolve() / location:
            raise BadCheckpoint(f"{what} is in the file '{short(location)}', which is a link, and links are not followed")
    except REFUSED as wrong:
        if isinstance(wrong, BadCheckpoint):
            raise
        raise unreadable(what, path) from wrong
    return path


def leaves(location: str) -> bool:
    """Whether a path may lead out of its folder, on any system."""
    both = PurePosixPath(location), PureWindowsPath(location)
    return any(".." in p.parts or p.is_absolute() or p.drive or p.root for p in both)


def number(what: str, text: str, other: int) -> int:
    """A whole number that is written as text, or what it is when it is not written."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadCheckpoint(f"{what} is in another file from '{short(text)}' on, which is no whole number: the file is damaged")
    return int(text) if text else other
