"""The former place of `lensgrad.circuits.formats.aiger`, kept for one release."""

from lensgrad.circuits.formats.aiger import ascii_aiger, binary_aiger, read_aiger

__all__ = ["ascii_aiger", "binary_aiger", "read_aiger"]
