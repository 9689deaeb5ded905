"""Gradients and training of whole networks in ONNX files, beside PyTorch: `python -m tools.onnx_training FOLDER`.

Five networks are looked for in the folder and below it. Each is read in float64 by `lg.from_onnx` and by onnx2torch, and the gradients of
half the sum of squares of the outputs minus random targets are compared for all weights: they are equal where the largest difference is
within 1e-4 of the largest entry. Then it is trained on here, from its file as it is, for 50 steps on the same random examples: the loss
must fall. onnx2torch cannot run the files as they are; for it alone, constants become initializers, SAME_UPPER becomes the
numbers it means, the largest entry of all positions gets a converter, and padding by reflection works along any axis.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx2torch import convert
from onnx2torch.node_converters.pad import OnnxPadDynamic
from onnx2torch.node_converters.registry import add_converter
from onnx2torch.utils.common import OnnxMapping, OperationConverterResult

import lensgrad as lg
from lensgrad import lens

CLOSE = 1e-4
STEPS = 50
FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


@dataclass(frozen=True)
class Net:
    """A network by the name of its file, with the shape of one or two of its examples, and what it is trained with."""

    file: str
    shape: tuple[int, ...]
    rate: float
    whole: bool = False  # inputs are small whole numbers


NETS = (
    Net("standard_v3_3/model.onnx", (2, 2048), 1e-4, whole=True),
    Net("ch_ppocr_mobile_v2.0_cls_mobile.onnx", (2, 3, 48, 64), 1e-4),
    Net("PP-OCRv6_det_small.onnx", (2, 3, 64, 64), 1e-4),
    Net("PP-OCRv6_rec_small.onnx", (2, 3, 48, 64), 1e-4),
    Net("nmp.onnx", (1, 43844, 1), 1e-4),
)


class Largest(torch.nn.Module):
    """The largest entry of all positions, channel by channel: GlobalMaxPool, which onnx2torch lacks."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.amax(dim=tuple(range(2, x.ndim)), keepdim=True)


@add_converter(operation_type="GlobalMaxPool", version=1)
def largest(node: Any, graph: Any) -> OperationConverterResult:
    mapping = OnnxMapping(inputs=node.input_values, outputs=node.output_values)
    return OperationConverterResult(torch_module=Largest(), onnx_mapping=mapping)


class Reflected(torch.nn.Module):
    """Padding by reflection along any axes, which onnx2torch has for the last ones."""

    def forward(self, x: torch.Tensor, pads: torch.Tensor, *_: Any) -> torch.Tensor:
        for axis, (before, after) in enumerate(pads.reshape(2, -1).T.tolist()):
            if before or after:
                x = x.index_select(axis, torch.from_numpy(np.pad(np.arange(x.shape[axis]), (before, after), mode="reflect")))
        return x


def converted(model: Any) -> Any:
    """The network in PyTorch."""
    found = convert(for_torch(model))
    for name, part in [*found.named_modules()]:
        if isinstance(part, OnnxPadDynamic) and part.mode == "reflect":
            found.set_submodule(name, Reflected())
    return found


def graphs(graph: Any) -> Iterator[Any]:
    """A graph and those inside it."""
    yield graph
    for node in graph.node:
        for a in node.attribute:
            if a.type == onnx.AttributeProto.GRAPH:
                yield from graphs(a.g)


def widened(tensor: Any) -> None:
    """Make a tensor of floats one of float64, in place."""
    if tensor.data_type == FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float64"), tensor.name))


def doubled(model: Any) -> Any:
    """The network in float64: its inputs, outputs, weights and constants, but for the scales of Resize, which have one type."""
    found = onnx.ModelProto.FromString(model.SerializeToString())
    del found.graph.value_info[:]
    for graph in graphs(found.graph):
        scales = {n.input[2] for n in graph.node if n.op_type == "Resize" and len(n.input) > 2}
        for v in (*graph.input, *graph.output):
            if v.type.tensor_type.elem_type == FLOAT:
                v.type.tensor_type.elem_type = DOUBLE
        for tensor in (t for t in graph.initializer if t.name not in scales):
            widened(tensor)
        for node in (n for n in graph.node if not scales & {*n.output}):
            widen_node(node)
    return found


