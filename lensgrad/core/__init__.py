"""Diagrams: objects, generators, arrows as canonical programs, functors and rewriting; the standard library only."""
