"""Circuits: models that learn, gates made of them, fewer gates, files that hardware tools read, and proofs."""

from lensgrad.circuits.formats.aiger import ascii_aiger, binary_aiger, read_aiger
from lensgrad.circuits.formats.blif import blif, read_blif
from lensgrad.circuits.formats.c import c_source
from lensgrad.circuits.formats.files import FORMATS, WRITERS, read, write
from lensgrad.circuits.formats.names import plain_names
from lensgrad.circuits.formats.verilog import testbench, verilog
from lensgrad.circuits.gates.circuit import Builder, Circuit
from lensgrad.circuits.gates.encoders import encoder_circuit
from lensgrad.circuits.gates.formula import formula
from lensgrad.circuits.gates.functions import from_rows, from_tables, read_truth
from lensgrad.circuits.gates.functors import to_diagram, to_gates
from lensgrad.circuits.gates.rules import possible, rule
from lensgrad.circuits.gates.simplify import simplify
from lensgrad.circuits.gates.votes import chained, network_circuit, side_by_side, vote
from lensgrad.circuits.learning.affine import solve
from lensgrad.circuits.learning.choose import METHODS, learn
from lensgrad.circuits.learning.learned import LearnedCircuit, load_circuit, output_names
from lensgrad.circuits.learning.problem import Found, Plan, Problem, held_back
from lensgrad.circuits.learning.searches import Search, satisfy, search
from lensgrad.circuits.proofs.miter import Question
from lensgrad.circuits.proofs.properties import fair, hamming_radius, irrelevant, monotone, robust
from lensgrad.circuits.proofs.sat import Verdict, certificate, equal, equal_files, prove
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

__all__ = [
    "FORMATS", "METHODS", "WRITERS", "Builder", "Circuit", "Found", "LearnedCircuit", "Plan", "Problem", "Question",
    "Search", "Verdict", "anf", "ascii_aiger", "binary_aiger", "blif", "c_source", "certificate", "chained",
    "encoder_circuit", "equal", "equal_files", "esop", "fair", "formula", "from_rows", "from_tables", "gain",
    "hamming", "hamming_radius", "held_back", "irrelevant", "last_bit", "learn", "lift", "lifted_flip",
    "load_circuit", "lookup", "lut_layer", "lut_network", "monomials", "monotone", "network_circuit", "or_pool2d",
    "output_names", "over", "parity", "perceptron", "plain_names", "possible", "prove", "pseudo_linear", "random_mask", "read",
    "read_aiger", "read_blif", "read_truth", "robust", "rule", "satisfy", "satisfying", "search", "searching",
    "side_by_side", "simplify", "soften", "solve", "testbench", "to_diagram", "to_gates", "tree_conv2d", "unit", "verilog", "vote",
    "votes", "walk", "write",
]  # fmt: skip
