"""Circuits that learn, in one place: models, the optimizers that move bits, exact solutions, searches, and learning from tables."""

from lensgrad.circuits.choose import METHODS, learn
from lensgrad.circuits.learned import LearnedCircuit, load_circuit, output_names
from lensgrad.circuits.problem import Found, Plan, Problem, held_back
from lensgrad.circuits.searches import Search, satisfy, search
from lensgrad.learn.circuits import (
    anf,
    esop,
    gain,
    hamming,
    last_bit,
    lift,
    lifted_flip,
    lookup,
    lut_layer,
    lut_network,
    monomials,
    or_pool2d,
    over,
    parity,
    perceptron,
    pseudo_linear,
    random_mask,
    satisfying,
    searching,
    soften,
    tree_conv2d,
    unit,
    votes,
    walk,
)
from lensgrad.run.solve import solve

__all__ = [
    "METHODS", "Found", "LearnedCircuit", "Plan", "Problem", "Search", "anf", "esop", "gain", "hamming", "held_back", "last_bit", "learn",
    "lift", "lifted_flip", "load_circuit", "lookup", "lut_layer", "lut_network", "monomials", "or_pool2d", "output_names", "over", "parity",
    "perceptron", "pseudo_linear", "random_mask", "satisfy", "satisfying", "search", "searching", "soften", "solve", "tree_conv2d", "unit",
    "votes", "walk",
]  # fmt: skip
