"""Data and first values, drawn with fixed seeds: all who race read the same arrays.

Data have the steps of an epoch as their leading axis. First values have plain names; kernels are [height, width, in, out] and matrices
[in, out], and each peer lays them out as it likes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.workloads import GPT, GRAPH, LETTERS, LSTM_STEPS, LSTM_WIDTH, STAGES, Workload

Draw = np.random.Generator


def data(workload: Workload) -> Arrays:
    """The batches of an epoch; for a graph also its edges and their weights."""
    return DATA[workload.name](np.random.default_rng(7), workload.steps, workload.batch)


def start(workload: Workload) -> Arrays:
    """What learns, before the first step."""
    rng = np.random.default_rng(11)
    return {name: np.asarray(values(rng), np.float32) for name, values in START[workload.name]().items()}


# -- data --------------------------------------------------------------------------------------------------------------


def flowers(rng: Draw, steps: int, batch: int) -> Arrays:
    """Iris in an order of its own."""
    from lensgrad import recipes

    table = recipes.iris_data("float32")
    order = rng.permutation(len(table))[:steps]
    return {"x": table.x[order][:, None], "y": table.y[order][:, None]}


def images(rng: Draw, steps: int, batch: int) -> Arrays:
    """Random images of the size of MNIST's, and labels as rows of a unit matrix."""
    labels = rng.integers(0, 10, (steps, batch))
    return {"x": rng.random((steps, batch, 28, 28, 1), np.float32), "y": np.eye(10, dtype=np.float32)[labels]}


def vectors(rng: Draw, steps: int, batch: int) -> Arrays:
    """Rows around 0 whose labels a linear map gives, so that there is something to learn."""
    x = rng.random((steps, batch, 784), np.float32) - np.float32(0.5)
    return {"x": x, "y": (x @ rng.standard_normal((784, 10), np.float32)).argmax(-1).astype(np.int32)}


def small_images(rng: Draw, steps: int, batch: int) -> Arrays:
    shape = (steps, batch)
    return {"x": rng.standard_normal((*shape, 32, 32, 3), np.float32), "y": rng.integers(0, 10, shape).astype(np.int32)}


def letters(length: int, many: int) -> Callable[[Draw, int, int], Arrays]:
    """Texts of random letters; what is predicted is the next one."""

    def drawn(rng: Draw, steps: int, batch: int) -> Arrays:
        text = rng.integers(0, many, (steps, batch, length + 1)).astype(np.int32)
        return {"x": text[..., :-1].copy(), "y": text[..., 1:].copy()}

    return drawn


def graph(rng: Draw, steps: int, batch: int) -> Arrays:
    """Random edges with those of each node to itself, weighted by degrees and sorted by target; rows of few equal features."""
    n, itself = GRAPH.nodes, np.arange(GRAPH.nodes)
    a, b = rng.integers(0, n, (2, GRAPH.edges))
    source, target = np.concatenate([a, b, itself]), np.concatenate([b, a, itself])
    degree = np.bincount(target, minlength=n).astype(np.float32)
    order = np.lexsort((source, target))
    source, target = source[order].astype(np.int32), target[order].astype(np.int32)
    x = (rng.random((n, GRAPH.features)) < 0.0127).astype(np.float32)
    x[:, 0] = 1
    labels = rng.integers(0, GRAPH.classes, n).astype(np.int32)
    weight = 1 / np.sqrt(degree[source] * degree[target])
    return {"x": (x / x.sum(1, keepdims=True))[None], "y": labels[None], "source": source, "target": target, "weight": weight}


DATA: dict[str, Callable[[Draw, int, int], Arrays]] = {
    "W1": flowers,
    "W2": images,
    "W2b": images,
    "W3": vectors,
    "W4": small_images,
    "W5": letters(GPT.context, GPT.vocabulary),
    "W6": graph,
    "W7": letters(LSTM_STEPS, LETTERS),
}


# -- first values ------------------------------------------------------------------------------------------------------

Values = Callable[[Draw], Array]  # an array, drawn when its turn comes


