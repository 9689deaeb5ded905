"""JAX with optax: a call for each step, or a scan over the steps of an epoch. Networks are functions of a dict of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.data import blocks
from benchmarks.race.workloads import GPT, GRAPH, Optimizer, Workload

PACKAGES = ("jax", "optax")
Values = dict[str, Any]
State = tuple[Values, Values, Any]  # weights, running statistics, and what the optimizer keeps
Found = tuple[Any, Values]  # outputs, and the next running statistics


def optimizer(how: Optimizer) -> optax.GradientTransformation:
    """As optax has it."""
    if how.kind == "sgd":
        return optax.sgd(how.rate, how.momentum or None)
    return optax.adam(how.rate) if how.kind == "adam" else optax.adamw(how.rate, weight_decay=how.decay)


# -- losses ------------------------------------------------------------------------------------------------------------


def half_squared_error(out: Any, y: Any) -> Any:
    return 0.5 * ((out - y) ** 2).sum() / len(out)


def cross_entropy(out: Any, y: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(out, y).mean()


def of_known(out: Any, y: Any) -> Any:
    """Of the nodes whose labels are seen."""
    return cross_entropy(out[: GRAPH.known], y[: GRAPH.known])


def loss_of(name: str) -> Callable[[Any, Any], Any]:
    """The loss of a workload, of (outputs, labels)."""
    if name in ("W1", "W2", "W2b"):
        return half_squared_error
    return of_known if name == "W6" else cross_entropy


# -- networks ----------------------------------------------------------------------------------------------------------


def iris_net(p: Values, kept: Values, x: Any, data: Values) -> Found:
    hidden = jax.nn.sigmoid(x @ p["w1"] + p["b1"])
    return jax.nn.sigmoid(hidden @ p["w2"] + p["b2"]), kept


def convolve(x: Any, kernel: Any, stride: int = 1, padding: int = 0) -> Any:
    around = [(padding, padding)] * 2
    return lax.conv_general_dilated(x, kernel, (stride, stride), around, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def max_pool(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def paper_net(p: Values, kept: Values, x: Any, data: Values) -> Found:
    for name in ("k1", "k2"):
        x = max_pool(jax.nn.relu(convolve(x, p[name])))
    return jax.nn.sigmoid(x.reshape(-1, 125) @ p["w"] + p["b"]), kept


def mlp(p: Values, kept: Values, x: Any, data: Values) -> Found:
    for k in (1, 2):
        x = jax.nn.relu(x @ p[f"w{k}"] + p[f"b{k}"])
    return x @ p["w3"] + p["b3"], kept


def resnet(p: Values, kept: Values, x: Any, data: Values) -> Found:
    after: Values = {}

    def normalized(x: Any, name: str, stride: int = 1, padding: int = 1) -> Any:
        x = convolve(x, p[f"{name}/kernel"], stride, padding)
        mean, n = x.mean((0, 1, 2)), x.size // x.shape[-1]
        variance = (x * x).mean((0, 1, 2)) - mean * mean
        for what, found in (("mean", mean), ("variance", variance * n / (n - 1))):
            after[f"{name}/{what}"] = 0.9 * kept[f"{name}/{what}"] + 0.1 * found
        return (x - mean) * (lax.rsqrt(variance + 1e-5) * p[f"{name}/scale"]) + p[f"{name}/shift"]

    x = jax.nn.relu(normalized(x, "stem"))
    for name, inner, outer, stride in blocks():
        y = normalized(jax.nn.relu(normalized(x, f"{name}a", stride)), f"{name}b")
        x = jax.nn.relu(y + (x if inner == outer else normalized(x, f"{name}s", stride, 0)))
    return x.mean((1, 2)) @ p["w"] + p["b"], after


def layer_norm(p: Values, name: str, x: Any) -> Any:
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p[f"{name}/scale"] + p[f"{name}/shift"]


def attention(x: Any, dense: Callable[[str, Any], Any]) -> Any:
    batch, length, width = x.shape
    q, k, v = jnp.moveaxis(dense("qkv", x).reshape(batch, length, 3, GPT.heads, width // GPT.heads), 2, 0)
    return dense("out", jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(batch, length, width))


def gpt(p: Values, kept: Values, x: Any, data: Values) -> Found:
    x = p["letters"][x] + p["places"][: x.shape[1]]
    for layer in range(GPT.layers):

        def dense(name: str, x: Any, layer: int = layer) -> Any:
            return x @ p[f"{layer}/{name}/w"] + p[f"{layer}/{name}/b"]

        x = x + attention(layer_norm(p, f"{layer}/first", x), dense)
        x = x + dense("down", jax.nn.gelu(dense("up", layer_norm(p, f"{layer}/second", x))))
    return layer_norm(p, "last", x) @ p["head"], kept


def graph_net(p: Values, kept: Values, x: Any, data: Values) -> Found:
    def spread(h: Any) -> Any:
        rows = h[data["source"]] * data["weight"][:, None]
        return jax.ops.segment_sum(rows, data["target"], GRAPH.nodes, indices_are_sorted=True)

    return spread(jax.nn.relu(spread(x @ p["w1"]) + p["b1"]) @ p["w2"]) + p["b2"], kept


def lstm(p: Values, kept: Values, x: Any, data: Values) -> Found:
    def cell(carry: Any, x: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(x @ p["wx"] + h @ p["wh"] + p["b"], 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zero = jnp.zeros((len(x), len(p["wh"])))
    _, found = lax.scan(cell, (zero, zero), p["letters"][x].transpose(1, 0, 2))
    return found.transpose(1, 0, 2) @ p["hw"] + p["hb"], kept


NETS: dict[str, Callable[[Values, Values, Any, Values], Found]] = {
    "W1": iris_net,
    "W2": paper_net,
    "W2b": paper_net,
    "W3": mlp,
    "W4": resnet,
    "W5": gpt,
    "W6": graph_net,
    "W7": lstm,
}


# -- training ----------------------------------------------------------------------------------------------------------


def statistics(start: Arrays) -> Values:
    """The running statistics of normalizations, before the first step."""
    norms = [(name.removesuffix("/kernel"), v.shape[-1]) for name, v in start.items() if name.endswith("/kernel")]
    return {f"{name}/mean": jnp.zeros(n) for name, n in norms} | {f"{name}/variance": jnp.ones(n) for name, n in norms}


class Stepped:
    """A compiled step, called once for each batch, with the buffers of its state used again."""

    quantum = at_once = 1

    def __init__(self, workload: Workload, data: Arrays, start: Arrays) -> None:
        self.start, self.optimizer = start, optimizer(workload.optimizer)
        self.net, self.loss = NETS[workload.name], loss_of(workload.name)
        self.constants = {name: jnp.asarray(v) for name, v in data.items() if name not in ("x", "y")}
        self.prepare(workload, data)
        self.infer = jax.jit(lambda p, kept, x: self.net(p, kept, x, self.constants)[0])
        self.reset()

    def prepare(self, workload: Workload, data: Arrays) -> None:
        self.batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in zip(data["x"], data["y"], strict=True)]
        self.compiled = jax.jit(self.step, donate_argnums=0)

    def reset(self) -> None:
        self.at, p = 0, {name: jnp.array(v) for name, v in self.start.items()}
        self.state: State = (p, statistics(self.start), self.optimizer.init(p))

    def step(self, state: State, batch: tuple[Any, Any]) -> tuple[State, Any]:
        """One step, as a function."""
        (p, kept, own), (x, y) = state, batch

        def loss(p: Values) -> Any:
            out, after = self.net(p, kept, x, self.constants)
            return self.loss(out, y), after

        (found, kept), grads = jax.value_and_grad(loss, has_aux=True)(p)
        moves, own = self.optimizer.update(grads, own, p)
        return (optax.apply_updates(p, moves), kept, own), found

    def run(self, n: int) -> float:
        for _ in range(n):
            self.state, loss = self.compiled(self.state, self.batches[self.at])
            self.at = (self.at + 1) % len(self.batches)
        jax.block_until_ready(self.state)
        return float(loss)

    def weights(self) -> Sequence[Array]:
        return [np.array(self.state[0][name]) for name in self.start]

    def predict(self, x: Array) -> Array:
        return np.asarray(self.infer(self.state[0], self.state[1], x))


class Scanned(Stepped):
    """Epochs as one program."""

    def prepare(self, workload: Workload, data: Arrays) -> None:
        self.quantum = workload.steps
        self.at_once = workload.steps * workload.at_once
        self.rows = jnp.asarray(data["x"]), jnp.asarray(data["y"])
        self.compiled = jax.jit(self.epochs, donate_argnums=0, static_argnums=2)

    def epochs(self, state: State, rows: tuple[Any, Any], n: int) -> tuple[State, Any]:
        """So many epochs, and the loss of the last step."""

        def epoch(state: State, _: None) -> tuple[State, Any]:
            state, losses = lax.scan(self.step, state, rows)
            return state, losses[-1]

        state, losses = lax.scan(epoch, state, None, length=n)
        return state, losses[-1]

    def run(self, n: int) -> float:
        while n:
            part = self.at_once if n >= self.at_once else self.quantum
            self.state, loss = self.compiled(self.state, self.rows, part // self.quantum)
            n -= part
        jax.block_until_ready(self.state)
        return float(loss)


def make(workload: Workload, variant: str, data: Arrays, start: Arrays) -> Stepped:
    return (Scanned if variant == "scan" else Stepped)(workload, data, start)
