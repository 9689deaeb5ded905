"""JAX functions as arrows, arrows as JAX functions, and StableHLO."""
