"""Constructions over any category: the reverse derivative R, lenses, parametric arrows, and their laws."""