def normal(*shape: int, scale: float = 0.05) -> Values:
    return lambda rng: rng.standard_normal(shape) * scale


def zeros(n: int) -> Values:
    return lambda rng: np.zeros(n)


def ones(n: int) -> Values:
    return lambda rng: np.ones(n)


def iris_net() -> dict[str, Values]:
    return {"w1": normal(4, 20, scale=0.3), "b1": zeros(20), "w2": normal(20, 3, scale=0.3), "b2": zeros(3)}


def paper_net() -> dict[str, Values]:
    kernels = {"k1": normal(3, 3, 1, 3, scale=0.3), "k2": normal(4, 4, 3, 5, scale=0.2)}
    return kernels | {"w": normal(125, 10), "b": zeros(10)}


def mlp() -> dict[str, Values]:
    sizes = ((784, 512), (512, 512), (512, 10))
    found: dict[str, Values] = {}
    for k, (a, b) in enumerate(sizes, 1):
        found |= {f"w{k}": normal(a, b), f"b{k}": zeros(b)}
    return found


def resnet() -> dict[str, Values]:
    found = convolution("stem", 3, 3, 64)
    for name, inner, outer, _ in blocks():
        found |= convolution(f"{name}a", 3, inner, outer) | convolution(f"{name}b", 3, outer, outer)
        found |= convolution(f"{name}s", 1, inner, outer) if inner != outer else {}
    return found | {"w": normal(512, 10, scale=0.01), "b": zeros(10)}


def convolution(name: str, size: int, inner: int, outer: int) -> dict[str, Values]:
    """A kernel, and the scale and shift of the normalization after it."""
    kernel = normal(size, size, inner, outer, scale=math.sqrt(2 / (size * size * inner)))
    return {f"{name}/kernel": kernel, f"{name}/scale": ones(outer), f"{name}/shift": zeros(outer)}


def blocks() -> list[tuple[str, int, int, int]]:
    """The blocks of ResNet-18: name, channels in and out, stride."""
    found, inner = list[tuple[str, int, int, int]](), 64
    for stage, (outer, stride) in enumerate(STAGES):
        for k in range(2):
            found.append((f"{stage}{k}", inner, outer, stride if k == 0 else 1))
            inner = outer
    return found


def gpt() -> dict[str, Values]:
    d, small = GPT.width, {"scale": 0.02}
    found: dict[str, Values] = {"letters": normal(GPT.vocabulary, d, **small), "places": normal(GPT.context, d, **small)}
    for k in range(GPT.layers):
        sizes = {"qkv": (d, 3 * d), "out": (d, d), "up": (d, 4 * d), "down": (4 * d, d)}
        for name, (a, b) in sizes.items():
            found |= {f"{k}/{name}/w": normal(a, b, **small), f"{k}/{name}/b": zeros(b)}
        for name in ("first", "second"):
            found |= {f"{k}/{name}/scale": ones(d), f"{k}/{name}/shift": zeros(d)}
    return found | {"last/scale": ones(d), "last/shift": zeros(d), "head": normal(d, GPT.vocabulary, **small)}


def graph_net() -> dict[str, Values]:
    hidden, classes = GRAPH.hidden, GRAPH.classes
    first = {"w1": normal(GRAPH.features, hidden, scale=0.1), "b1": zeros(hidden)}
    return first | {"w2": normal(hidden, classes, scale=0.3), "b2": zeros(classes)}


def lstm() -> dict[str, Values]:
    """Gates in the order input, forget, cell, output."""
    n, near = LSTM_WIDTH, {"scale": 0.06}
    cell = {"wx": normal(n, 4 * n, **near), "wh": normal(n, 4 * n, **near), "b": zeros(4 * n)}
    return {"letters": normal(LETTERS, n, scale=1.0), **cell, "hw": normal(n, LETTERS, **near), "hb": zeros(LETTERS)}


START: dict[str, Callable[[], dict[str, Any]]] = {
    "W1": iris_net,
    "W2": paper_net,
    "W2b": paper_net,
    "W3": mlp,
    "W4": resnet,
    "W5": gpt,
    "W6": graph_net,
    "W7": lstm,
}
