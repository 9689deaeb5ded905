"""Circuits as gates: made from arrows, formulas, truth tables and encoders, and fewer of them."""
