"""From the record of a graph to an ONNX model, as one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.core.extras import extra
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.writing.sheet import Body, Info, Net, Node
from lensgrad.version import __version__

OPSET, IR = 18, 8  # the oldest that have all operators: reductions with axes as inputs, and operators of bits
MOST = 2**31 - 2**20  # bytes of a message, which end at 2 GiB
TYPES = {
    "float32": "FLOAT", "float64": "DOUBLE", "float16": "FLOAT16", "bfloat16": "BFLOAT16", "int32": "INT32", "int64": "INT64",
    "uint8": "UINT8", "uint32": "UINT32", "bool": "BOOL",
}  # fmt: skip


class Writer:
    """The names of the package `onnx` that are needed."""

    def __init__(self) -> None:
        self.onnx: Any = extra("onnx", "onnx", "writing an ONNX file")
        self.helper: Any = extra("onnx.helper", "onnx", "writing an ONNX file")

    def dtype(self, name: str) -> int:
        return getattr(self.onnx.TensorProto, TYPES[name])

    def info(self, info: Info) -> Any:
        return self.helper.make_tensor_value_info(info.name, self.dtype(info.dtype), list(info.shape))

    def tensor(self, name: str, array: Numbers, half: bool) -> Any:
        """An array as a message; those of bfloat16 are given in float32."""
        if half:
            bits = (np.ascontiguousarray(array).view(np.uint32) >> 16).astype("<u2")
            return self.helper.make_tensor(name, self.dtype("bfloat16"), array.shape, bits.tobytes(), raw=True)
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        return self.helper.make_tensor(name, self.dtype(array.dtype.name), array.shape, raw, raw=True)

    def node(self, node: Node) -> Any:
        how = {n: self.dtype(v) if node.kind == "Cast" and n == "to" else v for n, v in node.attributes.items()}
        body = {} if node.body is None else {"body": self.graph("body", node.body, [])}
        return self.helper.make_node(node.kind, list(node.inputs), list(node.outputs), name=node.name, **how, **body)

    def graph(self, name: str, body: Body | Net, tensors: Sequence[Any]) -> Any:
        ends = [[self.info(i) for i in infos] for infos in (body.inputs, body.outputs)]
        return self.helper.make_graph([self.node(n) for n in body.nodes], name, *ends, initializer=list(tensors))


def message(net: Net, name: str, told: str = "", facts: Mapping[str, str] | None = None) -> bytes:
    """A graph as the bytes of an ONNX file, after the checker of ONNX has found it well-formed.

    - `net`: the graph.
    - `name`: what it is called.
    - `told`: what the file says of itself; nothing unless given.
    - `facts`: further texts by name that the file holds; none unless given.
    """
    total = sum(a.nbytes for a in net.constants.values())
    if total > MOST:
        raise BadValue(f"an ONNX file must be below 2 GiB, and these weights are of {total:,} bytes: save them with run.save(path)")
    write = Writer()
    tensors = [write.tensor(n, a, n in net.halves) for n, a in net.constants.items()]
    model = write.helper.make_model(
        write.graph(name, net, tensors), opset_imports=[write.helper.make_opsetid("", OPSET)], ir_version=IR,
        producer_name="lensgrad", producer_version=__version__, doc_string=told,
    )  # fmt: skip
    write.helper.set_model_props(model, dict(facts or {}))
    extra("onnx.checker", "onnx", "writing an ONNX file").check_model(model, full_check=True)
    return model.SerializeToString()
