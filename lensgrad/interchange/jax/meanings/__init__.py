"""What JAX's primitives mean: one table in each module, here put together."""

from lensgrad.interchange.jax.meanings import elementwise, indices, reductions, shapes, windows
from lensgrad.interchange.jax.step import Table

MEANINGS: Table = {**elementwise.TABLE, **shapes.TABLE, **reductions.TABLE, **indices.TABLE, **windows.TABLE}
