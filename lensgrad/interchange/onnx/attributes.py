"""Attributes of nodes as values of Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lensgrad.interchange.onnx.call import Unsupported
from lensgrad.interchange.onnx.file import File, package
from lensgrad.interchange.onnx.tensors import tensor

FIELDS = {"FLOAT": "f", "INT": "i", "GRAPH": "g", "TYPE_PROTO": "tp", "FLOATS": "floats", "INTS": "ints", "GRAPHS": "graphs"}


def value(file: File, what: str, attribute: Any) -> Any:
    """An attribute: numbers and texts, lists of them, tensors as arrays; graphs as they are."""
    kinds: Any = package().AttributeProto.AttributeType
    kind = kinds.Name(attribute.type) if attribute.type in kinds.values() else str(attribute.type)
    if kind in FIELDS:
        found = getattr(attribute, FIELDS[kind])
        return [*found] if kind.endswith("S") else found
    if kind == "STRING":
        return text(attribute.s)
    if kind == "STRINGS":
        return [*map(text, attribute.strings)]
    if kind == "TENSOR":
        return tensor(file, f"'{attribute.name}' of {what}", attribute.t)
    if kind == "TENSORS":
        return [tensor(file, f"'{attribute.name}' of {what}", t) for t in attribute.tensors]
    raise Unsupported(f"'{attribute.name}' of {what} is of kind {kind}, which has no meaning here")


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def resolved(node: Any, given: Mapping[str, Any]) -> Any:
    """A node of a function with the attributes of its caller in the places that name them."""
    made = package().NodeProto()
    made.CopyFrom(node)
    del made.attribute[:]
    for a in node.attribute:
        if not a.ref_attr_name:
            inner = made.attribute.add()
            inner.CopyFrom(a)
            for graph in (*([inner.g] if inner.HasField("g") else []), *inner.graphs):
                put(graph, given)
        elif a.ref_attr_name in given:
            inner = made.attribute.add()
            inner.CopyFrom(given[a.ref_attr_name])
            inner.name = a.name
    return made


def put(graph: Any, given: Mapping[str, Any]) -> None:
    """The same for all nodes of a graph, in place."""
    found = [resolved(node, given) for node in graph.node]
    del graph.node[:]
    graph.node.extend(found)
