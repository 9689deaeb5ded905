"""Keras 3 with `train_on_batch`, on the backend that the variant names: jax or torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.data import blocks
from benchmarks.race.workloads import GPT, GRAPH, LSTM_STEPS, Optimizer, Workload

PACKAGES = ("keras",)
# The backend is chosen before Keras is imported; whoever imports this file has named it.
import keras  # noqa: E402
from keras import layers, ops  # noqa: E402

EPSILON = 1e-8 * (1 - 0.999) ** 0.5
Net = Callable[[Arrays, Arrays], Any]


# -- layers with given values ------------------------------------------------------------------------------------------


def given(values: Array) -> Callable[..., Any]:
    """An initializer that gives what is there."""
    return lambda shape, dtype=None: ops.convert_to_tensor(np.reshape(values, shape))


def dense(w: Array, b: Array | None = None, activation: str | None = None) -> Any:
    bias = {"use_bias": False} if b is None else {"bias_initializer": given(b)}
    return layers.Dense(w.shape[1], activation=activation, kernel_initializer=given(w), **bias)


def convolution(kernel: Array, stride: int = 1, padding: str = "valid", activation: str | None = None) -> Any:
    own = {"use_bias": False, "kernel_initializer": given(kernel), "activation": activation}
    return layers.Conv2D(kernel.shape[3], kernel.shape[:2], strides=stride, padding=padding, **own)


def layer_norm() -> Any:
    return layers.LayerNormalization(epsilon=1e-5)


class HalfSquaredError(keras.losses.Loss):
    """½ Σ (ŷ − y)², the mean over a batch."""

    def __init__(self, batch: int) -> None:
        super().__init__(reduction=None)
        self.batch = batch

    def call(self, y: Any, out: Any) -> Any:
        return 0.5 * ops.sum((out - y) ** 2) / self.batch


# -- networks ----------------------------------------------------------------------------------------------------------


def iris_net(start: Arrays, data: Arrays) -> Any:
    hidden, out = (dense(start[f"w{k}"], start[f"b{k}"], "sigmoid") for k in (1, 2))
    return keras.Sequential([keras.Input((4,)), hidden, out])


def paper_net(start: Arrays, data: Arrays) -> Any:
    first, second = ((convolution(start[k], activation="relu"), layers.MaxPooling2D()) for k in ("k1", "k2"))
    end = layers.Flatten(), dense(start["w"], start["b"], "sigmoid")
    return keras.Sequential([keras.Input((28, 28, 1)), *first, *second, *end])


def mlp(start: Arrays, data: Arrays) -> Any:
    a, b, c = (dense(start[f"w{k}"], start[f"b{k}"], "relu" if k < 3 else None) for k in (1, 2, 3))
    return keras.Sequential([keras.Input((784,)), a, b, c])


def normalized(start: Arrays, name: str, x: Any, stride: int = 1, padded: bool = True) -> Any:
    """A convolution and the batch normalization after it."""
    x = layers.ZeroPadding2D(1)(x) if padded else x
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(convolution(start[f"{name}/kernel"], stride)(x))


def resnet(start: Arrays, data: Arrays) -> Any:
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(normalized(start, "stem", inputs))
    for name, inner, outer, stride in blocks():
        y = normalized(start, f"{name}b", layers.ReLU()(normalized(start, f"{name}a", x, stride)))
        x = layers.ReLU()(y + (x if inner == outer else normalized(start, f"{name}s", x, stride, False)))
    return keras.Model(inputs, dense(start["w"], start["b"])(layers.GlobalAveragePooling2D()(x)))


class Places(layers.Layer):
    """Letters as vectors, with a learned vector for each place added."""

    def __init__(self, start: Arrays) -> None:
        super().__init__()
        self.start = start

    def build(self, shape: Any) -> None:
        names = ("letters", "places")
        self.letters, self.places = (self.add_weight(shape=self.start[n].shape, initializer=given(self.start[n])) for n in names)

    def call(self, x: Any) -> Any:
        return ops.take(self.letters, x, axis=0) + self.places


class Attention(layers.Layer):
    """Causal self-attention."""

    def __init__(self, start: Arrays, k: int) -> None:
        super().__init__()
        self.qkv, self.out = (dense(start[f"{k}/{name}/w"], start[f"{k}/{name}/b"]) for name in ("qkv", "out"))

    def build(self, shape: Any) -> None:
        self.qkv.build(shape)
        self.out.build(shape)

    def call(self, x: Any) -> Any:
        q, k, v = ops.unstack(ops.reshape(self.qkv(x), (-1, GPT.context, 3, GPT.heads, GPT.width // GPT.heads)), axis=2)
        found = ops.dot_product_attention(q, k, v, is_causal=True)
        return self.out(ops.reshape(found, (-1, GPT.context, GPT.width)))

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def gpt(start: Arrays, data: Arrays) -> Any:
    inputs = keras.Input((GPT.context,), dtype="int32")
    x = Places(start)(inputs)
    for k in range(GPT.layers):
        up, down = (dense(start[f"{k}/{name}/w"], start[f"{k}/{name}/b"]) for name in ("up", "down"))
        x = x + Attention(start, k)(layer_norm()(x))
        x = x + down(layers.Activation(lambda x: ops.gelu(x, approximate=True))(up(layer_norm()(x))))
    return keras.Model(inputs, dense(start["head"])(layer_norm()(x)))


class Spread(layers.Layer):
    """Sums over the neighbors of each node, and a bias."""

    def __init__(self, data: Arrays, bias: Array) -> None:
        super().__init__()
        self.graph, self.start = [data[name] for name in ("source", "target", "weight")], bias

    def build(self, shape: Any) -> None:
        self.bias = self.add_weight(shape=self.start.shape, initializer=given(self.start))
        self.source, self.target, self.weight = map(ops.convert_to_tensor, self.graph)

    def call(self, h: Any) -> Any:
        rows = ops.take(h, self.source, axis=0) * self.weight[:, None]
        return ops.segment_sum(rows, self.target, GRAPH.nodes) + self.bias

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def graph_net(start: Arrays, data: Arrays) -> Any:
    inputs = keras.Input((GRAPH.features,))
    hidden = ops.relu(Spread(data, start["b1"])(dense(start["w1"])(inputs)))
    return keras.Model(inputs, Spread(data, start["b2"])(dense(start["w2"])(hidden)))


def lstm(start: Arrays, data: Arrays) -> Any:
    inputs, table = keras.Input((LSTM_STEPS,), dtype="int32"), start["letters"]
    own = {"kernel_initializer": given(start["wx"]), "recurrent_initializer": given(start["wh"]), "unit_forget_bias": False}
    x = layers.Embedding(*table.shape, embeddings_initializer=given(table))(inputs)
    x = layers.LSTM(table.shape[1], return_sequences=True, **own)(x)
    return keras.Model(inputs, dense(start["hw"], start["hb"])(x))


NETS: dict[str, Net] = {
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


def optimizer(how: Optimizer) -> Any:
    """As Keras has it.

    Its ε is added to a root that is not corrected yet, so it stands for a larger one at first: this is the ε of the others at step 1.
    """
    if how.kind == "sgd":
        return keras.optimizers.SGD(how.rate, momentum=how.momentum)
    if how.kind == "adam":
        return keras.optimizers.Adam(how.rate, epsilon=EPSILON)
    return keras.optimizers.AdamW(how.rate, weight_decay=how.decay, epsilon=EPSILON)


def loss(workload: Workload) -> Any:
    if workload.name in ("W1", "W2", "W2b"):
        return HalfSquaredError(workload.batch)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def weighted(workload: Workload) -> Array | None:
    """Weights of rows, where the loss is that of some."""
    if workload.name != "W6":
        return None
    found = np.zeros(GRAPH.nodes, np.float32)
    found[: GRAPH.known] = GRAPH.nodes / GRAPH.known
    return found


class Peer:
    """A compiled model, given one batch at a time."""

    quantum = at_once = 1

    def __init__(self, workload: Workload, data: Arrays, start: Arrays) -> None:
        self.batches = list(zip(data["x"], data["y"], strict=True))
        self.weighted = weighted(workload)
        self.model = NETS[workload.name](start, data)
        self.model.compile(optimizer=optimizer(workload.optimizer), loss=loss(workload), jit_compile="auto")
        self.model.optimizer.build(self.model.trainable_variables)
        self.variables = [*self.model.variables, *self.model.optimizer.variables]
        self.first = [np.array(ops.convert_to_numpy(v.value)) for v in self.variables]
        self.reset()

    def reset(self) -> None:
        self.at = 0
        for variable, value in zip(self.variables, self.first, strict=True):
            variable.assign(value)

    def run(self, n: int) -> float:
        for _ in range(n):
            x, y = self.batches[self.at]
            loss = self.model.train_on_batch(x, y, sample_weight=self.weighted)
            self.at = (self.at + 1) % len(self.batches)
        return float(loss)

    def weights(self) -> Sequence[Array]:
        return [np.array(ops.convert_to_numpy(v.value)) for v in self.model.trainable_variables]

    def predict(self, x: Array) -> Array:
        return np.asarray(self.model.predict_on_batch(x))


def make(workload: Workload, variant: str, data: Arrays, start: Arrays) -> Peer:
    if keras.backend.backend() != variant:
        raise RuntimeError(f"Keras was imported with the backend {keras.backend.backend()}, not {variant}: set KERAS_BACKEND={variant}")
    return Peer(workload, data, start)
