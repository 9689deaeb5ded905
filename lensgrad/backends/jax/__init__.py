"""JAX: the backend for accelerators."""
