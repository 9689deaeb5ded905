"""The networks in PyTorch, as its users write them, with first values loaded into its own layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.data import blocks
from benchmarks.race.workloads import GPT, GRAPH


def model(name: str, start: Arrays, data: Arrays, sparse: bool = True) -> nn.Module:
    """The network of a workload; `sparse` says whether a graph is a sparse matrix or added up by index."""
    if name == "W6":
        return GraphNet(start, data, sparse)
    return MODELS[name](start)


def loss(name: str) -> Callable[[Any, Any], Any]:
    """The loss of a workload, of (outputs, labels)."""
    if name == "W6":
        return lambda out, y: functional.cross_entropy(out[: GRAPH.known], y[: GRAPH.known])
    return half_squared_error if name in ("W1", "W2", "W2b") else cross_entropy


def half_squared_error(out: Any, y: Any) -> Any:
    return 0.5 * ((out - y) ** 2).sum() / len(out)


def cross_entropy(out: Any, y: Any) -> Any:
    return functional.cross_entropy(out.flatten(0, -2), y.flatten())


# -- layers with given values ------------------------------------------------------------------------------------------


def put(parameter: nn.Parameter, values: Array) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(np.ascontiguousarray(values)))


def linear(w: Array, b: Array | None = None) -> nn.Linear:
    layer = nn.Linear(*w.shape, bias=b is not None)
    put(layer.weight, w.T)
    if b is not None:
        put(layer.bias, b)
    return layer


def convolution(kernel: Array, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    height, width, inner, outer = kernel.shape
    layer = nn.Conv2d(inner, outer, (height, width), stride, padding, bias=False)
    put(layer.weight, kernel.transpose(3, 2, 0, 1))
    return layer


def embedding(table: Array) -> nn.Embedding:
    layer = nn.Embedding(*table.shape)
    put(layer.weight, table)
    return layer


def layer_norm(start: Arrays, name: str) -> nn.LayerNorm:
    layer = nn.LayerNorm(GPT.width)
    put(layer.weight, start[f"{name}/scale"])
    put(layer.bias, start[f"{name}/shift"])
    return layer


def normalized(start: Arrays, name: str, stride: int = 1, padding: int = 0) -> nn.Sequential:
    """A convolution and the batch normalization after it."""
    kernel = start[f"{name}/kernel"]
    norm = nn.BatchNorm2d(kernel.shape[-1])
    put(norm.weight, start[f"{name}/scale"])
    put(norm.bias, start[f"{name}/shift"])
    norm.num_batches_tracked = None  # which nobody reads, and which a step as a function may not change
    return nn.Sequential(convolution(kernel, stride, padding), norm)


# -- networks ----------------------------------------------------------------------------------------------------------


def iris_net(start: Arrays) -> nn.Module:
    return nn.Sequential(linear(start["w1"], start["b1"]), nn.Sigmoid(), linear(start["w2"], start["b2"]), nn.Sigmoid())


def paper_net(start: Arrays) -> nn.Module:
    rows = start["w"].reshape(5, 5, 5, 10).transpose(2, 0, 1, 3).reshape(125, 10)  # channels come first when images are flattened
    first, second = ((convolution(start[k]), nn.ReLU(), nn.MaxPool2d(2)) for k in ("k1", "k2"))
    return nn.Sequential(*first, *second, nn.Flatten(), linear(rows, start["b"]), nn.Sigmoid())


def mlp(start: Arrays) -> nn.Module:
    a, b, c = (linear(start[f"w{k}"], start[f"b{k}"]) for k in (1, 2, 3))
    return nn.Sequential(a, nn.ReLU(), b, nn.ReLU(), c)


class Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self, start: Arrays, name: str, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.first = normalized(start, f"{name}a", stride, 1)
        self.second = normalized(start, f"{name}b", 1, 1)
        self.shortcut = nn.Identity() if inner == outer else normalized(start, f"{name}s", stride)

    def forward(self, x: Any) -> Any:
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


def resnet(start: Arrays) -> nn.Module:
    middle = [Block(start, *block) for block in blocks()]
    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(start["w"], start["b"])
    return nn.Sequential(normalized(start, "stem", 1, 1), nn.ReLU(), *middle, *end)


class Transformer(nn.Module):
    """A block of GPT: attention, then two dense layers, each with a normalization before it and a shortcut around it."""

    def __init__(self, start: Arrays, k: int) -> None:
        super().__init__()
        self.first, self.second = layer_norm(start, f"{k}/first"), layer_norm(start, f"{k}/second")
        layers = (linear(start[f"{k}/{name}/w"], start[f"{k}/{name}/b"]) for name in ("qkv", "out", "up", "down"))
        self.qkv, self.out, self.up, self.down = layers

    def attend(self, x: Any) -> Any:
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, GPT.heads, width // GPT.heads).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(found.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x: Any) -> Any:
        x = x + self.attend(self.first(x))
        return x + self.down(functional.gelu(self.up(self.second(x)), approximate="tanh"))


class Places(nn.Module):
    """Letters as vectors, with a learned vector for each place added."""

    def __init__(self, start: Arrays) -> None:
        super().__init__()
        self.letters, self.places = embedding(start["letters"]), nn.Parameter(torch.tensor(start["places"]))

    def forward(self, x: Any) -> Any:
        return self.letters(x) + self.places[: x.shape[1]]


def gpt(start: Arrays) -> nn.Module:
    middle = [Transformer(start, k) for k in range(GPT.layers)]
    return nn.Sequential(Places(start), *middle, layer_norm(start, "last"), linear(start["head"]))


class GraphNet(nn.Module):
    """Two graph convolutions; the graph is a constant."""

    def __init__(self, start: Arrays, data: Arrays, sparse: bool) -> None:
        super().__init__()
        self.first, self.second = linear(start["w1"]), linear(start["w2"])
        self.b1, self.b2 = (nn.Parameter(torch.tensor(start[b])) for b in ("b1", "b2"))
        self.source, self.target = (torch.tensor(data[name]).long() for name in ("source", "target"))
        self.weight, self.matrix = torch.tensor(data["weight"])[:, None], None
        if sparse:
            places = torch.stack([self.target, self.source])
            size = (GRAPH.nodes, GRAPH.nodes)
            self.matrix = torch.sparse_coo_tensor(places, self.weight[:, 0], size, check_invariants=False).coalesce().to_sparse_csr()

    def spread(self, h: Any) -> Any:
        if self.matrix is not None:
            return torch.sparse.mm(self.matrix, h)
        return torch.zeros_like(h).index_add(0, self.target, h[self.source] * self.weight)

    def forward(self, x: Any) -> Any:
        hidden = functional.relu(self.spread(self.first(x)) + self.b1)
        return self.spread(self.second(hidden)) + self.b2


class Lstm(nn.Module):
    """Letters, one layer of LSTM, and scores of the next letter. One of its two biases stays 0, as others have but one."""

    def __init__(self, start: Arrays) -> None:
        super().__init__()
        width = start["wh"].shape[0]
        self.letters, self.out = embedding(start["letters"]), linear(start["hw"], start["hb"])
        self.cell = nn.LSTM(width, width, batch_first=True)
        put(self.cell.weight_ih_l0, start["wx"].T)
        put(self.cell.weight_hh_l0, start["wh"].T)
        put(self.cell.bias_ih_l0, start["b"])
        put(self.cell.bias_hh_l0, np.zeros_like(start["b"]))
        self.cell.bias_hh_l0.requires_grad_(False)

    def forward(self, x: Any) -> Any:
        return self.out(self.cell(self.letters(x))[0])


MODELS: dict[str, Callable[[Arrays], nn.Module]] = {
    "W1": iris_net,
    "W2": paper_net,
    "W2b": paper_net,
    "W3": mlp,
    "W4": resnet,
    "W5": gpt,
    "W7": Lstm,
}
