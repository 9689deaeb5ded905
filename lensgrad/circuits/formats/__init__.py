"""Circuits in files: AIGER, BLIF, Verilog and C."""
