"""Deep learning in which everything that learns is one kind of thing, and the training step is a program you can read."""

from typing import TYPE_CHECKING

from lensgrad import data
from lensgrad.backends.engine import mesh
from lensgrad.cat.names import weights
from lensgrad.core.doors import door
from lensgrad.core.drawing import Drawer, drawn_by
from lensgrad.core.errors import LensgradError
from lensgrad.learn.adapt import ema, freeze, lora, low_rank, prune, thaw, tie, weight_norm  # arrows get its verbs as methods
from lensgrad.learn.init import constant, glorot, he, normal, uniform, zeros
from lensgrad.learn.layers.activations import (
    elu,
    gelu,
    gelu_tanh,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    mish,
    relu6,
    selu,
    silu,
    softplus,
)
from lensgrad.learn.layers.basic import bias, dense, flatten, input, linear, reshape
from lensgrad.learn.layers.own import layer, state, weight
from lensgrad.learn.layers.sequence import sequential
from lensgrad.learn.losses import (
    binary_cross_entropy,
    contrastive,
    cosine_similarity,
    cross_entropy,
    dot,
    half_squared_error,
    hinge,
    huber,
    info_nce,
    kl_divergence,
    l1,
    loss,
    mse,
    poisson,
    quantile,
    smooth_l1,
    xor,
)
from lensgrad.learn.optimizers import (
    accumulated,
    adadelta,
    adafactor,
    adagrad,
    adam,
    adamw,
    ascent,
    chain,
    clip_norm,
    clip_value,
    clip_weights,
    descent,
    extragradient,
    lamb,
    lion,
    maximize,
    momentum,
    nadam,
    optimistic,
    rmsprop,
    sgd,
    sphere,
    stiefel,
    weight_decay,
)
from lensgrad.learn.predict import predict, upto
from lensgrad.learn.rates import cosine, echo, linear_decay, one_cycle, rate, scaled_rate, step_decay, warm_up
from lensgrad.program.compile import compile
from lensgrad.program.summary import summary
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Bool, Int, Key, Real
from lensgrad.theories.smooth.ops import relu, sigmoid, softmax, tanh
from lensgrad.train.callbacks import checkpoint, early_stopping
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.plateau import reduce_on_plateau
from lensgrad.train.run import Run
from lensgrad.version import __version__ as __version__

if TYPE_CHECKING:
    from lensgrad import circuits as circuits
    from lensgrad.circuits.classifier import CircuitClassifier as CircuitClassifier
    from lensgrad.draw.explore.front import explore
    from lensgrad.draw.front import draw
    from lensgrad.estimators import LensClassifier as LensClassifier
    from lensgrad.estimators import LensRegressor as LensRegressor
    from lensgrad.interchange.differences import differences
    from lensgrad.interchange.jax.read import from_jax
    from lensgrad.interchange.jax.write import from_stablehlo, to_jax, to_stablehlo
    from lensgrad.interchange.onnx.read import from_onnx
    from lensgrad.interchange.torch.read import from_torch
    from lensgrad.interchange.torch.weights import load_weights, match_weights, save_weights
    from lensgrad.interchange.torch.write import to_torch
    from lensgrad.learn import augment
    from lensgrad.learn.circuits.tables import lookup
    from lensgrad.learn.layers.attention import cross_attention, feed_forward, multi_head_attention, transformer_block
    from lensgrad.learn.layers.combine import add, beside, concatenate, each, fork, masked, residual
    from lensgrad.learn.layers.convolution import conv1d, conv2d, conv3d, conv_transpose, depthwise_conv
    from lensgrad.learn.layers.dropout import dropout
    from lensgrad.learn.layers.embedding import embedding, learned_positions, rotary_positions, sinusoidal_positions, unembed
    from lensgrad.learn.layers.graph import graph_conv
    from lensgrad.learn.layers.norm import batch_norm, group_norm, layer_norm, rms_norm
    from lensgrad.learn.layers.pooling import (
        average_pool1d,
        average_pool2d,
        average_pool3d,
        global_average_pool,
        global_max_pool,
        max_pool1d,
        max_pool2d,
        max_pool3d,
    )
    from lensgrad.learn.layers.recurrent import gru, lstm, simple_rnn
    from lensgrad.learn.layers.repeat import repeat
    from lensgrad.learn.layers.variational import gaussian_sample
    from lensgrad.learn.loss_scale import loss_scale
    from lensgrad.learn.losses import elbo
    from lensgrad.learn.precision import mixed_precision
    from lensgrad.program.adapt import magnitude_mask, merge
    from lensgrad.program.evaluate import evaluate
    from lensgrad.program.memory import optimizer_memory
    from lensgrad.train import metrics
    from lensgrad.train.games import dream, gan
    from lensgrad.train.least_squares import fit_curve
    from lensgrad.train.loading import load
    from lensgrad.train.logs import CsvLog, TensorBoard
    from lensgrad.train.minimize import minimize
    from lensgrad.train.recording import record
    from lensgrad.train.step_through import step_through
    from lensgrad.train.why import why

