"""Small ONNX models, as tests write them."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

KINDS = {"f4": TensorProto.FLOAT, "f8": TensorProto.DOUBLE, "i8": TensorProto.INT64, "b1": TensorProto.BOOL, "int8": TensorProto.INT8}


def value(name: str, shape: Any, kind: str = "f4") -> Any:
    """An input or an output."""
    return helper.make_tensor_value_info(name, KINDS[kind], shape)


def node(op: str, inputs: str, outputs: str, **named: Any) -> Any:
    """A node, of which a `.` in the inputs is left out; it is called after its operator."""
    return helper.make_node(op, ["" if n == "." else n for n in inputs.split()], outputs.split(), name=f"the {op}", **named)


def graph(nodes: Any, inputs: Any, outputs: Any, stored: Any = ()) -> Any:
    """A graph with stored arrays by name."""
    return helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(np.asarray(v), k) for k, v in dict(stored).items()])


def model(nodes: Any, inputs: Any, outputs: Any, stored: Any = (), opset: int = 21, functions: Any = ()) -> Any:
    """A model with stored arrays by name."""
    return helper.make_model(
        graph(nodes, inputs, outputs, stored),
        functions=functions,
        opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("own", 1)],
    )
