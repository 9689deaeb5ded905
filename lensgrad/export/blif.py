"""The former place of `lensgrad.circuits.formats.blif`, kept for one release."""

from lensgrad.circuits.formats.blif import blif, read_blif

__all__ = ["blif", "read_blif"]
