"""Layers: parametric arrows A → B, and families of them that infer A."""
