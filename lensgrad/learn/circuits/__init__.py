"""Circuits that learn: parametric arrows over a semiring, and the optimizers that move bits."""

from lensgrad.learn.circuits.convert import over, soften
from lensgrad.learn.circuits.networks import lut_layer, lut_network, votes
from lensgrad.learn.circuits.tables import lookup

__all__ = ["lookup", "lut_layer", "lut_network", "over", "soften", "votes"]
