"""Circuits that learn: parametric arrows over a semiring, and the optimizers that move bits."""

from lensgrad.learn.circuits.convert import lift, over, soften, unit
from lensgrad.learn.circuits.convolution import or_pool2d, tree_conv2d
from lensgrad.learn.circuits.flips import gain, last_bit, lifted_flip, random_mask
from lensgrad.learn.circuits.forms import anf, esop, monomials, parity
from lensgrad.learn.circuits.losses import hamming, perceptron
from lensgrad.learn.circuits.networks import lut_layer, lut_network, votes
from lensgrad.learn.circuits.tables import lookup, pseudo_linear
from lensgrad.learn.circuits.walk import satisfying, searching, walk

__all__ = [
    "anf", "esop", "gain", "hamming", "last_bit", "lift", "lifted_flip", "lookup", "lut_layer", "lut_network", "monomials",
    "or_pool2d", "over", "parity", "perceptron", "pseudo_linear", "random_mask", "satisfying", "searching", "soften",
    "tree_conv2d", "unit", "votes", "walk",
]  # fmt: skip
