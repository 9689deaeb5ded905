"""Arrays by other people's names: from safetensors and PyTorch's files, or from objects in memory. No pickle is ever executed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.core.checks import clean, file, is_dict, is_path, shown
from lensgrad.core.errors import BadValue, MissingData, TypeMismatch
from lensgrad.core.extras import extra
from lensgrad.files.place import quoted, write
from lensgrad.interchange.dtypes import Numbers

Source = str | os.PathLike[str] | Mapping[str, object]  # a file, a folder of files, or arrays and tensors by name
KINDS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
PICKLED = (".pt", ".pth", ".bin")


def arrays_of(source: Any) -> dict[str, Numbers]:
    """Arrays by name, of a dict or of a file."""
    if is_dict(source):
        return {str(name): of_memory(str(name), x) for name, x in source.items()}
    if not is_path(source):
        raise TypeMismatch(f"weights are read from a file or a dict of arrays by name, got {shown(source)}")
    return {name: x for path in files(file("the file of weights", source)) for name, x in of_file(path).items()}


def of_memory(name: str, x: Any) -> Numbers:
    """An array, or a tensor of PyTorch."""
    tensor = x.detach().cpu() if hasattr(x, "detach") else x
    held = tensor.float() if "bfloat16" in str(getattr(tensor, "dtype", "")) and hasattr(tensor, "float") else tensor
    found = np.asarray(held)
    if found.dtype.kind not in "fiub":
        raise BadValue(f"'{name}' must be an array of numbers, got {shown(x)}")
    return found


def files(path: Path) -> Sequence[Path]:
    """The file itself; of a folder, each file of safetensors in it."""
    if path.is_dir():
        found = sorted(each for each in path.glob("*.safetensors") if each.is_file())
        if not found:
            raise MissingData(f"the folder {quoted(path)} has no file that ends in .safetensors")
        return found
    if not path.is_file():
        raise MissingData(f"there is no file of weights at {quoted(path)}")
    return [path]


def of_file(path: Path) -> dict[str, Numbers]:
    """The arrays of one file."""
    if path.suffix in PICKLED:
        return unpickled(path)
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise BadValue(f"{quoted(path)} cannot be read: {wrong.strerror}") from wrong
    from safetensors import SafetensorError
    from safetensors import deserialize as unpacked  # pyright: ignore[reportUnknownVariableType]

    try:
        entries: list[tuple[str, Any]] = unpacked(raw)
    except SafetensorError as wrong:
        raise BadValue(f"{quoted(path)} is no file of safetensors ({wrong}): give one, or a state_dict of PyTorch ending in .pt") from wrong
    return {str(name): of_bytes(str(name), entry) for name, entry in entries}


def of_bytes(name: str, entry: Mapping[str, Any]) -> Numbers:
    """One array; bfloat16 as the float32 whose first half it is."""
    raw, shape, kind = bytes(entry["data"]), tuple(entry["shape"]), entry["dtype"]
    if kind == "BF16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if kind not in KINDS:
        raise BadValue(f"'{name}' is stored as {kind}, which no array here holds: store it as one of {', '.join(KINDS)}")
    return np.frombuffer(raw, np.dtype(KINDS[kind]).newbyteorder("<")).astype(KINDS[kind]).reshape(shape)


def unpickled(path: Path) -> dict[str, Numbers]:
    """A state_dict that PyTorch saved: tensors by name, and nothing that would have to be run."""
    torch = extra("torch", "torch", "reading files of PyTorch")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as wrong:  # of every kind that a pickle raises
        raise BadValue(f"{quoted(path)} is damaged or holds more than tensors by name: save module.state_dict(), or safetensors") from wrong
    return arrays_of(found)


def put(path: Any, arrays: Mapping[str, Numbers]) -> None:
    """A file of safetensors, whole or not at all."""
    from safetensors.numpy import save

    for name, x in arrays.items():
        if x.dtype.name not in (*KINDS.values(), "bfloat16"):
            raise BadValue(f"'{clean(name)}' must be an array of numbers to be written, got one of {x.dtype}")
    write(file("the file of weights", path), save({name: np.ascontiguousarray(x) for name, x in arrays.items()}))
