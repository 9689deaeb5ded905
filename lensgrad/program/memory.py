"""How much an optimizer keeps beside each weight."""

from __future__ import annotations

from math import prod

from lensgrad.backends.numpy import host
from lensgrad.cat.lens import two
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import called
from lensgrad.core.ty import Ty
from lensgrad.learn.optimizers.parts import Optimizer
from lensgrad.program.values import forward_object
from lensgrad.theories.smooth.array import Array


def optimizer_memory(optimizer: Optimizer, shape: tuple[int, ...] = (1000, 1000), dtype: str = "float32") -> float:
    """Bytes of state for each number of a weight of this shape: 0 for `descent`, 4 for momentum in float32, 8 for Adam."""
    checks.instance("the shape of a weight", shape, tuple, "a tuple of sizes")
    if not callable(optimizer):
        raise TypeMismatch(f"optimizer_memory expects an optimizer, such as lg.adam(1e-3), got {checks.shown(optimizer)}")
    weight = Ty((Array(shape, dtype),))
    made = called(optimizer, "optimizer_memory's optimizer", [Param("weight", two(weight))])
    checks.instance("what an optimizer gives", made, Para, "a parametric arrow, as lg.adam(1e-3) does")
    held = [host(atom) for p in made.params if p.label != "weight" for atom in forward_object(p)]
    return sum(prod(s) * d.itemsize for s, d in held) / prod(shape)
