"""Operators that stand for several others: functions of the file, and those of the standard that are defined by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lensgrad.core.errors import BadCheckpoint
from lensgrad.interchange.onnx.attributes import resolved
from lensgrad.interchange.onnx.call import Known, Unsupported
from lensgrad.interchange.onnx.file import package, short, versions
from lensgrad.interchange.onnx.scope import Item, Met, Several, Writing

DEEPEST = 40  # functions inside functions
NAMES = {"float32": "FLOAT", "float64": "DOUBLE"}  # of dtypes that ONNX calls by another name


def is_local(writer: Writing, met: Met) -> bool:
    """Whether the file itself defines the operator of a node."""
    return (met.domain, met.node.op_type, met.node.overload) in writer.source.functions


def local(writer: Writing, met: Met) -> list[Item]:
    """The results of a node whose operator the file itself defines; refused where the standard has it too."""
    if met.domain in met.scope.versions and package().defs.has(met.node.op_type, met.scope.versions[met.domain], met.domain):
        told = "defined by the file and by the standard, and runtimes differ in which of both they take: give its function another name"
        raise Unsupported(f"{met.what} is {told}")
    return expanded(writer, writer.source.functions[met.domain, met.node.op_type, met.node.overload], met, ())


def expanded(writer: Writing, function: Any, met: Met, defaults: Iterable[Any]) -> list[Item]:
    """A function with the inputs and attributes of a node."""
    if met.scope.depth > DEEPEST:
        raise BadCheckpoint(f"{writer.source.file.what} has functions inside functions, more than {DEEPEST} deep: it is refused")
    given = {a.name: a for a in (*defaults, *function.attribute_proto, *met.node.attribute)}
    inner = met.scope.closed(met.node.op_type, met.index, versions(function.opset_import))
    for k, name in enumerate(function.input):
        inner.define(name, met.inputs[k] if k < len(met.inputs) else None)
        inner.kinds[name] = met.scope.kind(met.node.input[k]) if k < len(met.inputs) else ""
    body = writer.source.once((inner.path, "body"), lambda: [resolved(n, given) for n in function.node])
    writer.nodes(body, inner)
    asked = [k < len(met.node.output) and bool(met.node.output[k]) for k in range(len(function.output))]
    return [inner.find(name, met.what) if there else None for name, there in zip(function.output, asked, strict=True)]


def standard(writer: Writing, met: Met) -> list[Item]:
    """The results of a node whose operator the standard defines by others; refused where it does not."""
    found = writer.source.once((*met.place, "function"), lambda: body(met))
    if found is None:
        name = f" '{short(met.node.name)}'" if met.node.name else ""
        raise Unsupported(f"{short(met.operator)}{name} has no meaning here: export the network without it")
    schema: Any = package().defs.get_schema(met.node.op_type, met.scope.versions[met.domain], met.domain)
    return expanded(writer, found, met, [a.default_value for a in schema.attributes.values() if a.default_value.name])


def body(met: Met) -> Any:
    """The function that an operator stands for at its operator set, or None."""
    defs: Any = package().defs
    version = met.scope.versions[met.domain]
    if not defs.has(met.node.op_type, version, met.domain):
        return None
    schema = defs.get_schema(met.node.op_type, version, met.domain)
    plain = [v for v in schema.function_opset_versions if v <= version] if schema.has_function else []
    if plain:
        return parsed(schema.get_function_with_opset_version(plain[-1]))
    bound = [v for v in schema.context_dependent_function_opset_versions if v <= version] if schema.has_context_dependent_function else []
    if not bound:
        return None
    types = [kind(v).SerializeToString() for v in met.inputs]
    return parsed(schema.get_context_dependent_function_with_opset_version(bound[-1], met.node.SerializeToString(), types))


def parsed(raw: bytes) -> Any:
    """A function from its bytes, or None for none."""
    return package().FunctionProto.FromString(raw) if raw else None


def kind(value: Item) -> Any:
    """The type of a value in ONNX's words."""
    onnx: Any = package()
    if value is None:
        return onnx.TypeProto()
    if isinstance(value, Several):
        return onnx.helper.make_sequence_type_proto(kind(value.items[0]) if value.items else onnx.helper.make_tensor_type_proto(1, None))
    shape, dtype = (value.array.shape, value.array.dtype.name) if isinstance(value, Known) else (value.atom.shape, value.atom.dtype)
    return onnx.helper.make_tensor_type_proto(getattr(onnx.TensorProto, NAMES.get(dtype, dtype.upper())), shape)