def widen_node(node: Any) -> None:
    """Make what a node holds or casts to float64."""
    for a in node.attribute:
        if a.type == onnx.AttributeProto.TENSOR:
            widened(a.t)
        elif node.op_type == "Cast" and a.name == "to" and a.i == FLOAT:
            a.i = DOUBLE


def for_torch(model: Any) -> Any:
    """The same network as onnx2torch can read it: constants are initializers, and padding is in numbers."""
    found = onnx.ModelProto.FromString(model.SerializeToString())
    kept = []
    for node in found.graph.node:
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant" and "value" in values:
            found.graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(values["value"]), node.output[0]))
            continue
        if values.get("auto_pad") == b"SAME_UPPER":
            pad_in_numbers(node, values)
        kept.append(node)
    del found.graph.node[:]
    found.graph.node.extend(kept)
    return found


def pad_in_numbers(node: Any, values: dict[str, Any]) -> None:
    """SAME_UPPER of a window that moves by one: k - 1 in all, the larger half at the end."""
    assert set(values["strides"]) == {1} and set(values.get("dilations", [1])) == {1}
    sides = [(k - 1) // 2 for k in values["kernel_shape"]] + [k // 2 for k in values["kernel_shape"]]
    left = [a for a in node.attribute if a.name not in ("auto_pad", "pads")]
    del node.attribute[:]
    node.attribute.extend([*left, helper.make_attribute("pads", sides)])


def example(net: Net, rng: np.random.Generator, kind: str) -> Any:
    """Random inputs."""
    return rng.integers(0, 256, size=net.shape).astype("int32") if net.whole else (rng.normal(size=net.shape) * 0.5).astype(kind)


def listed(outs: Any) -> list[Any]:
    return [*outs] if isinstance(outs, tuple | list) else [outs]


def ours(model: Any, values: dict[str, Any], x: Any, targets: Callable[[list[Any]], list[Any]]) -> tuple[list[Any], dict[str, Any]]:
    """The outputs, and the gradient of each weight by name: R of the arrow at the outputs minus their targets."""
    outs = listed(lg.evaluate(model, x, values=values))
    seeds = [y - t for y, t in zip(outs, targets(outs), strict=True)]
    held = [values[name] for name in model.names]
    changed = [name for name, array in zip(model.names, held, strict=True) if array.dtype.kind == "f"]
    back = listed(lg.evaluate(lens.R(model.arrow), *held, x, *seeds))
    grads = dict(zip(changed, back[: len(changed)], strict=True))
    learnt = {name for name, p in zip(model.names, model.params, strict=True) if p.role is lg.weights}
    return outs, {name: g for name, g in grads.items() if name in learnt}


def key(array: Any) -> tuple[tuple[int, ...], bytes]:
    """What a weight is known by in both: its value."""
    return array.shape, np.ascontiguousarray(array).tobytes()


def leaves(module: Any) -> list[torch.Tensor]:
    """All floats of a PyTorch module, weights now, whether they were parameters or buffers."""
    found = []
    for part in module.modules():
        averages = ("running_mean", "running_var") if isinstance(part, torch.nn.modules.batchnorm._BatchNorm) else ()
        for store in (part._parameters, part._buffers):
            for name, t in store.items():
                if t is not None and t.is_floating_point() and name not in averages:
                    t.requires_grad_()
                    found.append(t)
    return list({id(t): t for t in found}.values())


def theirs(module: Any, x: Any, targets: Callable[[list[Any]], list[Any]]) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The outputs, and each weight with its gradient, by PyTorch."""
    weights = leaves(module.eval())
    outs = listed(module(torch.from_numpy(x)))
    arrays = [y.detach().numpy() for y in outs]
    loss = sum(((y - torch.from_numpy(t)) ** 2).sum() / 2 for y, t in zip(outs, targets(arrays), strict=True))
    grads = torch.autograd.grad(loss, weights, allow_unused=True)
    return arrays, [(w.detach().numpy(), np.zeros(w.shape) if g is None else g.numpy()) for w, g in zip(weights, grads, strict=True)]


def by_value(pairs: Any) -> dict[Any, Any]:
    """The gradients of weights with one value, added: PyTorch has a weight that is used twice as two."""
    found: dict[Any, Any] = defaultdict(float)
    for value, grad in pairs:
        found[key(value)] = found[key(value)] + grad
    return found


def largest_of(arrays: Any) -> float:
    return max((float(np.abs(a).max(initial=0)) for a in arrays), default=0.0)


def gradients(path: Path, net: Net) -> tuple[bool, str]:
    """Whether the gradients of all weights are equal, and what is said of them."""
    file = doubled(onnx.load(path))
    x = example(net, np.random.default_rng(0), "float64")

    def targets(outs: list[Any]) -> list[Any]:
        rng = np.random.default_rng(1)
        return [rng.uniform(size=y.shape) for y in outs]

    model, values = lg.from_onnx(file, batch=False, sizes={file.graph.input[0].name: net.shape})
    outs, mine = ours(model, values, x, targets)
    others, pairs = theirs(converted(file), x, targets)
    a, b = by_value((values[name], g) for name, g in mine.items()), by_value(pairs)
    far_outs = largest_of(y - z for y, z in zip(outs, others, strict=True)) / largest_of(others)
    far = largest_of(a[k] - b[k] for k in a if k in b) / largest_of(b[k] for k in a if k in b)
    worst = max(largest_of([a[k] - b[k]]) / (largest_of([b[k]]) or 1.0) for k in a if k in b)
    missing = [name for name in mine if key(values[name]) not in b]
    told = f"outputs {far_outs:.0e}, gradients of {len(mine) - len(missing)} of {len(mine)} weights {far:.0e} (worst alone {worst:.0e})"
    return max(far_outs, far) <= CLOSE and not missing, told + (f", unmatched: {', '.join(missing[:4])}" if missing else "")


def training(path: Path, net: Net) -> tuple[bool, str]:
    """Whether the loss falls in 50 steps of Adam on the same examples, and from where to where."""
    file, rng = onnx.load(path), np.random.default_rng(2)
    model, values = lg.from_onnx(file, batch=True, sizes={file.graph.input[0].name: (1, *net.shape[1:])})
    labels = {f"y{k}": rng.uniform(size=(net.shape[0], *atom.shape)).astype("float32") for k, atom in enumerate(model.cod)}
    losses: Any = {name: lg.half_squared_error for name in labels}
    learner = lg.supervised(model, losses, lg.adam(net.rate))
    data = {"x": example(net, rng, "float32"), **labels}
    run = learner.fit(data, start=values, epochs=STEPS, batch_size=net.shape[0], shuffle=False, progress=False)
    first, last = (run.history[k]["loss"] for k in (0, -1))
    return last < first, f"loss {first:.4g} → {last:.4g}"


def looked_at(folder: Path, net: Net) -> tuple[bool, str]:
    """What is said of one network, and whether all of it is good."""
    path = next((p for p in sorted(folder.rglob("*.onnx")) if str(p).endswith("/" + net.file)), None)
    if path is None:
        return False, "not in the folder"
    good, told = True, list[str]()
    for look in (gradients, training):
        began = time.perf_counter()
        try:
            fine, words = look(path, net)
        except Exception as wrong:  # whatever the reason, the other networks are looked at too
            fine, words = False, f"{type(wrong).__name__}: {str(wrong)[:200]}"
        good &= fine
        told.append(f"{words}{'' if fine else ' WRONG'} ({time.perf_counter() - began:.0f} s)")
    return good, "; ".join(told)


def main(words: list[str]) -> int:
    """Look at the five networks; 1 where one is not good."""
    torch.set_num_threads(1)
    good = 0
    for net in NETS:
        fine, told = looked_at(Path(words[0]), net)
        good += fine
        print(f"{net.file:36} {'good ' if fine else 'WRONG'}  {told}", flush=True)
    print(f"{good} of {len(NETS)}")
    return int(good < len(NETS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
