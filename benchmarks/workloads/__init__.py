"""Workloads: a learner of ours, the same by hand in JAX, and the data that both see. Each module has the same functions."""
