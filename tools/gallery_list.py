"""What the gallery shows: each layer, activation, loss and optimizer at a small object, and the learning systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lensgrad as lg
from lensgrad.cat.lens import two
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.basic import linear
from lensgrad.lens import Param, corner, lens, rate
from lensgrad.train.games import dreaming
from tools.diagrams import game, quickstart

Entry = tuple[Any, Ty]  # a layer, and the object that it meets
STEPS, IMAGE = lg.Real(4, 6), lg.Real(4, 4, 2)
THREE, FOUR = lg.Real(3), lg.Real(4)

LAYERS: dict[str, Entry] = {
    "linear": (linear(4, 3), FOUR),
    "bias": (lg.bias(3), THREE),
    "dense": (lg.dense(3, activation="sigmoid"), FOUR),
    "reshape": (lg.reshape(2, 2), FOUR),
    "flatten": (lg.flatten(), IMAGE),
    "conv1d": (lg.conv1d(3, 2), lg.Real(5, 2)),
    "conv2d": (lg.conv2d(3, 3, padding="same", activation="relu"), IMAGE),
    "conv3d": (lg.conv3d(2, 2), lg.Real(3, 3, 3, 1)),
    "depthwise_conv": (lg.depthwise_conv(2), IMAGE),
    "conv_transpose": (lg.conv_transpose(2, 3, stride=2), lg.Real(2, 3, 3)),
    "max_pool1d": (lg.max_pool1d(2), lg.Real(4, 2)),
    "max_pool2d": (lg.max_pool2d(2), IMAGE),
    "max_pool3d": (lg.max_pool3d(2), lg.Real(2, 4, 2, 1)),
    "average_pool1d": (lg.average_pool1d(2), lg.Real(4, 2)),
    "average_pool2d": (lg.average_pool2d(2), IMAGE),
    "average_pool3d": (lg.average_pool3d(2), lg.Real(2, 4, 2, 1)),
    "global_average_pool": (lg.global_average_pool(), IMAGE),
    "global_max_pool": (lg.global_max_pool(), IMAGE),
    "batch_norm": (lg.batch_norm(), THREE),
    "layer_norm": (lg.layer_norm(), STEPS),
    "rms_norm": (lg.rms_norm(), STEPS),
    "group_norm": (lg.group_norm(2), lg.Real(2, 4)),
    "dropout": (lg.dropout(0.5), THREE),
    "gaussian_sample": (lg.gaussian_sample(), lg.Real(6)),
    "embedding": (lg.embedding(7, 3), lg.Int(4)),
    "unembed": (lg.unembed(7), STEPS),
    "sinusoidal_positions": (lg.sinusoidal_positions(), STEPS),
    "learned_positions": (lg.learned_positions(), STEPS),
    "rotary_positions": (lg.rotary_positions(), lg.Real(4, 2, 6)),
    "multi_head_attention": (lg.multi_head_attention(2), STEPS),
    "cross_attention": (lg.cross_attention(2), STEPS @ lg.Real(3, 5)),
    "feed_forward": (lg.feed_forward(8), STEPS),
    "transformer_block": (lg.transformer_block(2), STEPS),
    "simple_rnn": (lg.simple_rnn(3), STEPS),
    "lstm": (lg.lstm(3), STEPS),
    "gru": (lg.gru(3), STEPS),
    "repeat": (lg.repeat(lg.dense(4), 3), FOUR),
    "graph_conv": (lg.graph_conv(3), lg.Real(4, 6) @ lg.Real(4, 4)),
    "residual": (lg.residual(lg.dense(4)), FOUR),
    "fork": (lg.fork(lg.dense(3), lg.dense(2)), FOUR),
    "add": (lg.add(), FOUR @ FOUR),
    "concatenate": (lg.concatenate(), FOUR @ THREE),
    "beside": (lg.beside(lg.dense(3)), FOUR @ THREE),
    "masked": (lg.masked(lg.lstm(3)), STEPS @ lg.Bool(4)),
    "each": (lg.each(lg.dense(3)), STEPS),
    "sequential": (lg.sequential(lg.dense(4), lg.relu, lg.dense(2)), FOUR),
}
APART = ("input", "layer", "state", "weight")  # of the rooms of layers, and no layers themselves

ACTIVATIONS: dict[str, Entry] = {
    name: (getattr(lg, name), THREE)
    for name in (
        "gelu", "gelu_tanh", "hard_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
        "tanh",
    )
} | {"elu": (lg.elu(), THREE), "leaky_relu": (lg.leaky_relu(), THREE)}  # fmt: skip

LOSSES: dict[str, Entry] = {
    "cross_entropy": (lg.cross_entropy("y"), THREE),
    "binary_cross_entropy": (lg.binary_cross_entropy("y"), THREE),
    "hinge": (lg.hinge("y"), THREE),
    "kl_divergence": (lg.kl_divergence("y"), THREE),
    "half_squared_error": (lg.half_squared_error("y"), THREE),
    "mse": (lg.mse("y"), THREE),
    "l1": (lg.l1("y"), THREE),
    "smooth_l1": (lg.smooth_l1("y"), THREE),
    "huber": (lg.huber("y"), THREE),
    "quantile": (lg.quantile("y"), THREE),
    "poisson": (lg.poisson("y"), THREE),
    "cosine_similarity": (lg.cosine_similarity("y"), THREE),
    "dot": (lg.dot("y"), THREE),
    "contrastive": (lg.contrastive("y"), THREE @ THREE),
    "info_nce": (lg.info_nce("y"), THREE @ lg.Real(4, 3)),
    "elbo": (lg.elbo("x"), THREE @ lg.Real()),
    "xor": (lg.xor("y"), lg.Bits(3)),
}

OPTIMIZERS: dict[str, Any] = {
    "descent": lg.descent,
    "ascent": lg.ascent,
    "momentum": lg.momentum(0.9),
    "sgd": lg.sgd(0.1, momentum=0.9, nesterov=True),
    "adagrad": lg.adagrad(0.1),
    "rmsprop": lg.rmsprop(0.1),
    "adadelta": lg.adadelta(0.1),
    "adam": lg.adam(0.1),
    "adamw": lg.adamw(0.1),
    "nadam": lg.nadam(0.1),
    "lion": lg.lion(0.1),
    "lamb": lg.lamb(0.1),
    "adafactor": lg.adafactor(0.1),
    "optimistic": lg.optimistic(0.1),
    "extragradient": lg.extragradient(0.1),
    "sphere": lg.sphere(lg.sgd(0.1)),
    "maximize": lg.maximize(lg.sgd(0.1)),
    "accumulated": lg.accumulated(lg.sgd(0.1), 4),
    "clip_value": lg.chain(lg.clip_value(1.0), lg.sgd(0.1)),
    "weight_decay": lg.chain(lg.weight_decay(0.01), lg.sgd(0.1)),
}


def point(optimizer: Any) -> Any:
    """The lens of an optimizer before a weight of three numbers."""
    return optimizer(Param("p", two(THREE)))


def autoencoder() -> Any:
    """A network that learns to give back what it takes."""
    model = lg.sequential(lg.input(8), lg.dense(3, activation="tanh", name="encoder"), lg.dense(8, name="decoder"))
    return lg.supervised(model, lg.mse, lg.adam(1e-3), label="x")


def circuit() -> Any:
    """A lookup table of bits that learns by reverse derivative ascent (arXiv 2101.10488)."""
    task = corner(lg.Bits(2), "x") >> lg.lookup(2) >> lg.xor("y")
    return (lens(task) >> lg.echo).reparam({lg.weights: lg.ascent})


def digits() -> Any:
    """A convolutional network on images."""
    layers = lg.conv2d(16, kernel=3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dense(10)
    return lg.supervised(lg.sequential(lg.input(8, 8, 1), *layers), lg.cross_entropy, lg.adam(1e-2))


def adapted() -> Any:
    """A frozen layer with a product of low rank beside its weight (arXiv 2106.09685)."""
    model = lg.sequential(lg.input(8), lg.dense(8, name="layer")).lora("**/weight", rank=2)
    return lg.supervised(model, lg.mse, lg.adam(1e-3))


SYSTEMS: dict[str, Callable[[], Any]] = {
    "supervised": quickstart,
    "convolutions": digits,
    "autoencoder": autoencoder,
    "low rank": adapted,
    "dream": lambda: dreaming(quickstart().model),
    "gan": game,
    "circuit": circuit,
    "hand-made": lambda: (lens(corner(FOUR, "x") >> lg.dense(4, 3) >> lg.mse("y")) >> rate(0.1)).reparam({lg.weights: lg.descent}),
}
