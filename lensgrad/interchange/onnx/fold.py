"""Nodes of values that the file itself gives, computed at once by onnx's own evaluator; what would be gigantic is refused first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core.extras import extra
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.call import Unsupported
from lensgrad.interchange.onnx.file import home, package

LARGEST = 2**25  # entries of what is computed while a file is read, and of its inputs together
SHORT = 4096  # entries of inputs that shapes are read from
SMALL = 2**20  # entries of the inputs of what takes long to compute: where there are more, that is left to the program
DIVIDES = (
    "block_size", "blocksize", "dilations", "group", "hidden_size", "kernel_shape", "kv_num_heads", "num_groups", "num_heads",
    "num_outputs", "q_num_heads", "sampling_ratio", "size", "split", "strides",
)  # fmt: skip
BEYOND = 2**31
HEAVY = (
    "Attention", "Conv", "ConvTranspose", "DFT", "DeformConv", "Einsum", "GRU", "Gemm", "GridSample", "LSTM", "MatMul", "RNN",
    "Resize", "STFT", "TopK", "Unique",
)  # fmt: skip
RANDOM = (
    "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
)  # fmt: skip
SIZES = ("Shape", "Size")
BOUNDED = (  # results of a size that depends on the numbers, and is at most a few times that of the inputs
    "Compress", "NonMaxSuppression", "NonZero", "Unique",
)  # fmt: skip


def folded(node: Any, versions: Mapping[str, int], inputs: Mapping[str, Numbers], what: str) -> list[Numbers] | None:
    """The results of a node on arrays; None where its operator has no such meaning."""
    domain = home(node.domain)
    if node.op_type in RANDOM or domain not in versions or not package().defs.has(node.op_type, versions[domain], domain):
        return None
    if not bearable(node, versions, inputs, what):
        return None
    evaluator = extra("onnx.reference", "onnx", "reading an ONNX file").ReferenceEvaluator
    try:
        with np.errstate(all="ignore"):
            found = evaluator(alone(node, versions)).run(None, dict(inputs), {})
    except Exception:  # whatever an evaluator of others raises: our meaning of the operator says what is wrong, or none is there
        return None
    return None if any(not isinstance(y, np.ndarray | np.generic) for y in found) else [np.asarray(y) for y in found]


def alone(node: Any, versions: Mapping[str, int]) -> Any:
    """A function of one node: of a bare node the evaluator takes the newest meaning, whatever the version of its operator set is."""
    helper: Any = package().helper
    imports = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
    outputs = [name or f"unused {k}" for k, name in enumerate(node.output)]
    made = package().NodeProto()
    made.CopyFrom(node)
    del made.output[:]
    made.output.extend(outputs)
    return helper.make_function("lensgrad", "alone", dict.fromkeys(n for n in node.input if n), outputs, [made], imports)


def bearable(node: Any, versions: Mapping[str, int], inputs: Mapping[str, Numbers], what: str) -> bool:
    """Whether all sizes of the results are known; refused where they are gigantic."""
    if any(not 0 < abs(n) < BEYOND for n in divisors(node)):
        return False
    given = sum(x.size for x in inputs.values())
    if given > (SMALL if node.op_type in HEAVY else LARGEST) and node.op_type not in SIZES:
        return False
    if node.op_type in BOUNDED:
        return True
    most = max(LARGEST, 2 * given)
    for shape in shapes(node, versions, inputs):
        if shape is None:
            return False
        if math.prod(shape) > most:
            raise Unsupported(f"{what} gives an array of shape {list(shape)}, which is refused: {most:,} entries are the limit")
    return True


def divisors(node: Any) -> list[int]:
    """The numbers of a node that something is divided by: onnx ends the process where they are 0, or their square is beyond a word."""
    return [n for a in node.attribute if a.name in DIVIDES for n in (*a.ints, *([a.i] if a.HasField("i") else []))]


def shapes(node: Any, versions: Mapping[str, int], inputs: Mapping[str, Numbers]) -> Sequence[tuple[int, ...] | None]:
    """The shape of each result as onnx infers it; None for one that it does not know."""
    onnx: Any = package()
    helper = onnx.helper
    domain = home(node.domain)
    schema = onnx.defs.get_schema(node.op_type, versions[domain], domain)
    types = {k: helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for k, x in inputs.items()}
    data = {k: onnx.numpy_helper.from_array(np.ascontiguousarray(x).reshape(x.shape)) for k, x in inputs.items() if x.size <= SHORT}
    imports = [helper.make_opsetid(d, v) for d, v in versions.items()]
    infer = extra("onnx.shape_inference", "onnx", "reading an ONNX file").infer_node_outputs
    try:
        found = infer(schema, node, types, data, opset_imports=imports)
    except Exception:  # a node that does not fit: its meaning says why
        return [None]
    return [sized(found[name]) if name in found else None for name in node.output if name]


def sized(kind: Any) -> tuple[int, ...] | None:
    """The shape of an inferred type."""
    if not kind.tensor_type.HasField("shape"):
        return None
    dims = [d.dim_value if d.HasField("dim_value") else -1 for d in kind.tensor_type.shape.dim]
    return None if min(dims, default=0) < 0 else tuple(dims)
