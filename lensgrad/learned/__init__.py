"""Circuits learned from tables: problems, methods, and what comes of them."""

from lensgrad.learned.choose import METHODS, learn
from lensgrad.learned.circuit import LearnedCircuit, load_circuit, output_names
from lensgrad.learned.problem import Found, Plan, Problem, held_back

__all__ = ["METHODS", "Found", "LearnedCircuit", "Plan", "Problem", "held_back", "learn", "load_circuit", "output_names"]
