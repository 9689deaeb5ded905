"""Functors out of diagrams: what programs mean in NumPy, in C, in JAX, and as exact polynomials."""
