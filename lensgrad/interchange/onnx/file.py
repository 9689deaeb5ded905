"""ONNX files, opened without trust: what is damaged, foreign or endless is refused in a sentence before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensgrad.core import checks
from lensgrad.core.checks import clean, shown
from lensgrad.core.errors import BadCheckpoint, TypeMismatch
from lensgrad.core.extras import extra
from lensgrad.core.printed import brief

HEAVIEST = 2**31  # bytes of a file, the most that its format holds
LARGEST = 2**30  # entries of an array of a network
SHOWN = 120  # characters of a name in a message
DEEPEST = 20  # graphs inside graphs
NEWEST = 10_000  # what no version is
OLDEST = 6  # of the operator sets whose meaning is known here
REFUSED = (OSError, ValueError, RuntimeError)  # what paths raise


@dataclass(frozen=True)
class File:
    """An ONNX model, how messages call it, and the folder that its other files are in."""

    what: str
    model: Any
    folder: Path | None

    @property
    def versions(self) -> dict[str, int]:
        """The version of the operator set of each domain; the usual domain is the empty text."""
        return versions(self.model.opset_import)


def versions(imports: Any) -> dict[str, int]:
    """The version of each domain that a model or a function names."""
    return {home(o.domain): o.version for o in imports}


def home(domain: str) -> str:
    """A domain, the usual one as the empty text."""
    return "" if domain == "ai.onnx" else domain


def short(text: str) -> str:
    """A text of a file for a message: on one line, and cut where it is long."""
    return brief(text, SHOWN)


def package() -> Any:
    """The package onnx."""
    return extra("onnx", "onnx", "reading an ONNX file")


def opened(source: Any) -> File:
    """The model of a path, or one that is open already; refused where it is none."""
    onnx = package()
    if isinstance(source, onnx.ModelProto):
        return checked(File("the ONNX model", source, None))
    if not checks.is_path(source):
        raise TypeMismatch(f"what is read must be the path of an ONNX file or an onnx.ModelProto, got {shown(source)}")
    path = checks.file("the path of an ONNX file", source)
    what = f"'{clean(str(path))}'"
    return checked(File(what, parsed(what, contents(what, path)), path.parent))


def contents(what: str, path: Path) -> bytes:
    """The bytes of a file that is one, and not too large."""
    try:
        if not path.is_file():
            raise BadCheckpoint(f"{what} is no file: give the path of an .onnx file")
        if path.stat().st_size >= HEAVIEST:
            raise BadCheckpoint(f"{what} must have fewer than 2^31 bytes, as every ONNX file has: keep its weights in a file beside it")
        return path.read_bytes()
    except REFUSED as wrong:
        if isinstance(wrong, BadCheckpoint):
            raise
        raise BadCheckpoint(f"{what} cannot be read: {getattr(wrong, 'strerror', None) or clean(str(wrong))}") from wrong


def parsed(what: str, raw: bytes) -> Any:
    """The model that bytes say."""
    wrong: Any = extra("google.protobuf.message", "onnx", "reading an ONNX file").DecodeError
    try:
        return package().ModelProto.FromString(raw)
    except wrong:
        raise BadCheckpoint(f"{what} is no ONNX file, or is damaged: take another copy of it") from None


def checked(file: File) -> File:
    """A model with a graph, of operator sets that are known, not endless, and with readable names."""
    if not file.model.HasField("graph") or not len(file.model.graph.output):
        raise BadCheckpoint(f"{file.what} has no graph with an output: it is no ONNX file, or is damaged")
    imports = [o for f in (file.model, *file.model.functions) for o in f.opset_import]
    texts = [o.domain for o in imports] + [t for f in file.model.functions for t in (f.name, f.domain, f.overload, *f.input, *f.output)]
    for graph in (file.model.graph, *file.model.functions):
        for node in nodes(file.what, graph, DEEPEST):
            texts += [node.name, node.op_type, node.domain, node.overload, *node.input, *node.output]
            texts += [t for a in node.attribute for t in (a.name, a.ref_attr_name)]
    if any(type(text) is not str for text in texts) or any(not 0 <= o.version < NEWEST for o in imports):
        raise BadCheckpoint(f"{file.what} has names that are no text, or versions that are none: it is damaged")
    version, newest = file.versions.get("", OLDEST), package().defs.onnx_opset_version()
    if not OLDEST <= version <= newest:
        raise BadCheckpoint(f"{file.what} is of operator set {version}, and those read here are {OLDEST} to {newest}: convert it first")
    return file


def nodes(what: str, graph: Any, deepest: int) -> Iterator[Any]:
    """All nodes of a graph and of the graphs inside."""
    if not deepest:
        raise BadCheckpoint(f"{what} has graphs inside graphs, more than {DEEPEST} deep: it is refused")
    if graph.DESCRIPTOR.name == "GraphProto":
        named(what, graph)
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from nodes(what, inner, deepest - 1)


def named(what: str, graph: Any) -> None:
    """Refuse a graph that calls its values by what is no text: protobuf hands it out as bytes."""
    values = [*graph.input, *graph.output, *graph.initializer]
    dims = [d.dim_param for v in graph.input for d in v.type.tensor_type.shape.dim if d.HasField("dim_param")]
    if any(type(text) is not str for text in [*(v.name for v in values), *dims]):
        raise BadCheckpoint(f"{what} has names that are no text: it is damaged")
