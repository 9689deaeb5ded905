"""Generators: smooth maps on arrays, and polynomial circuits over a semiring."""
