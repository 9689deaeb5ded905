"""Deep learning in which everything that learns is one kind of thing, and the training step is a program you can read."""

from lensgrad.cat.names import weights
from lensgrad.core.errors import LensgradError
from lensgrad.learn.circuits import lookup
from lensgrad.learn.init import glorot, he, normal, uniform, zeros
from lensgrad.learn.layers.basic import bias, dense, flatten, input, linear, sequential
from lensgrad.learn.losses import cross_entropy, half_squared_error, mse, xor
from lensgrad.learn.optimizers import ascent, descent, momentum, sgd
from lensgrad.learn.rates import echo, rate, scaled_rate
from lensgrad.learner import Learner, Run, supervised
from lensgrad.run import data
from lensgrad.run.compile import compile
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.smooth.array import Array, Bool, Int, Key, Real
from lensgrad.theories.smooth.ops import relu, sigmoid, softmax, tanh

__version__ = "0.1.0"

__all__ = [
    "Array", "Bits", "Bool", "Int", "Key", "Learner", "LensgradError", "Real", "Run", "ascent", "bias", "compile",
    "cross_entropy", "data", "dense", "descent", "echo", "flatten", "glorot", "half_squared_error", "he", "input", "linear",
    "lookup", "momentum", "mse", "normal", "rate", "relu", "scaled_rate", "sequential", "sgd", "sigmoid", "softmax",
    "supervised", "tanh", "uniform", "weights", "xor", "zeros",
]  # fmt: skip
