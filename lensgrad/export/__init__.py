"""Circuits as gates: made from arrows, formulas and truth tables, simplified, written to files and read back, proved."""

from lensgrad.export.aiger import ascii_aiger, binary_aiger, read_aiger
from lensgrad.export.blif import blif, read_blif
from lensgrad.export.c import c_source
from lensgrad.export.circuit import Builder, Circuit
from lensgrad.export.encoders import encoder_circuit
from lensgrad.export.files import FORMATS, WRITERS, read, write
from lensgrad.export.formula import formula
from lensgrad.export.functions import from_rows, from_tables, read_truth
from lensgrad.export.gates import to_diagram, to_gates
from lensgrad.export.miter import Question
from lensgrad.export.properties import fair, hamming_radius, irrelevant, monotone, robust
from lensgrad.export.rules import possible, rule
from lensgrad.export.simplify import simplify
from lensgrad.export.solve import Verdict, certificate, equal, equal_files, prove
from lensgrad.export.verilog import testbench, verilog
from lensgrad.export.votes import chained, network_circuit, vote

__all__ = [
    "FORMATS", "WRITERS", "Builder", "Circuit", "Question", "Verdict", "ascii_aiger", "binary_aiger", "blif", "c_source",
    "certificate", "chained", "encoder_circuit", "equal", "equal_files", "fair", "formula", "from_rows", "from_tables",
    "hamming_radius", "irrelevant", "monotone", "network_circuit", "possible", "prove", "read", "read_aiger", "read_blif",
    "read_truth", "robust", "rule", "simplify", "testbench", "to_diagram", "to_gates", "verilog", "vote", "write",
]  # fmt: skip
