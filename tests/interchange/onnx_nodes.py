"""Single ONNX nodes in tests: what the meanings here give, and what the reference and the runtime give."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import lensgrad as lg
from lensgrad.cat.reverse import R
from lensgrad.core.ty import Ty
from lensgrad.interchange.dtypes import atom_of, carried
from lensgrad.interchange.imported import imported
from lensgrad.interchange.onnx.call import Call, Known, Unsupported

VERSION = 24


def node(op: str, inputs: int | str, outputs: int = 1, **attributes: Any) -> onnx.NodeProto:
    """A node with inputs x0, x1, …, or with these names ("" for one that is left out), separated by commas."""
    names = [f"x{k}" for k in range(inputs)] if isinstance(inputs, int) else inputs.split(",")
    return onnx.helper.make_node(op, names, [f"y{k}" for k in range(outputs)], name="here", **attributes)


def attributes_of(made: onnx.NodeProto) -> dict[str, Any]:
    values = {a.name: onnx.helper.get_attribute_value(a) for a in made.attribute}
    return {k: onnx.numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else v for k, v in values.items()}


def formula(table: Any, made: onnx.NodeProto, arrays: dict[str, np.ndarray], known: tuple[str, ...], version: int) -> Any:
    """What a table says of a node, as a formula of its inputs that are not known."""

    def written(site: Any, xs: Any) -> Any:
        wires = dict(zip([name for name in arrays if name not in known], xs, strict=True))
        fixed = {name: Known(arrays[name], lambda name=name: site.constant(name, arrays[name])) for name in known}
        inputs = tuple((wires | fixed).get(name) for name in made.input)
        key = f"{made.domain}.{made.op_type}" if made.domain else made.op_type
        outs = table[key](Call(made.op_type, made.name, version, attributes_of(made), inputs, tuple(made.output), site))
        return [o.wire() if isinstance(o, Known) else o for o, name in zip(outs, made.output, strict=False) if name]

    return written


def arrow(table: Any, made: onnx.NodeProto, *xs: Any, known: tuple[str, ...] = (), version: int = VERSION) -> tuple[Any, Any, list[Any]]:
    """The arrow of a node, the values of its parameters, and the arrays of its inputs that are not known."""
    names = [n for n in made.input if n]
    arrays = dict(zip(names, map(np.asarray, xs), strict=True))
    free = [carried(n, a) for n, a in arrays.items() if n not in known]
    model, values = imported(Ty(tuple(map(atom_of, free))), formula(table, made, arrays, known, version))
    return model, values, free


def means(table: Any, made: onnx.NodeProto, *xs: Any, known: tuple[str, ...] = (), version: int = VERSION) -> list[np.ndarray]:
    """What a table gives for a node."""
    model, values, free = arrow(table, made, *xs, known=known, version=version)
    outs: Any = lg.evaluate(model, *free, values=values)
    return [np.asarray(o) for o in (outs if isinstance(outs, tuple) else (outs,))]


def whole(made: onnx.NodeProto, xs: Any, version: int) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """A model of one node, and its inputs by name."""
    feeds = dict(zip([n for n in made.input if n], map(np.asarray, xs), strict=True))
    given = [onnx.helper.make_tensor_value_info(n, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in feeds.items()]
    graph = onnx.helper.make_graph([made], "one", given, [onnx.ValueInfoProto(name=n) for n in made.output if n])
    sets = [onnx.helper.make_opsetid(d, v) for d, v in (("", version), ("ai.onnx.preview.training", 1), ("com.microsoft", 1))]
    return onnx.helper.make_model(graph, opset_imports=sets, ir_version=10), feeds


def reference(made: onnx.NodeProto, *xs: Any, version: int = VERSION) -> list[Any]:
    """What onnx.reference gives."""
    model, feeds = whole(made, xs, version)
    found: Any = ReferenceEvaluator(model).run(None, feeds)
    return found


def runtime(made: onnx.NodeProto, *xs: Any, version: int = 22) -> list[Any]:
    """What onnxruntime gives."""
    import onnxruntime

    model, feeds = whole(made, xs, version)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: Any = session.run(None, feeds)
    return found


def same(found: Any, wanted: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Refuse results of another shape, or with other numbers."""
    for f, w in zip(found, wanted, strict=True):
        w = np.asarray(w)
        assert f.shape == w.shape, (f.shape, w.shape)
        np.testing.assert_allclose(np.asarray(f, "float64"), np.asarray(w, "float64"), rtol, atol)


def agrees(
    table: Any, made: onnx.NodeProto, *xs: Any, oracle: Any = reference, version: int = VERSION, known: tuple[str, ...] = ()
) -> None:
    """Refuse a meaning that differs from an oracle."""
    same(means(table, made, *xs, known=known, version=version), oracle(made, *xs, version=version))


def floats(seed: int, *shapes: Any) -> list[np.ndarray]:
    """Normal numbers in float32, one array for each shape."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s).astype(np.float32) for s in shapes]


def smooth(table: Any, made: onnx.NodeProto, *xs: Any, known: tuple[str, ...] = (), version: int = VERSION, seed: int = 5) -> None:
    """Refuse a reverse derivative that differs from central differences, along one random direction in float64."""
    rng, names = np.random.default_rng(seed), [n for n in made.input if n]
    wide = [np.asarray(x, "float64") if np.asarray(x).dtype == np.float32 else np.asarray(x) for x in xs]
    model, values, free = arrow(table, made, *wide, known=known, version=version)
    points = [*values.values(), *free]
    move = [rng.standard_normal(p.shape) if p.dtype == np.float64 else None for p in points]
    step = 1e-6
    ends = [[p if m is None else p + s * m for p, m in zip(points, move, strict=True)] for s in (step, -step)]
    high, low = ([np.asarray(y, "float64") for y in tuple(evaluated(model.arrow, e))] for e in ends)
    cotangents = [rng.standard_normal(y.shape) for y, a in zip(high, model.arrow.cod, strict=True) if a.change is not None]
    slopes = [(a - b) / (2 * step) for a, b, t in zip(high, low, model.arrow.cod, strict=True) if t.change is not None]
    pulled = evaluated(R(model.arrow), [*points, *cotangents])
    left = sum(float((c * s).sum()) for c, s in zip(cotangents, slopes, strict=True))
    right = sum(float((m * np.asarray(d)).sum()) for m, d in zip([m for m in move if m is not None], pulled, strict=True))
    assert names and abs(left) > 1e-3
    np.testing.assert_allclose(right, left, 1e-5)


def evaluated(f: Any, xs: Any) -> tuple[Any, ...]:
    """What an arrow gives, as a tuple."""
    outs: Any = lg.evaluate(f, *xs)
    return outs if isinstance(outs, tuple) else (outs,)


def refusal(table: Any, made: onnx.NodeProto, *xs: Any, known: tuple[str, ...] = (), version: int = VERSION) -> str:
    """The text with which a table refuses a node."""
    with pytest.raises(Unsupported) as error:
        means(table, made, *xs, known=known, version=version)
    return str(error.value)
