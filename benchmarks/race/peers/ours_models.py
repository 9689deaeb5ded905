"""The learners of the workloads in this library, and their first values by its names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import lensgrad as lg
from benchmarks.race.contract import Array, Arrays
from benchmarks.race.data import blocks
from benchmarks.race.workloads import GPT, GRAPH, LETTERS, LSTM_STEPS, LSTM_WIDTH, Optimizer, Workload
from lensgrad import recipes
from lensgrad.core.diagram import Diagram
from lensgrad.learn.model import para
from lensgrad.recipes import vision

Named = Mapping[str, Array]


def learner(workload: Workload, dtype: str = "float32") -> lg.Learner:
    """Model, loss and optimizer; W1 and W2 also in float64."""
    return LEARNERS[workload.name](workload.optimizer, dtype)


def start(workload: Workload, given: Arrays) -> dict[str, Array]:
    """First values by our names, matrices as [out, in]."""
    return {name: np.ascontiguousarray(v) for name, v in STARTS[workload.name](given).items()}


def optimizer(how: Optimizer) -> Any:
    if how.kind == "sgd":
        return lg.sgd(how.rate, momentum=how.momentum)
    return lg.adam(how.rate) if how.kind == "adam" else lg.adamw(how.rate, weight_decay=how.decay)


def layers(given: Arrays, names: Mapping[str, tuple[str, str]]) -> dict[str, Array]:
    """Dense layers by our names, of a matrix and a bias each."""
    weights = {f"{ours}/weight": given[w].T for ours, (w, _) in names.items()}
    return weights | {f"{ours}/bias": given[b] for ours, (_, b) in names.items()}


# -- small networks ----------------------------------------------------------------------------------------------------


def iris_net(how: Optimizer, dtype: str) -> lg.Learner:
    return lg.supervised(recipes.iris_model("hidden", dtype), lg.half_squared_error, lg.descent, how.rate)


def iris_start(given: Arrays) -> dict[str, Array]:
    return layers(given, {"hidden": ("w1", "b1"), "output": ("w2", "b2")})


def paper_net(how: Optimizer, dtype: str) -> lg.Learner:
    return vision.paper_learner(how.rate, how.momentum, dtype, metrics=())


def paper_start(given: Arrays) -> dict[str, Array]:
    return {"first/kernel": given["k1"], "second/kernel": given["k2"], **layers(given, {"output": ("w", "b")})}


def mlp(how: Optimizer, dtype: str) -> lg.Learner:
    first, second = (lg.dense(512, activation="relu", name=name) for name in ("first", "second"))
    model = lg.sequential(lg.input(784), first, second, lg.dense(10, name="third"))
    return lg.supervised(model, lg.cross_entropy, optimizer(how))


def mlp_start(given: Arrays) -> dict[str, Array]:
    return layers(given, {name: (f"w{k}", f"b{k}") for k, name in enumerate(("first", "second", "third"), 1)})


# -- ResNet ------------------------------------------------------------------------------------------------------------


def normalized(name: str, channels: int, size: int = 3, stride: int = 1) -> list[Any]:
    """A convolution and the batch normalization after it."""
    convolution = lg.conv2d(channels, size, stride=stride, padding=size // 2, use_bias=False, name=f"{name}/conv")
    return [convolution, lg.batch_norm(name=f"{name}/norm")]


def block(name: str, inner: int, outer: int, stride: int) -> list[Any]:
    """Two convolutions and a shortcut around them."""
    body = lg.sequential(*normalized("a", outer, 3, stride), lg.relu, *normalized("b", outer))
    side = lg.sequential(*normalized("s", outer, 1, stride)) if inner != outer else None
    return [lg.residual(body, shortcut=side, name=name), lg.relu]


def resnet(how: Optimizer, dtype: str) -> lg.Learner:
    middle = [layer for sizes in blocks() for layer in block(*sizes)]
    end = lg.global_average_pool(), lg.dense(10, name="out")
    model = lg.sequential(lg.input(32, 32, 3), *normalized("stem", 64), lg.relu, *middle, *end)
    return lg.supervised(model, lg.cross_entropy, optimizer(how))


def resnet_start(given: Arrays) -> dict[str, Array]:
    ours = {"kernel": "conv/kernel", "scale": "norm/scale", "shift": "norm/bias"}
    places = {"stem": "stem"}
    for name, *_ in blocks():
        places |= {f"{name}a": f"{name}/a", f"{name}b": f"{name}/b", f"{name}s": f"{name}/shortcut/s"}
    split = [(name.rpartition("/"), v) for name, v in given.items() if "/" in name]
    return {f"{places[name]}/{ours[what]}": v for (name, _, what), v in split} | layers(given, {"out": ("w", "b")})


# -- sequences and graphs ----------------------------------------------------------------------------------------------


def gpt(how: Optimizer, dtype: str) -> lg.Learner:
    kind: dict[str, Any] = {"activation": "gelu_tanh", "causal": True}
    middle = [lg.transformer_block(GPT.heads, 4 * GPT.width, name=f"block{k}", **kind) for k in range(GPT.layers)]
    first = lg.embedding(GPT.vocabulary, GPT.width, name="letters"), lg.learned_positions(name="places")
    end = lg.layer_norm(name="last"), lg.each(lg.dense(GPT.vocabulary, use_bias=False, name="head"))
    model = lg.sequential(lg.input(GPT.context, dtype="int32"), *first, *middle, *end)
    return lg.supervised(model, lg.cross_entropy, optimizer(how))


def gpt_start(given: Arrays) -> dict[str, Array]:
    found = {"letters/weight": given["letters"], "places/weight": given["places"], "head/weight": given["head"].T}
    found |= {"last/scale": given["last/scale"], "last/bias": given["last/shift"]}
    for k in range(GPT.layers):
        found |= transformer_start(given, k)
    return found


def transformer_start(given: Arrays, k: int) -> dict[str, Array]:
    """A block, whose queries, keys and values are one matrix there and three here."""
    ours = f"block{k}"
    names = {"attention/out": "out", "mlp/up": "up", "mlp/down": "down"}
    found = layers(given, {f"{ours}/{a}": (f"{k}/{b}/w", f"{k}/{b}/b") for a, b in names.items()})
    for name, norm in (("first", "attention_norm"), ("second", "mlp_norm")):
        found |= {f"{ours}/{norm}/scale": given[f"{k}/{name}/scale"], f"{ours}/{norm}/bias": given[f"{k}/{name}/shift"]}
    weights, biases = (np.split(given[f"{k}/qkv/{what}"], 3, -1) for what in ("w", "b"))
    for name, w, b in zip(("query", "key", "value"), weights, biases, strict=True):
        found |= {f"{ours}/attention/{name}/weight": w.T, f"{ours}/attention/{name}/bias": b}
    return found


def graph_net(how: Optimizer, dtype: str) -> lg.Learner:
    n = GRAPH.nodes + 2 * GRAPH.edges
    inputs = lg.Real(GRAPH.nodes, GRAPH.features) @ lg.Int(n) @ lg.Int(n) @ lg.Real(n)
    first, second = lg.graph_conv(GRAPH.hidden, "relu", name="first"), lg.graph_conv(GRAPH.classes, name="second")
    model = para(Diagram.id(inputs)) >> lg.masked(first) >> second

    def loss(label: Any, metrics: Any) -> Any:
        return lg.cross_entropy(label, metrics, mask="known")

    return lg.supervised(model, loss, optimizer(how), input=("x", "source", "target", "weight"))


def graph_start(given: Arrays) -> dict[str, Array]:
    return layers(given, {"first": ("w1", "b1"), "second": ("w2", "b2")})


def lstm(how: Optimizer, dtype: str) -> lg.Learner:
    first = lg.embedding(LETTERS, LSTM_WIDTH, name="letters")
    model = lg.sequential(
        lg.input(LSTM_STEPS, dtype="int32"), first, lg.lstm(LSTM_WIDTH, name="cell"), lg.each(lg.dense(LETTERS, name="out"))
    )
    return lg.supervised(model, lg.cross_entropy, optimizer(how))


def lstm_start(given: Arrays) -> dict[str, Array]:
    cell = {"cell/input/weight": given["wx"].T, "cell/state/weight": given["wh"].T, "cell/bias": given["b"]}
    return {"letters/weight": given["letters"], **cell, **layers(given, {"out": ("hw", "hb")})}


LEARNERS: dict[str, Callable[[Optimizer, str], lg.Learner]] = {
    "W1": iris_net,
    "W2": paper_net,
    "W2b": paper_net,
    "W3": mlp,
    "W4": resnet,
    "W5": gpt,
    "W6": graph_net,
    "W7": lstm,
}
STARTS: dict[str, Callable[[Arrays], dict[str, Array]]] = {
    "W1": iris_start,
    "W2": paper_start,
    "W2b": paper_start,
    "W3": mlp_start,
    "W4": resnet_start,
    "W5": gpt_start,
    "W6": graph_start,
    "W7": lstm_start,
}
