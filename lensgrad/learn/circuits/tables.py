"""Circuits that learn: parametric arrows over a semiring."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import Param
from lensgrad.cat.para import Para, parametric
from lensgrad.core.errors import BadValue
from lensgrad.learn import init
from lensgrad.theories.poly.circuit import Bits, concatenate, minterms, total


def lookup(inputs: int, outputs: int = 1) -> Para:
    """A lookup table of 2^inputs rows as a polynomial : Z2^a → Z2^b (arXiv 2101.10488, the eval model).

    The parameter `table` holds the rows of each output, one output after the other; row s is read at the input whose
    bits spell s, first bit first. One step of reverse derivative ascent sets the row of its example to the label.
    """
    if inputs < 1 or outputs < 1 or inputs > 20:
        raise BadValue(f"a lookup table has 1 to 20 inputs and at least one output, got {inputs} and {outputs}")
    rows, ob = 2**inputs, Bits(outputs * 2**inputs)

    def body(table: Any, x: Any) -> Any:
        basis = minterms(x)
        return concatenate([total(table[k * rows : (k + 1) * rows] * basis) for k in range(outputs)])

    return parametric([Param("table", ob, init=init.zeros(ob))], Bits(inputs), body).told("lookup")
