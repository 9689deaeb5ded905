"""Circuits as gates: made from arrows and truth tables, simplified, written to files and read back, proved."""

from lensgrad.export.aiger import ascii_aiger, binary_aiger, read_aiger
from lensgrad.export.blif import blif, read_blif
from lensgrad.export.c import c_source
from lensgrad.export.circuit import Builder, Circuit
from lensgrad.export.files import read, write
from lensgrad.export.functions import from_rows, from_tables, read_truth
from lensgrad.export.gates import to_diagram, to_gates
from lensgrad.export.simplify import simplify
from lensgrad.export.verilog import testbench, verilog

__all__ = [
    "Builder", "Circuit", "ascii_aiger", "binary_aiger", "blif", "c_source", "from_rows", "from_tables", "read", "read_aiger",
    "read_blif", "read_truth", "simplify", "testbench", "to_diagram", "to_gates", "verilog", "write",
]  # fmt: skip
