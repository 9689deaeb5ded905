"""Whole numbers of other people's dtypes on wires that carry them with more bits: what overflows there overflows here too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx.call import Unsupported
from lensgrad.interchange.onnx.file import package
from lensgrad.interchange.onnx.meanings.elementwise import NARROW, converted
from lensgrad.interchange.onnx.scope import Item, Met
from lensgrad.interchange.onnx.tensors import dtype_of

WIDER = (*NARROW, "uint64")  # dtypes whose wires are of another one
OVERFLOWS = (
    "Abs", "Add", "BitShift", "BitwiseNot", "CastLike", "CumProd", "CumSum", "Div", "Einsum", "Gemm", "MatMul", "Mul", "Neg", "Pow",
    "ReduceL1", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Sub", "Sum",
)  # fmt: skip


def narrowed(met: Met, results: Sequence[Item]) -> Sequence[Item]:
    """The results of a node with the bits that their dtypes have in the file, which is noted for those that read them."""
    given = [met.scope.kind(name) for name in met.node.input]
    if not any(given) and met.node.op_type != "Cast":
        return results
    found = [*results]
    for k, (name, value) in enumerate(zip(met.node.output, results, strict=False)):
        kind = kind_of(met, k, given)
        if kind and isinstance(value, Wire):
            met.scope.kinds[name] = kind
            found[k] = wrapped(met, value, kind)
    return found


def wrapped(met: Met, x: Wire, kind: str) -> Wire:
    """A result with the bits of its dtype, where it may have more."""
    if kind == "uint64" and met.node.op_type == "BitwiseNot":
        raise Unsupported(f"{met.what} of numbers of 64 bits has no meaning here: whole numbers have 32 bits")
    return converted(x, kind) if kind in NARROW and met.node.op_type in OVERFLOWS else x


def kind_of(met: Met, k: int, given: list[str]) -> str:
    """The dtype of result k in the file, where wires carry it by another one; else an empty text."""
    if met.node.op_type == "Cast":
        kind = dtype_of(met.what, next((a.i for a in met.node.attribute if a.name == "to"), 0)).name
        return kind if kind in WIDER else ""
    schema = schema_of(met)
    if schema is None or not schema.outputs:
        return ""
    own = schema.outputs[min(k, len(schema.outputs) - 1)].type_str
    formal = [schema.inputs[min(j, len(schema.inputs) - 1)].type_str for j in range(len(given))]
    return next((kind for kind, t in zip(given, formal, strict=True) if kind and t == own), "")


def schema_of(met: Met) -> Any:
    """What the standard says of an operator, if it knows it."""
    defs, version = package().defs, met.scope.versions.get(met.domain, 1)
    return defs.get_schema(met.node.op_type, version, met.domain) if defs.has(met.node.op_type, version, met.domain) else None
