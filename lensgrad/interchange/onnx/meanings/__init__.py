"""What ONNX operators mean on wires: a table from each, for one node, to the wires of its results.

Each module has a `TABLE` by the name of the operator; operators of other domains have it in front, as in `ai.onnx.ml.Scaler`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from lensgrad.interchange.onnx.call import Table

MODULES = (
    "arrange",
    "attention",
    "conv",
    "elementwise",
    "index",
    "linear",
    "linear_attention",
    "logic",
    "losses",
    "microsoft",
    "norm",
    "pool",
    "quantize",
    "recurrent",
    "reduce",
    "resize",
    "sample",
    "signal",
    "training",
)


@cache
def table() -> Table:
    """The operators of all modules."""
    found: Table = {}
    for name in MODULES:
        found.update(import_module(f"{__name__}.{name}").TABLE)
    return found
