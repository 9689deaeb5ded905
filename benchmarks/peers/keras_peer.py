"""The tasks by Keras on TensorFlow: `fit` with its own shuffling, Glorot weights and zero biases everywhere."""

from __future__ import annotations

import math
import os
from typing import Any

from protocol import Data, Task, main, missing

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

try:
    import keras
    import tensorflow
except ImportError as error:
    missing(error)


class Table(keras.layers.Embedding):
    """An embedding read by a product, so that its gradient is one array.

    On TensorFlow the gradient of Keras's own is a row for each occurrence of an index, and its Adam adds up the squares of those
    rows where the others square their sum: the rows of frequent characters then move many times as far (seen in Keras 3.15).
    """

    def call(self, inputs: Any) -> Any:
        return keras.ops.matmul(keras.ops.one_hot(inputs, self.input_dim), self.embeddings)


LAYERS = {
    "dense": lambda n, activation="": keras.layers.Dense(n, activation=activation or None),
    "each dense": lambda n: keras.layers.Dense(n),
    "conv": lambda n, size, activation: keras.layers.Conv2D(n, size, activation=activation),
    "pool": lambda size: keras.layers.MaxPooling2D(size),
    "flatten": lambda: keras.layers.Flatten(),
    "embedding": lambda n, width: Table(n, width, embeddings_initializer=keras.initializers.RandomNormal(stddev=1 / math.sqrt(width))),
    "lstm": lambda n: keras.layers.LSTM(n, return_sequences=True, recurrent_initializer="glorot_uniform", unit_forget_bias=False),
}


def trained(task: Task, data: Data, seed: int) -> Any:
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    x = data["x_train"]
    layers = [LAYERS[kind](*sizes) for kind, *sizes in task["layers"]]
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(task["rate"], epsilon=1e-8), loss)
    model.fit(x, data["y_train"], epochs=task["epochs"], batch_size=task["batch_size"], verbose=0)
    return model.predict(data["x_test"], batch_size=1024, verbose=0)


if __name__ == "__main__":
    main({"Keras": keras.__version__, "TensorFlow": tensorflow.__version__}, trained)
