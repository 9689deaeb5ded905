"""Flax NNX with optax, in its usual loop: a module, an optimizer, and a compiled step that changes both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.data import blocks
from benchmarks.race.peers.plain_jax import loss_of, optimizer
from benchmarks.race.workloads import GPT, GRAPH, Workload

PACKAGES = ("flax", "jax", "optax")
NONE = nnx.Rngs(0)  # first values are given, so nothing is drawn


def linear(w: Array, b: Array | None = None) -> nnx.Linear:
    layer = nnx.Linear(*w.shape, use_bias=b is not None, rngs=NONE)
    layer.kernel[...] = jnp.asarray(w)
    if b is not None:
        layer.bias[...] = jnp.asarray(b)
    return layer


def convolution(kernel: Array, stride: int = 1, padding: int = 0) -> nnx.Conv:
    height, width, inner, outer = kernel.shape
    around = [(padding, padding)] * 2
    layer = nnx.Conv(inner, outer, (height, width), strides=stride, padding=around, use_bias=False, rngs=NONE)
    layer.kernel[...] = jnp.asarray(kernel)
    return layer


def layer_norm() -> nnx.LayerNorm:
    return nnx.LayerNorm(GPT.width, epsilon=1e-5, rngs=NONE)


def max_pool(x: Any) -> Any:
    return nnx.max_pool(x, (2, 2), (2, 2))


def flat(x: Any) -> Any:
    return x.reshape(len(x), -1)


def mean_of_places(x: Any) -> Any:
    return x.mean((1, 2))


def iris_net(start: Arrays, data: Arrays) -> nnx.Module:
    return nnx.Sequential(linear(start["w1"], start["b1"]), nnx.sigmoid, linear(start["w2"], start["b2"]), nnx.sigmoid)


def paper_net(start: Arrays, data: Arrays) -> nnx.Module:
    first, second = ((convolution(start[k]), nnx.relu, max_pool) for k in ("k1", "k2"))
    return nnx.Sequential(*first, *second, flat, linear(start["w"], start["b"]), nnx.sigmoid)


def mlp(start: Arrays, data: Arrays) -> nnx.Module:
    a, b, c = (linear(start[f"w{k}"], start[f"b{k}"]) for k in (1, 2, 3))
    return nnx.Sequential(a, nnx.relu, b, nnx.relu, c)


def normalized(start: Arrays, name: str, stride: int = 1, padding: int = 1) -> nnx.Sequential:
    """A convolution and the batch normalization after it."""
    kernel = start[f"{name}/kernel"]
    norm = nnx.BatchNorm(kernel.shape[-1], momentum=0.9, epsilon=1e-5, rngs=NONE)
    return nnx.Sequential(convolution(kernel, stride, padding), norm)


class Block(nnx.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self, start: Arrays, name: str, inner: int, outer: int, stride: int) -> None:
        self.first, self.second = normalized(start, f"{name}a", stride), normalized(start, f"{name}b")
        self.shortcut = normalized(start, f"{name}s", stride, 0) if inner != outer else nnx.Sequential()

    def __call__(self, x: Any) -> Any:
        return nnx.relu(self.second(nnx.relu(self.first(x))) + self.shortcut(x))


def resnet(start: Arrays, data: Arrays) -> nnx.Module:
    middle = [Block(start, *block) for block in blocks()]
    end = linear(start["w"], start["b"])
    return nnx.Sequential(normalized(start, "stem"), nnx.relu, *middle, mean_of_places, end)


class Transformer(nnx.Module):
    """A block of GPT."""

    def __init__(self, start: Arrays, k: int) -> None:
        self.first, self.second = layer_norm(), layer_norm()
        layers = (linear(start[f"{k}/{name}/w"], start[f"{k}/{name}/b"]) for name in ("qkv", "out", "up", "down"))
        self.qkv, self.out, self.up, self.down = layers

    def attend(self, x: Any) -> Any:
        batch, length, width = x.shape
        q, k, v = jnp.moveaxis(self.qkv(x).reshape(batch, length, 3, GPT.heads, width // GPT.heads), 2, 0)
        return self.out(jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(batch, length, width))

    def __call__(self, x: Any) -> Any:
        x = x + self.attend(self.first(x))
        return x + self.down(nnx.gelu(self.up(self.second(x))))


class Gpt(nnx.Module):
    """Letters and places, blocks, and scores of the next letter."""

    def __init__(self, start: Arrays, data: Arrays) -> None:
        self.letters, self.places = nnx.Param(jnp.asarray(start["letters"])), nnx.Param(jnp.asarray(start["places"]))
        self.middle = nnx.List([Transformer(start, k) for k in range(GPT.layers)])
        self.last, self.head = layer_norm(), linear(start["head"])

    def __call__(self, x: Any) -> Any:
        x = self.letters[...][x] + self.places[...][: x.shape[1]]
        for block in self.middle:
            x = block(x)
        return self.head(self.last(x))


class Constant(nnx.Variable):
    """What does not learn."""


class GraphNet(nnx.Module):
    """Two graph convolutions; the graph is a constant."""

    def __init__(self, start: Arrays, data: Arrays) -> None:
        self.first, self.second = linear(start["w1"]), linear(start["w2"])
        self.b1, self.b2 = nnx.Param(jnp.asarray(start["b1"])), nnx.Param(jnp.asarray(start["b2"]))
        self.source, self.target, self.weight = (Constant(jnp.asarray(data[k])) for k in ("source", "target", "weight"))

    def spread(self, h: Any) -> Any:
        rows = h[self.source[...]] * self.weight[...][:, None]
        return jax.ops.segment_sum(rows, self.target[...], GRAPH.nodes, indices_are_sorted=True)

    def __call__(self, x: Any) -> Any:
        return self.spread(self.second(nnx.relu(self.spread(self.first(x)) + self.b1[...]))) + self.b2[...]


class Lstm(nnx.Module):
    """Letters, one layer of LSTM, and scores of the next letter."""

    def __init__(self, start: Arrays, data: Arrays) -> None:
        width = start["wh"].shape[0]
        self.letters, self.out = nnx.Param(jnp.asarray(start["letters"])), linear(start["hw"], start["hb"])
        self.rnn = nnx.RNN(nnx.OptimizedLSTMCell(width, width, rngs=NONE))
        self.rnn.cell.dense_i.kernel[...] = jnp.asarray(start["wx"])
        self.rnn.cell.dense_h.kernel[...] = jnp.asarray(start["wh"])

    def __call__(self, x: Any) -> Any:
        return self.out(self.rnn(self.letters[...][x]))


NETS: dict[str, Callable[[Arrays, Arrays], nnx.Module]] = {
    "W1": iris_net,
    "W2": paper_net,
    "W2b": paper_net,
    "W3": mlp,
    "W4": resnet,
    "W5": Gpt,
    "W6": GraphNet,
    "W7": Lstm,
}


class Peer:
    """The loop of the library's own examples."""

    quantum = at_once = 1

    def __init__(self, workload: Workload, data: Arrays, start: Arrays) -> None:
        self.workload, self.data, self.start = workload, data, start
        self.batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in zip(data["x"], data["y"], strict=True)]
        loss = loss_of(workload.name)

        @nnx.jit
        def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
            found, grads = nnx.value_and_grad(lambda model: loss(model(x), y))(model)
            optimizer.update(model, grads)
            return found

        self.step, self.infer = step, nnx.jit(lambda model, x: model(x))
        self.moves = optimizer(workload.optimizer)  # once, since a step is compiled again for another one
        self.reset()

    def reset(self) -> None:
        self.at = 0
        self.model: Any = NETS[self.workload.name](self.start, self.data)
        self.optimizer = nnx.Optimizer(self.model, self.moves, wrt=nnx.Param)

    def run(self, n: int) -> float:
        for _ in range(n):
            loss = self.step(self.model, self.optimizer, *self.batches[self.at])
            self.at = (self.at + 1) % len(self.batches)
        jax.block_until_ready(nnx.state(self.model))
        return float(loss)

    def weights(self) -> Sequence[Array]:
        return [np.array(v) for v in jax.tree.leaves(nnx.state(self.model, nnx.Param))]

    def predict(self, x: Array) -> Array:
        return np.asarray(self.infer(self.model, x))


def make(workload: Workload, variant: str, data: Arrays, start: Arrays) -> Peer:
    return Peer(workload, data, start)