__all__ = [
    "Array", "Bits", "Bool", "CircuitClassifier", "CsvLog", "Int", "Key", "Learner", "LensgradError", "Real", "Run",
    "TensorBoard", "accumulated", "adadelta", "adafactor", "adagrad", "adam", "adamw", "add", "ascent", "augment",
    "average_pool1d", "average_pool2d", "average_pool3d", "batch_norm", "beside", "bias", "binary_cross_entropy",
    "chain", "checkpoint", "circuits", "clip_norm", "clip_value", "clip_weights", "compile", "concatenate", "constant",
    "contrastive", "conv1d", "conv2d", "conv3d", "conv_transpose", "cosine", "cosine_similarity", "cross_attention", "cross_entropy",
    "data", "dense", "depthwise_conv", "descent", "differences", "dot", "draw", "dream", "dropout", "each", "early_stopping", "echo",
    "elbo",
    "elu", "ema", "embedding", "evaluate", "explore", "extragradient", "feed_forward", "fit_curve", "flatten", "fork", "freeze", "from_jax",
    "from_onnx", "from_stablehlo", "from_torch", "gan",
    "gaussian_sample", "gelu", "gelu_tanh", "global_average_pool", "global_max_pool", "glorot", "graph_conv",
    "group_norm", "gru", "half_squared_error", "hard_sigmoid", "he", "hinge", "huber", "info_nce", "input",
    "kl_divergence", "l1", "lamb", "layer", "layer_norm", "leaky_relu", "learned_positions", "linear", "linear_decay",
    "lion", "load", "load_weights", "log_softmax", "lookup", "lora", "loss", "loss_scale", "low_rank", "lstm", "magnitude_mask",
    "masked", "match_weights", "max_pool1d", "max_pool2d", "max_pool3d", "maximize", "merge", "mesh", "metrics", "minimize", "mish",
    "mixed_precision", "momentum", "mse", "multi_head_attention", "nadam", "normal", "one_cycle", "ops", "optimistic",
    "optimizer_memory", "poisson", "predict", "prune", "quantile", "rate", "record", "reduce_on_plateau", "relu", "relu6", "repeat",
    "reshape",
    "residual", "rms_norm", "rmsprop", "rotary_positions", "save_weights", "scaled_rate", "selu", "sequential", "sgd", "sigmoid",
    "silu", "simple_rnn", "sinusoidal_positions", "smooth_l1", "softmax", "softplus", "sphere", "state", "step_decay",
    "step_through",
    "stiefel", "summary", "supervised", "tanh", "thaw", "tie", "to_jax", "to_stablehlo", "to_torch", "transformer_block", "unembed",
    "uniform", "upto",
    "warm_up", "weight", "weight_decay", "weight_norm", "weights", "why", "xor", "zeros",
]  # fmt: skip


def _drawer() -> Drawer:
    """What draws, for `.draw` of whatever is composed."""
    from lensgrad.draw import front

    return front


drawn_by(_drawer)

if not TYPE_CHECKING:
    # What few programs use, or what needs an extra, is imported when it is first asked for.
    LATER = {
        "circuits": ["circuits"],
        "circuits.classifier": ["CircuitClassifier"],
        "draw": ["draw"],
        "draw.explore.front": ["explore"],
        "estimators": ["LensClassifier", "LensRegressor"],
        "interchange.differences": ["differences"],
        "interchange.jax.read": ["from_jax"],
        "interchange.jax.write": ["from_stablehlo", "to_jax", "to_stablehlo"],
        "interchange.onnx.read": ["from_onnx"],
        "interchange.torch.read": ["from_torch"],
        "interchange.torch.weights": ["load_weights", "match_weights", "save_weights"],
        "interchange.torch.write": ["to_torch"],
        "learn.augment": ["augment"],
        "learn.circuits.tables": ["lookup"],
        "learn.layers.attention": ["cross_attention", "feed_forward", "multi_head_attention", "transformer_block"],
        "learn.layers.combine": ["add", "beside", "concatenate", "each", "fork", "masked", "residual"],
        "learn.layers.convolution": ["conv1d", "conv2d", "conv3d", "conv_transpose", "depthwise_conv"],
        "learn.layers.dropout": ["dropout"],
        "learn.layers.embedding": ["embedding", "learned_positions", "rotary_positions", "sinusoidal_positions", "unembed"],
        "learn.layers.graph": ["graph_conv"],
        "learn.layers.norm": ["batch_norm", "group_norm", "layer_norm", "rms_norm"],
        "learn.layers.pooling": [
            "average_pool1d",
            "average_pool2d",
            "average_pool3d",
            "global_average_pool",
            "global_max_pool",
            "max_pool1d",
            "max_pool2d",
            "max_pool3d",
        ],
        "learn.layers.recurrent": ["gru", "lstm", "simple_rnn"],
        "learn.layers.repeat": ["repeat"],
        "learn.layers.variational": ["gaussian_sample"],
        "learn.loss_scale": ["loss_scale"],
        "learn.losses.evidence": ["elbo"],
        "learn.precision": ["mixed_precision"],
        "program.adapt": ["magnitude_mask", "merge"],
        "program.evaluate": ["evaluate"],
        "program.memory": ["optimizer_memory"],
        "train.games": ["dream", "gan"],
        "train.least_squares": ["fit_curve"],
        "train.loading": ["load"],
        "train.logs": ["CsvLog", "TensorBoard"],
        "train.metrics": ["metrics"],
        "train.minimize": ["minimize"],
        "train.recording": ["record"],
        "train.step_through": ["step_through"],
        "train.why": ["why"],
    }
    __getattr__, __dir__ = door(__name__, LATER, __all__)
